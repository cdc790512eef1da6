"""VEX: which statements concern a finding, and which of them decide."""

import pytest

from openinspector.match.product import Scanned
from openinspector.match.vex import Statements
from openinspector.model.distro import Distribution
from openinspector.model.inventory import Inventory, Target
from openinspector.model.package import Location, Package
from openinspector.model.purl import parse_purl
from openinspector.model.vex import Product, Statement

DIGEST = "sha256:" + "a" * 64
IMAGE = f"pkg:oci/app@{DIGEST}"
LODASH = Package(type="npm", name="lodash", version="4.17.20", location=Location(path="srv/app/package-lock.json"))
OPENSSL = Package(type="rpm", name="openssl", version="3.0-1.el9", location=Location(path="rpmdb"))
WAR = Package(type="maven", name="org.acme:app", version="1", location=Location(path="srv/app.war"))
LOG4J = Package(type="maven", name="log4j:log4j", version="1.2", location=Location(path="srv/app.war!lib/log4j.jar"))
INVENTORY = Inventory(
    target=Target(kind="image", name="registry.example/app:1", digest=DIGEST),
    packages=(LODASH, OPENSSL, WAR, LOG4J),
    distribution=Distribution(id="rhel", version="9.3", family="redhat", namespace="redhat:9"),
)


def product(text, **more):
    return Product(id=text, purl=parse_purl(text), **more)


def said(about="pkg:npm/lodash", status="not_affected", *components, **more):
    given = {
        "vulnerabilities": ("CVE-2021-23337",),
        "product": about if isinstance(about, Product) else product(about),
        "components": tuple(product(each) for each in components),
        "justification": "vulnerable_code_not_present",
        "author": "Acme",
    }
    return Statement(status=status, **{**given, **more})


def ruling(*statements, package=LODASH, names=("CVE-2021-23337", "GHSA-35jh-r3h4-6jhm")):
    return Statements(statements, Scanned(INVENTORY)).ruling(names, package)


def hides(*statements, **more):
    return ruling(*statements, **more).suppression is not None


@pytest.mark.parametrize("status", ["not_affected", "fixed"])
def test_a_flaw_that_is_not_there_is_suppressed(status):
    found = ruling(said(status=status, impact="removed", file="v.json"))
    assert (found.suppression.kind, found.suppression.status) == ("vex", status)
    assert (found.suppression.owner, found.suppression.source) == ("Acme", "v.json")
    assert "vulnerable code not present: removed (says Acme)" in found.suppression.reason


@pytest.mark.parametrize("status", ["under_investigation", "affected"])
def test_what_may_be_there_is_shown_and_not_suppressed(status):
    found = ruling(said(status=status))
    assert found.suppression is None
    assert [each.status for each in found.statements] == [status]


@pytest.mark.parametrize("name", ["CVE-2021-23337", "cve-2021-23337", "GHSA-35jh-r3h4-6jhm"])
def test_a_vulnerability_is_known_by_any_of_its_names(name):
    assert hides(said(vulnerabilities=("X-1", name)))


def test_another_vulnerability_is_not_meant():
    assert not hides(said(vulnerabilities=("CVE-2021-23338",)))


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ("pkg:npm/lodash", True),
        ("pkg:npm/lodash@4.17.20", True),
        ("pkg:npm/lodash@4.17.21", False),
        ("pkg:npm/lodash.merge", False),
        (IMAGE, True),
        ("pkg:oci/app?tag=1", True),
        ("pkg:oci/app@sha256:bbb", False),
        ("registry.example/app", True),
        ("registry.example/other", False),
        (Product(id="x", digests=(DIGEST,)), True),
        (product("pkg:npm/lodash", versions=("4.17.20",)), True),
        (product("pkg:npm/lodash", versions=("4.17.21",)), False),
    ],
)
def test_a_product_is_the_package_or_the_target(about, expected):
    assert hides(said(about)) is expected


def test_a_component_is_meant_in_its_product_only():
    assert hides(said(IMAGE, "fixed", "pkg:npm/lodash"))
    assert hides(said("registry.example/app", "fixed", "pkg:npm/underscore", "pkg:npm/lodash@4.17.20"))
    assert not hides(said(IMAGE, "fixed", "pkg:npm/lodash@1"))
    assert not hides(said(IMAGE, "fixed", "pkg:npm/underscore"))
    assert not hides(said("pkg:oci/other", "fixed", "pkg:npm/lodash"))
    assert not hides(said("pkg:npm/left-pad@1", "fixed", "pkg:npm/lodash"))


