"""boto3 clients of several accounts at one service over a real database."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from tests.unit.api.server import serving

from openinspector.api.context import Handler, Principal, Request
from openinspector.api.handlers import Offer
from openinspector.api.service import Circumstances, Service
from openinspector.store.account_tables import (
    account,
    account_scan_type,
    client_token,
    delegated_admin,
    encryption_key,
    member,
    organization,
)
from openinspector.store.database import Database, connect_embedded

REGION = "us-east-1"
NOW = datetime(2026, 5, 15, 21, 11, 8, tzinfo=UTC)
MANAGEMENT, ADMIN, ONE, TWO = "100000000001", "200000000002", "300000000003", "400000000004"
STRANGER = "900000000009"

_TABLES = (account, account_scan_type, client_token, delegated_admin, encryption_key, member, organization)
_numbers = itertools.count()


class Clock:
    """A moment that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **much: float) -> None:
        self.now += timedelta(**much)


class ByKey:
    """Takes the id of the access key for the account, as its admin."""

    def authenticate(self, request: Request) -> Principal:
        account = (request.header("authorization") or "").partition("Credential=")[2].partition("/")[0]
        return Principal(account_id=account, key_id=account, role="admin")


class Callers:
    """`callers[account]` is that account's client."""

    def __init__(self, address: str, clock: Clock, database: Database) -> None:
        self._address = address
        self._clients: dict[tuple[str, str], Any] = {}
        self.clock = clock
        self.database = database

    def __getitem__(self, account: str) -> Any:
        return self.at(account, REGION)

    def at(self, account: str, region: str) -> Any:
        if (account, region) not in self._clients:
            self._clients[account, region] = boto3.client(
                "inspector2",
                region_name=region,
                endpoint_url=self._address,
                aws_access_key_id=account,
                aws_secret_access_key="secret",
                config=Config(retries={"total_max_attempts": 1}, read_timeout=120, parameter_validation=False),
            )
        return self._clients[account, region]

    def forget(self) -> None:
        """Back to the beginning: no account has set anything, and it is `NOW`."""
        self.clock.now = NOW
        with self.database.system() as connection:
            for table in _TABLES:
                connection.execute(table.delete())

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


@contextmanager
def calling(postgres: Any, template: str, *handlers: Mapping[str, Handler]) -> Iterator[Callers]:
    """Callers of a service with these handlers, over a database of its own."""
    name = f"operations_{next(_numbers)}"
    postgres.make_database(name, template)
    clock = Clock()
    answered = {name: handler for some in handlers for name, handler in some.items()}
    with connect_embedded(postgres, database=name, pool=4) as database:
        on = Circumstances(
            authenticator=ByKey(),
            connect=database.transaction,
            region=REGION,
            token_key=b"k" * 32,
            clock=clock,
            check_output=True,
        )
        with serving(Service(Offer(answered, {}), on)) as address:
            callers = Callers(address, clock, database)
            try:
                yield callers
            finally:
                callers.close()
