"""The cases of deb, rpm, apk, the semver family and Go; and what each of them refuses."""

from pathlib import Path

import pytest

from openinspector.errors import VersionError
from openinspector.versions.contract import Scheme
from openinspector.versions.order import compare, scheme

CASES = Path(__file__).parents[2] / "cases" / "versions"
NAMES = ["deb", "rpm", "apk", "npm", "cargo", "hex", "swift", "pub", "go", "gotoolchain"]


def cases(name):
    for line in (CASES / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            sign = " < " if " < " in line else " = "
            a, b = line.split(sign)
            yield a, b, -1 if sign == " < " else 0


@pytest.mark.parametrize("name", NAMES)
def test_the_cases_of_a_scheme_hold_in_both_directions(name):
    rows = list(cases(name))
    wrong = [row for row in rows if compare(name, row[0], row[1]) != row[2] or compare(name, row[1], row[0]) != -row[2]]
    assert rows
    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
def test_a_scheme_is_called_like_its_module(name):
    plugin = scheme(name)
    assert isinstance(plugin, Scheme)
    assert plugin.name == name
    assert plugin.compare is plugin.odd is None


REFUSED = {
    "deb": [
        "",
        " ",
        "1.0-",
        "-1",
        ":1",
        "1:",
        "a:1",
        "1:-1",
        "1.0-1:2",
        "1:1-1:2",
        "1_0",
        "1 0",
        "1,0",
        "1\0",
        "é",
        "²:1",
        "1²",
    ],
    "rpm": ["", "1\x000"],
    "apk": [
        "",
        "a",
        "1.",
        "1..2",
        ".1",
        "1.0-1",
        "1.0-r",
        "1.0r1.r",
        "1.0_foo",
        "1.0_pre1a",
        "1.0~",
        "1.0~g",
        "1.0~A",
        "1.0ab",
    ]
    + [
        "4.8.0.-r1",
        "1.11-20-r0",
        "10.2.22.r0",
        "2021-03-27-r5",
        "1.0-r1_p1",
        "1.0-r1-r1",
        "1.0_",
        "1.0 ",
        "1.0\n",
        "1.²",
    ],
    "npm": [
        "",
        "x",
        "1.",
        "1.2.",
        "1.2.3.4",
        "1.2.3-",
        "1.2.3+",
        "1.2.3-a..b",
        "1.2-a",
        "1.2.3beta",
        "latest",
        "^1.2.3",
        "1.x",
    ]
    + ["1.2.3-a_b", "1.2.3+a+b", "²", "1.2.3-é", "==1", "vv1", "git+ssh://git@host/x.git#abc", "1.2.3\0"],
    "cargo": ["", "01.2.3", "1.2.3-01", "1.2.3-0.01", "v1.2.3", "=1.2.3", " 1.2.3", "1.2.3-", "1.2.3.4", "1.2.3\n"],
    "hex": ["", "01.2.3", "1.2.3-01", "v1.2.3", "1.2.3-", "1.2.3.4"],
    "swift": ["", "01.2.3", "1.2.3-01", "vv1.2.3", "1.2.3-", "1.2.3.4", "main"],
    "pub": ["", "v1.2.3", "1.2.3-", "1.2.3+", "1.2.3.4", "any", "1.2.3-a..b", "1.2.3+a+b"],
    "go": ["", "v", "v01.2.3", "v1.2.3-01", "v1-pre", "v1.2+meta", "(devel)", "latest", "v1.2.3.4", "go1.21"],
    "gotoolchain": [
        "",
        "go",
        "1.",
        "go01.2",
        "go1.02",
        "devel go1.22-abcdef",
        "go1.21RC1",
        "go1.21rc01",
        "go1.21.3rc1",
        "go1.2.3.4",
    ]
    + ["default", "local", "go1.x", "go1.21.0b", "1.²"],
}


@pytest.mark.parametrize(
    ("name", "version"), [(name, version) for name, versions in REFUSED.items() for version in versions]
)
def test_what_a_scheme_cannot_read_is_a_version_error(name, version):
    with pytest.raises(VersionError, match=f"scheme {name}"):
        scheme(name).key(version)


def test_the_error_for_a_megabyte_is_short():
    with pytest.raises(VersionError) as caught:
        scheme("apk").key("x" * 1_000_000)
    assert len(str(caught.value)) < 300


def test_a_memory_of_parts_stays_bounded():
    from openinspector.versions import keys

    remembered = keys.Remembered(keys.number)
    for n in range(keys.REMEMBERED_PARTS + 10):
        assert remembered[str(n)] == keys.number(str(n))
    assert len(remembered) <= keys.REMEMBERED_PARTS
    assert remembered["1" * 40] == keys.number("1" * 40)
    assert "1" * 40 not in remembered


def test_a_release_sorts_above_no_release_and_an_epoch_decides_first():
    assert compare("rpm", "1.0", "1.0-0") == -1
    assert compare("rpm", "0:1.0-1", "1.0-1") == 0
    assert compare("rpm", "1:0.1-1", "9.9-1") == 1
