"""A folder of this machine as a bucket: `<directory>/<bucket>/<key>`.

A bucket is a folder that the operator has made; what lies below it is made here, for the service's user alone (0700,
0600). A file gets its name when all of it is on the disk. No link is followed below the bucket, whoever put it there.
"""

import contextlib
import errno
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import uuid4

from openinspector.errors import DestinationError

LONGEST_NAME: Final = 255  # bytes, of nearly every file system

_SCRATCH: Final = re.compile(r"\.[0-9a-f]{32}\.part").fullmatch
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_DENIED: Final = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP, errno.ENOTDIR)


class Folder:
    """A folder below the directory of reports."""

    def __init__(self, directory: Path, bucket: str) -> None:
        if bucket in ("", ".", "..") or "/" in bucket or "\0" in bucket:
            raise ValueError(f"{bucket!r} is no name of a folder")
        self._path = directory / bucket

    def close(self) -> None:
        """Nothing is held."""

    def check(self) -> None:
        """Whether the folder is there and may be written to.

        Raises:
            DestinationError: It is not, or may not.
        """
        with self._translated(), self._opened(()) as at:
            if not os.access(".", os.W_OK | os.X_OK, dir_fd=at):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def write(self, key: str, _content_type: str, parts: Iterable[bytes], begun: Callable[[str], None]) -> None:
        """Writes a file while its parts come in (see destination.py).

        Raises:
            DestinationError: It can't be written.
        """
        *folders, name = _steps(key)
        scratch = f".{uuid4().hex}.part"
        begun(scratch)
        with self._translated(), self._opened(folders) as at:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            number = os.open(scratch, flags, 0o600, dir_fd=at)
            try:
                with os.fdopen(number, "wb", buffering=1 << 20) as file:
                    for part in parts:
                        file.write(part)
                    file.flush()
                    os.fsync(number)
                os.rename(scratch, name, src_dir_fd=at, dst_dir_fd=at)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(scratch, dir_fd=at)
                raise
            os.fsync(at)

    def discard(self, key: str, name: str) -> None:
        """Removes a file that was not finished, and never one that was."""
        if not _SCRATCH(name):
            return
        *folders, _ = _steps(key)
        with contextlib.suppress(OSError, DestinationError), self._opened(folders) as at:
            os.unlink(name, dir_fd=at)

    @contextlib.contextmanager
    def _opened(self, folders: Sequence[str]) -> Iterator[int]:
        """A folder below the bucket, by its descriptor; what is missing of the way is made."""
        at = os.open(self._path, _FOLDER)
        try:
            for step in folders:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(step, 0o700, dir_fd=at)
                below = os.open(step, _FOLDER | os.O_NOFOLLOW, dir_fd=at)
                os.close(at)
                at = below
            yield at
        finally:
            os.close(at)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            said = error.strerror or str(error)
            if error.errno == errno.ENOENT:
                message = f"There is no folder {self._path.name} in the directory of reports: it has to be made first."
                raise DestinationError("BUCKET_NOT_FOUND", message) from error
            if error.errno in _DENIED:
                message = f"The folder {self._path.name} can't be written to: {said}."
                raise DestinationError("INVALID_PERMISSIONS", message) from error
            message = f"The report can't be written below {self._path.name}: {said}."
            raise DestinationError("INTERNAL_ERROR", message) from error


def _steps(key: str) -> list[str]:
    """The folders of a key, and the file's name at the end."""
    return [_one(each) for each in key.split("/")]


def _one(name: str) -> str:
    """A name in a folder; one that is too long for any keeps its beginning and its end.

    Raises:
        DestinationError: It is no name.
    """
    if name in ("", ".", "..") or "\0" in name or "/" in name:
        raise DestinationError("INTERNAL_ERROR", f"{name!r} can't be the name of a file.")
    told = os.fsencode(name)
    if len(told) <= LONGEST_NAME:
        return name
    digest = sha256(told).hexdigest()[:16]
    return f"{told[:180].decode(errors='ignore')}~{digest}~{told[-50:].decode(errors='ignore')}"
