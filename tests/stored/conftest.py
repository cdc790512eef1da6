"""boto3 clients of accounts, at a service with the handlers of what is stored and served, over a real database."""

import pytest
from tests.service.callers import Clock, clients

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


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sealer():
    return Sealer([b"s" * 32])


@pytest.fixture
def client(database, clock, sealer):
    """Makes a client of an account."""
    with clients(MODULES, database, clock, sealer=sealer) as of:
        yield of
