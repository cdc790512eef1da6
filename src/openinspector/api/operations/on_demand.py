"""Scans of machine images that somebody asked for.

Source: Inspector's API reference, StartOnDemandScan and its siblings.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from openinspector.api.context import Context, Handler
from openinspector.api.errors import ResourceNotFound
from openinspector.store import on_demand

if TYPE_CHECKING:
    from sqlalchemy import Row


def status(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """How far a scan is."""
    with context.connect(context.account_id) as connection:
        found = on_demand.scan(
            connection, context.account_id, context.region, given["scanId"], given["resourceId"], context.now
        )
    if found is None:
        raise ResourceNotFound(f"There is no scan {given['scanId']} of {given['resourceId']}.")
    return _told(found)


def scans(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The scans of an image, newest first."""
    page = context.page(given)
    with context.connect(context.account_id) as connection:
        rows = on_demand.scans(
            connection,
            context.account_id,
            context.region,
            given["resourceId"],
            context.now,
            after=page.after,
            size=page.size,
        )
    shown = rows[: page.size]
    answer: dict[str, Any] = {"items": [_told(row) for row in shown]}
    if len(rows) > page.size:
        answer["nextToken"] = page.token((shown[-1].created_at, shown[-1].id))
    return answer


def _told(row: "Row[Any]") -> dict[str, Any]:
    return {
        "scanId": row.id,
        "resourceId": row.resource,
        "resourceType": "AMI",
        "scanStatus": row.status,
        "scanStatusReason": row.document.get("scanStatusReason"),
        "startedAt": row.created_at,
        "completedAt": row.completed_at,
    }


OPERATIONS: Final[Mapping[str, Handler]] = {"GetOnDemandScanStatus": status, "ListOnDemandScans": scans}
DECLINED: Final[Mapping[str, str]] = {"StartOnDemandScan": "It reads no machine images in an account yet."}
