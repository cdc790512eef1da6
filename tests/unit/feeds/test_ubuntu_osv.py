"""Ubuntu's own OSV records."""

import json
import tarfile
from io import BytesIO
from zipfile import ZipFile

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.ubuntu_osv import PLUGIN
from openinspector.model.advisory import Advisory, Range
from openinspector.model.problem import Problem


def archive(*records):
    stream = BytesIO()
    with tarfile.open(fileobj=stream, mode="w:xz") as tar:
        for record in records:
            info = tarfile.TarInfo(f"osv/{record['id']}.json")
            info.size = len(data := json.dumps(record).encode())
            tar.addfile(info, BytesIO(data))
    return stream


def parse(*records):
    return list(PLUGIN.parse(Document(path="ubuntu/osv/osv-all.tar.xz", stream=archive(*records))))


def record(identifier, ecosystem="Ubuntu:22.04:LTS", fixed="2-1", purl="", **more):
    events = [{"introduced": "0"}] + ([{"fixed": fixed}] if fixed else [])
    package = {"ecosystem": ecosystem, "name": "wayland", "purl": purl}
    ranges = [{"type": "ECOSYSTEM", "events": events}]
    return {"id": identifier, "affected": [{"package": package, "ranges": ranges, "versions": ["1-1"]}], **more}


def test_a_record_is_about_its_cve_and_has_ubuntus_word():
    severity = [
        {"type": "CVSS_V3", "score": "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:H"},
        {"type": "Ubuntu", "score": "medium"},
    ]
    (advisory,) = parse(
        record("UBUNTU-CVE-2021-3782", upstream=["CVE-2021-3782"], related=["USN-5614-1"], severity=severity)
    )
    assert advisory.vulnerabilities == ("CVE-2021-3782",)
    assert advisory.severity == "medium"
    assert [each.source for each in advisory.cvss] == ["ubuntu"]
    assert advisory.url == "https://ubuntu.com/security/CVE-2021-3782"
    (affected,) = advisory.affected
    assert (affected.namespace, affected.name, affected.kind) == ("ubuntu:22.04", "wayland", "source")
    assert (affected.ranges, affected.versions) == ((Range(fixed="2-1"),), ())


def test_what_needs_ubuntu_pro_has_its_repository():
    purl = "pkg:deb/ubuntu/wayland@1?arch=source&distro=esm-infra/xenial"
    (advisory,) = parse(record("UBUNTU-CVE-2021-3782", "Ubuntu:Pro:16.04:LTS", purl=purl))
    assert (advisory.affected[0].namespace, advisory.affected[0].repository) == ("ubuntu:16.04", "esm-infra")


def test_a_notice_adds_only_what_no_cves_record_says():
    usn = record("USN-5614-1", fixed="3-1", upstream=["UBUNTU-CVE-2021-3782", "UBUNTU-CVE-2021-9999"])
    found = {each.id: each for each in parse(usn, record("UBUNTU-CVE-2021-3782"))}
    assert found["USN-5614-1"].vulnerabilities == ("CVE-2021-9999",)
    assert found["UBUNTU-CVE-2021-3782"].affected[0].ranges == (Range(fixed="2-1"),)
    covered = record("USN-5614-2", fixed="3-1", related=["CVE-2021-3782"])
    found = {each.id: each for each in parse(record("UBUNTU-CVE-2021-3782"), covered)}
    assert (found["USN-5614-2"].vulnerabilities, found["USN-5614-2"].affected) == (("CVE-2021-3782",), ())


def test_a_live_patch_is_no_package():
    (problem,) = parse(record("LSN-0108-1", related=["CVE-2024-26800"]))
    assert isinstance(problem, Problem)
    assert problem.count == 1


def test_what_is_no_archive_is_an_error():
    with pytest.raises(FeedError):
        list(PLUGIN.parse(Document(path="ubuntu/osv/osv-all.tar.xz", stream=BytesIO(b"x" * 2000))))


@pytest.mark.feeds
def test_the_fixtures_are_read(feeds_dir):
    with ZipFile(feeds_dir / "fixtures/vuls-data-update.zip") as fixtures:
        stream = BytesIO(fixtures.read("ubuntu/osv/happy/osv-all.tar.xz"))
    found = list(PLUGIN.parse(Document(path="ubuntu/osv/osv-all.tar.xz", stream=stream)))
    assert [each.id for each in found if isinstance(each, Advisory)] == ["UBUNTU-CVE-2024-51988", "USN-7095-1"]
    with ZipFile(feeds_dir / "fixtures/vunnel.zip") as fixtures:
        names = [each for each in fixtures.namelist() if each.startswith("ubuntu/osv") and each.endswith(".json")]
        for name in names:
            (advisory,) = PLUGIN.parse(Document(path=name, stream=BytesIO(fixtures.read(name))))
            assert all(each.namespace.startswith("ubuntu:") for each in advisory.affected)
            assert advisory.vulnerabilities[0].startswith("CVE-")
