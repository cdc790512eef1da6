"""What CIS runs found: an account's own, for a delegated administrator its members' too.

Source: Inspector's API reference, ListCisScans and its siblings. It doesn't say what `detailLevel` leaves out: here
`ORGANIZATION` lists the runs that an organization scheduled, and `MEMBER` those that accounts did.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from openinspector.api.arns import uuid_of
from openinspector.api.context import Context, Handler
from openinspector.api.errors import AccessDenied, field_failed
from openinspector.api.operations._view import accounts_in_view
from openinspector.api.operations.cis_configurations import targets_told
from openinspector.api.token import Page
from openinspector.model.arn import own_arn
from openinspector.store import cis_results
from openinspector.store.cis import settle_scans

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_Tell = Callable[["Row[Any]"], dict[str, Any]]


def scans(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The runs, newest first unless another order is asked for."""
    page = context.page(given)
    sort = given.get("sortBy") or "SCAN_START_DATE"
    with _connected(context) as (connection, _accounts):
        settle_scans(connection, context.region, context.now)
        rows = cis_results.scans(
            connection,
            context.region,
            context.now,
            arn_start=own_arn(context.region, "", "").removesuffix(":"),
            filters=given.get("filterCriteria") or {},
            level=given.get("detailLevel") or "",
            sort=sort,
            order=given.get("sortOrder") or ("ASC" if given.get("sortBy") else "DESC"),
            after=page.after,
            size=page.size,
        )

    def tell(row: "Row[Any]") -> dict[str, Any]:
        owner = row.document["scheduledBy"]
        return {
            "scanArn": _scan_arn(context, row.account, owner, row.id),
            "scanConfigurationArn": own_arn(
                context.region, row.account, f"owner/{owner}/cis-configuration/{row.configuration_id}"
            ),
            "status": row.status,
            "scanName": row.document["scanName"],
            "scanDate": row.scanned_at,
            "failedChecks": row.failed_checks,
            "totalChecks": row.total_checks,
            "targets": targets_told(row.account, row.document["targets"]),
            "scheduledBy": owner,
            "securityLevel": row.document["securityLevel"],
        }

    return _answer("scans", rows, page, tell, "id")


def by_check(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """A run's checks, each with how often it passed."""
    page = context.page(given)
    with _connected(context) as (connection, _accounts):
        rows = cis_results.by_check(
            connection,
            context.region,
            _scan(context, connection, given["scanArn"]),
            **_asked(given, page, "CHECK_ID"),
        )

    def tell(row: "Row[Any]") -> dict[str, Any]:
        return {
            "scanArn": given["scanArn"],
            "checkId": row.check_id,
            "title": row.title or None,
            "checkDescription": row.description or None,
            "level": row.level or None,
            "accountId": row.account,
            "statusCounts": _counts(row),
            "platform": row.platform or None,
        }

    return _answer("checkAggregations", rows, page, tell, "check_id", "platform")


def by_resource(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """A run's instances, each with how many checks it passed."""
    page = context.page(given)
    with _connected(context) as (connection, _accounts):
        rows = cis_results.by_resource(
            connection,
            context.region,
            _scan(context, connection, given["scanArn"]),
            **_asked(given, page, "RESOURCE_ID"),
        )

    def tell(row: "Row[Any]") -> dict[str, Any]:
        return {
            "scanArn": given["scanArn"],
            "targetResourceId": row.resource,
            "accountId": row.account,
            "targetResourceTags": row.tags or None,
            "statusCounts": _counts(row),
            "platform": row.platform or None,
            "targetStatus": row.status or None,
            "targetStatusReason": row.reason or None,
        }

    return _answer("targetResourceAggregations", rows, page, tell, "resource", "account")


def details(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """What each check found on one instance."""
    page = context.page(given)
    account = given["accountId"]
    with _connected(context) as (connection, accounts):
        if account not in accounts:
            raise AccessDenied(f"Invoking account does not have access to account {account}.")
        rows = cis_results.details(
            connection,
            context.region,
            _scan(context, connection, given["scanArn"]),
            account,
            given["targetResourceId"],
            finding_head=own_arn(context.region, account, f"owner/{account}/cis-finding/"),
            **_asked(given, page, "CHECK_ID"),
        )

    def tell(row: "Row[Any]") -> dict[str, Any]:
        return {
            "scanArn": given["scanArn"],
            "accountId": row.account,
            "targetResourceId": row.resource,
            "platform": row.platform or None,
            "status": row.status,
            "statusReason": row.document.get("reason"),
            "checkId": row.check_id,
            "title": row.document.get("title"),
            "checkDescription": row.document.get("description"),
            "remediation": row.document.get("remediation"),
            "level": row.level or None,
            "findingArn": row.finding,
        }

    return _answer("scanResultDetails", rows, page, tell, "check_id")


@contextmanager
def _connected(context: Context) -> Iterator[tuple["Connection", frozenset[str]]]:
    """A transaction that sees what the caller may see, and the accounts that it sees."""
    accounts = accounts_in_view(context)
    with context.connect(*accounts) as connection:
        yield connection, frozenset(accounts)


def _asked(given: dict[str, Any], page: Page, sort: str) -> dict[str, Any]:
    """Which results of a run, in which order, from where on; by `sort` upwards unless told otherwise."""
    return {
        "filters": given.get("filterCriteria") or {},
        "sort": given.get("sortBy") or sort,
        "order": given.get("sortOrder") or "ASC",
        "after": page.after,
        "size": page.size,
    }


def _scan(context: Context, connection: "Connection", arn: str) -> str:
    """The id of a run that the caller may see something of."""
    scan_id = uuid_of(arn)
    owner = cis_results.scan_owner(connection, context.region, scan_id, context.now)
    if owner is None or _scan_arn(context, *owner, scan_id) != arn:
        raise field_failed("scanArn", f"There is no CIS scan {arn}.")
    return scan_id


def _scan_arn(context: Context, account: str, owner: str, scan_id: str) -> str:
    return own_arn(context.region, account, f"owner/{owner}/cis-scan/{scan_id}")


def _answer(member: str, rows: Sequence["Row[Any]"], page: Page, tell: _Tell, *keys: str) -> dict[str, Any]:
    """A page in the API's words, and what leads on from it: its last row's `sort` and keys."""
    shown = rows[: page.size]
    answer: dict[str, Any] = {member: [tell(row) for row in shown]}
    if len(rows) > page.size:
        last = shown[-1]
        answer["nextToken"] = page.token((last.sort, *(getattr(last, key) for key in keys)))
    return answer


def _counts(row: "Row[Any]") -> dict[str, int]:
    return {"failed": row.failed, "skipped": row.skipped, "passed": row.passed}


OPERATIONS: Final[Mapping[str, Handler]] = {
    "ListCisScans": scans,
    "ListCisScanResultsAggregatedByChecks": by_check,
    "ListCisScanResultsAggregatedByTargetResource": by_resource,
    "GetCisScanResultDetails": details,
}
