"""Bytes in pieces: parts of files that are read by position, and what decompressors give.

Nothing that others may write is mapped into memory. A file that gets shorter under a map ends the process with a
signal (SIGBUS) that Python can't catch; one that is read by position gives fewer bytes than it promised, which is an
error that can be told. A map's pages also count as the process's memory, and a read's buffer is given back at once.
"""

import os
import stat
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol, Self, cast

from openinspector.acquire.limits import Meter
from openinspector.errors import AcquireError

_PIECE = 1 << 20  # bytes asked of a decompressor at a time
_AHEAD = 4  # pieces unpacked ahead of the reader
_LONGEST_WINDOW = 1 << 27  # zstd: what `zstd --long=27` needs; more is refused
# Whose errors are those of a stream; each is imported only for one of its kind.
_DECOMPRESSORS = frozenset({"isal", "igzip_lib", "isal_zlib", "zstandard", "zstd", "zlib", "_lzma"})
_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK

Buffer = bytes | memoryview


class Stretch:
    """A part of an open file: to the file what a `memoryview` is to memory.

    A slice is another stretch and costs nothing; `bytes(stretch)` reads it. `key` identifies the bytes on this machine:
    device, inode, size, times of change, and place. Whoever opened the file closes it, and no stretch of it is used
    after that.
    """

    __slots__ = ("_at", "_descriptor", "_file_key", "_size")

    def __init__(self, descriptor: int, at: int, size: int, file_key: str = "") -> None:
        self._descriptor, self._at, self._size, self._file_key = descriptor, at, size, file_key

    @classmethod
    def of(cls, descriptor: int) -> Self:
        """A whole open file, as long as it is now."""
        facts = os.fstat(descriptor)
        key = f"{facts.st_dev}:{facts.st_ino}:{facts.st_size}:{facts.st_mtime_ns}:{facts.st_ctime_ns}"
        return cls(descriptor, 0, facts.st_size, key)

    @property
    def key(self) -> str:
        """What identifies the bytes; "" where nothing does."""
        return f"{self._file_key}:{self._at}:{self._size}" if self._file_key else ""

    def read(self, at: int, size: int) -> bytes:
        """Bytes by their place, fewer only where the stretch ends.

        Raises:
            AcquireError: The file can't be read, or is shorter than it was.
        """
        size = min(size, self._size - at)
        if size <= 0:
            return b""
        try:
            data = os.pread(self._descriptor, size, self._at + at)
            while len(data) < size:  # the kernel gives two gigabytes at a time
                more = os.pread(self._descriptor, size - len(data), self._at + at + len(data))
                if not more:
                    raise AcquireError("the file became shorter while it was read")
                data += more
        except OSError as error:
            raise AcquireError(f"the file can't be read: {error.strerror or error}") from error
        return data

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, place: slice) -> "Stretch":
        start, stop, _ = place.indices(self._size)
        return Stretch(self._descriptor, self._at + start, max(stop - start, 0), self._file_key)

    def __bytes__(self) -> bytes:
        return self.read(0, self._size)


@contextmanager
def opened(path: Path, flags: int = 0) -> Iterator[Stretch]:
    """A file by its path; `flags` are further ones of `open(2)`.

    Raises:
        AcquireError: It can't be opened, or is no file.
    """
    try:
        descriptor = os.open(path, _OPEN | flags)
    except OSError as error:
        raise AcquireError(f"{path} can't be read: {error.strerror or error}") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise AcquireError(f"{path} is not a file")
        yield Stretch.of(descriptor)
    finally:
        os.close(descriptor)


class StretchReader:
    """A stretch as a file to read from, in order."""

    def __init__(self, stretch: Stretch) -> None:
        self._stretch = stretch
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size` of them."""
        data = self._stretch.read(self._at, len(self._stretch) if size < 0 else size)
        self._at += len(data)
        return data


class Source(Protocol):
    """A stream of bytes in pieces; an empty piece is the end."""

    def piece(self) -> Buffer:
        """The next piece."""
        ...

    def close(self) -> None:
        """Lets go of what it holds."""
        ...


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
        import threading

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
        import bz2

        read = bz2.BZ2File(cast(IO[bytes], counting)).read
    elif compression == "xz":
        import lzma

        read = lzma.LZMAFile(cast(IO[bytes], counting)).read  # noqa: SIM115
    else:
        read = counting.read
    return Unpacked(_translated(read, compression), lambda: counting.count, meter)


def _translated(read: Callable[[int], bytes], compression: str) -> Callable[[int], bytes]:
    def translated(size: int) -> bytes:
        try:
            return read(size)
        except Exception as error:
            known = isinstance(error, (EOFError, OSError, ValueError))
            if not known and type(error).__module__.split(".")[0] not in _DECOMPRESSORS:
                raise
            raise AcquireError(f"the {compression or 'plain'} stream is broken: {error}") from error

    return translated
