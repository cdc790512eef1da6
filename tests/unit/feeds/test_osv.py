"""OSV records and archives."""

import json
from collections import Counter
from io import BytesIO
from zipfile import ZipFile

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.osv import PLUGIN
from openinspector.model.advisory import Advisory, Cvss, Range
from openinspector.model.ecosystem import TYPE_OF_OSV
from openinspector.model.problem import Problem


def zipped(*records):
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        for number, record in enumerate(records):
            text = record if isinstance(record, str) else json.dumps(record)
            name = f"broken-{number}" if isinstance(record, str) else record["id"]
            archive.writestr(f"{name}.json", text)
    return stream


def parse(ecosystem, *records):
    """The advisories of an archive by id, and its problems."""
    found = list(PLUGIN.parse(Document(path=f"osv/{ecosystem}/all.zip", stream=zipped(*records))))
    advisories = {each.id: each for each in found if isinstance(each, Advisory)}
    return advisories, [each for each in found if isinstance(each, Problem)]


def one(ecosystem, record):
    advisories, _ = parse(ecosystem, record)
    (advisory,) = advisories.values()
    return advisory


def entry(ecosystem, name, *events, **more):
    kind = "SEMVER" if ecosystem in ("npm", "Go", "crates.io") else "ECOSYSTEM"
    ranges = [{"type": kind, "events": list(events)}] if events else []
    return {"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges, **more}


FROM_START = {"introduced": "0"}


def ranges(record_ecosystem, *events, **more):
    record = {"id": "GHSA-2222-3333-4444", "affected": [entry(record_ecosystem, "x", *events, **more)]}
    return one(record_ecosystem, record).affected[0].ranges


# --- which entries, and where they belong


def test_entries_of_languages_are_taken_from_every_archive():
    record = {
        "id": "GHSA-2222-3333-4444",
        "affected": [entry("npm", "a", FROM_START), entry("Pub", "b", FROM_START)],
    }
    for archive in ("npm", "Maven", "Debian"):
        assert [each.namespace for each in one(archive, record).affected] == ["npm", "pub"]


def test_entries_of_a_distribution_are_taken_from_its_own_archive_only():
    record = {
        "id": "CVE-2024-1",
        "affected": [entry("Debian:12", "a", FROM_START), entry("Alpine:v3.20", "b", FROM_START)],
    }
    debian, alpine = one("Debian", record), one("Alpine", record)
    assert [each.namespace for each in debian.affected] == ["debian:12"]
    assert [each.namespace for each in alpine.affected] == ["alpine:3.20"]
    assert debian.share != alpine.share  # a newer edition in one archive says nothing of the other's share
    assert parse("PyPI", record) == ({}, [])


def test_outside_an_ecosystems_folder_every_entry_counts():
    record = {"id": "X-1", "affected": [entry("npm", "a", FROM_START), entry("Maven", "g:a", FROM_START)]}
    (advisory,) = PLUGIN.parse(Document(path="osv/X-1.json", stream=BytesIO(json.dumps(record).encode())))
    assert {each.namespace for each in advisory.affected} == {"npm", "maven"}


def test_an_entry_of_commits_without_a_package_is_nothing_to_match():
    record = {
        "id": "CVE-2023-1",
        "affected": [{"ranges": [{"type": "GIT", "repo": "https://x", "events": [FROM_START]}]}],
    }
    assert parse("Debian", record) == ({}, [])


@pytest.mark.parametrize(
    ("ecosystem", "purl", "namespace", "repository", "kind"),
    [
        ("PyPI", "", "pypi", "", "binary"),
        ("crates.io", "", "cargo", "", "binary"),
        ("SwiftURL", "", "swift", "", "binary"),
        ("Debian:12", "", "debian:12", "", "source"),
        ("Debian:6.0", "", "debian:6", "", "source"),
        ("Debian:3.1", "", "debian:3.1", "", "source"),
        ("Alpine:v3.20", "", "alpine:3.20", "", "source"),
        ("Alpine:edge", "", "alpine:edge", "", "source"),
        ("Wolfi", "", "wolfi", "", "source"),
        ("Chainguard", "", "chainguard", "", "source"),
        ("AlmaLinux:9", "", "almalinux:9", "", "binary"),
        ("Rocky Linux:8", "pkg:rpm/rocky-linux/x?distro=rocky-linux-8&epoch=0", "rocky:8", "", "source"),
        ("Rocky Linux:8", "pkg:rpm/rocky-linux/x?distro=rocky-linux-8-sig-cloud", "rocky:8", "sig-cloud", "source"),
        ("Ubuntu:22.04:LTS", "", "ubuntu:22.04", "", "source"),
        ("Ubuntu:24.10", "", "ubuntu:24.10", "", "source"),
        (
            "Ubuntu:Pro:18.04:LTS",
            "pkg:deb/ubuntu/x?arch=source&distro=esm-apps/bionic",
            "ubuntu:18.04",
            "esm-apps",
            "source",
        ),
        (
            "Ubuntu:Pro:14.04:LTS",
            "pkg:deb/ubuntu/x?arch=source&distro=trusty/esm",
            "ubuntu:14.04",
            "esm-infra",
            "source",
        ),
        ("Ubuntu:Pro:14.04:LTS", "", "ubuntu:14.04", "esm", "source"),
        ("Ubuntu:Pro:FIPS-updates:20.04:LTS", "", "ubuntu:20.04", "fips-updates", "source"),
        ("Red Hat:enterprise_linux:9::appstream", "", "redhat:9", "", "binary"),
        ("Red Hat:enterprise_linux:10.0", "", "redhat:10", "", "binary"),
        ("Red Hat:rhel_eus:9.2::baseos", "", "redhat:9", "eus:9.2", "binary"),
        ("Red Hat:rhel_els:7", "", "redhat:7", "els:7", "binary"),
        ("Red Hat:rhel_extras_rt:7", "", "redhat:7", "", "binary"),
        ("Red Hat:rhel_software_collections:3::el7", "", "redhat:7", "", "binary"),
        ("SUSE:Linux Enterprise Server 15 SP5", "", "sles:15.5", "", "binary"),
        ("SUSE:Linux Enterprise Server 12 SP2-LTSS", "", "sles:12.2", "ltss", "binary"),
        ("openSUSE:Leap 15.6", "", "opensuse-leap:15.6", "", "binary"),
        ("openSUSE:Tumbleweed", "", "opensuse-tumbleweed", "", "binary"),
    ],
)
def test_an_ecosystem_has_its_place(ecosystem, purl, namespace, repository, kind):
    record = {"id": "X-1", "affected": [entry(ecosystem, "x", FROM_START, {"fixed": "1"})]}
    record["affected"][0]["package"]["purl"] = purl
    (affected,) = one(ecosystem.partition(":")[0], record).affected
    assert (affected.namespace, affected.repository, affected.kind) == (namespace, repository, kind)


@pytest.mark.parametrize(
    "ecosystem",
    ["Debian", "Alpine", "Bitnami", "Red Hat:openshift:4.12::el8", "Ubuntu:what", "Red Hat:", "SUSE:Manager"],
)
def test_what_is_not_judged_is_counted_once_for_the_document(ecosystem):
    entries = [entry(ecosystem, name, FROM_START) for name in ("a", "b")]
    advisories, (problem,) = parse(ecosystem.partition(":")[0], {"id": "X-1", "affected": entries})
    assert not advisories
    assert problem.count == 2
    assert "not judged" in problem.reason


# --- events


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([FROM_START], (Range(),)),
        ([FROM_START, {"fixed": "2"}], (Range(fixed="2"),)),
        ([{"introduced": "0.0.0-0"}, {"fixed": "2"}], (Range(fixed="2"),)),
        ([{"introduced": "1"}, {"last_affected": "2"}], (Range(introduced="1", last_affected="2"),)),
        ([{"introduced": "1"}, {"fixed": "2"}, {"limit": "9"}], (Range(introduced="1", fixed="2"),)),
        (
            [FROM_START, {"fixed": "1.2"}, {"introduced": "2.0"}, {"fixed": "2.3"}, {"introduced": "3.0"}],
            (Range(fixed="1.2"), Range(introduced="2.0", fixed="2.3"), Range(introduced="3.0")),
        ),
        # out of order, and begun or ended twice
        ([{"fixed": "1.2"}, FROM_START], (Range(fixed="1.2"),)),
        (
            [{"fixed": "10"}, {"introduced": "9"}, {"fixed": "2"}, FROM_START],
            (Range(fixed="2"), Range(introduced="9", fixed="10")),
        ),
        (
            [{"introduced": "1"}, {"introduced": "2"}, {"fixed": "3"}, {"fixed": "4"}],
            (Range(introduced="1", fixed="3"),),
        ),
    ],
)
def test_events_are_intervals(events, expected):
    assert ranges("PyPI", *events) == expected


