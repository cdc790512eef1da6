"""All results of a CIS run, for a report of it: by account, instance and check a page at a time, or by check.

What is told by check and by instance comes through a cursor: a few hundred rows are held, and the transaction goes on
until the last was taken. Each function sees what its transaction sees, of the accounts that it is given.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, cast, distinct, exists, func, select, true, tuple_

from openinspector.store.account_tables import cis_result, cis_scan, cis_target
from openinspector.store.tables import WORD

MOST_BENCHMARKS: Final = 20  # that `benchmarks_of_scan` tells

_HELD: Final = 500  # rows of a cursor


def is_running(connection: Connection, region: str, scan_id: str) -> bool:
    """Whether a run goes on: as it says itself or, where that isn't seen, as those of its instances that are."""
    run = select(cis_scan.c.status).where(cis_scan.c.id == scan_id, cis_scan.c.region == region)
    status = connection.execute(run).scalar_one_or_none()
    if status is not None:
        return bool(status == "IN_PROGRESS")
    going = exists().where(cis_target.c.scan_id == scan_id, cis_target.c.region == region, cis_target.c.status == "")
    return bool(connection.execute(select(going)).scalar_one())


def accounts_of_scan(connection: Connection, region: str, scan_id: str) -> list[str]:
    """The accounts that have instances in a run, of those that the transaction sees."""
    mine = select(cis_target.c.account).distinct().where(cis_target.c.scan_id == scan_id, cis_target.c.region == region)
    return sorted(connection.execute(mine).scalars())


def results_of_scan(
    connection: Connection, account: str, region: str, scan_id: str, size: int, after: tuple[str, str] | None = None
) -> Sequence[Row[Any]]:
    """A page of an account's results in a run, after one's instance and check."""
    columns = cis_result.c
    rows = select(cis_result).where(columns.account == account, columns.region == region, columns.scan_id == scan_id)
    if after is not None:
        rows = rows.where(tuple_(columns.resource, columns.check_id) > tuple_(*after))
    return connection.execute(rows.order_by(columns.resource, columns.check_id).limit(size)).all()


def run_of_scan(connection: Connection, region: str, scan_id: str) -> Row[Any] | None:
    """The run itself; None where only instances of it are seen, as by a member."""
    run = select(cis_scan).where(cis_scan.c.id == scan_id, cis_scan.c.region == region)
    return connection.execute(run).one_or_none()


def totals_of_scan(connection: Connection, accounts: Sequence[str], region: str, scan_id: str) -> Row[Any]:
    """How many results, instances and checks there are, the outcomes, and since when (`first`, NULL for no result)."""
    columns = cis_result.c
    return connection.execute(
        select(
            func.count().label("total"),
            func.count(distinct(tuple_(columns.account, columns.resource))).label("instances"),
            func.count(distinct(tuple_(columns.check_id, columns.platform))).label("checks"),
            func.min(columns.created_at).label("first"),
            *_outcomes(),
        ).where(*_of_scan(cis_result.c, accounts, region, scan_id))
    ).one()


def benchmarks_of_scan(
    connection: Connection, accounts: Sequence[str], region: str, scan_id: str
) -> list[tuple[str, str]]:
    """The profile and version of each benchmark that instances say they were checked against, "" for not told."""
    told = (_stop("benchmarkProfile"), _stop("benchmarkVersion"))
    rows = select(*told).distinct().where(*_of_scan(cis_target.c, accounts, region, scan_id))
    return [row._tuple() for row in connection.execute(rows.order_by(*told).limit(MOST_BENCHMARKS))]


def checks_of_scan(connection: Connection, accounts: Sequence[str], region: str, scan_id: str) -> Iterator[Row[Any]]:
    """Each check on each platform with how often it passed, failed, was skipped."""
    columns = cis_result.c
    title = func.coalesce(func.max(cast(columns.document["title"].astext, WORD)), "")
    rows = select(
        columns.check_id,
        columns.platform,
        func.max(columns.level).label("level"),
        title.label("title"),
        *_outcomes(),
    ).where(*_of_scan(columns, accounts, region, scan_id))
    keys = (columns.check_id, columns.platform)
    return _walked(connection, rows.group_by(*keys).order_by(*keys))


def targets_of_scan(connection: Connection, accounts: Sequence[str], region: str, scan_id: str) -> Iterator[Row[Any]]:
    """Each instance with its outcomes and the benchmark that it was checked against."""
    results, columns = cis_result.c, cis_target.c
    # Looked up for each instance by the primary key: a join could be planned as a walk of all results for each.
    counted = (
        select(*_outcomes())
        .where(
            results.account == columns.account,
            results.region == columns.region,
            results.scan_id == columns.scan_id,
            results.resource == columns.resource,
        )
        .lateral()
    )
    rows = (
        select(
            *(columns[name] for name in ("account", "resource", "platform", "status", "reason")),
            _stop("benchmarkProfile").label("profile"),
            _stop("benchmarkVersion").label("version"),
            counted,
        )
        .select_from(cis_target.join(counted, true()))
        .where(*_of_scan(columns, accounts, region, scan_id))
    )
    return _walked(connection, rows.order_by(columns.account, columns.resource))


def results_by_check(connection: Connection, accounts: Sequence[str], region: str, scan_id: str) -> Iterator[Row[Any]]:
    """Every result, those of a check on a platform one after the other, by account and instance."""
    columns = cis_result.c
    rows = select(cis_result).where(*_of_scan(columns, accounts, region, scan_id))
    return _walked(connection, rows.order_by(columns.check_id, columns.platform, columns.account, columns.resource))


def _of_scan(columns: Any, accounts: Sequence[str], region: str, scan_id: str) -> tuple[ColumnElement[bool], ...]:
    return columns.account.in_(accounts), columns.region == region, columns.scan_id == scan_id


def _outcomes() -> list[ColumnElement[int]]:
    names = ("passed", "failed", "skipped")
    return [func.count().filter(cis_result.c.status == name.upper()).label(name) for name in names]


def _stop(name: str) -> ColumnElement[str]:
    """What an instance said when its session stopped."""
    return func.coalesce(cis_target.c.document["stop"][name].astext, "")


def _walked(connection: Connection, rows: Select[Any]) -> Iterator[Row[Any]]:
    with connection.execute(rows.execution_options(yield_per=_HELD)) as result:
        yield from result
