"""The baseline: which findings were known."""

import json

import pytest

from openinspector.errors import UsageError
from openinspector.match.baseline import known_since, read_baseline
from openinspector.model.match import Finding, Match, Vulnerability
from openinspector.model.package import Location, Package

PATH = "usr/lib/python3/dist-packages/jinja2-2.10.dist-info/METADATA"


def report(*findings, aliases=(), **more):
    given = {
        "schema_version": "1.1",
        "scanned_at": "2025-01-02T00:00:00Z",
        "target": {"kind": "image", "name": "app"},
        "findings": list(findings),
        "vulnerabilities": {"CVE-1": {"aliases": list(aliases)}},
    }
    return json.dumps({**given, **more}).encode()


def known(**more):
    package = {"type": "pypi", "name": "jinja2", "version": "2.10", "location": {"path": PATH}}
    return {"vulnerability": "CVE-1", "suppressed": "", "known_since": "", **more, "package": {**package}}


def finding(name="CVE-1", package="jinja2", version="2.10", path=PATH, aliases=()):
    found = Package(type="pypi", name=package, version=version, location=Location(path=path))
    return Finding(
        match=Match(vulnerability=name, package=found, evidence=()),
        vulnerability=Vulnerability(id=name, aliases=aliases),
        severity="high",
    )


def since(found, *findings, **more):
    return known_since(found, read_baseline(report(*findings, **more), "base.json"))


def test_a_finding_of_the_report_is_known_since_then():
    assert since(finding(), known()) == "2025-01-02T00:00:00Z"


def test_how_long_it_has_been_known_goes_from_report_to_report():
    assert since(finding(), known(known_since="2024-01-01T00:00:00Z")) == "2024-01-01T00:00:00Z"


def test_the_version_is_no_part_of_it_not_even_in_the_path():
    assert since(finding(version="2.11", path=PATH.replace("2.10", "2.11")), known())


@pytest.mark.parametrize(
    "found", [finding("CVE-2"), finding(package="markupsafe"), finding(path="srv/app/requirements.txt")]
)
def test_another_vulnerability_package_or_place_is_new(found):
    assert since(found, known()) == ""


def test_a_flaw_that_got_another_name_since_is_the_same():
    assert since(finding("CVE-9", aliases=("GHSA-1",)), known(), aliases=("GHSA-1",))
    assert since(finding("CVE-9", aliases=("CVE-1",)), known())


def test_what_was_suppressed_is_not_known():
    assert since(finding(), known(suppressed="ignored: for now (owner me, until 2025-01-31)")) == ""


def test_a_report_of_the_first_version_is_a_baseline():
    old = {key: value for key, value in known().items() if key != "known_since"}
    assert since(finding(), old, schema_version="1.0")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"bomFormat": "CycloneDX"}',
        report(schema_version="2.0"),
        report(5),
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_what_is_no_report_of_ours_is_the_callers_mistake(data):
    with pytest.raises(UsageError, match=r"base\.json"):
        read_baseline(data, "base.json")
