"""What accounts used, and their free trials."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any, Final, cast, get_args

from msgspec import Struct
from sqlalchemy import Connection, func, select

from openinspector.model.usage import DAYS, Usage, UsageType
from openinspector.store.account_tables import account_scan_type, usage_record

_TYPES: Final = frozenset(get_args(UsageType))


class Trial(Struct, frozen=True, kw_only=True):
    """The free trial of a kind of scan; it runs on where scanning is switched off."""

    scan_type: str
    start: datetime
    end: datetime


def usage_of(
    connection: Connection, region: str, accounts: Collection[str], today: date
) -> dict[str, tuple[Usage, ...]]:
    """What each account used in the last `DAYS` days, today (UTC) included, by type; () for none."""
    first = today - timedelta(days=DAYS - 1)
    used = usage_record.c
    rows = connection.execute(
        select(used.account, used.type, func.sum(used.quantity).label("total"), func.min(used.day).label("since"))
        .where(used.region == region, used.account.in_(list(accounts)), used.day.between(first, today))
        .group_by(used.account, used.type)
        .order_by(used.account, used.type)
    )
    found: dict[str, tuple[Usage, ...]] = dict.fromkeys(accounts, ())
    for row in rows:
        if row.type in _TYPES:
            days = (today - row.since).days + 1
            found[row.account] += (Usage(type=cast("UsageType", row.type), total=float(row.total), days=days),)
    return found


def trials_of(connection: Connection, region: str, accounts: Collection[str]) -> dict[str, tuple[Trial, ...]]:
    """The free trials that each account has had or has; () for none."""
    kinds: Any = account_scan_type.c
    rows = connection.execute(
        select(kinds.account, kinds.scan_type, kinds.trial_start, kinds.trial_end)
        .where(
            kinds.region == region,
            kinds.account.in_(list(accounts)),
            kinds.trial_start.is_not(None),
            kinds.trial_end.is_not(None),
        )
        .order_by(kinds.account, kinds.scan_type)
    )
    found: dict[str, tuple[Trial, ...]] = dict.fromkeys(accounts, ())
    for row in rows:
        found[row.account] += (Trial(scan_type=row.scan_type, start=row.trial_start, end=row.trial_end),)
    return found
