"""GetCisScanReport: the results of a CIS run as a file, at an address of the service's own.

Source: Inspector's API reference, GetCisScanReport. A run that goes on has no report yet: `IN_PROGRESS`.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from openinspector.api.arns import uuid_of
from openinspector.api.cis_reports import PATH, PDF, VALID, Grant, seal
from openinspector.api.context import Context, Handler
from openinspector.api.errors import AccessDenied, ResourceNotFound, ValidationFailed
from openinspector.api.operations._view import accounts_in_view
from openinspector.model.arn import own_arn
from openinspector.store.cis import settle_scans
from openinspector.store.cis_reports import is_running
from openinspector.store.cis_results import scan_owner

_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]{1,300}").fullmatch


def report(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Where the report of a run is fetched."""
    arn, targets = given["scanArn"], given.get("targetAccounts") or []
    accounts = accounts_in_view(context)
    for target in targets:
        if target not in accounts:
            raise AccessDenied(f"Invoking account does not have access to account {target}.")
    scan_id = uuid_of(arn)
    with context.connect(*accounts) as connection:
        settle_scans(connection, context.region, context.now)
        owner = scan_owner(connection, context.region, scan_id, context.now)
        if owner is None or own_arn(context.region, owner[0], f"owner/{owner[1]}/cis-scan/{scan_id}") != arn:
            raise ResourceNotFound(f"There is no CIS scan {arn}.")
        running = is_running(connection, context.region, scan_id)
    if running:
        return {"status": "IN_PROGRESS"}
    if not _ORIGIN(context.origin):
        raise ValidationFailed("The request has no Host header that an address could be made of.")
    grant = Grant(
        expires=int((context.now + VALID).timestamp()),
        account=context.account_id,
        region=context.region,
        scan_arn=arn,
        target=targets[0] if targets else "",
        form=given.get("reportFormat") or PDF,
    )
    return {"status": "SUCCEEDED", "url": f"{context.origin}{PATH}{seal(context.token_key, grant)}"}


OPERATIONS: Final[Mapping[str, Handler]] = {"GetCisScanReport": report}
