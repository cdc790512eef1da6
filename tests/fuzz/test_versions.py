"""Whatever is written for a version, a scheme gives a key or a `VersionError`, within bounds."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import strategies as st
from tests.fuzz.drive import drive
from tests.fuzz.mutations import STEPS, damaged

from openinspector.errors import VersionError
from openinspector.plugins import discover
from openinspector.versions import schemes

SCHEMES = discover(schemes)
CASES = Path(__file__).parents[1] / "cases" / "versions"


@cache
def seeds_of(name):
    file = CASES / f"{name}.txt"
    if not file.is_file():
        pytest.fail(f"the scheme {name} has no cases: write tests/cases/versions/{name}.txt")
    lines = [line.split("#")[0].split() for line in file.read_text().splitlines()]
    return sorted({word for words in lines for word in words if word not in ("<", "=", ">")})


@pytest.mark.parametrize("name", SCHEMES)
def test_nothing_but_a_key_or_our_error(name):
    scheme = SCHEMES[name]

    def check(example):
        seed, steps, text = example
        for version in (damaged(seed.encode(), steps).decode("utf-8", "surrogateescape"), text):
            try:
                assert isinstance(scheme.key(version), bytes)
                if scheme.odd is not None and scheme.odd(version) and scheme.compare is not None:
                    assert scheme.compare(version, version) == 0
            except VersionError as error:
                assert len(str(error)) < 2000

    drive(st.tuples(st.sampled_from(seeds_of(name)), STEPS, st.text(max_size=30)), check)
