"""ScanSbom, from a document to the answer, with an advisory file of its own."""

import copy
import json
import tracemalloc
from datetime import UTC, datetime

import pytest

from openinspector import __version__
from openinspector.errors import AcquireError, SbomError
from openinspector.model.advisory import Advisory, Affected, Cvss, Range
from openinspector.model.enrichment import Epss, Exploit, Kev
from openinspector.pipeline import scan_sbom as scanner
from openinspector.pipeline.scan_sbom import handle, scan_sbom
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.part import write_part

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
GENERATOR = "amazon:inspector:sbom_generator:"
SCANNER = "amazon:inspector:sbom_scanner:"
HIGH = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"
CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"

SKIPPED = "Component skipped: "
UNDECIDED = "Component scanned: some vulnerabilities could not be decided."


def affects(namespace, name, kind="binary", **range_):
    return Affected(namespace=namespace, name=name, kind=kind, ranges=(Range(**range_),))


OSV = (
    Advisory(
        id="GHSA-jfh8-c2jp-5v3q",
        aliases=("CVE-2021-44228",),
        vulnerabilities=("CVE-2021-44228",),
        description="A lookup loads code.",
        cvss=(Cvss(vector=CRITICAL, source="ghsa"),),
        cwes=("CWE-502", "CWE-20", "NVD-CWE-noinfo"),
        references=("https://logging.example/security", "javascript:alert(1)"),
        published="2021-12-10T00:40:56Z",
        modified="2025-01-14T10:02:18Z",
        affected=(affects("maven", "org.apache.logging.log4j:log4j-core", introduced="2.0", fixed="2.15.0"),),
    ),
    Advisory(
        id="MAL-2024-1",
        title="Malware",
        malicious=True,
        affected=(Affected(namespace="npm", name="evil"),),
    ),
    Advisory(id="CVE-2024-9", affected=(affects("npm", "odd", fixed="2.0.0"),)),
)
UBUNTU = (
    Advisory(
        id="CVE-2022-0778",
        severity="medium",
        affected=(affects("ubuntu:14.04", "openssl", "source", fixed="1.0.1f-1ubuntu2.27+esm5"),),
    ),
)
NVD = (
    Advisory(
        id="CVE-2022-0778",
        description="An infinite loop.",
        cvss=(
            Cvss(vector=HIGH, source="NVD", score=7.5),
            Cvss(vector="AV:N/AC:L/Au:N/C:N/I:N/A:P", source="NVD", score=5.0),
        ),
        published="2022-03-15T17:15:00Z",
        modified="2022-10-06T00:00:00Z",
    ),
    Advisory(id="CVE-2021-44228", cvss=(Cvss(vector=CRITICAL, source="NVD", score=10.0),)),
)
ENRICHMENT = (
    Epss(vulnerability="CVE-2021-44228", score=0.97565, percentile=0.99, date="2024-05-16"),
    Kev(vulnerability="CVE-2021-44228", date_added="2021-12-10", due_date="2021-12-24"),
    Exploit(vulnerability="CVE-2021-44228", source="exploit-db", ids=("50592",), date="2021-12-14"),
)

LOG4J = {
    "bom-ref": "comp-2",
    "type": "library",
    "group": "org.apache.logging.log4j",
    "name": "log4j-core",
    "version": "2.12.1",
    "purl": "pkg:maven/org.apache.logging.log4j/log4j-core@2.12.1",
    "hashes": [{"alg": "SHA-1", "content": "d" * 40}],
    "properties": [
        {"name": f"{GENERATOR}source_path", "value": "/srv/app.jar"},
        {"name": f"{GENERATOR}source_file_scanner", "value": "java-jar"},
        {"name": "acme:kept", "value": "yes"},
        {"name": f"{SCANNER}info", "value": "Component scanned: no vulnerabilities found."},
    ],
}
SYSTEM = {"bom-ref": "comp-3", "type": "operating-system", "name": "Ubuntu", "version": "14.04"}
LIBSSL = {
    "bom-ref": "comp-5",
    "type": "application",
    "name": "libssl1.0.0",
    "version": "1.0.1f-1ubuntu2.27",
    "purl": "pkg:deb/ubuntu/libssl1.0.0@1.0.1f-1ubuntu2.27?arch=amd64&distro=14.04&epoch=0&source=openssl",
}
OPENSSL = {
    "bom-ref": "comp-4",
    "type": "application",
    "name": "openssl",
    "version": "1.0.1f-1ubuntu2.27",
    "purl": "pkg:deb/ubuntu/openssl@1.0.1f-1ubuntu2.27?arch=amd64&distro=14.04&epoch=0",
    "components": [LIBSSL],
}
DOCKERFILE = {
    "bom-ref": "comp-6",
    "type": "file",
    "name": "dockerfile:Dockerfile",
    "properties": [
        {"name": f"{GENERATOR}dockerfile_finding:IN-DOCKER-007-001", "value": "affected_lines:22-23"},
        {"name": f"{GENERATOR}dockerfile_finding:IN-DOCKER-002", "value": "affected_lines:4-4"},
    ],
}


