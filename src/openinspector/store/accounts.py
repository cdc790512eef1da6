"""Accounts in a region: what is switched on, how it is set, and the keys of their own that they encrypt with.

Every function works on the accounts that its transaction may see (`Database.transaction`), many at a time.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, any_, case, delete, exists, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert

from openinspector.model.account import (
    RESOURCE_SCAN_TYPES,
    Account,
    Configuration,
    DeepInspection,
    ResourceScanType,
    Section,
    Status,
)
from openinspector.model.resource import AccountId
from openinspector.store.account_tables import account, account_scan_type, encryption_key
from openinspector.store.tables import WORDS

FREE_TRIAL: Final = timedelta(days=15)  # of each kind of scan, from when it is first on

Sections = Mapping[Section, msgspec.Struct]

# One statement for any number of accounts: the scope of a large organization costs a millisecond each time.
_ADD: Final = text(
    "INSERT INTO account (account, region, created_at, updated_at)"
    " SELECT id, :region, :now, :now FROM unnest(CAST(:ids AS text[])) id ORDER BY id ON CONFLICT DO NOTHING"
)
_ENABLE: Final = text(
    "INSERT INTO account_scan_type AS t"
    " (account, region, scan_type, status, enabled_at, trial_start, trial_end, due_at, updated_at)"
    " SELECT id, :region, type, 'ENABLED', :now, :now, :trial_end, :now, :now"
    " FROM unnest(CAST(:ids AS text[])) id, unnest(CAST(:types AS text[])) type ORDER BY id, type"
    " ON CONFLICT (account, region, scan_type) DO UPDATE"  # a trial is had once
    " SET status = excluded.status, enabled_at = excluded.enabled_at, disabled_at = NULL, due_at = excluded.due_at,"
    " trial_start = coalesce(t.trial_start, excluded.trial_start),"
    " trial_end = CASE WHEN t.trial_start IS NULL THEN excluded.trial_end ELSE t.trial_end END,"
    " updated_at = excluded.updated_at WHERE t.status <> 'ENABLED'"
)
# What was never on is off from then on, too: nobody's report switches it on.
_DISABLE: Final = text(
    "INSERT INTO account_scan_type AS t (account, region, scan_type, status, disabled_at, due_at, updated_at)"
    " SELECT id, :region, type, 'DISABLED', :now, :now, :now"
    " FROM unnest(CAST(:ids AS text[])) id, unnest(CAST(:types AS text[])) type ORDER BY id, type"
    " ON CONFLICT (account, region, scan_type) DO UPDATE"
    " SET status = excluded.status, disabled_at = excluded.disabled_at, due_at = excluded.due_at,"
    " updated_at = excluded.updated_at WHERE t.status = 'ENABLED'"
)
_STANDING: Final = text(
    "SELECT (SELECT status FROM account_scan_type"
    " WHERE account = :account AND region = :region AND scan_type = :type) AS status,"
    " EXISTS (SELECT FROM account WHERE account = :account AND region = :region AND suspended_at IS NOT NULL)"
    " AS is_suspended"
)


def among(column: ColumnElement[str], ids: Collection[str]) -> ColumnElement[bool]:
    """Whether a column holds one of many."""
    return column == any_(literal(list(ids), WORDS))


def read_accounts(connection: Connection, region: str, ids: Collection[str]) -> dict[str, Account]:
    """Accounts by id; each that was asked for, also those that nothing is known of."""
    on: dict[str, set[ResourceScanType]] = {each: set() for each in ids}
    states = select(account_scan_type.c.account, account_scan_type.c.scan_type).where(
        among(account_scan_type.c.account, ids),
        account_scan_type.c.region == region,
        account_scan_type.c.status == "ENABLED",
    )
    for row in connection.execute(states):
        on[row.account].add(row.scan_type)
    settings = select(account).where(among(account.c.account, ids), account.c.region == region)
    known = {row.account: row for row in connection.execute(settings)}
    return {each: _account(each, on[each], known.get(each)) for each in on}


def read_account(connection: Connection, region: str, account_id: str) -> Account:
    """One account."""
    return read_accounts(connection, region, [account_id])[account_id]


def enable(
    connection: Connection,
    region: str,
    ids: Collection[str],
    types: Collection[ResourceScanType],
    now: datetime,
    trial: timedelta = FREE_TRIAL,
) -> None:
    """Switches kinds of scans on; those that are on already stay as they are. One that never was begins its trial."""
    _touch(connection, region, ids, now)
    connection.execute(
        _ENABLE,
        {"ids": list(ids), "region": region, "types": list(types), "now": now, "trial_end": now + trial},
    )
    _note_status(connection, region, ids)


def disable(
    connection: Connection, region: str, ids: Collection[str], types: Collection[ResourceScanType], now: datetime
) -> None:
    """Switches kinds of scans off; those that are off already stay as they are."""
    _touch(connection, region, ids, now)
    connection.execute(_DISABLE, {"ids": list(ids), "region": region, "types": list(types), "now": now})
    _note_status(connection, region, ids)


def admit(
    connection: Connection,
    region: str,
    account_id: str,
    scan_type: ResourceScanType,
    now: datetime,
    trial: timedelta = FREE_TRIAL,
) -> Status:
    """Whether a kind of scan is on. One that nobody has ever switched, on or off, is switched on by that."""
    key = {"account": account_id, "region": region, "type": scan_type}
    row = connection.execute(_STANDING, key).one()
    if row.status is None and not row.is_suspended:
        _touch(connection, region, [account_id], now)
        row = connection.execute(_STANDING, key).one()  # as it is now that nobody else can switch it
        if row.status is None and not row.is_suspended:
            enable(connection, region, [account_id], [scan_type], now, trial)
            return "ENABLED"
    if row.is_suspended:
        return "SUSPENDED"
    return "ENABLED" if row.status == "ENABLED" else "DISABLED"


def lock(connection: Connection, region: str, ids: Collection[str], now: datetime) -> dict[str, Account]:
    """Accounts as they are and, for the rest of the transaction, stay."""
    _touch(connection, region, ids, now)
    return read_accounts(connection, region, ids)


def configure(connection: Connection, region: str, ids: Collection[str], sections: Sections, now: datetime) -> None:
    """Replaces sections of the configuration of each account."""
    if sections:
        _merge(connection, region, ids, "configuration", msgspec.to_builtins(sections), now)


def set_deep_inspection(
    connection: Connection,
    region: str,
    ids: Collection[str],
    now: datetime,
    *,
    is_active: bool | None = None,
    paths: Sequence[str] | None = None,
    organization_paths: Sequence[str] | None = None,
) -> None:
    """Changes what is given of the deep inspection of each account."""
    given = {"is_active": is_active, "paths": paths, "organization_paths": organization_paths}
    changes = {name: value for name, value in given.items() if value is not None}
    if changes:
        _merge(connection, region, ids, "deep_inspection", changes, now)


def read_encryption_key(
    connection: Connection, region: str, account_id: str, scan_type: str, resource_type: str
) -> str:
    """The ARN of an account's own key; "" where it has none."""
    found = connection.execute(
        select(encryption_key.c.kms_key_id).where(*_key_is(region, account_id, scan_type, resource_type))
    ).scalar_one_or_none()
    return found or ""