def test_events_that_begin_nothing_are_not_every_version():
    advisories, (problem,) = parse("PyPI", {"id": "X-1", "affected": [entry("PyPI", "x", {"fixed": "1"})]})
    assert not advisories
    assert problem.count == 1


def test_events_out_of_order_that_cant_be_ordered_are_reported():
    events = ({"fixed": "what ever"}, FROM_START, {"introduced": "no version"})
    advisories, problems = parse("PyPI", {"id": "X-1", "affected": [entry("PyPI", "x", *events)]})
    assert not advisories
    assert any("out of order" in each.reason for each in problems)


def test_ranges_of_commits_are_left_aside():
    record = {"id": "PYSEC-2020-1", "affected": [entry("PyPI", "x", FROM_START, {"fixed": "2"})]}
    record["affected"][0]["ranges"].insert(0, {"type": "GIT", "repo": "https://x", "events": [{"introduced": "0"}]})
    assert one("PyPI", record).affected[0].ranges == (Range(fixed="2"),)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("<= 1.4.0", (Range(last_affected="1.4.0"),)),
        ("< 1.4.0", (Range(fixed="1.4.0"),)),
        ("<1.4.0", (Range(fixed="1.4.0"),)),
        ("sometimes", (Range(),)),
        (None, (Range(),)),
    ],
)
def test_the_last_known_affected_version_ends_an_open_range(word, expected):
    assert ranges("npm", FROM_START, database_specific={"last_known_affected_version_range": word}) == expected


