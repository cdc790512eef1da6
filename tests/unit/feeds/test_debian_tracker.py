"""Debian's security tracker."""

import json
from io import BytesIO
from zipfile import ZipFile

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.debian_tracker import PLUGIN
from openinspector.model.advisory import Advisory, Range
from openinspector.model.problem import Problem


def parse(data):
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    return list(PLUGIN.parse(Document(path="debian/tracker.json", stream=BytesIO(text))))


def affected(codename="bookworm", **release):
    """What one release of one package comes to; None where it is a problem."""
    found = parse({"curl": {"CVE-2023-38545": {"releases": {codename: release}}}})
    advisory = next(each for each in found if isinstance(each, Advisory))
    return advisory.affected[0] if advisory.affected else None


@pytest.mark.parametrize(
    ("release", "state", "ranges", "severity", "note"),
    [
        ({"status": "resolved", "fixed_version": "7.88-1"}, "affected", (Range(fixed="7.88-1"),), "", ""),
        ({"status": "resolved", "fixed_version": "0", "urgency": "unimportant"}, "not_affected", (), "", ""),
        ({"status": "open", "urgency": "not yet assigned"}, "affected", (), "", ""),
        ({"status": "open", "urgency": "high**"}, "affected", (), "high", ""),
        ({"status": "open", "urgency": "unimportant"}, "unimportant", (), "", ""),
        (
            {"status": "resolved", "fixed_version": "2-1", "urgency": "unimportant"},
            "unimportant",
            (Range(fixed="2-1"),),
            "",
            "",
        ),
        ({"status": "open", "urgency": "end-of-life"}, "end_of_life", (), "", ""),
        ({"status": "undetermined", "urgency": "low"}, "under_investigation", (), "low", ""),
        ({"status": "open", "nodsa": "Minor issue", "nodsa_reason": ""}, "affected", (), "", "no DSA: Minor issue"),
        (
            {"status": "open", "nodsa": "Minor issue", "nodsa_reason": "postponed"},
            "deferred",
            (),
            "",
            "no DSA: Minor issue",
        ),
        (
            {"status": "open", "nodsa": "Too intrusive", "nodsa_reason": "ignored"},
            "will_not_fix",
            (),
            "",
            "no DSA: Too intrusive",
        ),
    ],
)
def test_a_status_is_a_state(release, state, ranges, severity, note):
    found = affected(**release)
    assert (found.state, found.ranges, found.severity, found.note) == (state, ranges, severity, note)
    assert (found.namespace, found.name, found.kind) == ("debian:12", "curl", "source")


@pytest.mark.parametrize(
    ("codename", "namespace"), [("buster", "debian:10"), ("trixie", "debian:13"), ("sid", "debian:sid")]
)
def test_a_code_name_is_a_release(codename, namespace):
    assert affected(codename, status="open").namespace == namespace


def test_a_flaw_of_several_packages_is_one_advisory():
    entry = {
        "description": "x" * 9999,
        "debianbug": 7,
        "releases": {"bookworm": {"status": "open", "repositories": {"a": "1"}}},
    }
    (advisory,) = parse({"curl": {"CVE-2023-1": entry}, "tiny-curl": {"CVE-2023-1": entry}})
    assert [each.name for each in advisory.affected] == ["curl", "tiny-curl"]
    assert len(advisory.description) == 2000
    assert advisory.url == "https://security-tracker.debian.org/tracker/CVE-2023-1"


def test_a_flaw_without_a_cve_goes_by_the_trackers_name():
    (advisory,) = parse({"x": {"TEMP-0000000-0CA7E3": {"releases": {"bookworm": {"status": "open"}}}}})
    assert advisory.vulnerabilities == ("TEMP-0000000-0CA7E3",)


@pytest.mark.parametrize(
    ("codename", "release"),
    [("bookworm", {"status": "new word"}), ("bookworm", {"status": "resolved"}), ("nonesuch", {"status": "open"})],
)
def test_what_is_not_known_here_is_a_problem(codename, release):
    advisory, problem = parse({"x": {"CVE-2023-1": {"releases": {codename: release}}}})
    assert advisory.affected == ()
    assert isinstance(problem, Problem)


def test_an_entry_that_makes_no_sense_is_a_problem_and_the_rest_goes_on():
    advisory, problem = parse(
        {"x": {"CVE-2023-1": {"releases": []}, "CVE-2023-2": {"releases": {"sid": {"status": "open"}}}}}
    )
    assert advisory.id == "CVE-2023-2"
    assert problem.count == 1


@pytest.mark.parametrize("data", [b"", b"invalid", b"[]", b'{"x": 7}', b"[" * 100_000])
def test_what_is_not_the_trackers_data_is_an_error(data):
    with pytest.raises(FeedError):
        parse(data)


@pytest.mark.feeds
@pytest.mark.parametrize(
    ("archive", "member", "advisories", "problems"),
    [
        ("vuls-data-update", "debian/tracker/api/advisory.json", 4, 0),
        ("vunnel", "debian/input/debian.json", 6, 1),
        ("osv.dev", "test_data/debian/debian_security_tracker_mock.json", 3, 0),
    ],
)
def test_the_fixtures_are_read(feeds_dir, archive, member, advisories, problems):
    with ZipFile(feeds_dir / "fixtures" / f"{archive}.zip") as fixtures:
        found = parse(fixtures.read(member))
    assert sum(isinstance(each, Advisory) for each in found) == advisories
    assert sum(isinstance(each, Problem) for each in found) == problems
