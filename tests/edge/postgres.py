"""A real PostgreSQL for tests: one server a session (of each xdist worker), and a database that each test gets empty.

tests/conftest.py has the fixtures for everybody: imported a second time, they would be a second server.
"""

import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

UNSAFE = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
    "autovacuum": "off",  # what it counts, and when, would choose other plans in each run
}

REMOVAL_SECONDS = 60

_PREFIX = "openinspector-test-"
_ENOUGH = 2 << 30  # bytes of memory that may be a disk

# As the owner, and as no trigger and no foreign key minds it. What is large is cut off, which leaves no dead rows.
_EMPTY = """
DO $$
DECLARE
    each regclass;
    is_used boolean;
BEGIN
    FOREACH each IN ARRAY '{tables}'::regclass[] LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', each) INTO is_used;
        IF pg_relation_size(each) > 1000000 THEN
            EXECUTE format('TRUNCATE %s CASCADE', each);
        ELSIF is_used THEN
            EXECUTE format('DELETE FROM %s', each);
        END IF;
    END LOOP;
END $$
"""
_TABLES = """
SELECT c.oid::regclass::text FROM pg_class c
WHERE c.relkind = 'r' AND c.relnamespace IN ('openinspector'::regnamespace, 'openinspector_queue'::regnamespace)
"""


def data_folder() -> Path:
    """A new folder for a server: in memory where there is enough of it, for a disk may be anybody's.

    Not below pytest's own folder: that is closed to the user that the server runs as where we are root.
    """
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ENOUGH
    return _new_folder(memory if roomy else Path(tempfile.gettempdir()))


def _new_folder(base: Path) -> Path:
    """A folder that bears our number; those of tests that were killed are removed first."""
    for each in base.glob(f"{_PREFIX}*-*"):
        number = each.name.removeprefix(_PREFIX).partition("-")[0]
        try:
            os.kill(int(number), 0)
        except ProcessLookupError:
            shutil.rmtree(each, ignore_errors=True)  # what ends only now is still writing: the next will remove it
        except (ValueError, OSError):
            continue
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))


@contextmanager
def scratch():
    """A folder in which a service may have its data.

    Not below pytest's own folder: that is closed to the user that the database runs as where we are root. The database
    ends a moment after the last who used it, so it may still be writing when we are done.
    """
    folder = _new_folder(Path(tempfile.gettempdir()))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        end = time.monotonic() + REMOVAL_SECONDS
        while folder.exists():
            try:
                shutil.rmtree(folder)
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)


@pytest.fixture(scope="session")
def postgres():
    """A running server, `EmbeddedPostgres`."""
    from openinspector.store.embedded import start

    folder = data_folder()
    try:
        with start(folder, UNSAFE) as server:
            yield server
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def template(postgres):
    """The name of a database with the schema and nothing in it, to be copied. Nobody may be connected to it."""
    from openinspector.store.database import connect_embedded

    postgres.make_database("pattern")
    connect_embedded(postgres, database="pattern").close()
    return "pattern"


class Kept:
    """A database that is used again and again: `name`, and `database`, a `Database`."""

    def __init__(self, name, database, owner):
        self.name = name
        self.database = database
        self._owner = owner
        tables = [each for (each,) in owner.execute(_TABLES)]
        filled = [each for each in tables if owner.execute(f"SELECT EXISTS (SELECT FROM {each})").fetchone()[0]]
        self._empty = _EMPTY.replace("{tables}", "{" + ",".join(sorted({*tables} - {*filled})) + "}")

    def empty(self):
        """Takes everything out that wasn't there from the start."""
        self._owner.execute(self._empty)


@pytest.fixture(scope="session")
def kept_database(postgres, template):
    """The database that tests have one after the other, `Kept`: to make one for each takes longer than most of them."""
    import psycopg

    from openinspector.store.database import connect_embedded
    from openinspector.store.embedded import OWNER

    postgres.make_database("kept", template)
    address = postgres.url(OWNER, "kept").replace("postgresql+psycopg", "postgresql")
    # Whoever still has a transaction open when its test is over is found out, not waited for.
    options = "-c session_replication_role=replica -c lock_timeout=60s"
    with (
        psycopg.connect(address, autocommit=True, options=options) as owner,
        connect_embedded(postgres, database="kept", pool=4) as database,
    ):
        yield Kept("kept", database, owner)


@pytest.fixture
def database(kept_database):
    """An empty `Database`."""
    yield kept_database.database
    kept_database.empty()
