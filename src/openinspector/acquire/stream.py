"""Bytes in pieces: a memory map, or what a decompressor gives.

A `Source` hands out consecutive pieces of an uncompressed stream. A memory-mapped one gives everything as one piece
that costs nothing until it is touched, so unwanted members of a plain archive are never read.
"""

import bz2
import lzma
import mmap
import os
import threading
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol, cast

from openinspector.acquire.limits import Meter
from openinspector.errors import AcquireError

_PIECE = 1 << 20  # bytes asked of a decompressor at a time
_AHEAD = 4  # pieces unpacked ahead of the reader
_LONGEST_WINDOW = 1 << 27  # zstd: what `zstd --long=27` needs; more is refused

Buffer = bytes | memoryview


class Source(Protocol):
    """A stream of bytes in pieces; an empty piece is the end."""

    def piece(self) -> Buffer:
        """The next piece."""
        ...

    def close(self) -> None:
        """Lets go of what it holds."""
        ...


class Mapped:
    """A piece of memory, at once."""

    def __init__(self, view: memoryview) -> None:
        self._view: memoryview | None = view

    def piece(self) -> Buffer:
        """Everything, then nothing."""
        view, self._view = self._view, None
        return view if view is not None else b""

    def close(self) -> None:
        """Nothing to let go of: the map's owner closes it."""


class Unpacked:
    """What a decompressor gives, unpacked ahead of the reader in a thread of its own.

    The decompressors let go of the interpreter lock, so unpacking and reading go on side by side.
    """

    def __init__(self, read: Callable[[int], bytes], consumed: Callable[[], int], meter: Meter) -> None:
        self._read, self._consumed, self._meter = read, consumed, meter
        self._pieces: deque[bytes] = deque()
        self._error: Exception | None = None
        self._closed = False
        self._ended = False
        self._turn = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def piece(self) -> Buffer:
        """The next piece; raises what the decompressor raised."""
        with self._turn:
            while not self._pieces and not self._ended:
                self._turn.wait()
            if self._pieces:
                piece = self._pieces.popleft()
                self._turn.notify()
                return piece
            if self._error is not None:
                raise self._error
            return b""

    def close(self) -> None:
        """Ends the thread."""
        with self._turn:
            self._closed = True
            self._pieces.clear()
            self._turn.notify()
        self._thread.join()

    def _run(self) -> None:
        produced = 0
        try:
            while True:
                piece = self._read(_PIECE)
                produced += len(piece)
                self._meter.out(produced, self._consumed())
                self._meter.time()
                with self._turn:
                    while len(self._pieces) >= _AHEAD and not self._closed:
                        self._turn.wait()
                    if self._closed:
                        return
                    if not piece:
                        break
                    self._pieces.append(piece)
                    self._turn.notify()
        except Exception as error:  # noqa: BLE001  handed over to the reader's thread, which raises it
            self._error = error
        finally:
            with self._turn:
                self._ended = True
                self._turn.notify()


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class _Counting:
    """A file that knows how much has been read of it."""

    def __init__(self, file: _Readable) -> None:
        self._file = file
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.count += len(data)
        return data

    def readinto(self, buffer: memoryview) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)

    def seekable(self) -> bool:
        return False

    def readable(self) -> bool:
        return True


class ViewReader:
    """A piece of memory as a file to read from, without copying it first."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size` of them."""
        end = len(self._view) if size < 0 else self._at + size
        data = bytes(self._view[self._at : end])
        self._at += len(data)
        return data


def compression_of(head: bytes) -> str:
    """`gzip`, `zstd`, `bzip2`, `xz`, or "" for what is none of these, by its first bytes (6 are enough)."""
    if head[:2] == b"\x1f\x8b":
        return "gzip"
    if head[:4] == b"\x28\xb5\x2f\xfd" or (head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F):
        return "zstd"
    if head[:3] == b"BZh":
        return "bzip2"
    if head[:6] == b"\xfd7zXZ\x00":
        return "xz"
    return ""


def unpack(file: _Readable, compression: str, meter: Meter) -> Source:
    """What is in a compressed stream; `compression` as `compression_of` gives it."""
    counting = _Counting(file)
    read: Callable[[int], bytes]
    if compression == "gzip":
        from isal import igzip

        # The reader behind GzipFile: members one after another, each checked against its sum.
        unpacking = igzip.GzipFile(fileobj=counting, mode="rb")  # type: ignore[no-untyped-call]  # noqa: SIM115
        read = unpacking.read
    elif compression == "zstd":
        import zstandard

        decompressor = zstandard.ZstdDecompressor(max_window_size=_LONGEST_WINDOW)
        read = decompressor.stream_reader(cast(IO[bytes], counting), read_across_frames=True).read
    elif compression == "bzip2":
        read = bz2.BZ2File(cast(IO[bytes], counting)).read
    elif compression == "xz":
        read = lzma.LZMAFile(cast(IO[bytes], counting)).read  # noqa: SIM115
    else:
        read = counting.read
    return Unpacked(_translated(read, compression), lambda: counting.count, meter)


def _translated(read: Callable[[int], bytes], compression: str) -> Callable[[int], bytes]:
    def translated(size: int) -> bytes:
        try:
            return read(size)
        except (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError) as error:
            raise AcquireError(f"the {compression or 'plain'} stream is broken: {error}") from error
        except Exception as error:
            # isal and zstandard raise classes of their own, importable only with them
            if type(error).__module__.split(".")[0] not in ("isal", "zstandard", "zstd"):
                raise
            raise AcquireError(f"the {compression} stream is broken: {error}") from error

    return translated


class MappedFile:
    """A file as memory; use as a context manager, and not after its end.

    `key` identifies the bytes on this machine: device, inode, size and time of change.
    """

    def __init__(self, view: memoryview, key: str) -> None:
        self.view, self.key = view, key

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["MappedFile"]:
        """Map a file.

        Raises:
            AcquireError: It can't be opened.
        """
        try:
            file = path.open("rb")
        except OSError as error:
            raise AcquireError(f"{path} can't be read: {error.strerror or error}") from error
        with file, cls.of(file) as mapped:
            yield mapped

    @classmethod
    @contextmanager
    def of(cls, file: IO[bytes]) -> Iterator["MappedFile"]:
        """Map an open file."""
        facts = os.fstat(file.fileno())
        key = f"{facts.st_dev}:{facts.st_ino}:{facts.st_size}:{facts.st_mtime_ns}:{facts.st_ctime_ns}"
        if not facts.st_size:
            yield cls(memoryview(b""), key)
            return
        memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        mapped = cls(memoryview(memory), key)
        try:
            yield mapped
        finally:
            mapped.view = memoryview(b"")
            # A slice may still be alive in an error's traceback; the map then goes with it.
            with suppress(BufferError):
                memory.close()
