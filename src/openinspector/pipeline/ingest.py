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

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from openinspector.find.changes import Change
from openinspector.find.reconcile import State
from openinspector.match.engine import Judge
from openinspector.model.coverage import STANDING, ScanMode, status_of
from openinspector.model.finding import Observation
from openinspector.model.inventory import Inventory
from openinspector.model.match import Report
from openinspector.model.resource import Resource
from openinspector.model.usage import UsageType
from openinspector.pipeline.evaluation import evaluation_of, reason_of
from openinspector.pipeline.observe import observe
from openinspector.pipeline.scan import scan
from openinspector.pipeline.writing import (
    admit,
    as_entered,
    in_one_go,
    reconciled,
    tell,
    tell_coverage,
    write_changes,
)
from openinspector.render import inspector_words as words
from openinspector.render.inspector_checks import DISCONTINUED
from openinspector.store import accounts, estate
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.database import Database
from openinspector.store.findings import (
    delete_expired,
    known_findings,
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
from openinspector.store.usage import count_scan

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

    def start(connection: Connection) -> tuple[Resource, int, int]:
        admit(connection, told, now, trial)
        generation = store_generation(connection, advisories.meta)
        entered = estate.enter(connection, told, now)
        number = estate.start_scan(connection, entered, told, "PACKAGE", now)
        return replace(told, posture=entered.posture), number, generation

    known, number, generation = in_one_go(database, start)
    return _look(database, advisories, known, inventory, now, mode, look, number, generation)


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
        resource = as_entered(told, entered)
        before = estate.seen_so_far(connection, entered, "PACKAGE")
        if before.fence != number:
            return Ingested(superseded=True)
        known = known_findings(connection, entered.id)
        inventory_id, found = entered.inventory_id, seen
        if resource.posture != told.posture:  # its network was looked at meanwhile
            found = observe(resource, report)
        if inventory.status != "failed":
            settled = is_settled(connection, generation)
            inventory_id = store_inventory(connection, inventory, lambda each: not judge.left_out(each))
            store_matched(connection, report, inventory_id, generation, settled=settled)
            if not settled:
                found = as_known(connection, resource, inventory_id, found)
        looked = evaluation_of(report, found, known)
        estate.describe(connection, entered, resource, "running", now, inventory_id)
        changes = reconciled(connection, entered, resource, known, looked, "running", now, None)
        write_changes(connection, entered, resource, inventory_id, known, changes)
        estate.end_scan(connection, entered, "PACKAGE", status, mode, now)
        if looked is not None and resource.type == "AWS_ECR_CONTAINER_IMAGE":
            kind: UsageType = "ECR_INITIAL_SCAN" if entered.inventory_id is None else "ECR_RESCAN"
            count_scan(connection, resource.account, resource.region, kind, entered.id, now)
        tell(connection, entered, resource, changes, now)
        tell_coverage(connection, entered, resource, "PACKAGE", before.status, status, found, now)
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
        resource = as_entered(told, entered)
        known = known_findings(connection, entered.id)
        estate.describe(connection, entered, resource, state, now, entered.inventory_id)
        changes = reconciled(connection, entered, resource, known, None, state, now, since)
        write_changes(connection, entered, resource, entered.inventory_id, known, changes)
        if state in STANDING:
            estate.stand(connection, entered, status_of(STANDING[state]), now)
        tell(connection, entered, resource, changes, now)
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


def as_known(
    connection: Connection, resource: Resource, inventory_id: int, seen: Iterable[Observation]
) -> tuple[Observation, ...]:
    """What follows from what is known of the packages of an inventory, and of the rest what was seen."""
    others = [each for each in seen if each.key == DISCONTINUED]
    return (*others, *observations_of(connection, resource, inventory_id))
