"""Whatever a document holds: statements and problems, or an error of ours."""

import copy
import json
import random

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.vex import csaf, cyclonedx, openvex
from openinspector.feeds.vex.read import format_of
from openinspector.match.product import Scanned
from openinspector.match.vex import Statements
from openinspector.model.distro import Distribution
from openinspector.model.inventory import Inventory, Target
from openinspector.model.package import Location, Package

DOCUMENTS = [
    {
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "i", "author": "a", "timestamp": "2024-01-01T00:00:00Z",
        "statements": [{"vulnerability": {"name": "CVE-1", "aliases": ["G-1"]}, "status": "not_affected",
                        "justification": "component_not_present", "timestamp": "2024-01-01",
                        "products": [{"@id": "pkg:oci/app@sha256%3Aa", "identifiers": {"purl": "pkg:npm/a@1"},
                                      "hashes": {"sha-256": "a"}, "subcomponents": [{"@id": "pkg:npm/a"}]}]}],
    },
    {
        "bomFormat": "CycloneDX", "serialNumber": "urn:uuid:1", "version": 1,
        "metadata": {"timestamp": "2024-01-01T00:00:00Z", "component": {"bom-ref": "r", "name": "n"}},
        "components": [{"bom-ref": "c", "name": "a", "version": "1", "purl": "pkg:npm/a", "components": []}],
        "vulnerabilities": [{"id": "CVE-1", "references": [{"id": "G-1"}],
                             "analysis": {"state": "resolved", "detail": "d", "response": ["update"]},
                             "affects": [{"ref": "c", "versions": [{"version": "1", "status": "affected"}]},
                                         {"ref": "urn:cdx:1/1#c"}]}],
    },
    {
        "document": {"category": "csaf_vex", "publisher": {"name": "p"}, "tracking": {"id": "t"}},
        "product_tree": {
            "branches": [{"branches": [{"product": {"product_id": "p", "name": "n",
                                                    "product_identification_helper": {"purl": "pkg:npm/a@1"}}}]}],
            "full_product_names": [{"product_id": "os", "product_identification_helper": {"cpe": "cpe:/o:a:b:1"}}],
            "relationships": [{"full_product_name": {"product_id": "x"}, "product_reference": "p",
                               "relates_to_product_reference": "os"}],
            "product_groups": [{"group_id": "g", "product_ids": ["p"]}]},
        "vulnerabilities": [{"cve": "CVE-1", "ids": [{"text": "G-1"}],
                             "product_status": {"known_not_affected": ["p"], "fixed": ["x"]},
                             "flags": [{"label": "l", "product_ids": ["p"]}],
                             "threats": [{"category": "impact", "details": "d", "group_ids": ["g"]}]}],
    },
]  # fmt: skip
ODD = (
    None,
    True,
    -1,
    1.5,
    "",
    "x",
    "pkg:",
    "pkg:npm/%ff@%00",
    "cpe:/",
    "urn:cdx:#",
    "\ud800",
    [],
    {},
    [[]],
    [None],
    {"a": {}},
)

PACKAGE = Package(type="npm", name="a", version="1", location=Location(path="p"))
SCANNED = Scanned(
    Inventory(
        target=Target(kind="image", name="app:1", digest="sha256:a"),
        packages=(PACKAGE,),
        distribution=Distribution(id="debian", family="debian", namespace="debian:12"),
    )
)


def places(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from places(each, (*path, key))
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from places(each, (*path, at))


def changed(document, path, odd):
    if not path:
        return odd
    document = copy.deepcopy(document)
    owner = document
    for key in path[:-1]:
        owner = owner[key]
    owner[path[-1]] = odd
    return document


def read(data):
    kind = format_of(data, "f")
    if kind == "openvex":
        return openvex.read(data, "f")
    if kind == "csaf":
        return csaf.read(data, "f")
    bom = cyclonedx.decode(data, "f")
    return cyclonedx.read(bom, "f", {cyclonedx.link_of(bom): cyclonedx.book_of(bom)})


def judged(data):
    """Read and applied; a document that makes no sense is an error of ours."""
    try:
        found = read(data)
    except FeedError:
        return
    Statements(found.statements, SCANNED).ruling(("CVE-1", "G-1"), PACKAGE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=["openvex", "cyclonedx", "csaf"])
def test_odd_values_anywhere_do_no_harm(document):
    for path in places(document):
        for odd in ODD:
            judged(json.dumps(changed(document, path, odd)).encode())


@pytest.mark.parametrize("document", DOCUMENTS, ids=["openvex", "cyclonedx", "csaf"])
def test_broken_bytes_do_no_harm(document):
    whole = json.dumps(document).encode()
    chance = random.Random(1)
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        judged(bytes(data[: chance.randint(1, len(data))]))
