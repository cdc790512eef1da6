"""pypi, maven, gem, nuget, composer: the kept cases, and what each scheme refuses."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from openinspector.errors import VersionError
from openinspector.versions.order import compare, scheme

CASES = Path(__file__).resolve().parents[2] / "cases" / "versions"
SCHEMES = ("pypi", "maven", "gem", "nuget", "composer")


def cases(name: str) -> Iterator[tuple[str, str, str]]:
    for line in (CASES / f"{name}.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            a, sign, b = line.split(" ")
            yield a, sign, b


@pytest.mark.parametrize("name", SCHEMES)
def test_every_kept_case_holds(name):
    broken = []
    for a, sign, b in cases(name):
        expected = {"<": -1, "=": 0}[sign]
        if (compare(name, a, b), compare(name, b, a)) != (expected, -expected):
            broken.append(f"{a} {sign} {b}")
    assert broken == []


@pytest.mark.parametrize("name", SCHEMES)
def test_there_are_three_hundred_cases(name):
    assert len(list(cases(name))) >= 300


UNREADABLE = {
    "pypi": (
        *("", " ", "a", "1.", ".1", "1..2", "1.0-final", "2004d", "1.0.x", "1.0+", "1.0+a+b", "1.0+é", "1.0 1", "1!!2"),
        *("1.0a1a2", "0.9-stable", "vv1", "١.٠", "1.0\x00", "1.0 rc1", "latest", "1.0post1post2", "2019-09-12"),
    ),
    "gem": (
        "a",
        "1.",
        ".1",
        "1..2",
        "1.0+1",
        "1_0",
        "v1",
        "1.é",
        "1.0 1",
        "1-",
        "1-a..b",
        "1-.a",
        "1.0-a_b",
        "١",
        "1.0\x00",
    ),
    "nuget": (
        *(
            "",
            " ",
            "a",
            "v1.0",
            "1.",
            ".1",
            "1..2",
            "1.2.3.4.5",
            "1.0-",
            "1.0+",
            "1.0-a+",
            "1.0-a..b",
            "1.0-+b",
            "-1.0",
        ),
        *(
            "1.0-beta.01",
            "1.0-00",
            "2147483648",
            "1.0.0.99999999999999999999",
            "1.0_1",
            "1.0-é",
            "1.0+a+b",
            "1.x",
            "١.٠",
        ),
    ),
    "composer": (
        *("", " ", "a", ".1", "1..2", "1.2.3.4.5", "1.0-foo", "1.0 1", "1.0-dev1", "1.5.7c", "foo-dev"),
        *(
            "1" * 30,
            "1.x",
            "1.0-beta..1",
            "6.0.0-GM",
            "1.0.0.0.x-dev",
            "2010-1-02",
            "x-dev",
            "1.0 as",
            "١.٠",
            "^1.0",
            ">=1",
        ),
    ),
}


@pytest.mark.parametrize(
    ("name", "version"), [(name, version) for name, given in UNREADABLE.items() for version in given]
)
def test_what_the_native_tool_refuses_is_refused(name, version):
    with pytest.raises(VersionError) as caught:
        scheme(name).key(version)
    assert name in str(caught.value)


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_error_about_a_megabyte_is_short(name):
    with pytest.raises(VersionError) as caught:
        scheme(name).key("1." + "~" * 2**20)
    assert len(str(caught.value)) < 250


def test_maven_reads_any_text():
    texts = ["", "-", ".", "1", "a", "[1,2)", "é", "\ud800", "\x00", "1" * 5000]
    keys = {scheme("maven").key(text) for text in texts}
    assert len(keys) == len(texts) - 2, "only the first three are one version"


@pytest.mark.parametrize("version", ["1.a-1", "1.x.1", "1.0.alpha.1", "1-0-alpha", "x", "x1", "1.sp-1", "1a0b1"])
def test_versions_in_a_circle_of_mavens_order_are_odd(version):
    rule = scheme("maven")
    assert rule.odd is not None
    assert rule.odd(version)


@pytest.mark.parametrize(
    "version",
    [
        "1",
        "1.0.0-rc1",
        "1.0.Final",
        "1-SNAPSHOT",
        "2.0.1-xyz-123",
        "31.1-jre",
        "9.4.0.v20161208",
        "1.0.jbossorg-1",
        "1-a.b",
    ]
    + [
        "4.1.0.Final-redhat-00001",
        "1.0-alpha.1",
        "1.0.0.RELEASE",
        "1.0-20200101.120000-3",
        "1.2.3.4.Beta1",
        "1.0b3",
        "",
    ],
)
def test_usual_maven_versions_are_not_odd(version):
    rule = scheme("maven")
    assert rule.odd is not None
    assert not rule.odd(version)


def test_maven_keys_of_versions_that_are_not_odd_are_in_exact_order():
    rule = scheme("maven")
    assert rule.odd is not None
    assert rule.compare is not None
    found = {version for a, _, b in cases("maven") for version in (a, b)}
    plain = sorted(version for version in found if not rule.odd(version))
    assert len(plain) > 200
    plain = plain[::3]
    for a, b in combinations(plain, 2):
        key_a, key_b = rule.key(a), rule.key(b)
        assert rule.compare(a, b) == (key_a > key_b) - (key_a < key_b), (a, b)


def test_maven_orders_text_by_java_units_of_16_bits():
    assert compare("maven", "1-\U0001f600", "1-\uffee") == -1, "a surrogate pair sorts below U+E000 and above"
    assert compare("maven", "1-a\x00", "1-a") == 1
    assert compare("maven", "1.٣", "1.3") == 0, "Java takes other scripts' digits for digits"


def test_distinct_composer_branches_are_distinct():
    assert compare("composer", "dev-foo", "dev-bar") != 0
    assert compare("composer", "dev-foo", "DEV-foo") == 0
    assert compare("composer", "dev-foo", "dev-Foo") != 0


def test_composer_patterns_stop_at_a_last_line_break_as_phps_do():
    assert compare("composer", "1.0\n@beta", "1.0") == 0
    assert compare("composer", "x\n1.x-dev", "1.x-dev") == 0
