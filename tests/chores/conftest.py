"""The circumstances of a chore, over a real database."""

from pathlib import Path

import pytest
from tests.service.callers import REGION, Clock

from openinspector.pipeline.contract import Work
from openinspector.pipeline.settings import Settings
from openinspector.store.sealing import Sealer


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
