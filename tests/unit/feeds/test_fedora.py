"""Fedora."""

import gzip
import lzma
from io import BytesIO
from zipfile import ZipFile

import pytest
import zstandard

from openinspector.feeds.contract import Document
from openinspector.feeds.sources.fedora import PLUGIN
from openinspector.model.problem import Problem

PACKAGE = '<package name="nginx" version="1.26.3" release="1.fc43" epoch="2" arch="x86_64" src="x"/>'
SOURCE = '<package name="nginx" version="1.26.3" release="1.fc43" epoch="2" arch="src" src="x"/>'


def update(packages=PACKAGE + SOURCE, kind="security", short="F43"):
    return f"""<updates><update type="{kind}" status="stable"><id>FEDORA-2025-4a08954c02</id>
<title>nginx-1.26.3-1.fc43</title>
<issued date="2025-12-01 18:15:47"/><severity>Important</severity><description>New version.</description><references>
<reference href="h" id="2232217" type="bugzilla" title="TRIAGE CVE-2024-24989 nginx: NULL dereference [fedora-all]"/>
</references><pkglist><collection short="{short}">{packages}</collection></pkglist></update></updates>""".encode()


def parse(data, path="fedora/43/updateinfo.xml.gz"):
    return list(PLUGIN.parse(Document(path=path, stream=BytesIO(data))))


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, zstandard.ZstdCompressor().compress, bytes])
def test_security_updates_are_read_whatever_packed_them(pack):
    (advisory,) = parse(pack(update()))
    assert advisory.id == "FEDORA-2025-4a08954c02"
    assert advisory.vulnerabilities == ("CVE-2024-24989",)
    (entry,) = advisory.affected
    assert (entry.namespace, entry.name, entry.arches) == ("fedora:43", "nginx", ())
    assert entry.ranges[0].fixed == "2:1.26.3-1.fc43"


def test_a_modular_list_names_release_and_stream():
    (advisory,) = parse(update('<module name="nginx" stream="mainline"/>' + PACKAGE, short="F38M"))
    assert [(each.namespace, each.module) for each in advisory.affected] == [("fedora:38", "nginx:mainline")]


def test_other_updates_are_left_out():
    assert parse(update(kind="bugfix")) == []


def test_other_products_are_counted():
    (problem,) = parse(update(short="EL-9"))
    assert isinstance(problem, Problem)
    assert problem.count == 1


def test_an_update_without_packages_is_a_problem():
    (problem,) = parse(update(""))
    assert isinstance(problem, Problem)


@pytest.mark.feeds
def test_a_real_modular_update_names_no_packages(feeds_dir):
    with ZipFile(feeds_dir / "fixtures/vuls-data-update.zip") as archive:
        (member,) = (name for name in archive.namelist() if "/Modular/" in name and name.endswith("updateinfo.xml.xz"))
        (problem,) = parse(archive.read(member))
    assert problem.reason == "FEDORA-MODULAR-2024-deafa21e1d: names no packages"
