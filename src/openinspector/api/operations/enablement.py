"""Which kinds of resources are scanned: Enable, Disable, BatchGetAccountStatus, ListAccountPermissions.

Switching takes effect at once, so that nothing is ever ENABLING; what follows for resources and their findings is a
chore's (pipeline/chores/accounts.py).

Source: Inspector's API reference for these operations.
"""

from collections.abc import Mapping
from typing import Any, Final

from openinspector.api.context import Context, Handler
from openinspector.api.errors import ValidationFailed
from openinspector.api.operations._once import once
from openinspector.api.operations._standing import NO_ACCESS, Reach, membership, reach_of
from openinspector.model.account import RESOURCE_SCAN_TYPES, Account, ResourceScanType
from openinspector.store import accounts
from openinspector.store.organizations import count_members

MEMBERS: Final[Mapping[ResourceScanType, str]] = {  # of ResourceState, ResourceStatus and AutoEnable
    "EC2": "ec2",
    "ECR": "ecr",
    "LAMBDA": "lambda",
    "LAMBDA_CODE": "lambdaCode",
    "CODE_REPOSITORY": "codeRepository",
    "MACHINE_IMAGE": "ami",
}
_OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "ECR": ("ENABLE_SCANNING", "DISABLE_SCANNING", "ENABLE_REPOSITORY", "DISABLE_REPOSITORY"),
    "EC2": ("ENABLE_SCANNING", "DISABLE_SCANNING"),
    "LAMBDA": ("ENABLE_SCANNING", "DISABLE_SCANNING"),
}


def enable(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Switches kinds of scans on."""
    reach = reach_of(context, given.get("accountIds", ()))
    types: set[ResourceScanType] = set(given["resourceTypes"])
    if not reach.allowed:
        return {"accounts": [], "failedAccounts": _denied(reach, {})}
    with context.connect(context.account_id, *reach.others(context)) as connection:
        before = accounts.lock(connection, context.region, reach.allowed, context.now)
        lacking = [each.id for each in before.values() if "LAMBDA" not in each.enabled | types]
        if "LAMBDA_CODE" in types and lacking:
            raise ValidationFailed(
                "LAMBDA_CODE needs LAMBDA, which is neither enabled nor asked for in account " + ", ".join(lacking)
            )
        trial = context.settings.usage.free_trial
        accounts.enable(connection, context.region, reach.allowed, types, context.now, trial)
        after = accounts.read_accounts(connection, context.region, reach.allowed)
    context.poke("accounts")
    return {"accounts": [_switched(after[each]) for each in reach.allowed], "failedAccounts": _denied(reach, {})}


def disable(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Switches kinds of scans off; all of them, where none is named."""
    reach = reach_of(context, given.get("accountIds", ()))
    types: set[ResourceScanType] = set(given.get("resourceTypes") or RESOURCE_SCAN_TYPES)
    if "LAMBDA" in types:
        types.add("LAMBDA_CODE")
    refused: dict[str, tuple[str, str]] = {}
    with context.connect(context.account_id, *reach.others(context)) as connection:
        before = accounts.lock(connection, context.region, reach.allowed, context.now)
        own = before.get(context.account_id)
        if own is not None:
            if membership(connection, context):
                refused[own.id] = ("ACCESS_DENIED", "Only the delegated administrator may disable scans of a member.")
            elif own.enabled and own.enabled <= types and count_members(connection, context.region, own.id):
                refused[own.id] = ("DISASSOCIATE_ALL_MEMBERS", "Disassociate all members first.")
        ids = [each for each in reach.allowed if each not in refused]
        accounts.disable(connection, context.region, ids, types, context.now)
        after = accounts.read_accounts(connection, context.region, reach.allowed)
    context.poke("accounts")
    return {
        "accounts": [_switched(after[each]) for each in ids],
        "failedAccounts": _denied(reach, refused, after),
    }


def batch_get_account_status(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The state of accounts; of the caller's, where none is named."""
    reach = reach_of(context, given.get("accountIds", ()))
    with context.connect(context.account_id, *reach.others(context)) as connection:
        found = accounts.read_accounts(connection, context.region, reach.allowed)
    return {
        "accounts": [
            {
                "accountId": each,
                "state": _state(found[each].status),
                "resourceState": {
                    name: _state(found[each].status_of(scan_type)) for scan_type, name in MEMBERS.items()
                },
            }
            for each in reach.allowed
        ],
        "failedAccounts": _denied(reach, {}),
    }


def list_account_permissions(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """What the caller may switch for itself."""
    page = context.page(given)
    with context.connect(context.account_id) as connection:
        is_member = membership(connection, context) is not None
    wanted = given.get("service")
    rows = [
        {"service": service, "operation": operation}
        for service, operations in _OPERATIONS.items()
        for operation in operations
        if wanted in (None, service) and not (is_member and operation.startswith("DISABLE_"))
    ]
    start = int(str(page.after[0])) if page.after else 0
    end = start + page.size
    answer: dict[str, Any] = {"permissions": rows[start:end]}
    if end < len(rows):
        answer["nextToken"] = page.token((end,))
    return answer


def _switched(one: Account) -> dict[str, Any]:
    return {"accountId": one.id, "status": one.status, "resourceStatus": _statuses(one)}


def _statuses(one: Account) -> dict[str, str]:
    return {name: one.status_of(scan_type) for scan_type, name in MEMBERS.items()}


def _state(status: str) -> dict[str, str]:
    # The model requires all three, and has no word for "no error".
    return {"status": status, "errorCode": "", "errorMessage": ""}


def _denied(
    reach: Reach, refused: Mapping[str, tuple[str, str]], known: Mapping[str, Account] | None = None
) -> list[dict[str, Any]]:
    """`failedAccounts`. Of an account that the caller may not see, its state is not told either."""
    failed: list[dict[str, Any]] = [
        {"accountId": each, "errorCode": "ACCESS_DENIED", "errorMessage": NO_ACCESS} for each in reach.denied
    ]
    for each, (code, message) in refused.items():
        one = (known or {})[each]
        failed.append(
            {
                "accountId": each,
                "errorCode": code,
                "errorMessage": message,
                "status": one.status,
                "resourceStatus": _statuses(one),
            }
        )
    return failed


OPERATIONS: Final[Mapping[str, Handler]] = {
    "BatchGetAccountStatus": batch_get_account_status,
    "Disable": disable,
    "Enable": once(enable),
    "ListAccountPermissions": list_account_permissions,
}
