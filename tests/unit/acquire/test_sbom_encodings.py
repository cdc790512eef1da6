"""Each kind of SBOM document, and that two encodings of one tell the same."""

import importlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.acquire import bills

from openinspector.acquire.detect import detect
from openinspector.acquire.targets.sbom import read_sbom
from openinspector.errors import AcquireError
from openinspector.model.inventory import Target


def read(tmp_path, document, name="bom"):
    path = tmp_path / name
    path.write_bytes(document if isinstance(document, bytes) else document.encode())
    return replace(read_sbom(path), target=Target(kind="sbom", name="bom"))


def told(inventory):
    return [(each.type, each.name, each.version, each.dev) for each in inventory.packages]


def test_cyclonedx_says_the_same_in_json_and_in_xml(tmp_path):
    subject = {"type": "application", "name": "shop", "version": "1", "purl": "pkg:npm/shop@1"}
    one, other = bills.cyclonedx_json(subject=subject), bills.cyclonedx_xml(subject=subject)
    inventory = read(tmp_path, one)
    assert inventory == read(tmp_path, other)
    assert told(inventory) == [
        ("npm", "shop", "1", False),
        ("deb", "libssl3", "3.0.11-1", False),
        ("deb", "bsdutils", "1:2.38.1-5", False),
        ("pypi", "jinja2", "2.10", False),
        ("pypi", "markupsafe", "1.0", False),
        ("npm", "@babel/core", "7.0.0", True),
    ]
    assert (inventory.distribution.namespace, inventory.distribution.title) == (
        "debian:12",
        "Debian GNU/Linux 12 (bookworm)",
    )
    libssl, jinja = inventory.packages[1], inventory.packages[3]
    assert (libssl.vendor, libssl.license, libssl.arch) == ("Debian OpenSSL Team", "Apache-2.0", "amd64")
    assert jinja.digest == "sha256:" + "ab" * 32


def test_spdx_says_the_same_in_json_and_as_tags_and_values(tmp_path):
    inventory = read(tmp_path, bills.spdx_json())
    assert inventory == read(tmp_path, bills.spdx_tag_value())
    assert ("npm", "@babel/core", "7.0.0", True) in told(inventory)


def test_cyclonedx_and_spdx_of_the_same_software_give_the_same_packages(tmp_path):
    one, other = read(tmp_path, bills.cyclonedx_json()), read(tmp_path, bills.spdx_json())
    assert told(one) == told(other)
    assert [each.source for each in one.packages] == [each.source for each in other.packages]
    assert one.distribution.namespace == other.distribution.namespace == "debian:12"
    assert [(each.reason, each.count) for each in one.problems] == [
        ("components with a CPE, but no package URL: zlib <old> & co", 1),
        ("components with a name, but no package URL: mystery", 1),
        ("components with a package URL that makes no sense: broken", 1),
    ]
    assert [each.count for each in other.problems] == [1, 1, 1]


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6"])
def test_every_namespace_of_cyclonedx_is_read(tmp_path, version):
    assert len(read(tmp_path, bills.cyclonedx_xml(version=version)).packages) == 5


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("make", [bills.cyclonedx_json, bills.cyclonedx_xml, bills.spdx_json, bills.spdx_tag_value])
def test_byte_order_marks_are_understood(tmp_path, make, encoding):
    document = make().replace("mystery", "mystère")
    data = document.encode(encoding)
    if encoding.endswith("e") and not encoding.endswith("utf-16"):
        data = "\ufeff".encode(encoding) + data
    inventory = read(tmp_path, data)
    assert len(inventory.packages) == 5
    assert any("mystère" in each.reason for each in inventory.problems)
    assert detect(str(tmp_path / "bom")).kind == "sbom"


@pytest.mark.parametrize(
    "document",
    [
        bills.cyclonedx_json(),
        bills.cyclonedx_xml(),
        "\n" + bills.spdx_tag_value(),
        "# a comment first\n#another\n" + bills.spdx_tag_value(),
    ],
    ids=["json", "xml", "tag-value", "comments"],
)
def test_an_sbom_is_found_out_by_what_it_starts_with(tmp_path, document):
    (tmp_path / "bom").write_text(document)
    assert detect(str(tmp_path / "bom")).kind == "sbom"