def test_the_last_known_affected_version_does_not_move_a_fix():
    said = {"last_known_affected_version_range": "<= 1.4.0"}
    assert ranges("npm", FROM_START, {"fixed": "1.5.0"}, database_specific=said) == (Range(fixed="1.5.0"),)


# --- versions


def test_listed_versions_stand_where_there_is_no_range():
    record = {"id": "GHSA-2222-3333-4444", "affected": [entry("npm", "x", versions=["1.0.0", "1.0.1"])]}
    (affected,) = one("npm", record).affected
    assert (affected.ranges, affected.versions) == ((), ("1.0.0", "1.0.1"))


def test_listed_versions_beside_ranges_are_kept_where_an_author_may_have_listed_them():
    affected = entry("PyPI", "x", FROM_START, {"fixed": "2"}, versions=["1", "1.post1"])
    pysec = one("PyPI", {"id": "PYSEC-2020-1", "affected": [affected]})
    ghsa = one("PyPI", {"id": "GHSA-2222-3333-4444", "affected": [affected]})
    assert pysec.affected[0].versions == ("1", "1.post1")
    assert ghsa.affected[0].versions == ()


def test_neither_ranges_nor_versions_is_doubt_but_for_malware():
    advisories, (problem,) = parse("PyPI", {"id": "OSV-1", "affected": [entry("PyPI", "x")]})
    assert not advisories
    assert problem.count == 1
    malware = one("npm", {"id": "MAL-2025-1", "affected": [entry("npm", "x")]})
    assert malware.malicious
    assert (malware.affected[0].ranges, malware.affected[0].versions) == ((), ())


