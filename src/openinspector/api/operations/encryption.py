"""An account's own keys: GetEncryptionKey, UpdateEncryptionKey, ResetEncryptionKey.

Source: Inspector's API reference for these operations.
"""

from collections.abc import Mapping
from typing import Any, Final

from openinspector.api.context import Context, Handler
from openinspector.api.errors import ResourceNotFound, field_failed
from openinspector.store import accounts

RESOURCES: Final = ("AWS_LAMBDA_FUNCTION", "CODE_REPOSITORY")  # whose code is kept


def get_encryption_key(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The key of one kind of scan."""
    scan_type, resource_type = _kind(given)
    with context.connect(context.account_id) as connection:
        key = accounts.read_encryption_key(connection, context.region, context.account_id, scan_type, resource_type)
    if not key:
        raise _no_key(scan_type, resource_type)
    return {"kmsKeyId": key}


def update_encryption_key(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Sets the key of one kind of scan."""
    scan_type, resource_type = _kind(given)
    with context.connect(context.account_id) as connection:
        accounts.set_encryption_key(
            connection,
            context.region,
            context.account_id,
            scan_type,
            resource_type,
            given["kmsKeyId"],
            context.now,
        )
    return {}


def reset_encryption_key(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Goes back to the service's own key."""
    scan_type, resource_type = _kind(given)
    with context.connect(context.account_id) as connection:
        if not accounts.forget_encryption_key(connection, context.region, context.account_id, scan_type, resource_type):
            raise _no_key(scan_type, resource_type)
    return {}


def _kind(given: Mapping[str, Any]) -> tuple[str, str]:
    if given["scanType"] != "CODE":
        raise field_failed("scanType", "Only the results of scan type CODE are encrypted with a key of your own.")
    if given["resourceType"] not in RESOURCES:
        raise field_failed("resourceType", f"Member must satisfy enum value set: [{', '.join(RESOURCES)}]")
    return given["scanType"], given["resourceType"]


def _no_key(scan_type: str, resource_type: str) -> ResourceNotFound:
    return ResourceNotFound(
        f"No key of your own is set for {scan_type} scans of {resource_type}: the service's is used."
    )


OPERATIONS: Final[Mapping[str, Handler]] = {
    "GetEncryptionKey": get_encryption_key,
    "ResetEncryptionKey": reset_encryption_key,
    "UpdateEncryptionKey": update_encryption_key,
}
