"""An organization as it is told of: read from AWS Organizations, or declared in a file.

Source: AWS Organizations' API reference, Organization and Account.
"""

import re
from typing import Final, Literal

from msgspec import Struct

from openinspector.model.resource import AccountId

AccountStatus = Literal["ACTIVE", "SUSPENDED", "PENDING_CLOSURE"]

MOST_ACCOUNTS: Final = 20_000  # of one organization; AWS has 10,000 at most, unless it is asked for more
ORGANIZATION_ID: Final = re.compile(r"o-[a-z0-9]{10,32}", re.ASCII)
ACCOUNT_ID: Final = re.compile(r"[0-9]{12}", re.ASCII)


class OrganizationAccount(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An account of an organization. `joined_at` is ISO 8601 in UTC, "" where it isn't told."""

    id: AccountId
    name: str = ""
    email: str = ""
    status: AccountStatus = "ACTIVE"
    joined_at: str = ""


class ToldOrganization(Struct, frozen=True, kw_only=True):
    """All of an organization. `accounts` have its management account too.

    `admins` are the accounts that AWS has registered as delegated administrators of Inspector; None where nobody tells.
    """

    id: str
    management: AccountId
    accounts: tuple[OrganizationAccount, ...]
    admins: tuple[AccountId, ...] | None = None
