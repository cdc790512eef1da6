"""CIS scan configurations whose time has come, and the instances that a run of one is about.

Each function belongs in a transaction of the system: a run may be about instances of several accounts.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select, text, update

from openinspector.model.cis import benchmark_of
from openinspector.store.account_tables import cis_scan_configuration
from openinspector.store.cis import CisTarget

SELF: Final = "SELF"  # the account of the configuration
ALL: Final = "ALL_ACCOUNTS"  # that account and all of its members

_columns: Final = cis_scan_configuration.c


def next_due(connection: Connection, region: str, now: datetime) -> Row[Any] | None:
    """The configuration that has been due for longest, locked; None where none is that nobody else has."""
    due = select(cis_scan_configuration).where(_columns.region == region, _columns.due_at <= now)
    return connection.execute(due.order_by(_columns.due_at).limit(1).with_for_update(skip_locked=True)).one_or_none()


def move_due(connection: Connection, configuration: Row[Any], due_at: datetime | None) -> None:
    """Notes when a configuration is due again; None for never."""
    connection.execute(
        update(cis_scan_configuration)
        .where(
            _columns.account == configuration.account,
            _columns.region == configuration.region,
            _columns.id == configuration.id,
        )
        .values(due_at=due_at)
    )


def targets_of(connection: Connection, configuration: Row[Any]) -> list[CisTarget]:
    """The running instances that a configuration is about, of accounts in which instances are scanned.

    Those are meant that have one of the tags. There are accounts that the configuration names and that are no members
    any more: none of theirs. Where no check can be made it says why: what runs there has no benchmark, or is not
    managed by Systems Manager.
    """
    targets: Mapping[str, Any] = configuration.document["targets"]
    pairs = [(key, value) for key, values in targets["targetResourceTags"].items() for value in values]
    asked: Sequence[str] = targets["accountIds"]
    values = {
        "account": configuration.account,
        "region": configuration.region,
        "itself": bool({SELF, ALL, configuration.account} & set(asked)),
        "everybody": ALL in asked,
        "others": list(asked),
        "keys": [key for key, _ in pairs],
        "values": [value for _, value in pairs],
    }
    return [
        CisTarget(
            account=row.account,
            resource=row.external_id,
            platform=row.platform,
            tags={key: [value] for key, value in row.tags.items()},
            refusal=_refusal(row),
        )
        for row in connection.execute(_TARGETS, values)
    ]


def _refusal(row: Row[Any]) -> str:
    if row.is_unmanaged:
        return "SSM_UNMANAGED"
    return "UNSUPPORTED_OS" if row.platform and not benchmark_of(row.platform) else ""


_TARGETS: Final = text(
    "SELECT r.account, r.external_id, r.platform, r.tags, EXISTS (SELECT FROM coverage c WHERE c.resource_id = r.id"
    " AND c.reason = 'UNMANAGED_EC2_INSTANCE') AS is_unmanaged FROM resource r"
    " JOIN account_scan_type t ON t.account = r.account AND t.region = r.region AND t.scan_type = 'EC2'"
    " AND t.status = 'ENABLED' LEFT JOIN account a ON a.account = r.account AND a.region = r.region"
    " WHERE r.region = :region AND r.type = 'AWS_EC2_INSTANCE' AND r.state = 'running' AND r.gone_at IS NULL"
    " AND a.suspended_at IS NULL AND (r.account = :account AND :itself OR r.account IN ("
    "SELECT m.member FROM member m WHERE m.account = :account AND m.region = :region AND m.status = 'ENABLED'"
    " AND (:everybody OR m.member = ANY (:others))))"
    " AND EXISTS (SELECT FROM unnest(CAST(:keys AS text[]), CAST(:values AS text[])) AS w (key, value)"
    " WHERE r.tags ->> w.key = w.value) ORDER BY r.account, r.external_id"
)
