"""Suppression rules brought to findings that were there before them. Each function needs a transaction of the system.

What is still to be done is in the tables: a filter whose `applied_at` is NULL is new or means something else than
before; a finding whose `suppressed_by` names a filter that doesn't count for its account is hidden by nothing; a member
whose `rules_applied_at` is NULL has only just come under its organization's rules.

An account's findings are walked behind `await_writers`, a transaction of its own: then those are seen that somebody was
about to write by the rules as they were. A walk that is broken off begins anew; what it has settled it leaves alone.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import Connection, Row, all_, any_, cast, select, text
from sqlalchemy.dialects import postgresql

from openinspector.find.criteria import compared
from openinspector.find.suppress import Rule, rules
from openinspector.model.criteria import Criteria
from openinspector.model.moment import moment_text
from openinspector.store.criteria import conditions
from openinspector.store.events import Event, write_events
from openinspector.store.filters import filter_arn
from openinspector.store.suppressing import await_readers, suppressing_filters
from openinspector.store.tables import WORDS, finding, resource

LOWEST: Final = UUID(int=0)  # a digest, so no finding has it


class Place(NamedTuple):
    """An account in a region."""

    account: str
    region: str


class Unapplied(NamedTuple):
    """A filter that hasn't been applied as it is now. `owner` is its account, or the organization."""

    place: Place
    id: str
    owner: str
    version: str

    @property
    def arn(self) -> str:
        """Its ARN."""
        return filter_arn(self.place.region, self.place.account, self.owner, self.id)


class Newcomer(NamedTuple):
    """A member that has just come under its administrator's rules."""

    place: Place
    admin: str


def unapplied_filters(connection: Connection) -> list[Unapplied]:
    """The filters that are new or were changed."""
    rows = connection.execute(_UNAPPLIED)
    return [Unapplied(Place(row.account, row.region), row.id, row.owner_id, row.version) for row in rows]


def newcomers(connection: Connection) -> list[Newcomer]:
    """The members whose findings have not been gone through with the organization's rules."""
    return [Newcomer(Place(row.member, row.region), row.account) for row in connection.execute(_NEWCOMERS)]


def hidden_by_nothing(connection: Connection) -> list[tuple[Place, str]]:
    """Accounts and the ARNs that hide findings of theirs: of filters that are gone, changed, or no longer count."""
    return [(Place(row.account, row.region), row.suppressed_by) for row in connection.execute(_HIDDEN_BY_NOTHING)]


def places_of(connection: Connection, filter_: Unapplied) -> list[Place]:
    """The accounts whose findings a filter may hide: its own, or those of the organization that owns it."""
    account, region = filter_.place
    if filter_.owner == account:
        return [filter_.place]
    values = {"account": account, "region": region, "organization": filter_.owner}
    return [Place(each, region) for each in connection.execute(_ORGANIZATION, values).scalars()]


def await_writers(connection: Connection, place: Place) -> None:
    """Waits until all have ended who still write findings of an account by the rules as they were."""
    await_readers(connection, place.account, place.region)


def rules_of(connection: Connection, place: Place) -> tuple[Rule, ...]:
    """The rules that count for an account, the oldest first.

    Raises:
        UsageError: The criteria of one can't be read.
    """
    found = suppressing_filters(connection, place.account, place.region)
    owners = (place.account, found.organization)
    return rules(each for each in found.filters if each.owner in owners)


def hidden(connection: Connection, place: Place, arn: str, after: UUID, size: int) -> list[UUID]:
    """Findings of an account that a filter hides, behind one's id."""
    values = {"account": place.account, "region": place.region, "arn": arn, "after": after, "most": size}
    return list(connection.execute(_HIDDEN, values).scalars())


def met(connection: Connection, place: Place, rule: Rule, older: Collection[str], after: UUID, size: int) -> list[UUID]:
    """Open findings of an account that a rule is about, behind one's id; without those that it or `older` ones hide."""
    wanted = _as_observed(rule.filter.criteria)
    if wanted is None:
        return []
    asked = (
        select(finding.c.id)
        .join(resource, resource.c.id == finding.c.resource_id)
        .where(
            finding.c.account == place.account,
            finding.c.region == place.region,
            finding.c.id > after,
            finding.c.status != "CLOSED",
            finding.c.suppressed_by != all_(cast([*older, rule.filter.arn], WORDS)),
            *wanted,
        )
        .order_by(finding.c.id)
        .limit(size)
    )
    return list(connection.execute(asked).scalars())


