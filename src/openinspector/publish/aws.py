"""Clients of AWS for sinks, as the account that an event is about where the settings name a role for each.

Credentials are those that boto3 finds (environment, shared files, the instance's role); with `role_arn` they assume
that role first, with `{account}` in it that of the event's account.
"""

import re
from collections.abc import Callable
from threading import Lock
from typing import Any, Final

from openinspector.errors import PublishError, UsageError
from openinspector.publish.contract import Message, SinkSettings
from openinspector.transport.aws import Endpoint

_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::(?:\d{12}|\{account\}):role/[\w+=,.@/-]{1,600}").fullmatch
_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 20
# What is wrong with what was sent, not with who sent it or whereto.
_MISFORMED: Final = frozenset(
    "InvalidInputException InvalidParameterException PayloadTooLargeException RequestEntityTooLarge"
    " RequestEntityTooLargeException SerializationException ValidationError ValidationException".split()
)


class AwsSinkSettings(SinkSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose AWS: `region` is the service's where none is named, `endpoint_url` that of `[aws]`."""

    region: str = ""
    endpoint_url: str = ""
    role_arn: str = ""
    external_id: str = ""


class Misformed(Exception):
    """AWS does not take what it was sent; sent in parts, some of it may do."""


def check_aws(settings: AwsSinkSettings) -> None:
    """Looks whether the settings make sense.

    Raises:
        UsageError: They don't.
    """
    if settings.role_arn and not _ROLE(settings.role_arn):
        raise UsageError(f"role_arn = {settings.role_arn!r} is no ARN of a role (arn:aws:iam::{{account}}:role/name)")
    if settings.endpoint_url and not settings.endpoint_url.startswith(("https://", "http://")):
        raise UsageError(f"endpoint_url = {settings.endpoint_url!r} should begin with https://")


class Clients:
    """The clients of one service, one for each account that has a role of its own."""

    def __init__(self, service: str, settings: AwsSinkSettings, aws: Endpoint) -> None:
        self._service, self._settings = service, settings
        self._at = Endpoint(region=settings.region or aws.region, url=settings.endpoint_url or aws.url)
        self._lock = Lock()
        self._made: dict[str, Any] = {}

    def owner(self, message: Message) -> str:
        """Whose client a message is sent with: its account's, or "", the one for all."""
        return message.resource.account if "{account}" in self._settings.role_arn else ""

    def of(self, owner: str) -> Any:
        """The client of an owner.

        Raises:
            PublishError: There are no credentials, or the role can't be assumed.
        """
        with self._lock:
            if owner not in self._made:
                self._made[owner] = self._make(self._settings.role_arn.replace("{account}", owner))
            return self._made[owner]

    def close(self) -> None:
        """Closes them all."""
        for each in self._made.values():
            each.close()

    def _make(self, role: str) -> Any:
        import botocore.session
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        settings = self._settings
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"total_max_attempts": 2, "mode": "standard"},
            parameter_validation=False,
        )
        try:
            session = botocore.session.Session()
            if role:
                session = _assumed(session, settings, role, self._at)
            return session.create_client(
                self._service,
                region_name=self._at.region,
                endpoint_url=self._at.url or None,
                config=config,
            )
        except (BotoCoreError, ValueError) as error:
            raise PublishError(f"{self._service}: {error}") from error


def _assumed(session: Any, settings: AwsSinkSettings, role: str, at: Endpoint) -> Any:
    """A session with the credentials of a role, which are renewed before they run out."""
    import botocore.session
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    own = session.get_credentials()
    if own is None:
        raise PublishError(f"there are no AWS credentials to assume {role} with")

    def client(service: str, **arguments: Any) -> Any:
        arguments["region_name"] = at.region
        return session.create_client(service, endpoint_url=at.url or None, **arguments)

    extra = {"RoleSessionName": "openinspector"} | (
        {"ExternalId": settings.external_id} if settings.external_id else {}
    )
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=client, source_credentials=own, role_arn=role, extra_args=extra
    )
    assumed = botocore.session.Session()
    assumed._credentials = DeferredRefreshableCredentials(  # noqa: SLF001  as botocore's users do: it offers no other way
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )
    return assumed


def called(what: str, call: Callable[[], Any]) -> Any:
    """What a call answers.

    Raises:
        Misformed: It does not take what was sent.
        PublishError: It takes nothing: it doesn't answer, has too much to do, or doesn't let us in.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return call()
    except ClientError as error:
        told = error.response.get("Error", {})
        code, message = told.get("Code", ""), told.get("Message", "")
        said = f"{what}: {code}: {message}".rstrip(": ")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _MISFORMED or status == 413:
            raise Misformed(said) from error
        raise PublishError(said) from error
    except BotoCoreError as error:
        raise PublishError(f"{what}: {error}") from error
