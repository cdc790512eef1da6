"""Bottlerocket."""

from io import BytesIO
from zipfile import ZipFile

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.bottlerocket import PLUGIN

UPDATE = b"""<updates><update type="security"><id>BRSA-1bwujdrkn6nc</id><title>kernel CVE-2024-43840</title>
<issued date="2025-06-11T19:52:52Z"/><severity>medium</severity><references>
<reference href="http://cve" id="CVE-2024-43840" type="cve"/>
<reference href="http://page" id="BRSA-1bwujdrkn6nc" type="brsa"/>
</references><pkglist><collection short="bottlerocket">
<package arch="x86_64" name="kernel-6.1" version="6.1.140" release="1.br1" epoch="0"/>
<package arch="aarch64" name="kernel-6.1" version="6.1.140" release="1.br1" epoch="0"/>
</collection></pkglist></update></updates>"""


def parse(data):
    return list(PLUGIN.parse(Document(path="bottlerocket/updateinfo.xml.gz", stream=BytesIO(data))))


def test_an_advisory_is_read():
    (advisory,) = parse(UPDATE)
    assert (advisory.id, advisory.vulnerabilities) == ("BRSA-1bwujdrkn6nc", ("CVE-2024-43840",))
    assert advisory.url == "http://page"
    (entry,) = advisory.affected
    assert (entry.namespace, entry.name, entry.arches) == ("bottlerocket", "kernel-6.1", ("aarch64", "x86_64"))


@pytest.mark.feeds
def test_real_advisories_are_read(feeds_dir):
    with ZipFile(feeds_dir / "fixtures/vuln-list-update.zip") as archive:
        advisories = parse(archive.read("bottlerocket/updateinfo.xml.gz"))
        broken = [archive.read(f"bottlerocket/{name}") for name in ("invalid_xml.gz", "updateinfo_invalid.xml.gz")]
    assert [each.vulnerabilities for each in advisories] == [("CVE-2024-43840",), ("CVE-2025-15281",)]
    for data in broken:
        with pytest.raises(FeedError):
            parse(data)
