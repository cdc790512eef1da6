"""Whom an account administers."""

from msgspec import Struct
from sqlalchemy import Connection, select

from openinspector.store.account_tables import member
from openinspector.store.organizations import ASSOCIATED, read_admin


class Administration(Struct, frozen=True, kw_only=True):
    """What a delegated administrator has charge of; of any other account, nothing."""

    organization_id: str = ""
    members: tuple[str, ...] = ()


def administration(connection: Connection, account: str, region: str) -> Administration:
    """The organization that an account administers in a region, and its members there."""
    admin = read_admin(connection, region, account)
    if admin is None:
        return Administration()
    mine = select(member.c.member).where(
        member.c.account == account, member.c.region == region, member.c.status.in_(ASSOCIATED)
    )
    members = connection.execute(mine.order_by(member.c.member)).scalars()
    return Administration(organization_id=admin.organization_id, members=tuple(members))
