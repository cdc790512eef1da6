"""Deep inspection of instances: an account's own, its organization's, its members'.

Source: Inspector's API reference for the five operations of Ec2DeepInspection.
"""

from collections.abc import Mapping
from typing import Any, Final

from openinspector.api.context import Context, Handler
from openinspector.api.errors import AccessDenied
from openinspector.api.operations._standing import NO_ACCESS, membership, need_admin, reach_of, with_members
from openinspector.model.account import Account
from openinspector.store import accounts
from openinspector.store.organizations import member_ids, set_package_paths

_MOST: Final = 100  # accounts in an answer


def get_configuration(context: Context, _given: dict[str, Any]) -> dict[str, Any]:
    """The caller's own."""
    with context.connect(context.account_id) as connection:
        return _told(accounts.read_account(connection, context.region, context.account_id))


def update_configuration(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Changes the caller's own. Members choose paths, but don't switch it off."""
    is_active = given.get("activateDeepInspection")
    paths = given.get("packagePaths")
    with context.connect(context.account_id) as connection:
        if is_active is False and membership(connection, context):
            raise AccessDenied("Only the delegated administrator may deactivate deep inspection of a member.")
        accounts.set_deep_inspection(
            connection,
            context.region,
            [context.account_id],
            context.now,
            is_active=is_active,
            paths=None if paths is None else _distinct(paths),
        )
        return _told(accounts.read_account(connection, context.region, context.account_id))


def update_organization(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Sets the paths that are inspected in every account of the organization."""
    with context.connect(context.account_id) as connection:
        need_admin(connection, context, NO_ACCESS)
    with with_members(context) as connection:
        set_package_paths(
            connection, context.region, context.account_id, _distinct(given["orgPackagePaths"]), context.now
        )
    return {}


def get_members(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Whether members are inspected; the first hundred, where none is named."""
    with context.connect(context.account_id) as connection:
        need_admin(connection, context, NO_ACCESS)
        asked = given.get("accountIds") or member_ids(connection, context.region, context.account_id, most=_MOST)
    if not asked:
        return {"accountIds": [], "failedAccountIds": []}
    reach = reach_of(context, asked)
    with context.connect(context.account_id, *reach.others(context)) as connection:
        found = accounts.read_accounts(connection, context.region, reach.allowed)
    return {
        "accountIds": [_status(found[each]) for each in reach.allowed],
        "failedAccountIds": [_unknown(each) for each in reach.denied],
    }


def update_members(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Switches it on or off for members. Where instances aren't scanned at all, there is nothing to switch."""
    with context.connect(context.account_id) as connection:
        need_admin(connection, context, NO_ACCESS)
    wanted: dict[str, bool] = {each["accountId"]: each["activateDeepInspection"] for each in given["accountIds"]}
    if not wanted:
        return {"accountIds": [], "failedAccountIds": []}
    reach = reach_of(context, list(wanted))
    with context.connect(context.account_id, *reach.others(context)) as connection:
        before = accounts.lock(connection, context.region, reach.allowed, context.now)
        scanned = [each for each in reach.allowed if before[each].status_of("EC2") == "ENABLED"]
        for is_active in (True, False):
            ids = [each for each in scanned if wanted[each] is is_active]
            accounts.set_deep_inspection(connection, context.region, ids, context.now, is_active=is_active)
        after = accounts.read_accounts(connection, context.region, scanned)
    return {
        "accountIds": [_status(after[each]) for each in scanned],
        "failedAccountIds": [
            *(_unknown(each) for each in reach.denied),
            *(_not_scanned(before[each]) for each in reach.allowed if each not in scanned),
        ],
    }


def _distinct(paths: list[str]) -> list[str]:
    return list(dict.fromkeys(paths))


def _told(one: Account) -> dict[str, Any]:
    return {
        "packagePaths": list(one.deep_inspection.paths),
        "orgPackagePaths": list(one.deep_inspection.organization_paths),
        "status": _word(one),
    }


def _status(one: Account) -> dict[str, Any]:
    return {"accountId": one.id, "status": _word(one)}


def _word(one: Account) -> str:
    return "ACTIVATED" if one.is_deeply_inspected else "DEACTIVATED"


def _unknown(account_id: str) -> dict[str, Any]:
    return {"accountId": account_id, "errorMessage": NO_ACCESS}


def _not_scanned(one: Account) -> dict[str, Any]:
    return {
        "accountId": one.id,
        "ec2ScanStatus": one.status_of("EC2"),
        "errorMessage": "EC2 scanning is not enabled in this account.",
    }


OPERATIONS: Final[Mapping[str, Handler]] = {
    "BatchGetMemberEc2DeepInspectionStatus": get_members,
    "BatchUpdateMemberEc2DeepInspectionStatus": update_members,
    "GetEc2DeepInspectionConfiguration": get_configuration,
    "UpdateEc2DeepInspectionConfiguration": update_configuration,
    "UpdateOrgEc2DeepInspectionConfiguration": update_organization,
}
