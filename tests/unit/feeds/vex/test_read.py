"""VEX documents: the format is found out from the content, and nothing is passed over."""

import json

import pytest

from openinspector.errors import FeedError, UsageError
from openinspector.feeds.vex import read as vex
from openinspector.feeds.vex.read import format_of, read_documents

OPENVEX = b'{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "i", "author": "a", "statements": []}'
CYCLONEDX = b'{"bomFormat": "CycloneDX", "specVersion": "1.6", "vulnerabilities": []}'
CSAF = b'{"document": {"category": "csaf_vex", "tracking": {"id": "x"}}}'


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (OPENVEX, "openvex"),
        (b'{"metadata": {"@context": "https://openvex.dev/ns/v0.2.0"}, "statements": []}', "openvex"),
        (CYCLONEDX, "cyclonedx"),
        (CSAF, "csaf"),
    ],
)
def test_the_content_tells_the_format(data, kind):
    assert format_of(data, "f") == kind


@pytest.mark.parametrize(
    "data",
    [b"", b"<bom/>", b"[]", b"{}", b'{"spdxVersion": "SPDX-2.3"}', b'{"statements": []}', b"[" * 200_000, b"\xff\xfe{"],
)
def test_what_is_no_vex_is_an_error_that_says_what_is_understood(data):
    with pytest.raises(FeedError, match="OpenVEX, CycloneDX JSON and CSAF"):
        format_of(data, "f")


def test_documents_are_read_in_their_order_and_a_byte_order_mark_is_no_matter(tmp_path):
    files = []
    for name, data in (("a", OPENVEX), ("b", CYCLONEDX), ("c", CSAF)):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + data)
        files.append(tmp_path / name)
    assert [each.format for each in read_documents(files)] == ["OpenVEX", "CycloneDX", "CSAF"]


def test_a_missing_file_is_the_callers_mistake(tmp_path):
    with pytest.raises(UsageError, match="none.json"):
        read_documents([tmp_path / "none.json"])


def test_a_document_may_have_so_many_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(vex, "MAX_SIZE", 1 << 20)
    (tmp_path / "v").write_bytes(OPENVEX + b" " * (1 << 20))
    with pytest.raises(FeedError, match="larger than 1 MB"):
        read_documents([tmp_path / "v"])


def test_links_lead_into_other_documents_and_into_the_sbom_that_is_scanned(tmp_path):
    def bom(serial, **more):
        return json.dumps({"bomFormat": "CycloneDX", "serialNumber": f"urn:uuid:{serial}", "version": 1, **more})

    components = [{"bom-ref": "c", "name": "lodash", "purl": "pkg:npm/lodash@4.17.20"}]
    flaws = [{"id": f"CVE-{serial}", "analysis": {"state": "resolved"}, "affects": [{"ref": f"urn:cdx:{serial}/1#c"}]}
             for serial in ("1", "2", "3")]  # fmt: skip
    (tmp_path / "vex.json").write_text(bom("0", vulnerabilities=flaws))
    (tmp_path / "given.json").write_text(bom("1", components=components))
    (tmp_path / "scanned.json").write_text(bom("2", components=components))
    (tmp_path / "other.spdx").write_text("SPDXVersion: SPDX-2.3")
    documents = read_documents(
        [tmp_path / "vex.json", tmp_path / "given.json"], [tmp_path / "scanned.json", tmp_path / "other.spdx"]
    )
    assert [each.vulnerabilities for each in documents[0].statements] == [("CVE-1",), ("CVE-2",)]
    assert "urn:cdx:3/1#c" in documents[0].problems[0].reason
