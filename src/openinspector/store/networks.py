"""The networks of accounts: how they were read last, what follows from them, and when they are due to be read again.

A reading takes a number when it starts, and whatever it writes it writes under that number: one that started later
comes first. Each function belongs in a transaction of the system.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Connection, text

from openinspector.model.coverage import ScanStatus
from openinspector.model.resource import Resource
from openinspector.store.bulk import as_json
from openinspector.store.estate import resource_of

Status = Literal["whole", "partial", "failed"]


class Standing(Struct, frozen=True, kw_only=True):
    """An instance as it stood before: `status` is how its network was seen, `findings` are its open ones of that kind.

    They are told by key and by the digest of what was observed last.
    """

    id: int
    resource: Resource
    state: str
    status: ScanStatus | None
    findings: dict[str, UUID | None]


def start_reading(connection: Connection, account: str, region: str) -> int:
    """The number of a reading that starts now."""
    return int(connection.execute(_START, {"account": account, "region": region}).scalar_one())


def is_newest(connection: Connection, account: str, region: str, number: int) -> bool:
    """Whether no later reading has started; none does until the end of the transaction."""
    found = connection.execute(_NUMBER, {"account": account, "region": region}).scalar_one_or_none()
    return found == number


def end_reading(
    connection: Connection,
    account: str,
    region: str,
    number: int,
    *,
    status: Status,
    problems: Collection[str],
    instances: int,
    now: datetime,
) -> bool:
    """Writes how a reading went; False where a later one has started. What became due meanwhile stays due."""
    values = {"account": account, "region": region, "number": number, "status": status, "instances": instances}
    told = {**values, "problems": as_json(list(problems)), "now": now}
    return connection.execute(_END, told).rowcount > 0


def standing(connection: Connection, account: str, region: str) -> dict[str, Standing]:
    """The instances of an account that are known, by Inspector's ids."""
    rows = connection.execute(_STANDING, {"account": account, "region": region}).all()
    return {
        row.external_id: Standing(
            id=row.id,
            resource=resource_of(row),
            state=row.state,
            status=ScanStatus(code=row.status, reason=row.reason) if row.status is not None else None,
            findings=dict(zip(row.keys, row.digests, strict=True)),
        )
        for row in rows
    }


def saw_again(connection: Connection, ids: Collection[int], now: datetime) -> None:
    """Instances were looked at, and nothing about them has changed."""
    connection.execute(_SAW, {"ids": list(ids), "now": now})


def blind(connection: Connection, account: str, region: str, status: ScanStatus, now: datetime) -> list[Any]:
    """Those instances whose network was seen can't be seen now; the rows of those that could until now."""
    values = {"account": account, "region": region, "code": status.code, "reason": status.reason, "now": now}
    return list(connection.execute(_BLIND, values).all())


def make_due(connection: Connection, account: str, region: str, now: datetime, reason: str) -> None:
    """Something about a network has changed: it is to be read again."""
    connection.execute(_DUE, {"account": account, "region": region, "now": now, "reason": reason})


def claim_due(
    connection: Connection, accounts: Mapping[str, datetime], region: str, now: datetime, again: datetime
) -> str | None:
    """The account whose network is to be read next, of those that are read at all: due, or last read before its time.

    It is due `again` then, should whoever asked not come to it. `accounts` says until when a reading is too old.
    """
    values = {"accounts": list(accounts), "before": list(accounts.values()), "region": region}
    claimed = connection.execute(_CLAIM, {**values, "now": now, "again": again}).scalar_one_or_none()
    return None if claimed is None else str(claimed)


_START: Final = text(
    "INSERT INTO network AS n (account, region, number) VALUES (:account, :region, 1)"
    " ON CONFLICT (account, region) DO UPDATE SET number = n.number + 1 RETURNING number"
)
_NUMBER: Final = text("SELECT number FROM network WHERE account = :account AND region = :region FOR SHARE")
# A claim is a time to come; what was made due while the network was being read is a time that has been.
_END: Final = text(
    "UPDATE network SET status = :status, problems = CAST(:problems AS jsonb), instances = :instances, read_at = :now,"
    " due_at = CASE WHEN due_at <= :now THEN due_at END, due_reason = CASE WHEN due_at <= :now THEN due_reason ELSE ''"
    " END WHERE account = :account AND region = :region AND number = :number"
)
_STANDING: Final = text(
    "SELECT r.*, c.status, c.reason, f.keys, f.digests FROM resource r"
    " LEFT JOIN coverage c ON c.resource_id = r.id AND c.scan_type = 'NETWORK' AND c.last_scanned_at IS NOT NULL"
    " LEFT JOIN LATERAL (SELECT coalesce(array_agg(o.key ORDER BY o.key), '{}') AS keys,"
    " coalesce(array_agg(o.digest ORDER BY o.key), '{}') AS digests FROM finding o WHERE o.resource_id = r.id"
    " AND o.type = 'NETWORK_REACHABILITY' AND o.status <> 'CLOSED') AS f ON true"
    " WHERE r.account = :account AND r.region = :region AND r.type = 'AWS_EC2_INSTANCE' AND r.gone_at IS NULL"
)
_SAW: Final = text(
    "UPDATE coverage SET last_scanned_at = :now, due_at = NULL, due_reason = ''"
    " WHERE resource_id = ANY (:ids) AND scan_type = 'NETWORK'"
)
_BLIND: Final = text(
    "UPDATE coverage c SET status = :code, reason = :reason, updated_at = :now FROM resource r"
    " WHERE r.id = c.resource_id AND c.account = :account AND c.region = :region AND c.scan_type = 'NETWORK'"
    " AND c.status = 'ACTIVE' AND r.state = 'running' RETURNING r.*"
)
_DUE: Final = text(
    "INSERT INTO network AS n (account, region, due_at, due_reason) VALUES (:account, :region, :now, :reason)"
    " ON CONFLICT (account, region) DO UPDATE SET due_at = LEAST(n.due_at, excluded.due_at), due_reason = :reason"
)
_CLAIM: Final = text(
    "INSERT INTO network AS n (account, region, due_at) SELECT a.account, :region, :again"
    " FROM unnest(CAST(:accounts AS text[]), CAST(:before AS timestamptz[])) AS a (account, before)"
    " LEFT JOIN network k ON k.account = a.account AND k.region = :region"
    " WHERE CASE WHEN k.due_at IS NOT NULL THEN k.due_at <= :now ELSE k.read_at IS NULL OR k.read_at <= a.before END"
    " ORDER BY k.due_at NULLS LAST, k.read_at NULLS FIRST, a.account LIMIT 1"
    " ON CONFLICT (account, region) DO UPDATE SET due_at = excluded.due_at WHERE n.due_at IS NULL OR n.due_at <= :now"
    " RETURNING account"
)