def test_a_withdrawn_record_is_kept_even_without_versions():
    advisory = one("PyPI", {"id": "PYSEC-1", "withdrawn": "2024-05-06T07:08:09.5Z", "affected": [entry("PyPI", "x")]})
    assert advisory.withdrawn == "2024-05-06T07:08:09Z"
    assert advisory.affected == ()


# --- names of the flaw


def test_one_cve_is_the_flaw_and_the_rest_are_its_names():
    record = {
        "id": "GHSA-2222-3333-4444",
        "aliases": ["CVE-2021-1111", "PYSEC-2021-1"],
        "affected": [entry("PyPI", "x", FROM_START)],
    }
    advisory = one("PyPI", record)
    assert advisory.vulnerabilities == ("CVE-2021-1111",)
    assert advisory.aliases == ("PYSEC-2021-1",)


def test_without_a_cve_the_advisory_is_the_flaw():
    record = {"id": "GHSA-2222-3333-4444", "aliases": ["PYSEC-2021-1"], "affected": [entry("PyPI", "x", FROM_START)]}
    assert one("PyPI", record).vulnerabilities == ()


def test_several_cves_are_several_flaws():
    record = {
        "id": "RUSTSEC-2018-0019",
        "aliases": ["CVE-2018-25024", "CVE-2018-25025", "GHSA-7x36-h62w-vw65"],
        "affected": [entry("crates.io", "x", FROM_START)],
    }
    advisory = one("crates.io", record)
    assert advisory.vulnerabilities == ("CVE-2018-25024", "CVE-2018-25025")
    assert advisory.aliases == ("GHSA-7x36-h62w-vw65",)


def test_of_githubs_transitive_aliases_only_the_cve_that_it_links_is_taken():
    record = {
        "id": "GHSA-4vvj-4cpr-p986",
        "aliases": ["CVE-2024-43788", "CVE-2024-45389", "GHSA-gprj-6m2f-j9hx"],
        "references": [{"type": "ADVISORY", "url": "https://nvd.nist.gov/vuln/detail/CVE-2024-43788"}],
        "affected": [entry("npm", "webpack", FROM_START)],
    }
    advisory = one("npm", record)
    assert advisory.vulnerabilities == ("CVE-2024-43788",)
    assert advisory.aliases == ()


def test_malware_is_known_by_its_own_id_or_by_its_other_name():
    affected = [entry("npm", "x", FROM_START)]
    assert one("npm", {"id": "MAL-2025-1", "affected": affected}).malicious
    assert one("npm", {"id": "GHSA-2222-3333-4444", "aliases": ["MAL-2025-1"], "affected": affected}).malicious
    assert not one("npm", {"id": "GHSA-2222-3333-4444", "affected": affected}).malicious


# --- what else a record tells


def test_githubs_words_vectors_and_weaknesses_are_kept():
    record = {
        "id": "GHSA-462w-v97r-4m45",
        "summary": "Sandbox escape",
        "details": "x" * 5000,
        "published": "2019-04-10T14:30:24Z",
        "modified": "2024-09-24T21:03:59.802687Z",
        "severity": [
            {"type": "CVSS_V3", "score": "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:N"},
            {"type": "CVSS_V3", "score": "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:N"},
        ],
        "database_specific": {"severity": "HIGH", "cwe_ids": ["CWE-693"]},
        "references": [{"type": "WEB", "url": f"https://example.org/{number}"} for number in range(30)],
        "affected": [entry("PyPI", "jinja2", FROM_START, {"fixed": "2.10.1"})],
    }
    advisory = one("PyPI", record)
    assert (advisory.title, advisory.severity, advisory.cwes) == ("Sandbox escape", "HIGH", ("CWE-693",))
    assert advisory.cvss == (Cvss(vector="CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:N", source="ghsa"),)
    assert (advisory.published, advisory.modified) == ("2019-04-10T14:30:24Z", "2024-09-24T21:03:59Z")
    assert advisory.url == "https://github.com/advisories/GHSA-462w-v97r-4m45"
    assert len(advisory.description) == 2000
    assert len(advisory.references) == 20