def settle(connection: Connection, place: Place, ids: Collection[UUID], ready: Sequence[Rule], now: datetime) -> int:
    """Hides and shows findings of an account as its rules have it; how many are otherwise than before.

    Their resources are locked, so that whoever writes the same findings is in line.
    """
    of = {"account": place.account, "region": place.region, "ids": list(ids)}
    connection.execute(_LOCK, of)
    rows = {row.id: row for row in connection.execute(_OPEN, of)}
    by = _hiding(connection, place, rows, ready)
    changed = [row for row in rows.values() if row.suppressed_by != by.get(row.id, "")]
    if not changed:
        return 0
    filters = [by.get(row.id, "") for row in changed]
    connection.execute(_WRITE, {**of, "ids": [row.id for row in changed], "filters": filters, "now": now})
    write_events(connection, _news(place, changed, by, now))
    return len(changed)


def note_applied(connection: Connection, filter_: Unapplied, now: datetime) -> None:
    """Notes that a filter has been applied, unless it was changed meanwhile."""
    account, region = filter_.place
    values = {"account": account, "region": region, "id": filter_.id, "version": filter_.version, "now": now}
    connection.execute(_NOTE_APPLIED, values)


def note_settled(connection: Connection, newcomer: Newcomer, now: datetime) -> None:
    """Notes that a member's findings have been gone through."""
    member, region = newcomer.place
    connection.execute(_NOTE_SETTLED, {"account": newcomer.admin, "region": region, "member": member, "now": now})


def _hiding(connection: Connection, place: Place, rows: dict[UUID, Row[Any]], ready: Iterable[Rule]) -> dict[UUID, str]:
    """The filter of each finding that one hides: the oldest that is about it."""
    by: dict[UUID, str] = {}
    for rule in ready:
        left = [
            row.id
            for row in rows.values()
            if row.id not in by and (not rule.vulnerabilities or row.vulnerability_id in rule.vulnerabilities)
        ]
        wanted = _as_observed(rule.filter.criteria)
        if not left or wanted is None:
            continue
        asked = (
            select(finding.c.id)
            .join(resource, resource.c.id == finding.c.resource_id)
            .where(
                finding.c.account == place.account,
                finding.c.region == place.region,
                finding.c.id == any_(cast(left, postgresql.ARRAY(postgresql.UUID()))),
                *wanted,
            )
        )
        by |= dict.fromkeys(connection.execute(asked).scalars(), rule.filter.arn)
    return by


def _as_observed(criteria: Criteria) -> list[Any] | None:
    """What an open finding must meet, as `find.suppress` asks: as if it were active, and as it was last observed.

    None where no open finding can.
    """
    if criteria.finding_status and not compared(criteria.finding_status)(("ACTIVE",)):
        return None
    moved = Criteria(last_observed_at=criteria.updated_at)
    return [*conditions(replace(criteria, finding_status=(), updated_at=())), *conditions(moved)]


def _news(place: Place, changed: Iterable[Row[Any]], by: dict[UUID, str], now: datetime) -> Iterable[Event]:
    """That another filter hides a finding is none."""
    at = moment_text(now)
    told = {
        True: {"change": "Suppressed", "status": "SUPPRESSED", "updated_at": at},  # as `model.event.FindingChange`
        False: {"change": "Unsuppressed", "status": "ACTIVE", "updated_at": at},
    }
    for row in changed:
        is_hidden = row.id in by
        if bool(row.suppressed_by) != is_hidden:
            yield Event(
                account=place.account,
                region=place.region,
                kind="finding",
                resource_id=row.resource_id,
                at=now,
                finding_id=row.id,
                payload=told[is_hidden],
            )


