"""Ubuntu's CVE tracker."""

import tarfile
from collections import Counter
from io import BytesIO
from zipfile import ZipFile

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.ubuntu_tracker import PLUGIN
from openinspector.model.advisory import Advisory, Cvss, Range
from openinspector.model.problem import Problem

HEAD = """PublicDateAtUSN: 2023-10-10
Candidate: CVE-2023-0001
PublicDate: 2023-10-10 14:15:00 UTC
References:
 https://example.org/1
 https://example.org/1
 https://example.org/2
Description:
 One line
 and another.

 And one after an empty one.
Ubuntu-Description:
Notes:
 somebody> a note
  that: goes_on
Priority: medium
 Because.
Priority_openssl: low
Priority_curl_focal: high
Assigned-to: somebody (for netty)
CVSS:
 nvd: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H [7.5 HIGH]
 asf: CVSS:3.0/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L

Tags_curl: universe-binary
Patches_curl:
 upstream: https://example.org/fix
"""


def archive(files):
    stream = BytesIO()
    with tarfile.open(fileobj=stream, mode="w:xz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(f"ubuntu-cve-tracker/{name}")
            info.size = len(data := text if isinstance(text, bytes) else text.encode())
            tar.addfile(info, BytesIO(data))
    return stream


def parse(files):
    path = "ubuntu/ubuntu-cve-tracker.tar.xz"
    return list(PLUGIN.parse(Document(path=path, stream=archive(files))))


def stated(*lines):
    """What lines of a file come to: (namespace, repository, name) → what is affected; and the problems."""
    found = parse({"active/CVE-2023-0001": HEAD + "\n".join(lines) + "\n"})
    (advisory,) = (each for each in found if isinstance(each, Advisory))
    problems = [each for each in found if isinstance(each, Problem)]
    return {(each.namespace, each.repository, each.name): each for each in advisory.affected}, problems


def test_the_head_of_a_file_is_the_advisorys():
    (advisory,) = parse({"active/CVE-2023-0001": HEAD})
    assert (advisory.id, advisory.vulnerabilities) == ("CVE-2023-0001", ("CVE-2023-0001",))
    assert advisory.description == "One line and another. And one after an empty one."
    assert advisory.severity == "medium"
    assert advisory.references == ("https://example.org/1", "https://example.org/2")
    assert advisory.published == "2023-10-10T14:15:00Z"
    assert advisory.url == "https://ubuntu.com/security/CVE-2023-0001"
    assert advisory.cvss == (
        Cvss(vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", source="nvd", score=7.5),
        Cvss(vector="CVSS:3.0/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", source="asf"),
    )
    assert advisory.affected == ()


@pytest.mark.parametrize(
    ("value", "state", "ranges", "note"),
    [
        ("released (7.81.0-1ubuntu1.14)", "affected", (Range(fixed="7.81.0-1ubuntu1.14"),), ""),
        ("released (1:2.3-1~22.04)", "affected", (Range(fixed="1:2.3-1~22.04"),), ""),
        ("needed", "affected", (), ""),
        ("needed (reached end-of-life)", "affected", (), ""),
        ("needs-triage", "under_investigation", (), ""),
        ("deferred (2024-06-17)", "deferred", (), "2024-06-17"),
        ("pending (5.15.0-1058.61)", "affected", (Range(fixed="5.15.0-1058.61"),), "pending"),
        ("pending", "affected", (), "pending"),
        ("not-affected (code not present)", "not_affected", (), "code not present"),
        ("not-affected (7.2-1)", "not_affected", (), "7.2-1"),
        ("not-affected", "not_affected", (), ""),
        ("ignored", "will_not_fix", (), ""),
        ("ignored (too intrusive to backport)", "will_not_fix", (), "too intrusive to backport"),
        ("ignored (end of life, was needed)", "end_of_life", (), "end of life, was needed"),
        ("ignored (reached end-of-life)", "end_of_life", (), "reached end-of-life"),
        ("ignored (superseded by linux-hwe-5.13)", "end_of_life", (), "superseded by linux-hwe-5.13"),
    ],
)
def test_a_status_is_a_state(value, state, ranges, note):
    found, problems = stated(f"jammy_curl: {value}")
    affected = found["ubuntu:22.04", "", "curl"]
    assert (affected.state, affected.ranges, affected.note, affected.kind) == (state, ranges, note, "source")
    assert not problems


@pytest.mark.parametrize("value", ["DNE", "DNE (precise was needed)", ""])
def test_what_does_not_exist_is_not_stated(value):
    assert stated(f"jammy_curl: {value}") == ({}, [])


@pytest.mark.parametrize(
    ("release", "place"),
    [
        ("noble", ("ubuntu:24.04", "")),
        ("esm-infra/bionic", ("ubuntu:18.04", "esm-infra")),
        ("esm-apps/jammy", ("ubuntu:22.04", "esm-apps")),
        ("trusty/esm", ("ubuntu:14.04", "esm-infra")),
        ("esm-infra-legacy/trusty", ("ubuntu:14.04", "esm-infra-legacy")),
        ("fips-updates/focal", ("ubuntu:20.04", "fips-updates")),
        ("dapper", ("ubuntu:6.06", "")),
    ],
)
def test_a_release_has_its_place(release, place):
    found, problems = stated(f"{release}_curl: needed")
    assert list(found) == [(*place, "curl")]
    assert not problems


@pytest.mark.parametrize("release", ["upstream", "devel", "snap", "vivid/ubuntu-core"])
def test_what_is_no_release_is_left_out(release):
    assert stated(f"{release}_curl: needed") == ({}, [])


@pytest.mark.parametrize(
    "line", ["zany_curl: needed", "jammy_curl: new-word", "jammy_curl: released", "jammy_curl: released (see USN)"]
)
def test_what_is_not_known_here_is_counted(line):
    found, (problem,) = stated(line, line)
    assert not found
    assert problem.count == 2


def test_a_line_without_a_space_is_read():
    found, _ = stated("trusty/esm_vnc4:needed")
    assert ("ubuntu:14.04", "esm-infra", "vnc4") in found


def test_a_package_with_an_underscore_or_a_comment_is_no_trap():
    found, _ = stated("jammy_a_b: needed", "#jammy_PKG:", "#focal_x: needed", "")
    assert list(found) == [("ubuntu:22.04", "", "a_b")]


def test_a_priority_of_one_package_or_release_is_its_severity():
    found, _ = stated("jammy_openssl: needed", "focal_curl: needed", "jammy_curl: needed")
    assert {place[0] + " " + place[2]: each.severity for place, each in found.items()} == {
        "ubuntu:22.04 openssl": "low",
        "ubuntu:20.04 curl": "high",
        "ubuntu:22.04 curl": "",
    }


def test_not_affected_is_kept_where_people_look_for_it():
    found, _ = stated(
        "jammy_curl: not-affected",
        "jammy_linux-aws: not-affected",
        "lunar_curl: not-affected",
        "esm-apps/jammy_curl: not-affected",
    )
    assert list(found) == [("ubuntu:22.04", "", "curl")]


@pytest.mark.parametrize(
    ("esm", "expected"),
    [
        # the archive's packages began as the release's own
        ("not-affected (code not present)", None),
        ("not-affected (1.2-3)", ("affected", (Range(fixed="1.2-3"),))),
        # …but this version is only there
        ("not-affected (1.2-3ubuntu1~esm1)", ("end_of_life", ())),
        # the fix there is stated with its own range
        ("released (1.2-3ubuntu1~esm1)", None),
        ("DNE", ("end_of_life", ())),
    ],
)
def test_the_end_of_support_says_nothing_that_the_esm_archive_knows_better(esm, expected):
    found, _ = stated("bionic_curl: ignored (end of standard support)", f"esm-infra/bionic_curl: {esm}")
    affected = found.get(("ubuntu:18.04", "", "curl"))
    assert (affected and (affected.state, affected.ranges)) == expected


def test_a_rejected_cve_is_withdrawn():
    (advisory,) = parse({"retired/CVE-2023-1": "Candidate: CVE-2023-1\nDescription:\n ** REJECT ** Not a flaw.\n"})
    assert advisory.withdrawn


def test_other_files_of_the_archive_are_no_advisories():
    assert (
        parse({"active/00boilerplate": HEAD, "README": "x", "scripts/CVE-x.py": "x", "ignored/not-for-us.txt": "x"})
        == []
    )


def test_bytes_that_are_no_text_do_no_harm():
    (advisory,) = parse({"active/CVE-2023-1": b"\xff\xfe\x00:_:\n_: \n:\n jammy\n\x00_\x01: \x02\n"})
    assert advisory.id == "CVE-2023-1"


def test_what_is_no_archive_is_an_error():
    with pytest.raises(FeedError):
        list(PLUGIN.parse(Document(path="x", stream=BytesIO(b"x" * 2000))))


@pytest.mark.feeds
def test_the_corner_cases_are_read(feeds_dir):
    with ZipFile(feeds_dir / "fixtures/vuln-list-update.zip") as fixtures:
        names = [each for each in fixtures.namelist() if each.startswith("ubuntu/") and not each.endswith("/")]
        files = {f"active/CVE-2000-{number:04}": fixtures.read(each) for number, each in enumerate(names)}
    found = parse(files)
    assert len(found) == len(names)
    assert all(isinstance(each, Advisory) for each in found)


@pytest.mark.feeds
def test_the_real_tracker_gives_what_it_holds(feeds_dir):
    path = "ubuntu/ubuntu-cve-tracker.tar.xz"
    spot = {}
    states = Counter()
    advisories = unread = 0
    with (feeds_dir / path).open("rb") as stream:
        for each in PLUGIN.parse(Document(path=path, stream=stream)):
            if isinstance(each, Problem):
                unread += each.count
                continue
            advisories += 1
            states.update(one.state for one in each.affected)
            if each.id in ("CVE-2021-44228", "CVE-2023-44487"):
                spot[each.id] = each
    assert (advisories, unread) == (50_729, 169)
    assert states["not_affected"] == 52_100
    assert states.total() == 980_869
    log4j = {
        (one.namespace, one.repository): one for one in spot["CVE-2021-44228"].affected if one.name == "apache-log4j2"
    }
    assert log4j["ubuntu:20.04", ""].ranges == (Range(fixed="2.15.0-0.20.04.1"),)
    assert log4j["ubuntu:16.04", "esm-infra"].ranges == (Range(fixed="2.4-2ubuntu0.1~esm1"),)
    assert ("ubuntu:16.04", "") not in log4j  # its ESM archive has the fix
    assert log4j["ubuntu:22.04", ""].state == "not_affected"
    dotnet = [
        one for one in spot["CVE-2023-44487"].affected if (one.namespace, one.name) == ("ubuntu:22.04", "dotnet6")
    ]
    assert [one.ranges for one in dotnet] == [(Range(fixed="6.0.123-0ubuntu1~22.04.1"),)]
