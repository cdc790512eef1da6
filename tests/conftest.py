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
