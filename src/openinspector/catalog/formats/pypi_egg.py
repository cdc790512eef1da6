"""Zipped Python eggs: the package's PKG-INFO is inside.

    opt/app/foo-1.0-py3.8.egg!EGG-INFO/PKG-INFO

Source: https://setuptools.pypa.io/en/latest/deprecated/python_eggs.html
"""

import struct
from typing import Final

from openinspector.catalog.contract import File, Format, Reading, Wants
from openinspector.catalog.core_metadata import read_core_metadata
from openinspector.catalog.unparsed import unparsed
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package

MAX_DIRECTORY = 8 << 20  # bytes of the zip's central directory, some hundred thousand entries
MAX_METADATA = 4 << 20  # bytes of PKG-INFO, unpacked

_END_RECORD = struct.Struct("<4s4H2LH")  # APPNOTE.TXT §4.3.16
_END_SIGNATURE = b"PK\x05\x06"
_LONGEST_COMMENT = 65535


class PypiEgg:
    """*.egg files."""

    name = "pypi.egg"
    title = "Python eggs (zipped)"
    type = "pypi"
    revision = 1
    wants = Wants(suffixes=(".egg",))

    def accepts(self, path: str) -> bool:
        """Every file of that name."""
        return True

    def read(self, file: File) -> Reading:
        """The package of the egg.

        Raises:
            CatalogError: A zip that can't be read.
        """
        # CHICKEN Scheme has files of the same name, which are text.
        if bytes(file.data[:2]) != b"PK":
            return Reading(problems=unparsed(file.path, self.name, "no zip file", ["skipped"]))
        said = read_core_metadata(_metadata(bytes(file.data)))
        if not said.name or not said.version:
            raise CatalogError("EGG-INFO/PKG-INFO lacks Name or Version")
        package = Package(
            type="pypi",
            name=said.name,
            version=said.version,
            location=Location(path=file.path),
            format=self.name,
            license=said.license,
        )
        return Reading(packages=(package,))


def _metadata(data: bytes) -> bytes:
    """EGG-INFO/PKG-INFO, unpacked."""
    import zipfile
    import zlib
    from io import BytesIO

    _check_directory(data)
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive, archive.open("EGG-INFO/PKG-INFO") as member:
            unpacked = member.read(MAX_METADATA + 1)
    except KeyError as error:
        raise CatalogError("an egg without EGG-INFO/PKG-INFO") from error
    # What zipfile raises for broken, encrypted or strangely compressed members.
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError, struct.error) as error:
        raise CatalogError(f"an egg that can't be unpacked: {error}") from error
    if len(unpacked) > MAX_METADATA:
        raise CatalogError(f"EGG-INFO/PKG-INFO of more than {MAX_METADATA >> 20} MB")
    return unpacked


def _check_directory(data: bytes) -> None:
    """Refuses a central directory that zipfile would turn into gigabytes of objects."""
    at = data.rfind(_END_SIGNATURE, max(0, len(data) - _END_RECORD.size - _LONGEST_COMMENT))
    if at < 0 or at + _END_RECORD.size > len(data):
        raise CatalogError("an egg without the end of a zip file")
    size = _END_RECORD.unpack_from(data, at)[5]
    # 0xFFFFFFFF would be the mark of a zip64 file, which no egg needs to be.
    if size > MAX_DIRECTORY or data[max(0, at - 20) : at][:4] == b"PK\x06\x07":
        raise CatalogError(f"an egg whose directory exceeds {MAX_DIRECTORY >> 20} MB")


PLUGIN: Final[Format] = PypiEgg()
