"""CSAF: a product status is a statement about products of the tree, and about components in them."""

import json

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.vex import csaf

RHEL = "cpe:/o:redhat:enterprise_linux:9"


def product(identity, **helper):
    return {"product_id": identity, "name": f"name of {identity}", "product_identification_helper": helper}


def component(package, platform):
    return {
        "category": "default_component_of",
        "full_product_name": {"product_id": f"{platform}:{package}", "name": "both"},
        "product_reference": package,
        "relates_to_product_reference": platform,
    }


TREE = {
    "full_product_names": [product("app", purl="pkg:oci/app@sha256%3Aabc")],
    "branches": [
        {"category": "vendor", "name": "Acme", "branches": [
            {"category": "product_name", "name": "x", "product": product("rhel9", cpe=RHEL)},
            {"name": "v", "product": product("openssl", purl="pkg:rpm/redhat/openssl?arch=src")},
            {"name": "v", "product": product("npm", purl="pkg:rpm/redhat/npm@8?arch=x86_64")},
            {"name": "v", "product": product("node18", purl="pkg:rpmmod/redhat/nodejs@18:809:x")},
            {"name": "v", "product": product("nameless")},
        ]},
    ],
    "relationships": [component("openssl", "rhel9"), component("node18", "rhel9"), component("npm", "rhel9:node18"),
                      component("ghost", "rhel9")],
    "product_groups": [{"group_id": "g1", "product_ids": ["app"]}],
}  # fmt: skip


def document(category="csaf_vex", tree=TREE, **flaw):
    return json.dumps(
        {
            "document": {
                "category": category,
                "csaf_version": "2.0",
                "publisher": {"category": "vendor", "name": "Acme"},
                "title": "t",
                "tracking": {"id": "ACME-1", "current_release_date": "2024-01-02T00:00:00+02:00"},
            },
            "product_tree": tree,
            "vulnerabilities": [{"cve": "CVE-2024-1", **flaw}],
        }
    ).encode()


def read(**more):
    return csaf.read(document(**more), "c.json")


def only(found):
    (one,) = found.statements
    assert not found.problems
    return one


def test_a_product_of_the_tree_has_the_names_of_its_helper():
    found = only(read(product_status={"fixed": ["app"]}, ids=[{"system_name": "GitHub", "text": "GHSA-1"}]))
    assert (found.vulnerabilities, found.status) == (("CVE-2024-1", "GHSA-1"), "fixed")
    assert (found.product.purl.type, found.product.purl.version, found.components) == ("oci", "sha256:abc", ())
    assert (found.author, found.document, found.timestamp) == ("Acme", "ACME-1", "2024-01-01T22:00:00.000000Z")


def test_a_component_is_meant_in_its_platform_only():
    found = only(read(product_status={"known_affected": ["rhel9:openssl"]}))
    assert (found.product.cpe, found.components[0].purl.name) == (RHEL, "openssl")


def test_a_package_of_a_module_keeps_its_stream():
    found = only(read(product_status={"fixed": ["rhel9:node18:npm"]}))
    assert found.product.cpe == RHEL
    assert found.components[0].purl.qualifier("rpmmod") == "nodejs:18:809:x"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("known_affected", "affected"),
        ("first_affected", "affected"),
        ("last_affected", "affected"),
        ("fixed", "fixed"),
        ("first_fixed", "fixed"),
        ("under_investigation", "under_investigation"),
    ],
)
def test_every_status_is_read(status, expected):
    assert only(read(product_status={status: ["app"]})).status == expected


def test_recommended_is_advice_and_no_status():
    assert read(product_status={"recommended": ["app"]}).statements == ()


def test_a_flag_or_an_impact_is_the_reason_for_not_affected():
    status = {"known_not_affected": ["app"]}
    flag = {"label": "vulnerable_code_not_present", "product_ids": ["app"]}
    found = only(read(product_status=status, flags=[flag]))
    assert (found.status, found.justification) == ("not_affected", "vulnerable_code_not_present")
    impact = {"category": "impact", "details": "it is switched off", "group_ids": ["g1"]}
    assert only(read(product_status=status, threats=[impact])).impact == "it is switched off"


def test_not_affected_without_a_reason_is_invalid_in_the_vex_profile_only():
    status = {"known_not_affected": ["app"]}
    flag = {"label": "vulnerable_code_not_present", "product_ids": ["openssl"]}
    found = read(product_status=status, flags=[flag])
    assert not found.statements
    assert "invalid and is not applied" in found.problems[0].reason
    assert only(read(category="csaf_security_advisory", product_status=status)).status == "not_affected"


def test_the_severity_of_what_is_affected_is_no_reason():
    impact = {"category": "impact", "details": "Important", "product_ids": ["app"]}
    found = only(read(product_status={"known_affected": ["app"]}, threats=[impact]))
    assert (found.impact, found.justification) == ("", "")


@pytest.mark.parametrize("identity", ["nobody", "rhel9:ghost"])
def test_a_product_that_the_tree_does_not_have_is_told(identity):
    found = read(product_status={"fixed": [identity]})
    assert not found.statements
    assert identity in found.problems[0].reason


def test_a_product_that_nothing_identifies_keeps_its_name():
    found = only(read(product_status={"fixed": ["nameless"]}))
    assert (found.product.id, found.product.purl) == ("name of nameless", None)


def test_a_vulnerability_without_an_id_is_told():
    assert "without CVE" in read(cve="", product_status={"fixed": ["app"]}).problems[0].reason


def test_relationships_that_lead_in_circles_end():
    tree = {**TREE, "relationships": [component("npm", "rhel9"), component("npm", "rhel9:npm")]}
    tree["relationships"][0]["relates_to_product_reference"] = "rhel9:npm"
    tree["relationships"][0]["full_product_name"]["product_id"] = "rhel9:npm"
    found = read(tree=tree, product_status={"fixed": ["rhel9:npm"]})
    assert not found.statements
    assert found.problems


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b'{"document": {"tracking": {}}}',
        b'{"document": {"tracking": {"id": "x"}}, "product_tree": {"branches": ' + b'[{"branches": ' * 50_000,
        document(product_status={"fixed": "app"}),
    ],
)
def test_a_document_that_makes_no_sense_is_an_error(data):
    with pytest.raises(FeedError, match=r"c\.json"):
        csaf.read(data, "c.json")
