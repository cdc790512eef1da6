"""JUnit XML, by the rules of the schema that build servers use."""

from xml.etree.ElementTree import fromstring

import pytest
from tests.unit.render.sample import EMPTY, REPORT, RULED

from openinspector.render.junit import render

ALLOWED = {
    "testsuites": ({"name", "tests", "failures", "errors", "time"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
        {"properties", "testcase"},
    ),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": ({"classname", "name", "time"}, {"failure", "skipped"}),
    "failure": ({"message", "type"}, set()),
    "skipped": ({"message"}, set()),
}


@pytest.fixture(scope="module")
def root():
    return fromstring(render(REPORT))


def suite(root, name):
    return next(each for each in root if each.get("name") == name)


@pytest.mark.parametrize("report", [REPORT, RULED, EMPTY], ids=["rich", "ruled", "empty"])
def test_it_has_only_what_the_schema_allows(report):
    for each in fromstring(render(report).encode()).iter():
        attributes, children = ALLOWED[each.tag]
        assert set(each.keys()) <= attributes
        assert {child.tag for child in each} <= children
        assert each.tag not in ("testsuite", "testcase") or each.get("name")


def test_the_counts_are_those_of_the_cases(root):
    for each in root:
        cases = each.findall("testcase")
        assert int(each.get("tests")) == len(cases)
        assert int(each.get("failures")) == len(each.findall("testcase/failure"))
        assert int(each.get("skipped")) == len(each.findall("testcase/skipped"))
    assert int(root.get("tests")) == len(root.findall(".//testcase"))
    assert int(root.get("failures")) == len(root.findall(".//failure")) == 5


def test_there_is_a_suite_for_each_kind_of_package_the_systems_first(root):
    assert [each.get("name") for each in root] == ["deb", "generic", "golang", "maven", "npm", "pypi"]


def test_a_failure_says_what_to_do_and_why(root):
    failure = suite(root, "deb").find("testcase/failure")
    assert failure.get("type") == "medium"
    assert "To fix: apt-get update && apt-get install --only-upgrade libssl3" in failure.text
    assert "Why: CVE-2023-5363 (debian-tracker)" in failure.text


def test_suppressed_and_undecided_are_skipped_with_their_reason(root):
    reasons = [each.get("message") for each in root.iter("skipped")]
    assert any(each.startswith("suppressed: VEX") for each in reasons)
    assert any(each.startswith("not judged: there are no advisories") for each in reasons)


def test_what_the_baseline_knows_fails_no_build():
    root = fromstring(render(RULED))
    assert "known since 2024-12-01T00:00:00Z" in [each.get("message") for each in root.iter("skipped")]
    assert "VEX: under investigation" in suite(root, "deb").find("testcase/failure").text


def test_kinds_without_findings_pass():
    from tests.unit.render.sample import INVENTORY

    from openinspector.model.match import Report

    root = fromstring(render(Report(inventory=INVENTORY)))
    assert root.get("failures") == "0"
    assert suite(root, "deb").find("testcase").get("name") == "3 packages without known vulnerabilities"


def test_characters_that_xml_cannot_hold_are_replaced():
    text = render(REPORT)
    text.encode()
    assert "\x00" not in text
    assert "\x1b" not in text
    assert "<script" not in text
