"""Advisory files, one after the other, and where generations of them are kept."""

import pytest

from openinspector.store.advisories import AdvisoryFile
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.kept_generations import KeptGenerations
from openinspector.store.part import write_part


@pytest.fixture
def compiled(tmp_path):
    """Makes an advisory file of feeds with records; each is newer than the one before."""
    opened = []

    def make(feeds, day=None, name=""):
        number = len(opened)
        folder = tmp_path / f"advisories-{number}"
        folder.mkdir()
        states = []
        for feed, records in feeds.items():
            part = folder / f"{feed}.sqlite"
            write_part(part, records)
            digest = f"d{name or number}{records}"
            states.append(FeedState(name=feed, revision=1, digest=digest, fetched="", parts=(part,)))
        built = f"2026-03-{(number if day is None else day) + 1:02}T00:00:00Z"
        compile_parts(folder / "advisories.sqlite", states, {"built": built})
        opened.append(AdvisoryFile(folder / "advisories.sqlite"))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def kept(tmp_path):
    return KeptGenerations(tmp_path)
