"""SUSE's CSAF documents."""

import json
from io import BytesIO
from zipfile import ZipFile

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.suse_csaf import PLUGIN
from openinspector.model.advisory import Advisory, Range
from openinspector.model.problem import Problem

SLES = "SUSE Linux Enterprise Server 15 SP5"


def csaf(status, *, flaws=("CVE-2023-5568",), identifier="SUSE-SU-2023:4200-1", remediations=(), purls=None):
    named = {each for statement in status.values() for each in statement}
    return json.dumps(
        {
            "document": {
                "title": "Security update for curl",
                "aggregate_severity": {"text": "important"},
                "references": [{"category": "self", "url": "https://www.suse.com/support/update/announcement/2023/x/"}],
                "tracking": {
                    "id": identifier,
                    "status": "final",
                    "initial_release_date": "2023-10-20T01:08:03Z",
                    "current_release_date": "2024-07-26T03:43:57Z",
                },
            },
            "product_tree": {
                "branches": [
                    {"product": {"product_id": name, "name": name, "product_identification_helper": {"purl": purl}}}
                    for name, purl in (purls or {}).items()
                ],
                "relationships": [
                    {
                        "category": "default_component_of",
                        "full_product_name": {"product_id": each, "name": each},
                        "product_reference": each.partition(":")[2],
                        "relates_to_product_reference": each.partition(":")[0],
                    }
                    for each in sorted(named)
                    if ":" in each
                ],
            },
            "vulnerabilities": [
                {
                    "cve": flaw,
                    "notes": [{"category": "general", "text": "A flaw."}],
                    "product_status": status,
                    "remediations": list(remediations),
                    "scores": [
                        {"cvss_v3": {"baseScore": 6.5, "vectorString": "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H"}}
                    ],
                    "threats": [{"category": "impact", "details": "moderate"}],
                }
                for flaw in flaws
            ],
        }
    ).encode()


def parse(data, path="suse/csaf/a.json"):
    return list(PLUGIN.parse(Document(path=path, stream=BytesIO(data))))


def only(*args, **more):
    (advisory,) = parse(csaf(*args, **more))
    return advisory


def test_an_advisory_keeps_its_id_and_names_its_flaws():
    advisory = only({"recommended": [f"{SLES}:curl-8.0.1-150400.5.32.1.x86_64"]})
    assert advisory.id == "SUSE-SU-2023:4200-1"
    assert advisory.vulnerabilities == ("CVE-2023-5568",)
    assert advisory.severity == "important"
    assert [(each.source, each.score) for each in advisory.cvss] == [("SUSE", 6.5)]
    assert advisory.url.startswith("https://www.suse.com/support/update/announcement/")


def test_a_vector_is_not_said_of_several_flaws():
    assert only({}, flaws=("CVE-2023-5568", "CVE-2023-5569")).cvss == ()


def test_a_vex_document_is_suses_statement_about_a_cve():
    advisory = only({}, identifier="CVE-2023-5568")
    assert advisory.id == "SUSE-CVE-2023-5568"
    assert advisory.vulnerabilities == ("CVE-2023-5568",)
    assert advisory.url == "https://www.suse.com/security/cve/CVE-2023-5568.html"


@pytest.mark.parametrize(
    ("product", "namespaces"),
    [
        ("SUSE Linux Enterprise Server 15 SP5", ["sles:15.5"]),
        ("SUSE Linux Enterprise Server 15", ["sles:15"]),
        ("SUSE Linux Enterprise Server 11 SP2-LTSS", ["sles:11.2"]),
        ("SUSE Linux Enterprise Server 12 SP5-LTSS-EXTENDED-SECURITY", ["sles:12.5"]),
        ("SUSE Linux Enterprise Server for SAP Applications 15 SP4", ["sles:15.4"]),
        ("SUSE Linux Enterprise Module for Basesystem 15 SP5", ["sles:15.5"]),
        ("SUSE Linux Enterprise High Performance Computing 15 SP3-ESPOS", ["sles:15.3"]),
        ("SUSE Linux Enterprise Server 16.0", ["sles:16.0"]),
        (
            "SUSE Linux Enterprise Module for Web and Scripting 12",
            ["sles:12", "sles:12.1", "sles:12.2", "sles:12.3", "sles:12.4", "sles:12.5"],
        ),
        ("openSUSE Leap 15.6", ["opensuse-leap:15.6"]),
        ("openSUSE Tumbleweed", ["opensuse-tumbleweed"]),
    ],
)
def test_a_product_name_says_the_release(product, namespaces):
    advisory = only({"recommended": [f"{product}:curl-8.0.1-1.1.x86_64"]})
    assert [each.namespace for each in advisory.affected] == namespaces


