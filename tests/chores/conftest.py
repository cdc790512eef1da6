"""The circumstances of a chore, over a real database."""

from pathlib import Path

import pytest
from sqlalchemy import delete
from tests.edge.postgres import postgres, template  # noqa: F401
from tests.service.callers import REGION, Clock

from openinspector.pipeline.contract import Work
from openinspector.pipeline.settings import Settings
from openinspector.store.database import connect_embedded
from openinspector.store.sealing import Sealer
from openinspector.store.tables import metadata


@pytest.fixture(scope="session")
def kept(postgres, template):  # noqa: F811
    """A database for all tests: to make one for each takes longer than most of them."""
    with connect_embedded(postgres, database=template, pool=4) as made:
        yield made


@pytest.fixture
def database(kept):
    """An empty `Database`."""
    yield kept
    with kept.system() as connection:
        for table in metadata.tables.values():
            if table.name != "audit":
                connection.execute(delete(table))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def poked():
    """The names of the chores that were poked."""
    return []


@pytest.fixture
def work(database, clock, poked, tmp_path):
    """Makes the circumstances, with what is otherwise."""

    def no_advisories():
        raise AssertionError("this test has no advisories")

    def make(**more):
        told = {
            "database": database,
            "region": REGION,
            "data": Path(tmp_path),
            "settings": Settings(),
            "advisories": no_advisories,
            "sealer": Sealer([b"s" * 32]),
            "clock": clock,
            "poke": poked.append,
        }
        return Work(**(told | more))

    return make
