"""CycloneDX, against its published schema and its own promises."""

import json

import pytest
from msgspec.structs import replace
from tests.unit.render.sample import (
    DEBIAN,
    EMPTY,
    EVIL,
    FINDINGS,
    GIT,
    INVENTORY,
    LODASH,
    LOG4J,
    OPENSSL,
    REPORT,
    RULED,
    STDLIB,
)

from openinspector.model.match import Report
from openinspector.model.suppression import Suppression
from openinspector.render.cyclonedx import render
from openinspector.render.purl import purl


@pytest.fixture(scope="module")
def bom():
    return json.loads(render(REPORT))


def values(owner, name):
    return [each["value"] for each in owner["properties"] if each["name"] == f"openinspector:{name}"]


def component(bom, package):
    return next(each for each in bom["components"] if each["bom-ref"] == purl(package, DEBIAN))


def vulnerabilities(bom, name):
    return [each for each in bom["vulnerabilities"] if each["id"] == name]


@pytest.mark.parametrize(
    "report",
    [REPORT, RULED, EMPTY, Report(inventory=INVENTORY)],
    ids=["rich", "ruled", "empty", "inventory"],
)
def test_it_is_valid_by_the_published_schema(report):
    schema = pytest.importorskip("cyclonedx.schema", reason="cyclonedx-python-lib is not installed")
    validation = pytest.importorskip("cyclonedx.validation.json", reason="cyclonedx-python-lib is not installed")
    errors = validation.JsonStrictValidator(schema.SchemaVersion.V1_6).validate_str(render(report))
    assert errors is None, errors


def test_every_package_is_a_component_with_its_purl_as_reference(bom):
    refs = {each["bom-ref"] for each in bom["components"]}
    for package in INVENTORY.packages:
        if package.name:
            assert purl(package, DEBIAN) in refs
    assert all(each["purl"] == each["bom-ref"] for each in bom["components"] if "purl" in each)
    assert sum("purl" in each for each in bom["components"]) == 10  # 12 packages, two alike and one without a name


def test_references_are_unique(bom):
    refs = [each["bom-ref"] for part in ("components", "vulnerabilities", "compositions") for each in bom[part]]
    refs.append(bom["metadata"]["component"]["bom-ref"])
    assert len(refs) == len(set(refs))


def test_packages_of_one_purl_are_one_component_with_several_occurrences(bom):
    lodash = component(bom, LODASH)
    assert [each["location"] for each in lodash["evidence"]["occurrences"]] == [
        "srv/app/node_modules/lodash/package.json",
        "srv/tool/node_modules/lodash/package.json",
    ]
    assert "scope" not in lodash  # one of the two is needed in production


def test_what_a_vulnerability_affects_is_a_component(bom):
    refs = {each["bom-ref"] for each in bom["components"]}
    affected = [each["ref"] for flaw in bom["vulnerabilities"] for each in flaw["affects"]]
    assert affected
    assert set(affected) <= refs
    assert all(each.startswith("pkg:") for each in affected)


def test_groups_and_names_are_split_as_the_ecosystem_does(bom):
    log4j = component(bom, LOG4J)
    assert (log4j["group"], log4j["name"]) == ("org.apache.logging.log4j", "log4j-core")
    assert component(bom, STDLIB)["name"] == "stdlib"
    assert component(bom, EVIL)["name"] == EVIL.name.rpartition("/")[2].replace("\ud800", "\ufffd")


def test_a_component_says_where_it_comes_from(bom):
    openssl = component(bom, OPENSSL)
    assert values(openssl, "source") == ["openssl 3.0.9-1"]
    assert values(openssl, "layer") == values(openssl, "introduced") == [OPENSSL.location.layer]
    assert component(bom, GIT)["version"] == "1:2.39.2-1.1"
    assert component(bom, LODASH)["hashes"] == [{"alg": "SHA-512", "content": "c" * 128}]


def test_the_vendors_word_comes_first_and_no_vector_is_put_in_its_mouth(bom):
    (flaw,) = vulnerabilities(bom, "CVE-2023-5363")
    first, *others = flaw["ratings"]
    assert first == {"source": {"name": "debian"}, "severity": "medium", "method": "other"}
    assert [(each["source"]["name"], each["method"], each.get("score")) for each in others] == [
        ("NVD", "CVSSv31", 7.5),
        ("NVD", "CVSSv2", 5.0),
        ("openssl", "CVSSv4", None),
    ]


