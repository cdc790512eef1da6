"""Red Hat's VEX documents."""

import json
import tarfile
from io import BytesIO
from zipfile import ZipFile

import pytest
import zstandard

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.redhat_vex import PLUGIN
from openinspector.model.advisory import Advisory, Range
from openinspector.model.problem import Problem

PLATFORMS = {
    "BaseOS-9": "cpe:/o:redhat:enterprise_linux:9::baseos",
    "AppStream-8": "cpe:/a:redhat:enterprise_linux:8::appstream",
    "AppStream-9.2.0.Z.EUS": "cpe:/a:redhat:rhel_eus:9.2::appstream",
    "AppStream-8.4.0.Z.AUS": "cpe:/a:redhat:rhel_aus:8.4::appstream",
    "AppStream-8.1.0.Z.E4S": "cpe:/a:redhat:rhel_e4s:8.1::appstream",
    "AppStream-8.2.0.Z.TUS": "cpe:/a:redhat:rhel_tus:8.2::appstream",
    "red_hat_enterprise_linux_7": "cpe:/o:redhat:enterprise_linux:7",
    "8Base-satellite": "cpe:/a:redhat:satellite:6.14::el8",
}


def csaf(status, packages, *, remediations=(), threats=(), extra=(), identifier="CVE-2023-38545"):
    """A document about components `platform:package`, for every pair that a statement names."""
    named = [each for statement in status.values() for each in statement]
    pairs = [
        (platform, each.removeprefix(f"{platform}:"))
        for each in named
        for platform in PLATFORMS
        if each.startswith(f"{platform}:")
    ]
    return json.dumps(
        {
            "document": {
                "category": "csaf_vex",
                "title": "curl: heap overflow",
                "aggregate_severity": {"text": "important"},
                "tracking": {
                    "id": identifier,
                    "status": "final",
                    "initial_release_date": "2023-10-11T00:00:00+00:00",
                    "current_release_date": "2024-08-04T10:17:22+00:00",
                },
            },
            "product_tree": {
                "branches": [
                    {
                        "category": "vendor",
                        "name": "Red Hat",
                        "branches": [
                            *(
                                {"product": {"product_id": p, "product_identification_helper": {"cpe": cpe}}}
                                for p, cpe in PLATFORMS.items()
                            ),
                            *(
                                {
                                    "product": {
                                        "product_id": p,
                                        "name": p,
                                        "product_identification_helper": {"purl": purl},
                                    }
                                }
                                for p, purl in packages.items()
                            ),
                        ],
                    }
                ],
                "relationships": [
                    *(
                        {
                            "category": "default_component_of",
                            "full_product_name": {"product_id": f"{platform}:{package}", "name": "x"},
                            "product_reference": package,
                            "relates_to_product_reference": platform,
                        }
                        for platform, package in pairs
                    ),
                    *extra,
                ],
            },
            "vulnerabilities": [
                {
                    "cve": identifier,
                    "cwe": {"id": "CWE-122", "name": "x"},
                    "notes": [{"category": "description", "text": "A heap overflow."}],
                    "product_status": status,
                    "remediations": list(remediations),
                    "threats": list(threats),
                    "references": [{"url": "https://a"}],
                    "scores": [
                        {"cvss_v3": {"baseScore": 8.1, "vectorString": "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"}}
                    ],
                }
            ],
        }
    ).encode()


def parse(data, path="redhat/csaf-vex/2023/cve-2023-38545.json"):
    return list(PLUGIN.parse(Document(path=path, stream=BytesIO(data))))


def rpm(name, version, arch="x86_64", more=""):
    return f"pkg:rpm/redhat/{name}@{version}?arch={arch}{more}"


def test_a_document_tells_about_the_flaw():
    (advisory,) = parse(csaf({}, {}))
    assert advisory.id == "REDHAT-CVE-2023-38545"
    assert advisory.vulnerabilities == ("CVE-2023-38545",)
    assert advisory.severity == "Important"
    assert [(each.source, each.score) for each in advisory.cvss] == [("Red Hat", 8.1)]
    assert advisory.cwes == ("CWE-122",)
    assert advisory.description == "A heap overflow."
    assert (advisory.published, advisory.modified) == ("2023-10-11T00:00:00Z", "2024-08-04T10:17:22Z")


