"""One installed package in an rpm database: its header.

A header is two big-endian numbers (entries, bytes of data), an index of 16 bytes an entry (tag, type, offset, count),
and the data. Where a tag stands twice, the later entry holds: rpm appends what changed after the signed region.

A database leaves out the magic that a header in a package file starts with.

Source: https://rpm-software-management.github.io/rpm/manual/format_header.html
"""

import struct
from typing import Final

from msgspec import Struct

from openinspector.catalog.relevance import paths_to_keep, relevant_places
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package, SourcePackage

NAME, VERSION, RELEASE, EPOCH, VENDOR, LICENSE, ARCH = 1000, 1001, 1002, 1003, 1011, 1014, 1022
OLD_FILE_NAMES, FILE_MODES, SOURCE_RPM, MODULARITY = 1027, 1030, 1044, 5096
DIR_INDEXES, BASE_NAMES, DIR_NAMES = 1116, 1117, 1118

_WANTED: Final = frozenset(
    (NAME, VERSION, RELEASE, EPOCH, VENDOR, LICENSE, ARCH, OLD_FILE_NAMES, FILE_MODES, SOURCE_RPM, MODULARITY)
    + (DIR_INDEXES, BASE_NAMES, DIR_NAMES)
)
_INT16, _INT32, _STRING, _STRING_ARRAY, _I18N = 3, 4, 6, 8, 9
_MAGIC = b"\x8e\xad\xe8\x01\0\0\0\0"
_LONGEST = 4096  # bytes of one string; the longest real ones are licences of some hundred


class Header(Struct, frozen=True):
    """The entries that we read, (type, offset, count) by tag, and the data that the offsets point into."""

    entries: dict[int, tuple[int, int, int]]
    data: bytes

    def text(self, tag: int) -> str:
        """The (first) string of a tag, "" where there is none.

        Raises:
            CatalogError: It is not a string, or lies outside the data.
        """
        if tag not in self.entries:
            return ""
        kind, offset, count = self.entries[tag]
        if kind not in (_STRING, _STRING_ARRAY, _I18N) or count < 1:
            raise CatalogError(f"rpm header: tag {tag} is not a string")
        end = self.data.find(b"\0", offset, offset + _LONGEST)
        if end < 0:
            raise CatalogError(f"rpm header: the string of tag {tag} has no end")
        value = self.data[offset:end].decode("utf-8", "replace")
        return "" if value == "(none)" else value

    def numbers(self, tag: int) -> tuple[int, ...]:
        """The 16- or 32-bit numbers of a tag, () where there are none.

        Raises:
            CatalogError: They are something else, or lie outside the data.
        """
        if tag not in self.entries:
            return ()
        kind, offset, count = self.entries[tag]
        letter = {_INT16: "H", _INT32: "I"}.get(kind)
        if letter is None:
            raise CatalogError(f"rpm header: tag {tag} is not a number")
        if offset + count * struct.calcsize(letter) > len(self.data):
            raise CatalogError(f"rpm header: the numbers of tag {tag} lie outside the data")
        return struct.unpack_from(f">{count}{letter}", self.data, offset)

    def texts(self, tag: int) -> list[bytes]:
        """The strings of a tag, [] where there are none.

        Raises:
            CatalogError: They are something else, or fewer than announced.
        """
        if tag not in self.entries:
            return []
        kind, offset, count = self.entries[tag]
        if kind not in (_STRING_ARRAY, _STRING) or count > len(self.data) - offset:
            raise CatalogError(f"rpm header: tag {tag} is not a list of strings")
        values = self.data[offset:].split(b"\0", count)
        if len(values) <= count:
            raise CatalogError(f"rpm header: the strings of tag {tag} have no end")
        return values[:count]


def read_header(blob: bytes) -> Header:
    """A header as it lies in a database.

    Raises:
        CatalogError: The sizes that it states don't fit it.
    """
    if blob.startswith(_MAGIC):
        blob = blob[8:]
    if len(blob) < 8:
        raise CatalogError("rpm header: too short")
    entries, size = struct.unpack_from(">2I", blob)
    start = 8 + 16 * entries
    if not entries or start + size > len(blob):
        raise CatalogError(f"rpm header: {entries} entries and {size} bytes of data don't fit in {len(blob)} bytes")
    wanted = _WANTED
    index = {
        tag: (kind, offset, count)
        for tag, kind, offset, count in struct.iter_unpack(">4I", blob[8:start])
        if tag in wanted
    }
    return Header(index, blob[start : start + size])


def package_of(header: Header, path: str) -> Package:
    """The package that a header describes; `path` is that of its database.

    Raises:
        CatalogError: The name, version or release is missing, or one of the values is damaged.
    """
    name, version, release = header.text(NAME), header.text(VERSION), header.text(RELEASE)
    if not name or not version or not release:
        raise CatalogError(f"rpm header: {name or 'a package'} has no {'version' if name else 'name'}")
    epochs = header.numbers(EPOCH)
    epoch = epochs[0] if epochs else 0
    return Package(
        type="rpm",
        name=name,
        version=evr(epoch, f"{version}-{release}"),
        location=Location(path=path),
        format="rpm",
        arch=header.text(ARCH),
        source=source_of(header.text(SOURCE_RPM), epoch),
        module=header.text(MODULARITY),
        vendor=header.text(VENDOR),
        license=header.text(LICENSE),
    )


def evr(epoch: int, version_release: str) -> str:
    """`epoch:version-release`, the epoch only where there is one."""
    return f"{epoch}:{version_release}" if epoch else version_release


def source_of(file_name: str, epoch: int) -> SourcePackage | None:
    """The source package by the name of its file, `glibc-2.34-60.el9.src.rpm`.

    The file name has no epoch; that of the binary package stands in, which is the source's own in all but a few.
    """
    stem = file_name.removesuffix(".rpm").removesuffix(".src").removesuffix(".nosrc")
    parts = stem.rsplit("-", 2)
    if len(parts) != 3 or stem == file_name or not all(parts):
        return None
    name, version, release = parts
    return SourcePackage(name=name, version=evr(epoch, f"{version}-{release}"))


def files_of(header: Header) -> tuple[str, ...]:
    """The paths of the package's files that may matter (`catalog/relevance.py`), without leading slash.

    Raises:
        CatalogError: The list is damaged.
    """
    if BASE_NAMES not in header.entries:
        return _old_files_of(header)
    names = header.texts(BASE_NAMES)
    places = relevant_places(names)
    if not places:
        return ()
    indexes, modes, folders = header.numbers(DIR_INDEXES), header.numbers(FILE_MODES), header.texts(DIR_NAMES)
    if len(indexes) != len(names) or (modes and len(modes) != len(names)):
        raise CatalogError("rpm header: there are not as many folders or modes as file names")
    paths = []
    for place in places:
        if modes and modes[place] & 0o170000 != 0o100000:  # not a regular file
            continue
        if indexes[place] >= len(folders):
            raise CatalogError("rpm header: a file lies in a folder that isn't listed")
        path = folders[indexes[place]] + names[place]
        paths.append(path.removeprefix(b"/").decode("utf-8", "replace"))
    return paths_to_keep(paths)


def _old_files_of(header: Header) -> tuple[str, ...]:
    """The same from a header of rpm before 4.0, which lists whole paths."""
    paths = header.texts(OLD_FILE_NAMES)
    places = relevant_places([path.rpartition(b"/")[2] for path in paths])
    return paths_to_keep(paths[place].removeprefix(b"/").decode("utf-8", "replace") for place in places)
