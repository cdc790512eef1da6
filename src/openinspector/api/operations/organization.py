"""Who administers Inspector for an organization, and what it switches on for new members.

Source: Inspector's API reference for these operations. Terraform and enablement scripts look for the words of some of
the errors: "already enabled", "is the delegated admin".
"""

from collections.abc import Mapping
from typing import Any, Final

from openinspector.api.context import Context, Handler
from openinspector.api.errors import AccessDenied, Conflict, ResourceNotFound, ValidationFailed, field_failed
from openinspector.api.operations._once import once
from openinspector.api.operations._standing import need_admin
from openinspector.api.operations.enablement import MEMBERS
from openinspector.model.account import ResourceScanType
from openinspector.store import organizations
from openinspector.store.organizations import MOST_MEMBERS, Organization

_NOT_MANAGEMENT: Final = "Invoking account is not the management account of an organization."
_IS_ADMIN: Final = "Invoking account is the delegated admin."


def enable_delegated_admin_account(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Makes an account of the organization its delegated administrator, in this region."""
    admin: str = given["delegatedAdminAccountId"]
    others = () if admin == context.account_id else (admin,)
    with context.connect(context.account_id) as connection:
        _managed(organizations.read_organization(connection, context.account_id))
    with context.connect(context.account_id, *others) as connection:
        managed = _managed(organizations.lock_organization(connection, context.account_id))
        if managed.accounts.get(admin) != "ACTIVE":
            raise field_failed("delegatedAdminAccountId", f"{admin} is no active account of the organization.")
        if managed.admins.get(context.region) == admin:
            raise _conflict(admin, f"The delegated administrator {admin} is already enabled for the organization.")
        other = next((each for each in managed.admins.values() if each != admin), "")
        if other:
            raise _conflict(
                other, f"The organization has another delegated administrator, {other}, which has to be disabled first."
            )
        trial = context.settings.usage.free_trial
        organizations.appoint(connection, context.region, managed, admin, context.now, trial)
    context.poke("accounts")
    context.poke("suppress")  # the organization's rules may be left of an earlier term
    return {"delegatedAdminAccountId": admin}


def disable_delegated_admin_account(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Takes the office from an account, in this region."""
    admin: str = given["delegatedAdminAccountId"]
    with context.connect(context.account_id) as connection:
        managed = _managed(organizations.read_organization(connection, context.account_id))
    # Whose members they were stays to be seen: all that may be.
    others = {admin, *managed.accounts} - {context.account_id}
    _check_office(managed, context.region, admin)
    with context.connect(context.account_id, *sorted(others)) as connection:
        managed = _managed(organizations.lock_organization(connection, context.account_id))
        _check_office(managed, context.region, admin)
        organizations.dismiss(connection, context.region, managed, admin, context.now)
    context.poke("suppress")
    return {"delegatedAdminAccountId": admin}


def list_delegated_admin_accounts(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The organization's delegated administrator in this region, for its management account."""
    context.page(given)  # there is one at most, so that any token is a stranger's
    with context.connect(context.account_id) as connection:
        if organizations.read_admin(connection, context.region, context.account_id):
            raise ValidationFailed(_IS_ADMIN)
        managed = _managed(organizations.read_organization(connection, context.account_id))
    admin = managed.admins.get(context.region)
    return {"delegatedAdminAccounts": [{"accountId": admin, "status": "ENABLED"}] if admin else []}


def get_delegated_admin_account(context: Context, _given: dict[str, Any]) -> dict[str, Any]:
    """Who administers the caller, and how far that is."""
    with context.connect(context.account_id) as connection:
        if organizations.read_admin(connection, context.region, context.account_id):
            raise ValidationFailed(_IS_ADMIN)
        found = organizations.administrator_of(connection, context.region, context.account_id)
    if found is None:
        raise ResourceNotFound("There is no delegated administrator for the invoking account.")
    return {"delegatedAdmin": {"accountId": found.admin, "relationshipStatus": found.status}}


def describe_organization_configuration(context: Context, _given: dict[str, Any]) -> dict[str, Any]:
    """What is switched on for new members."""
    with context.connect(context.account_id) as connection:
        admin = need_admin(connection, context)
        count = organizations.count_members(connection, context.region, context.account_id)
    return {
        "autoEnable": {name: scan_type in admin.auto_enable for scan_type, name in MEMBERS.items()},
        "maxAccountLimitReached": count >= MOST_MEMBERS,
    }


def update_organization_configuration(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Sets what is switched on for new members; what is left out is off."""
    asked: Mapping[str, bool] = given["autoEnable"]
    types: set[ResourceScanType] = {scan_type for scan_type, name in MEMBERS.items() if asked.get(name)}
    with context.connect(context.account_id) as connection:
        need_admin(connection, context)
        if "LAMBDA_CODE" in types and "LAMBDA" not in types:
            raise field_failed("autoEnable.lambdaCode", "LAMBDA_CODE needs LAMBDA, which would be off.")
        organizations.set_auto_enable(connection, context.region, context.account_id, types, context.now)
    return {"autoEnable": {name: scan_type in types for scan_type, name in MEMBERS.items()}}


def _managed(found: Organization | None) -> Organization:
    if found is None:
        raise AccessDenied(_NOT_MANAGEMENT)
    return found


def _check_office(managed: Organization, region: str, admin: str) -> None:
    if managed.admins.get(region) != admin:
        raise ResourceNotFound(f"{admin} is not the delegated administrator of the organization.")


def _conflict(admin: str, message: str) -> Conflict:
    return Conflict(message, resource_id=admin, resource_type="DELEGATED_ADMIN_ACCOUNT")


OPERATIONS: Final[Mapping[str, Handler]] = {
    "DescribeOrganizationConfiguration": describe_organization_configuration,
    "DisableDelegatedAdminAccount": disable_delegated_admin_account,
    "EnableDelegatedAdminAccount": once(enable_delegated_admin_account),
    "GetDelegatedAdminAccount": get_delegated_admin_account,
    "ListDelegatedAdminAccounts": list_delegated_admin_accounts,
    "UpdateOrganizationConfiguration": update_organization_configuration,
}