def test_a_fix_is_said_of_binary_packages_with_their_architectures_and_erratum():
    packages = {
        "curl-0:7.76.1-26.el9_3.2.x86_64": rpm("curl", "7.76.1-26.el9_3.2"),
        "curl-0:7.76.1-26.el9_3.2.aarch64": rpm("curl", "7.76.1-26.el9_3.2", "aarch64"),
        "curl-0:7.76.1-26.el9_3.2.src": rpm("curl", "7.76.1-26.el9_3.2", "src"),
        "curl-debuginfo-0:7.76.1-26.el9_3.2.x86_64": rpm("curl-debuginfo", "7.76.1-26.el9_3.2"),
    }
    fixed = [f"BaseOS-9:{package}" for package in packages]
    remedy = {"category": "vendor_fix", "product_ids": fixed, "url": "https://access.redhat.com/errata/RHSA-2023:6745"}
    (advisory,) = parse(csaf({"fixed": fixed}, packages, remediations=[remedy]))
    (entry,) = advisory.affected
    assert (entry.namespace, entry.name, entry.kind, entry.repository) == ("redhat:9", "curl", "binary", "")
    assert entry.ranges == (Range(fixed="7.76.1-26.el9_3.2"),)
    assert entry.arches == ("aarch64", "x86_64")
    assert entry.note == "RHSA-2023:6745"


@pytest.mark.parametrize(
    ("platform", "namespace", "repository"),
    [
        ("BaseOS-9", "redhat:9", ""),
        ("AppStream-8", "redhat:8", ""),
        ("AppStream-9.2.0.Z.EUS", "redhat:9", "eus:9.2"),
        ("AppStream-8.4.0.Z.AUS", "redhat:8", "aus:8.4"),
        ("AppStream-8.1.0.Z.E4S", "redhat:8", "e4s:8.1"),
        ("AppStream-8.2.0.Z.TUS", "redhat:8", "tus:8.2"),
    ],
)
def test_long_life_streams_are_repositories_of_their_release(platform, namespace, repository):
    packages = {"a-0:1-1.x86_64": rpm("a", "1-1")}
    (advisory,) = parse(csaf({"fixed": [f"{platform}:a-0:1-1.x86_64"]}, packages))
    assert [(each.namespace, each.repository) for each in advisory.affected] == [(namespace, repository)]


def test_other_products_are_counted_and_not_read():
    packages = {"a-0:1-1.x86_64": rpm("a", "1-1")}
    advisory, problem = parse(csaf({"fixed": ["8Base-satellite:a-0:1-1.x86_64", "8Base-satellite"]}, packages))
    assert advisory.affected == ()
    assert isinstance(problem, Problem)
    assert problem.count == 2


def test_an_epoch_comes_from_the_purl_or_the_name():
    packages = {
        "bind-32:9.11-1.x86_64": rpm("bind", "9.11-1"),
        "b-1.x86_64": rpm("b", "1-1", more="&epoch=2"),
        "c-0:1-1.x86_64": rpm("c", "1-1", more="&epoch=0"),
    }
    (advisory,) = parse(csaf({"fixed": [f"BaseOS-9:{each}" for each in packages]}, packages))
    assert {each.name: each.ranges[0].fixed for each in advisory.affected} == {
        "bind": "32:9.11-1",
        "b": "2:1-1",
        "c": "1-1",
    }


def test_a_module_stream_comes_from_rpmmod():
    packages = {"npm-1:10-1.x86_64": rpm("npm", "10-1.module", more="&epoch=1&rpmmod=nodejs:18:8090020240301:a75119d5")}
    (advisory,) = parse(csaf({"fixed": ["AppStream-8:npm-1:10-1.x86_64"]}, packages))
    assert [(each.module, each.ranges[0].fixed) for each in advisory.affected] == [("nodejs:18", "1:10-1.module")]