def test_an_archive_whose_first_name_looks_like_an_sbom_is_an_image(tmp_path):
    (tmp_path / "image").write_bytes(b"{strange}".ljust(257, b"\0") + b"ustar\0" + bytes(300))
    assert detect(str(tmp_path / "image")).kind == "image"


def test_tools_ancestors_and_foreign_elements_are_no_components_of_the_bill(tmp_path):
    inner = "<component type='library'><name>no</name><purl>pkg:pypi/no@1</purl></component>"
    document = f"""<?xml version="1.0"?>
    <bom xmlns="http://cyclonedx.org/schema/bom/1.6" xmlns:x="urn:x">
      <metadata><tools><components>{inner}</components></tools></metadata>
      <components>
        <component type="library"><name>yes</name><x:name>no</x:name><x:purl>pkg:pypi/no@2</x:purl>
          <purl>pkg:pypi/yes@1</purl><pedigree><ancestors>{inner}</ancestors></pedigree></component>
        <x:component><name>no</name><purl>pkg:pypi/no@3</purl></x:component>
      </components>
      <vulnerabilities><vulnerability><tools><components>{inner}</components></tools></vulnerability></vulnerabilities>
    </bom>"""
    assert told(read(tmp_path, document)) == [("pypi", "yes", "1", False)]


def nested(depth):
    each = {"name": "inmost", "version": "1", "purl": "pkg:pypi/inmost@1"}
    for at in range(depth):
        each = {"name": f"a{at}", "version": "1", "purl": f"pkg:pypi/a{at}@1", "children": (each,)}
    return (each,)


def test_components_nested_too_deep_are_told_not_dropped(tmp_path):
    inventory = read(tmp_path, bills.cyclonedx_json(nested(100)))
    assert inventory == read(tmp_path, bills.cyclonedx_xml(nested(100)))
    assert (len(inventory.packages), inventory.status) == (64, "partial")


def test_texts_go_on_over_lines_until_they_are_closed(tmp_path):
    document = (
        "SPDXVersion: SPDX-2.2\nPackageName: a\nPackageComment: <text>first\nPackageName: not one\n\n"
        "ExternalRef: X purl pkg:pypi/no@1\n</text>\nExternalRef: PACKAGE_MANAGER purl pkg:pypi/a@1\n"
        "ExternalRefComment: <text>x</text>\nPackageSourceInfo: <text></text>\n"
    )
    assert told(read(tmp_path, document)) == [("pypi", "a", "1", False)]


def test_a_text_that_is_never_closed_makes_the_inventory_partial(tmp_path):
    document = "SPDXVersion: SPDX-2.3\nPackageName: a\nPackageComment: <text>first\n" + bills.spdx_tag_value()
    document = document.replace("</text>", "")
    inventory = read(tmp_path, document)
    assert inventory.status == "partial"
    assert "never closed" in inventory.problems[-1].reason or "never closed" in inventory.problems[0].reason


def test_lines_without_a_tag_are_counted(tmp_path):
    document = bills.spdx_tag_value() + "what is this\nand: that\nor this\n: x\n"
    (problem,) = [each for each in read(tmp_path, document).problems if "lines" in each.reason]
    assert (problem.count, problem.partial) == (3, False)
    assert "what is this" in problem.reason


def test_an_endless_line_is_one_line(tmp_path):
    document = bills.spdx_tag_value() + "PackageComment: " + "x: y " * 500_000 + "\n"
    assert len(read(tmp_path, document).packages) == 5


