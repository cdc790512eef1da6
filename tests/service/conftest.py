"""boto3 clients of accounts, at a service with handlers over a real database, served on a loopback port."""

import pytest
from sqlalchemy import delete
from tests.edge.postgres import postgres, template  # noqa: F401
from tests.service.callers import Clock, clients

from openinspector.api.operations import cis_configurations, coverage, filters, tags, usage, vulnerabilities
from openinspector.store.database import connect_embedded
from openinspector.store.tables import metadata

MODULES = (cis_configurations, coverage, filters, tags, usage, vulnerabilities)


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
    with clients(MODULES, database, clock) as of:
        yield of