def set_encryption_key(
    connection: Connection,
    region: str,
    account_id: str,
    scan_type: str,
    resource_type: str,
    key: str,
    now: datetime,
) -> None:
    """Gives an account a key of its own."""
    statement = insert(encryption_key).values(
        account=account_id,
        region=region,
        scan_type=scan_type,
        resource_type=resource_type,
        kms_key_id=key,
        updated_at=now,
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["account", "region", "scan_type", "resource_type"],
            set_={"kms_key_id": key, "updated_at": now},
        )
    )


def forget_encryption_key(
    connection: Connection, region: str, account_id: str, scan_type: str, resource_type: str
) -> bool:
    """Takes an account's own key away; False where there is none."""
    return bool(
        connection.execute(
            delete(encryption_key).where(*_key_is(region, account_id, scan_type, resource_type))
        ).rowcount
    )


def _key_is(region: str, account_id: str, scan_type: str, resource_type: str) -> tuple[Any, ...]:
    return (
        encryption_key.c.account == account_id,
        encryption_key.c.region == region,
        encryption_key.c.scan_type == scan_type,
        encryption_key.c.resource_type == resource_type,
    )


def _account(account_id: str, on: Collection[ResourceScanType], row: Any) -> Account:
    known = frozenset(each for each in on if each in RESOURCE_SCAN_TYPES)
    if row is None:
        return Account(id=AccountId(account_id), enabled=known)
    return Account(
        id=AccountId(account_id),
        enabled=known,
        is_suspended=row.suspended_at is not None,
        configuration=msgspec.convert(row.configuration, Configuration),
        deep_inspection=msgspec.convert(row.deep_inspection, DeepInspection),
    )


def _touch(connection: Connection, region: str, ids: Collection[str], now: datetime) -> None:
    """Sees to it that each account has a row, and locks it: in one order, so that nobody waits for each other."""
    connection.execute(_ADD, {"ids": list(ids), "region": region, "now": now})
    connection.execute(
        select(account.c.account)
        .where(among(account.c.account, ids), account.c.region == region)
        .order_by(account.c.account)
        .with_for_update()
    )


def _merge(
    connection: Connection, region: str, ids: Collection[str], column: str, changes: Mapping[str, Any], now: datetime
) -> None:
    _touch(connection, region, ids, now)
    connection.execute(
        update(account)
        .where(among(account.c.account, ids), account.c.region == region)
        .values({column: account.c[column].concat(changes), "updated_at": now})
    )


def _note_status(connection: Connection, region: str, ids: Collection[str]) -> None:
    """The state of the account as a whole follows from its parts."""
    has_any = exists().where(
        account_scan_type.c.account == account.c.account,
        account_scan_type.c.region == account.c.region,
        account_scan_type.c.status == "ENABLED",
    )
    connection.execute(
        update(account)
        .where(among(account.c.account, ids), account.c.region == region)
        .values(status=case((has_any, "ENABLED"), else_="DISABLED"))
    )
