"""Flaws with what others say of them, as they are known now."""

from collections.abc import Collection
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, select

from openinspector.model.enrichment import Epss, Exploit, Kev
from openinspector.model.match import Vulnerability
from openinspector.store.rows import flaw_of
from openinspector.store.tables import enrichment, vulnerability


def read_flaws(connection: Connection, ids: Collection[str]) -> dict[str, Vulnerability]:
    """Those that are known, by their ids."""
    said = (enrichment.c[name] for name in ("epss", "percentile", "epss_date", "kev", "exploits"))
    flaws = (
        select(vulnerability.c.id, vulnerability.c.document, *said)
        .outerjoin_from(vulnerability, enrichment, enrichment.c.vulnerability_id == vulnerability.c.id)
        .where(vulnerability.c.id.in_(sorted(ids)))
    )
    return {row.id: _flaw(row) for row in connection.execute(flaws)}


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
