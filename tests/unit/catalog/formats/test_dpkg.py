import random
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.dpkg import PLUGIN
from openinspector.errors import CatalogError
from openinspector.model.package import SourcePackage

STATUS = b"""\
Package: libc6
Status: install ok installed
Priority: optional
Architecture: amd64
Multi-Arch: same
Source: glibc (2.36-9)
Version: 2.36-9+b1
Description: GNU C Library
 Version: 9.9 of this text is no field
 .
 Status: neither

Package: bash
Status: hold ok installed
Architecture: amd64
Version: 5.2.15-2

Package: old
Status: deinstall ok config-files
Architecture: all
Version: 1.0

Package: never
Status: unknown ok not-installed
Architecture: all

Package: dbus
Status: install ok triggers-pending
Source: dbus-src
Architecture: amd64
Version: 1:1.14.8-2

Package: unpacked
Status: install ok unpacked
Architecture: amd64
Version: 3

Package: waiting
Status: install reinstreq half-configured
Architecture: amd64
Version: 4

Package: half
Status: install reinstreq half-installed
Architecture: amd64
Version: 5
"""
PATH = "var/lib/dpkg/status"
ABSENT = ("config-files", "not-installed")


def read(data, path=PATH):
    return PLUGIN.read(File(path=path, data=data))


def versions(reading):
    return {package.name: package.version for package in reading.packages}


def test_a_removed_deb_is_not_installed():
    assert "old" not in versions(read(STATUS))
    assert "never" not in versions(read(STATUS))


def test_a_deb_whose_files_are_there_is_installed_configured_or_not():
    assert versions(read(STATUS)) == {
        "libc6": "2.36-9+b1",
        "bash": "5.2.15-2",
        "dbus": "1:1.14.8-2",
        "unpacked": "3",
        "waiting": "4",
        "half": "5",
    }


def test_a_half_installed_deb_is_told_and_makes_nothing_partial():
    (problem,) = read(STATUS).problems
    assert "half" in problem.reason
    assert not problem.partial


def test_the_source_package_has_a_version_of_its_own_only_where_it_says_so():
    libc, bash, dbus, *_ = read(STATUS).packages
    assert libc.source == SourcePackage(name="glibc", version="2.36-9")
    assert bash.source == SourcePackage(name="bash", version="5.2.15-2")
    assert dbus.source == SourcePackage(name="dbus-src", version="1:1.14.8-2")
    assert (libc.type, libc.arch, libc.format, libc.location.path) == ("deb", "amd64", "dpkg", PATH)


def test_carriage_returns_and_a_missing_last_newline_change_nothing():
    plain = read(STATUS)
    assert read(STATUS.replace(b"\n", b"\r\n")) == plain
    assert read(memoryview(STATUS[:-1])) == plain


def test_a_control_file_of_distroless_has_no_status_and_no_end():
    path = "var/lib/dpkg/status.d/libssl1"
    reading = read(b"Package: libssl1.1\nVersion: 1.1.1n-0\nArchitecture: amd64\nSource: openssl", path)
    assert versions(reading) == {"libssl1.1": "1.1.1n-0"}
    assert reading.packages[0].source == SourcePackage(name="openssl", version="1.1.1n-0")


@pytest.mark.parametrize(
    ("name", "wanted"), [("libssl1.1", True), ("base", True), ("base.md5sums", False), ("tzdata.postinst", False)]
)
def test_checksums_and_scripts_are_no_control_files(name, wanted):
    assert PLUGIN.accepts(f"var/lib/dpkg/status.d/{name}") is wanted


def test_an_installed_paragraph_without_version_is_a_partial_problem():
    reading = read(STATUS + b"\nPackage: broken\nStatus: install ok installed\n")
    assert [problem.partial for problem in reading.problems if "Version" in problem.reason] == [True]


def test_an_unknown_status_is_taken_for_installed_and_told():
    reading = read(b"Package: a\nStatus: install ok strange\nVersion: 1\n")
    assert versions(reading) == {"a": "1"}
    assert len(reading.problems) == 1


def test_a_file_without_any_package_is_an_error():
    with pytest.raises(CatalogError):
        read(b"\x7fELF" + bytes(1000))
    assert read(b"\n\n \n").packages == ()


def test_cut_and_flipped_files_never_crash():
    rng = random.Random(1)
    for _ in range(300):
        hurt = bytearray(STATUS[: rng.randrange(len(STATUS))])
        for _ in range(min(len(hurt), 20)):
            hurt[rng.randrange(len(hurt))] = rng.randrange(256)
        with suppress(CatalogError):
            read(bytes(hurt))


@pytest.mark.native
def test_this_machine_is_read_as_dpkg_query_does(tmp_path):
    status = Path("/var/lib/dpkg/status")
    if not shutil.which("dpkg-query") or not status.is_file():
        pytest.skip("this machine has no dpkg")
    data = status.read_bytes()  # a copy for both: packages may be installed at this very moment
    (tmp_path / "status").write_bytes(data)
    (tmp_path / "updates").mkdir()
    (tmp_path / "info").mkdir()
    fields = ["Package", "Version", "Architecture", "source:Package", "source:Version", "db:Status-Status"]
    form = "\\t".join(f"${{{field}}}" for field in fields) + "\\n"
    query = ["dpkg-query", f"--admindir={tmp_path}", "-W", f"-f={form}"]
    lines = subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()
    theirs = {tuple(fields[:5]) for fields in (line.split("\t") for line in lines) if fields[5] not in ABSENT}
    assert {(p.name, p.version, p.arch, p.source.name, p.source.version) for p in read(data).packages} == theirs