def test_who_owns_the_files_of_a_package_is_taken_from_syfts_relationships(tmp_path):
    said = "ownership-by-file-overlap: indicates that the parent package claims ownership of a child package"
    document = "\n".join(
        (
            "SPDXVersion: SPDX-2.3",
            "PackageName: python3-jinja2",
            "SPDXID: SPDXRef-d",
            "ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/python3-jinja2@3.1.2-1?distro=debian-12",
            "PackageName: jinja2",
            "SPDXID: SPDXRef-p",
            "ExternalRef: PACKAGE-MANAGER purl pkg:pypi/jinja2@3.1.2",
            "Relationship: SPDXRef-d OTHER SPDXRef-p",
            f"RelationshipComment: <text>{said}</text>",
        )
    )
    assert [each.owner for each in read(tmp_path, document).packages] == ["", "python3-jinja2"]


BOMB = '<!DOCTYPE bom [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (BOMB + '<bom xmlns="http://cyclonedx.org/schema/bom/1.6">&b;</bom>', "no XML that makes sense"),
        ('<!DOCTYPE bom SYSTEM "file:///etc/passwd"><bom/>', "no XML that makes sense"),
        ("<bom>", "no CycloneDX"),
        ('<html xmlns="http://cyclonedx.org/schema/bom/1.6"/>', "no CycloneDX"),
        (bills.cyclonedx_xml()[:-20], "no XML that makes sense"),
        ('<bom xmlns="http://cyclonedx.org/schema/bom/1.6">' + "<a>" * 1000, "nests them more than"),
        ("SPDXVersion: SPDX-1.2\n", "version 'SPDX-1.2'"),
        ("# nothing\nPackageName: a\n", "no SPDXVersion"),
        ('{"spdxVersion": "SPDX-3.0"}', "version 'SPDX-3.0'"),
        ('{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": []}', "is SPDX 3"),
        ('{"bomFormat": "CycloneDX"', "no JSON that makes sense"),
        ("[]", "no SBOM"),
        (b"\xff\xfe", "no SBOM"),
    ],
    ids=lambda each: str(each)[:24],
)
def test_what_makes_no_sense_is_a_clear_error(tmp_path, document, why):
    with pytest.raises(AcquireError, match=why) as error:
        read(tmp_path, document)
    assert "SPDX tag-value are understood" in str(error.value)


def test_more_values_than_anybody_needs_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("openinspector.acquire.sbom.json_document.MOST", 50)
    monkeypatch.setattr("openinspector.acquire.sbom.cyclonedx_xml.MOST", 20)
    for document in (bills.cyclonedx_json(), bills.cyclonedx_xml()):
        with pytest.raises(AcquireError, match="more than"):
            read(tmp_path, document)


WRONG = ['""', "0", "null", "[]", "{}", '[[], 1, null, "x", {}]', '{"a": [1]}']


@pytest.mark.parametrize("value", WRONG)
def test_members_of_the_wrong_type_cost_themselves_only(tmp_path, value):
    names = "type name group version purl cpe scope supplier hashes licenses properties evidence components"
    good = '{"name": "good", "purl": "pkg:pypi/good@1"}'
    odd = ",".join(f'{{"purl": "pkg:pypi/odd@1", "{each}": {value}}}' for each in names.split())
    document = f'{{"bomFormat": "CycloneDX", "metadata": {value}, "components": [{odd}, {value}, {good}]}}'
    assert told(read(tmp_path, document))[-1] == ("pypi", "good", "1", False)
    members = "SPDXID name versionInfo supplier externalRefs checksums attributionTexts sourceInfo licenseDeclared"
    reference = '"externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:pypi/good@1"}]'
    odd = ",".join(f'{{{reference}, "{each}": {value}}}' for each in members.split())
    document = (
        f'{{"spdxVersion": "SPDX-2.3", "creationInfo": {value}, "relationships": [{value}],'
        f' "documentDescribes": {value}, "hasExtractedLicensingInfos": {value}, "packages": [{odd}]}}'
    )
    assert ("pypi", "good", "1", False) in told(read(tmp_path, document))


