"""Flaws with what others say of them, as they are known now."""

from collections.abc import Collection
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, text

from openinspector.model.enrichment import Epss, Exploit, Kev
from openinspector.model.match import Vulnerability
from openinspector.store.rows import flaw_of


def read_flaws(connection: Connection, ids: Collection[str]) -> dict[str, Vulnerability]:
    """Those that are known, by their ids."""
    return {row.id: _flaw(row) for row in connection.execute(_FLAWS, {"flaws": sorted(ids)}).all()}


def _flaw(row: Any) -> Vulnerability:
    epss = None
    if row.epss is not None:
        epss = Epss(vulnerability=row.id, score=row.epss, percentile=row.percentile, date=row.epss_date)
    return replace(
        flaw_of(row.document),
        epss=epss,
        kev=msgspec.convert(row.kev, Kev) if row.kev else None,
        exploits=msgspec.convert(row.exploits or (), tuple[Exploit, ...]),
    )


_FLAWS: Final = text(
    "SELECT v.id, v.document, e.epss, e.percentile, e.epss_date, e.kev, e.exploits FROM vulnerability v"
    " LEFT JOIN enrichment e ON e.vulnerability_id = v.id WHERE v.id = ANY (:flaws)"
)
