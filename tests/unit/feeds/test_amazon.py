"""Amazon Linux."""

import gzip
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.amazon import PLUGIN
from openinspector.model.advisory import Advisory, Range

UPDATE = """<?xml version="1.0"?><updates><update author="a" from="a" status="final" type="security" version="1.4">
<id>ALAS2-2023-2287</id><title>Amazon Linux 2 - ALAS2-2023-2287: critical priority package update for curl</title>
<issued date="2023-10-11 21:05:00"/><updated date="2023-10-12 01:28"/><severity>critical</severity>
<description>CVE-2023-38545: it&amp;#039;s a heap overflow</description>
<references><reference href="http://cve/CVE-2023-38545" id="CVE-2023-38545" title="" type="cve"/></references>
<pkglist><collection short="amazon-linux-2"><name>Amazon Linux 2</name>
<package arch="aarch64" epoch="0" name="curl" release="1.amzn2.0.1" version="8.3.0"><filename>x</filename></package>
<package arch="x86_64" epoch="0" name="curl" release="1.amzn2.0.1" version="8.3.0"/>
<package arch="x86_64" epoch="0" name="curl-debuginfo" release="1.amzn2.0.1" version="8.3.0"/>
<package arch="x86_64" epoch="32" name="bind" release="1.amzn2" version="9.11"/>
</collection></pkglist></update></updates>"""


def parse(path, data):
    return list(PLUGIN.parse(Document(path=path, stream=BytesIO(data))))


def test_an_advisory_keeps_its_id_word_and_epochs():
    (advisory,) = parse("amazon/al2/core/updateinfo.xml.gz", gzip.compress(UPDATE.encode()))
    assert advisory.id == "ALAS2-2023-2287"
    assert advisory.vulnerabilities == ("CVE-2023-38545",)
    assert advisory.severity == "critical"
    assert advisory.description == "CVE-2023-38545: it's a heap overflow"
    assert advisory.url == "https://alas.aws.amazon.com/AL2/ALAS2-2023-2287.html"
    assert [(each.name, each.ranges, each.arches) for each in advisory.affected] == [
        ("curl", (Range(fixed="8.3.0-1.amzn2.0.1"),), ("aarch64", "x86_64")),
        ("bind", (Range(fixed="32:9.11-1.amzn2"),), ("x86_64",)),
    ]


@pytest.mark.parametrize(
    ("path", "namespace", "repository"),
    [
        ("amazon/al1/updates/updateinfo.xml.gz", "amazon:1", ""),
        ("amazon/al2/core/updateinfo.xml.gz", "amazon:2", ""),
        ("amazon/al2/extras/docker/updateinfo.xml.gz", "amazon:2", "docker"),
        ("amazon/al2/extras/livepatch/updateinfo.xml.gz", "amazon:2", "livepatch"),
        ("amazon/al2022/core/updateinfo.xml.gz", "amazon:2022", ""),
        ("amazon/al2023/core/updateinfo.xml.gz", "amazon:2023", ""),
        ("amazon/al2023/kernel-livepatch/updateinfo.xml.gz", "amazon:2023", "kernel-livepatch"),
    ],
)
def test_the_path_says_release_and_repository(path, namespace, repository):
    (advisory,) = parse(path, UPDATE.encode())
    assert {(each.namespace, each.repository) for each in advisory.affected} == {(namespace, repository)}


@pytest.mark.parametrize("path", ["amazon/al3/core/updateinfo.xml.gz", "updateinfo.xml.gz", "amazon/al2"])
def test_an_unknown_repository_is_a_feed_error(path):
    with pytest.raises(FeedError):
        parse(path, UPDATE.encode())


def real(feeds_dir: Path, name):
    with (feeds_dir / "amazon" / name / "updateinfo.xml.gz").open("rb") as stream:
        return list(PLUGIN.parse(Document(path=f"amazon/{name}/updateinfo.xml.gz", stream=stream)))


@pytest.mark.feeds
@pytest.mark.parametrize(
    ("name", "advisories", "entries"),
    [
        ("al1/updates", 1807, 15013),
        ("al2/core", 1597, 13697),
        ("al2022/core", 277, 2419),
        ("al2023/core", 785, 6024),
        ("al2023/kernel-livepatch", 28, 28),
    ],
)
def test_real_repositories_are_read_whole(feeds_dir, name, advisories, entries):
    records = real(feeds_dir, name)
    assert all(isinstance(record, Advisory) for record in records)
    assert len(records) == advisories
    assert sum(len(record.affected) for record in records) == entries


@pytest.mark.feeds
def test_every_extras_topic_is_a_source_and_is_read(feeds_dir):
    topics = sorted(path.parent.name for path in (feeds_dir / "amazon/al2/extras").glob("*/updateinfo.xml.gz"))
    assert {f"amazon/al2/extras/{topic}/updateinfo.xml.gz" for topic in topics} <= {s.path for s in PLUGIN.sources}
    records = [record for topic in topics for record in real(feeds_dir, f"al2/extras/{topic}")]
    assert len(records) == 813
    assert all(isinstance(record, Advisory) for record in records)
    assert all(each.repository in topics for record in records for each in record.affected)


@pytest.mark.feeds
@pytest.mark.parametrize(
    ("name", "cve", "ids"),
    [
        ("al2/core", "CVE-2021-44228", {"ALAS2-2021-1730", "ALAS2-2021-1731"}),
        ("al2/core", "CVE-2023-38545", {"ALAS2-2023-2287"}),
        ("al1/updates", "CVE-2014-0160", {"ALAS-2014-320"}),
        ("al2023/core", "CVE-2023-38545", {"ALAS2023-2023-377"}),
        ("al2/extras/nginx1", "CVE-2023-44487", {"ALAS2NGINX1-2023-006"}),
        ("al2/extras/tomcat8.5", "CVE-2023-44487", {"ALAS2TOMCAT8.5-2023-016"}),
    ],
)
def test_famous_flaws_are_in_their_advisories(feeds_dir, name, cve, ids):
    assert {record.id for record in real(feeds_dir, name) if cve in record.vulnerabilities} == ids


@pytest.mark.feeds
def test_a_deliberately_broken_document_is_a_feed_error(feeds_dir):
    with ZipFile(feeds_dir / "fixtures/vuls-data-update.zip") as archive:
        data = archive.read("amazon/updateinfo_invalid_xml.xml.gz")
    with pytest.raises(FeedError):
        parse("amazon/al2/core/updateinfo.xml.gz", data)


@pytest.mark.feeds
def test_a_document_that_lost_its_compression_is_read(feeds_dir):
    with ZipFile(feeds_dir / "fixtures/vuls-data-update.zip") as archive:
        data = archive.read("amazon/updateinfo_invalid_gzip.xml.gz")
    assert parse("amazon/al2/core/updateinfo.xml.gz", data)
