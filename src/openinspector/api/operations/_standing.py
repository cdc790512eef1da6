"""What an account may do for others: as its organization's manager, as the administrator of members, as a member.

Source: the user guide, "Understanding the delegated administrator account and member accounts".
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from openinspector.api.context import Context
from openinspector.api.errors import AccessDenied, Throttled
from openinspector.store import organizations
from openinspector.store.organizations import Admin, Member

if TYPE_CHECKING:
    from sqlalchemy import Connection

NO_ACCESS: Final = "Invoking account does not have access to this account."  # scripts look for these words


@dataclass(frozen=True, slots=True)
class Reach:
    """Of the accounts that a call is about, those that the caller may look into."""

    allowed: tuple[str, ...]
    denied: tuple[str, ...]

    def others(self, context: Context) -> tuple[str, ...]:
        """The allowed ones but the caller."""
        return tuple(each for each in self.allowed if each != context.account_id)


def reach_of(context: Context, asked: Sequence[str]) -> Reach:
    """Which of `asked` are the caller's own account, or members that it administers. None are asked for: its own."""
    ids = tuple(dict.fromkeys(asked)) or (context.account_id,)
    allowed = {context.account_id}
    if set(ids) - allowed:
        with context.connect(context.account_id) as connection:
            allowed |= organizations.associated(connection, context.region, context.account_id, ids)
    return Reach(
        tuple(each for each in ids if each in allowed),
        tuple(each for each in ids if each not in allowed),
    )


@contextmanager
def with_members(context: Context) -> Iterator["Connection"]:
    """A transaction over the caller and all members that it administers, who stay its members while it lasts.

    Raises:
        Throttled: Somebody has just become one, and is out of sight.
    """
    with context.connect(context.account_id) as connection:
        seen = organizations.member_ids(connection, context.region, context.account_id)
    with context.connect(context.account_id, *seen) as connection:
        organizations.lock_admin(connection, context.region, context.account_id)
        if not set(organizations.member_ids(connection, context.region, context.account_id)) <= set(seen):
            raise Throttled("Members are being associated. Try again.")
        yield connection


def membership(connection: "Connection", context: Context) -> Member | None:
    """The caller as an administrator has it for a member; None where the caller stands alone or is one itself."""
    found = organizations.administrator_of(connection, context.region, context.account_id)
    return found if found is not None and found.is_associated else None


def need_admin(connection: "Connection", context: Context, message: str = "") -> Admin:
    """The caller as delegated administrator.

    Raises:
        AccessDenied: It is none.
    """
    admin = organizations.read_admin(connection, context.region, context.account_id)
    if admin is None:
        raise AccessDenied(message or "Invoking account is not the delegated administrator of an organization.")
    return admin
