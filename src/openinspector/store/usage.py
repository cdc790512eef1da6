"""What accounts used, and their free trials.

Hours are those in which the database says that a resource is covered: a period begins and ends with the status in
`coverage` (triggers see to it, see migrations/versions/revision_0002.sql), whoever writes that, and in the same
transaction. `count_hours` moves what has passed of the periods into records of a day each; how often it runs, twice or
not for weeks, makes no difference to what comes out, and what isn't counted yet is added when somebody asks. So a
resource that was covered when the service went down counts until the service learns that it no longer is.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, cast, get_args

from msgspec import Struct
from sqlalchemy import Connection, select, text

from openinspector.model.usage import DAYS, TRIAL_TYPES, Usage, UsageType
from openinspector.store.account_tables import account_scan_type

_TYPES: Final = frozenset(get_args(UsageType))


class Trial(Struct, frozen=True, kw_only=True):
    """The free trial of a kind of scan; it runs on where scanning is switched off."""

    scan_type: str
    start: datetime
    end: datetime


class Counted(Struct, frozen=True, kw_only=True):
    """How many periods were counted, and the last of them."""

    periods: int
    last: int


def usage_of(
    connection: Connection, region: str, accounts: Collection[str], now: datetime, days: int = DAYS
) -> dict[str, tuple[Usage, ...]]:
    """What each account used in the last `days` days, today (UTC) included, by type; () for none."""
    today = now.astimezone(UTC).date()
    first = today - timedelta(days=days - 1)
    asked = {
        "region": region,
        "accounts": list(accounts),
        "first": first,
        "today": today,
        "now": now,
        "oldest": datetime.combine(first, time(), UTC),
        "types": list(TRIAL_TYPES),
        "trials": list(TRIAL_TYPES.values()),
    }
    found: dict[str, tuple[Usage, ...]] = dict.fromkeys(accounts, ())
    for row in connection.execute(_USED, asked):
        if row.type in _TYPES:
            found[row.account] += (
                Usage(
                    type=cast("UsageType", row.type),
                    total=row.total,
                    days=(today - row.since).days + 1,
                    free=row.free,
                    running=row.running,
                ),
            )
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


def accounts_of(connection: Connection, region: str) -> list[str]:
    """The accounts that may have used something, in their order."""
    return list(connection.execute(_ACCOUNTS, {"region": region}).scalars())


def count_scan(
    connection: Connection, account: str, region: str, kind: UsageType, resource_id: int, now: datetime
) -> None:
    """One more scan of a resource; in the transaction that ends it."""
    day = now.astimezone(UTC).date()
    values = {"account": account, "region": region, "type": kind, "day": day, "resource": resource_id}
    connection.execute(_COUNT_SCAN, values)


def count_hours(connection: Connection, now: datetime, *, after: int, most: int, days: int) -> Counted:
    """Counts what has passed of at most `most` periods with higher ids than `after`.

    `days` is how far back it goes at most. Periods that are ending in another transaction are left for the next time.
    """
    oldest = now - timedelta(days=days)
    row = connection.execute(_COUNT, {"now": now, "after": after, "most": most, "oldest": oldest}).one()
    return Counted(periods=row.periods, last=row.last)


def forget_usage(connection: Connection, before: date, most: int) -> int:
    """Forgets at most so many records of days before `before`; how many."""
    return connection.execute(_FORGET, {"before": before, "most": most}).rowcount


# The hours of a period on each day (UTC) from `since` to `until`.
_HOURS: Final = (
    " CROSS JOIN LATERAL generate_series("
    "date_trunc('day', since AT TIME ZONE 'UTC'), until AT TIME ZONE 'UTC', interval '1 day') AS midnight"
    " CROSS JOIN LATERAL (SELECT CAST(midnight AS date) AS day, CAST(extract(epoch FROM"
    " least(until AT TIME ZONE 'UTC', midnight + interval '1 day') - greatest(since AT TIME ZONE 'UTC', midnight))"
    " AS double precision) / 3600 AS hours) AS each"
)
_UNTIL: Final = "least(coalesce(ended_at, :now), :now)"
_COUNT: Final = text(
    "WITH due AS MATERIALIZED (SELECT id, account, region, resource_id, type, ended_at,"  # noqa: S608  of our own words
    f" greatest(counted_at, :oldest) AS since, greatest(counted_at, {_UNTIL}) AS until FROM covered_period"
    " WHERE id > :after AND (counted_at < :now OR ended_at <= :now) ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED),"
    " counted AS (INSERT INTO usage_record AS u (account, region, type, day, resource_id, quantity)"
    " SELECT account, region, type, day, resource_id, sum(hours)"
    f" FROM (SELECT * FROM due WHERE since < until) AS passed{_HOURS} WHERE hours > 0"
    " GROUP BY account, region, type, day, resource_id ORDER BY account, region, type, day, resource_id"
    " ON CONFLICT (account, region, type, day, resource_id) DO UPDATE SET quantity = u.quantity + excluded.quantity),"
    " ended AS (DELETE FROM covered_period AS p USING due WHERE p.id = due.id AND due.ended_at <= :now),"
    " moved AS (UPDATE covered_period AS p SET counted_at = due.until FROM due WHERE p.id = due.id"
    " AND (due.ended_at IS NULL OR due.ended_at > :now))"
    " SELECT count(*) AS periods, coalesce(max(id), 0) AS last FROM due"
)
# A day is free where the trial covers its beginning, or begins on it.
_USED: Final = text(
    "WITH uncounted AS MATERIALIZED (SELECT account, type, ended_at IS NULL AS is_running,"  # noqa: S608  of our own words
    f" greatest(counted_at, :oldest) AS since, {_UNTIL} AS until FROM covered_period"
    " WHERE region = :region AND account = ANY(CAST(:accounts AS text[]))),"
    " used AS (SELECT account, type, day, sum(quantity) AS quantity FROM usage_record WHERE region = :region"
    " AND account = ANY(CAST(:accounts AS text[])) AND day BETWEEN :first AND :today GROUP BY account, type, day"
    " UNION ALL SELECT account, type, day, sum(hours) FROM (SELECT * FROM uncounted WHERE since < until) AS passed"
    f"{_HOURS} GROUP BY account, type, day),"
    " running AS (SELECT account, type, count(*) AS periods FROM uncounted WHERE is_running GROUP BY account, type),"
    " trial AS (SELECT k.account, t.type, CAST(k.trial_start AT TIME ZONE 'UTC' AS date) AS first_day,"
    " k.trial_end AT TIME ZONE 'UTC' AS ends FROM account_scan_type AS k"
    " JOIN unnest(CAST(:types AS text[]), CAST(:trials AS text[])) AS t (type, scan_type) USING (scan_type)"
    " WHERE k.region = :region AND k.account = ANY(CAST(:accounts AS text[])))"
    " SELECT account, type, sum(quantity) AS total, min(day) AS since, coalesce(max(periods), 0) AS running,"
    " coalesce(sum(quantity) FILTER (WHERE day >= first_day AND day < ends), 0) AS free"
    " FROM used LEFT JOIN running USING (account, type) LEFT JOIN trial USING (account, type)"
    " GROUP BY account, type ORDER BY account, type"
)
_ACCOUNTS: Final = text(
    "SELECT account FROM account WHERE region = :region UNION SELECT account FROM resource WHERE region = :region"
    " ORDER BY account"
)
_COUNT_SCAN: Final = text(
    "INSERT INTO usage_record AS u (account, region, type, day, resource_id, quantity)"
    " VALUES (:account, :region, :type, :day, :resource, 1) ON CONFLICT (account, region, type, day, resource_id)"
    " DO UPDATE SET quantity = u.quantity + 1"
)
_FORGET: Final = text(
    "DELETE FROM usage_record WHERE ctid = ANY(ARRAY("
    "SELECT ctid FROM usage_record WHERE day < :before ORDER BY day LIMIT :most FOR UPDATE SKIP LOCKED))"
)
