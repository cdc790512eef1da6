"""SBOMs as targets."""

import json

import pytest

from openinspector.acquire.targets.sbom import read_sbom
from openinspector.errors import AcquireError


def read(tmp_path, document):
    path = tmp_path / "bom.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return read_sbom(path)


def cyclonedx(*components):
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": list(components)}


@pytest.mark.parametrize(
    ("purl", "name", "version", "source"),
    [
        ("pkg:pypi/jinja2@2.10", "jinja2", "2.10", None),
        ("pkg:npm/%40babel/core@7.0.0", "@babel/core", "7.0.0", None),
        ("pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", "org.apache.logging.log4j:log4j-core", "2.14.1", None),
        ("pkg:golang/golang.org/x/net@v0.1.0", "golang.org/x/net", "v0.1.0", None),
        ("pkg:deb/debian/libssl3@3.0.7-1?arch=amd64&upstream=openssl", "libssl3", "3.0.7-1", ("openssl", "3.0.7-1")),
        ("pkg:rpm/redhat/bind-libs@9.16-1.el9?epoch=32&upstream=bind-9.16-1.el9.src.rpm", "bind-libs", "32:9.16-1.el9",
         ("bind", "9.16-1.el9")),
    ],
    ids=lambda each: each if isinstance(each, str) and each.startswith("pkg:") else "",
)  # fmt: skip
def test_a_purl_becomes_a_package(tmp_path, purl, name, version, source):
    (package,) = read(tmp_path, cyclonedx({"type": "library", "name": "x", "purl": purl})).packages
    assert (package.name, package.version) == (name, version)
    assert ((package.source.name, package.source.version) if package.source else None) == source


def test_components_within_components_count_and_the_system_names_the_release(tmp_path):
    inner = {"type": "library", "name": "b", "purl": "pkg:deb/debian/bash@5.2-1"}
    system = {"type": "operating-system", "name": "debian", "version": "12"}
    inventory = read(tmp_path, cyclonedx(system, {"type": "application", "name": "a", "components": [inner]}))
    assert [package.name for package in inventory.packages] == ["bash"]
    assert inventory.distribution.namespace == "debian:12"


def test_what_has_no_usable_purl_is_counted_not_dropped(tmp_path):
    inventory = read(
        tmp_path,
        cyclonedx({"name": "a"}, {"name": "b", "purl": "nonsense"}, {"name": "c", "purl": "pkg:pypi/c"}),
    )
    assert inventory.packages == ()
    assert [problem.path for problem in inventory.problems] == ["a", "b", "c"]


def test_spdx_is_read_by_its_external_references(tmp_path):
    reference = {
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": "pkg:gem/rack@2.0",
    }
    document = {
        "spdxVersion": "SPDX-2.3",
        "documentDescribes": ["SPDXRef-root"],
        "packages": [{"SPDXID": "SPDXRef-root", "name": "image"}, {"name": "rack", "externalRefs": [reference]}],
    }
    inventory = read(tmp_path, document)
    assert [(package.type, package.name) for package in inventory.packages] == [("gem", "rack")]
    assert inventory.problems == ()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "{" * 100_000, "null", '{"bomFormat":"Other"}'], ids=lambda each: each[:12]
)
def test_what_is_no_sbom_is_a_clear_error(tmp_path, text):
    with pytest.raises(AcquireError, match="SPDX JSON"):
        read(tmp_path, text)


@pytest.mark.parametrize("components", [None, 1, "x", [1, None, "x", {"components": 5}], {"a": 1}], ids=repr)
def test_components_of_the_wrong_shape_do_no_harm(tmp_path, components):
    document = {"bomFormat": "CycloneDX", "components": components}
    assert read(tmp_path, document).packages == ()