def test_a_module_stream_comes_from_the_module_that_a_package_is_nested_in():
    module = "nodejs:18:8090020240301:a75119d5"
    packages = {
        "npm-1:10-1.x86_64": rpm("npm", "10-1.module", more="&epoch=1"),
        module: "pkg:rpmmod/redhat/nodejs@18:8090020240301:a75119d5",
    }
    nested = [
        {
            "full_product_name": {"product_id": f"AppStream-8:{module}"},
            "product_reference": module,
            "relates_to_product_reference": "AppStream-8",
        },
        {
            "full_product_name": {"product_id": f"AppStream-8:{module}:npm"},
            "product_reference": "npm-1:10-1.x86_64",
            "relates_to_product_reference": f"AppStream-8:{module}",
        },
    ]
    document = json.loads(csaf({"fixed": []}, packages, extra=nested))
    document["vulnerabilities"][0]["product_status"]["fixed"] = [f"AppStream-8:{module}:npm"]
    (advisory,) = parse(json.dumps(document).encode())
    assert [(each.name, each.module) for each in advisory.affected] == [("npm", "nodejs:18")]


def test_relationships_in_a_circle_end():
    circle = [
        {"full_product_name": {"product_id": a}, "product_reference": "x", "relates_to_product_reference": b}
        for a, b in (("a", "b"), ("b", "a"))
    ]
    document = json.loads(csaf({}, {}, extra=circle))
    document["vulnerabilities"][0]["product_status"] = {"fixed": ["a"]}
    problem, advisory = parse(json.dumps(document).encode())
    assert isinstance(problem, Problem)
    assert advisory.affected == ()


def test_a_module_without_stream_is_a_problem_and_the_rest_goes_on():
    packages = {
        "good-0:1-1.x86_64": rpm("good", "1-1"),
        "flatpak-0:1-1.src": rpm("flatpak", "1-1", "src", "&rpmmod=rhel10"),
    }
    status = {"fixed": ["BaseOS-9:good-0:1-1.x86_64"], "known_affected": ["BaseOS-9:flatpak-0:1-1.src"]}
    problem, advisory = parse(csaf(status, packages))
    assert isinstance(problem, Problem)
    assert "rhel10" in problem.reason
    assert [each.name for each in advisory.affected] == ["good"]


@pytest.mark.parametrize(
    ("category", "details", "state"),
    [
        ("none_available", "Affected", "affected"),
        ("none_available", "Fix deferred", "deferred"),
        ("no_fix_planned", "Will not fix", "will_not_fix"),
        ("no_fix_planned", "Out of support scope", "end_of_life"),
        ("workaround", "Turn it off", "affected"),
    ],
)
def test_what_has_no_fix_is_said_of_source_packages_with_the_publishers_plan(category, details, state):
    component = "red_hat_enterprise_linux_7:curl"
    remedy = {"category": category, "details": details, "product_ids": [component]}
    packages = {"curl": "pkg:rpm/redhat/curl?arch=src"}
    (advisory,) = parse(csaf({"known_affected": [component]}, packages, remediations=[remedy]))
    (entry,) = advisory.affected
    assert (entry.kind, entry.name, entry.state, entry.ranges) == ("source", "curl", state, ())


def test_components_of_old_documents_have_no_purl():
    status = {"known_affected": ["AppStream-8:nodejs:18/nodejs", "red_hat_enterprise_linux_7:curl"]}
    (advisory,) = parse(csaf(status, {}))
    assert [(each.name, each.module, each.kind) for each in advisory.affected] == [
        ("nodejs", "nodejs:18", "source"),
        ("curl", "", "source"),
    ]


def test_binary_components_say_it_more_exactly_than_their_source():
    packages = {
        "samba.src": "pkg:rpm/redhat/samba?arch=src",
        "samba": "pkg:rpm/redhat/samba",
        "libsmbclient": "pkg:rpm/redhat/libsmbclient",
        "samba4.src": "pkg:rpm/redhat/samba4?arch=src",
    }
    (advisory,) = parse(csaf({"known_affected": [f"BaseOS-9:{each}" for each in packages]}, packages))
    assert [(each.name, each.kind) for each in advisory.affected] == [
        ("samba", "binary"),
        ("libsmbclient", "binary"),
        ("samba4", "source"),
    ]


@pytest.mark.parametrize(
    ("status", "state"), [("known_not_affected", "not_affected"), ("under_investigation", "under_investigation")]
)
def test_the_other_statements_are_kept(status, state):
    packages = {"curl": "pkg:rpm/redhat/curl?arch=src"}
    (advisory,) = parse(csaf({status: ["BaseOS-9:curl"]}, packages))
    assert [each.state for each in advisory.affected] == [state]