def test_nulls_stand_for_nothing():
    record = dict.fromkeys(("aliases", "related", "summary", "details", "severity", "references", "withdrawn"))
    record |= {"id": "RUSTSEC-2021-1", "affected": [entry("crates.io", "x", FROM_START, ecosystem_specific=None)]}
    assert one("crates.io", record).affected[0].ranges == (Range(),)


def test_words_of_other_meaning_under_the_same_names_do_no_harm():
    record = {
        "id": "GHSA-2222-3333-4444",
        "database_specific": {"severity": ["HIGH"], "cwe_ids": "CWE-1"},
        "affected": [entry("npm", "x", FROM_START, database_specific={"last_known_affected_version_range": 7})],
    }
    assert one("npm", record).affected[0].ranges == (Range(),)


@pytest.mark.parametrize(
    ("word", "state"),
    [("unmaintained", "unimportant"), ("notice", "unimportant"), ("unsound", "affected"), (None, "affected")],
)
def test_rustsecs_remarks_are_no_vulnerabilities(word, state):
    record = {
        "id": "RUSTSEC-1",
        "affected": [entry("crates.io", "x", FROM_START, database_specific={"informational": word})],
    }
    (affected,) = one("crates.io", record).affected
    assert (affected.state, affected.note) == (state, word or "")


# --- Go


@pytest.mark.parametrize(
    ("name", "events", "expected"),
    [
        (
            "stdlib",
            [FROM_START, {"fixed": "1.20.10"}, {"introduced": "1.21.0-0"}, {"fixed": "1.21.3"}],
            (Range(fixed="1.20.10"), Range(introduced="1.21", fixed="1.21.3")),
        ),
        (
            "toolchain",
            [{"introduced": "1.15.0-0"}, {"fixed": "1.15.7"}],
            (Range(introduced="1.15beta1", fixed="1.15.7"),),
        ),
        (
            "stdlib",
            [{"introduced": "1.24.0-rc.2"}, {"fixed": "1.24.0"}],
            (Range(introduced="1.24rc2", fixed="1.24.0"),),
        ),
        (
            "golang.org/x/net",
            [{"introduced": "1.0.0-0"}, {"fixed": "1.2.0"}],
            (Range(introduced="1.0.0-0", fixed="1.2.0"),),
        ),
    ],
)
def test_gos_own_releases_are_written_as_go_writes_them(name, events, expected):
    assert one("Go", {"id": "GO-1", "affected": [entry("Go", name, *events)]}).affected[0].ranges == expected


def test_a_projects_own_numbers_say_what_is_fixed():
    custom = [{"type": "ECOSYSTEM", "events": [FROM_START, {"fixed": "8.5.15"}]}]
    affected = entry("Go", "github.com/grafana/grafana", FROM_START, ecosystem_specific={"custom_ranges": custom})
    (found,) = one("Go", {"id": "GO-1", "affected": [affected]}).affected
    assert found.ranges == (Range(fixed="8.5.15"),)
    assert "own version" in found.note


@pytest.mark.parametrize(
    ("events", "pseudo"),
    [
        ([{"introduced": "8.5.0"}, {"fixed": "8.5.15"}], True),  # nothing tells which commits it means
        ([FROM_START, {"fixed": "8.5.15"}], False),  # they are in
        ([{"introduced": "0.0.0-20240101000000-0123456789ab"}, {"fixed": "0.0.0-20250101000000-0123456789ab"}], False),
    ],
)
def test_builds_from_untagged_commits_stay_affected(events, pseudo):
    said = {"custom_ranges": [{"type": "ECOSYSTEM", "events": events}]}
    affected = entry("Go", "github.com/grafana/grafana", FROM_START, ecosystem_specific=said)
    (found,) = one("Go", {"id": "GO-1", "affected": [affected]}).affected
    assert (Range(introduced="0.0.0-0", fixed="0.0.0") in found.ranges) is pseudo


def test_numbers_that_go_cant_order_leave_every_version_affected():
    custom = [{"type": "ECOSYSTEM", "events": [FROM_START, {"fixed": "RELEASE.2024-06-06T09-36-42Z"}]}]
    affected = entry("Go", "github.com/minio/minio", FROM_START, ecosystem_specific={"custom_ranges": custom})
    assert one("Go", {"id": "GO-1", "affected": [affected]}).affected[0].ranges == (Range(),)


