"""boto3 clients of accounts at a service on a loopback port, whose clock a test sets."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from tests.unit.api.server import serving

from openinspector.api.context import Principal
from openinspector.api.handlers import Offer
from openinspector.api.service import Circumstances, Service

REGION = "us-east-1"
START = datetime(2026, 3, 2, 10, 15, 30, tzinfo=UTC)


class ByKey:
    """The caller is the account that its access key id names."""

    def authenticate(self, request):
        account = request.header("authorization").partition("Credential=")[2].partition("/")[0]
        return Principal(account_id=account, key_id=account, role="admin")


class Clock:
    """A clock that a test moves on."""

    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now

    def forward(self, **time):
        self.now += timedelta(**time)


@contextmanager
def clients(modules, database, clock, **more: Any) -> Iterator[Callable[[str], Any]]:
    """Makes clients of accounts, of a service with the handlers of some modules."""
    circumstances = Circumstances(
        authenticator=ByKey(),
        connect=database.transaction,
        region=REGION,
        token_key=b"k" * 32,
        clock=clock,
        **{"check_output": True} | more,
    )
    handlers = {name: handler for module in modules for name, handler in module.OPERATIONS.items()}
    made = []
    with serving(Service(Offer(handlers, {}), circumstances)) as address:

        def of(account):
            each = boto3.client(
                "inspector2",
                region_name=REGION,
                endpoint_url=address,
                aws_access_key_id=account,
                aws_secret_access_key="secret",
                config=Config(retries={"total_max_attempts": 1}, read_timeout=120, parameter_validation=False),
            )
            made.append(each)
            return each

        yield of
        for each in made:
            each.close()
