"""What a handler is given, and who the callers of `api/` are: the contracts of this layer."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from openinspector.api.model import Operation
from openinspector.api.token import Page, Scope, open_page
from openinspector.api.unpack import Claim, unclaimed
from openinspector.pipeline.contract import nobody
from openinspector.pipeline.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from openinspector.model.coverage import ScanMode
    from openinspector.model.inventory import Inventory
    from openinspector.model.resource import Resource
    from openinspector.pipeline.ingest import Ingested
    from openinspector.store.sealing import Sealer


class Connect(Protocol):
    """Opens the database (`Database.transaction`)."""

    def __call__(self, account: str, /, *others: str) -> AbstractContextManager["Connection"]:
        """A transaction that sees and writes the rows of these accounts, and of no others."""
        ...


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: an access key of an account, with a role (`admin`, `reader`, `ingest`)."""

    account_id: str
    key_id: str
    role: str


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as it came, for an operation that exists.

    `path` and `query` are as sent, not decoded: a signature is over those very bytes. Header names are lower-case, in
    the order sent, and a name may come twice.
    """

    operation: Operation
    labels: Mapping[str, str]
    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    request_id: str
    client: str = ""  # the peer's address
    scheme: str = "http"  # or https, as the client has it
    claim: Claim = unclaimed  # takes of the memory that all bodies share, until the request is answered

    def header(self, name: str) -> str | None:
        """A header's first value. `name` in lower case."""
        return next((value for given, value in self.headers if given == name), None)


class Ingest(Protocol):
    """Writes what follows from what was found on a resource (`pipeline/ingest.py`)."""

    def __call__(
        self, resource: "Resource", inventory: "Inventory", now: datetime, mode: "ScanMode | None"
    ) -> "Ingested":
        """What it did.

        Raises:
            ConfinedError: It can't be matched within the bounds.
            StoreError: There are no advisories, or the database is too busy.
            UsageError: The resource makes no sense, or its account has scans of that kind disabled.
        """
        ...


class Authenticator(Protocol):
    """Who may: tells who signed a request, and whether they may ask for its operation."""

    def authenticate(self, request: Request) -> Principal:
        """Who is asking.

        Raises:
            NotAuthenticated: Nobody we know, or not signed as it must be.
            AccessDenied: Somebody we know, whose role doesn't cover `request.operation`.
            Throttled: Somebody who asks too often.
        """
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """The circumstances of one request."""

    operation: Operation
    principal: Principal
    region: str
    request_id: str
    now: datetime  # aware, UTC; one moment for the whole request
    connect: Connect
    token_key: bytes
    sealer: "Sealer | None" = None  # None: there is nothing to seal secrets with, and none may be kept
    settings: Settings = Settings()
    poke: Callable[[str], None] = nobody  # has a chore of the workers done soon; after the transaction, not in it
    ingest: Ingest | None = None  # None: nothing can be handed in
    origin: str = ""  # where the caller reached us: `https://inspector.example:8443`

    @property
    def account_id(self) -> str:
        """The caller's account."""
        return self.principal.account_id

    def page(self, asked: Mapping[str, Any]) -> Page:
        """Where the caller is in a list, and how much is wanted; its `token` leads on.

        Raises:
            ValidationFailed: A token that isn't ours, or is for another question.
        """
        return open_page(self.token_key, Scope.of(self.operation, self.account_id, asked), asked)


Handler = Callable[[Context, dict[str, Any]], dict[str, Any]]
"""Parsed and validated input (str, int, float, bool, list, dict, bytes, aware datetime) to output of the same kinds."""
