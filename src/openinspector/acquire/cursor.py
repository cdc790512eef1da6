"""A place in an archive: what stands there is taken, or moved over, in order.

A plain archive in a file is read through a small window and moved over without reading, a stream as it is unpacked.
"""

from typing import Protocol

from openinspector.acquire.stream import Buffer, Source, Stretch

_WINDOW = 16 << 10  # bytes read where a header is looked at: the next small members are often in them
_PIECEWISE_FROM = 64 << 10  # bytes of a member from which on reading it here and there beats reading it


class Cursor(Protocol):
    """A place in an archive."""

    def take(self, size: int) -> Buffer:
        """The next `size` bytes; fewer only at the end of the archive."""
        ...

    def peek(self, size: int) -> Buffer:
        """The next `size` bytes, left in place."""
        ...

    def skip(self, size: int) -> bool:
        """Move on; False when the archive ends before."""
        ...

    def content(self, size: int, *, piecewise: bool) -> Buffer | Stretch:
        """The next `size` bytes for a reader; a stretch only for one that reads piecewise."""
        ...

    def close(self) -> None:
        """Lets go of what it holds."""
        ...


class FileCursor:
    """A place in a stretch of a file."""

    def __init__(self, stretch: Stretch) -> None:
        self._stretch = stretch
        self._window = b""
        self._start = 0  # of the window in the stretch
        self._at = 0  # in the window, or behind it

    @property
    def offset(self) -> int:
        """Where in the stretch it stands."""
        return self._start + self._at

    def take(self, size: int) -> bytes:
        """The next `size` bytes; fewer only at the end of the stretch."""
        data = self.peek(size)
        self._at += len(data)
        return data

    def peek(self, size: int) -> bytes:
        """The next `size` bytes, left in place."""
        end = self._at + size
        if end > len(self._window):
            self._start += self._at
            self._at, end = 0, size
            self._window = self._stretch.read(self._start, max(size, _WINDOW))
        return self._window[self._at : end]

    def skip(self, size: int) -> bool:
        """Move on, without reading; False when the stretch ends before."""
        self._at += size
        return self.offset <= len(self._stretch)

    def content(self, size: int, *, piecewise: bool) -> Buffer | Stretch:
        """The next `size` bytes for a reader; a large member for one that reads piecewise is not read here."""
        if size < _WINDOW:
            return self.take(size)
        start = self.offset
        part = self._stretch[start : start + size]
        self._at += len(part)
        return part if piecewise and size >= _PIECEWISE_FROM else bytes(part)

    def close(self) -> None:
        """Nothing to let go of: whoever opened the file closes it."""


class StreamCursor:
    """A place in a stream."""

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

    def content(self, size: int, *, piecewise: bool) -> Buffer:  # noqa: ARG002  a stream can't be read here and there
        """The next `size` bytes for a reader."""
        return self.take(size)

    def close(self) -> None:
        """Lets go of the stream."""
        self._source.close()