# --- Debian


def debian(identifier, release, fixed=None, urgency=None, **more):
    events = [FROM_START] + ([{"fixed": fixed}] if fixed else [])
    said = {"ecosystem_specific": {"urgency": urgency}} if urgency else {}
    return {"id": identifier, "affected": [entry(f"Debian:{release}", "curl", *events, **said)], **more}


@pytest.mark.parametrize(
    ("urgency", "state", "severity"),
    [
        ("unimportant", "unimportant", ""),
        ("end-of-life", "end_of_life", ""),
        ("not yet assigned", "affected", ""),
        ("low", "affected", "low"),
    ],
)
def test_debians_urgency_is_a_state_or_a_severity(urgency, state, severity):
    (affected,) = one("Debian", debian("CVE-2023-0001", 12, urgency=urgency)).affected
    assert (affected.state, affected.severity, affected.ranges) == (state, severity, (Range(),))


def test_a_bulletin_adds_no_range_where_the_cves_record_has_one():
    cve = debian("CVE-2023-38545", 12, "7.88.1-10+deb12u3")
    dsa = debian("DSA-5523-1", 12, "7.88.1-10+deb12u4", related=["CVE-2023-38545"])
    for order in ((cve, dsa), (dsa, cve)):
        advisories, _ = parse("Debian", *order)
        assert advisories["DSA-5523-1"].affected == ()
        assert advisories["DSA-5523-1"].vulnerabilities == ("CVE-2023-38545",)
        assert advisories["CVE-2023-38545"].affected[0].ranges == (Range(fixed="7.88.1-10+deb12u3"),)


def test_a_bulletin_covers_the_releases_and_cves_that_have_no_record():
    cve = debian("CVE-2023-0001", 12, "2")
    dsa = debian("DSA-1-1", 12, "3", related=["CVE-2023-0001", "CVE-2023-0002"])
    dsa["affected"] += debian("", 10, "1")["affected"]
    advisories, _ = parse("Debian", cve, dsa)
    first, second = advisories["DSA-1-1"], advisories["DSA-1-1/2"]
    assert (first.vulnerabilities, first.affected[0].namespace) == (("CVE-2023-0002",), "debian:12")
    assert (second.vulnerabilities, second.affected[0].namespace) == (("CVE-2023-0001", "CVE-2023-0002"), "debian:10")


def test_a_records_newer_name_and_field_mean_the_same():
    cve = debian("DEBIAN-CVE-2023-0001", 12, "2", upstream=["CVE-2023-0001"])
    dsa = debian("DSA-1-1", 12, "3", upstream=["CVE-2023-0001"])
    advisories, _ = parse("Debian", cve, dsa)
    assert advisories["DEBIAN-CVE-2023-0001"].vulnerabilities == ("CVE-2023-0001",)
    assert advisories["DSA-1-1"].affected == ()


def test_the_repair_of_a_fix_is_no_flaw():
    dsa = debian("DSA-1-2", 10, "3", summary="curl - regression update", related=["CVE-2023-0001"])
    assert parse("Debian", dsa) == ({}, [])


def test_another_cve_that_osv_holds_for_an_alias_is_no_name_of_this_one():
    advisory = one("Debian", debian("CVE-2019-9512", 12, "1", aliases=["CVE-2019-9514", "GHSA-2222-3333-4444"]))
    assert (advisory.vulnerabilities, advisory.aliases) == (("CVE-2019-9512",), ())


# --- Enterprise Linux


def red_hat(identifier, summary, *entries, **more):
    return {"id": identifier, "summary": summary, "related": ["CVE-2021-4034"], "affected": list(entries), **more}


def rpm(ecosystem, name, fixed):
    return entry(ecosystem, name, FROM_START, {"fixed": fixed})


