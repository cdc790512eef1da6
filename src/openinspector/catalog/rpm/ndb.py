"""NDB databases (`Packages.db`): SUSE's rpm database.

Pages of slots come first (package number, first block, number of blocks; 16 bytes each, as is a block); then the
blobs, each between a head (magic, package number, time, length) and a tail (checksum, length, magic). All numbers are
little-endian.

Source: rpm's lib/backend/ndb/rpmpkg.c
"""

import struct
from collections.abc import Iterator
from typing import Final

from openinspector.errors import CatalogError

MAGIC: Final = b"RpmP"
_PAGE, _BLOCK = 4096, 16
_HEAD, _TAIL = 16, 12


def headers(data: bytes, damage: list[str]) -> Iterator[bytes]:
    """Every package header; what could not be read is told in `damage`.

    Raises:
        CatalogError: It is not such a database.
    """
    if bytes(data[:4]) != MAGIC or len(data) < 32:
        raise CatalogError("rpm NDB: not a package database")
    version, _, slot_pages = struct.unpack_from("<3I", data, 4)
    if version:
        raise CatalogError(f"rpm NDB: version {version} is not known")
    slots_end = min(slot_pages * _PAGE, len(data) // _BLOCK * _BLOCK)
    if slots_end < slot_pages * _PAGE:
        damage.append("the database is cut short")
    seen = set()
    budget = len(data)  # blobs of a sound database don't overlap
    for magic, package, first, blocks in struct.iter_unpack("<4s3I", bytes(data[32:slots_end])):
        if magic != b"Slot":
            damage.append("a slot is broken")
            continue
        if not first:
            continue
        budget -= blocks * _BLOCK
        if package in seen or budget < 0:
            damage.append("slots overlap")
            continue
        seen.add(package)
        blob = _blob(data, package, first * _BLOCK, blocks * _BLOCK)
        if blob is None:
            damage.append("a package's record is broken")
        else:
            yield blob


def _blob(data: bytes, package: int, start: int, size: int) -> bytes | None:
    """What lies between head and tail, None where these or the checksum don't fit."""
    from zlib import adler32

    end = start + size
    if size < _HEAD + _TAIL or end > len(data):
        return None
    magic, own_package, _, length = struct.unpack_from("<4s3I", data, start)
    checksum, same_length, end_magic = struct.unpack_from("<2I4s", data, end - _TAIL)
    if (magic, end_magic, own_package, same_length) != (b"BlbS", b"BlbE", package, length):
        return None
    if length > size - _HEAD - _TAIL or adler32(data[start : end - _TAIL]) != checksum:
        return None
    return bytes(data[start + _HEAD : start + _HEAD + length])
