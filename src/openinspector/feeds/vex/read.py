"""VEX documents, whatever their format: what a document is, is found out from its content."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Raw, Struct, field

from openinspector.errors import FeedError, UsageError
from openinspector.feeds.streams import UNREADABLE_JSON
from openinspector.feeds.vex import csaf, cyclonedx, openvex
from openinspector.feeds.vex.contract import MAX_SIZE, VexDocument

_ABSENT: Final = Raw()
_UNDERSTOOD: Final = "OpenVEX, CycloneDX JSON and CSAF 2.0 are understood"


class _Peek(Struct):
    """As little as tells the formats apart."""

    bom_format: str = field(name="bomFormat", default="")
    context: str = field(name="@context", default="")
    document: Raw = _ABSENT
    metadata: Raw = _ABSENT
    statements: Raw = _ABSENT


class _Context(Struct):
    context: str = field(name="@context", default="")


_PEEK: Final = msgspec.json.Decoder(_Peek)
_CONTEXT: Final = msgspec.json.Decoder(_Context)


def read_documents(files: Sequence[Path], boms: Sequence[Path] = ()) -> tuple[VexDocument, ...]:
    """What the documents state, in the order of the files.

    `boms` are further bills of materials that BOM-Links may lead to: the SBOM that is scanned. One that can't be read
    here, because it is of another format, is passed over: its links are told as unresolved.

    Raises:
        UsageError: A file isn't there.
        FeedError: A document can't be read.
    """
    contents = [(str(each), _bytes(each)) for each in files]
    parsed: dict[str, cyclonedx.Bom] = {}
    linked: dict[str, cyclonedx.Book] = {}
    kinds = [format_of(data, path) for path, data in contents]
    for (path, data), kind in zip(contents, kinds, strict=True):
        if kind == "cyclonedx":
            parsed[path] = cyclonedx.decode(data, path)
    scanned = [bom for path in boms if (bom := _bom(path)) is not None] if parsed else []
    for bom in (*scanned, *parsed.values()):
        link = cyclonedx.link_of(bom)
        if link:
            linked[link] = cyclonedx.book_of(bom)
    documents = []
    for (path, data), kind in zip(contents, kinds, strict=True):
        if kind == "cyclonedx":
            documents.append(cyclonedx.read(parsed[path], path, linked))
        else:
            documents.append(openvex.read(data, path) if kind == "openvex" else csaf.read(data, path))
    return tuple(documents)


def format_of(data: bytes, path: str) -> str:
    """`openvex`, `cyclonedx` or `csaf`.

    Raises:
        FeedError: It is none of them.
    """
    try:
        seen = _PEEK.decode(data)
        if seen.bom_format == "CycloneDX":
            return "cyclonedx"
        context = seen.context
        if not context and bytes(seen.metadata) and bytes(seen.statements):
            context = _CONTEXT.decode(seen.metadata).context
    except UNREADABLE_JSON as error:
        raise FeedError(f"{path} can't be read as VEX: {error} ({_UNDERSTOOD})") from error
    if context.startswith("https://openvex.dev/ns"):
        return "openvex"
    if bytes(seen.document):
        return "csaf"
    raise FeedError(f"{path} is no VEX document ({_UNDERSTOOD})")


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SIZE + 1)
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror or error}") from error
    if len(data) > MAX_SIZE:
        raise FeedError(f"{path} is larger than {MAX_SIZE >> 20} MB, the most that a VEX document may have")
    return data.removeprefix(b"\xef\xbb\xbf")


def _bom(path: Path) -> cyclonedx.Bom | None:
    try:
        return cyclonedx.decode(_bytes(path), str(path))
    except (FeedError, UsageError):
        return None
