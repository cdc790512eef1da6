"""What every test may ask for."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

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
