"""boto3 clients of accounts, at a service with handlers over a real database, served on a loopback port."""

import pytest
from tests.service.callers import Clock, clients

from openinspector.api.operations import cis_configurations, coverage, filters, tags, usage, vulnerabilities

MODULES = (cis_configurations, coverage, filters, tags, usage, vulnerabilities)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def client(database, clock):
    """Makes a client of an account."""
    with clients(MODULES, database, clock) as of:
        yield of
