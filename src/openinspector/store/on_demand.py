"""Scans of machine images that somebody asked for."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, or_, select

from openinspector.store.account_tables import on_demand_scan
from openinspector.store.listing import page_of

KEPT: Final = timedelta(days=30)  # after a scan has ended

_columns: Final = on_demand_scan.c


def scan(connection: Connection, account: str, region: str, key: str, resource: str, now: datetime) -> Row[Any] | None:
    """A scan of an image; None where the account has none of that id."""
    mine = _of(account, region, resource, now).where(_columns.id == key)
    return connection.execute(mine).one_or_none()


def scans(
    connection: Connection,
    account: str,
    region: str,
    resource: str,
    now: datetime,
    *,
    after: Sequence[Any] | None,
    size: int,
) -> Sequence[Row[Any]]:
    """A page of an image's scans and one more, newest first."""
    rows = _of(account, region, resource, now)
    return connection.execute(page_of(rows, (_columns.created_at, _columns.id), after, size, order="DESC")).all()


def _of(account: str, region: str, resource: str, now: datetime) -> Select[Any]:
    """An image's scans that aren't forgotten yet."""
    return select(on_demand_scan).where(
        _columns.account == account,
        _columns.region == region,
        _columns.resource == resource,
        or_(_columns.completed_at.is_(None), _columns.completed_at > now - KEPT),
    )