def test_a_package_in_several_repositories_is_stated_once():
    advisory = one(
        "Red Hat",
        red_hat(
            "RHSA-2022:0267",
            "Red Hat Security Advisory: polkit security update",
            rpm("Red Hat:enterprise_linux:8::baseos", "polkit", "0:0.115-13.el8_5.1"),
            rpm("Red Hat:enterprise_linux:8::crb", "polkit", "0:0.115-13.el8_5.1"),
            rpm("Red Hat:enterprise_linux:8::crb", "polkit-debuginfo", "0:0.115-13.el8_5.1"),
            published="2024-09-13T17:31:49Z",
            references=[{"url": "https://access.redhat.com/security/updates/classification/#important"}],
        ),
    )
    assert [(each.name, each.ranges) for each in advisory.affected] == [
        ("polkit", (Range(fixed="0:0.115-13.el8_5.1"),))
    ]
    assert (advisory.severity, advisory.title) == ("Important", "polkit security update")
    assert advisory.published == ""  # the day of conversion, not that of the advisory
    assert advisory.vulnerabilities == ("CVE-2021-4034",)


@pytest.mark.parametrize(
    ("summary", "modules"),
    [
        ("Red Hat Security Advisory: nginx:1.20 security update", ["nginx:1.20"]),
        ("Red Hat Security Advisory: 389-ds:1.4 security and bug fix update", ["389-ds:1.4"]),
        ("Red Hat Security Advisory: virt:rhel and virt-devel:rhel security update", ["virt:rhel", "virt-devel:rhel"]),
        ("Red Hat Security Advisory: postgresql security update", [""]),
        ("Red Hat Security Advisory: nodejs : security update", [""]),
    ],
)
def test_a_modular_build_belongs_to_the_streams_that_the_summary_names(summary, modules):
    fixed = "1:1.20.1-1.module+el8.8.0+20359+9bd89172.1"
    advisory = one("Red Hat", red_hat("RHSA-2023:1", summary, rpm("Red Hat:enterprise_linux:8::appstream", "x", fixed)))
    assert [each.module for each in advisory.affected] == modules
    assert bool(advisory.affected[0].note) == (modules == [""])


def test_a_plain_build_belongs_to_no_module():
    record = red_hat(
        "RHSA-2023:1", "x: httpd:2.4 update", rpm("Red Hat:enterprise_linux:8::appstream", "x", "0:1-1.el8")
    )
    assert one("Red Hat", record).affected[0].module == ""


def test_an_update_that_names_no_cve_is_about_no_flaw():
    affected = [rpm("AlmaLinux:9", "x", "1-1.el9")]
    assert parse("AlmaLinux", {"id": "ALBA-2023:1", "summary": "x bug fix update", "affected": affected}) == ({}, [])
    security = one("AlmaLinux", {"id": "ALSA-2023:1", "summary": "Low: x security update", "affected": affected})
    assert (security.severity, security.title) == ("Low", "x security update")
    assert security.url == "https://errata.almalinux.org/9/ALSA-2023-1.html"


def test_a_flaw_without_a_cve_goes_by_githubs_id():
    record = {
        "id": "CGA-1",
        "upstream": ["GHSA-2222-3333-4444"],
        "affected": [entry("Wolfi", "x", FROM_START, {"fixed": "1-r1"})],
    }
    assert one("Wolfi", record).vulnerabilities == ("GHSA-2222-3333-4444",)


# --- broken documents


@pytest.mark.parametrize("text", ["", "[]", '{"id": 7}', "{", '{"id":"x","affected":' + "[" * 5000, '{"id":"\\ud800"}'])
def test_a_record_that_makes_no_sense_is_a_problem_and_the_rest_goes_on(text):
    good = {"id": "GHSA-2222-3333-4444", "affected": [entry("npm", "x", FROM_START)]}
    advisories, problems = parse("npm", text, good)
    assert list(advisories) == ["GHSA-2222-3333-4444"]
    assert [each.count for each in problems] == [1]


def test_many_broken_records_are_counted_not_listed():
    _, problems = parse("npm", *["{"] * 250)
    assert sum(each.count for each in problems) == 250
    assert len(problems) <= 101


