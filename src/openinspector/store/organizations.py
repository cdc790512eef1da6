"""Organizations: their accounts, who administers Inspector for them, and the members that it has.

An account sees of this what it may: the management account its organization, the administrator its own row and all of
its members, a member its own row alone. So what an administrator sets for members is written into their own rows.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, and_, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from openinspector.errors import StoreError
from openinspector.model.account import RESOURCE_SCAN_TYPES, SECTIONS, ResourceScanType, Section
from openinspector.model.organization import ACCOUNT_ID, ORGANIZATION_ID, AccountStatus
from openinspector.model.resource import AccountId
from openinspector.store import accounts
from openinspector.store.account_tables import account, delegated_admin, filter_, member, organization

MOST_MEMBERS: Final = 10_000

Relationship = Literal["CREATED", "ENABLED", "REMOVED", "DELETED", "ACCOUNT_SUSPENDED"]
ASSOCIATED: Final[tuple[Relationship, ...]] = ("ENABLED", "ACCOUNT_SUSPENDED")

_MANAGED: Final = select(organization)
_ADD: Final = text(
    "INSERT INTO member (account, region, member, status, created_at, updated_at)"
    " SELECT :admin, :region, id, 'CREATED', :now, :now FROM unnest(CAST(:ids AS text[])) id ORDER BY id"
    " ON CONFLICT DO NOTHING"
)


class Organization(Struct, frozen=True, kw_only=True):
    """An organization; `accounts` has its management account too."""

    id: str  # `o-…`
    management: AccountId
    accounts: Mapping[str, AccountStatus] = {}
    admins: Mapping[str, str] = {}  # region to account


class Admin(Struct, frozen=True, kw_only=True):
    """An account in its office as delegated administrator, in a region."""

    account: AccountId
    organization_id: str
    auto_enable: frozenset[ResourceScanType] = frozenset()
    package_paths: tuple[str, ...] = ()


class Member(Struct, frozen=True, kw_only=True):
    """An account as its administrator has it. `own` are the sections that it doesn't inherit."""

    account: AccountId
    admin: AccountId
    status: Relationship
    updated_at: datetime
    own: frozenset[Section] = frozenset()

    @property
    def is_associated(self) -> bool:
        """Whether the administrator may look into it."""
        return self.status in ASSOCIATED


def register_organization(
    connection: Connection,
    organization_id: str,
    management: AccountId,
    statuses: Mapping[str, AccountStatus],
    now: datetime,
    trial: timedelta = accounts.FREE_TRIAL,
) -> None:
    """Writes down an organization and its accounts as they are now; run again, it brings them up to date.

    Administrators get to know new accounts, and take those in that they switch scans on for. Accounts that have left
    are members no longer; an administrator that has left is none. `connection` is the system's.

    Raises:
        StoreError: An id is none, or the management account has another organization.
    """
    _check_ids(organization_id, {management, *statuses})
    other = read_organization(connection, management)
    if other is not None and other.id != organization_id:
        raise StoreError(f"{management} is the management account of {other.id} already")
    known = _organization(
        connection.execute(_MANAGED.where(organization.c.id == organization_id).with_for_update()).one_or_none()
    )
    whole: dict[str, AccountStatus] = {management: "ACTIVE", **statuses}
    admins = dict(known.admins) if known else {}
    document = {"accounts": whole, "admins": admins}
    connection.execute(
        upsert(organization)
        .values(id=organization_id, account=management, document=document, created_at=now)
        .on_conflict_do_update(
            index_elements=["id"],
            set_={"account": management, "document": organization.c.document.concat(document)},
        )
    )
    _note_suspensions(connection, whole, now)
    for region, admin in admins.items():
        if admin in whole:
            _bring_up_to_date(connection, region, admin, whole, now, trial)
        else:
            remaining = {where: who for where, who in admins.items() if who in whole}
            of = Organization(id=organization_id, management=management, accounts=whole, admins=remaining)
            dismiss(connection, region, of, admin, now)


def read_organization(connection: Connection, management: str) -> Organization | None:
    """The organization that an account manages; None where it manages none."""
    return _organization(connection.execute(_MANAGED.where(organization.c.account == management)).one_or_none())


