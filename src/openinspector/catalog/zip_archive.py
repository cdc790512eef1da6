"""The directory of a zip archive, read without the rest of it.

A Java archive tells us what it is in a handful of small members, but may have ten thousand others. So the central
directory is searched as one piece of bytes for the names we want; only where it mentions a nested archive is it
walked entry by entry. Members are inflated one at a time, within a budget that an archive shares with all archives
inside it. (Python's `zipfile` makes an object of every entry first: a directory of 200 MB takes gigabytes.)

Source: APPNOTE.TXT 6.3.10 (the .ZIP File Format Specification), sections 4.3.7, 4.3.12, 4.3.14-16, 4.5.3.
"""

import re
from bisect import bisect
from collections.abc import Iterator
from itertools import islice
from struct import Struct as Layout
from struct import error as LayoutError

from msgspec import Struct

from openinspector.catalog.contract import MEGABYTE, View
from openinspector.errors import CatalogError

MEMBER_BYTES = 512 * MEGABYTE  # of one packed member
TOTAL_BYTES = 1024 * MEGABYTE  # inflated out of one file, over all depths
DIRECTORY_BYTES = 64 * MEGABYTE  # of all central directories of one file
RATIO = 200  # more than this, above a megabyte, is a bomb: archives inside archives hardly shrink
DEPTH = 5
ARCHIVES = 20_000  # in one file, over all depths
MEMBERS = 50_000  # manifests and descriptors of one file, over all depths

NESTED_SUFFIXES = (
    b".jar", b".war", b".ear", b".par", b".sar", b".nar", b".kar", b".rar", b".hpi", b".jpi", b".lpkg",
)  # fmt: skip

_METADATA = re.compile(
    rb"PK\x01\x02(?s:.{42})(?i:META-INF/(?:MANIFEST\.MF|maven/[^/\x00]{1,200}/[^/\x00]{1,200}/pom\.(?:properties|xml)))"
)
_NESTED = re.compile(rb"\.(?i:" + b"|".join(suffix[1:] for suffix in NESTED_SUFFIXES) + rb")")
_CODE = re.compile(rb"\.(?:class|clj|groovy|scala)")

_END = Layout("<4s4H2IH")  # signature, two disks, entries here, entries, size, offset, comment length
_END64 = Layout("<4sQ2H2I4Q")
# Signature, flags, method, crc, packed, size, lengths of name, extra and comment, Unix mode, offset.
_ENTRY = Layout("<4s2x2x2H4x3I3H6xHI")
_LOCAL = Layout("<4s22x2H")
_ENTRY_SIZE = 46
_LOCAL_SIZE = 30
_MAX32 = 0xFFFFFFFF
NAME_BYTES = 4096  # of a member, that are kept


class Member(Struct, frozen=True, kw_only=True):
    """One entry of the directory; `start` is where its local header lies, `mode` the Unix one (0: not told)."""

    name: str
    start: int
    packed: int
    size: int
    crc: int
    method: int
    flags: int
    mode: int


class Budget:
    """How much may still be inflated, walked and opened for one file."""

    def __init__(self) -> None:
        self.bytes = TOTAL_BYTES
        self.directory = DIRECTORY_BYTES
        self.archives = ARCHIVES
        self.members = MEMBERS

    def exhausted(self) -> bool:
        """Whether nothing further can be opened."""
        return min(self.bytes, self.directory, self.archives, self.members) < 0

    def spend(self, size: int) -> None:
        """Take `size` inflated bytes off.

        Raises:
            CatalogError: Too little is left.
        """
        self.bytes -= size
        if self.bytes < 0:
            raise CatalogError(f"it holds more than {TOTAL_BYTES // MEGABYTE} MB")


