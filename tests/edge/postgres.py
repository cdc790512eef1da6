"""A real PostgreSQL for tests: one server a session (of each xdist worker), a database of its own for each test.

Have it in a folder by importing the fixtures in its conftest.py:

    from tests.edge.postgres import database, postgres, template  # noqa: F401
"""

import itertools
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from openinspector.store.database import connect_embedded
from openinspector.store.embedded import start

UNSAFE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "64MB"}

_ENOUGH = 2 << 30  # bytes of memory that may be a disk

_numbers = itertools.count()


def data_folder() -> Path:
    """A new folder for a server: in memory where there is enough of it, for a disk may be anybody's.

    Not below pytest's own folder: that is closed to the user that the server runs as where we are root.
    """
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ENOUGH
    return Path(tempfile.mkdtemp(prefix="openinspector-test-", dir=memory if roomy else None))


@pytest.fixture(scope="session")
def postgres():
    """A running server, `EmbeddedPostgres`."""
    folder = data_folder()
    try:
        with start(folder, UNSAFE) as server:
            yield server
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def template(postgres):
    """The name of a database with the schema and nothing in it, to be copied."""
    postgres.make_database("pattern")
    connect_embedded(postgres, database="pattern").close()
    return "pattern"


@pytest.fixture
def database(postgres, template):
    """An empty `Database`."""
    name = f"test_{next(_numbers)}"
    postgres.make_database(name, template)
    with connect_embedded(postgres, database=name, pool=2) as made:
        yield made
