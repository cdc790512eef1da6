"""ScanSbom: the one operation of inspector-scan. It reads the advisories in force and keeps nothing."""

from collections.abc import Mapping
from typing import Any, Final, cast

from openinspector.api.context import Context, Handler
from openinspector.api.errors import Field, Internal, Reason, ValidationFailed
from openinspector.api.operations._confined import not_read
from openinspector.errors import ConfinedError, SbomError, StoreError
from openinspector.pipeline.in_force import advisories_in_force
from openinspector.pipeline.scan_sbom import handle_confined


def scan_sbom(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The report of a document, in the format asked for."""
    try:
        advisories = advisories_in_force()
    except StoreError as error:
        message = "There are no advisories to scan with: whoever runs this service has to load them."
        raise Internal(message, cause="FAILED_TO_GENERATE_SBOM") from error
    try:
        wanted = given.get("outputFormat", "CYCLONE_DX_1_5")
        return {"sbom": handle_confined(given["sbom"], wanted, advisories, context.now, context.account_id)}
    except SbomError as error:
        message = str(error)
        said = f"{message[0].upper()}{message[1:]}."
        fields = (Field("sbom", said),) if error.reason == "FIELD_VALIDATION_FAILED" else ()
        raise ValidationFailed(said, reason=cast(Reason, error.reason), fields=fields) from error
    except ConfinedError as error:
        raise not_read(error, "sbom") from error


OPERATIONS: Final[Mapping[str, Handler]] = {"ScanSbom": scan_sbom}