def test_a_severity_by_score_names_whose_score(bom):
    (flaw,) = vulnerabilities(bom, "CVE-2021-44228")
    assert flaw["ratings"] == [
        {
            "source": {"name": "NVD"},
            "score": 10.0,
            "severity": "critical",
            "method": "CVSSv31",
            "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
        }
    ]
    assert flaw["cwes"] == [20, 502]
    assert values(flaw, "kev_date_added") == ["2021-12-10"]
    assert values(flaw, "exploit") == ["exploit-db 50592 50590"]
    assert values(flaw, "epss") == ["0.94358"]


def test_fix_and_evidence_are_told_per_package(bom):
    (flaw,) = vulnerabilities(bom, "CVE-2023-5363")
    assert [each["versions"] for each in flaw["affects"]] == [
        [{"version": "3.0.9-1", "status": "affected"}, {"version": "3.0.11-1~deb12u2", "status": "unaffected"}]
    ] * 2
    assert values(flaw, f"fixed_version:{purl(OPENSSL, DEBIAN)}") == ["3.0.11-1~deb12u2"]
    assert "3.0.0-1 <= 3.0.9-1 < 3.0.11-1~deb12u2" in values(flaw, "evidence")[0]


def test_addresses_that_nobody_should_follow_are_left_out(bom):
    addresses = [each["url"] for flaw in bom["vulnerabilities"] for each in flaw.get("advisories", ())]
    assert addresses
    assert all(each.startswith("https://") and " " not in each and "<" not in each for each in addresses)


def test_a_suppressed_finding_has_an_analysis_of_its_own(bom):
    shown, hidden = vulnerabilities(bom, "CVE-2021-23337")
    assert "analysis" not in shown
    assert hidden["analysis"]["state"] == "not_affected"
    assert hidden["analysis"]["justification"] == "code_not_reachable"
    assert "execute path" in hidden["analysis"]["detail"]
    (ignored,) = vulnerabilities(bom, "GHSA-xxxx-yyyy-zzzz")
    assert ignored["analysis"]["state"] == "in_triage"  # somebody accepts a risk: it is there all the same


@pytest.mark.parametrize(
    ("status", "justification", "state", "word"),
    [
        ("fixed", "", "resolved", None),
        ("not_affected", "component_not_present", "not_affected", "code_not_present"),
        ("not_affected", "requires_configuration", "not_affected", "requires_configuration"),
        ("not_affected", "vulnerable_code_cannot_be_controlled_by_adversary", "not_affected", None),
        ("not_affected", "false_positive", "false_positive", None),
    ],
)
def test_a_statement_keeps_its_meaning_in_cyclonedx_words(status, justification, state, word):
    hidden = Suppression(kind="vex", reason="because", status=status, justification=justification)
    report = replace(REPORT, findings=(replace(FINDINGS[0], suppressed=hidden),))
    analysis = json.loads(render(report))["vulnerabilities"][0]["analysis"]
    assert (analysis["state"], analysis.get("justification")) == (state, word)


def test_what_is_only_under_investigation_is_in_triage_and_what_was_known_is_told():
    flaws = vulnerabilities(json.loads(render(RULED)), "CVE-2023-5363")
    investigated = next(each for each in flaws if "analysis" in each)
    assert investigated["analysis"]["state"] == "in_triage"
    (known,) = (each for each in flaws if "analysis" not in each)
    assert values(known, f"known_since:{purl(OPENSSL, DEBIAN)}") == ["2024-12-01T00:00:00Z"]


def test_doubt_is_told(bom):
    assert bom["compositions"][0]["aggregate"] == "incomplete"
    assert "srv/app/requirements.txt: lines that make no sense (3 times)" in values(bom["metadata"], "problem")
    assert values(component(bom, STDLIB), "undecided") == ["CVE-2023-39325: 'go1.21.3-odd' is no version"]
    nameless = next(each for each in bom["components"] if each["bom-ref"].startswith("nameless:"))
    assert values(nameless, "undecided") == ["there are no advisories for packages of type generic"]


def test_without_findings_it_is_a_bill_of_materials():
    bom = json.loads(render(Report(inventory=INVENTORY)))
    assert "vulnerabilities" not in bom
    assert len(bom["components"]) == 12  # eleven distinct packages and the operating system


def test_it_depends_on_the_report_alone(bom):
    assert render(REPORT) == render(REPORT)
    assert bom["metadata"]["timestamp"] == REPORT.scanned_at
