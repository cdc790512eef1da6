"""Sets of versions from package managers' requirements."""

import pytest

from openinspector.errors import VersionError
from openinspector.feeds.intervals import Interval, gem_interval, npm_intervals, without
from openinspector.model.advisory import Range
from openinspector.versions.order import scheme

GEM = scheme("gem").key
NPM = scheme("npm").key


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        (">= 1.8.1", Interval(lo="1.8.1")),
        ("> 1.8.1", Interval(lo="1.8.1", after=True)),
        ("< 2", Interval(hi="2")),
        ("<= 2", Interval(hi="2", through=True)),
        ("= 2.1", Interval(lo="2.1", hi="2.1", through=True)),
        ("2.1", Interval(lo="2.1", hi="2.1", through=True)),
        ("~> 3.2.9", Interval(lo="3.2.9", hi="3.3.a")),
        ("~> 3", Interval(lo="3", hi="4.a")),
        ("~> 1.2.0.rc1", Interval(lo="1.2.0.rc1", hi="1.3.a")),
        ("~> 5.2.4, >= 5.2.4.3", Interval(lo="5.2.4.3", hi="5.3.a")),
        (">= 5.2.4.3, ~> 5.2.4", Interval(lo="5.2.4.3", hi="5.3.a")),
        (">= 1.0, < 1.4", Interval(lo="1.0", hi="1.4")),
    ],
)
def test_a_gems_requirement_is_an_interval(requirement, expected):
    assert gem_interval(requirement, GEM) == expected


@pytest.mark.parametrize("requirement", ["", "what", "!= 1.0", ">=", "~> a.1", ">= 1,,"])
def test_what_is_no_requirement_of_a_gem_is_an_error(requirement):
    with pytest.raises(VersionError):
        gem_interval(requirement, GEM)


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ("*", (Interval(),)),
        ("", (Interval(),)),
        ("8.x", (Interval(lo="8.0.0", hi="9.0.0-0"),)),
        ("8", (Interval(lo="8.0.0", hi="9.0.0-0"),)),
        ("1.2.*", (Interval(lo="1.2.0", hi="1.3.0-0"),)),
        ("^8.1.4", (Interval(lo="8.1.4", hi="9.0.0-0"),)),
        ("^0.2.3", (Interval(lo="0.2.3", hi="0.3.0-0"),)),
        ("^0.0.3", (Interval(lo="0.0.3", hi="0.0.4-0"),)),
        ("~1.6.5", (Interval(lo="1.6.5", hi="1.7.0-0"),)),
        ("~1", (Interval(lo="1.0.0", hi="2.0.0-0"),)),
        ("2.1.4", (Interval(lo="2.1.4", hi="2.1.4", through=True),)),
        ("= 2.1.4", (Interval(lo="2.1.4", hi="2.1.4", through=True),)),
        ("v2.1.4", (Interval(lo="2.1.4", hi="2.1.4", through=True),)),
        ("<=0.3.8", (Interval(hi="0.3.8", through=True),)),
        ("<2", (Interval(hi="2.0.0-0"),)),
        ("<=2", (Interval(hi="3.0.0-0"),)),
        (">2", (Interval(lo="3.0.0"),)),
        (">2.0.1", (Interval(lo="2.0.1", after=True),)),
        (">= 1.7.0-alpha3", (Interval(lo="1.7.0-alpha3"),)),
        (">=1.7.1 <=1.8.3", (Interval(lo="1.7.1", hi="1.8.3", through=True),)),
        (">=1.0.0 >=1.5.0 <3.0.0 <2.0.0", (Interval(lo="1.5.0", hi="2.0.0"),)),
        ("1.2.0 - 1.4.5", (Interval(lo="1.2.0", hi="1.4.5", through=True),)),
        ("1.2 - 1.4", (Interval(lo="1.2.0", hi="1.5.0-0"),)),
        (
            ">=1.10.4 <1.11.0 || >=1.16.0",
            (Interval(lo="1.10.4", hi="1.11.0"), Interval(lo="1.16.0")),
        ),
    ],
)
def test_a_range_of_npm_is_intervals(requirement, expected):
    assert npm_intervals(requirement, NPM) == expected


@pytest.mark.parametrize("requirement", ["what", ">=", "1.2.3.4", "1 ||" * 1000, "1 $ 2"])
def test_what_is_no_range_of_npm_is_an_error(requirement):
    with pytest.raises(VersionError):
        npm_intervals(requirement, NPM)


def interval(text):
    (found,) = npm_intervals(text, NPM)
    return found


@pytest.mark.parametrize(
    ("affected", "safe", "expected"),
    [
        (["*"], [], (Range(),)),
        (["*"], ["*"], None),
        (["*"], [">=2.0.0"], (Range(fixed="2.0.0"),)),
        (["*"], [">2.0.0"], (Range(last_affected="2.0.0"),)),
        (["*"], ["<1.0.0", ">=2.0.0"], (Range(introduced="1.0.0", fixed="2.0.0"),)),
        (["*"], ["<=1.0.0"], (Range(after="1.0.0"),)),
        (["*"], ["1.0.0"], (Range(fixed="1.0.0"), Range(after="1.0.0"))),
        (["<=1.0.0"], ["<0.0.0"], (Range(introduced="0.0.0", last_affected="1.0.0"),)),
        (["8.x"], ["^8.1.4"], (Range(introduced="8.0.0", fixed="8.1.4"),)),
        (["1.x", "2.x"], [], (Range(introduced="1.0.0", fixed="2.0.0-0"), Range(introduced="2.0.0", fixed="3.0.0-0"))),
        (["<2.0.0", "<3.0.0"], [], (Range(fixed="3.0.0"),)),
        (["<3.0.0"], [">=1.0.0 <2.0.0"], (Range(fixed="1.0.0"), Range(introduced="2.0.0", fixed="3.0.0"))),
        (["<1.0.0"], [">=2.0.0"], (Range(fixed="1.0.0"),)),
        ([">=3.0.0 <2.0.0"], [], None),
    ],
)
def test_one_set_without_another(affected, safe, expected):
    assert without([interval(each) for each in affected], [interval(each) for each in safe], NPM) == expected


def test_too_many_intervals_are_an_error():
    with pytest.raises(VersionError):
        without([Interval(lo="1")] * 300, [], NPM)