def document(*components):
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": list(components)}


RICH = document(SYSTEM, OPENSSL, LOG4J, DOCKERFILE)


@pytest.fixture(scope="module")
def advisories(tmp_path_factory):
    folder = tmp_path_factory.mktemp("advisories")
    states = []
    for name, records in (
        ("osv", (*OSV, Advisory(id="CVE-2020-1", affected=(affects("npm", "safe", fixed="1.0.0"),)))),
        ("ubuntu_tracker", UBUNTU),
        ("nvd", NVD),
        ("extra", ENRICHMENT),
    ):
        write_part(folder / f"{name}.part", records)
        part = (folder / f"{name}.part",)
        states.append(FeedState(name=name, revision=1, digest=name, fetched="", parts=part))
    compile_parts(folder / "a.sqlite", states, {"built": "now"})
    file = AdvisoryFile(folder / "a.sqlite")
    yield file
    file.close()


def answer(advisories, sbom, output_format=None):
    request = {"sbom": sbom} | ({"outputFormat": output_format} if output_format else {})
    return handle(request, advisories, NOW)["sbom"]


def properties(owner):
    return {each["name"].removeprefix(SCANNER): each["value"] for each in owner.get("properties", ())}


def flaw(made, identity):
    return next(each for each in made["vulnerabilities"] if each["id"] == identity)


@pytest.mark.parametrize(
    "sbom",
    [
        RICH,
        document(),
        document({"type": "no such type", "version": 5, "purl": ["?"], "x": 1}, {"name": "a", "properties": [1, {}]}),
        {"bomFormat": "CycloneDX", "specVersion": "1.5"},
    ],
    ids=["rich", "empty", "nonsense", "bare"],
)
def test_the_answer_is_valid_cyclonedx(advisories, sbom):
    schema = pytest.importorskip("cyclonedx.schema", reason="cyclonedx-python-lib is not installed")
    validation = pytest.importorskip("cyclonedx.validation.json", reason="cyclonedx-python-lib is not installed")
    made = json.dumps(answer(advisories, sbom))
    errors = validation.JsonStrictValidator(schema.SchemaVersion.V1_5).validate_str(made)
    assert errors is None, errors


def test_the_document_says_when_and_by_whom_it_was_scanned(advisories):
    metadata = answer(advisories, RICH)["metadata"]
    assert metadata["timestamp"] == "2026-11-24T12:00:00.000Z"
    (service,) = metadata["tools"]["services"]
    assert service["version"] == f"{__version__}+{advisories.meta['digest'].removeprefix('sha256:')[:8]}"


def test_components_come_back_in_their_tree_with_their_members(advisories):
    before = copy.deepcopy(RICH)
    made = answer(advisories, RICH)
    assert before == RICH  # what came in is left alone
    assert [each["bom-ref"] for each in made["components"]] == ["comp-3", "comp-4", "comp-2", "comp-6"]
    assert [each["bom-ref"] for each in made["components"][1]["components"]] == ["comp-5"]
    log4j = made["components"][2]
    assert log4j["hashes"] == LOG4J["hashes"]
    assert log4j["group"] == "org.apache.logging.log4j"


def test_the_generators_properties_become_the_scanners_and_nobody_elses_word_does(advisories):
    log4j = answer(advisories, RICH)["components"][2]
    assert log4j["properties"] == [
        {"name": f"{SCANNER}path", "value": "/srv/app.jar"},
        {"name": f"{SCANNER}source_file_scanner", "value": "java-jar"},
        {"name": "acme:kept", "value": "yes"},
    ]


