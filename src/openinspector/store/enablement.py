"""What follows for resources and findings from a kind of scan being switched on or off, or an account suspended.

`due_at` of `account_scan_type` and of `account` says when something next does. Whoever switches sets it to that very
moment; `follow` does what is due, some resources at a time, and when it has been through all of them sets it to the
next moment, or to none. So nothing is gone through twice.

| state | at once | later |
|---|---|---|
| off | findings are inaccessible; coverage is PENDING_DISABLE, nothing is scanned or counted | after 24 hours both go |
| suspended | coverage is ACCESS_DENIED, nothing is scanned or counted | after 90 days it and findings go |
| on again | what was withheld is due, or stands as its own state says (it is stopped); findings are as before | |
| on, after they went | resources that are still there are covered again, and due to be scanned | |

It is what `pipeline.ingest.settle` does with a resource that is `disabled` or `suspended`, in bulk, and of functions
only that half which is switched; a resource's own state (it is stopped) stays, so that it is known afterwards. A scan
that was running when its resource was withheld writes nothing any more.

Source: Inspector's user guide, "Deactivating" and "Understanding findings"; its API reference, ScanStatus.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, get_args

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, and_, any_, literal, not_, text

from openinspector.find.reconcile import KEPT_WHEN_DISABLED, KEPT_WHEN_SUSPENDED
from openinspector.model.account import ResourceScanType
from openinspector.model.coverage import STANDING, USUAL_CODE, Reason, ScanType
from openinspector.model.finding import FindingType
from openinspector.model.resource import ResourceType
from openinspector.store.tables import WORDS, finding, resource

AT_ONCE: Final = 5_000  # resources withheld, or scanned again, in one transaction
REMOVED_AT_ONCE: Final = 200  # resources whose findings are removed in one transaction
LISTED_AT_ONCE: Final = 1_000


class Due(Struct, frozen=True, kw_only=True, order=True):
    """A kind of scan of an account that was switched; `scan_type` is "" for the account as a whole."""

    account: str
    region: str
    scan_type: ResourceScanType | str = ""


class Followed(Struct, frozen=True, kw_only=True):
    """How many rows of coverage changed, and whether there was nothing left that had to."""

    changed: int
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a kind of scan covers; `scanned` are the types whose packages can be scanned without being asked to."""

    resources: tuple[ResourceType, ...]
    kinds: tuple[ScanType, ...]
    findings: tuple[FindingType, ...]
    scanned: tuple[ResourceType, ...] = ()

    @property
    def state_follows(self) -> bool:
        """Whether the state of a resource as a whole follows: it does that of its packages."""
        return "PACKAGE" in self.kinds

    def values(self, due: Due) -> dict[str, Any]:
        """The parameters of a statement."""
        return {
            "account": due.account,
            "region": due.region,
            "resources": list(self.resources),
            "kinds": list(self.kinds),
            "findings": list(self.findings),
            "scanned": list(self.scanned),
            "follows": self.state_follows,
        }


_KINDS: Final[tuple[ScanType, ...]] = get_args(ScanType)
_FINDINGS: Final[tuple[FindingType, ...]] = get_args(FindingType)
_SCOPES: Final[Mapping[str, _Scope]] = {
    "": _Scope(get_args(ResourceType), _KINDS, _FINDINGS),
    "EC2": _Scope(("AWS_EC2_INSTANCE",), _KINDS, _FINDINGS, ("AWS_EC2_INSTANCE",)),
    "ECR": _Scope(("AWS_ECR_CONTAINER_IMAGE", "AWS_ECR_REPOSITORY"), _KINDS, _FINDINGS, ("AWS_ECR_CONTAINER_IMAGE",)),
    "LAMBDA": _Scope(
        ("AWS_LAMBDA_FUNCTION",),
        ("PACKAGE", "NETWORK"),
        ("PACKAGE_VULNERABILITY", "NETWORK_REACHABILITY"),
        ("AWS_LAMBDA_FUNCTION",),
    ),
    "LAMBDA_CODE": _Scope(("AWS_LAMBDA_FUNCTION",), ("CODE",), ("CODE_VULNERABILITY",)),
    "CODE_REPOSITORY": _Scope(("CODE_REPOSITORY",), _KINDS, _FINDINGS),
    "MACHINE_IMAGE": _Scope(("MACHINE_IMAGE",), _KINDS, _FINDINGS),
}
# The states of a resource's own, in which it isn't scanned whatever its account has switched on.
_OWN: Final = {state: reason for state, reason in STANDING.items() if state not in ("disabled", "suspended")}


