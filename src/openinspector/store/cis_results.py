"""What CIS runs found: the runs, and their results by check, by instance, and one by one.

Each function sees what its transaction sees: an account's own, or an administrator's and its members'. Entries of
filters are the API's (`{comparison, value}`), a list of them by the filter's name; a sort is a name of the API's too.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import UUID

from openinspector.store.account_tables import cis_result, cis_scan, cis_target
from openinspector.store.listing import Entries, moment_holds, number_holds, page_of, tag_holds, text_holds
from openinspector.store.tables import WORD

KEPT: Final = timedelta(days=90)  # after a run has begun

Filters = Mapping[str, Entries]
_Holds = Callable[[Any, Entries], ColumnElement[bool]]

_SCAN_SORTS: Final[Mapping[str, Column[Any]]] = {
    "STATUS": cis_scan.c.status,
    "SCAN_START_DATE": cis_scan.c.scanned_at,
    "FAILED_CHECKS": cis_scan.c.failed_checks,
}


def scan_owner(connection: Connection, region: str, scan_id: str, now: datetime) -> tuple[str, str] | None:
    """The account and the owner in a run's ARN; None where neither the run nor any instance of it may be seen."""
    since = now - KEPT
    run = select(cis_scan.c.account, cis_scan.c.document["scheduledBy"].astext).where(
        cis_scan.c.id == scan_id, cis_scan.c.region == region, cis_scan.c.scanned_at > since
    )
    own = select(cis_target.c.document["scan_account"].astext, cis_target.c.document["owner_id"].astext).where(
        cis_target.c.scan_id == scan_id,
        cis_target.c.region == region,
        or_(cis_target.c.heard_at.is_(None), cis_target.c.heard_at > since),
    )
    for found in (run, own):
        row = connection.execute(found.limit(1)).one_or_none()
        if row is not None:
            return row[0], row[1]
    return None


def scans(
    connection: Connection,
    region: str,
    now: datetime,
    *,
    arn_start: str,
    filters: Filters,
    level: str = "",
    sort: str = "SCAN_START_DATE",
    order: str = "DESC",
    after: Sequence[Any] | None,
    size: int,
) -> Sequence[Row[Any]]:
    """A page of runs and one more; each row ends in its `sort`. `arn_start` is what ARNs have before the account.

    `level` is `ORGANIZATION` for the runs that an organization scheduled, `MEMBER` for those of accounts, "" for all.
    """
    columns = cis_scan.c
    scheduled_by = columns.document["scheduledBy"].astext.collate("C")
    start = func.concat(arn_start, columns.account, ":owner/", scheduled_by)
    key = scheduled_by if sort == "SCHEDULED_BY" else _SCAN_SORTS[sort]
    rows = select(cis_scan, key.label("sort"))
    rows = rows.where(columns.region == region, columns.scanned_at > now - KEPT)
    if level:
        is_organization = scheduled_by.startswith("o-")
        rows = rows.where(is_organization if level == "ORGANIZATION" else not_(is_organization))
    rows = rows.where(
        *_met(
            filters,
            scanNameFilters=(text_holds, columns.document["scanName"].astext),
            targetResourceTagFilters=(tag_holds, columns.document["targets"]["targetResourceTags"]),
            targetResourceIdFilters=(_any_target, cis_target.c.resource),
            targetAccountIdFilters=(_any_target, cis_target.c.account),
            scanStatusFilters=(text_holds, columns.status),
            scanAtFilters=(moment_holds, columns.scanned_at),
            scanConfigurationArnFilters=(
                text_holds,
                func.concat(start, "/cis-configuration/", columns.configuration_id),
            ),
            scanArnFilters=(text_holds, func.concat(start, "/cis-scan/", columns.id)),
            scheduledByFilters=(text_holds, scheduled_by),
            failedChecksFilters=(number_holds, columns.failed_checks),
        )
    )
    return connection.execute(page_of(rows, (key, columns.id), after, size, order=order)).all()


def by_check(
    connection: Connection,
    region: str,
    scan_id: str,
    *,
    filters: Filters,
    sort: str = "CHECK_ID",
    order: str = "ASC",
    after: Sequence[Any] | None,
    size: int,
) -> Sequence[Row[Any]]:
    """A page of a run's checks and one more, each with how often it failed, was skipped, passed.

    A check is told for each platform. `account` is NULL where the counts are of several accounts.
    """
    columns = cis_result.c
    grouped = (
        select(
            columns.check_id,
            columns.platform,
            func.max(columns.level).label("level"),
            *(_greatest(name) for name in ("title", "description")),
            case((func.min(columns.account) == func.max(columns.account), func.max(columns.account))).label("account"),
            *_counts(),
        )
        .where(
            columns.scan_id == scan_id,
            columns.region == region,
            *_met(filters, accountIdFilters=(text_holds, columns.account)),
        )
        .group_by(columns.check_id, columns.platform)
        .subquery()
    )
    each = grouped.c
    keys = {
        "CHECK_ID": each.check_id,
        "TITLE": each.title,
        "PLATFORM": each.platform,
        "FAILED_COUNTS": each.failed,
        "SECURITY_LEVEL": each.level,
    }
    key = keys[sort]
    rows = select(grouped, key.label("sort")).where(
        *_met(
            filters,
            checkIdFilters=(text_holds, each.check_id),
            titleFilters=(text_holds, each.title),
            platformFilters=(text_holds, each.platform),
            failedResourcesFilters=(number_holds, each.failed),
            securityLevelFilters=(text_holds, each.level),
        )
    )
    return connection.execute(page_of(rows, (key, each.check_id, each.platform), after, size, order=order)).all()


