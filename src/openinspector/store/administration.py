"""Whom an account administers."""

from msgspec import Struct
from sqlalchemy import Connection

from openinspector.store.organizations import member_ids, read_admin


class Administration(Struct, frozen=True, kw_only=True):
    """What a delegated administrator has charge of; of any other account, nothing."""

    organization_id: str = ""
    members: tuple[str, ...] = ()


def administration(connection: Connection, account: str, region: str) -> Administration:
    """The organization that an account administers in a region, and its members there."""
    admin = read_admin(connection, region, account)
    if admin is None:
        return Administration()
    return Administration(organization_id=admin.organization_id, members=tuple(member_ids(connection, region, account)))
