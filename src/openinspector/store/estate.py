"""Resources, and how each kind of scan sees them. Each function that writes belongs in a transaction of the system.

A scan takes a number when it starts and gives it back when it ends: of two that overlap only the later one writes. The
row of a resource is locked from `enter` to the end of the transaction, so whatever changes its findings is in line.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select, text

from openinspector.errors import UsageError
from openinspector.model.coverage import ScanMode, ScanStatus, ScanType
from openinspector.model.environment import Posture, read_posture
from openinspector.model.moment import read_moment
from openinspector.model.resource import AccountId, Ec2Instance, EcrImage, LambdaFunction, Resource
from openinspector.store.bulk import as_json
from openinspector.store.tables import resource

_DETAILS: Final[Mapping[str, type[Ec2Instance] | type[EcrImage] | type[LambdaFunction]]] = {
    "AWS_EC2_INSTANCE": Ec2Instance,
    "AWS_ECR_CONTAINER_IMAGE": EcrImage,
    "AWS_LAMBDA_FUNCTION": LambdaFunction,
}


class Entered(Struct, frozen=True, kw_only=True):
    """A resource whose row is locked: its id, what was last read from it, and what else was known of it until now."""

    id: int
    platform: str
    posture: Posture | None
    inventory_id: int | None
    tags: dict[str, str]


class Seen(Struct, frozen=True, kw_only=True):
    """How a kind of scan has seen a resource until now; `status` is None before it has ended once."""

    fence: int
    status: ScanStatus | None


class LastRead(Struct, frozen=True, kw_only=True):
    """What was read last from a resource, how, and the number of the scan that started last."""

    resource: Resource
    inventory_id: int
    mode: ScanMode | None
    fence: int


def storable(told: Resource) -> Resource:
    """A resource as the database can hold it.

    Raises:
        UsageError: It is none: a field is of another type, or its details are of another kind of resource.
    """
    try:
        clean = msgspec.json.decode(as_json(told), type=Resource)
        if clean.details is not None and not isinstance(clean.details, _DETAILS.get(clean.type, ())):
            raise UsageError(f"{clean.type} {clean.id} comes with the details of something else")
        if isinstance(clean.details, EcrImage) and clean.details.pushed_at:
            read_moment(clean.details.pushed_at)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"this resource makes no sense: {error}") from error
    return clean


def resource_of(row: Any) -> Resource:
    """A resource from a row that has the columns of its table."""
    kind = _DETAILS.get(row.type)
    return Resource(
        account=AccountId(row.account),
        region=row.region,
        type=row.type,
        id=row.external_id,
        partition=row.partition,
        tags=row.tags,
        platform=row.platform,
        posture=read_posture(row.posture),
        details=msgspec.convert(row.details, kind) if kind is not None and row.details else None,
    )


def resources_by_id(connection: Connection, ids: Collection[int]) -> dict[int, Resource]:
    """Those that there are, by their ids."""
    mine = select(resource).where(resource.c.id.in_(sorted(ids)))
    return {row.id: resource_of(row) for row in connection.execute(mine)} if ids else {}


def enter(connection: Connection, told: Resource, now: datetime) -> Entered:
    """Locks a resource until the end of the transaction; one that isn't known yet is added."""
    found = None
    while found is None:  # a second time where one that had long been gone was forgotten in between
        connection.execute(_ADD, {**_values(told), "now": now})
        row = connection.execute(
            _LOCK, {"account": told.account, "region": told.region, "type": told.type, "id": told.id}
        )
        found = row.one_or_none()
    return Entered(
        id=found.id,
        platform=found.platform,
        posture=read_posture(found.posture),
        inventory_id=found.inventory_id,
        tags=found.tags,
    )


def describe(
    connection: Connection, entered: Entered, told: Resource, state: str, now: datetime, inventory_id: int | None
) -> None:
    """Writes what is known of a resource that was entered."""
    gone = now if state == "terminated" else None
    moved = {"number": entered.id, "state": state, "now": now, "gone": gone, "inventory": inventory_id}
    connection.execute(_DESCRIBE, {**_values(told), **moved})


def place(connection: Connection, entered: Entered, posture: Posture) -> None:
    """Writes who can get to a resource that was entered."""
    connection.execute(_PLACE, {"resource": entered.id, "posture": posture.text})


def revive(connection: Connection, entered: Entered, now: datetime) -> None:
    """A resource that was stopped runs again: what was read of it last is looked at again."""
    connection.execute(_REVIVE, {"resource": entered.id, "now": now})


def last_read(connection: Connection, resource_id: int, kind: ScanType) -> LastRead | None:
    """What was read last from a resource that is scanned; None where that is nothing, or it isn't scanned."""
    row = connection.execute(_LAST_READ, {"resource": resource_id, "kind": kind}).one_or_none()
    if row is None:
        return None
    mode: Any = row.scan_mode or None
    return LastRead(resource=resource_of(row), inventory_id=row.inventory_id, mode=mode, fence=row.fence)


def claim_due(connection: Connection, now: datetime, again: datetime, most: int) -> list[int]:
    """Resources of which something was read and whose packages are due to be scanned, the most urgent first.

    They are due `again` at that time, should whoever asked not come to it.
    """
    return list(connection.execute(_CLAIM_DUE, {"now": now, "again": again, "most": most}).scalars())