def test_what_is_no_archive_is_an_error():
    with pytest.raises(FeedError):
        list(PLUGIN.parse(Document(path="osv/npm/all.zip", stream=BytesIO(b"no zip"))))


# --- the real archives


def real(feeds_dir, path):
    with (feeds_dir / path).open("rb") as stream:
        return list(PLUGIN.parse(Document(path=path, stream=stream)))


@pytest.mark.feeds
@pytest.mark.parametrize(
    ("ecosystem", "advisories", "entries"),
    [
        ("PyPI", 8_829, 13_473),
        ("npm", 6_110, 6_924),
        ("Maven", 5_191, 8_313),
        ("Packagist", 4_194, 8_091),
        ("NuGet", 1_392, 3_059),
        ("Go", 3_926, 5_636),
        ("crates.io", 1_141, 1_141),
        ("AlmaLinux", 4_113, 57_273),
        ("Red Hat", 8_030, 117_659),
    ],
)
def test_the_real_archives_give_what_they_hold(feeds_dir, ecosystem, advisories, entries):
    found = [each for each in real(feeds_dir, f"osv/{ecosystem}/all.zip") if isinstance(each, Advisory)]
    assert len(found) == len({each.id for each in found}) == advisories
    own = TYPE_OF_OSV.get(ecosystem)
    assert sum(own in (None, each.namespace) for advisory in found for each in advisory.affected) == entries


@pytest.mark.feeds
def test_the_real_debian_archive_states_each_fix_once(feeds_dir):
    found = [each for each in real(feeds_dir, "osv/Debian/all.zip") if isinstance(each, Advisory)]
    stated = Counter(
        (flaw, each.namespace, each.name)
        for advisory in found
        for flaw in advisory.vulnerabilities
        for each in advisory.affected
        if advisory.id.startswith("CVE-")
    )
    doubled = [
        (advisory.id, flaw, each.name)
        for advisory in found
        if not advisory.id.startswith("CVE-")
        for flaw in advisory.vulnerabilities
        for each in advisory.affected
        if (flaw, each.namespace, each.name) in stated
    ]
    assert doubled == []
    by_id = {each.id: each for each in found}
    assert len(by_id) == len(found)
    states = Counter(each.state for advisory in found for each in advisory.affected)
    assert (states["unimportant"], states["end_of_life"]) == (7_892, 362)
    assert {each.namespace for each in by_id["CVE-2024-3094"].affected} == {"debian:13"}
    curl = {each.namespace: each.ranges[0].fixed for each in by_id["CVE-2023-38545"].affected}
    assert curl == {"debian:11": "7.74.0-1.3+deb11u10", "debian:12": "7.88.1-10+deb12u4", "debian:13": "8.3.0-3"}
    # this CVE has no record of its own in the archive
    assert by_id["DSA-5103-1/2"].vulnerabilities == ("CVE-2022-0778",)


@pytest.mark.feeds
def test_the_spot_checked_flaws_are_in_the_real_archives(feeds_dir):
    maven = {each.id: each for each in real(feeds_dir, "osv/Maven/all.zip") if isinstance(each, Advisory)}
    for advisory, cve in (
        ("GHSA-jfh8-c2jp-5v3q", "CVE-2021-44228"),
        ("GHSA-36p3-wjmg-h94x", "CVE-2022-22965"),
        ("GHSA-599f-7c49-w659", "CVE-2022-42889"),
        ("GHSA-j77q-2qqg-6989", "CVE-2017-5638"),
    ):
        assert maven[advisory].vulnerabilities == (cve,)
    withdrawn = [each for each in real(feeds_dir, "osv/PyPI/withdrawn.zip") if isinstance(each, Advisory)]
    assert len(withdrawn) == 10
    assert all(each.withdrawn for each in withdrawn)
    red_hat_ids = {each.id: each for each in real(feeds_dir, "osv/Red Hat/all.zip") if isinstance(each, Advisory)}
    nginx = red_hat_ids["RHSA-2023:5712"]
    assert {each.module for each in nginx.affected} == {"nginx:1.20"}
