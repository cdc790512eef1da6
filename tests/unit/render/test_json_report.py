"""Our own report: its keys stay, and its page in the documentation knows them all."""

import json
from pathlib import Path

import pytest
from tests.unit.render.sample import EMPTY, FINDINGS, REPORT, RULED

from openinspector.render.json_report import render

PAGE = Path(__file__).resolve().parents[3] / "docs" / "json-report.md"


@pytest.fixture(scope="module")
def document():
    return json.loads(render(REPORT))


def keys(value):
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from keys(each)
    elif isinstance(value, list):
        for each in value:
            yield from keys(each)


def test_every_key_is_on_its_page():
    document = json.loads(render(RULED))
    page = PAGE.read_text()
    # Maps by what was scanned: their keys are data.
    data = {*document["vulnerabilities"], *document["database"], *document["packages"]["by_type"]}
    missing = {key for key in keys(document) if key not in data and f"`{key}`" not in page}
    assert not missing


def test_a_report_of_nothing_has_the_same_keys(document):
    assert json.loads(render(EMPTY)).keys() == document.keys()


def test_a_finding_says_what_why_and_what_to_do(document):
    found = next(each for each in document["findings"] if each["vulnerability"] == "CVE-2023-5363")
    assert (found["severity"], found["severity_source"]) == ("medium", "debian")
    assert (found["score"], found["score_source"]) == (7.5, "NVD")
    assert found["fixed_version"] == "3.0.11-1~deb12u2"
    assert found["package"]["purl"].startswith("pkg:deb/debian/libssl3@3.0.9-1?")
    assert found["evidence"][0]["compared"] == "3.0.9-1"
    assert document["vulnerabilities"]["CVE-2023-5363"]["cvss"][1]["score"] == 5.0


def test_the_summary_counts_what_is_shown(document):
    summary = document["summary"]
    assert summary["findings"] + summary["suppressed"] == len(FINDINGS) == len(document["findings"])
    assert summary["by_severity"] == {"critical": 2, "high": 1, "medium": 2, "low": 0, "negligible": 0, "unknown": 0}
    assert summary["known_exploited"] == 1
    assert summary["problems"] == 4


def test_doubt_and_suppression_are_told(document):
    assert document["status"] == "partial"
    assert [each["vulnerability"] for each in document["undecided"]] == ["", "CVE-2023-39325"]
    assert document["problems"][0]["count"] == 3
    assert [each["suppressed"][:3] for each in document["findings"] if each["suppressed"]] == ["VEX", "ign"]


def test_what_overruled_the_scan_is_told():
    document = json.loads(render(RULED))
    hidden = [each["suppression"] for each in document["findings"] if each["suppression"] is not None]
    assert [(each["kind"], each["status"], each["owner"], each["expires"]) for each in hidden] == [
        ("vex", "not_affected", "Acme", ""),
        ("ignore", "", "alice@example.org", "2026-01-01"),
    ]
    (stated,) = (each["vex"] for each in document["findings"] if each["vex"])
    assert (stated[0]["status"], stated[0]["product"]) == ("under_investigation", "pkg:deb/debian/openssl")
    assert document["summary"]["known"] == 1
    assert [(each["kind"], each["entries"], each["hidden"]) for each in document["given"]] == [
        ("vex", 3, 1),
        ("ignore", 1, 1),
        ("baseline", 9, 1),
    ]


def test_it_depends_on_the_report_alone():
    assert render(REPORT) == render(REPORT)
    render(REPORT).encode()
