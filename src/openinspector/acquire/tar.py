"""One pass over a tar stream: every header is looked at, only wanted members are read, nothing is unpacked.

Understands ustar, GNU (long names, base-256 numbers, sparse members) and PAX (path, linkpath, size, sparse 0.0, 0.1
and 1.0).

Source: POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, appendix "Tar Internals".
"""

import posixpath
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

from openinspector.acquire.cursor import Cursor, FileCursor
from openinspector.acquire.limits import Meter
from openinspector.acquire.stream import Buffer, Stretch
from openinspector.catalog.contract import Format
from openinspector.catalog.harvest import Harvester
from openinspector.catalog.selector import Selector
from openinspector.errors import AcquireError
from openinspector.model.problem import Problem

_BLOCK = 512
_LARGEST_META = 1 << 20  # bytes of one PAX or GNU long-name record
_LARGEST_BROUGHT = 256 << 20  # bytes of a member that is asked for by its path
_LARGEST_SPARSE = 256 << 20  # bytes of a sparse member with its holes
_SPARSE_PARTS = 50_000
_COUNT_EVERY = 4096  # headers between two looks at the meter
_REGULAR = (0x30, 0x00, 0x37)  # '0', NUL of old archives, '7' contiguous
_HARD_LINK, _SYMBOLIC_LINK, _SPARSE = 0x31, 0x32, 0x53  # '1', '2', 'S'
_EMPTY = bytes(_BLOCK)
_INDEXED_AT_MOST = 200_000
_OPAQUE = b".wh..wh..opq"
_LONGEST_NAME = 4096


class Entry(NamedTuple):
    """One member of an archive.

    `name` is relative to the root (b"" where it climbs out of it), `kind` the type flag, `size` that of the data that
    follow.
    `link` is the target of a link; `sparse` the map of a sparse member, as `_sparse_map` takes it.
    """

    name: bytes
    kind: int
    size: int
    link: bytes
    sparse: bytes
    said: bytes  # the name as written


