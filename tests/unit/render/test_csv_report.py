"""CSV: Inspector's columns, and cells that a spreadsheet won't run."""

import csv
from io import StringIO

import pytest
from tests.unit.render.sample import EMPTY, FINDINGS, REPORT, RULED

from openinspector.render.csv_report import render


@pytest.fixture(scope="module")
def rows():
    return list(csv.DictReader(StringIO(render(REPORT), newline="")))


def row(rows, vulnerability, package):
    return next(
        each for each in rows if (each["Vulnerability Id"], each["Affected Packages"]) == (vulnerability, package)
    )


def test_the_columns_are_those_of_the_real_report(rows):
    names = list(rows[0])
    assert len(names) == 55
    assert names[:5] == ["AWS Account Id", "Severity", "Fix Available", "Finding Type", "Title"]
    assert names[-3:] == ["Reference Urls", "Detector Name", "Package Manager"]
    assert render(EMPTY).count("\r\n") == 1


def test_there_is_a_row_for_each_finding(rows):
    assert len(rows) == len(FINDINGS)
    assert all(None not in each for each in rows)


def test_a_row_has_inspectors_words(rows):
    found = row(rows, "CVE-2023-5363", "libssl3")
    assert found["Severity"] == "MEDIUM"
    assert found["Title"] == "CVE-2023-5363 - libssl3"
    assert found["Fixed in Version"] == "0:3.0.11-1~deb12u2"
    assert found["Package Manager"] == "OS"
    assert found["Vendor"] == "DEBIAN_CVE"
    assert found["Platform"] == "DEBIAN_12"
    assert (found["NVD CVSS3 Score"], found["NVD CVSS2 Score"]) == ("7.5", "5.0")
    assert found["Epss Score"] == "0.01234"
    assert found["Status"] == "ACTIVE"


def test_exploits_and_suppression_are_told(rows):
    found = row(rows, "CVE-2021-44228", "org.apache.logging.log4j:log4j-core")
    assert (found["Exploit Available"], found["Last Exploited At"]) == ("YES", "2021-12-14T00:00:00Z")
    assert found["NVD CVSS3 Score"] == "10.0"  # the score we computed on the vector we chose
    assert [each["Status"] for each in rows].count("SUPPRESSED") == 2


def test_what_the_baseline_knows_was_first_seen_then():
    table = list(csv.DictReader(StringIO(render(RULED))))
    known = [each for each in table if each["First Seen"] != each["Last Seen"]]
    assert [(each["First Seen"], each["Age (Days)"]) for each in known] == [("2024-12-01T00:00:00Z", "33")]


def test_no_cell_is_a_formula(rows):
    for each in rows:
        for value in each.values():
            assert not value.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    found = next(each for each in rows if each["Vulnerability Id"] == "GHSA-xxxx-yyyy-zzzz")
    assert found["Affected Packages"] == "'=HYPERLINK(1)"
    assert found["Package Installed Version"] == "'+1"
    assert found["File Path"] == "'-requirements.txt"


def test_invisible_characters_are_replaced():
    text = render(REPORT)
    text.encode()
    assert not {"\x00", "\x1b", "\u202e"} & set(text)
