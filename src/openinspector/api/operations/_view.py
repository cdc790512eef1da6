"""Whose findings and resources a caller sees: its own, and as delegated administrator those of its members."""

from openinspector.api.context import Context
from openinspector.store.organizations import member_ids


def accounts_in_view(context: Context) -> tuple[str, ...]:
    """The caller's account, and after it those that it administers in this region."""
    with context.connect(context.account_id) as connection:
        members = member_ids(connection, context.region, context.account_id)
    return (context.account_id, *(each for each in members if each != context.account_id))