@pytest.mark.parametrize(
    "product",
    [
        "SUSE Linux Enterprise Micro 5.5",
        "openSUSE Leap Micro 5.5",
        "SUSE CaaS Platform 4.0",
        "SUSE Package Hub 12",
        "SUSE Linux Enterprise",
    ],
)
def test_other_products_are_counted_and_not_read(product):
    advisory, problem = parse(csaf({"recommended": [f"{product}:curl-8.0.1-1.1.x86_64"]}))
    assert advisory.affected == ()
    assert isinstance(problem, Problem)
    assert problem.count == 1


def test_packages_are_known_by_their_file_names():
    advisory = only(
        {
            "recommended": [
                f"{SLES}:libcurl4-8.0.1-150400.5.32.1.x86_64",
                f"{SLES}:libcurl4-8.0.1-150400.5.32.1.aarch64",
                f"{SLES}:libopenssl-1_1-devel-1.1.1l-150500.17.22.1.noarch",
                f"{SLES}:curl-8.0.1-150400.5.32.1.src",
                f"{SLES}:ctdb-4.19.2+git.322.7e9201cef5-1.1",
            ]
        }
    )
    assert {(each.name, each.ranges[0].fixed, each.arches) for each in advisory.affected} == {
        ("libcurl4", "8.0.1-150400.5.32.1", ("aarch64", "x86_64")),
        ("libopenssl-1_1-devel", "1.1.1l-150500.17.22.1", ()),
        ("ctdb", "4.19.2+git.322.7e9201cef5-1.1", ()),
    }


def test_a_purl_says_the_package_where_there_is_one():
    name = "odd.x86_64"
    advisory = only(
        {"recommended": [f"{SLES}:{name}"]}, purls={name: "pkg:rpm/suse/bind@9.9.4P2-0.6.1?arch=x86_64&epoch=1"}
    )
    assert advisory.affected[0].ranges == (Range(fixed="1:9.9.4P2-0.6.1"),)


def test_what_is_no_package_is_counted():
    problem, advisory = parse(csaf({"recommended": [f"{SLES}:curl", "no such component"]}))
    assert isinstance(problem, Problem)
    assert problem.count == 2
    assert advisory.affected == ()


@pytest.mark.parametrize(
    ("remediations", "state"),
    [
        ([], "affected"),
        ([{"category": "none_available", "details": "", "product_ids": [f"{SLES}:libsmb"]}], "affected"),
        ([{"category": "no_fix_planned", "details": "", "product_ids": [f"{SLES}:libsmb"]}], "will_not_fix"),
    ],
)
def test_what_has_no_fix_is_affected_in_every_version(remediations, state):
    (entry,) = only({"known_affected": [f"{SLES}:libsmb"]}, remediations=remediations).affected
    assert (entry.namespace, entry.name, entry.kind, entry.state, entry.ranges) == (
        "sles:15.5",
        "libsmb",
        "binary",
        state,
        (),
    )


def test_a_fix_in_long_term_support_bounds_what_the_product_itself_leaves_open():
    advisory = only(
        {
            "known_affected": ["SUSE Linux Enterprise Server 15 SP3:curl"],
            "recommended": ["SUSE Linux Enterprise Server 15 SP3-LTSS:curl-8.0.1-1.1"],
        }
    )
    assert [(each.ranges, each.note) for each in advisory.affected] == [((Range(fixed="8.0.1-1.1"),), "LTSS")]


def test_of_two_products_of_one_release_the_affected_one_counts():
    advisory = only(
        {
            "known_not_affected": [f"{SLES}:samba"],
            "under_investigation": ["SUSE Linux Enterprise Module for Basesystem 15 SP5:samba"],
        }
    )
    assert [each.state for each in advisory.affected] == ["under_investigation"]


@pytest.mark.parametrize("data", [b"", b"[]", b'{"document": 1}'])
def test_a_document_that_makes_no_sense_is_a_feed_error(data):
    with pytest.raises(FeedError):
        parse(data)


@pytest.mark.feeds
@pytest.mark.parametrize(
    ("member", "advisories", "entries", "elsewhere"),
    [("suse/csaf/csaf.tar.bz2", 3, 74, 58), ("suse/csaf_vex/csaf-vex.tar.bz2", 2, 422, 286)],
)
def test_real_archives_are_read_whole(feeds_dir, member, advisories, entries, elsewhere):
    with ZipFile(feeds_dir / "fixtures/vuls-data-update.zip") as archive:
        records = parse(archive.read(member), "suse/" + member.rpartition("/")[2])
    read = [record for record in records if isinstance(record, Advisory)]
    assert len(read) == advisories
    assert sum(len(each.affected) for each in read) == entries
    assert [each.count for each in records if isinstance(each, Problem)] == [elsewhere]
