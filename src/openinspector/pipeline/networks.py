"""What was read of an account's network is written: open ports as findings, and scores as they count in it.

    reading = read_network(document)
    number = begin(database, reading.account, reading.region, now)
    write(database, reading, number, now)

An instance about which nothing has changed costs next to nothing; of the others each has a transaction of its own, in
which its resource is locked. A reading that is broken off has written some of them, and another one does the rest. Of
two readings the one that started later comes first, and what the other one still has to write it doesn't.

A reading that misses a part of the network closes nothing and rates nothing anew; so does a port of which nobody can
say whether it can be reached. An instance that was there when its network was last read, and is there no more, is gone.
Hosts that report by themselves and were never seen in a network are let be.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from openinspector.find.changes import Change
from openinspector.find.reconcile import Evaluation
from openinspector.model.coverage import ScanStatus, status_of
from openinspector.model.finding import FindingType, NetworkReachability, Observation
from openinspector.model.reading import Machine, Reading
from openinspector.model.resource import AccountId, Ec2Instance, Resource
from openinspector.pipeline.ingest import settle
from openinspector.pipeline.observe import expose
from openinspector.pipeline.writing import admit, in_one_go, reconciled, tell, tell_coverage, write_changes
from openinspector.store import accounts, estate, networks
from openinspector.store.database import Database
from openinspector.store.events import Event, write_events
from openinspector.store.findings import Known, known_findings, observation_digest
from openinspector.store.matched import keep_rematch_out, observations_of

_NETWORK: Final[tuple[FindingType, ...]] = ("NETWORK_REACHABILITY",)
_SEEN: Final = status_of("SUCCESSFUL")
_BLIND: Final = status_of("ACCESS_DENIED")
# Looked at, and something on the way isn't understood: whoever counts what is covered in full asks for the reason.
_DOUBTED: Final = ScanStatus(code="ACTIVE", reason="INTERNAL_ERROR")
_AT_ONCE: Final = 1_000  # instances in one statement
_MOST_PROBLEMS: Final = 50


class Written(Struct, frozen=True, kw_only=True):
    """What a reading has changed: `changes` of findings by kind, `Opened`. `superseded`: a later one has started."""

    changes: dict[str, int]
    instances: int = 0
    superseded: bool = False


class _Superseded(Exception):  # noqa: N818  it is no error
    pass


def begin(database: Database, account: str, region: str, now: datetime, trial: timedelta = accounts.FREE_TRIAL) -> int:
    """The number of a reading that starts now. EC2 scans that the account never switched are switched on by that.

    Raises:
        UsageError: The account has them disabled.
    """
    anybody = Resource(account=AccountId(account), region=region, type="AWS_EC2_INSTANCE", id="")

    def start(connection: Connection) -> int:
        admit(connection, anybody, now, trial)
        return networks.start_reading(connection, account, region)

    return in_one_go(database, start)


def write(database: Database, reading: Reading, number: int, now: datetime) -> Written:
    """Writes what follows from a reading.

    Raises:
        StoreError: The database is too busy with the same rows, or a filter in it can't be read.
    """
    account, region, whole = reading.account, reading.region, not reading.problems
    with database.system() as connection:
        before = networks.standing(connection, account, region)
    counts: Counter[str] = Counter()
    same: list[int] = []
    try:
        for machine in reading.machines:
            known = before.get(machine.resource.id)
            if machine.state == "terminated":
                if known is not None:
                    counts.update(_names(settle(database, known.resource, "terminated", now).changes))
            elif known is not None and _is_same(machine, known, whole=whole):
                same.append(known.id)
            else:
                counts.update(_names(_write_one(database, machine, number, now, whole=whole)))
        if whole:
            counts.update(_names(_end_others(database, reading, before.values(), now)))
        _end(database, reading, number, now, same)
    except _Superseded:
        return Written(changes=dict(counts), superseded=True)
    return Written(changes=dict(counts), instances=len(reading.machines))


def failed(database: Database, account: str, region: str, number: int, why: str, now: datetime) -> None:
    """Nothing could be read: what is known stays, and says that it isn't seen any more."""

    def do(connection: Connection) -> None:
        is_newest = networks.end_reading(
            connection, account, region, number, status="failed", problems=[why], instances=0, now=now
        )
        if is_newest:
            _tell_blind(connection, account, region, now)

    in_one_go(database, do)


def _names(changes: Iterable[Change]) -> Iterator[str]:
    return (type(each).__name__ for each in changes)


def _is_same(machine: Machine, known: networks.Standing, *, whole: bool) -> bool:
    """Whether all is known that a look at a machine would write."""
    if machine.state != known.state:
        return False
    if machine.state == "stopped":
        return known.status is not None
    if known.status != _status(machine, whole=whole) or _described(known.resource, machine.resource) != known.resource:
        return False
    seen = {each.key: observation_digest(each) for each in _observed(machine)}
    if not whole:
        return seen.items() <= known.findings.items()
    return machine.resource.posture == known.resource.posture and seen == known.findings


def _observed(machine: Machine) -> list[Observation]:
    """The open ports of a machine, each once."""
    seen = [expose(each.ports, each.severity) for each in machine.openings]
    return list({each.key: each for each in seen}.values())


def _status(machine: Machine, *, whole: bool) -> ScanStatus:
    if not whole:
        return _BLIND
    return _DOUBTED if machine.doubts else _SEEN