def test_a_severity_is_said_where_it_differs():
    packages = {each: f"pkg:rpm/redhat/{each}?arch=src" for each in ("a", "b", "c")}
    threats = [
        {"category": "impact", "details": "Low", "product_ids": ["BaseOS-9:a"]},
        {"category": "impact", "details": "Important", "product_ids": ["BaseOS-9:b", "BaseOS-9:c"]},
    ]
    (advisory,) = parse(csaf({"known_affected": [f"BaseOS-9:{each}" for each in packages]}, packages, threats=threats))
    assert [each.severity for each in advisory.affected] == ["Low", "", ""]


def test_a_deleted_document_withdraws_red_hats_statement_and_not_the_cve():
    data = b'{"document": {"tracking": {"id": "CVE-2023-0030", "status": "deleted"}}}'
    (advisory,) = parse(data)
    assert advisory.id == "REDHAT-CVE-2023-0030"
    assert advisory.withdrawn


def test_the_list_of_deletions_withdraws():
    lines = b'"2024/cve-2024-44943.json","2024-08-28T09:39:21+00:00"\nnonsense\n'
    advisory, problem = parse(lines, "redhat/csaf-vex/deletions.csv")
    assert (advisory.id, advisory.withdrawn) == ("REDHAT-CVE-2024-44943", "2024-08-28T09:39:21Z")
    assert isinstance(problem, Problem)


def test_an_archive_is_read_and_a_broken_member_is_a_problem():
    stream = BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in (("2023/a.json", csaf({}, {})), ("2023/b.json", b"{"), ("2023/c.json", csaf({}, {}))):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, BytesIO(data))
    data = zstandard.ZstdCompressor().compress(stream.getvalue())
    records = parse(data, "redhat/csaf-vex/vex-archive.tar.zst")
    assert [type(record) for record in records] == [Advisory, Problem, Advisory]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"document": {}}', b'{"document":' * 100_000])
def test_a_single_document_that_makes_no_sense_is_a_feed_error(data):
    with pytest.raises(FeedError):
        parse(data)


def test_a_product_tree_without_end_is_a_feed_error():
    deep = b'{"document": {"tracking": {"id": "CVE-2023-1000"}}, "product_tree": ' + b'{"branches": [' * 50_000
    with pytest.raises(FeedError):
        parse(deep + b"]}" * 50_000 + b"}")


def fixture(feeds_dir, archive, member):
    with ZipFile(feeds_dir / f"fixtures/{archive}.zip") as opened:
        return opened.read(member)


@pytest.mark.feeds
def test_a_real_archive_is_read_whole(feeds_dir):
    data = fixture(feeds_dir, "vuls-data-update", "redhat/vex/v1/csaf_vex_2024-08-04.tar.zst")
    *advisories, elsewhere = parse(data, "redhat/csaf-vex/csaf_vex_2024-08-04.tar.zst")
    assert len(advisories) == 5
    assert sum(len(each.affected) for each in advisories) == 270
    assert elsewhere.count == 2
    states = {(each.namespace, each.name): each.state for each in advisories[0].affected}
    assert states["redhat:6", "libtiff"] == "end_of_life"
    assert states["redhat:8", "compat-libtiff3"] == "will_not_fix"


@pytest.mark.feeds
def test_curl_is_fixed_twice_in_one_release_and_apart_in_its_extended_support(feeds_dir):
    records = parse(fixture(feeds_dir, "claircore", "rhel/vex/cve-2023-38545.json"))
    (advisory,) = (record for record in records if isinstance(record, Advisory))
    fixes = {
        (each.repository, each.ranges[0].fixed) for each in advisory.affected if each.name == "curl" and each.ranges
    }
    assert fixes == {
        ("eus:9.0", "7.76.1-14.el9_0.9"),
        ("", "7.76.1-23.el9_2.4"),
        ("", "7.76.1-26.el9_3.2"),
    }
    assert {each.state for each in advisory.affected if each.namespace == "redhat:8"} == {"not_affected"}


@pytest.mark.feeds
def test_a_real_bad_module_is_a_problem(feeds_dir):
    records = parse(fixture(feeds_dir, "claircore", "rhel/vex/cve-2024-24786-bad-rpmmod.json"))
    assert [type(record) for record in records] == [Problem, Advisory]
    assert [each.name for each in records[1].affected] == ["cri-tools", "good-pkg"]
