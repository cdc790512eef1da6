"""Whose findings and resources a caller sees: its own, and as delegated administrator those of its members."""

from openinspector.api.context import Context
from openinspector.store.organizations import list_members


def accounts_in_view(context: Context) -> tuple[str, ...]:
    """The caller's account, and after it those that it administers in this region."""
    with context.connect(context.account_id) as connection:
        members = list_members(connection, context.region, context.account_id, only_associated=True)
    return (context.account_id, *(each.account for each in members if each.account != context.account_id))
