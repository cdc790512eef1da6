"""Events as lines of JSON at the end of a file, on the disk before they count as sent.

    [[sinks]]
    kind = "file"
    name = "log"
    path = "/var/log/openinspector/events.jsonl"
    largest = 104857600    # bytes; then it becomes events.jsonl.1, and that events.jsonl.2
    keep = 10              # such files, the oldest is deleted

One process writes at a time, under a lock on `<path>.lock`; the file may be moved away by others at any time. A line
that a process left unfinished when it died is taken off again: its event does not count as sent.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from openinspector.errors import PublishError, UsageError
from openinspector.publish.contract import Message, Outcome, Sent, Sink, SinkKind, SinkSettings
from openinspector.render.text import json_line
from openinspector.transport.aws import Endpoint

_MOST: Final = 500  # lines to one fsync
_LOCK_SECONDS: Final = 20.0
_TAIL: Final = 1 << 16  # bytes read at once when an unfinished line is sought


class FileSettings(SinkSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file, and when it is put aside."""

    path: str
    largest: int = 100 << 20
    keep: int = 10


class FileKind:
    """Lines of JSON."""

    name = "file"
    source = "aws.inspector2"
    settings = FileSettings

    def check(self, settings: FileSettings) -> None:
        """Looks whether there could be such a file."""
        if not Path(settings.path).is_absolute():
            raise UsageError(f"path = {settings.path!r} should begin with /")
        if settings.largest < 1 or not 0 <= settings.keep <= 10_000:
            raise UsageError("largest is a number of bytes, and keep one of files from 0 to 10000")

    def open(self, settings: FileSettings, aws: Endpoint) -> Sink:
        """A sink; the file is opened for each batch anew."""
        return _File(settings)


class _File:
    most = _MOST
    at_once = 1

    def __init__(self, settings: FileSettings) -> None:
        self._path = Path(settings.path)
        self._largest, self._keep = settings.largest, settings.keep

    def send(self, messages: Sequence[Message]) -> Iterator[Outcome]:
        data = "".join(json_line(each.event) + "\n" for each in messages).encode()
        try:
            self._append(data)
        except OSError as error:
            raise PublishError(f"{self._path} can't be written: {error.strerror or error}") from error
        yield from (Sent() for _ in messages)

    def close(self) -> None:
        pass

    def _append(self, data: bytes) -> None:
        lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._lock(lock)
            is_new = not self._path.exists()
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                size = _whole_lines(file)
                os.ftruncate(file, size)
                _write(file, data)
                os.fsync(file)
            finally:
                os.close(file)
            if size + len(data) >= self._largest:
                self._put_aside()
                is_new = True
            if is_new:
                _sync_folder(self._path.parent)
        finally:
            os.close(lock)  # which gives the lock back

    def _lock(self, lock: int) -> None:
        ends = monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                if monotonic() > ends:
                    raise PublishError(f"{self._path} is being written by another process all the time") from error
                sleep(0.01)

    def _put_aside(self) -> None:
        """`events.jsonl` becomes `events.jsonl.1`, and so on; with `keep` 0 it is left to others to move it away."""
        if not self._keep:
            return
        for number in range(self._keep - 1, 0, -1):
            older = Path(f"{self._path}.{number}")
            if older.exists():
                older.replace(f"{self._path}.{number + 1}")
        self._path.replace(f"{self._path}.1")


def _whole_lines(file: int) -> int:
    """The size of a file up to the end of its last whole line."""
    end = os.fstat(file).st_size
    while end:
        start = max(0, end - _TAIL)
        at = os.pread(file, end - start, start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _sync_folder(path: Path) -> None:
    """Has the names in a folder survive a power cut."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


PLUGIN: Final[SinkKind] = FileKind()
