"""An inventory of a resource becomes findings in the database, with their lives and events; so does its end.

    seen = read_target(Request(target="/"))                                  # or an SBOM, an image, a Lambda archive
    ingest(database, advisories_in_force(), resource, seen, now)
    settle(database, resource, "terminated", now)                            # nobody looked, but something happened

A scan takes a number when it starts, and is matched outside of any transaction. What it found is written in one
transaction, in which its resource is locked, if no later scan has started since; so of two at once one writes. An
ingest that is broken off at any moment has written nothing, and doing it again writes what it would have written.

What a scan says of packages that others have too counts only when it was made with the advisories in force, while no
others are about to replace them (see pipeline/rematch.py): else what is known of them counts, and only what nobody has
seen before is taken from the scan, and judged again by the advisories in force. A resource's findings so always follow
from the matches that are known of its packages, whoever writes first.

A look that missed something closes nothing: neither an inventory that is partial or failed, nor a package that could
not be judged.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from openinspector.errors import StoreError, UsageError
from openinspector.find.changes import Change, Closed, Deleted, Refreshed, Updated
from openinspector.find.reconcile import Evaluation, Facts, State, reconcile
from openinspector.find.suppress import rules
from openinspector.match.engine import Judge
from openinspector.model.account import SCAN_TYPES
from openinspector.model.coverage import STANDING, ScanMode, ScanStatus, status_of
from openinspector.model.finding import Finding, Observation
from openinspector.model.inventory import Inventory
from openinspector.model.match import Report
from openinspector.model.moment import moment_text
from openinspector.model.resource import Resource
from openinspector.model.usage import UsageType
from openinspector.pipeline.evaluation import evaluation_of, reason_of
from openinspector.pipeline.observe import observe
from openinspector.pipeline.scan import scan
from openinspector.render import inspector_words as words
from openinspector.render.inspector_checks import DISCONTINUED
from openinspector.store import accounts, estate
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.database import Database
from openinspector.store.events import Event, payload_of, write_events
from openinspector.store.findings import (
    Known,
    Written,
    delete_expired,
    delete_findings,
    finding_id,
    known_findings,
    observation_digest,
    write_findings,
)
from openinspector.store.inventories import read_inventory
from openinspector.store.matched import (
    is_settled,
    keep_rematch_out,
    observations_of,
    store_generation,
    store_matched,
)
from openinspector.store.rows import store_inventory
from openinspector.store.suppressing import suppressing_filters
from openinspector.store.usage import count_scan

_T = TypeVar("_T")

_ATTEMPTS: Final = 4
_CLASHES: Final = ("40001", "40P01", "55P03")  # serialization failure, deadlock, a lock that took too long
_SWEPT_AT_ONCE: Final = 5_000  # findings deleted in one transaction


class Ingested(Struct, frozen=True, kw_only=True):
    """What an ingest did. `superseded`: a later scan of the resource has started, and nothing was written."""

    changes: tuple[Change, ...] = ()
    problems: int = 0  # of the inventory, and packages that could not be judged
    superseded: bool = False


def ingest(
    database: Database,
    advisories: AdvisoryFile,
    resource: Resource,
    inventory: Inventory,
    now: datetime,
    mode: ScanMode | None = None,
    look: Callable[[Inventory, AdvisoryFile], Report] | None = None,
    trial: timedelta = accounts.FREE_TRIAL,
) -> Ingested:
    """Match what was found on a resource, and write what follows. `look` matches in place of `scan`.

    A kind of scan that the account never switched is switched on by that; `trial` is how long it is free then.

    Raises:
        UsageError: The resource makes no sense, or its account has scans of that kind disabled.
        StoreError: The database is too busy with the same rows, or a filter in it can't be read.
    """
    told = estate.storable(resource)
    if not told.platform:
        told = replace(told, platform=words.platform(inventory.distribution))

    def start(connection: Connection) -> tuple[int, int]:
        _admit(connection, told, now, trial)
        generation = store_generation(connection, advisories.meta)
        return estate.start_scan(connection, estate.enter(connection, told, now), told, "PACKAGE", now), generation

    number, generation = in_one_go(database, start)
    return _look(database, advisories, told, inventory, now, mode, look, number, generation)


def look_again(
    database: Database,
    advisories: AdvisoryFile,
    resource_id: int,
    now: datetime,
    look: Callable[[Inventory, AdvisoryFile], Report] | None = None,
) -> Ingested | None:
    """Match what was read last from a resource again, and write what follows; None where nothing was ever read.

    It takes no number: a scan that has started meanwhile, or that is under way, knows better and comes first.

    Raises:
        StoreError: The database is too busy with the same rows, or a filter in it can't be read.
    """
    with database.system() as connection:
        stored = estate.last_read(connection, resource_id, "PACKAGE")
        read = read_inventory(connection, stored.inventory_id) if stored is not None else None
        generation = store_generation(connection, advisories.meta)
    if stored is None or read is None:
        return None
    inventory, _ = read
    return _look(database, advisories, stored.resource, inventory, now, stored.mode, look, stored.fence, generation)


def _look(
    database: Database,
    advisories: AdvisoryFile,
    told: Resource,
    inventory: Inventory,
    now: datetime,
    mode: ScanMode | None,
    look: Callable[[Inventory, AdvisoryFile], Report] | None,
    number: int,
    generation: int,
) -> Ingested:
    """Match an inventory, and write what follows unless another scan than `number` has started meanwhile."""
    report = (look or scan)(inventory, advisories)
    used = dict(report.database)
    if used.get("digest") != advisories.meta.get("digest"):  # who looked has opened the file that took its place
        generation = in_one_go(database, lambda connection: store_generation(connection, used))
    seen = observe(told, report)
    status = status_of(reason_of(told, inventory))
    judge = Judge(inventory, advisories)

    def write(connection: Connection) -> Ingested:
        keep_rematch_out(connection)
        entered = estate.enter(connection, told, now)
        resource = _with_platform(told, entered)
        before = estate.seen_so_far(connection, entered, "PACKAGE")
        if before.fence != number:
            return Ingested(superseded=True)
        known = known_findings(connection, entered.id)
        inventory_id, found = entered.inventory_id, seen
        if inventory.status != "failed":
            settled = is_settled(connection, generation)
            inventory_id = store_inventory(connection, inventory, lambda each: not judge.left_out(each))
            store_matched(connection, report, inventory_id, generation, settled=settled)
            if not settled:
                found = as_known(connection, resource, inventory_id, seen)
        looked = evaluation_of(report, found, known)
        estate.describe(connection, entered, resource, "running", now, inventory_id)
        changes = _reconciled(connection, entered, resource, known, looked, "running", now, None)
        _write(connection, entered, resource, inventory_id, known, changes)
        estate.end_scan(connection, entered, "PACKAGE", status, mode, now)
        if looked is not None and resource.type == "AWS_ECR_CONTAINER_IMAGE":
            kind: UsageType = "ECR_INITIAL_SCAN" if entered.inventory_id is None else "ECR_RESCAN"
            count_scan(connection, resource.account, resource.region, kind, entered.id, now)
        _tell(connection, entered, resource, changes, now)
        _tell_coverage(connection, entered, resource, before.status, status, found, now)
        return Ingested(changes=tuple(changes), problems=len(inventory.problems) + len(report.undecided))

    return in_one_go(database, write)


def settle(
    database: Database, resource: Resource, state: State, now: datetime, since: datetime | None = None
) -> Ingested:
    """Write what follows from a resource's state, its tags, the account's rules and time, where nobody looked.

    `since` is when a disabled or suspended state began.

    Raises:
        UsageError: The resource makes no sense.
        StoreError: The database is too busy with the same rows, or a filter in it can't be read.
        ValueError: A disabled or suspended state without `since`.
    """
    told = estate.storable(resource)

    def write(connection: Connection) -> Ingested:
        keep_rematch_out(connection)
        entered = estate.enter(connection, told, now)
        resource = _with_platform(told, entered)
        known = known_findings(connection, entered.id)
        estate.describe(connection, entered, resource, state, now, entered.inventory_id)
        changes = _reconciled(connection, entered, resource, known, None, state, now, since)
        _write(connection, entered, resource, entered.inventory_id, known, changes)
        if state in STANDING:
            estate.stand(connection, entered, status_of(STANDING[state]), now)
        _tell(connection, entered, resource, changes, now)
        return Ingested(changes=tuple(changes))

    return in_one_go(database, write)


def sweep(database: Database, now: datetime) -> int:
    """Forget the closed findings whose time has come; how many there were."""
    forgotten = 0
    while True:
        with database.system() as connection:
            count = delete_expired(connection, now, _SWEPT_AT_ONCE)
        forgotten += count
        if count < _SWEPT_AT_ONCE:
            return forgotten


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


def _admit(connection: Connection, told: Resource, now: datetime, trial: timedelta) -> None:
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


def as_known(
    connection: Connection, resource: Resource, inventory_id: int, seen: Iterable[Observation]
) -> tuple[Observation, ...]:
    """What follows from what is known of the packages of an inventory, and of the rest what was seen."""
    others = [each for each in seen if each.key == DISCONTINUED]
    return (*others, *observations_of(connection, resource, inventory_id))


def _with_platform(told: Resource, entered: estate.Entered) -> Resource:
    """The resource with the platform that it had until now, where nobody says which it is."""
    return told if told.platform else replace(told, platform=entered.platform)


def _reconciled(
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


def _write(
    connection: Connection,
    entered: estate.Entered,
    resource: Resource,
    inventory_id: int | None,
    known: Iterable[Known],
    changes: Iterable[Change],
) -> None:
    """Writes what has changed and, where the inventory is another, what doesn't follow from it as from the last one."""
    before = {each.finding.arn: each for each in known}
    after: dict[str, Written] = {}
    for each in before.values():
        if inventory_id != entered.inventory_id and each.finding.life.status != "CLOSED":
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


def _tell(
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


def _tell_coverage(
    connection: Connection,
    entered: estate.Entered,
    resource: Resource,
    before: ScanStatus | None,
    status: ScanStatus,
    seen: Iterable[Observation],
    now: datetime,
) -> None:
    """That a resource is seen in another way than before; and of its first scan, how much that has found."""
    if before == status:
        return
    counts = Counter(each.severity for each in seen)
    told = {"scanType": "PACKAGE", "statusCode": status.code, "reason": status.reason}
    about = Event(
        account=resource.account,
        region=resource.region,
        kind="coverage",
        resource_id=entered.id,
        at=now,
        payload=told,
    )
    first = [replace(about, kind="scan", payload=dict(counts))] if before is None and status.code == "ACTIVE" else []
    write_events(connection, [*first, about])
