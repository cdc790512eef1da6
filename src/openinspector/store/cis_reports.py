"""All results of a CIS run, for a report of it: by account, instance and check, a page at a time."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, exists, select, tuple_

from openinspector.store.account_tables import cis_result, cis_scan, cis_target


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
