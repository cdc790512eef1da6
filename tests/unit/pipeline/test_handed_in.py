"""Documents are read, and inventories matched, in children: the same comes out as here."""

import json

import pytest
from msgspec.structs import replace
from tests.unit.acquire import bills
from tests.unit.acquire.layers import OS_RELEASE, docker_archive, layer, status

from openinspector.acquire.targets.sbom import read_sbom
from openinspector.errors import AcquireError, ConfinedError
from openinspector.model.inventory import Inventory, Target
from openinspector.model.match import Report
from openinspector.model.package import Location, Package
from openinspector.pipeline.confined import confined
from openinspector.pipeline.confined_scan import scan_confined
from openinspector.pipeline.handed_in import read_handed_in
from openinspector.pipeline.scan import Request, read_target, scan
from openinspector.pipeline.scan_sbom import handle_confined
from openinspector.pipeline.settings import ConfinedSettings
from openinspector.pipeline.starter import build_starter
from openinspector.render import cyclonedx, inventory, spdx
from openinspector.store.advisories import AdvisoryFile

METADATA = "Metadata-Version: 2.1\nName: Jinja2\nVersion: 2.10\n\n"


@pytest.fixture(scope="module")
def advisories(tmp_path_factory):
    folder = tmp_path_factory.mktemp("advisories")
    build_starter(folder / "advisories.sqlite", folder)
    opened = AdvisoryFile(folder / "advisories.sqlite")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    path = tmp_path_factory.mktemp("image") / "app.tar"
    base = layer({"etc/os-release": OS_RELEASE, "var/lib/dpkg/status": status(zlib="1:1.2.11", bash="5.2-1")})
    top = layer(
        {"srv/app/lib/python3.11/site-packages/Jinja2-2.10.dist-info/METADATA": METADATA, "srv/requirements.txt": "x\n"}
    )
    return read_target(Request(target=str(docker_archive(path, base, top))))


@pytest.fixture
def bounds():
    """Sets other bounds for a test."""
    yield lambda **more: confined.configure(ConfinedSettings(**more))
    confined.configure(ConfinedSettings())


def test_an_inventory_is_read_in_a_child_as_it_was_written(image):
    assert len(image.packages) == 3
    assert read_handed_in("inventory", inventory.render(Report(inventory=image)).encode()) == image


def as_string(text):
    return json.dumps(text).encode()


@pytest.mark.parametrize(
    ("write", "wrap"),
    [
        (bills.cyclonedx_json, str.encode),
        (bills.cyclonedx_json, as_string),
        (bills.cyclonedx_xml, as_string),
        (bills.spdx_json, str.encode),
        (bills.spdx_tag_value, as_string),
    ],
)
def test_an_sbom_is_read_in_a_child_as_it_is_here(tmp_path, write, wrap):
    (tmp_path / "sbom").write_text(write())
    here = read_sbom(tmp_path / "sbom")
    assert len(here.packages) > 4
    assert read_handed_in("sbom", wrap(write())) == replace(here, target=Target(kind="sbom", name="sbom"))


@pytest.mark.parametrize("write", [cyclonedx.render, spdx.render])
def test_our_own_sboms_are_understood(image, write):
    read = read_handed_in("sbom", write(Report(inventory=image, scanned_at="2026-11-24T12:00:00Z")).encode())
    assert {each.name for each in read.packages} == {each.name.lower() for each in image.packages}


@pytest.mark.parametrize("kind", ["sbom", "inventory"])
@pytest.mark.parametrize("document", [b"", b"7", b'"text"', b"{}", b'{"a": "\xff"}', b"[" * 5000, b'"\\ud800"'])
def test_what_is_neither_is_refused(kind, document):
    with pytest.raises(AcquireError):
        read_handed_in(kind, document)


def test_more_packages_than_anything_has_are_refused(monkeypatch):
    package = {"type": "pypi", "name": "x", "version": "1", "location": {"path": "p"}}
    told = {"target": {"kind": "host", "name": "h"}, "packages": [package] * 200_001}
    document = json.dumps({"format": "openinspector-inventory/1", "inventory": told}).encode()
    with pytest.raises(AcquireError, match="more than 200,000 packages"):
        read_handed_in("inventory", document)


def test_a_child_finds_what_is_found_here(image, advisories):
    here = scan(image, advisories)
    assert {each.vulnerability.id for each in here.findings} >= {"CVE-2018-25032", "CVE-2019-10906"}
    assert {each.match.package.location.layer for each in here.findings} >= {
        each.diff_id for each in image.target.layers
    }
    assert replace(scan_confined(image, advisories), scanned_at=here.scanned_at) == here


def test_what_is_told_of_a_vulnerability_is_in_memory_once(advisories):
    places = tuple(
        Package(type="pypi", name="jinja2", version="2.10", location=Location(path=str(number))) for number in range(3)
    )
    seen = scan_confined(Inventory(target=Target(kind="host", name="h"), packages=places), advisories)
    assert len(seen.findings) > len({id(each.vulnerability) for each in seen.findings})


def test_a_document_that_needs_too_much_is_refused_and_the_next_is_read(image, bounds):
    package = {"type": "pypi", "name": "x" * 1000, "version": "1", "location": {"path": "p"}}
    told = {"target": {"kind": "host", "name": "h"}, "packages": [package] * 20_000}
    large = json.dumps({"format": "openinspector-inventory/1", "inventory": told}).encode()
    small = inventory.render(Report(inventory=image)).encode()
    bounds(memory=32 << 20)
    with pytest.raises(ConfinedError, match="32 MiB of memory") as raised:
        read_handed_in("inventory", large)
    assert raised.value.kind == "memory"
    assert read_handed_in("inventory", small) == image


def test_a_scan_of_an_sbom_is_bounded_too(advisories, bounds):
    from datetime import UTC, datetime

    bounds(memory=16 << 20)
    document = b'{"bomFormat": "CycloneDX", "specVersion": "1.5", "x": [' + b"[]," * 3_000_000 + b"[]]}"
    with pytest.raises(ConfinedError, match="16 MiB of memory"):
        handle_confined(document, "INSPECTOR", advisories, datetime.now(UTC))