def lock_organization(connection: Connection, management: str) -> Organization | None:
    """The organization that an account manages, as it stays for the rest of the transaction."""
    statement = _MANAGED.where(organization.c.account == management).with_for_update()
    return _organization(connection.execute(statement).one_or_none())


def read_admin(connection: Connection, region: str, account_id: str) -> Admin | None:
    """An account as delegated administrator; None where it is none."""
    row = connection.execute(
        select(delegated_admin).where(delegated_admin.c.account == account_id, delegated_admin.c.region == region)
    ).one_or_none()
    if row is None:
        return None
    return Admin(
        account=AccountId(row.account),
        organization_id=row.organization_id,
        auto_enable=frozenset(each for each in RESOURCE_SCAN_TYPES if row.auto_enable.get(each)),
        package_paths=tuple(row.package_paths),
    )


def lock_admin(connection: Connection, region: str, account_id: str) -> Admin | None:
    """An account as delegated administrator, whose members nobody else changes for the rest of the transaction."""
    connection.execute(
        select(delegated_admin.c.account)
        .where(delegated_admin.c.account == account_id, delegated_admin.c.region == region)
        .with_for_update()
    )
    return read_admin(connection, region, account_id)


def appoint(
    connection: Connection,
    region: str,
    of: Organization,
    admin: str,
    now: datetime,
    trial: timedelta = accounts.FREE_TRIAL,
) -> None:
    """Makes an account the administrator of an organization in a region, with every kind of scan on."""
    connection.execute(
        insert(delegated_admin).values(
            account=admin,
            region=region,
            organization_id=of.id,
            status="ENABLED",
            created_at=now,
            updated_at=now,
        )
    )
    _set_admins(connection, of, {**of.admins, region: admin})
    _add_members(connection, region, admin, set(of.accounts) - {admin}, now)
    # Rules that are left of an earlier term count again.
    left = (filter_.c.account == admin, filter_.c.region == region, filter_.c.owner_id == of.id)
    connection.execute(update(filter_).where(*left, filter_.c.action == "SUPPRESS").values(applied_at=None))
    accounts.enable(connection, region, [admin], RESOURCE_SCAN_TYPES, now, trial)


def dismiss(connection: Connection, region: str, of: Organization, admin: str, now: datetime) -> None:
    """Takes the office from an account. Its members stand alone, their scans stay on."""
    lock_admin(connection, region, admin)
    freed = [admin, *member_ids(connection, region, admin)]
    accounts.set_deep_inspection(connection, region, freed, now, organization_paths=())
    for table in (member, delegated_admin):
        connection.execute(delete(table).where(table.c.account == admin, table.c.region == region))
    _set_admins(connection, of, {where: who for where, who in of.admins.items() if where != region})


def set_auto_enable(
    connection: Connection, region: str, admin: str, types: Collection[ResourceScanType], now: datetime
) -> None:
    """Sets what is switched on for new members."""
    wanted = {each: each in types for each in RESOURCE_SCAN_TYPES}
    _set_admin(connection, region, admin, now, auto_enable=wanted)


def set_package_paths(connection: Connection, region: str, admin: str, paths: Sequence[str], now: datetime) -> None:
    """Sets the paths that are inspected on the instances of an administrator and all of its members."""
    _set_admin(connection, region, admin, now, package_paths=list(paths))
    everybody = [admin, *member_ids(connection, region, admin)]
    accounts.set_deep_inspection(connection, region, everybody, now, organization_paths=paths)


def administrator_of(connection: Connection, region: str, account_id: str) -> Member | None:
    """An account as its administrator has it, whether associated or only known; None where there is none."""
    return _first(connection, member.c.member == account_id, member.c.region == region, member.c.account != account_id)


def read_member(connection: Connection, region: str, admin: str, account_id: str) -> Member | None:
    """An account as an administrator has it."""
    return _first(connection, member.c.account == admin, member.c.region == region, member.c.member == account_id)