@pytest.mark.parametrize(
    ("component", "said"),
    [
        ({"name": "safe", "purl": "pkg:npm/safe@1.0.0"}, {"info": "Component scanned: no vulnerabilities found."}),
        ({"name": "who", "purl": "pkg:npm/nobody-knows@1.0.0"}, {"info": f"{SKIPPED}no rules found."}),
        ({"name": "x", "purl": "pkg:swid/x@1"}, {"info": f"{SKIPPED}no rules found."}),
        ({"name": "x"}, {"warning": f"{SKIPPED}no purl provided."}),
        ({"name": "x", "purl": "pkg:golang/x?unresolved=true"}, {"warning": f"{SKIPPED}unresolved version provided."}),
        ({"name": "x", "purl": "nonsense"}, {"warning": f"{SKIPPED}invalid purl provided."}),
        ({"name": "odd", "purl": "pkg:npm/odd@latest"}, {"warning": UNDECIDED}),
        ({"name": "a file", "type": "file"}, {}),
        ({"name": "Debian", "type": "operating-system", "version": "12"}, {}),
        ({"name": "log4j", "purl": LOG4J["purl"]}, {}),
    ],
)  # fmt: skip
def test_each_component_says_what_became_of_it(advisories, component, said):
    (made,) = answer(advisories, document(component))["components"]
    told = properties(made)
    assert {name: value for name, value in told.items() if name in ("info", "warning")} == said


def test_doubt_is_told_with_its_reason_and_is_no_clean_bill(advisories):
    sbom = document({"name": "odd", "purl": "pkg:npm/odd@latest"}, {"name": "x", "purl": "pkg:swid/x@1"})
    odd, other = answer(advisories, sbom)["components"]
    assert "CVE-2024-9" in properties(odd)["openinspector:undecided"]
    assert "swid" in properties(other)["openinspector:undecided"]
    messages = answer(advisories, sbom, "INSPECTOR")["messages"]
    assert any("CVE-2024-9" in each["info_message"] for each in messages)


def test_a_vulnerability_has_everything_that_is_known(advisories):
    made = flaw(answer(advisories, RICH), "CVE-2021-44228")
    assert made["bom-ref"] == "vuln-1"
    assert made["source"] == {"name": "NVD", "url": "https://nvd.nist.gov/vuln/detail/CVE-2021-44228"}
    assert made["references"] == [
        {
            "id": "GHSA-jfh8-c2jp-5v3q",
            "source": {"name": "GITHUB", "url": "https://github.com/advisories/GHSA-jfh8-c2jp-5v3q"},
        }
    ]
    assert [(each["source"]["name"], each["severity"], each["method"]) for each in made["ratings"]] == [
        ("NVD", "critical", "CVSSv31"),
        ("GITHUB", "critical", "CVSSv31"),
        ("EPSS", "none", "other"),
    ]
    assert made["ratings"][-1]["score"] == 0.97565
    assert made["ratings"][-1]["vector"] == "model:v2023.03.01,date:2024-05-16T00:00:00+0000"
    assert made["cwes"] == [20, 502]
    assert made["advisories"] == [{"url": "https://logging.example/security"}]
    assert (made["created"], made["updated"]) == ("2021-12-10T00:40:56Z", "2025-01-14T10:02:18Z")
    assert made["affects"] == [{"ref": "comp-2"}]
    assert made["analysis"] == {"state": "exploitable"}
    assert properties(made) == {
        "exploit_available": "true",
        "exploit_last_seen_in_public": "2021-12-14T00:00:00Z",
        "cisa_kev_date_added": "2021-12-10T00:00:00Z",
        "cisa_kev_date_due": "2021-12-24T00:00:00Z",
        "fixed_version:comp-2": "2.15.0",
        "priority": "immediate",
        "priority_intelligence": "verified",
    }


def test_a_distributions_flaw_affects_source_and_binary_and_has_both_words(advisories):
    made = flaw(answer(advisories, RICH), "CVE-2022-0778")
    assert made["affects"] == [{"ref": "comp-4"}, {"ref": "comp-5"}]
    assert properties(made)["fixed_version:comp-5"] == "0:1.0.1f-1ubuntu2.27+esm5"
    assert made["analysis"] == {"state": "in_triage"}
    assert [(each["source"]["name"], each["severity"]) for each in made["ratings"]] == [
        ("NVD", "high"),
        ("NVD", "medium"),
        ("Ubuntu Linux", "medium"),
    ]


def test_a_dead_system_and_the_generators_checks_are_vulnerabilities(advisories):
    made = answer(advisories, RICH)
    assert properties(made["components"][0]) == {"end_of_life": "2019-04-25T00:00:00Z"}
    assert flaw(made, "IN-DISCONTINUED-001")["affects"] == [{"ref": "comp-3"}]
    secret = flaw(made, "IN-DOCKER-007-001")
    assert secret["affects"] == [{"ref": "comp-6"}]
    assert secret["ratings"][0] == {
        "source": {"name": "AMAZON_INSPECTOR", "url": "https://aws.amazon.com/inspector/"},
        "severity": "critical",
        "method": "other",
    }
    dockerfile = properties(made["components"][3])
    assert dockerfile["dockerfile_finding:IN-DOCKER-007-001"] == "affected_lines:22-23"


