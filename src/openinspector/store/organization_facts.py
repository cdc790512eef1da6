"""What else is known of organizations: names of their accounts, and the administrator that AWS lists.

It stands in the organization's document beside what organizations.py reads there. Each function belongs in a
transaction of the system.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select, text

from openinspector.errors import StoreError
from openinspector.model.organization import OrganizationAccount
from openinspector.store.account_tables import member, organization
from openinspector.store.bulk import as_json
from openinspector.store.organizations import Organization, appoint, dismiss, lock_organization

_ABOUT: Final = "about"  # by account: what is told of it
_LISTED: Final = "listed"  # by region: the administrator that AWS listed last, "" for none


class KnownOrganization(Struct, frozen=True, kw_only=True):
    """An organization as it is known here. `members` are relationships by region and account."""

    id: str
    management: str
    admins: Mapping[str, str]
    accounts: tuple[OrganizationAccount, ...]
    members: Mapping[str, Mapping[str, str]]


def known_organizations(connection: Connection) -> list[KnownOrganization]:
    """All organizations."""
    rows = connection.execute(select(organization).order_by(organization.c.id)).all()
    relations: dict[tuple[str, str], dict[str, str]] = {}
    for row in connection.execute(select(member.c.account, member.c.region, member.c.member, member.c.status)):
        relations.setdefault((row.region, row.account), {})[row.member] = row.status
    return [
        KnownOrganization(
            id=row.id,
            management=row.account,
            admins=row.document["admins"],
            accounts=_accounts(row.document),
            members={
                region: relations.get((region, admin), {}) for region, admin in sorted(row.document["admins"].items())
            },
        )
        for row in rows
    ]


def check_strangers(connection: Connection, organization_id: str, ids: Iterable[str]) -> None:
    """Refuses accounts that are in another organization.

    Raises:
        StoreError: There is one.
    """
    row = connection.execute(_ELSEWHERE, {"organization": organization_id, "ids": sorted(ids)}).one_or_none()
    if row is not None:
        raise StoreError(
            f"account {row.account} is in the organization {row.id}, and an account is in one: bring that one up to"
            " date first"
        )


def note_accounts(connection: Connection, organization_id: str, accounts: Iterable[OrganizationAccount]) -> None:
    """Writes down what is told of the accounts of an organization, in place of what was."""
    about = {
        each.id: {"name": each.name, "email": each.email, "joined_at": each.joined_at}
        for each in accounts
        if each.name or each.email or each.joined_at
    }
    connection.execute(_NOTE, {"organization": organization_id, "key": _ABOUT, "value": as_json(about)})


def follow_listed_admin(
    connection: Connection, region: str, managed: Organization, listed: str, now: datetime, trial: timedelta
) -> None:
    """Takes over a change of the administrator that AWS lists ("" for none), in a region.

    What was appointed or dismissed here stands until AWS lists another one than before.
    """
    document = connection.execute(
        select(organization.c.document).where(organization.c.id == managed.id).with_for_update()
    ).scalar_one()
    before: Mapping[str, str] = document.get(_LISTED, {})
    if before.get(region, "") == listed:
        return
    value = {**before, region: listed}
    connection.execute(_NOTE, {"organization": managed.id, "key": _LISTED, "value": as_json(value)})
    ours = managed.admins.get(region, "")
    if ours and ours == before.get(region, ""):
        dismiss(connection, region, managed, ours, now)
        managed, ours = lock_organization(connection, managed.management) or managed, ""
    is_free = not ours and set(managed.admins.values()) <= {listed}
    if listed and is_free and managed.accounts.get(listed) == "ACTIVE":
        appoint(connection, region, managed, listed, now, trial)


def _accounts(document: Mapping[str, Any]) -> tuple[OrganizationAccount, ...]:
    about: Mapping[str, Any] = document.get(_ABOUT, {})
    return tuple(
        msgspec.convert({"id": each, "status": status, **about.get(each, {})}, OrganizationAccount)
        for each, status in sorted(document["accounts"].items())
    )


_NOTE: Final = text(
    "UPDATE organization SET document = jsonb_set(document, ARRAY[CAST(:key AS text)], CAST(:value AS jsonb))"
    " WHERE id = :organization"
)
_ELSEWHERE: Final = text(
    "SELECT o.id, w.account FROM organization o JOIN unnest(CAST(:ids AS text[])) AS w (account)"
    " ON o.document -> 'accounts' ? w.account WHERE o.id <> :organization ORDER BY o.id, w.account LIMIT 1"
)