def list_members(
    connection: Connection,
    region: str,
    admin: str,
    *,
    only_associated: bool,
    after: str = "",
    most: int | None = MOST_MEMBERS,
) -> list[Member]:
    """Members in the order of their ids, from after `after`; with `most` None, all that are known."""
    wanted = [member.c.account == admin, member.c.region == region, member.c.member > after]
    if only_associated:
        wanted.append(member.c.status.in_(ASSOCIATED))
    rows = connection.execute(select(member).where(*wanted).order_by(member.c.member).limit(most))
    return [_member(row) for row in rows]


def member_ids(connection: Connection, region: str, admin: str, *, most: int = MOST_MEMBERS) -> list[str]:
    """The accounts that an administrator may look into; none where it is no administrator."""
    return [each.account for each in list_members(connection, region, admin, only_associated=True, most=most)]


def associated(connection: Connection, region: str, admin: str, ids: Collection[str]) -> set[str]:
    """Those of `ids` that an administrator may look into."""
    rows = connection.execute(
        select(member.c.member).where(
            member.c.account == admin,
            member.c.region == region,
            accounts.among(member.c.member, ids),
            member.c.status.in_(ASSOCIATED),
        )
    )
    return set(rows.scalars())


def count_members(connection: Connection, region: str, admin: str) -> int:
    """How many members are associated."""
    found: int = connection.execute(
        select(func.count()).where(
            member.c.account == admin, member.c.region == region, member.c.status.in_(ASSOCIATED)
        )
    ).scalar_one()
    return found


def associate(
    connection: Connection,
    region: str,
    admin: Admin,
    account_id: str,
    now: datetime,
    trial: timedelta = accounts.FREE_TRIAL,
) -> None:
    """Makes a known account a member: it gets its administrator's settings, and what is switched on for new ones."""
    _take_in(connection, region, admin, [account_id], now, trial)


def disassociate(connection: Connection, region: str, admin: str, account_id: str, now: datetime) -> None:
    """Ends a membership. The account's scans and settings stay as they are."""
    _set_status(connection, region, admin, [account_id], "REMOVED", now)
    accounts.set_deep_inspection(connection, region, [account_id], now, organization_paths=())


def configure_members(
    connection: Connection, region: str, admin: str, sections: accounts.Sections, now: datetime
) -> None:
    """Hands an administrator's settings on to the members that inherit them."""
    members = list_members(connection, region, admin, only_associated=True)
    for name, section in sections.items():
        heirs = [each.account for each in members if name not in each.own]
        accounts.configure(connection, region, heirs, {name: section}, now)


def set_inheritance(
    connection: Connection, region: str, admin: str, account_id: str, inherits: Mapping[Section, bool], now: datetime
) -> None:
    """Says of sections whether a member inherits them."""
    connection.execute(
        update(member)
        .where(member.c.account == admin, member.c.region == region, member.c.member == account_id)
        .values(inherits=member.c.inherits.concat(dict(inherits)), updated_at=now)
    )


def _take_in(
    connection: Connection, region: str, admin: Admin, ids: Collection[str], now: datetime, trial: timedelta
) -> None:
    settings = accounts.read_account(connection, region, admin.account).configuration
    connection.execute(
        update(member)
        .where(member.c.account == admin.account, member.c.region == region, accounts.among(member.c.member, ids))
        .values(status="ENABLED", inherits={}, rules_applied_at=None, updated_at=now)
    )
    sections: accounts.Sections = {"ecr": settings.ecr, "ec2": settings.ec2, "ami": settings.ami}
    accounts.configure(connection, region, ids, sections, now)
    accounts.set_deep_inspection(connection, region, ids, now, organization_paths=admin.package_paths)
    accounts.enable(connection, region, ids, admin.auto_enable, now, trial)


def _check_ids(organization_id: str, ids: Collection[str]) -> None:
    if not ORGANIZATION_ID.fullmatch(organization_id):
        raise StoreError(f"{organization_id!r:.60} is no id of an organization: o- and 10 to 32 letters and digits")
    for each in ids:
        if not ACCOUNT_ID.fullmatch(each):
            raise StoreError(f"{each!r:.60} is no id of an account: 12 digits")


