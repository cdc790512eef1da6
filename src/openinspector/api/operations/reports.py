"""CreateFindingsReport, GetFindingsReportStatus and CancelFindingsReport.

A delegated administrator's report covers its members. Without a status in the criteria a report has active findings.

Source: Inspector's API reference; its user guide, "Exporting findings reports".
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from openinspector.api.context import Context, Handler
from openinspector.api.errors import ResourceNotFound, ValidationFailed
from openinspector.api.operations._criteria import criteria_of
from openinspector.api.operations._destination import destination_of, destination_told
from openinspector.model.criteria import api_criteria, parse_criteria
from openinspector.model.report import Report
from openinspector.store import reports


def create(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Asks for a report; a worker makes it."""
    asked = Report(
        account=context.account_id,
        region=context.region,
        id=str(uuid4()),
        kind="FINDINGS",
        format=given["reportFormat"],
        destination=destination_of(context, given["s3Destination"]),
        criteria=api_criteria(criteria_of(given.get("filterCriteria") or {})),
    )
    with context.connect(context.account_id) as connection:
        if not reports.add_findings_report(connection, asked, context.now):
            raise ValidationFailed("Cannot have multiple reports in-progress. Wait for it to end, or cancel it.")
    context.poke("reports")
    return {"reportId": asked.id}


def status(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """How far a report is: the newest one where none is named."""
    key = given.get("reportId")
    with context.connect(context.account_id) as connection:
        row = reports.read_report(connection, context.account_id, context.region, "FINDINGS", key)
    if row is None:
        raise ResourceNotFound(f"There is no findings report {key}." if key else "There is no findings report.")
    asked = reports.asked_of(row)
    return {
        "reportId": asked.id,
        "status": row.status,
        "errorCode": row.error_code or None,
        "errorMessage": row.error_message or None,
        "destination": destination_told(asked.destination),
        "filterCriteria": api_criteria(parse_criteria(asked.criteria)),
    }


def cancel(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Stops a report that is in progress."""
    key = given["reportId"]
    with context.connect(context.account_id) as connection:
        row = reports.read_report(connection, context.account_id, context.region, "FINDINGS", key)
        if row is None:
            raise ResourceNotFound(f"There is no findings report {key}.")
        if not reports.cancel(connection, context.account_id, context.region, "FINDINGS", key, context.now):
            raise ValidationFailed(f"The findings report {key} is not in progress any more, and can't be cancelled.")
    return {"reportId": key}


OPERATIONS: Final[Mapping[str, Handler]] = {
    "CreateFindingsReport": create,
    "GetFindingsReportStatus": status,
    "CancelFindingsReport": cancel,
}
