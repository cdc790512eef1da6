"""Tar archives of documents, in one pass and with bounds.

`tarfile` takes the size of an extended header, or of a sparse map, at its word; here nothing is allocated on
an archive's word before it was found to be small. Read are regular files with ustar, GNU and PAX names; the rest is
passed over.

Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block".
"""

from collections.abc import Iterator
from typing import BinaryIO, Final

_BLOCK: Final = 512
_MAX_HEADER: Final = 1 << 20  # bytes of a PAX header or a GNU long name
_REGULAR: Final = (b"0", b"\0", b"7")
_SKIP_AT_ONCE: Final = 1 << 20


class TarError(ValueError):
    """An archive that breaks its own rules."""


def members(stream: BinaryIO, suffix: str, max_size: int, max_members: int) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each regular file whose name ends in `suffix`.

    Raises:
        TarError: The archive is broken or cut off, or a member exceeds its bound.
    """
    long_name = ""
    pax: dict[str, str] = {}
    for _ in range(max_members):
        header = stream.read(_BLOCK)
        if not header.strip(b"\0"):
            if len(header) < _BLOCK:
                raise TarError("no end of the archive")
            return
        _check(header)
        size = _decimal(pax["size"]) if "size" in pax else _number(header[124:136])
        kind = header[156:157]
        if kind in (b"L", b"x"):
            if size > _MAX_HEADER:
                raise TarError(f"a header of {size} bytes")
            data = _data(stream, size)
            if kind == b"L":
                long_name = _text(data)
            else:
                pax = _records(data)
            continue
        name = pax.get("path") or long_name or _name(header)
        if kind in _REGULAR and name.endswith(suffix):
            if size > max_size:
                raise TarError(f"{name[:200]} has {size} bytes")
            yield name, _data(stream, size)
        else:
            _skip(stream, size)
        long_name, pax = "", {}
    raise TarError(f"more than {max_members} members")


def _check(header: bytes) -> None:
    """The sum of a header's bytes, with spaces where it stands itself."""
    if len(header) < _BLOCK or sum(header[:148]) + 8 * 32 + sum(header[156:]) != _number(header[148:156]):
        raise TarError("a header with a wrong check sum")


def _number(field: bytes) -> int:
    """Octal digits, or base 256 where the top bit is set."""
    if field[:1] >= b"\x80":
        return int.from_bytes(bytes((field[0] & 0x7F, *field[1:])), "big")
    digits = field.strip(b" \0")
    try:
        return int(digits, 8) if digits else 0
    except ValueError as error:
        raise TarError(f"{digits[:20]!r} is no number") from error


def _decimal(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise TarError(f"{text[:20]!r} is no number")
    return int(text)


def _name(header: bytes) -> str:
    prefix = _text(header[345:500]) if header[257:262] == b"ustar" and header[263:265] == b"00" else ""
    name = _text(header[:100])
    return f"{prefix}/{name}" if prefix else name


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")


def _records(data: bytes) -> dict[str, str]:
    """`27 path=2023/cve-2023-1.json`, a line each, with its own length first."""
    found: dict[str, str] = {}
    at = 0
    while at < len(data):
        length, space, _ = data[at : at + 20].partition(b" ")
        if not (space and length.isdigit() and len(length) < int(length) <= len(data) - at):
            raise TarError("a broken extended header")
        key, _, value = data[at + len(length) + 1 : at + int(length)].rstrip(b"\n").partition(b"=")
        found[_text(key)] = _text(value)
        at += int(length)
    return found


def _data(stream: BinaryIO, size: int) -> bytes:
    padded = -(-size // _BLOCK) * _BLOCK
    data = stream.read(padded)
    if len(data) < padded:
        raise TarError("the archive is cut off")
    return data[:size]


def _skip(stream: BinaryIO, size: int) -> None:
    left = -(-size // _BLOCK) * _BLOCK
    while left:
        data = stream.read(min(left, _SKIP_AT_ONCE))
        if not data:
            raise TarError("the archive is cut off")
        left -= len(data)
