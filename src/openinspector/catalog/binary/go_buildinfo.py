"""The build information that the Go linker leaves in a program.

A blob starts with a 14-byte mark, then the size of a pointer and flags. Since Go 1.18 two strings follow 32 bytes
after the start, each with its length before it; earlier, two pointers lead to string headers somewhere in the loaded
data. The first string is the toolchain's version, the second, between two 16-byte sentinels, the modules:

    path    example.org/tool/cmd/tool
    mod     example.org/tool        v1.2.3  h1:…
    dep     golang.org/x/net        v0.17.0 h1:…
    =>      example.org/fork/net    v0.17.1 h1:…
    build   GOARCH=amd64

Source: https://pkg.go.dev/debug/buildinfo, https://pkg.go.dev/runtime/debug#BuildInfo
"""

import re
from collections.abc import Sequence
from struct import Struct as Layout

from msgspec import Struct

from openinspector.catalog.binary.segment import OUT_OF_REACH, Segment
from openinspector.catalog.contract import View
from openinspector.errors import CatalogError

MARK = b"\xff Go buildinf:"
DEVEL = "(devel)"  # what Go calls the version of a module that was built from a folder
SEARCH_BYTES = 1 << 20  # of a data segment, where no section says where the blob lies

_STRINGS_AT = 32
_BIG_ENDIAN, _INLINE = 1, 2
_VERSION_BYTES = 1 << 12
_MODULES_BYTES = 1 << 24
_LENGTH_BYTES = 10  # of a number in 7-bit groups
_SENTINEL = 16
_MODULES = 50_000


class Module(Struct, frozen=True, kw_only=True):
    """A module by path and version; what it was replaced by, if it was."""

    path: str
    version: str = ""
    replaced_by: "Module | None" = None


class BuildInfo(Struct, frozen=True, kw_only=True):
    """What a Go program says of itself; `settings` are those of the build (`GOARCH`, `-ldflags`, `vcs.revision`)."""

    go_version: str
    path: str = ""
    main: Module | None = None
    modules: tuple[Module, ...] = ()
    settings: dict[str, str] = {}
    unread: int = 0  # lines that make no sense


def find(blob: View) -> int:
    """Where the mark lies in (the start of) a section or segment, -1 if it does not; it is aligned to 16 bytes."""
    start = bytes(blob[:SEARCH_BYTES])
    at = start.find(MARK)
    while at > 0 and at % 16:
        at = start.find(MARK, at + 1)
    return at


def parse(blob: View, data: View, segments: Sequence[Segment]) -> BuildInfo:
    """The build information in a section or segment; `data` and `segments` are the whole file and its loaded parts.

    Raises:
        CatalogError: It has no mark, is cut off or points outside the file.
    """
    at = find(blob)
    if at < 0:
        raise CatalogError("its Go build information does not start with the mark")
    blob = blob[at:]
    head = bytes(blob[:_STRINGS_AT])
    try:
        pointer_size, flags = head[14], head[15]
        if flags & _INLINE:
            version, rest = _inline(blob, _STRINGS_AT, _VERSION_BYTES)
            modules, _ = _inline(blob, rest, _MODULES_BYTES)
        else:
            if pointer_size not in (4, 8):
                raise CatalogError(f"its Go build information has pointers of {pointer_size} bytes")
            pointer = Layout((">" if flags & _BIG_ENDIAN else "<") + ("Q" if pointer_size == 8 else "I"))
            (version_at,) = pointer.unpack_from(head, 16)
            (modules_at,) = pointer.unpack_from(head, 16 + pointer_size)
            version = _string(data, segments, version_at, pointer, _VERSION_BYTES)
            modules = _string(data, segments, modules_at, pointer, _MODULES_BYTES) if modules_at else b""
    except (IndexError, *OUT_OF_REACH) as error:
        raise CatalogError("its Go build information is cut off") from error
    if not version:
        raise CatalogError("its Go build information names no version")
    if len(modules) > 2 * _SENTINEL and modules[-_SENTINEL - 1 : -_SENTINEL] == b"\n":
        modules = modules[_SENTINEL:-_SENTINEL]
    else:
        modules = b""
    return _lines(version.decode("utf-8", "replace"), modules.decode("utf-8", "replace"))


def _inline(blob: View, at: int, limit: int) -> tuple[bytes, int]:
    """A string with its length before it, and where it ends."""
    length = shift = 0
    for byte in bytes(blob[at : at + _LENGTH_BYTES]):
        at += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    else:
        raise CatalogError("its Go build information has a length that never ends")
    if length > limit or at + length > len(blob):
        raise CatalogError(f"its Go build information claims a text of {length} bytes")
    return bytes(blob[at : at + length]), at + length


def _string(data: View, segments: Sequence[Segment], address: int, pointer: Layout, limit: int) -> bytes:
    """The Go string whose header lies at an address."""
    header = _at(data, segments, address, 2 * pointer.size)
    (text,) = pointer.unpack_from(header)
    (length,) = pointer.unpack_from(header, pointer.size)
    if length > limit:
        raise CatalogError(f"its Go build information claims a text of {length} bytes")
    return _at(data, segments, text, length)


def _at(data: View, segments: Sequence[Segment], address: int, size: int) -> bytes:
    """What will be loaded at an address."""
    for segment in segments:
        inside = address - segment.address
        if inside >= 0 and inside + size <= segment.size:
            found = bytes(data[segment.offset + inside : segment.offset + inside + size])
            if len(found) == size:
                return found
    raise CatalogError("its Go build information points outside the file")


def _lines(version: str, text: str) -> BuildInfo:
    path, main, unread = "", None, 0
    modules: list[Module] = []
    settings: dict[str, str] = {}
    last: Module | None = None
    for line in text.split("\n"):
        kind, _, rest = line.partition("\t")
        if kind == "path":
            path = rest
        elif kind in ("mod", "dep", "=>") and len(modules) < _MODULES:
            fields = rest.split("\t")
            module = Module(path=fields[0], version=fields[1] if len(fields) > 1 else "")
            if not module.path or (kind == "=>" and last is None):
                unread += 1
            elif kind == "mod":
                main = last = module
            elif kind == "dep":
                modules.append(module)
                last = module
            elif last is not None:
                replaced = Module(path=last.path, version=last.version, replaced_by=module)
                if last is main:
                    main = replaced
                else:
                    modules[-1] = replaced
        elif kind == "build":
            key, _, value = rest.partition("=")
            settings[key] = value
        elif line:
            unread += 1
    return BuildInfo(go_version=version, path=path, main=main, modules=tuple(modules), settings=settings, unread=unread)


_LINKED_VERSION = re.compile(r"-X[ =]['\"]?([\w./-]+)\.(\w+)=(v?\d+\.\d+(?:\.\d+)?(?:-[\w.-]+)?)['\"]?(?=\s|'|\"|\Z)")


def linked_version(info: BuildInfo) -> str:
    """The version that the build wrote into a variable of the main module's, "" where there is none or more than one.

    Programs built from a checkout call themselves `(devel)`; their build scripts pass `-ldflags "-X
    main.version=1.2.3"` instead.
    """
    if info.main is None:
        return ""
    found = {
        value.removeprefix("v")
        for package, variable, value in _LINKED_VERSION.findall(info.settings.get("-ldflags", "")[:65536])
        if variable.lower() in ("version", "ver", "appversion", "buildversion", "gitversion", "semver")
        and (package in ("main", info.main.path) or package.startswith(info.main.path + "/"))
    }
    return "v" + found.pop() if len(found) == 1 else ""
