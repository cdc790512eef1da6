"""Yum's update information, whoever publishes it."""

import gzip
from io import BytesIO

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.updateinfo import Update, advisory, affected, on_every_architecture, updates
from openinspector.model.advisory import Range
from openinspector.model.problem import Problem

PACKAGE = '<package arch="{arch}" epoch="{epoch}" name="{name}" release="{release}" version="{version}"/>'


def package(name, version="1.0", release="2.x", epoch="0", arch="x86_64"):
    return PACKAGE.format(name=name, version=version, release=release, epoch=epoch, arch=arch)


def document(body, pack=gzip.compress):
    return Document(path="x/updateinfo.xml.gz", stream=BytesIO(pack(f"<updates>{body}</updates>".encode())))


def update(packages="", *, references="<references/>", description="", title="T", identifier="ADV-1"):
    return f"""<update type="security" status="final"><id>{identifier}</id><title>{title}</title>
      <issued date="2023-02-17 20:41"/><updated date="2023-02-22 23:22:59"/><severity>Important</severity>
      <description>{description}</description>{references}
      <pkglist><collection short="c">{packages}</collection></pkglist></update>"""


def only(body) -> Update:
    (each,) = updates(document(body), "test")
    assert isinstance(each, Update)
    return each


def test_dates_are_read_with_and_without_seconds():
    each = only(update())
    assert (each.issued, each.updated) == ("2023-02-17T20:41:00Z", "2023-02-22T23:22:59Z")


def test_empty_references_name_no_flaw():
    assert advisory(only(update()), ()).vulnerabilities == ()


def test_references_of_kind_cve_are_the_flaws_of_an_advisory():
    references = """<references><reference id="CVE-2023-1" href="http://bad"/>
      <reference id="CVE-2023-38545" href="http://a" title="" type="cve"/>
      <reference id="RHSA-2023:1" href="http://b" type="redhat"/></references>"""
    each = advisory(only(update(references=references)), ())
    assert each.vulnerabilities == ("CVE-2023-38545",)
    assert each.references == ("http://bad", "http://a", "http://b")
    assert each.id == "ADV-1"


def test_flaws_are_found_in_the_titles_of_bugs_before_the_description():
    bug = '<reference id="22" type="bugzilla" title="CVE-2024-24989 x: y [fedora-all]" href="h"/>'
    references = f"<references>{bug}</references>"
    each = advisory(only(update(references=references, description="not CVE-2020-11111")), ())
    assert each.vulnerabilities == ("CVE-2024-24989",)


def test_flaws_are_found_in_the_description_where_nothing_else_names_them():
    each = advisory(only(update(description="Fixes CVE-2024-24990, CVE-2024-24989. (CVE-2024-24990)")), ())
    assert each.vulnerabilities == ("CVE-2024-24990", "CVE-2024-24989")


def test_doubly_escaped_text_is_unescaped():
    each = advisory(only(update(description="the processor&amp;#039;s &amp;quot;cache&amp;quot; &lt;b&gt;")), ())
    assert each.description == 'the processor\'s "cache" <b>'


def test_a_description_is_cut_at_two_thousand_characters():
    each = advisory(only(update(description="word " * 1000)), ())
    assert len(each.description) <= 2000
    assert each.description.endswith("word…")


def test_packages_of_one_name_are_one_entry_with_their_architectures():
    entries = affected(only(update(package("a") + package("a", arch="aarch64"))).builds, "amazon:2")
    (entry,) = entries
    assert entry.arches == ("aarch64", "x86_64")
    assert entry.ranges == (Range(fixed="1.0-2.x"),)
    assert entry.kind == "binary"


def test_an_epoch_is_kept_but_for_zero():
    builds = only(update(package("bind", epoch="32") + package("b", epoch="0") + package("c", epoch=""))).builds
    assert [build.version for build in builds] == ["32:1.0-2.x", "1.0-2.x", "1.0-2.x"]


def test_versions_that_differ_by_architecture_stay_apart():
    builds = only(update(package("a") + package("a", version="1.1", arch="aarch64"))).builds
    assert [(each.ranges[0].fixed, each.arches) for each in affected(builds, "n")] == [
        ("1.0-2.x", ("x86_64",)),
        ("1.1-2.x", ("aarch64",)),
    ]


def test_a_noarch_build_is_meant_for_every_architecture():
    builds = only(update(package("a", arch="noarch"))).builds
    assert affected(builds, "n")[0].arches == ()


@pytest.mark.parametrize(
    ("name", "arch"),
    [
        ("a-debuginfo", "x86_64"),
        ("kernel-debuginfo-common-x86_64", "x86_64"),
        ("a-debugsource", "x86_64"),
        ("a", "src"),
    ],
)
def test_debugging_symbols_and_sources_expose_nobody(name, arch):
    assert affected(only(update(package(name, arch=arch))).builds, "n") == ()


def test_a_module_is_named_by_the_collection():
    collection = '<module name="nginx" stream="mainline" version="3" context="c" arch="x86_64"/>' + package("nginx")
    assert affected(only(update(collection)).builds, "n")[0].module == "nginx:mainline"


def test_entries_of_one_architecture_out_of_several_lose_it():
    entries = affected(only(update(package("a"))).builds, "n")
    assert on_every_architecture(entries)[0].arches == ()


def test_an_update_without_id_is_a_problem_and_the_rest_goes_on():
    first, second = updates(document(update(identifier="") + update()), "test")
    assert isinstance(first, Problem)
    assert isinstance(second, Update)


def test_packages_without_name_or_version_are_counted():
    problem, each = updates(document(update(package("") + package("b", version="") + package("c"))), "test")
    assert isinstance(problem, Problem)
    assert problem.count == 2
    assert [build.name for build in each.builds] == ["c"]


def test_severity_none_is_no_severity():
    body = update().replace("Important", "None")
    assert advisory(only(body), ()).severity == ""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        b"<html><body>Sorry, come back later</body></html>",
        b"<updates><update></updates>",
        gzip.compress(b"<updates>" * 3, mtime=0),
        gzip.compress(b"<updates/>" * 50, mtime=0)[:-9],
        b"\x1f\x8bgarbage",
        b'<!DOCTYPE a [<!ENTITY x "y">]><updates>&x;</updates>',
        b'<?xml version="1.0"?><!DOCTYPE updates SYSTEM "file:///etc/passwd"><updates/>',
        b"<a>" * 5000,
        b'<?xml version="1.0" encoding="no-such"?><updates/>',
    ],
)
def test_a_document_that_makes_no_sense_is_a_feed_error(data):
    with pytest.raises(FeedError):
        list(updates(Document(path="x", stream=BytesIO(data)), "test"))