def test_the_counters_are_those_of_the_first_ratings(advisories):
    made = answer(advisories, RICH)
    assert made["metadata"]["properties"] == [
        {"name": f"{SCANNER}{severity}_vulnerabilities", "value": number}
        for severity, number in (("critical", "3"), ("high", "1"), ("medium", "0"), ("low", "0"), ("other", "1"))
    ]
    counted = answer(advisories, RICH, "INSPECTOR")["vulnerability_count"]
    assert counted == {"critical": 3, "high": 1, "medium": 0, "low": 0, "other": 1}


def test_malware_is_critical_and_says_so(advisories):
    made = flaw(answer(advisories, document({"name": "evil", "purl": "pkg:npm/evil@1.0.0"})), "MAL-2024-1")
    assert properties(made)["is_malicious"] == "true"
    assert made["ratings"][0]["severity"] == "critical"


def test_inspectors_own_format(advisories):
    made = answer(advisories, RICH, "INSPECTOR")
    assert set(made) == {"messages", "vulnerability_count", "vulnerabilities"}
    log4j = flaw(made, "CVE-2021-44228")
    assert log4j["severity"] == "critical"
    assert log4j["source"] == "https://nvd.nist.gov/vuln/detail/CVE-2021-44228"
    assert log4j["related"] == ["GHSA-jfh8-c2jp-5v3q"]
    assert log4j["affects"] == [
        {"installed_version": LOG4J["purl"], "fixed_version": "2.15.0", "path": "/srv/app.jar"}
    ]  # fmt: skip
    told = log4j["properties"]
    assert told["epss"] == 0.97565
    assert told["exploit_available"] is True
    assert told["cisa_kev_date_due"] == "2021-12-24T00:00:00Z"
    openssl = flaw(made, "CVE-2022-0778")["properties"]["cvss"][0]
    assert openssl == {
        "source": "NVD",
        "severity": "high",
        "url": "https://nvd.nist.gov/vuln/detail/CVE-2022-0778",
        "cvss_3_base_vector": HIGH,
        "cvss_3_base_score": 7.5,
        "cvss_2_base_vector": "AV:N/AC:L/Au:N/C:N/I:N/A:P",
        "cvss_2_base_score": 5.0,
    }
    assert flaw(made, "IN-DOCKER-002")["affects"] == [{"file": "dockerfile:Dockerfile", "lines": "4-4"}]
    assert flaw(made, "IN-DISCONTINUED-001")["affects"] == [{"installed_version": "Ubuntu 14.04"}]


def test_a_message_names_the_component_by_its_purl_or_else_its_name(advisories):
    sbom = document({"name": "bare"}, {"name": "safe", "purl": "pkg:npm/safe@1.0.0"})
    assert answer(advisories, sbom, "INSPECTOR")["messages"] == [
        {"name": "bare", "info_message": "Component skipped: no purl provided."},
        {"purl": "pkg:npm/safe@1.0.0", "info_message": "Component scanned: no vulnerabilities found."},
    ]


def test_the_other_inspector_format_adds_the_components_reference(advisories):
    plain, other = (answer(advisories, RICH, each) for each in ("INSPECTOR", "INSPECTOR_ALT"))
    assert flaw(other, "CVE-2021-44228")["affects"][0]["component"] == "comp-2"
    for each in other["vulnerabilities"]:
        for affected in each["affects"]:
            affected.pop("component")
    assert other == plain


def test_bytes_are_read_as_the_decoded_document_is(advisories):
    decoded, read = (scan_sbom(each, advisories, NOW) for each in (RICH, json.dumps(RICH).encode()))
    assert read.components == decoded.components


def test_references_are_made_where_they_lack_or_are_taken_twice(advisories):
    purl = LOG4J["purl"]
    sbom = document(
        {"name": "a", "purl": purl},
        {"name": "b", "purl": purl, "bom-ref": "same"},
        {"name": "c", "purl": purl, "bom-ref": "same"},
        {"name": "d", "bom-ref": "comp-1"},
        {"name": "e", "bom-ref": "x" * 5000},
    )
    made = answer(advisories, sbom)
    refs = [each["bom-ref"] for each in made["components"]]
    assert refs == ["comp-2", "same", "comp-3", "comp-1", "comp-4"]
    assert [each["ref"] for each in made["vulnerabilities"][0]["affects"]] == ["comp-2", "same", "comp-3"]


