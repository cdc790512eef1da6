"""Zipped eggs."""

import io
import struct
import zipfile

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats import pypi_egg
from openinspector.catalog.formats.pypi_egg import PLUGIN
from openinspector.errors import CatalogError

PKG_INFO = b"Metadata-Version: 1.1\nName: foo\nVersion: 1.0\nLicense: MIT\n\ntext\n"


def egg(members, compression=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def read(data):
    return PLUGIN.read(File(path="opt/foo-1.0-py3.8.egg", data=data))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zipped_egg_names_its_package(compression):
    data = egg({"foo/__init__.py": b"", "EGG-INFO/PKG-INFO": PKG_INFO}, compression)
    package = read(memoryview(data)).packages[0]
    assert (package.name, package.version, package.license) == ("foo", "1.0", "MIT")
    assert package.location.path == "opt/foo-1.0-py3.8.egg"


def test_a_scheme_egg_is_no_python_egg_and_makes_nothing_partial():
    reading = read(b'((synopsis "a thing")\n (license "BSD"))\n')
    assert reading.packages == ()
    assert [each.partial for each in reading.problems] == [False]


@pytest.mark.parametrize("data", [egg({"foo.py": b""}), egg({"EGG-INFO/PKG-INFO": b"Name: foo\n\n"}), b"PK\x03\x04"])
def test_an_egg_that_names_no_package_makes_no_sense(data):
    with pytest.raises(CatalogError):
        read(data)


def test_every_truncation_is_refused():
    whole = egg({"EGG-INFO/PKG-INFO": PKG_INFO})
    for end in range(2, len(whole) - 1, 7):
        with pytest.raises(CatalogError):
            read(whole[:end])


def test_flipped_bytes_end_in_a_reading_or_in_our_error():
    whole = egg({"EGG-INFO/PKG-INFO": PKG_INFO})
    for at in range(2, len(whole)):
        broken = bytearray(whole)
        broken[at] ^= 0xFF
        try:
            read(bytes(broken))
        except CatalogError:
            continue


def test_a_bomb_is_not_unpacked():
    with pytest.raises(CatalogError, match="more than 4 MB"):
        read(egg({"EGG-INFO/PKG-INFO": b"Name: foo\n" + b"\0" * (pypi_egg.MAX_METADATA + 1)}))


def test_a_huge_directory_is_refused_before_it_is_read():
    data = egg({"EGG-INFO/PKG-INFO": PKG_INFO})
    at = data.rfind(b"PK\x05\x06")
    lying = bytearray(data)
    struct.pack_into("<L", lying, at + 12, pypi_egg.MAX_DIRECTORY + 1)
    with pytest.raises(CatalogError, match="directory"):
        read(bytes(lying))
