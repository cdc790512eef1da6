"""Alpine's secdb."""

import json
from io import BytesIO

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.alpine import PLUGIN
from openinspector.model.advisory import Advisory, Range
from openinspector.model.problem import Problem


def parse(secfixes, path="alpine/secdb/v3.20/main.json", **more):
    packages = [{"pkg": {"name": name, "secfixes": fixes}} for name, fixes in secfixes.items()]
    text = json.dumps({"packages": packages, "distroversion": "v3.20", "reponame": "main", **more})
    return list(PLUGIN.parse(Document(path=path, stream=BytesIO(text.encode()))))


def test_a_flaw_is_fixed_from_the_version_that_names_it():
    found = parse({"curl": {"8.4.0-r0": ["CVE-2023-38545"]}, "tiny-curl": {"8.4.0-r1": ["CVE-2023-38545"]}})
    (advisory,) = found
    assert advisory.id == "CVE-2023-38545@3.20/main"
    assert advisory.vulnerabilities == ("CVE-2023-38545",)
    assert advisory.url == "https://security.alpinelinux.org/vuln/CVE-2023-38545"
    assert [(each.namespace, each.name, each.kind, each.ranges) for each in advisory.affected] == [
        ("alpine:3.20", "curl", "source", (Range(fixed="8.4.0-r0"),)),
        ("alpine:3.20", "tiny-curl", "source", (Range(fixed="8.4.0-r1"),)),
    ]


def test_version_0_means_never_affected():
    (advisory,) = parse({"coreutils": {"0": ["CVE-2016-2781"]}})
    assert [(each.state, each.ranges) for each in advisory.affected] == [("not_affected", ())]


def test_a_fix_outweighs_version_0():
    (advisory,) = parse({"x": {"0": ["CVE-2016-2781"], "1-r0": ["CVE-2016-2781"]}})
    assert [(each.state, each.ranges) for each in advisory.affected] == [("affected", (Range(fixed="1-r0"),))]


@pytest.mark.parametrize(
    ("text", "flaws"),
    [
        ("CVE-2017-2887 TALOS-2017-0394", ["CVE-2017-2887"]),
        ("CVE-2016-9377 XSA-196", ["CVE-2016-9377"]),
        ("CVE-2018-8897  XSA-260", ["CVE-2018-8897"]),
        ("CVE-2017-17434-1", ["CVE-2017-17434"]),
        ("CVE_2019-2426", ["CVE-2019-2426"]),
        ("CVE-2020-11501 GNUTLS-SA-2020-03-31 CVE-2020-11501", ["CVE-2020-11501"]),
        ("CVE-2020-0001 CVE-2020-0002", ["CVE-2020-0001", "CVE-2020-0002"]),
        ("XSA-207", ["XSA-207"]),
        ("wnpa-sec-2017-18", ["wnpa-sec-2017-18"]),
        ("GHSA-2222-3333-4444", ["GHSA-2222-3333-4444"]),
    ],
)
def test_an_id_string_can_hold_several_ids(text, flaws):
    assert [each.vulnerabilities for each in parse({"x": {"1-r0": [text]}})] == [(flaw,) for flaw in flaws]


@pytest.mark.parametrize(
    ("version", "read"),
    [
        ("1.2.3-r4", "1.2.3-r4"),
        ("7.36.0", "7.36.0"),
        ("1.0.0_rc10", "1.0.0_rc10"),
        ("9.10.4_p3", "9.10.4_p3"),
        ("10.2.22.r0", "10.2.22-r0"),
        ("10.0.11-0", "10.0.11-r0"),
    ],
)
def test_a_version_with_a_slip_is_read_as_meant(version, read):
    (advisory,) = parse({"x": {version: ["CVE-2020-0001"]}})
    assert advisory.affected[0].ranges == (Range(fixed=read),)


def test_the_path_names_the_release_where_the_file_does_not():
    (advisory,) = parse(
        {"x": {"1-r0": ["CVE-2020-0001"]}}, "alpine/secdb/edge/community.json", distroversion="", reponame=""
    )
    assert advisory.id == "CVE-2020-0001@edge/community"
    assert advisory.affected[0].namespace == "alpine:edge"


def test_fixes_without_an_id_are_counted():
    (problem,) = parse({"x": {"1-r0": ["", " "], "2-r0": None}, "y": None})
    assert isinstance(problem, Problem)
    assert problem.count == 2


@pytest.mark.parametrize(
    "text", ["", "[]", '{"packages": 7}', '{"packages": [{"pkg": {"name": "x", "secfixes": []}}]}', "[" * 9999]
)
def test_what_is_no_secdb_is_an_error(text):
    with pytest.raises(FeedError):
        list(PLUGIN.parse(Document(path="alpine/secdb/v3.20/main.json", stream=BytesIO(text.encode()))))


def test_a_release_that_is_none_is_an_error():
    with pytest.raises(FeedError):
        parse({}, distroversion="../../etc")


@pytest.mark.feeds
def test_the_real_files_give_what_they_hold(feeds_dir):
    fixed = {}
    advisories = entries = unaffected = 0
    for file in sorted(feeds_dir.glob("alpine/secdb/*/*.json")):
        with file.open("rb") as stream:
            for each in PLUGIN.parse(Document(path=file.relative_to(feeds_dir).as_posix(), stream=stream)):
                assert isinstance(each, Advisory)
                advisories += 1
                entries += len(each.affected)
                unaffected += sum(one.state == "not_affected" for one in each.affected)
                for one in each.affected:
                    fixed[each.vulnerabilities[0], one.namespace, one.name] = one.ranges
    assert (advisories, entries, unaffected) == (67_624, 76_958, 485)
    assert fixed["CVE-2021-4034", "alpine:edge", "polkit"] == (Range(fixed="0.120-r2"),)
    assert fixed["CVE-2021-4034", "alpine:3.15", "polkit"] == (Range(fixed="0.119-r8"),)
    assert fixed["CVE-2024-3094", "alpine:edge", "xz"] == (Range(fixed="5.6.1-r2"),)
