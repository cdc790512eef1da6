"""Conditions that follow from criteria and say nothing new, but by which PostgreSQL finds the few rows that there are.

What packages a finding has, and how its flaw scores, is not written with it (see findings.py): asked of one finding
after another, a rare package would be sought through all of them. The flaws that can be meant are read first, and an
index has the findings of each; told as values they also show the planner how many there will be.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, any_, bindparam, cast, or_, select

from openinspector.model.criteria import Criteria, PackageFilter
from openinspector.store.criteria import epss_within, named_texts
from openinspector.store.tables import WORDS, enrichment, finding, package, package_vulnerability

MOST: Final = 5_000  # flaws; where more can be meant, findings that have one of them are not far to seek


def narrowing(connection: Connection, criteria: Criteria) -> list[ColumnElement[bool]]:
    """What findings that meet the criteria also meet."""
    met: list[ColumnElement[bool]] = []
    if (flaws := _of_packages(connection, criteria.vulnerable_packages or ())) is not None:
        # What is closed has the packages that it had then, whatever is known of them today; others may keep some, too.
        keeps = and_(finding.c.status != "CLOSED", finding.c.details.has_key("packages"))
        met.append(or_(finding.c.status == "CLOSED", keeps, _among(flaws)))
    if criteria.epss_score:
        scored = select(enrichment.c.vulnerability_id).where(epss_within(criteria.epss_score))
        if (flaws := _read(connection, scored)) is not None:
            met.append(_among(flaws))
    return met


def _of_packages(connection: Connection, entries: Sequence[PackageFilter]) -> list[str] | None:
    """The flaws of the packages that one of the entries names; None where an entry names none, or too many."""
    names = [each.name for each in entries if each.name is not None and each.name.comparison != "NOT_EQUALS"]
    if not names or len(names) < len(entries):
        return None
    named = or_(*(named_texts(package.c.name, each) for each in names))
    with_flaws = package.join(package_vulnerability, package_vulnerability.c.package_id == package.c.id)
    return _read(connection, select(package_vulnerability.c.vulnerability_id).select_from(with_flaws).where(named))


def _read(connection: Connection, flaws: Any) -> list[str] | None:
    found = flaws.subquery("flaws")
    rows = connection.execute(select(found.c.vulnerability_id).distinct().limit(MOST + 1)).scalars().all()
    return list(rows) if len(rows) <= MOST else None


def _among(flaws: list[str]) -> ColumnElement[bool]:
    values = cast(bindparam(None, flaws, type_=WORDS), WORDS)
    return finding.c.vulnerability_id == any_(values)