def by_resource(
    connection: Connection,
    region: str,
    scan_id: str,
    *,
    filters: Filters,
    sort: str = "RESOURCE_ID",
    order: str = "ASC",
    after: Sequence[Any] | None,
    size: int,
) -> Sequence[Row[Any]]:
    """A page of a run's instances and one more, each with its counts.

    Filters by the outcome of checks, or by checks, narrow what is counted; instances without any such are left out.
    """
    results, columns = cis_result.c, cis_target.c
    narrowing = _met(filters, statusFilters=(text_holds, results.status), checkIdFilters=(text_holds, results.check_id))
    # Looked up for each instance by the primary key: a join could be planned as a walk of all results for each.
    counted = (
        select(*_counts(), func.count().label("total"))
        .where(
            results.account == columns.account,
            results.region == columns.region,
            results.scan_id == columns.scan_id,
            results.resource == columns.resource,
            *narrowing,
        )
        .lateral()
    )
    keys = {
        "RESOURCE_ID": columns.resource,
        "FAILED_COUNTS": counted.c.failed,
        "ACCOUNT_ID": columns.account,
        "PLATFORM": columns.platform,
        "TARGET_STATUS": columns.status,
        "TARGET_STATUS_REASON": columns.reason,
    }
    key = keys[sort]
    rows = (
        select(cis_target, counted, key.label("sort"))
        .select_from(cis_target.join(counted, true()))
        .where(
            columns.scan_id == scan_id,
            columns.region == region,
            *_met(
                filters,
                accountIdFilters=(text_holds, columns.account),
                targetResourceIdFilters=(text_holds, columns.resource),
                targetResourceTagFilters=(tag_holds, columns.tags),
                platformFilters=(text_holds, columns.platform),
                targetStatusFilters=(text_holds, columns.status),
                targetStatusReasonFilters=(text_holds, columns.reason),
                failedChecksFilters=(number_holds, counted.c.failed),
            ),
            counted.c.total > 0 if narrowing else true(),
        )
    )
    return connection.execute(page_of(rows, (key, columns.resource, columns.account), after, size, order=order)).all()


def details(
    connection: Connection,
    region: str,
    scan_id: str,
    account: str,
    resource: str,
    *,
    finding_head: str,
    filters: Filters,
    sort: str = "CHECK_ID",
    order: str = "ASC",
    after: Sequence[Any] | None,
    size: int,
) -> Sequence[Row[Any]]:
    """A page of an instance's results in a run and one more. `finding` is the ARN: `finding_head` and a UUID.

    The UUID follows from what the result is about: the first 128 bits of the SHA-256 of it.
    """
    columns = cis_result.c
    spelt = func.concat_ws("\n", columns.account, columns.region, columns.scan_id, columns.resource, columns.check_id)
    digits = func.encode(func.substr(func.sha256(func.convert_to(spelt, "UTF8")), 1, 16), "hex")
    finding = func.concat(finding_head, cast(cast(digits, UUID(as_uuid=True)), Text))
    key = columns.status if sort == "STATUS" else columns.check_id
    rows = select(cis_result, finding.label("finding"), key.label("sort")).where(
        columns.scan_id == scan_id,
        columns.region == region,
        columns.account == account,
        columns.resource == resource,
        *_met(
            filters,
            findingStatusFilters=(text_holds, columns.status),
            checkIdFilters=(text_holds, columns.check_id),
            titleFilters=(text_holds, func.coalesce(columns.document["title"].astext, "")),
            securityLevelFilters=(text_holds, columns.level),
            findingArnFilters=(text_holds, finding),
        ),
    )
    return connection.execute(page_of(rows, (key, columns.check_id), after, size, order=order)).all()


def _met(filters: Filters, **known: tuple[_Holds, Any]) -> list[ColumnElement[bool]]:
    """The conditions of those filters that are set."""
    return [holds(column, filters[name]) for name, (holds, column) in known.items() if filters.get(name)]


def _any_target(column: Column[Any], entries: Entries) -> ColumnElement[bool]:
    """Whether a run has an instance of which a text is as the entries have it, and none that they refuse."""
    wanted = [each for each in entries if each["comparison"] != "NOT_EQUALS"]
    refused = [{**each, "comparison": "EQUALS"} for each in entries if each["comparison"] == "NOT_EQUALS"]

    def has(some: Entries) -> ColumnElement[bool]:
        return exists().where(cis_target.c.scan_id == cis_scan.c.id, text_holds(column, some))

    return and_(has(wanted) if wanted else true(), not_(has(refused)) if refused else true())


def _greatest(name: str) -> ColumnElement[str]:
    """A text of the results' documents, "" where none has it."""
    return func.coalesce(func.max(cast(cis_result.c.document[name].astext, WORD)), "").collate("C").label(name)


def _counts() -> list[ColumnElement[int]]:
    names = ("failed", "skipped", "passed")
    return [func.count().filter(cis_result.c.status == name.upper()).label(name) for name in names]
