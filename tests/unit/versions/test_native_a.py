"""Our keys agree with the tools whose rules they follow."""

import subprocess
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from openinspector.errors import VersionError
from openinspector.versions.order import compare, scheme

spec = spec_from_file_location("natives_a", Path(__file__).with_name("natives_a.py"))
natives = module_from_spec(spec)
spec.loader.exec_module(natives)

pytestmark = pytest.mark.native
PAIRS = 5_000


def answers(native, pairs):
    try:
        return native(pairs)
    except natives.Missing as missing:
        pytest.skip(str(missing))


def disagreements(name, pairs, native):
    said = answers(native, pairs)
    assert len(said) == len(pairs)
    return [(a, b, theirs) for (a, b), theirs in zip(pairs, said, strict=True) if compare(name, a, b) != theirs]


@pytest.mark.parametrize("name", natives.NATIVES)
def test_a_scheme_agrees_with_its_native_tool(name):
    assert disagreements(name, natives.random_pairs(name, PAIRS, seed=1), natives.NATIVES[name]) == []


@pytest.mark.parametrize("name", ["cargo", "hex", "swift", "go"])
def test_the_semver_schemes_agree_with_node_where_the_rule_is_the_same(name):
    assert disagreements(name, natives.random_pairs("npm", PAIRS, seed=2), natives.npm) == []


def test_dpkg_and_our_deb_scheme_refuse_the_same_versions():
    try:
        natives.tool("dpkg")
    except natives.Missing as missing:
        pytest.skip(str(missing))
    bad = [
        "1.0-",
        ":1",
        "1:",
        "1.0-1:2",
        "1:1.0-1:2",
        "1_0",
        "1.0 1",
        "2147483648:1",
        "x:1",
        "1.0é",
        "1,0",
        "1:-1",
        "1%",
    ]
    good = ["1", " 1.0 ", "1:1:1", "2147483647:1", "1.0-~", "1~", "1--1", "0:0-0", "1.0+~.x-1"]
    for version in bad + good:
        answer = subprocess.run(["dpkg", "--validate-version", version], check=False, capture_output=True)
        try:
            scheme("deb").key(version)
            ours = True
        except VersionError:
            ours = False
        assert ours == (answer.returncode == 0), version