def accessible(connection: Connection, accounts: Collection[str], region: str) -> list[ColumnElement[bool]]:
    """What findings, joined with their resources, must meet: of no kind of scan that is being cleaned up after."""
    rows = connection.execute(_BEING_REMOVED, {"accounts": list(accounts), "region": region}).all()
    return [
        not_(
            and_(
                finding.c.account == any_(literal(list(row.accounts), WORDS)),
                resource.c.type.in_(_SCOPES[row.scan_type].resources),
                finding.c.type.in_(_SCOPES[row.scan_type].findings),
            )
        )
        for row in rows
        if row.scan_type in _SCOPES
    ]


def due_now(connection: Connection, now: datetime, *, of_types: bool, after: Due | None = None) -> list[Due]:
    """At most `LISTED_AT_ONCE` of what is due, accounts or kinds of scans, in their order behind `after`."""
    last = after or Due(account="", region="")
    key = {"account": last.account, "region": last.region, "scan_type": last.scan_type}
    rows = connection.execute(_DUE_TYPES if of_types else _DUE_ACCOUNTS, {**key, "now": now, "most": LISTED_AT_ONCE})
    return [Due(account=row.account, region=row.region, scan_type=row.scan_type) for row in rows]


def follow(connection: Connection, due: Due, now: datetime) -> Followed:
    """Does some of what is due; the last time, it isn't any more."""
    key = {"account": due.account, "region": due.region, "scan_type": due.scan_type, "now": now}
    row = connection.execute(_LOCK_TYPE if due.scan_type else _LOCK_ACCOUNT, key).one_or_none()
    scope = _SCOPES.get(due.scan_type)
    if row is None:
        return Followed(changed=0, is_done=True)
    if scope is None:  # of a newer version of this program
        return _settled(connection, due, None)
    if row.off_at is None:
        return _bring_back(connection, due, scope, now, is_suspended=row.suspended_at is not None)
    if due.scan_type:
        return _withdraw(connection, due, scope, "PENDING_DISABLE", row.off_at, KEPT_WHEN_DISABLED, now)
    return _withdraw(connection, due, scope, "ACCESS_DENIED", row.off_at, KEPT_WHEN_SUSPENDED, now)


def _withdraw(
    connection: Connection, due: Due, scope: _Scope, reason: Reason, since: datetime, kept: timedelta, now: datetime
) -> Followed:
    state = "disabled" if due.scan_type else "suspended"
    told = scope.values(due) | {
        "code": USUAL_CODE[reason],
        "reason": reason,
        "since": since,
        "now": now,
        "state": state,
    }
    if (withheld := connection.execute(_WITHHOLD, {**told, "most": AT_ONCE}).one()).chosen:
        return Followed(changed=withheld.changed)
    if now < since + kept:
        return _settled(connection, due, since + kept)
    if (removed := connection.execute(_REMOVE, {**told, "most": REMOVED_AT_ONCE}).one()).chosen:
        return Followed(changed=removed.changed)
    return _settled(connection, due, None)


def _bring_back(connection: Connection, due: Due, scope: _Scope, now: datetime, *, is_suspended: bool) -> Followed:
    reasons = list(_OWN.values())
    told = scope.values(due) | {
        "states": list(_OWN),
        "reasons": reasons,
        "codes": [USUAL_CODE[each] for each in reasons],
        "withheld": "PENDING_DISABLE" if due.scan_type else "ACCESS_DENIED",
        "held_back": is_suspended and bool(due.scan_type),
        "state": "suspended" if is_suspended else "running",
        "now": now,
        "most": AT_ONCE,
    }
    if (revived := connection.execute(_REVIVE, told).one()).chosen:
        return Followed(changed=revived.changed)
    if scope.scanned and not is_suspended and (covered := connection.execute(_COVER, told).one()).chosen:
        return Followed(changed=covered.changed)
    if not due.scan_type:  # what was removed is covered again
        connection.execute(_ALL_TYPES, {"account": due.account, "region": due.region, "now": now})
    return _settled(connection, due, None)


