"""OpenVEX: what a document states, what of it is invalid, and what hostile ones come to."""

import json

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.vex import contract, openvex

LODASH = "pkg:npm/lodash@4.17.20"


def document(*statements, **more):
    head = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.org/vex/1",
        "author": "Acme",
        "timestamp": "2024-01-02T03:04:05Z",
        "version": 1,
    }
    return json.dumps({**head, **more, "statements": list(statements)}).encode()


def statement(**more):
    given = {"vulnerability": {"name": "CVE-2021-23337"}, "products": [{"@id": LODASH}], "status": "fixed"}
    return {**given, **more}


def read(*statements, **more):
    return openvex.read(document(*statements, **more), "v.json")


def only(found):
    (one,) = found.statements
    assert not found.problems
    return one


def reasons(found):
    return [each.reason for each in found.problems]


def test_a_statement_has_everything_that_its_document_says():
    said = statement(
        vulnerability={"@id": "https://nvd.nist.gov/vuln/detail/CVE-2021-23337", "name": "CVE-2021-23337",
                       "aliases": ["GHSA-35jh-r3h4-6jhm", "https://www.cve.org/CVERecord?id=CVE-2021-23337"]},
        status="not_affected", justification="vulnerable_code_not_present", impact_statement="template()  is\nremoved",
    )  # fmt: skip
    found = only(read(said))
    assert found.vulnerabilities == ("CVE-2021-23337", "GHSA-35jh-r3h4-6jhm")
    assert (found.status, found.justification, found.impact) == (
        "not_affected",
        "vulnerable_code_not_present",
        "template() is removed",
    )
    assert (found.author, found.document, found.file) == ("Acme", "https://example.org/vex/1", "v.json")
    assert (found.product.id, found.product.purl.name, found.product.purl.version) == (LODASH, "lodash", "4.17.20")


def test_a_product_has_all_its_names():
    product = {
        "@id": "https://example.org/app",
        "identifiers": {"purl": "pkg:oci/app@sha256%3Aabc", "cpe23": "cpe:2.3:a:acme:app:1:*:*:*:*:*:*:*"},
        "hashes": {"sha-256": "ABC", "blake3": "x"},
        "subcomponents": [{"@id": LODASH}, {"@id": "pkg:npm/underscore"}],
    }
    found = only(read(statement(products=[product])))
    assert (found.product.id, found.product.purl.version) == ("https://example.org/app", "sha256:abc")
    assert found.product.cpe.startswith("cpe:2.3:a:acme:app:1")
    assert found.product.digests == ("sha256:abc",)
    assert [each.id for each in found.components] == [LODASH, "pkg:npm/underscore"]


def test_before_0_2_0_names_are_texts_and_subcomponents_belong_to_the_statement():
    found = only(read(statement(vulnerability="CVE-1", products=["app"], subcomponents=[LODASH])))
    assert (found.vulnerabilities, found.product.id, found.components[0].id) == (("CVE-1",), "app", LODASH)


def test_a_head_under_metadata_is_read():
    data = {
        "metadata": {"@context": "https://openvex.dev/ns/v0.2.0", "@id": "i", "author": "Canonical Ltd.",
                     "timestamp": "2025-02-06T16:37:20.173026"},
        "statements": [statement()],
    }  # fmt: skip
    found = only(openvex.read(json.dumps(data).encode(), "v.json"))
    assert (found.author, found.timestamp) == ("Canonical Ltd.", "2025-02-06T16:37:20.173026Z")


def test_every_product_is_a_statement():
    found = read(statement(products=[{"@id": "a"}, {"@id": "b"}]))
    assert [each.product.id for each in found.statements] == ["a", "b"]


@pytest.mark.parametrize(
    ("head", "own", "expected"),
    [
        ({}, {}, "2024-01-02T03:04:05.000000Z"),
        ({"last_updated": "2024-02-01T00:00:00Z"}, {}, "2024-02-01T00:00:00.000000Z"),
        ({}, {"timestamp": "2023-01-08T18:02:03.647787998-06:00"}, "2023-01-09T00:02:03.647787Z"),
        ({}, {"timestamp": "2023-01-08", "last_updated": "2023-01-09"}, "2023-01-09T00:00:00.000000Z"),
        ({}, {"timestamp": "2025-03-26 02:44:10.025070"}, "2025-03-26T02:44:10.025070Z"),
    ],
)
def test_a_timestamp_is_the_statements_or_the_documents_in_utc(head, own, expected):
    assert only(read(statement(**own), **head)).timestamp == expected


def test_a_timestamp_that_makes_no_sense_is_told_and_is_the_earliest():
    found = read(statement(timestamp="yesterday"))
    assert found.statements[0].timestamp == ""
    assert "'yesterday' is no timestamp" in reasons(found)[0]


def test_not_affected_needs_a_reason():
    found = read(statement(status="not_affected"), statement(status="not_affected", impact_statement="  "))
    assert not found.statements
    (problem,) = found.problems
    assert "invalid and is not applied" in problem.reason
    assert problem.count == 2


def test_an_impact_statement_alone_is_a_reason():
    assert only(read(statement(status="not_affected", impact_statement="no templates here"))).impact


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (statement(status="unaffected"), "there is no status 'unaffected'"),
        (statement(vulnerability={}), "without a vulnerability"),
        (statement(products=[]), "without a product"),
        (statement(products="pkg:npm/a"), "makes no sense"),
        ({}, "makes no sense"),
        ("CVE-1", "makes no sense"),
        (None, "makes no sense"),
    ],
)
def test_a_statement_that_makes_no_sense_is_told_and_the_others_count(said, reason):
    found = read(said, statement())
    assert len(found.statements) == 1
    assert reason in reasons(found)[0]


def test_a_package_url_that_makes_no_sense_is_told():
    found = read(statement(products=[{"@id": "pkg:npm"}]))
    assert found.statements[0].product.purl is None
    assert reasons(found) == ["'pkg:npm' is no package URL"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"statements": {}}',
        b'{"statements": ' + b"[" * 100_000,
        b'{"@id": 5, "statements": []}',
        b'{"author": "\xff", "statements": []}',
    ],
)
def test_a_document_that_makes_no_sense_is_an_error(data):
    with pytest.raises(FeedError, match=r"v\.json"):
        openvex.read(data, "v.json")


def test_statements_have_a_limit(monkeypatch):
    monkeypatch.setattr(contract, "MAX_STATEMENTS", 3)
    with pytest.raises(FeedError, match="more than 3 statements"):
        read(statement(products=[{"@id": str(at)} for at in range(4)]))


def test_long_texts_are_cut():
    found = only(read(statement(status="affected", action_statement="x" * 100_000), author="y" * 10_000))
    assert len(found.action) <= 2000
    assert len(found.author) <= 500
