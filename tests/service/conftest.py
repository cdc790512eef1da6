"""boto3 clients of accounts, at a service with handlers over a real database, served on a loopback port."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.config import Config
from sqlalchemy import delete
from tests.edge.postgres import postgres, template  # noqa: F401
from tests.unit.api.server import serving

from openinspector.api.context import Principal
from openinspector.api.handlers import Offer
from openinspector.api.operations import cis_configurations, coverage, filters, tags, usage, vulnerabilities
from openinspector.api.service import Circumstances, Service
from openinspector.store.database import connect_embedded
from openinspector.store.tables import metadata

MODULES = (cis_configurations, coverage, filters, tags, usage, vulnerabilities)
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


@pytest.fixture(scope="session")
def kept(postgres, template):  # noqa: F811
    """A database for all tests: to make one for each takes longer than most of them."""
    with connect_embedded(postgres, database=template, pool=2) as made:
        yield made


@pytest.fixture
def database(kept):
    """An empty `Database`."""
    yield kept
    with kept.system() as connection:
        for table in metadata.tables.values():
            if table.name != "audit":  # whose rows nobody deletes; nothing here writes any
                connection.execute(delete(table))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def client(database, clock):
    """Makes a client of an account."""
    circumstances = Circumstances(
        authenticator=ByKey(),
        connect=database.transaction,
        region=REGION,
        token_key=b"k" * 32,
        clock=clock,
        check_output=True,
    )
    handlers = {name: handler for module in MODULES for name, handler in module.OPERATIONS.items()}
    made = []
    with serving(Service(Offer(handlers, {}), circumstances)) as address:

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