def _write_one(database: Database, machine: Machine, number: int, now: datetime, *, whole: bool) -> list[Change]:
    told = estate.storable(machine.resource)

    def do(connection: Connection) -> list[Change]:
        keep_rematch_out(connection)
        if not networks.is_newest(connection, told.account, told.region, number):
            raise _Superseded
        entered = estate.enter(connection, told, now)
        stored = estate.resources_by_id(connection, [entered.id])[entered.id]
        resource = _described(stored, told)
        known = known_findings(connection, entered.id)
        looked = None
        if machine.state == "running":
            posture = told.posture if whole else entered.posture
            resource = replace(resource, posture=posture)
            looked = _looked(connection, entered, resource, machine, known, whole=whole)
        estate.describe(connection, entered, resource, machine.state, now, entered.inventory_id)
        if resource.posture is not None and resource.posture != entered.posture:
            estate.place(connection, entered, resource.posture)
        changes = reconciled(connection, entered, resource, known, looked, machine.state, now, None)
        write_changes(connection, entered, resource, entered.inventory_id, known, changes)
        _cover(connection, entered, resource, machine, now, whole=whole)
        tell(connection, entered, resource, changes, now)
        return changes

    return in_one_go(database, do)


def _looked(
    connection: Connection,
    entered: estate.Entered,
    resource: Resource,
    machine: Machine,
    known: Iterable[Known],
    *,
    whole: bool,
) -> Evaluation:
    """What is open and, where the instance stands otherwise than before, its packages' flaws as they count there."""
    seen = _observed(machine)
    keys = {each.key for each in seen}
    open_ = [each.finding.observation for each in known if each.finding.life.status != "CLOSED"]
    seen += [each for each in open_ if each.key not in keys and _is_doubtful(each, machine)]
    if resource.posture != entered.posture and entered.inventory_id is not None:
        wanted = {each.key for each in open_}
        again = observations_of(connection, resource, entered.inventory_id)
        seen += [each for each in again if each.key in wanted]
    return Evaluation(seen=seen, whole=_NETWORK if whole else ())


def _is_doubtful(known: Observation, machine: Machine) -> bool:
    """Whether an open port that isn't seen may be open nevertheless."""
    details = known.details
    return isinstance(details, NetworkReachability) and any(_overlap(details, each) for each in machine.doubtful)


def _overlap(one: NetworkReachability, other: NetworkReachability) -> bool:
    if one.protocol != other.protocol:
        return False
    return one.first_port <= other.last_port and other.first_port <= one.last_port


def _described(known: Resource, told: Resource) -> Resource:
    """What is known of an instance; what nobody has told yet is what the network tells."""
    if not isinstance(told.details, Ec2Instance):
        return known
    before = known.details if isinstance(known.details, Ec2Instance) else Ec2Instance()
    fields = {name: getattr(before, name) or getattr(told.details, name) for name in Ec2Instance.__struct_fields__}
    return replace(known, tags=known.tags or told.tags, platform=known.platform, details=Ec2Instance(**fields))


def _cover(
    connection: Connection, entered: estate.Entered, resource: Resource, machine: Machine, now: datetime, *, whole: bool
) -> None:
    """How the instance's network is seen."""
    if machine.state == "stopped":
        estate.start_scan(connection, entered, resource, "NETWORK", now)
        stopped = status_of("EC2_INSTANCE_STOPPED")
        estate.end_scan(connection, entered, "NETWORK", stopped, None, now)
        estate.stand(connection, entered, stopped, now)
        return
    estate.revive(connection, entered, now)
    before = estate.seen_so_far(connection, entered, "NETWORK").status
    status = _status(machine, whole=whole)
    estate.start_scan(connection, entered, resource, "NETWORK", now)
    estate.end_scan(connection, entered, "NETWORK", status, None, now)
    tell_coverage(connection, entered, resource, "NETWORK", before, status, (), now)


def _end_others(
    database: Database, reading: Reading, before: Iterable[networks.Standing], now: datetime
) -> Iterator[Change]:
    """Instances that were in the network and are there no more."""
    there = {each.resource.id for each in reading.machines}
    for each in before:
        if each.status is not None and each.resource.id not in there:
            yield from settle(database, each.resource, "terminated", now).changes


def _end(database: Database, reading: Reading, number: int, now: datetime, same: list[int]) -> None:
    def do(connection: Connection) -> None:
        is_newest = networks.end_reading(
            connection,
            reading.account,
            reading.region,
            number,
            status="partial" if reading.problems else "whole",
            problems=reading.problems[:_MOST_PROBLEMS],
            instances=len(reading.machines),
            now=now,
        )
        if not is_newest:
            raise _Superseded
        for start in range(0, len(same), _AT_ONCE):
            networks.saw_again(connection, same[start : start + _AT_ONCE], now)

    in_one_go(database, do)


def _tell_blind(connection: Connection, account: str, region: str, now: datetime) -> None:
    rows = networks.blind(connection, account, region, _BLIND, now)
    told = {"scanType": "NETWORK", "statusCode": _BLIND.code, "reason": _BLIND.reason}
    write_events(
        connection,
        (
            Event(account=account, region=region, kind="coverage", resource_id=row.id, at=now, payload=told)
            for row in rows
        ),
    )