@pytest.mark.parametrize(
    ("sbom", "reason", "said"),
    [
        ([], "CANNOT_PARSE", "not a JSON object"),
        ("{}", "CANNOT_PARSE", "not a JSON object"),
        (b"{", "CANNOT_PARSE", "no JSON"),
        (b"\xff\xfe", "CANNOT_PARSE", "no JSON"),
        (b"[" * 100_000, "CANNOT_PARSE", "no JSON"),
        ({}, "UNSUPPORTED_SBOM_TYPE", "not CycloneDX"),
        ({"spdxVersion": "SPDX-2.3"}, "UNSUPPORTED_SBOM_TYPE", "not CycloneDX"),
        ({"bomFormat": "CycloneDX"}, "UNSUPPORTED_SBOM_TYPE", "specVersion is missing"),
        ({"bomFormat": "CycloneDX", "specVersion": "1.4"}, "UNSUPPORTED_SBOM_TYPE", "specVersion is 1.4"),
        (document() | {"components": {}}, "CANNOT_PARSE", "components is not a list"),
        (document(1), "CANNOT_PARSE", "not an object"),
        (document(None, LOG4J), "CANNOT_PARSE", "not an object"),
        (document({"name": "a", "components": 1}), "CANNOT_PARSE", "not a list"),
        (document({"name": "\ud800"}), "CANNOT_PARSE", "no Unicode"),
        (document({"name": "a", "\ud800": 1}), "CANNOT_PARSE", "no Unicode"),
        (document({"name": "a", "x": float("nan")}), "CANNOT_PARSE", "JSON doesn't know"),
        (document(*({"name": str(each)} for each in range(5001))), "FIELD_VALIDATION_FAILED", "more than 5000"),
    ],
    ids=lambda each: each if isinstance(each, str) and len(each) < 40 else "",
)  # fmt: skip
def test_what_can_not_be_scanned_is_refused_with_the_apis_reason(advisories, sbom, reason, said):
    with pytest.raises(SbomError, match=said) as caught:
        scan_sbom(sbom, advisories, NOW)
    assert caught.value.reason == reason
    assert isinstance(caught.value, AcquireError)


def nested(depth):
    inner = {"name": "innermost", "purl": LOG4J["purl"]}
    for _ in range(depth):
        inner = {"name": "a", "components": [inner]}
    return inner


def test_nesting_is_bounded(advisories):
    made = answer(advisories, document(nested(60)))
    assert flaw(made, "CVE-2021-44228")
    with pytest.raises(SbomError, match="within more than 64 others"):
        scan_sbom(document(nested(70)), advisories, NOW)
    with pytest.raises(SbomError, match="nested deeper than"):
        scan_sbom(document(nested(50_000)), advisories, NOW)


def test_five_thousand_components_are_allowed_and_nested_ones_count(advisories):
    components = [{"name": str(each), "purl": f"pkg:npm/safe@1.0.{each}"} for each in range(4999)]
    made = answer(advisories, document({"name": "all", "components": components}))
    assert len(made["components"][0]["components"]) == 4999
    with pytest.raises(SbomError, match="more than 5000 components"):
        scan_sbom(document({"name": "all", "components": [*components, {"name": "one more"}]}), advisories, NOW)


def test_an_answer_that_grows_too_large_is_given_up_in_time(advisories, monkeypatch):
    monkeypatch.setattr(scanner, "_MOST_OUT", 1 << 20)
    purl = f"{LOG4J['purl']}?x={'y' * 4000}"
    sbom = document(*({"name": "a", "purl": purl} for _ in range(2000)))
    tracemalloc.start()
    try:
        with pytest.raises(SbomError, match="larger than 1,048,576 bytes") as caught:
            scan_sbom(sbom, advisories, NOW)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()
    assert caught.value.reason == "OTHER"


def test_packages_of_another_distribution_are_skipped_and_said(advisories):
    alien = {"name": "bash", "purl": "pkg:rpm/redhat/bash@5.1-1.el9?distro=rhel-9"}
    made = answer(advisories, document(SYSTEM, OPENSSL, alien))["components"][-1]
    assert properties(made)["info"] == "Component skipped: no rules found."
    assert "distribution" in properties(made)["openinspector:undecided"]
