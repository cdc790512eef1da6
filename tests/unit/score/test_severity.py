"""Severity and score, and whose they are."""

import pytest

from openinspector.model.advisory import Cvss
from openinspector.model.match import Evidence, Match, Vulnerability
from openinspector.model.package import Location, Package
from openinspector.score.severity import band, base_score, choose_vector, severity_of

V31 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
V40 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"


def matched(namespace, vendor=""):
    evidence = Evidence(
        feed="f", advisory="A", namespace=namespace, name="x", kind="binary", scheme="rpm", compared="1"
    )
    package = Package(type="rpm", name="x", version="1", location=Location(path="p"))
    return Match(vulnerability="CVE-1", package=package, evidence=(evidence,), vendor_severity=vendor)


@pytest.mark.parametrize(
    ("vector", "score"),
    [(V31, 9.8), ("AV:N/AC:L/Au:N/C:P/I:P/A:P", 7.5), (V40, 9.3), ("CVSS:3.0/AV:L/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:L", 1.8),
     ("nonsense", None), ("CVSS:3.1/AV:Q", None)],
)  # fmt: skip
def test_the_base_score_is_the_specifications(vector, score):
    assert base_score(vector) == score


@pytest.mark.parametrize(
    ("score", "word"),
    [(0.0, "negligible"), (0.1, "low"), (3.9, "low"), (4.0, "medium"), (7.0, "high"), (9.0, "critical")],
)
def test_bands(score, word):
    assert band(score) == word


def test_nvd_comes_first_and_three_before_four():
    about = Vulnerability(
        id="CVE-1", cvss=(Cvss(vector=V40, source="NVD"), Cvss(vector=V31, source="X"), Cvss(vector=V31, source="NVD"))
    )
    assert choose_vector(about) == (9.8, V31, "NVD")


def test_a_distributions_own_word_comes_before_the_band():
    about = Vulnerability(id="CVE-1")
    assert severity_of(matched("amazon:2023", "Important"), about, 9.8, {}) == ("high", "amazon")
    assert severity_of(matched("alpine:3.20", "low"), about, 9.8, {}) == ("critical", "CVSS")


def test_the_word_of_another_distributions_advisory_does_not_count():
    about = Vulnerability(id="CVE-1")
    words = {("osv", "RHSA-1"): "Critical", ("f", "A"): "low"}
    assert severity_of(matched("debian:12"), about, 4.7, {("osv", "RHSA-1"): "Critical"}) == ("medium", "CVSS")
    assert severity_of(matched("debian:12"), about, 4.7, words) == ("low", "debian")


def test_nothing_known_is_unknown_not_low():
    assert severity_of(matched("pypi"), Vulnerability(id="CVE-1"), None, {}) == ("unknown", "")


def test_malware_is_critical():
    assert severity_of(matched("npm"), Vulnerability(id="MAL-1", malicious=True), None, {}) == ("critical", "malware")
