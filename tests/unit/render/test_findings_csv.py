"""The findings report as CSV."""

import csv
import re
import tracemalloc
from datetime import timedelta
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.render.findings import SEEN, code_finding, image_finding, network_finding, package_finding

from openinspector.render.findings_csv import COLUMNS, lines

NOW = SEEN + timedelta(days=9, hours=23)
# The order that the service's own reports have (specification of the report, 55 columns).
ENDS = ("AWS Account Id", "Severity", "Fix Available"), ("Reference Urls", "Detector Name", "Package Manager")


def table(*findings):
    return list(csv.DictReader(StringIO("".join(lines(findings, NOW)), newline="")))


def row(finding):
    (only,) = table(finding)
    return {name: value for name, value in only.items() if value}


def test_the_columns_are_the_services():
    assert len(COLUMNS) == len(set(COLUMNS)) == 55
    assert (COLUMNS[:3], COLUMNS[-3:]) == ENDS
    assert next(lines([], NOW)) == ",".join(COLUMNS) + "\r\n"


def test_a_package_finding():
    assert row(package_finding()) == {
        "AWS Account Id": "111122223333",
        "Severity": "HIGH",
        "Fix Available": "PARTIAL",
        "Finding Type": "PACKAGE_VULNERABILITY",
        "Title": "CVE-2023-5363 - libssl3, openssl",
        "Description": 'Keys of a "wrong" length,\nand IVs.',
        "Finding ARN": "arn:aws:inspector2:us-east-1:111122223333:finding/0123456789abcdef0123456789abcdef",
        "First Seen": "2026-01-02T03:04:05.678Z",
        "Last Seen": "2026-01-02T03:04:05.678Z",
        "Last Updated": "2026-01-02T03:04:05.678Z",
        "Resource ID": "i-0abc",
        "Region": "us-east-1",
        "Platform": "DEBIAN_12",
        "Resource Tags": "Name:web,team:a",
        "Affected Packages": "libssl3,openssl",
        "Package Installed Version": "0:3.0.9-1,1:3.0.9",
        "Fixed in Version": "0:3.0.11-1~deb12u2,",
        "Package Remediation": "apt-get upgrade,",
        "File Path": ",usr/x",
        "Age (Days)": "9",
        "Remediation": "None Provided",
        "Inspector Score": "7.5",
        "Inspector Score Vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
        "Status": "ACTIVE",
        "Vulnerability Id": "CVE-2023-5363",
        "Vendor": "DEBIAN_CVE",
        "Vendor Severity": "medium",
        "Vendor Advisory": "https://security-tracker.debian.org/tracker/CVE-2023-5363",
        "Vendor Advisory Published": "2026-01-02T03:04:05.678Z",
        "NVD CVSS3 Score": "7.5",
        "NVD CVSS3 Vector": "CVSS:3.1/NVD",
        "NVD CVSS2 Score": "5.0",
        "NVD CVSS2 Vector": "AV:N/NVD",
        "Vendor CVSS3 Score": "6.1",
        "Vendor CVSS3 Vector": "CVSS:3.0/SUSE",
        "Resource Type": "AWS_EC2_INSTANCE",
        "Ami": "ami-1",
        "Resource Public Ipv4": "8.8.4.4,nonsense",
        "Resource Private Ipv4": "10.0.0.1",
        "Resource Ipv6": "2001:db8::1",
        "Resource Vpc": "vpc-1",
        "Epss Score": "0.01234",
        "Exploit Available": "YES",
        "Last Exploited At": "2026-01-02T03:04:05.678Z",
        "Reference Urls": "https://a.example/1,https://a.example/2",
        "Package Manager": "OS,OS",
    }


def test_an_open_port_has_its_range_and_path():
    made = row(network_finding())
    assert made["Port Range"] == "22-23"
    assert made["Network Paths"] == "igw-1 (AWS::EC2::InternetGateway) > eni-1 (AWS::EC2::NetworkInterface)"
    assert "Vulnerability Id" not in made


def test_a_code_finding_of_a_function():
    made = row(code_finding())
    assert made["Detector Name"] == "Hard-coded credentials"
    assert made["File Path"] == "src/a.py:3-5"
    assert made["Reference Urls"] == "https://cwe.example/798"
    assert made["Lambda Layers"] == "arn:layer:1,arn:layer:2"
    assert (made["Lambda Package Type"], made["Platform"], made["Resource Vpc"]) == ("ZIP", "PYTHON_3_12", "vpc-2")
    assert made["Lambda Last Updated At"] == "2026-01-02T03:04:05.678Z"


def test_an_image_has_its_tags():
    assert row(image_finding())["Container Image Tags"] == "1.0,latest"


def test_a_finding_with_next_to_nothing_is_a_row_all_the_same():
    assert row({"findingArn": "a", "resources": [], "inspectorScoreDetails": {}}) == {"Finding ARN": "a"}


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\t=1", "'\t=1"),
        ("\uff1d1", "'\uff1d1"),
        ("\xa0=1", "'\xa0=1"),
        ("\u3000@a", "'\u3000@a"),
        ("@babel/core", "'@babel/core"),
        ("'=1", "''=1"),
        ("'quoted'", "'quoted'"),
        ("a=1", "a=1"),
        ("\u202e=1\x00", "\ufffd=1\ufffd"),
        ("\ud800", "\ufffd"),
        ('a "b", c\r\nd', 'a "b", c\r\nd'),
    ],
)
def test_no_cell_is_a_formula_and_quoting_keeps_the_rest(text, cell):
    (made,) = table(package_finding(title=text))
    assert made["Title"] == cell
    "".join(lines([package_finding(title=text)], NOW)).encode()


# As docs/howto/export-reports.md has it.
PREFIX = re.compile("'(?='*(?:\\s*[-=+@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]))")


@given(st.text(st.sampled_from("'=+-@ \t\r\n\xa0\uff1da,;\"0")))
def test_a_program_gets_every_text_back_as_it_was(text):
    (made,) = table(package_finding(title=text))
    told = made["Title"]
    assert (PREFIX.sub("", told, count=1) if PREFIX.match(told) else told) == text
    assert not told.lstrip().startswith(("=", "+", "-", "@", "\uff1d"))


def test_memory_stays_flat_however_many_findings_there_are():
    def findings(count):
        for number in range(count):
            yield package_finding(findingArn=f"arn:{number}")

    def peak(count):
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        written = sum(len(line) for line in lines(findings(count), NOW))
        assert written > count * 500
        return tracemalloc.get_traced_memory()[1] - before

    tracemalloc.start()
    try:
        peak(100)  # what is made once
        few, many = peak(100), peak(5000)
    finally:
        tracemalloc.stop()
    assert many < few + (1 << 16)
