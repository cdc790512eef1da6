"""An organization and its accounts become known: from a file in which they are declared, or from AWS.

    told = read_declaration(Path("organization.toml"))       # or read_organization of transport/organizations.py
    register(database, told, region, now, trial)

Accounts that are no longer told of have left; so what is told must be whole, or nothing is changed.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import Connection

from openinspector.catalog.safe_toml import load
from openinspector.errors import CatalogError, StoreError, UsageError
from openinspector.model.moment import moment_text
from openinspector.model.organization import (
    ACCOUNT_ID,
    MOST_ACCOUNTS,
    ORGANIZATION_ID,
    AccountStatus,
    OrganizationAccount,
    ToldOrganization,
)
from openinspector.model.resource import AccountId
from openinspector.pipeline.settings import Settings
from openinspector.pipeline.writing import in_one_go
from openinspector.store.database import Database
from openinspector.store.organization_facts import check_strangers, follow_listed_admin, note_accounts
from openinspector.store.organizations import Organization, lock_organization, register_organization
from openinspector.transport.aws import Endpoint
from openinspector.transport.organizations import read_organization

_LARGEST: Final = 8 << 20  # bytes of a declaration
_FIRST_YEAR, _LAST_YEAR = 1970, 9998  # of a moment: at the ends of the calendar it may be none in UTC
_Text = Annotated[str, Meta(max_length=320)]


class _Account(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account as it is declared."""

    id: _Text
    name: _Text = ""
    email: _Text = ""
    status: AccountStatus = "ACTIVE"
    joined: Any = None  # a moment or a day


class _Declaration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    id: _Text
    management_account: _Text
    accounts: Annotated[tuple[_Account, ...], Meta(max_length=MOST_ACCOUNTS)] = ()


class Registered(Struct, frozen=True, kw_only=True):
    """What became of an organization: how many accounts it has, which have joined, left, or have another status."""

    id: str
    accounts: int
    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    @property
    def is_news(self) -> bool:
        """Whether its accounts are others than before."""
        return bool(self.joined or self.left or self.changed)


def read_declaration(path: Path) -> ToldOrganization:
    """The organization that a file declares.

        id = "o-exampleorgid"
        management_account = "111122223333"
        [[accounts]]
        id = "444455556666"
        name = "shop"                       # name, email and joined for people; status ACTIVE unless told otherwise
        email = "shop@example.com"
        status = "SUSPENDED"
        joined = 2026-01-31

    Raises:
        UsageError: It can't be read, or makes no sense.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise UsageError(f"{path} has more than {_LARGEST >> 20} MB, and declares no organization")
        declared = msgspec.convert(load(data), _Declaration)
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror or error}") from error
    except (CatalogError, msgspec.ValidationError) as error:
        raise UsageError(f"{path} declares no organization: {error!s:.500}") from error
    if not ORGANIZATION_ID.fullmatch(declared.id):
        raise UsageError(f"{path}: {declared.id!r:.60} is no id of an organization: o- and 10 to 32 letters and digits")
    management = _id(path, declared.management_account)
    accounts: dict[str, OrganizationAccount] = {management: OrganizationAccount(id=management)}
    told: set[str] = set()
    for each in declared.accounts:
        number = _id(path, each.id)
        if number in told:
            raise UsageError(f"{path}: the account {number} is declared twice")
        if number == management and each.status != "ACTIVE":
            raise UsageError(f"{path}: the management account {number} is {each.status}, and then there is no other")
        told.add(number)
        accounts[number] = OrganizationAccount(
            id=number, name=each.name, email=each.email, status=each.status, joined_at=_joined(path, each)
        )
    return ToldOrganization(id=declared.id, management=management, accounts=tuple(accounts.values()))


def register(database: Database, told: ToldOrganization, region: str, now: datetime, trial: timedelta) -> Registered:
    """Writes down an organization as it is told of; in `region`, the administrator that AWS lists is followed.

    Raises:
        StoreError: The management account has another organization, an account is in one, or the database is busy.
    """
    return in_one_go(database, partial(_write, told=told, region=region, now=now, trial=trial))


def synchronize(database: Database, settings: Settings, region: str, now: datetime) -> Registered:
    """Brings the organization up to date with AWS, as the settings tell.

    Raises:
        UsageError: The settings name no source.
        AcquireError: It can't be read in whole; nothing is changed.
        StoreError: As for `register`.
    """
    where = settings.organization
    if where.source != "aws":
        raise UsageError(
            'the settings name no source of the organization: write source = "aws" below [organization], or declare it'
            " with `openinspector organization declare`"
        )
    endpoint = Endpoint(region=region, url=where.endpoint_url or settings.aws.endpoint_url)
    told = read_organization(endpoint, where.profile)
    return register(database, told, region, now, settings.usage.free_trial)


def _write(connection: Connection, told: ToldOrganization, region: str, now: datetime, trial: timedelta) -> Registered:
    before = lock_organization(connection, told.management)
    statuses: dict[str, AccountStatus] = {each.id: each.status for each in told.accounts}
    check_strangers(connection, told.id, statuses)
    register_organization(connection, told.id, told.management, statuses, now, trial)
    note_accounts(connection, told.id, told.accounts)
    managed = lock_organization(connection, told.management)
    if managed is None:
        raise StoreError(f"the organization {told.id} was taken away while it was written")
    if told.admins is not None and len(told.admins) <= 1:  # of several it can't be told which it is
        follow_listed_admin(connection, region, managed, "".join(told.admins), now, trial)
    return _registered(before, managed)


def _registered(before: Organization | None, after: Organization) -> Registered:
    had = before.accounts if before is not None else {}
    return Registered(
        id=after.id,
        accounts=len(after.accounts),
        joined=tuple(sorted(after.accounts.keys() - had.keys())),
        left=tuple(sorted(had.keys() - after.accounts.keys())),
        changed=tuple(each for each in sorted(had.keys() & after.accounts) if had[each] != after.accounts[each]),
    )


def _id(path: Path, text: str) -> AccountId:
    if not ACCOUNT_ID.fullmatch(text):
        raise UsageError(f"{path}: {text!r:.60} is no id of an account: 12 digits, in quotes")
    return AccountId(text)


def _joined(path: Path, account: _Account) -> str:
    match account.joined:
        case None:
            return ""
        case datetime() as moment if moment.tzinfo is not None and _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            return moment_text(moment.astimezone(UTC))
        case date() as day if not isinstance(day, datetime):
            return moment_text(datetime.combine(day, time(), UTC))
        case _:
            raise UsageError(
                f"{path}: the account {account.id} joined on a day (2026-01-31) of our time, or at a moment with a zone"
            )
