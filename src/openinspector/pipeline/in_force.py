"""The advisories in force, for a process that lives longer than one generation of them."""

from pathlib import Path
from threading import Lock

from openinspector.errors import StoreError
from openinspector.store.advisories import AdvisoryFile, default_path

_Stamp = tuple[Path, int, int]  # which file it was: path, inode, time of change in nanoseconds


class InForce:
    """Opens the advisory file when it is first asked for, and again when another one took its place.

    A generation is never written to after it is in place, so whoever still asks the former one may go on; it is closed
    when nobody holds it. Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._opened: tuple[_Stamp, AdvisoryFile] | None = None

    def __call__(self) -> AdvisoryFile:
        """The file in force.

        Raises:
            StoreError: There is none, or it can't be read.
        """
        path = default_path()
        with self._lock:
            stamp = _stamp(path)
            if self._opened is None or self._opened[0] != stamp:
                self._opened = (stamp, AdvisoryFile(path))
            return self._opened[1]


def _stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except OSError as error:
        raise StoreError(
            f"there is no advisory file at {path} ({error.strerror or error}):"
            " make one with `openinspector db update` (or try out with `openinspector db starter`)"
        ) from error
    return path, status.st_ino, status.st_mtime_ns


advisories_in_force = InForce()