class Archive:
    """A zip archive in memory: its directory, and members on demand."""

    def __init__(self, data: View, budget: Budget) -> None:
        """Find the directory.

        Raises:
            CatalogError: There is none, or it lies about itself.
        """
        start, end, self._shift = _locate(data)
        budget.directory -= end - start
        if budget.directory < 0:
            raise CatalogError(f"its directories take more than {DIRECTORY_BYTES // MEGABYTE} MB")
        self._data = data
        self._budget = budget
        self._directory = bytes(data[start:end])
        self._taken: list[tuple[int, int]] = []
        if self._directory and not self._directory.startswith(b"PK\x01\x02"):
            raise CatalogError("its central directory does not start with an entry")

    def members(self) -> Iterator[Member]:
        """Every entry.

        Raises:
            CatalogError: The directory can't be walked to its end.
        """
        for offset, _ in self._entries():
            member = self._member(offset)
            if member is None:
                raise CatalogError("its central directory breaks off")
            yield member

    def metadata(self) -> list[Member]:
        """The manifest and the Maven descriptors."""
        found: list[Member] = []
        for match in _METADATA.finditer(self._directory):
            member = self._member(match.start())
            # The name may go on behind the match (`META-INF/MANIFEST.MF.bak`): then it is another file.
            if member is not None and len(member.name.encode()) == match.end() - match.start() - _ENTRY_SIZE:
                found.append(member)
                self._budget.members -= 1
                if self._budget.members < 0:
                    break
        return found

    def nested(self) -> list[Member]:
        """The archives inside.

        Raises:
            CatalogError: The directory can't be walked to its end.
        """
        if _NESTED.search(self._directory) is None:
            return []
        found = (
            member
            for offset, name in self._entries()
            if name.lower().endswith(NESTED_SUFFIXES) and (member := self._member(offset)) is not None
        )
        return list(islice(found, ARCHIVES + 1))  # one more than can be opened

    def has_code(self) -> bool:
        """Whether there are compiled classes or scripts, rather than only resources and other archives."""
        return _CODE.search(self._directory) is not None

    def read(self, member: Member, limit: int = MEGABYTE) -> bytes:
        """A small member, cut at `limit` bytes.

        Raises:
            CatalogError: It is broken, encrypted, or packed in a way that Java does not know.
        """
        packed = self._packed(member)
        if member.method == 0:
            data = bytes(packed[:limit])
        else:
            # More input than this can't be needed for so little output, and the rest would be copied.
            data = _inflate(packed[: 2 * limit + 4096], limit)
        if len(data) < limit:
            _check(member, data)
        self._budget.spend(len(data))
        return data

    def whole(self, member: Member) -> bytes | memoryview:
        """A member of any size; one that is only stored is not copied.

        Raises:
            CatalogError: As for `read`; or it is too large, or overlaps with another that was read.
        """
        data = _in_memory(self._whole(member))
        _check(member, data)
        return data

    def open(self, member: Member) -> "Archive":
        """A nested archive. One that is only stored is not copied.

        Raises:
            CatalogError: It is broken or too large, overlaps with another, or is no archive.
        """
        self._budget.archives -= 1
        if self._budget.archives < 0:
            raise CatalogError(f"there are more than {ARCHIVES} nested archives")
        if member.method and MEGABYTE < member.size <= MEMBER_BYTES and member.size > RATIO * member.packed:
            raise CatalogError(f"it is packed to less than 1/{RATIO} of its size, like a zip bomb")
        return Archive(self._whole(member), self._budget)

    def _whole(self, member: Member) -> View:
        packed = self._packed(member)
        first = self._offset(member)
        taken = (first, first + len(packed))
        at = bisect(self._taken, taken)
        if (at > 0 and self._taken[at - 1][1] > taken[0]) or (at < len(self._taken) and self._taken[at][0] < taken[1]):
            raise CatalogError("it overlaps with another entry of the archive")
        self._taken.insert(at, taken)
        if member.method == 0:
            return packed
        if member.size > MEMBER_BYTES:
            raise CatalogError(f"it is larger than {MEMBER_BYTES // MEGABYTE} MB")
        self._budget.spend(member.size)
        data = _inflate(packed, member.size + 1)
        if len(data) != member.size:
            raise CatalogError("its size is not what the directory says")
        return memoryview(data)

    def _entries(self) -> Iterator[tuple[int, bytes]]:
        """Offset and name of each entry of the directory."""
        directory = self._directory
        lengths = Layout("<3H").unpack_from
        offset, end = 0, len(directory)
        while offset + _ENTRY_SIZE <= end:
            if directory[offset : offset + 4] != b"PK\x01\x02":
                raise CatalogError("its central directory breaks off")
            name, extra, comment = lengths(directory, offset + 28)
            yield offset, directory[offset + _ENTRY_SIZE : offset + _ENTRY_SIZE + name]
            offset += _ENTRY_SIZE + name + extra + comment

    def _member(self, offset: int) -> Member | None:
        """The entry at an offset of the directory; None where it reaches beyond the end."""
        directory = self._directory
        fields = _ENTRY.unpack_from(directory, offset)
        _, flags, method, crc, packed, size, name_size, extra_size, _, mode, start = fields
        name_end = offset + _ENTRY_SIZE + name_size
        if name_end + extra_size > len(directory):
            return None
        if _MAX32 in (packed, size, start):
            extra = directory[name_end : name_end + extra_size]
            size, packed, start = _zip64(extra, size, packed, start)
        return Member(
            name=directory[offset + _ENTRY_SIZE : name_end][:NAME_BYTES].decode("utf-8", "replace"),
            start=start + self._shift,
            packed=packed,
            size=size,
            crc=crc,
            method=method,
            flags=flags,
            mode=mode,
        )

    def _offset(self, member: Member) -> int:
        """Where a member's packed bytes begin."""
        try:
            signature, name, extra = _LOCAL.unpack(bytes(self._data[member.start : member.start + _LOCAL.size]))
        except (LayoutError, OverflowError):
            signature, name, extra = b"", 0, 0
        if signature != b"PK\x03\x04":
            raise CatalogError(f"there is no entry where the directory says ({_short(member.name)})")
        return int(member.start + _LOCAL_SIZE + name + extra)

    def _packed(self, member: Member) -> View:
        """A member's bytes as they lie in the archive."""
        if member.flags & 1:
            raise CatalogError(f"it is encrypted ({_short(member.name)})")
        if member.method not in (0, 8):
            raise CatalogError(f"compression method {member.method} is not known ({_short(member.name)})")
        start = self._offset(member)
        if start + member.packed > len(self._data):
            raise CatalogError(f"an entry reaches beyond the end ({_short(member.name)})")
        return self._data[start : start + member.packed]


