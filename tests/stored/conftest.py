"""boto3 clients of accounts, at a service with the handlers of what is stored and served, over a real database."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.config import Config
from tests.edge.postgres import database, postgres, template  # noqa: F401
from tests.unit.api.server import serving

from openinspector.api.context import Principal
from openinspector.api.handlers import Offer
from openinspector.api.operations import (
    cis_configurations,
    cis_results,
    cis_sessions,
    clusters,
    code_security,
    code_snippets,
    connectors,
    on_demand,
    tags,
)
from openinspector.api.service import Circumstances, Service
from openinspector.store.sealing import Sealer

MODULES = (
    cis_configurations,
    cis_results,
    cis_sessions,
    clusters,
    code_security,
    code_snippets,
    connectors,
    on_demand,
    tags,
)
REGION = "us-east-1"
START = datetime(2026, 3, 2, 10, 15, 30, tzinfo=UTC)


class ByKey:
    """The caller is the account that its access key id names."""

    def authenticate(self, request):
        account = request.header("authorization").partition("Credential=")[2].partition("/")[0]
        return Principal(account_id=account, key_id=account, role="admin")


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now

    def forward(self, **time):
        self.now += timedelta(**time)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sealer():
    return Sealer([b"s" * 32])


@pytest.fixture
def client(database, clock, sealer):  # noqa: F811
    """Makes a client of an account."""
    service = Service(
        Offer({name: handler for module in MODULES for name, handler in module.OPERATIONS.items()}, {}),
        Circumstances(
            authenticator=ByKey(),
            connect=database.transaction,
            region=REGION,
            token_key=b"k" * 32,
            clock=clock,
            check_output=True,
            sealer=sealer,
        ),
    )
    made = []
    with serving(service) as address:

        def of(account):
            each = boto3.client(
                "inspector2",
                region_name=REGION,
                endpoint_url=address,
                aws_access_key_id=account,
                aws_secret_access_key="secret",
                config=Config(retries={"total_max_attempts": 1}, read_timeout=20, parameter_validation=False),
            )
            made.append(each)
            return each

        yield of
        for each in made:
            each.close()