def start_scan(connection: Connection, entered: Entered, told: Resource, kind: ScanType, now: datetime) -> int:
    """The number of a scan that starts now."""
    values = {"resource": entered.id, "kind": kind, "account": told.account, "region": told.region, "now": now}
    return int(connection.execute(_START, values).scalar_one())


def seen_so_far(connection: Connection, entered: Entered, kind: ScanType) -> Seen:
    """The number of the scan that started last, and how the last one that ended saw the resource."""
    row = connection.execute(_SEEN, {"resource": entered.id, "kind": kind}).one_or_none()
    if row is None:
        return Seen(fence=0, status=None)
    status = ScanStatus(code=row.status, reason=row.reason) if row.last_scanned_at is not None else None
    return Seen(fence=row.fence, status=status)


def end_scan(
    connection: Connection, entered: Entered, kind: ScanType, status: ScanStatus, mode: ScanMode | None, now: datetime
) -> None:
    """Writes how a scan that ends now saw a resource; it isn't due any more."""
    values = {"resource": entered.id, "kind": kind, "code": status.code, "reason": status.reason, "mode": mode or ""}
    connection.execute(_END, {**values, "now": now})


def stand(connection: Connection, entered: Entered, status: ScanStatus, now: datetime) -> None:
    """Writes how a resource stands that nobody looked at: it was stopped, or went."""
    values = {"resource": entered.id, "code": status.code, "reason": status.reason, "now": now}
    connection.execute(_STAND, values)


def _values(told: Resource) -> dict[str, Any]:
    details = msgspec.to_builtins(told.details) if told.details is not None else {}
    pushed = told.details.pushed_at if isinstance(told.details, EcrImage) else ""
    return {
        "account": told.account,
        "region": told.region,
        "type": told.type,
        "id": told.id,
        "partition": told.partition,
        "platform": told.platform,
        "tags": as_json(told.tags),
        "details": as_json({name: value for name, value in details.items() if name != "type"}),
        "pushed": read_moment(pushed) if pushed else None,
    }


_ADD: Final = text(
    "INSERT INTO resource (account, region, type, external_id, partition, platform, tags, details, pushed_at, state,"
    " first_seen_at, last_seen_at) VALUES (:account, :region, :type, :id, :partition, :platform, CAST(:tags AS jsonb),"
    " CAST(:details AS jsonb), :pushed, 'running', :now, :now)"
    " ON CONFLICT (account, region, type, external_id) DO NOTHING"
)
_LOCK: Final = text(
    "SELECT id, platform, posture, inventory_id, tags FROM resource WHERE account = :account AND region = :region"
    " AND type = :type AND external_id = :id FOR UPDATE"
)
_DESCRIBE: Final = text(
    "UPDATE resource SET partition = :partition, platform = :platform, tags = CAST(:tags AS jsonb),"
    " details = CAST(:details AS jsonb), pushed_at = :pushed, state = :state, last_seen_at = :now, gone_at = :gone,"
    " inventory_id = :inventory WHERE id = :number"
)
_PLACE: Final = text("UPDATE resource SET posture = :posture WHERE id = :resource")
_REVIVE: Final = text(
    "UPDATE coverage SET status = 'ACTIVE', reason = 'PENDING_REVIVAL_SCAN', due_at = :now, due_reason = 'running',"
    " updated_at = :now WHERE resource_id = :resource AND scan_type = 'PACKAGE' AND reason = 'EC2_INSTANCE_STOPPED'"
)
_START: Final = text(
    "INSERT INTO coverage AS c (resource_id, scan_type, account, region, status, reason, fence, updated_at)"
    " VALUES (:resource, :kind, :account, :region, 'ACTIVE', 'PENDING_INITIAL_SCAN', 1, :now)"
    " ON CONFLICT (resource_id, scan_type) DO UPDATE SET fence = c.fence + 1 RETURNING fence"
)
_LAST_READ: Final = text(
    "SELECT r.*, c.scan_mode, c.fence FROM resource r JOIN coverage c ON c.resource_id = r.id AND c.scan_type = :kind"
    " WHERE r.id = :resource AND r.inventory_id IS NOT NULL AND c.status = 'ACTIVE'"
)
_CLAIM_DUE: Final = text(
    "UPDATE coverage c SET due_at = :again FROM (SELECT d.resource_id FROM coverage d JOIN resource r"
    " ON r.id = d.resource_id WHERE d.due_at <= :now AND d.scan_type = 'PACKAGE' AND d.status = 'ACTIVE'"
    " AND r.inventory_id IS NOT NULL ORDER BY d.priority, d.due_at LIMIT :most FOR UPDATE OF d SKIP LOCKED) AS due"
    " WHERE c.resource_id = due.resource_id AND c.scan_type = 'PACKAGE' RETURNING c.resource_id"
)
_SEEN: Final = text(
    "SELECT fence, status, reason, last_scanned_at FROM coverage WHERE resource_id = :resource AND scan_type = :kind"
)
_END: Final = text(
    "UPDATE coverage SET status = :code, reason = :reason, scan_mode = :mode, last_scanned_at = :now, due_at = NULL,"
    " due_reason = '', updated_at = :now WHERE resource_id = :resource AND scan_type = :kind"
)
_STAND: Final = text(
    "UPDATE coverage SET status = :code, reason = :reason, due_at = NULL, due_reason = '', updated_at = :now"
    " WHERE resource_id = :resource AND (status, reason) IS DISTINCT FROM (:code, :reason)"
)
