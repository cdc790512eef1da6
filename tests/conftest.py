"""What every test may ask for."""

import functools
import os
from pathlib import Path

import pytest
from hypothesis import settings
from tests.edge.aws_server import _aws, aws  # noqa: F401
from tests.edge.postgres import database, kept_database, postgres, template  # noqa: F401

settings.register_profile("untimed", deadline=None)  # how long an example takes is the machine's affair
settings.load_profile("untimed")

REPOSITORY = Path(__file__).resolve().parent.parent

# What takes the longest, begun first where several processes share the files: none of it is to be left for the end.
LONGEST = (
    "store/test_rematch.py",
    "crash/test_kill.py",
    "service/test_every_operation.py",
    "edge/test_aws_cli.py",
    "chores/test_deliver.py",
    "store/test_find_many_accounts.py",
    "store/test_find_queries.py",
    "store/test_tallies.py",
    "edge/test_ingest_http.py",
    "chores/test_reports.py",
    "laws/test_osv_evaluation.py",
    "unit/feeds/test_osv.py",
    "labels/test_debian_by_dpkg.py",
    "laws/test_versions_a.py",
    "laws/test_versions_b.py",
    "laws/test_criteria.py",
    "edge/test_serve.py",
)


def pytest_collection_modifyitems(items):
    if "PYTEST_XDIST_WORKER" in os.environ:
        places = {REPOSITORY / "tests" / each: place for place, each in enumerate(LONGEST)}
        items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.fixture(scope="session")
def feeds_dir() -> Path:
    """The folder of real advisory feeds, or a skip that says where it was looked for."""
    folder = Path(os.environ.get("OPENINSPECTOR_TEST_FEEDS", REPOSITORY.parent / "shared" / "feeds"))
    if not (folder / "INDEX.md").is_file():
        pytest.skip(f"no folder of real feeds at {folder} (set OPENINSPECTOR_TEST_FEEDS)")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _models_are_read_once():
    """Botocore reads the models of its services, megabytes of JSON, again for each session: here once a process."""
    from botocore.loaders import JSONFileLoader

    read = functools.cache(functools.partial(JSONFileLoader.load_file, JSONFileLoader()))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(JSONFileLoader, "load_file", lambda _, path: read(path))
        yield
