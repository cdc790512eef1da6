"""One pass over a tar stream: every header is looked at, only wanted members are read, nothing is unpacked.

Understands ustar, GNU (long names, base-256 numbers, sparse members) and PAX (path, linkpath, size, sparse 0.0, 0.1
and 1.0).

Source: POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, appendix "Tar Internals".
"""

import posixpath
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

from openinspector.acquire.limits import Meter
from openinspector.acquire.stream import Buffer, Mapped, Source
from openinspector.catalog.contract import Format
from openinspector.catalog.harvest import Harvester
from openinspector.catalog.selector import Selector
from openinspector.errors import AcquireError
from openinspector.model.problem import Problem

_BLOCK = 512
_LARGEST_META = 1 << 20  # bytes of one PAX or GNU long-name record
_COUNT_EVERY = 4096  # headers between two looks at the meter
_REGULAR = (0x30, 0x00, 0x37)  # '0', NUL of old archives, '7' contiguous
_HARD_LINK, _SYMBOLIC_LINK, _SPARSE = 0x31, 0x32, 0x53  # '1', '2', 'S'
_EMPTY = bytes(_BLOCK)
_INDEXED_AT_MOST = 200_000
_OPAQUE = b".wh..wh..opq"


class Cursor:
    """A place in a source: bytes can be taken or skipped, in order."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._piece: Buffer = b""
        self._at = 0

    def take(self, size: int) -> Buffer:
        """The next `size` bytes; fewer only at the end of the stream."""
        end = self._at + size
        if end <= len(self._piece):
            data = self._piece[self._at : end]
            self._at = end
            return data
        parts = bytearray(self._piece[self._at :])
        self._piece, self._at = b"", 0
        while len(parts) < size:
            piece = self._source.piece()
            if not piece:
                break
            missing = size - len(parts)
            parts += piece[:missing]
            if len(piece) > missing:
                self._piece, self._at = piece, missing
        return memoryview(parts)  # not a copy: a program may have hundreds of megabytes

    @property
    def offset(self) -> int:
        """Where in the current piece it stands: in a memory map, the offset in the file."""
        return self._at

    def peek(self, size: int) -> Buffer:
        """The next `size` bytes, left in place."""
        if self._at + size > len(self._piece):
            rest = bytes(self.take(size))
            self._piece, self._at = rest + bytes(self._piece[self._at :]) if len(self._piece) > self._at else rest, 0
        return self._piece[self._at : self._at + size]

    def skip(self, size: int) -> bool:
        """Move on; False when the stream ends before."""
        self._at += size
        while self._at > len(self._piece):
            self._at -= len(self._piece)
            self._piece = self._source.piece()
            if not self._piece:
                self._at = 0
                return False
        return True


class Entry(NamedTuple):
    """One member of an archive.

    `name` is relative to the root (b"" where it climbs out of it), `kind` the type flag, `size` that of the data that
    follow.
    `link` is the target of a link; `sparse` the map of a sparse member, as `_fill` takes it.
    """

    name: bytes
    kind: int
    size: int
    link: bytes
    sparse: bytes
    said: bytes  # the name as written


def entries(cursor: Cursor) -> Iterator[Entry]:
    """The members of a tar stream; whoever asks takes or skips each one's data, padded to blocks, before the next.

    Raises:
        AcquireError: The stream is broken or truncated.
    """
    extra: dict[bytes, bytes] = {}
    while True:
        header = bytes(cursor.take(_BLOCK))
        if len(header) < _BLOCK or header == _EMPTY:
            if header and len(header) < _BLOCK:
                raise AcquireError("the archive ends in the middle of a header")
            return
        size = _number(header[124:136])
        kind = header[156]
        if header[257:262] != b"ustar":
            _check_sum(header)
        if kind in b"xgLK":
            _read_extended(cursor, kind, size, extra)
            continue
        name = header[:100].split(b"\0", 1)[0]
        if header[345] and header[257:263] == b"ustar\0":
            name = header[345:500].split(b"\0", 1)[0] + b"/" + name
        link = header[157:257].split(b"\0", 1)[0] if kind in b"12" else b""
        sparse = _gnu_sparse(header, cursor) if kind == _SPARSE else b""
        if extra:
            name = extra.get(b"GNU.sparse.name") or extra.get(b"path", name)
            link = extra.get(b"linkpath", link)
            if b"size" in extra:
                size = _decimal(extra[b"size"])
            sparse = _pax_sparse(extra) or sparse
            extra.clear()
        said = name
        if name[:2] == b"./":
            name = name[2:]
        if b"//" in name or b".." in name or name[:1] == b"/" or b"/./" in name:
            name = _clean(name)
        # Links, devices and pipes have no data, whatever their size field says.
        yield Entry(name, kind, 0 if kind in b"12346" else size, link, sparse, said)


def index(view: memoryview) -> dict[str, tuple[int, int]]:
    """Where the regular members of an archive in memory lie: {name: (offset, size)}.

    A link stands for what it links to.
    """
    cursor = Cursor(Mapped(view))
    found: dict[str, tuple[int, int]] = {}
    links: dict[str, str] = {}
    for entry in entries(cursor):
        name = entry.name.decode("utf-8", "replace")
        if entry.kind in _REGULAR and entry.name:
            found[name] = (cursor.offset, entry.size)
        elif entry.kind in b"12" and entry.name:
            # Old docker archives repeat a layer as a link to the first copy's file.
            base = b"" if entry.kind == _HARD_LINK else entry.name.rpartition(b"/")[0] + b"/"
            links[name] = _clean(base + entry.link).decode("utf-8", "replace")
        _skip(cursor, entry.size)
        if len(found) > _INDEXED_AT_MOST:
            raise AcquireError(f"more than {_INDEXED_AT_MOST:,} members: this is no image archive")
    for name, target in links.items():
        if target in found:
            found.setdefault(name, found[target])
    return found


def read_tar(
    source: Source,
    selector: Selector,
    harvester: Harvester,
    meter: Meter,
    also: frozenset[bytes] = frozenset(),
) -> None:
    """Hand the wanted members of a tar stream to a harvester; `also` names members to bring whoever wants them.

    Raises:
        AcquireError: The stream is broken or truncated; what was read until there stays harvested.
        LimitError: It costs too much.
    """
    cursor = Cursor(source)
    harvest = harvester.harvest
    covers = harvest.covers
    select, may_be_executable, above = selector.select, selector.may_be_executable, selector.is_above_landmark
    keep_names = harvester.keep_names
    hard_links: list[tuple[bytes, bytes]] = []
    counted = 0
    for name, kind, size, link, sparse, said in entries(cursor):
        counted += 1
        if counted == _COUNT_EVERY:
            meter.entries(counted)
            harvest.entries += counted
            counted = 0
        if not name:
            if said.strip(b"./"):
                text = said[:200].decode("utf-8", "replace")
                harvester.problem(Problem(path=text, reason="its name climbs out of the archive's root", partial=True))
            _skip(cursor, size)
        elif kind in _REGULAR or kind == _SPARSE:
            base = name[name.rfind(b"/") + 1 :]
            if base[:4] == b".wh.":
                _whiteout(name, base, harvester)
                _skip(cursor, size)
                continue
            formats = select(name)
            if not formats and may_be_executable(name, size):
                covers.append(_text(name))
                formats = selector.by_magic(bytes(cursor.peek(8)), size)
            elif formats:
                covers.append(_text(name))
            if formats or base in keep_names or name in also:
                _take(cursor, name, size, sparse, formats, harvester, also)
            else:
                _skip(cursor, size)
        elif kind == _SYMBOLIC_LINK:
            covers.append(_text(name))
            if above(name):
                harvest.links[_text(name)] = _text(link)
        elif kind == _HARD_LINK:
            if select(name) or name in also:
                hard_links.append((name, _clean(link)))
        else:
            _skip(cursor, size)
    meter.entries(counted)
    harvest.entries += counted
    for name, target in hard_links:
        if target:
            harvester.hard_link(_text(name), _text(target))


def _take(
    cursor: Cursor,
    name: bytes,
    size: int,
    sparse: bytes,
    formats: Sequence[Format],
    harvester: Harvester,
    also: frozenset[bytes],
) -> None:
    path = _text(name)
    largest = max((each.wants.max_size for each in formats), default=_LARGEST_META)
    if size > largest:
        for each in formats:
            harvester.too_large(path, each, size)
        _skip(cursor, size)
        return
    data = cast(bytes, cursor.take(size))  # or a slice of a memory map, which readers take as well
    if len(data) < size or not cursor.skip(-size % _BLOCK):
        raise AcquireError(f"the archive ends in the middle of {path}")
    if sparse:
        data = _fill(bytes(data), sparse, largest)
    if name.rpartition(b"/")[2] in harvester.keep_names:
        harvester.keep(path, data)
    if name in also:
        harvester.special[path] = bytes(data)
    if formats:
        harvester.take(path, formats, data)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _skip(cursor: Cursor, size: int) -> None:
    """Move over a member's data and the padding behind it."""
    if size and not cursor.skip(size + -size % _BLOCK):
        raise AcquireError("the archive ends in the middle of a member")


