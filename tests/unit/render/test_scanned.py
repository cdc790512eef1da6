"""Which rating counts, how urgent a flaw is, and what the generator's checks mean."""

import pytest
from msgspec.structs import replace
from tests.unit.render.sample import LODASH

from openinspector.model.advisory import Cvss
from openinspector.model.enrichment import Epss, Exploit, Kev
from openinspector.model.match import Evidence, Finding, Match, Vulnerability
from openinspector.render.inspector_checks import check, discontinued
from openinspector.render.sbom_scanner import render
from openinspector.render.scanned import Result, Scanned, counts, flaws, priority

V3 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"
V2 = "AV:N/AC:L/Au:N/C:P/I:P/A:P"
V4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"


def finding(namespace="npm", severity="unknown", severity_source="", vendor="", **about):
    evidence = Evidence(
        feed="f", advisory="a", namespace=namespace, name="n", kind="binary", scheme="npm", compared="1"
    )
    match = Match(vulnerability="CVE-1", package=LODASH, evidence=(evidence,), vendor_severity=vendor)
    flaw = Vulnerability(**({"id": "CVE-1"} | about))
    return Finding(match=match, vulnerability=flaw, severity=severity, severity_source=severity_source)


def one(*findings):
    scanned = (
        Scanned(raw={"name": "x", "type": "library"}, ref=f"c{at}", verdict="vulnerable", findings=(each,))
        for at, each in enumerate(findings)
    )
    result = Result(components=tuple(scanned), scanned_at="2026-01-01T00:00:00Z", scanner="1")
    (flaw,) = flaws(result)
    return flaw


@pytest.mark.parametrize(
    ("found", "severity", "sources"),
    [
        (finding(cvss=(Cvss(vector=V3, source="CNA:x", score=9.8), Cvss(vector=V2, source="nvd", score=9.0))), "high",
         ["NVD", "CNA:x"]),
        (finding(cvss=(Cvss(vector=V2, source="NVD", score=10.0), Cvss(vector=V3, source="NVD", score=5.0))), "medium",
         ["NVD", "NVD"]),
        (finding("debian:12", "low", "debian", cvss=(Cvss(vector=V3, source="ghsa", score=9.8),)), "low",
         ["Debian", "GITHUB"]),
        (finding("sles:15.5", "high", "CVSS", vendor="important", cvss=(Cvss(vector=V3, source="SUSE", score=7.5),)),
         "high", ["SUSE Linux Enterprise", "SUSE"]),
        (finding("ubuntu:22.04", "negligible", "ubuntu"), "info", ["Ubuntu Linux"]),
        (finding(cvss=(Cvss(vector=V4, source="CNA:x", score=9.3), Cvss(vector=V3, source="ghsa", score=4.0))),
         "medium", ["GITHUB", "CNA:x"]),
        (finding(cvss=(Cvss(vector=V3, source="NVD", score=0.0),)), "none", ["NVD"]),
        (finding(severity="high", severity_source="rubysec"), "high", ["AMAZON_INSPECTOR"]),
        (finding(cvss=(Cvss(vector="what", source=""),)), "unknown", ["AMAZON_INSPECTOR", "unknown"]),
        (finding(malicious=True, cvss=(Cvss(vector=V3, source="NVD", score=4.0),)), "critical",
         ["AMAZON_INSPECTOR", "NVD"]),
    ],
)  # fmt: skip
def test_nvds_rating_counts_then_the_distributions_then_githubs_then_anybodys(found, severity, sources):
    flaw = one(found)
    assert flaw.severity == severity
    assert [each.source for each in flaw.ratings] == sources


def test_what_has_none_of_the_four_words_counts_as_other():
    def component(name, **more):
        found = finding(id=name, **more)
        return Scanned(raw={}, ref=name, verdict="vulnerable", findings=(found,))

    result = Result(
        components=(component("CVE-1", severity="high", severity_source="x"), component("CVE-2")),
        scanned_at="",
        scanner="",
    )
    assert counts(flaws(result)) == {"critical": 0, "high": 1, "medium": 0, "low": 0, "other": 1}


EXPLOIT = (Exploit(vulnerability="CVE-1", source="exploit-db"),)


@pytest.mark.parametrize(
    ("about", "severity", "said"),
    [
        ({}, "critical", ("standard", "unverified")),
        ({"kev": Kev(vulnerability="CVE-1", date_added="2024-01-01")}, "low", ("immediate", "verified")),
        ({"exploits": EXPLOIT}, "high", ("urgent", "verified")),
        ({"exploits": EXPLOIT}, "medium", ("moderate", "verified")),
        ({"epss": Epss(vulnerability="CVE-1", score=0.7)}, "critical", ("urgent", "unverified")),
        ({"epss": Epss(vulnerability="CVE-1", score=0.1)}, "critical", ("standard", "unverified")),
    ],
)
def test_how_soon_to_fix(about, severity, said):
    assert priority(one(finding(severity=severity, severity_source="x", **about))) == said


def test_a_flaw_of_two_components_is_one_with_the_worst_word():
    mild = finding("debian:12", "low", "debian")
    flaw = one(mild, replace(mild, severity="high"))
    assert [each.component.ref for each in flaw.affected] == ["c0", "c1"]
    assert flaw.severity == "low"  # both words are ratings of the distribution; the first counts
    assert [each.severity for each in flaw.ratings] == ["low", "high"]


def test_the_worst_come_first_and_are_numbered():
    def component(name, severity):
        found = finding(severity=severity, severity_source="x", id=name)
        return Scanned(raw={}, ref=name, verdict="vulnerable", findings=(found,))

    result = Result(
        components=(component("CVE-3", "low"), component("CVE-2", "critical"), component("CVE-1", "critical")),
        scanned_at="2026-01-01T00:00:00Z",
        scanner="1",
    )
    made = render(result, "CYCLONE_DX_1_5")["vulnerabilities"]
    assert [(each["bom-ref"], each["id"]) for each in made] == [
        ("vuln-1", "CVE-1"),
        ("vuln-2", "CVE-2"),
        ("vuln-3", "CVE-3"),
    ]


@pytest.mark.parametrize(
    ("identity", "severity"),
    [
        ("IN-DOCKER-001", "info"),
        ("IN-DOCKER-005-003", "high"),
        ("IN-DOCKER-006-001", "high"),
        ("IN-DOCKER-007-099", "critical"),
        ("IN-CERTIFICATE-001", "medium"),
        ("IN-CERTIFICATE-009", "medium"),
        ("IN-NEW-001", "info"),
    ],
)
def test_what_the_generators_checks_mean(identity, severity):
    assert check(identity).severity == severity
    assert check(identity).description


def test_a_dead_system_is_critical_and_says_since_when():
    assert discontinued("2019-04-25T00:00:00Z").severity == "critical"
    assert "2019-04-25" in discontinued("2019-04-25T00:00:00Z").description
