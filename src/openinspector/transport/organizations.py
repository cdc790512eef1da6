"""AWS Organizations: the accounts of an organization, all of them or none.

Source: AWS Organizations' API reference, DescribeOrganization, ListAccounts and ListDelegatedAdministrators.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Final

from openinspector.errors import AcquireError
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
from openinspector.transport.aws import ATTEMPTS, CONNECT_SECONDS, READ_SECONDS, Endpoint

SERVICE: Final = "inspector2.amazonaws.com"

_MOST_PAGES: Final = 5_000  # AWS may give pages with little in them, or nothing
_LONGEST: Final = 320  # characters of a name or an address
# What is told of an account since September 2025 (`State`), and what was before (`Status`).
_STATUSES: Final[Mapping[str, AccountStatus]] = {
    "ACTIVE": "ACTIVE",
    "SUSPENDED": "SUSPENDED",
    "PENDING_CLOSURE": "PENDING_CLOSURE",
    "PENDING_ACTIVATION": "SUSPENDED",  # nothing runs in it yet
    "CLOSED": "SUSPENDED",  # it is listed for 90 days more
}
_Call = Callable[..., Mapping[str, Any]]


def read_organization(endpoint: Endpoint, profile: str = "") -> ToldOrganization:
    """The organization of the caller, which is its management account or a delegated administrator of some service.

    `profile` is one of boto3's files, "" for the credentials that it finds otherwise.

    Raises:
        AcquireError: It can't be read, in whole; or what was told makes no sense.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        with closing(_client(endpoint, profile)) as client:
            return _read(client)
    except ClientError as error:
        told = error.response.get("Error", {})
        said = f"{told.get('Code', '')}: {told.get('Message', '')}".rstrip(".")
        raise AcquireError(f"{_doing(error.operation_name)}: {said:.500}; {_advice(told.get('Code', ''))}") from error
    except BotoCoreError as error:
        raise AcquireError(f"AWS Organizations can't be reached: {error!s:.500}; {_UNCHANGED}") from error


_UNCHANGED: Final = "its accounts stay as they were"


def _client(endpoint: Endpoint, profile: str) -> Any:
    import boto3
    from botocore.config import Config

    settings = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        user_agent_extra="openinspector",
    )
    session = boto3.session.Session(profile_name=profile or None)
    return session.client(
        "organizations", region_name=endpoint.region, endpoint_url=endpoint.url or None, config=settings
    )


def _read(client: Any) -> ToldOrganization:
    about = client.describe_organization()["Organization"]
    organization, management = _text(about, "Id"), _text(about, "MasterAccountId")
    if not ORGANIZATION_ID.fullmatch(organization):
        raise _odd(f"{organization!r:.60} is no id of an organization")
    if about.get("FeatureSet") != "ALL":
        raise AcquireError(
            f"the organization {organization} has consolidated billing alone, and Inspector needs all features: enable"
            " them in AWS Organizations"
        )
    accounts = {each.id: each for each in map(_account, _pages(client.list_accounts, "Accounts"))}
    if management not in accounts:
        raise _odd(f"the management account {management!r:.20} is not among the {len(accounts)} that are listed")
    listed = _pages(client.list_delegated_administrators, "DelegatedAdministrators", ServicePrincipal=SERVICE)
    admins = sorted({_id(each) for each in listed})
    return ToldOrganization(
        id=organization,
        management=AccountId(management),
        accounts=tuple(accounts[each] for each in sorted(accounts)),
        admins=tuple(admins),
    )


def _pages(call: _Call, key: str, **asked: Any) -> Iterator[Mapping[str, Any]]:
    """The entries of all pages.

    Raises:
        AcquireError: There are more than there can be, or a page that was there already comes again.
    """
    seen: set[str] = set()
    count = 0
    while True:
        page = call(**asked)
        for entry in page.get(key) or ():
            count += 1
            if count > MOST_ACCOUNTS:
                raise _odd(f"it lists more than {MOST_ACCOUNTS} accounts")
            yield entry
        token = page.get("NextToken")
        if not token:
            return
        if token in seen or len(seen) >= _MOST_PAGES:
            raise _odd("its pages come to no end")
        seen.add(token)
        asked["NextToken"] = token


def _account(told: Mapping[str, Any]) -> OrganizationAccount:
    number = _id(told)
    said = _text(told, "State") or _text(told, "Status")
    if said not in _STATUSES:
        raise _odd(f"account {number} has the status {said!r:.60}, which isn't known here")
    joined = told.get("JoinedTimestamp")
    return OrganizationAccount(
        id=number,
        name=_text(told, "Name")[:_LONGEST],
        email=_text(told, "Email")[:_LONGEST],
        status=_STATUSES[said],
        joined_at=moment_text(joined.astimezone(UTC)) if isinstance(joined, datetime) else "",
    )


def _id(told: Mapping[str, Any]) -> AccountId:
    number = _text(told, "Id")
    if not ACCOUNT_ID.fullmatch(number):
        raise _odd(f"{number!r:.60} is no id of an account")
    return AccountId(number)


def _text(told: Mapping[str, Any], key: str) -> str:
    value = told.get(key)
    return value if isinstance(value, str) else ""


def _odd(what: str) -> AcquireError:
    return AcquireError(f"AWS Organizations tells what makes no sense: {what}; {_UNCHANGED}")


def _doing(operation: str) -> str:
    return f"the organization can't be read ({operation} of AWS Organizations)"


def _advice(code: str) -> str:
    if code == "AWSOrganizationsNotInUseException":
        return 'the account is in no organization: declare one in a file, or leave out source = "aws"'
    if code in (
        "AccessDeniedException",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "ExpiredTokenException",
    ):
        return (
            "credentials are needed that may call organizations:DescribeOrganization, ListAccounts and"
            f" ListDelegatedAdministrators; {_UNCHANGED}"
        )
    return _UNCHANGED