def test_more_components_than_anybody_has_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("openinspector.acquire.sbom.record.COMPONENTS", 4)
    for make in (bills.cyclonedx_json, bills.cyclonedx_xml, bills.spdx_json, bills.spdx_tag_value):
        with pytest.raises(AcquireError, match="more than 4 components"):
            read(tmp_path, make())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    make=st.sampled_from([bills.cyclonedx_json, bills.cyclonedx_xml, bills.spdx_json, bills.spdx_tag_value]),
    at=st.floats(0, 1),
    put=st.binary(max_size=8),
    rest=st.booleans(),
)
def test_damaged_documents_are_read_or_refused(tmp_path, make, at, put, rest):
    data = make().encode()
    cut = int(at * len(data))
    damaged = data[:cut] + put + (data[cut + len(put) :] if rest else b"")
    try:
        inventory = read(tmp_path, damaged)
    except AcquireError:
        return
    assert len(inventory.packages) <= 8


def library(name):
    return pytest.importorskip(name, reason=f"{name} is not installed")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_the_library_of_cyclonedx_writes_is_the_same_in_both_encodings(tmp_path):
    library("cyclonedx")
    model = importlib.import_module("cyclonedx.model.component")
    output, schema = importlib.import_module("cyclonedx.output"), importlib.import_module("cyclonedx.schema")
    from cyclonedx.model import HashType, Property
    from cyclonedx.model.bom import Bom
    from packageurl import PackageURL

    def made(each):
        algorithm, value = each.get("hash", ("", ""))
        return model.Component(
            name=each["name"],
            group=each.get("group"),
            version=each.get("version"),
            type=model.ComponentType(each.get("type", "library")),
            purl=PackageURL.from_string(each["purl"]) if each.get("purl", "").count("/") else None,
            cpe=each.get("cpe"),
            scope=model.ComponentScope.EXCLUDED if each.get("excluded") else None,
            description=each.get("description"),
            hashes=[HashType.from_composite_str(f"{algorithm.lower().replace('-', '')}:{value}")] if value else [],
            properties=[Property(name="syft:location:0:path", value="/a/b")],
            components=[made(child) for child in each.get("children", ())],
        )

    bom = Bom(components=[made(each) for each in (bills.SYSTEM, *bills.SOFTWARE)])
    versions = [schema.SchemaVersion.V1_3, schema.SchemaVersion.V1_6]
    for version in versions:
        texts = [
            output.make_outputter(bom, encoding, version).output_as_string()
            for encoding in (schema.OutputFormat.JSON, schema.OutputFormat.XML)
        ]
        inventory, other = (read(tmp_path, each) for each in texts)
        assert inventory == other
        assert sorted(told(inventory)) == sorted(told(read(tmp_path, bills.cyclonedx_json())))
        assert {each.location.path for each in inventory.packages if each.type == "pypi"} == {"a/b"}


@pytest.mark.filterwarnings("ignore")
def test_what_the_tools_of_spdx_write_is_the_same_in_both_encodings(tmp_path):
    library("spdx_tools")
    parser = importlib.import_module("spdx_tools.spdx.parser.parse_anything")
    writer = importlib.import_module("spdx_tools.spdx.writer.write_anything")
    path = tmp_path / "in.spdx.json"
    text = bills.spdx_json().replace(
        '"creationInfo": {',
        '"SPDXID": "SPDXRef-DOCUMENT", "dataLicense": "CC0-1.0", "name": "x", "documentNamespace": "https://x.org/y",'
        '"creationInfo": {"created": "2024-01-01T00:00:00Z", ',
    )
    path.write_text(
        text.replace('"externalRefs"', '"filesAnalyzed": false, "downloadLocation": "NONE", "externalRefs"').replace(
            '"name": "image"', '"name": "image", "downloadLocation": "NONE", "filesAnalyzed": false'
        )
    )
    document = parser.parse_file(str(path))
    inventories = []
    for ending in ("json", "spdx"):
        writer.write_file(document, str(tmp_path / f"out.{ending}"), validate=False)
        inventories.append(read(tmp_path, (tmp_path / f"out.{ending}").read_bytes()))
    assert inventories[0] == inventories[1]
    assert told(inventories[0]) == told(read(tmp_path, bills.spdx_json()))