def _locate(data: View) -> tuple[int, int, int]:
    """Start and end of the central directory, and how many bytes were put before the archive."""
    size = len(data)
    position = size - _END.size
    if position < 0:
        raise CatalogError("it is too short for an archive")
    if bytes(data[position : position + 4]) != b"PK\x05\x06":
        first = max(0, size - _END.size - 0xFFFF)
        found = bytes(data[first : position + 3]).rfind(b"PK\x05\x06")
        if found < 0:
            raise CatalogError("it has no end of a central directory: cut off, or no archive at all")
        position = first + found
    _, disk, directory_disk, _, entries, length, offset, _ = _END.unpack(bytes(data[position : position + _END.size]))
    if disk not in (0, 0xFFFF) or directory_disk not in (0, 0xFFFF):
        raise CatalogError("it is one part of several")
    end = position
    if _MAX32 in (length, offset) or entries == 0xFFFF:
        locator = position - 20
        if locator >= _END64.size and bytes(data[locator : locator + 4]) == b"PK\x06\x07":
            end = bytes(data[max(0, locator - 4096) : locator]).rfind(b"PK\x06\x06") + max(0, locator - 4096)
            if bytes(data[end : end + 4]) != b"PK\x06\x06" or end + _END64.size > locator:
                raise CatalogError("its zip64 directory can't be found")
            length, offset = _END64.unpack(bytes(data[end : end + _END64.size]))[8:10]
    start = end - length
    shift = start - offset
    if start < 0 or shift < 0:
        raise CatalogError("its central directory does not lie where it says")
    return start, end, shift


def _zip64(extra: bytes, size: int, packed: int, start: int) -> tuple[int, int, int]:
    """The 64-bit values of those fields that are too large for 32 bits."""
    offset = 0
    while offset + 4 <= len(extra):
        kind, length = Layout("<2H").unpack_from(extra, offset)
        if kind == 1:
            values = iter(
                int.from_bytes(extra[at : at + 8], "little")
                for at in range(offset + 4, min(offset + 4 + length, len(extra)) - 7, 8)
            )
            return (
                next(values, size) if size == _MAX32 else size,
                next(values, packed) if packed == _MAX32 else packed,
                next(values, start) if start == _MAX32 else start,
            )
        offset += 4 + length
    return size, packed, start


def _inflate(packed: View, limit: int) -> bytes:
    """At most `limit` bytes of a raw deflate stream."""
    from isal import isal_zlib

    try:
        return bytes(isal_zlib.decompressobj(-15).decompress(_in_memory(packed), limit))
    except isal_zlib.error as error:  # type: ignore[misc]  # its stub calls the class an instance
        raise CatalogError(f"an entry can't be inflated: {error}") from error


def _in_memory(view: View) -> bytes | memoryview:
    return view if isinstance(view, memoryview) else bytes(view)


def _check(member: Member, data: bytes | memoryview) -> None:
    """Raise where a whole member is not what its checksum promises."""
    from zlib import crc32

    if len(data) != member.size or crc32(data) != member.crc:
        raise CatalogError(f"an entry is damaged: its checksum differs ({_short(member.name)})")


def _short(name: str) -> str:
    return name if len(name) <= 100 else f"{name[:100]}…"
