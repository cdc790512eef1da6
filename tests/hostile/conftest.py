"""The sandbox of each hostile test."""

import pytest
from tests.hostile.sandbox import Sandbox, start

from openinspector.model.advisory import Advisory, Affected, Range
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.part import write_part


@pytest.fixture(scope="session")
def zygote():
    with start() as running:
        yield running
        running.stdin.close()


@pytest.fixture(scope="session")
def advisories(tmp_path_factory):
    """An advisory file in which everything called `victim` is affected."""
    folder = tmp_path_factory.mktemp("advisories")
    spaces = ("pypi", "npm", "debian:12", "maven")
    affected = tuple(Affected(namespace=each, name="victim", ranges=(Range(fixed="9"),)) for each in spaces)
    write_part(folder / "part.sqlite", [Advisory(id="CVE-2021-44228", affected=affected)])
    state = FeedState(name="osv", revision=1, digest="d", fetched="", parts=(folder / "part.sqlite",))
    compile_parts(folder / "a.sqlite", (state,), {"built": "now"})
    return folder / "a.sqlite"


@pytest.fixture
def sandbox(zygote, tmp_path, advisories):
    folder = tmp_path / "sandbox"
    folder.mkdir()
    return Sandbox(zygote, folder, advisories)