def test_components_that_nobody_can_read_do_not_widen_a_statement():
    assert not hides(said(IMAGE, "fixed", "nonsense"))


def test_a_package_that_is_the_product_is_meant_whatever_brings_the_flaw():
    assert hides(said("pkg:npm/lodash@4.17.20", "fixed", "pkg:npm/underscore"))


def test_an_archive_speaks_for_what_is_in_it():
    assert hides(said("pkg:maven/org.acme/app@1"), package=LOG4J)
    assert hides(said("pkg:maven/org.acme/app@1", "fixed", "pkg:maven/log4j/log4j"), package=LOG4J)
    assert not hides(said("pkg:maven/org.acme/app@1", "fixed", "pkg:maven/other/log4j"), package=LOG4J)
    assert not hides(said("pkg:maven/org.acme/app@2"), package=LOG4J)
    assert not hides(said("pkg:maven/org.acme/app@1"), package=LODASH)


def test_a_distribution_speaks_for_its_own_packages_only():
    system = Product(id="RHEL 9", cpe="cpe:/o:redhat:enterprise_linux:9")
    assert hides(said(system), package=OPENSSL)
    assert hides(said(system, "fixed", "pkg:rpm/redhat/openssl"), package=OPENSSL)
    assert not hides(said(system, "fixed", "pkg:rpm/redhat/bash"), package=OPENSSL)
    assert not hides(said(system), package=LODASH)
    assert not hides(said(Product(id="x", cpe="cpe:/o:redhat:enterprise_linux:8")), package=OPENSSL)


def test_a_later_statement_of_the_same_author_overrules_an_earlier_one():
    early, late = "2024-01-01T00:00:00.000000Z", "2024-06-01T00:00:00.000000Z"
    assert hides(said(status="affected", timestamp=early), said(timestamp=late))
    assert hides(said(timestamp=late), said(status="affected", timestamp=early))
    assert not hides(said(timestamp=early), said(status="affected", timestamp=late))
    found = ruling(said(timestamp=early), said(status="under_investigation", timestamp=late, author="ACME "))
    assert [each.status for each in found.statements] == ["under_investigation"]
    assert found.suppression is None


def test_at_the_same_moment_the_more_careful_statement_counts():
    assert not hides(said(status="affected"), said(status="fixed"))
    assert not hides(said(status="fixed"), said(status="under_investigation"))


def test_another_authors_affected_keeps_a_finding_and_their_doubt_does_not():
    found = ruling(said(), said(status="affected", author="Upstream"))
    assert found.suppression is None
    assert [each.status for each in found.statements] == ["affected", "not_affected"]
    found = ruling(said(status="under_investigation", author="Upstream"), said())
    assert found.suppression is not None
    assert [each.status for each in found.statements] == ["not_affected", "under_investigation"]


def test_authors_without_a_name_are_told_apart_by_their_documents():
    statements = (said(author="", document="1"), said(status="affected", author="", document="2"))
    assert not hides(*statements)


def test_what_is_stated_of_the_target_counts_before_what_is_stated_of_a_package():
    found = ruling(said(IMAGE), said(status="affected", author="Upstream"))
    assert found.suppression is not None
    assert [each.status for each in found.statements] == ["not_affected", "affected"]
    assert not hides(said(IMAGE, "affected"), said(timestamp="2024-06-01T00:00:00.000000Z"))


def test_statements_that_concern_nothing_are_remembered_as_such():
    statements = Statements([said("pkg:npm/other"), said(status="affected"), said()], Scanned(INVENTORY))
    statements.ruling(("CVE-2021-23337",), LODASH)
    assert statements.matched == {1, 2}


def test_many_statements_about_one_flaw_cost_little():
    others = [said(f"pkg:npm/other-{at}@1") for at in range(20_000)]
    statements = Statements([*others, said()], Scanned(INVENTORY))
    assert all(statements.ruling(("CVE-2021-23337",), LODASH).suppression for _ in range(2_000))