def entries(cursor: Cursor, longest: int = _LONGEST_NAME) -> Iterator[Entry]:
    """The members of a tar stream; whoever asks takes or skips each one's data, padded to blocks, before the next.

    A name of more than `longest` bytes is given as b"", as one that climbs out of the root is.

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
        if len(name) > longest:
            name = b""
        elif b"//" in name or b".." in name or name[:1] == b"/" or b"/./" in name:
            name = _clean(name)
        # Links, devices and pipes have no data, whatever their size field says.
        yield Entry(name, kind, 0 if kind in b"12346" else size, link, sparse, said)


def index(archive: Stretch) -> dict[str, Stretch]:
    """Where the regular members of an archive lie, by their names.

    A link stands for what it links to.

    Raises:
        AcquireError: It is broken, truncated, or has too many members.
    """
    cursor = FileCursor(archive)
    found: dict[str, Stretch] = {}
    links: dict[str, str] = {}
    for entry in entries(cursor):
        name = entry.name.decode("utf-8", "replace")
        if entry.kind in _REGULAR and entry.name:
            found[name] = archive[cursor.offset : cursor.offset + entry.size]
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
    cursor: Cursor,
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
    harvest = harvester.harvest
    covers = harvest.covers
    select, may_be_executable, above = selector.select, selector.may_be_executable, selector.is_above_landmark
    keep_names = harvester.keep_names
    hard_links: list[tuple[bytes, bytes]] = []
    counted = 0
    longest = meter.limits.path
    for name, kind, size, link, sparse, said in entries(cursor, longest):
        counted += 1
        if counted == _COUNT_EVERY:
            meter.entries(counted)
            harvest.entries += counted
            counted = 0
        if not name:
            if said.strip(b"./"):
                harvester.problem(_nameless(said, longest))
            _skip(cursor, size)
        elif kind in _REGULAR or kind == _SPARSE:
            base = name[name.rfind(b"/") + 1 :]
            if base[:4] == b".wh.":
                _whiteout(name, base, harvester)
                _skip(cursor, size)
                continue
            if sparse:
                _take_sparse(cursor, name, size, sparse, selector, harvester, also)
                continue
            formats = select(name)
            if not formats and may_be_executable(name, size):
                covers.append(_text(name))
                formats = selector.by_magic(name, bytes(cursor.peek(8)), size)
            elif formats:
                covers.append(_text(name))
            if formats or base in keep_names or name in also:
                _take(cursor, name, size, formats, harvester, also)
            else:
                _skip(cursor, size)
        elif kind == _SYMBOLIC_LINK:
            covers.append(_text(name))
            if above(name):
                harvest.links[_text(name)] = _text(link)
        elif kind == _HARD_LINK:
            if select(name) or name in also:
                hard_links.append((name, _clean(link) or link[:longest]))
        else:
            _skip(cursor, size)
    meter.entries(counted)
    harvest.entries += counted
    for name, target in hard_links:
        harvester.hard_link(_text(name), _text(target))


def _take(
    cursor: Cursor,
    name: bytes,
    size: int,
    formats: Sequence[Format],
    harvester: Harvester,
    also: frozenset[bytes],
) -> None:
    path = _text(name)
    brought = name in also
    largest = max((each.wants.max_size for each in formats), default=_LARGEST_BROUGHT if brought else _LARGEST_META)
    if size > largest:
        for each in formats:
            harvester.too_large(path, each, size)
        _skip(cursor, size)
        return
    piecewise = bool(formats) and not brought and all(each.wants.piecewise for each in formats)
    content = cursor.content(size, piecewise=piecewise)
    if len(content) < size or not cursor.skip(-size % _BLOCK):
        raise AcquireError(f"the archive ends in the middle of {path}")
    _give(harvester, name, content, formats, also)


def _take_sparse(
    cursor: Cursor,
    name: bytes,
    size: int,
    sparse: bytes,
    selector: Selector,
    harvester: Harvester,
    also: frozenset[bytes],
) -> None:
    """A member with holes, which cost an archive nothing: they are filled only for one that somebody wants."""
    path = _text(name)
    try:
        real = _decimal(sparse.rpartition(b";")[2])
        parts, start = _sparse_map(bytes(cursor.peek(min(size, _LARGEST_META))), sparse)
    except AcquireError as error:
        harvester.problem(Problem(path=path, reason=str(error), partial=True))
        _skip(cursor, size)
        return
    formats = selector.select(name)
    if not formats and selector.may_be_executable(name, real):
        harvester.harvest.covers.append(path)
        starts_with_data = parts[:1] and parts[0][0] == 0
        formats = selector.by_magic(name, bytes(cursor.peek(start + 8))[start:], real) if starts_with_data else ()
    elif formats:
        harvester.harvest.covers.append(path)
    if not formats and name not in also:
        _skip(cursor, size)
        return
    if max(size, real) > _LARGEST_SPARSE:
        reason = f"a sparse file of {real:,} bytes is more than the {_LARGEST_SPARSE:,} that are filled"
        harvester.problem(Problem(path=path, reason=reason, partial=True))
        _skip(cursor, size)
        return
    stored = cursor.take(size)
    if len(stored) < size or not cursor.skip(-size % _BLOCK):
        raise AcquireError(f"the archive ends in the middle of {path}")
    whole = bytearray(real)
    for offset, length in parts:
        if offset + length > real or start + length > size:
            harvester.problem(Problem(path=path, reason="a sparse member's map is broken", partial=True))
            return
        whole[offset : offset + length] = stored[start : start + length]
        start += length
    _give(harvester, name, memoryview(whole), formats, also)


def _give(
    harvester: Harvester, name: bytes, content: Buffer | Stretch, formats: Sequence[Format], also: frozenset[bytes]
) -> None:
    path = _text(name)
    data = cast(bytes, content)  # or what is like bytes, as `File` says
    if name.rpartition(b"/")[2] in harvester.keep_names:
        harvester.keep(path, data)
    if name in also:
        harvester.special[path] = bytes(data)
    if formats:
        harvester.take(path, formats, data)


def _nameless(said: bytes, longest: int) -> Problem:
    reason = "its name climbs out of the archive's root"
    if len(said) > longest:
        reason = f"its name has more than {longest:,} bytes (OPENINSPECTOR_LIMIT_PATH)"
    return Problem(path=said[:200].decode("utf-8", "replace"), reason=reason, partial=True)


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
    if digits.strip(b"01234567"):  # a sign above all
        raise AcquireError("this is not a tar header: the size is not a number")
    return int(digits, 8) if digits else 0


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
        if length <= space - at or at + length > len(data) or not equals:
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


def _sparse_map(head: bytes, sparse: bytes) -> tuple[list[tuple[int, int]], int]:
    """The parts of a sparse member that are stored, (offset, length), and where the first begins in its data."""
    listed = sparse.rpartition(b";")[0]
    start = 0
    if listed == b"1.0":  # lines at the head of the data: their count, then offsets and lengths
        count = _decimal(head.partition(b"\n")[0])
        lines = head.split(b"\n", 2 * count + 1) if count <= _SPARSE_PARTS else []
        if len(lines) < 2 * count + 2:
            raise AcquireError("a sparse member's map is broken")
        numbers = [_decimal(each) for each in lines[1 : 2 * count + 1]]
        used = len(head) - len(lines[-1])
        start = used + -used % _BLOCK
    else:
        numbers = [_decimal(each) for each in listed.split(b",") if each]
    return list(zip(numbers[::2], numbers[1::2], strict=False)), start
