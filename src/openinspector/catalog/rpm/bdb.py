"""Berkeley DB hash databases (`Packages`), the rpm database until about 2020.

The file is pages of equal size; page 0 describes the rest. A hash page lists offsets of keys and values in turn; a
value that doesn't fit lies on a chain of overflow pages. We look at every page instead of following the buckets: what
one broken page says about others can't lead us astray, and a deleted record's pages are no longer hash pages.

Source: Berkeley DB's dbinc/db_page.h; rpm's lib/backend/bdb_ro.c reads the same subset.
"""

import struct
from collections.abc import Iterator
from typing import Final

from openinspector.errors import CatalogError

MAGICS: Final = {b"\x61\x15\x06\x00": "<", b"\x00\x06\x15\x61": ">"}  # at offset 12, in the byte order of the machine
_PAGE_HEADER = 26
_HASH_UNSORTED, _HASH, _OVERFLOW = 2, 13, 7  # page types
_ON_PAGE, _OFF_PAGE = 1, 3  # item types


def headers(data: bytes, damage: list[str]) -> Iterator[bytes]:
    """Every package header; what could not be read is told in `damage`.

    No overflow page is read twice, so all headers together are no longer than the file.

    Raises:
        CatalogError: It is not such a database, or an encrypted one.
    """
    order = MAGICS.get(bytes(data[12:16]))
    if order is None or len(data) < 512:
        raise CatalogError("rpm Berkeley DB: not a hash database")
    version, page_size = struct.unpack_from(order + "2I", data, 16)
    (last,) = struct.unpack_from(order + "I", data, 32)
    if not 8 <= version <= 10 or data[24]:
        raise CatalogError(f"rpm Berkeley DB: version {version} or its encryption is not known")
    if page_size not in (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536):
        raise CatalogError(f"rpm Berkeley DB: a page can't have {page_size} bytes")
    pages = len(data) // page_size
    if last >= pages:
        damage.append("the database is cut short")
    last = min(last, pages - 1)
    kinds = bytes(data[25 : (last + 1) * page_size : page_size])
    read = bytearray(last + 1)
    for number in range(1, last + 1):
        if kinds[number] in (_HASH, _HASH_UNSORTED):
            page = bytes(data[number * page_size : (number + 1) * page_size])
            for item in _values(page, number, order, damage):
                value = _whole(item, data, page_size, order, read)
                if value is None:
                    damage.append("a chain of overflow pages is broken")
                else:
                    yield value


def _values(page: bytes, number: int, order: str, damage: list[str]) -> Iterator[bytes]:
    """The values on a hash page as they lie there, without that of key 0, which counts the packages."""
    (own_number,) = struct.unpack_from(order + "I", page, 8)
    (entries,) = struct.unpack_from(order + "H", page, 20)
    if own_number != number or entries % 2 or _PAGE_HEADER + 2 * entries > len(page):
        damage.append("a hash page is broken")
        return
    offsets = struct.unpack_from(f"{order}{entries}H", page, _PAGE_HEADER)
    end = len(page)
    for key_at, value_at in zip(offsets[::2], offsets[1::2], strict=True):
        if not _PAGE_HEADER + 2 * entries <= value_at < key_at < end:
            damage.append("a hash page is broken")
            return
        if page[key_at + 1 : end].strip(b"\0"):
            yield page[value_at:key_at]
        end = value_at


def _whole(item: bytes, data: bytes, page_size: int, order: str, read: bytearray) -> bytes | None:
    """The value of an item, gathered from its overflow pages; None where the chain is broken."""
    if item[0] == _ON_PAGE:
        return item[1:]
    if item[0] != _OFF_PAGE or len(item) != 12:
        return None
    number, missing = struct.unpack_from(order + "2I", item, 4)
    parts = []
    while missing:
        if not 0 < number < len(read) or read[number]:
            return None
        read[number] = 1
        start = number * page_size
        own_number, _, following = struct.unpack_from(order + "3I", data, start + 8)
        (size,) = struct.unpack_from(order + "H", data, start + 22)
        if data[start + 25] != _OVERFLOW or own_number != number:
            return None
        if not 0 < size <= min(missing, page_size - _PAGE_HEADER):
            return None
        parts.append(bytes(data[start + _PAGE_HEADER : start + _PAGE_HEADER + size]))
        missing -= size
        number = following
    return b"".join(parts)
