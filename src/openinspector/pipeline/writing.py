"""Changes of a resource's findings are written in one transaction: the findings, their events, how it is covered.

Whoever looks at a resource, at what is installed on it or at the network around it, writes what follows from here.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from msgspec.structs import replace
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from openinspector.errors import StoreError, UsageError
from openinspector.find.changes import Change, Closed, Deleted, Refreshed, Updated
from openinspector.find.reconcile import Evaluation, Facts, State, reconcile
from openinspector.find.suppress import rules
from openinspector.model.account import SCAN_TYPES
from openinspector.model.coverage import ScanStatus, ScanType
from openinspector.model.finding import Finding, Observation
from openinspector.model.moment import moment_text
from openinspector.model.resource import Resource
from openinspector.store import accounts, estate
from openinspector.store.database import Database
from openinspector.store.events import Event, payload_of, write_events
from openinspector.store.findings import (
    Known,
    Written,
    delete_findings,
    finding_id,
    observation_digest,
    write_findings,
)
from openinspector.store.suppressing import suppressing_filters

_T = TypeVar("_T")

_ATTEMPTS: Final = 4
_CLASHES: Final = ("40001", "40P01", "55P03")  # serialization failure, deadlock, a lock that took too long


def in_one_go(database: Database, write: Callable[[Connection], _T]) -> _T:
    """Does something in a transaction, and again from its beginning if it clashed with another one."""
    for _ in range(_ATTEMPTS):
        try:
            with database.system() as connection:
                return write(connection)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in _CLASHES:
                raise
            clash = error
    raise StoreError("the database is too busy with the same resource or packages: try again later") from clash


def admit(connection: Connection, told: Resource, now: datetime, trial: timedelta) -> None:
    """Sees to it that what is found on a resource is wanted.

    Raises:
        UsageError: It isn't.
    """
    kind = SCAN_TYPES.get(told.type)
    status = accounts.admit(connection, told.region, told.account, kind, now, trial) if kind else "ENABLED"
    if status == "SUSPENDED":
        raise UsageError(f"account {told.account} is suspended in {told.region}: nothing is taken of its resources")
    if status != "ENABLED":
        raise UsageError(
            f"account {told.account} has {kind} scans disabled in {told.region}, so nothing is taken of a resource of"
            f" the type {told.type}: enable them first (aws inspector2 enable --resource-types {kind})"
        )


def as_entered(told: Resource, entered: estate.Entered) -> Resource:
    """The resource as it stands in its network, and with the platform that it had, where nobody says which it is."""
    return replace(told, platform=told.platform or entered.platform, posture=entered.posture)


def reconciled(
    connection: Connection,
    entered: estate.Entered,
    resource: Resource,
    known: Sequence[Known],
    looked: Evaluation | None,
    state: State,
    now: datetime,
    since: datetime | None,
) -> list[Change]:
    """What changes."""
    suppressing = suppressing_filters(connection, resource.account, resource.region)
    facts = Facts(
        resource=resource,
        now=now,
        state=state,
        since=since,
        tags_before=entered.tags,
        rules=rules(suppressing.filters),
        organization=suppressing.organization,
    )
    changes = reconcile([each.finding for each in known], looked, facts)
    if looked is not None and looked.whole:
        changes += _told_differently(known, looked, changes, now)
    return changes


def _told_differently(
    known: Iterable[Known], looked: Evaluation, changes: Iterable[Change], now: datetime
) -> Iterable[Change]:
    """Findings of which something else is told than when they were written.

    What is told of a flaw is kept once for all: the scan of another resource may have brought it here already.
    """
    changed = {each.finding.arn for each in changes}
    seen = {each.key: each for each in looked.seen}
    at = moment_text(now)
    for each in known:
        finding = each.finding
        observation = seen.get(finding.observation.key)
        if observation is None or finding.life.status == "CLOSED" or finding.arn in changed:
            continue
        if each.row.digest != observation_digest(observation):
            life = replace(finding.life, last_observed_at=at, updated_at=at)
            yield Updated(Finding(arn=finding.arn, observation=observation, life=life), ("details",))


def write_changes(
    connection: Connection,
    entered: estate.Entered,
    resource: Resource,
    inventory_id: int | None,
    known: Iterable[Known],
    changes: Iterable[Change],
) -> None:
    """Writes what has changed, and all that is open where it follows from something else now: inventory, posture."""
    before = {each.finding.arn: each for each in known}
    after: dict[str, Written] = {}
    is_otherwise = (inventory_id, resource.posture) != (entered.inventory_id, entered.posture)
    for each in before.values():
        if is_otherwise and each.finding.life.status != "CLOSED":
            after[each.finding.arn] = Written(finding=each.finding, digest=each.row.digest)
    forgotten = []
    for change in changes:
        finding = change.finding
        if isinstance(change, Deleted):
            forgotten.append(finding.arn)
            after.pop(finding.arn, None)
            continue
        old = before.get(finding.arn)
        reason = old.row.close_reason if old is not None and finding.life.status == "CLOSED" else ""
        after[finding.arn] = Written(
            finding=finding,
            digest=observation_digest(finding.observation),
            close_reason=change.reason if isinstance(change, Closed) else reason,
        )
    delete_findings(connection, resource, forgotten)
    write_findings(connection, resource, entered.id, inventory_id, after.values())


def tell(
    connection: Connection, entered: estate.Entered, resource: Resource, changes: Iterable[Change], now: datetime
) -> None:
    """Findings that were only refreshed or forgotten are no news."""
    write_events(
        connection,
        (
            Event(
                account=resource.account,
                region=resource.region,
                kind="finding",
                resource_id=entered.id,
                at=now,
                finding_id=finding_id(each.finding.arn),
                payload=payload_of(type(each).__name__, each.finding),
            )
            for each in changes
            if not isinstance(each, Refreshed | Deleted)
        ),
    )


def tell_coverage(
    connection: Connection,
    entered: estate.Entered,
    resource: Resource,
    kind: ScanType,
    before: ScanStatus | None,
    status: ScanStatus,
    seen: Iterable[Observation],
    now: datetime,
) -> None:
    """That a resource is seen in another way than before; and of its first scan, how much that has found."""
    if before == status:
        return
    counts = Counter(each.severity for each in seen)
    told = {"scanType": kind, "statusCode": status.code, "reason": status.reason}
    about = Event(
        account=resource.account,
        region=resource.region,
        kind="coverage",
        resource_id=entered.id,
        at=now,
        payload=told,
    )
    is_first = kind == "PACKAGE" and before is None and status.code == "ACTIVE"
    first = [replace(about, kind="scan", payload=dict(counts))] if is_first else []
    write_events(connection, [*first, about])
