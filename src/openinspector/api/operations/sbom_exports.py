"""CreateSbomExport, GetSbomExport and CancelSbomExport: an SBOM for each monitored resource.

A delegated administrator's export covers its members' resources.

Source: Inspector's API reference; its user guide, "Exporting SBOMs with Amazon Inspector".
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from openinspector.api.context import Context, Handler
from openinspector.api.errors import ResourceNotFound, ValidationFailed
from openinspector.api.operations._destination import destination_of, destination_told
from openinspector.model.report import Report
from openinspector.store import reports


def create(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Asks for an export; a worker makes it."""
    asked = Report(
        account=context.account_id,
        region=context.region,
        id=str(uuid4()),
        kind="SBOM",
        format=given["reportFormat"],
        destination=destination_of(context, given["s3Destination"]),
        criteria=given.get("resourceFilterCriteria") or {},
    )
    with context.connect(context.account_id) as connection:
        if not reports.add_sbom_export(connection, asked, context.now):
            raise ValidationFailed(
                f"An account has at most {reports.MOST_EXPORTS} SBOM exports in progress: wait for one to end, or"
                " cancel it."
            )
    context.poke("reports")
    return {"reportId": asked.id}


def get(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """How far an export is."""
    key = given["reportId"]
    with context.connect(context.account_id) as connection:
        row = reports.read_report(connection, context.account_id, context.region, "SBOM", key)
    if row is None:
        raise ResourceNotFound(f"There is no SBOM export {key}.")
    asked = reports.asked_of(row)
    return {
        "reportId": asked.id,
        "format": asked.format,
        "status": row.status,
        "errorCode": row.error_code or None,
        "errorMessage": row.error_message or None,
        "s3Destination": destination_told(asked.destination),
        "filterCriteria": asked.criteria,
    }


def cancel(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Stops an export that is in progress; what it has written stays."""
    key = given["reportId"]
    with context.connect(context.account_id) as connection:
        row = reports.read_report(connection, context.account_id, context.region, "SBOM", key)
        if row is None:
            raise ResourceNotFound(f"There is no SBOM export {key}.")
        if not reports.cancel(connection, context.account_id, context.region, "SBOM", key, context.now):
            raise ValidationFailed(f"The SBOM export {key} is not in progress any more, and can't be cancelled.")
    return {"reportId": key}


OPERATIONS: Final[Mapping[str, Handler]] = {
    "CreateSbomExport": create,
    "GetSbomExport": get,
    "CancelSbomExport": cancel,
}
