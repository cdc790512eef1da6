"""SPDX, against the validator of its own project."""

import json
import re
from importlib import import_module

import pytest
from tests.unit.render.sample import DEBIAN, EMPTY, INVENTORY, LODASH, LOG4J, OPENSSL, REPORT

from openinspector.model.match import Report
from openinspector.render.purl import purl
from openinspector.render.spdx import render


@pytest.fixture(scope="module")
def document():
    return json.loads(render(REPORT))


def package(document, wanted):
    for each in document["packages"]:
        if any(reference["referenceLocator"] == purl(wanted, DEBIAN) for reference in each.get("externalRefs", ())):
            return each
    raise AssertionError(wanted)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("report", [REPORT, EMPTY, Report(inventory=INVENTORY)], ids=["rich", "empty", "inventory"])
def test_it_is_valid_by_the_published_rules(report):
    try:
        parse = import_module("spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser").JsonLikeDictParser
        check = import_module("spdx_tools.spdx.validation.document_validator").validate_full_spdx_document
    except ImportError:
        pytest.skip("spdx-tools is not installed")
    messages = check(parse().parse(json.loads(render(report))), "SPDX-2.3")
    assert not messages, [each.validation_message for each in messages]


def test_it_has_what_the_schema_requires(document):
    assert {"SPDXID", "creationInfo", "dataLicense", "name", "spdxVersion", "documentNamespace"} <= document.keys()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["creationInfo"]["created"])
    for each in document["packages"]:
        assert {"SPDXID", "name", "downloadLocation"} <= each.keys()
        assert re.fullmatch(r"SPDXRef-[a-zA-Z0-9.-]+", each["SPDXID"])
    for each in document["relationships"]:
        assert each.keys() == {"spdxElementId", "relatedSpdxElement", "relationshipType"}


def test_ids_are_unique_and_everything_is_contained(document):
    ids = [each["SPDXID"] for each in document["packages"]]
    assert len(ids) == len(set(ids))
    assert document["relationships"][0]["relationshipType"] == "DESCRIBES"
    contained = [each["relatedSpdxElement"] for each in document["relationships"][1:]]
    assert sorted(contained) == sorted(set(ids) - {"SPDXRef-Target"})


def test_a_package_has_its_purl_and_says_where_it_was(document):
    openssl = package(document, OPENSSL)
    assert openssl["versionInfo"] == "3.0.9-1"
    assert "from var/lib/dpkg/status" in openssl["sourceInfo"]
    assert "built from openssl 3.0.9-1" in openssl["sourceInfo"]
    lodash = package(document, LODASH)
    assert lodash["checksums"] == [{"algorithm": "SHA512", "checksumValue": "c" * 128}]
    assert "srv/app/" in lodash["sourceInfo"]
    assert "srv/tool/" in lodash["sourceInfo"]


def test_a_known_licence_is_declared_and_any_other_text_is_kept_as_one(document):
    assert package(document, LODASH)["licenseDeclared"] == "MIT"
    declared = package(document, LOG4J)["licenseDeclared"]
    (text,) = [
        each["extractedText"] for each in document["hasExtractedLicensingInfos"] if each["licenseId"] == declared
    ]
    assert text == "The Apache Software License, Version 2.0"


def test_known_vulnerabilities_are_security_references(document):
    references = [each for each in package(document, LOG4J)["externalRefs"] if each["referenceCategory"] == "SECURITY"]
    assert [each["referenceLocator"] for each in references] == ["https://nvd.nist.gov/vuln/detail/CVE-2021-44228"]
    assert references[0]["comment"] == "CVE-2021-44228, critical, fixed in 2.15.0"


def test_doubt_is_told(document):
    assert "This is a partial scan" in document["comment"]
    assert any("Not judged: there are no advisories" in each.get("comment", "") for each in document["packages"])
