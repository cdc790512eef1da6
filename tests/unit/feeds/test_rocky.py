"""Rocky Linux."""

import json
from io import BytesIO
from zipfile import ZipFile

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.rocky import PLUGIN
from openinspector.model.advisory import Advisory, Range
from openinspector.model.problem import Problem

ERRATA = "rocky/errata/1.json"
UPDATES = "rocky/9/BaseOS/updateinfo.xml.gz"


def parse(path, data):
    return list(PLUGIN.parse(Document(path=path, stream=BytesIO(data))))


def erratum(packages, **changes):
    return {
        "name": "RLSA-2025:21816",
        "synopsis": "Moderate: delve and golang security update",
        "description": "The Go Programming Language.",
        "kind": "Security",
        "severity": "Moderate",
        "published_at": "2025-11-27T09:11:22.820964+00:00",
        "cves": [
            {
                "cve": "CVE-2025-58183",
                "cvss3_scoring_vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
                "cvss3_base_score": "7.5",
                "cwe": "CWE-770",
            }
        ],
        "fixes": [{"source": "https://bugzilla.redhat.com/show_bug.cgi?id=2407258"}],
        "packages": packages,
        **changes,
    }


def package(nevra, product="Rocky Linux 10 x86_64", module=None, stream=None):
    return {"nevra": nevra, "product_name": product, "module_name": module, "module_stream": stream}


def errata(*advisories):
    return parse(ERRATA, json.dumps({"advisories": advisories}).encode())


def update(packages, kind="security", short="rocky-linux-9-x86-64-baseos-rpms"):
    return f"""<updates><update type="{kind}"><id>RLSA-2022:7513</id><title>Important: xz security update</title>
<issued date="2022-11-08 09:19:42"/><severity>Important</severity>
<references><reference href="h" id="RLSA-2022:7513" type="self"/>
<reference href="i" id="CVE-2022-1271" type="cve"/></references>
<pkglist><collection short="{short}">{packages}</collection></pkglist></update></updates>""".encode()


XZ = '<package name="xz" arch="x86_64" epoch="0" version="5.2.5" release="8.el9_0" src="xz-5.2.5-8.el9_0.src.rpm"/>'


def test_an_erratum_is_read():
    (advisory,) = errata(
        erratum([package("delve-0:1.25.2-1.el10_1.x86_64.rpm"), package("delve-0:1.25.2-1.el10_1.src.rpm")])
    )
    assert advisory.id == "RLSA-2025:21816"
    assert advisory.vulnerabilities == ("CVE-2025-58183",)
    assert advisory.severity == "Moderate"
    assert [(each.score, each.source) for each in advisory.cvss] == [(7.5, "Red Hat")]
    assert advisory.cwes == ("CWE-770",)
    assert advisory.url == "https://errata.rockylinux.org/RLSA-2025:21816"
    (entry,) = advisory.affected
    assert (entry.namespace, entry.name, entry.arches) == ("rocky:10", "delve", ("x86_64",))
    assert entry.ranges == (Range(fixed="1.25.2-1.el10_1"),)


def test_an_erratum_names_module_streams_and_epochs():
    nevra = "mariadb-3:10.5.16-2.module+el8.9.0+13358+56c3b6a3.x86_64.rpm"
    (advisory,) = errata(erratum([package(nevra, "Rocky Linux 8 x86_64", "mariadb", "10.5")]))
    (entry,) = advisory.affected
    assert (entry.namespace, entry.module) == ("rocky:8", "mariadb:10.5")
    assert entry.ranges[0].fixed == "3:10.5.16-2.module+el8.9.0+13358+56c3b6a3"


def test_the_release_comes_from_the_package_where_the_product_is_not_named():
    (advisory,) = errata(erratum([package("xz-0:5.2.5-8.el9_0.x86_64.rpm", None)]))
    assert [each.namespace for each in advisory.affected] == ["rocky:9"]


def test_errata_that_fix_bugs_are_left_out():
    assert errata(erratum([], kind="Bug Fix")) == []


def test_an_erratum_that_makes_no_sense_is_a_problem_and_the_rest_goes_on():
    first, second, third = errata({"no": "name"}, erratum([package("no package")]))
    assert isinstance(first, Problem)
    assert isinstance(second, Problem)
    assert isinstance(third, Advisory)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"advisories": 1}'])
def test_a_page_that_makes_no_sense_is_a_feed_error(data):
    with pytest.raises(FeedError):
        parse(ERRATA, data)


@pytest.mark.parametrize("short", ["rocky-linux-9-x86-64-baseos-rpms", "RL9", "other"])
def test_update_information_is_meant_for_every_architecture(short):
    (advisory,) = parse(UPDATES, update(XZ, short=short))
    (entry,) = advisory.affected
    assert (entry.namespace, entry.name, entry.arches) == ("rocky:9", "xz", ())
    assert advisory.vulnerabilities == ("CVE-2022-1271",)


def test_a_modular_build_without_stream_is_reported_and_not_compared():
    modular = XZ.replace("8.el9_0", "2.module+el9.1.0+13358+56c3b6a3", 1)
    (problem,) = parse(UPDATES, update(modular))
    assert isinstance(problem, Problem)
    advisory, problem = parse(UPDATES, update(XZ + modular))
    assert [each.ranges[0].fixed for each in advisory.affected] == ["5.2.5-8.el9_0"]
    assert problem.count == 1


def test_updates_without_packages_are_a_problem():
    (problem,) = parse(UPDATES, update(""))
    assert isinstance(problem, Problem)


def test_updates_that_fix_bugs_are_left_out():
    assert parse(UPDATES, update(XZ, kind="bugfix")) == []


@pytest.mark.feeds
def test_real_errata_are_read(feeds_dir):
    with ZipFile(feeds_dir / "fixtures/vuls-data-update.zip") as archive:
        (advisory,) = parse(ERRATA, archive.read("rocky/errata/happy/page1.json"))
    assert advisory.id == "RLSA-2025:21816"
    assert {each.name for each in advisory.affected} >= {"delve", "golang"}


@pytest.mark.feeds
def test_a_real_broken_check_sum_is_a_feed_error(feeds_dir):
    with ZipFile(feeds_dir / "fixtures/vuls-data-update.zip") as archive:
        (member,) = (
            name for name in archive.namelist() if name.endswith("corrupt-updateinfo.xml.gz") and "rocky/" in name
        )
        data = archive.read(member)
    with pytest.raises(FeedError):
        parse(UPDATES, data)