def _settled(connection: Connection, due: Due, at: datetime | None) -> Followed:
    key = {"account": due.account, "region": due.region, "scan_type": due.scan_type}
    connection.execute(_NEXT_TYPE if due.scan_type else _NEXT_ACCOUNT, {**key, "at": at})
    return Followed(changed=0, is_done=True)


# Whatever was switched off and isn't removed yet has a `due_at`.
_BEING_REMOVED: Final = text(
    "SELECT scan_type, array_agg(account) AS accounts FROM account_scan_type WHERE due_at IS NOT NULL"
    " AND status <> 'ENABLED' AND region = :region AND account = ANY(CAST(:accounts AS text[]))"
    " GROUP BY scan_type ORDER BY scan_type"
)
_DUE_TYPES: Final = text(
    "SELECT account, region, scan_type FROM account_scan_type WHERE due_at <= :now"
    " AND (account, region, scan_type) > (:account, :region, :scan_type)"
    " ORDER BY account, region, scan_type LIMIT :most"
)
_DUE_ACCOUNTS: Final = text(
    "SELECT account, region, '' AS scan_type FROM account WHERE due_at <= :now"
    " AND (account, region) > (:account, :region) ORDER BY account, region LIMIT :most"
)
# `off_at` is since when it is off; whoever switches it waits until what is being done is done.
_LOCK_TYPE: Final = text(
    "SELECT CASE k.status WHEN 'ENABLED' THEN NULL ELSE coalesce(k.disabled_at, k.updated_at) END AS off_at,"
    " a.suspended_at FROM account_scan_type AS k LEFT JOIN account AS a USING (account, region)"
    " WHERE k.account = :account AND k.region = :region AND k.scan_type = :scan_type AND k.due_at <= :now"
    " FOR UPDATE OF k"
)
_LOCK_ACCOUNT: Final = text(
    "SELECT suspended_at AS off_at, suspended_at FROM account"
    " WHERE account = :account AND region = :region AND due_at <= :now AND :scan_type = '' FOR UPDATE"
)
_NEXT_TYPE: Final = text(
    "UPDATE account_scan_type SET due_at = :at WHERE account = :account AND region = :region AND scan_type = :scan_type"
)
_NEXT_ACCOUNT: Final = text(
    "UPDATE account SET due_at = :at WHERE account = :account AND region = :region AND :scan_type = ''"
)
_ALL_TYPES: Final = text(
    "UPDATE account_scan_type SET due_at = :now"
    " WHERE account = :account AND region = :region AND status = 'ENABLED' AND due_at IS NULL"
)
# The rows of resources are locked first, as by everybody who changes what is known of one.
_MINE: Final = "r.account = :account AND r.region = :region AND r.type = ANY(CAST(:resources AS text[]))"
_ORDER: Final = " ORDER BY r.type, r.external_id, c.scan_type LIMIT :most FOR UPDATE OF r)"
_TELL: Final = (
    " told AS (INSERT INTO event (account, region, kind, resource_id, payload, created_at)"
    " SELECT account, region, 'coverage', resource_id,"
    " jsonb_build_object('scanType', scan_type, 'statusCode', status, 'reason', reason), :now"
    " FROM changed ORDER BY resource_id, scan_type)"
    " SELECT (SELECT count(*) FROM chosen) AS chosen, (SELECT count(*) FROM changed) AS changed"
)
# A state of its own stays: what is stopped or has gone is so whatever its account does.
_STATE: Final = (
    " stated AS (UPDATE resource AS r SET state = :state FROM (SELECT DISTINCT {id} AS id FROM chosen) AS chosen"
    " WHERE :follows AND r.id = chosen.id AND r.state IN ('', 'running', 'disabled', 'suspended')),"
)
_OF_COVERAGE: Final = _STATE.format(id="resource_id")
_OF_RESOURCES: Final = _STATE.format(id="id")
# Hours end when it was switched off, and not when somebody came to it.
_WITHHOLD: Final = text(
    "WITH chosen AS MATERIALIZED (SELECT c.resource_id, c.scan_type FROM resource AS r"  # noqa: S608  of our own words
    " JOIN coverage AS c ON c.resource_id = r.id AND c.scan_type = ANY(CAST(:kinds AS text[]))"
    f" WHERE {_MINE} AND c.reason NOT IN (:reason, 'PENDING_DISABLE'){_ORDER},{_OF_COVERAGE}"
    " changed AS (UPDATE coverage AS c SET status = :code, reason = :reason, due_at = NULL, due_reason = '',"
    " fence = c.fence + 1, updated_at = greatest(c.updated_at, CAST(:since AS timestamptz)) FROM chosen"
    " WHERE c.resource_id = chosen.resource_id AND c.scan_type = chosen.scan_type"
    " RETURNING c.account, c.region, c.resource_id, c.scan_type, c.status, c.reason),"
    f"{_TELL}"
)
_REMOVE: Final = text(
    "WITH chosen AS MATERIALIZED (SELECT r.id FROM resource AS r"  # noqa: S608  of our own words
    f" WHERE {_MINE} AND EXISTS (SELECT FROM coverage AS c WHERE c.resource_id = r.id"
    " AND c.scan_type = ANY(CAST(:kinds AS text[]))) ORDER BY r.type, r.external_id LIMIT :most FOR UPDATE OF r),"
    " forgotten AS (DELETE FROM finding AS f USING chosen WHERE f.resource_id = chosen.id"
    " AND f.type = ANY(CAST(:findings AS text[]))),"
    " uncovered AS (DELETE FROM coverage AS c USING chosen WHERE c.resource_id = chosen.id"
    " AND c.scan_type = ANY(CAST(:kinds AS text[])) RETURNING 1)"
    " SELECT (SELECT count(*) FROM chosen) AS chosen, (SELECT count(*) FROM uncovered) AS changed"
)
_STATES: Final = (
    " LEFT JOIN unnest(CAST(:states AS text[]), CAST(:codes AS text[]), CAST(:reasons AS text[]))"
    " AS own (state, code, reason) ON own.state = r.state"
)
_REVIVE: Final = text(
    "WITH chosen AS MATERIALIZED (SELECT c.resource_id, c.scan_type, coalesce(own.code,"  # noqa: S608  of our own words
    " CASE WHEN :held_back THEN 'INACTIVE' ELSE 'ACTIVE' END) AS code, coalesce(own.reason, CASE"
    " WHEN :held_back THEN 'ACCESS_DENIED' WHEN c.last_scanned_at IS NULL THEN 'PENDING_INITIAL_SCAN'"
    " ELSE 'PENDING_REVIVAL_SCAN' END) AS reason FROM resource AS r"
    " JOIN coverage AS c ON c.resource_id = r.id AND c.scan_type = ANY(CAST(:kinds AS text[]))"
    f"{_STATES} WHERE {_MINE} AND c.reason = :withheld{_ORDER},{_OF_COVERAGE}"
    " changed AS (UPDATE coverage AS c SET status = chosen.code, reason = chosen.reason,"
    " due_at = CASE chosen.code WHEN 'ACTIVE' THEN CAST(:now AS timestamptz) END,"
    " due_reason = CASE chosen.code WHEN 'ACTIVE' THEN 'enabled' ELSE '' END, updated_at = :now FROM chosen"
    " WHERE c.resource_id = chosen.resource_id AND c.scan_type = chosen.scan_type AND c.reason = :withheld"
    " RETURNING c.account, c.region, c.resource_id, c.scan_type, c.status, c.reason),"
    f"{_TELL}"
)
_COVER: Final = text(
    "WITH chosen AS MATERIALIZED (SELECT r.id, r.account, r.region, coalesce(own.code, 'ACTIVE') AS code,"  # noqa: S608  of our own words
    f" coalesce(own.reason, 'PENDING_INITIAL_SCAN') AS reason FROM resource AS r{_STATES}"
    f" WHERE {_MINE} AND r.type = ANY(CAST(:scanned AS text[])) AND r.gone_at IS NULL AND NOT EXISTS"
    " (SELECT FROM coverage AS c WHERE c.resource_id = r.id AND c.scan_type = 'PACKAGE')"
    f" ORDER BY r.type, r.external_id LIMIT :most FOR UPDATE OF r),{_OF_RESOURCES}"
    " changed AS (INSERT INTO coverage (resource_id, scan_type, account, region, status, reason, due_at, due_reason,"
    " updated_at) SELECT id, 'PACKAGE', account, region, code, reason,"
    " CASE code WHEN 'ACTIVE' THEN CAST(:now AS timestamptz) END,"
    " CASE code WHEN 'ACTIVE' THEN 'enabled' ELSE '' END, :now FROM chosen ON CONFLICT DO NOTHING"
    " RETURNING account, region, resource_id, scan_type, status, reason),"
    f"{_TELL}"
)