def _number(field: bytes) -> int:
    """A size: octal digits, or base 256 where the first bit is set."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big") & ((1 << 95) - 1)
        if field[0] & 0x40 or value >= 1 << 62:
            raise AcquireError("a member's size is not a size")
        return value
    digits = field.strip(b" \0")
    try:
        return int(digits, 8) if digits else 0
    except ValueError:
        raise AcquireError("this is not a tar header: the size is not a number") from None


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 18:
        raise AcquireError("an extended header's number is not a number")
    return int(text)


def _check_sum(header: bytes) -> None:
    said = _number(header[148:156])
    if said != sum(header) - sum(header[148:156]) + 8 * 32:
        raise AcquireError("this is not a tar header: its check sum is wrong")


def _clean(name: bytes) -> bytes:
    """A name relative to the root; b"" for one that climbs out of it."""
    depth = 0
    for part in name.split(b"/"):
        if part == b"..":
            depth -= 1
            if depth < 0:
                return b""
        elif part not in (b"", b"."):
            depth += 1
    return posixpath.normpath(b"/" + name).lstrip(b"/")


def _whiteout(name: bytes, base: bytes, harvester: Harvester) -> None:
    folder = _text(name[: len(name) - len(base)]).rstrip("/")
    if base == _OPAQUE:
        harvester.harvest.emptied.append(folder)
    elif not base.startswith(b".wh..wh."):  # aufs keeps its own books under that prefix
        gone = _text(base[4:])
        harvester.harvest.removed.append(f"{folder}/{gone}" if folder else gone)


def _read_extended(cursor: Cursor, kind: int, size: int, extra: dict[bytes, bytes]) -> None:
    """A header that speaks of the next member."""
    if size > _LARGEST_META:
        raise AcquireError(f"a member's extended header has {size:,} bytes")
    data = bytes(cursor.take(size))
    if len(data) < size or not cursor.skip(-size % _BLOCK):
        raise AcquireError("the archive ends in the middle of an extended header")
    if kind == 0x78:  # x: PAX; g, the global one, says nothing that we use
        _read_pax(data, extra)
    elif kind == 0x4C:  # L: GNU long name
        extra[b"path"] = data.rstrip(b"\0")
    elif kind == 0x4B:  # K: GNU long link
        extra[b"linkpath"] = data.rstrip(b"\0")


def _read_pax(data: bytes, extra: dict[bytes, bytes]) -> None:
    """Records of `<length> <key>=<value>` and a line end."""
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + 20)
        if space < 0:
            if data[at:].strip(b"\0"):
                raise AcquireError("an extended header is broken")
            return
        length = _decimal(data[at:space])
        record = data[space + 1 : at + length - 1]
        key, equals, value = record.partition(b"=")
        if length <= space - at or not equals:
            raise AcquireError("an extended header is broken")
        if key in (b"GNU.sparse.offset", b"GNU.sparse.numbytes"):  # 0.0 repeats them in pairs
            extra[b"pairs"] = extra.get(b"pairs", b"") + value + b","
        elif value:
            extra[key] = value
        at += length


def _pax_sparse(extra: dict[bytes, bytes]) -> bytes:
    """`offset,length,…;realsize` of a sparse member, `1.0` for a map at the head of its data, or b""."""
    real = extra.get(b"GNU.sparse.realsize") or extra.get(b"GNU.sparse.size")
    if real is None:
        return b""
    if extra.get(b"GNU.sparse.major") == b"1":
        return b"1.0;" + real
    numbers = extra.get(b"GNU.sparse.map") or extra.get(b"pairs", b"").rstrip(b",")
    return numbers + b";" + real


def _gnu_sparse(header: bytes, cursor: Cursor) -> bytes:
    """The map of an old GNU sparse member: four entries in the header, 21 in each block that follows."""
    numbers = _sparse_entries(header[386:482])
    more = header[482]
    while more:
        block = bytes(cursor.take(_BLOCK))
        if len(block) < _BLOCK or len(numbers) > 200_000:
            raise AcquireError("a sparse member's map is broken")
        numbers += _sparse_entries(block[:504])
        more = block[504]
    return b",".join(b"%d" % number for number in numbers) + b";%d" % _number(header[483:495])


def _sparse_entries(table: bytes) -> list[int]:
    numbers: list[int] = []
    for at in range(0, len(table) - 23, 24):
        if not table[at]:
            break
        numbers += (_number(table[at : at + 12]), _number(table[at + 12 : at + 24]))
    return numbers


def _fill(data: bytes, sparse: bytes, largest: int) -> bytes:
    """The content of a sparse member with its holes."""
    listed, _, real_text = sparse.rpartition(b";")
    real = _decimal(real_text)
    if real > largest:
        raise AcquireError(f"a sparse member would have {real:,} bytes")
    if listed == b"1.0":
        lines = data[: min(len(data), 1 << 20)].split(b"\n", 1)
        count = _decimal(lines[0])
        fields = data[: 1 << 20].split(b"\n", 2 * count + 1)
        if len(fields) < 2 * count + 1 or count > 50_000:
            raise AcquireError("a sparse member's map is broken")
        numbers = [_decimal(each) for each in fields[1 : 2 * count + 1]]
        used = sum(len(each) + 1 for each in fields[: 2 * count + 1])
        data = data[used + -used % _BLOCK :]
    else:
        numbers = [_decimal(each) for each in listed.split(b",") if each]
    whole = bytearray(real)
    at = 0
    for offset, length in zip(numbers[::2], numbers[1::2], strict=False):
        if offset + length > real or at + length > len(data):
            raise AcquireError("a sparse member's map is broken")
        whole[offset : offset + length] = data[at : at + length]
        at += length
    return bytes(whole)
