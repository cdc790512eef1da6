"""CycloneDX: the analysis of a vulnerability is a statement about what it affects."""

import json

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.vex import cyclonedx

SERIAL = "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79"


def bom(*flaws, **more):
    given = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": SERIAL,
        "version": 1,
        "metadata": {"timestamp": "2024-05-06T07:08:09Z", "authors": [{"name": "Acme"}]},
        "components": [
            {"bom-ref": "app", "name": "app", "components": [
                {"bom-ref": "c1", "name": "lodash", "version": "4.17.20", "purl": "pkg:npm/lodash@4.17.20"}]},
            {"bom-ref": "c2", "name": "openssl", "version": "3.0.1", "purl": "pkg:deb/debian/openssl"},
        ],
        "vulnerabilities": list(flaws),
    }  # fmt: skip
    return json.dumps({**given, **more}).encode()


def flaw(ref="c1", state="not_affected", **more):
    given = {"id": "CVE-2021-23337", "analysis": {"state": state}, "affects": [{"ref": ref}]}
    return {**given, **more}


def read(*flaws, linked=None, **more):
    return cyclonedx.read(cyclonedx.decode(bom(*flaws, **more), "b.json"), "b.json", linked or {})


def only(found):
    (one,) = found.statements
    assert not found.problems
    return one


def test_an_analysis_is_a_statement():
    analysis = {"state": "not_affected", "justification": "code_not_reachable", "detail": "never called",
                "response": ["will_not_fix"], "firstIssued": "2024-01-01T00:00:00Z"}  # fmt: skip
    found = only(read(flaw(analysis=analysis, references=[{"id": "GHSA-1"}])))
    assert found.vulnerabilities == ("CVE-2021-23337", "GHSA-1")
    assert (found.status, found.justification, found.impact) == ("not_affected", "code_not_reachable", "never called")
    assert (found.author, found.timestamp, found.document) == ("Acme", "2024-01-01T00:00:00.000000Z", SERIAL)
    assert (found.product.id, found.product.purl.version) == ("lodash", "4.17.20")


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("resolved", "fixed"),
        ("resolved_with_pedigree", "fixed"),
        ("exploitable", "affected"),
        ("in_triage", "under_investigation"),
        ("false_positive", "not_affected"),
        ("not_affected", "not_affected"),
    ],
)
def test_every_state_has_a_status(state, status):
    assert only(read(flaw(state=state))).status == status


def test_a_finding_without_analysis_is_no_statement():
    found = read({"id": "CVE-1", "affects": [{"ref": "c1"}]}, flaw(analysis={"detail": "hm"}))
    assert (found.statements, found.problems) == ((), ())


def test_a_package_url_without_version_means_the_components_version():
    assert only(read(flaw("c2"))).product.versions == ("3.0.1",)


def test_a_reference_may_be_a_package_url():
    assert only(read(flaw("pkg:npm/underscore@1"))).product.purl.name == "underscore"


def test_the_subject_of_the_document_can_be_meant():
    metadata = {"component": {"bom-ref": "me", "name": "app", "version": "sha256:abc"}}
    assert only(read(flaw("me"), metadata=metadata)).product.digests == ("sha256:abc",)


def test_a_bom_link_leads_to_a_component_of_another_document():
    other = cyclonedx.decode(bom(), "other.json")
    linked = {cyclonedx.link_of(other): cyclonedx.book_of(other)}
    link = f"urn:cdx:{SERIAL.removeprefix('urn:uuid:')}/1#c1"
    found = only(read(flaw(link), components=[], serialNumber="urn:uuid:0", linked=linked))
    assert found.product.purl.name == "lodash"


def test_a_bom_link_may_hold_a_package_url():
    found = only(read(flaw("urn:cdx:0000/3#pkg%3Anpm%2Flodash%404.17.20")))
    assert (found.product.purl.name, found.product.purl.version) == ("lodash", "4.17.20")


@pytest.mark.parametrize("ref", ["nowhere", "urn:cdx:0000/3#c1", "urn:cdx:0000/3", ""])
def test_a_reference_that_leads_nowhere_is_told(ref):
    found = read(flaw(ref))
    assert not found.statements
    assert "refers to no component" in found.problems[0].reason


@pytest.mark.parametrize(
    ("state", "versions", "meant"),
    [
        ("not_affected", [{"version": "1"}], ("1",)),
        ("resolved", [{"version": "1", "status": "affected"}, {"version": "2", "status": "unaffected"}], ("2",)),
        ("exploitable", [{"version": "1"}, {"version": "2", "status": "unaffected"}], ("1",)),
    ],
)
def test_listed_versions_are_the_ones_that_are_meant(state, versions, meant):
    found = only(read(flaw(state=state, affects=[{"ref": "pkg:npm/lodash", "versions": versions}])))
    assert found.product.versions == meant


def test_a_range_of_versions_is_told_not_guessed():
    found = read(flaw(affects=[{"ref": "pkg:npm/lodash", "versions": [{"range": "vers:npm/<4"}]}]))
    assert not found.statements
    assert "ranges of versions are not read" in found.problems[0].reason


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (flaw(state="fine"), "there is no state 'fine'"),
        (flaw(affects=[]), "affects nothing"),
        (flaw(id=""), "without a vulnerability"),
        (flaw(affects=5), "makes no sense"),
        (7, "makes no sense"),
    ],
)
def test_what_makes_no_sense_is_told(said, reason):
    found = read(said, flaw())
    assert len(found.statements) == 1
    assert reason in found.problems[0].reason


@pytest.mark.parametrize(
    "data",
    [
        b'{"bomFormat": "CycloneDX", "components": 1}',
        b'{"components": ' + b'[{"components": ' * 50_000,
        b'{"version": "1"}',
    ],
)
def test_a_document_that_makes_no_sense_is_an_error(data):
    with pytest.raises(FeedError, match=r"b\.json"):
        cyclonedx.decode(data, "b.json")