# A row's version is when it was written: an equal change is a change all the same.
_UNAPPLIED: Final = text(
    "SELECT account, region, id, owner_id, xmin::text AS version FROM filter"
    " WHERE applied_at IS NULL ORDER BY created_at, account, region, id"
)
_NOTE_APPLIED: Final = text(
    "UPDATE filter SET applied_at = :now WHERE account = :account AND region = :region AND id = :id"
    " AND applied_at IS NULL AND xmin::text = :version"
)
_NEWCOMERS: Final = text(
    "SELECT m.account, m.region, m.member FROM member m JOIN delegated_admin d ON d.account = m.account"
    " AND d.region = m.region WHERE m.rules_applied_at IS NULL AND m.status IN ('ENABLED', 'ACCOUNT_SUSPENDED')"
    " ORDER BY m.account, m.region, m.member"
)
_NOTE_SETTLED: Final = text(
    "UPDATE member SET rules_applied_at = :now WHERE account = :account AND region = :region AND member = :member"
)
_ORGANIZATION: Final = text(
    "SELECT account FROM delegated_admin WHERE account = :account AND region = :region"
    " AND organization_id = :organization UNION SELECT m.member FROM member m JOIN delegated_admin d"
    " ON d.account = m.account AND d.region = m.region WHERE d.account = :account AND d.region = :region"
    " AND d.organization_id = :organization AND m.status IN ('ENABLED', 'ACCOUNT_SUSPENDED') ORDER BY 1"
)
# Each account and filter once, by steps along the index: there are few of them however many findings they hide.
_HIDDEN_BY_NOTHING: Final = text(
    "WITH RECURSIVE hiding AS ("
    "(SELECT account, region, suppressed_by FROM finding WHERE suppressed_by <> ''"
    " ORDER BY account, region, suppressed_by LIMIT 1)"
    " UNION ALL SELECT n.account, n.region, n.suppressed_by FROM hiding h CROSS JOIN LATERAL ("
    "SELECT account, region, suppressed_by FROM finding f WHERE f.suppressed_by <> ''"
    " AND (f.account, f.region, f.suppressed_by) > (h.account, h.region, h.suppressed_by)"
    " ORDER BY f.account, f.region, f.suppressed_by LIMIT 1) n)"
    " SELECT h.account, h.region, h.suppressed_by FROM hiding h WHERE NOT EXISTS ("
    "SELECT FROM filter l WHERE l.account = split_part(h.suppressed_by, ':', 5) AND l.region = h.region"
    " AND l.id = regexp_replace(h.suppressed_by, '^.*/', '') AND l.action = 'SUPPRESS' AND l.applied_at IS NOT NULL"
    " AND (l.owner_id = h.account OR EXISTS (SELECT FROM delegated_admin d WHERE d.account = l.account"
    " AND d.region = l.region AND d.organization_id = l.owner_id AND d.status = 'ENABLED' AND (d.account = h.account"
    " OR EXISTS (SELECT FROM member m WHERE m.account = d.account AND m.region = d.region AND m.member = h.account"
    " AND m.status IN ('ENABLED', 'ACCOUNT_SUSPENDED'))))))"
)
_HIDDEN: Final = text(
    "SELECT id FROM finding WHERE account = :account AND region = :region AND suppressed_by = :arn"
    " AND suppressed_by <> '' AND id > :after ORDER BY id LIMIT :most"
)
_LOCK: Final = text(
    "SELECT id FROM resource WHERE id IN (SELECT resource_id FROM finding WHERE account = :account"
    " AND region = :region AND id = ANY (:ids)) ORDER BY id FOR UPDATE"
)
_OPEN: Final = text(
    "SELECT id, resource_id, suppressed_by, vulnerability_id FROM finding WHERE account = :account"
    " AND region = :region AND id = ANY (:ids) AND status <> 'CLOSED' ORDER BY id"
)
_WRITE: Final = text(
    "UPDATE finding f SET suppressed_by = n.filter, status = CASE n.filter WHEN '' THEN 'ACTIVE' ELSE 'SUPPRESSED' END,"
    " updated_at = CASE WHEN (f.suppressed_by = '') = (n.filter = '') THEN f.updated_at ELSE :now END"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:filters AS text[])) AS n (id, filter)"
    " WHERE f.account = :account AND f.region = :region AND f.id = n.id"
)
