"""Packed documents, opened with bounds: what a publisher compressed is attackers' input until it has been read.

Compression is known by its first bytes, not by its name: a mirror may have unpacked a file or kept it packed.
Whatever a decompressor says about broken bytes becomes a `FeedError` that names the document.
"""

import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final, cast

from msgspec import MsgspecError

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.tar import TarError, members

MAX_UNPACKED: Final = 4 << 30  # bytes; Oracle's OVAL, the largest single document, unpacks to 0.3 GB
MAX_ARCHIVE: Final = 64 << 30  # bytes; Red Hat's archive of VEX documents unpacks to some 20 GB, read one by one
MAX_MEMBER: Final = 256 << 20  # bytes; Red Hat's largest VEX document has some 60 MB
MAX_MEMBERS: Final = 2_000_000  # the whole CVE list has 300,000
MAX_RATIO: Final = 500  # bytes out per byte in; Red Hat's archive, the best packed, has 80

# What msgspec raises for what is no JSON or of another shape, for what is no UTF-8, and for nesting without end.
UNREADABLE_JSON: Final = (MsgspecError, UnicodeDecodeError, RecursionError)

_BLOCK: Final = 1 << 18
_RATIO_FROM: Final = 1 << 28  # bytes out, from which on the ratio is looked at


class _Bounded(io.RawIOBase):
    """A stream that ends in a `FeedError` where its bytes are broken or too many."""

    def __init__(self, source: BinaryIO, packed: BinaryIO, path: str, limit: int) -> None:
        self._source, self._packed, self._path, self._limit = source, packed, path, limit
        self._out = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed's Buffer is not sliceable
        try:
            data = self._source.read(len(buffer))
        except Exception as error:  # noqa: BLE001 – the errors of five decompressors have no nearer common root
            raise FeedError(f"{self._path}: can't be unpacked: {error}") from error
        self._out += len(data)
        if self._out > self._limit or _is_bomb(self._out, self._packed.tell()):
            raise FeedError(f"{self._path}: unpacks to more than we read")
        buffer[: len(data)] = data
        return len(data)


def unpacked(document: Document, limit: int = MAX_UNPACKED) -> BinaryIO:
    """The document's bytes without their compression (gzip, bzip2, xz, zstd or none).

    Raises:
        FeedError: While reading: broken bytes, or more than `limit` of them.
    """
    stream = document.stream
    stream.seek(0)
    head = stream.read(6)
    stream.seek(0)
    source: BinaryIO
    if head.startswith(b"\x1f\x8b"):
        from isal import igzip

        source = cast(BinaryIO, igzip.IGzipFile(fileobj=stream))  # type: ignore[no-untyped-call]
    elif head.startswith(b"BZh"):
        import bz2

        source = cast(BinaryIO, bz2.BZ2File(stream))
    elif head == b"\xfd7zXZ\x00":
        import lzma

        source = cast(BinaryIO, lzma.LZMAFile(stream))  # noqa: SIM115 – closed by the caller
    elif head.startswith(b"\x28\xb5\x2f\xfd"):
        import zstandard

        source = cast(BinaryIO, zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True))
    else:
        source = stream
    return cast(BinaryIO, io.BufferedReader(_Bounded(source, stream, document.path, limit), _BLOCK))


def _is_bomb(out: int, packed: int) -> bool:
    return out > _RATIO_FROM and out > packed * MAX_RATIO


def content(document: Document, limit: int = 1 << 30) -> bytes:
    """All the bytes of a document, unpacked.

    Raises:
        FeedError: Broken bytes, or more than `limit` of them.
    """
    with unpacked(document, limit) as stream:
        return stream.read()


def zip_members(document: Document, suffix: str) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each member of a zip whose name ends in `suffix`.

    Raises:
        FeedError: It is no zip, a member is broken, or the whole exceeds its bounds.
    """
    import zipfile

    out = 0
    try:
        size = document.stream.seek(0, io.SEEK_END)
        with zipfile.ZipFile(document.stream) as archive:
            infos = archive.infolist()
            if len(infos) > MAX_MEMBERS:
                raise FeedError(f"{document.path}: has {len(infos)} members")
            for info in infos:
                if info.is_dir() or not info.filename.endswith(suffix):
                    continue
                with archive.open(info) as member:
                    data = member.read(MAX_MEMBER + 1)
                out += len(data)
                if len(data) > MAX_MEMBER or out > MAX_ARCHIVE or _is_bomb(out, size):
                    raise FeedError(f"{document.path}: {info.filename} unpacks to more than we read")
                yield info.filename, data
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise FeedError(f"{document.path}: can't be unpacked: {error}") from error


def tar_members(document: Document, suffix: str) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each regular file of a (compressed) tar whose name ends in `suffix`, in one pass.

    Raises:
        FeedError: It is no tar, it is broken, or it exceeds its bounds.
    """
    try:
        with unpacked(document, MAX_ARCHIVE) as stream:
            yield from members(stream, suffix, MAX_MEMBER, MAX_MEMBERS)
    except TarError as error:
        raise FeedError(f"{document.path}: can't be unpacked: {error}") from error
