"""EPSS scores of flaws that somebody has, written apart from all else: they change every day, for all of them."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from openinspector.model.enrichment import Epss
from openinspector.store.rows import store_scores


def known_scores(connection: Connection) -> Sequence[Row[Any]]:
    """Every known flaw with its score and percentile, both None where there is none."""
    return connection.execute(_KNOWN).all()


def write_scores(connection: Connection, changed: Collection[tuple[str, Epss | None]]) -> int:
    """Writes scores, None for one that there is no longer; how many were otherwise."""
    count = store_scores(connection, (score for _, score in changed if score is not None))
    gone = [flaw for flaw, score in changed if score is None]
    return count + connection.execute(_GONE, {"flaws": gone}).rowcount


_KNOWN: Final = text(
    "SELECT v.id, e.epss, e.percentile FROM vulnerability v LEFT JOIN enrichment e ON e.vulnerability_id = v.id"
)
_GONE: Final = text(
    "UPDATE enrichment SET epss = NULL, percentile = NULL, epss_date = '' WHERE vulnerability_id = ANY (:flaws)"
    " AND epss IS NOT NULL"
)
