"""The members of a delegated administrator: AssociateMember, DisassociateMember, GetMember, ListMembers.

Source: Inspector's API reference for these operations. Terraform looks for the words of two of the errors.
"""

from collections.abc import Mapping
from typing import Any, Final

from openinspector.api.context import Context, Handler
from openinspector.api.errors import QuotaExceeded, ResourceNotFound, ValidationFailed, field_failed
from openinspector.api.operations._standing import need_admin
from openinspector.store import organizations
from openinspector.store.organizations import MOST_MEMBERS, Member

_NO_MEMBER: Final = "Invoking account does not have access to get member account"


def associate_member(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Makes an account of the organization a member; one that is a member already stays as it is."""
    wanted: str = given["accountId"]
    with context.connect(context.account_id) as connection:
        need_admin(connection, context)
        if wanted == context.account_id:
            raise field_failed("accountId", "The delegated administrator is no member of its own.")
        if organizations.read_member(connection, context.region, context.account_id, wanted) is None:
            raise field_failed("accountId", f"{wanted} is no account of the organization.")
    with context.connect(context.account_id, wanted) as connection:
        admin = organizations.lock_admin(connection, context.region, context.account_id)
        known = organizations.read_member(connection, context.region, context.account_id, wanted)
        if admin is None or known is None or known.status == "DELETED":
            raise field_failed("accountId", f"{wanted} is no account of the organization.")
        if not known.is_associated:
            if organizations.count_members(connection, context.region, context.account_id) >= MOST_MEMBERS:
                raise QuotaExceeded(f"There are {MOST_MEMBERS} members already.", resource_id=context.account_id)
            trial = context.settings.usage.free_trial
            organizations.associate(connection, context.region, admin, wanted, context.now, trial)
    context.poke("accounts")
    context.poke("suppress")  # it comes under the organization's rules
    return {"accountId": wanted}


def disassociate_member(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Ends a membership; the account then stands alone, and its scans stay on."""
    wanted: str = given["accountId"]
    others = () if wanted == context.account_id else (wanted,)
    with context.connect(context.account_id) as connection:
        need_admin(connection, context)
        _check_associated(organizations.read_member(connection, context.region, context.account_id, wanted), wanted)
    with context.connect(context.account_id, *others) as connection:
        organizations.lock_admin(connection, context.region, context.account_id)
        _check_associated(organizations.read_member(connection, context.region, context.account_id, wanted), wanted)
        organizations.disassociate(connection, context.region, context.account_id, wanted, context.now)
    context.poke("suppress")
    return {"accountId": wanted}


def get_member(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """A member, or an account of the organization that is none."""
    wanted: str = given["accountId"]
    with context.connect(context.account_id) as connection:
        need_admin(connection, context, f"{_NO_MEMBER} {wanted}.")
        found = organizations.read_member(connection, context.region, context.account_id, wanted)
    if found is None:
        raise ResourceNotFound(f"{_NO_MEMBER} {wanted}: it is no account of the organization.")
    return {"member": _told(found)}


def list_members(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The members; with `onlyAssociated` off, all accounts of the organization."""
    page = context.page(given)
    with context.connect(context.account_id) as connection:
        need_admin(connection, context)
        found = organizations.list_members(
            connection,
            context.region,
            context.account_id,
            only_associated=given.get("onlyAssociated", True),
            after=str(page.after[0]) if page.after else "",
            most=page.size + 1,
        )
    answer: dict[str, Any] = {"members": [_told(each) for each in found[: page.size]]}
    if len(found) > page.size:
        answer["nextToken"] = page.token((found[page.size - 1].account,))
    return answer


def _check_associated(found: Member | None, wanted: str) -> None:
    if found is None or not found.is_associated:
        raise ValidationFailed(
            f"Invoking account can't disassociate account {wanted}, which is not yet associated to it."
        )


def _told(one: Member) -> dict[str, Any]:
    return {
        "accountId": one.account,
        "relationshipStatus": one.status,
        "delegatedAdminAccountId": one.admin,
        "updatedAt": one.updated_at,
    }


OPERATIONS: Final[Mapping[str, Handler]] = {
    "AssociateMember": associate_member,
    "DisassociateMember": disassociate_member,
    "GetMember": get_member,
    "ListMembers": list_members,
}