def _bring_up_to_date(
    connection: Connection,
    region: str,
    admin_id: str,
    whole: Mapping[str, AccountStatus],
    now: datetime,
    trial: timedelta,
) -> None:
    admin = read_admin(connection, region, admin_id)
    if admin is None:
        return
    known = {
        each.account: each for each in list_members(connection, region, admin_id, only_associated=False, most=None)
    }
    new = [each for each in whole if each != admin_id and each not in known]
    _add_members(connection, region, admin_id, new, now)
    if admin.auto_enable:
        room = MOST_MEMBERS - count_members(connection, region, admin_id)
        active = sorted(each for each in new if whole[each] == "ACTIVE")
        _take_in(connection, region, admin, active[: max(room, 0)], now, trial)
    gone = [each for each, one in known.items() if each not in whole and one.is_associated]
    for each in gone:
        disassociate(connection, region, admin_id, each, now)
    left = [each for each in known if each not in whole]
    _set_status(connection, region, admin_id, left, "DELETED", now)
    back = [each for each, one in known.items() if each in whole and one.status == "DELETED"]
    _set_status(connection, region, admin_id, back, "CREATED", now)
    still = [each for each, one in known.items() if one.is_associated]
    stopped = [each for each in still if whole.get(each, "ACTIVE") != "ACTIVE"]
    going = [each for each in still if whole.get(each) == "ACTIVE" and known[each].status != "ENABLED"]
    _set_status(connection, region, admin_id, stopped, "ACCOUNT_SUSPENDED", now)
    _set_status(connection, region, admin_id, going, "ENABLED", now)


def _note_suspensions(connection: Connection, whole: Mapping[str, AccountStatus], now: datetime) -> None:
    stopped = [each for each, status in whole.items() if status != "ACTIVE"]
    going = [each for each, status in whole.items() if status == "ACTIVE"]
    connection.execute(
        update(account)
        .where(accounts.among(account.c.account, stopped), account.c.suspended_at.is_(None))
        .values(suspended_at=now, due_at=now, updated_at=now)
    )
    connection.execute(
        update(account)
        .where(accounts.among(account.c.account, going), account.c.suspended_at.is_not(None))
        .values(suspended_at=None, due_at=now, updated_at=now)
    )


def _add_members(connection: Connection, region: str, admin: str, new: Collection[str], now: datetime) -> None:
    connection.execute(_ADD, {"admin": admin, "region": region, "ids": list(new), "now": now})


def _set_status(
    connection: Connection, region: str, admin: str, ids: Collection[str], status: Relationship, now: datetime
) -> None:
    connection.execute(
        update(member)
        .where(
            member.c.account == admin,
            member.c.region == region,
            accounts.among(member.c.member, ids),
            member.c.status != status,
        )
        .values(status=status, updated_at=now)
    )


def _set_admin(connection: Connection, region: str, admin: str, now: datetime, **changes: Any) -> None:
    connection.execute(
        update(delegated_admin)
        .where(delegated_admin.c.account == admin, delegated_admin.c.region == region)
        .values(**changes, updated_at=now)
    )


def _set_admins(connection: Connection, of: Organization, admins: Mapping[str, str]) -> None:
    connection.execute(
        update(organization)
        .where(organization.c.id == of.id)
        .values(document=organization.c.document.concat({"admins": admins}))
    )


def _first(connection: Connection, *wanted: Any) -> Member | None:
    """Of several, that in which the account is associated, or else the newest."""
    rows = connection.execute(
        select(member)
        .where(and_(*wanted))
        .order_by(member.c.status.in_(ASSOCIATED).desc(), member.c.updated_at.desc(), member.c.account)
        .limit(1)
    )
    row = rows.one_or_none()
    return None if row is None else _member(row)


def _member(row: Any) -> Member:
    return Member(
        account=AccountId(row.member),
        admin=AccountId(row.account),
        status=row.status,
        updated_at=row.updated_at,
        own=frozenset(name for name in SECTIONS if row.inherits.get(name) is False),
    )


def _organization(row: Any) -> Organization | None:
    if row is None:
        return None
    return msgspec.convert(
        {"id": row.id, "management": row.account, **row.document},
        Organization,
    )
