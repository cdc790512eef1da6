"""The folder that `db update` keeps the publishers' documents in, and what it remembers of each.

The documents lie as `db layout` lists them, so that the folder can serve as a mirror. What is remembered, and what is
unfinished, lies in `.update/` beside them, out of every feed's sight.
"""

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from openinspector.errors import FeedError
from openinspector.pipeline.build import timestamp
from openinspector.store.advisories import default_path
from openinspector.transport.fetch import Fingerprint
from openinspector.transport.manifest import is_safe

_OWN = ".update"
_STATE = "state.json"


class Held(Struct, frozen=True, kw_only=True):
    """A document that is in the folder. `base` is the digest of the archive whose changes it holds, if it does."""

    feed: str
    fingerprint: Fingerprint
    mtime: int  # ns; of the file as we left it
    fetched: str  # when its bytes were found to be the latest
    base: str = ""


class SeenVersion(Struct, frozen=True, kw_only=True):
    """The highest version of a mirror's manifest, and the digest of that manifest."""

    version: int
    sha256: str


class State(Struct, kw_only=True):
    """What is remembered between updates."""

    documents: dict[str, Held] = {}
    feeds: dict[str, str] = {}  # when all of a feed's documents were last found to be the latest
    versions: dict[str, SeenVersion] = {}  # by the key's name


class Folder:
    """The documents; can be shared by threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self.state = self._read()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other updates of the same folder out.

        Raises:
            FeedError: Another is at work, or the folder can't be written.
        """
        own = self.path / _OWN
        try:
            own.mkdir(parents=True, exist_ok=True)
            handle = os.open(own / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
        except OSError as error:
            raise FeedError(f"{own} can't be written: {error.strerror or error}") from error
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise FeedError(f"another update of {self.path} is at work") from error
            self.state = self._read()
            yield
        finally:
            os.close(handle)

    def target(self, path: str) -> Path:
        """Where a document lies."""
        assert is_safe(path), path
        return self.path / path

    def partial(self, path: str) -> Path:
        """Where a document is while it is fetched: called as its place in the layout is, but not there."""
        return self.path / _OWN / "partial" / f"{_short(path)}.partial"

    def changes(self, path: str) -> Path:
        """Where the documents are kept that an archive of changes is made of."""
        return self.path / _OWN / "changes" / _short(path)

    def held(self, path: str) -> Held | None:
        """What is known of a document, if it is as we left it."""
        held = self.state.documents.get(path)
        if held is None:
            return None
        try:
            found = self.target(path).stat()
        except OSError:
            return None
        return held if (found.st_size, found.st_mtime_ns) == (held.fingerprint.size, held.mtime) else None

    def keep(self, path: str, feed: str, fingerprint: Fingerprint, base: str = "") -> None:
        """Remember that a document is the latest."""
        held = Held(
            feed=feed,
            fingerprint=fingerprint,
            mtime=self.target(path).stat().st_mtime_ns,
            fetched=timestamp(),
            base=base,
        )
        with self._lock:
            self.state.documents[path] = held
            self._write()

    def drop(self, path: str) -> None:
        """Take a document away."""
        with self._lock:
            self.target(path).unlink(missing_ok=True)
            self.state.documents.pop(path, None)
            self._write()

    def save(self) -> None:
        """Write down what is remembered."""
        with self._lock:
            self._write()

    def _read(self) -> State:
        try:
            return msgspec.json.decode((self.path / _OWN / _STATE).read_bytes(), type=State)
        except (OSError, msgspec.MsgspecError):
            return State()  # costs a fetch of everything; what is there stays in force

    def _write(self) -> None:
        scratch = self.path / _OWN / f"{_STATE}.new"
        scratch.write_bytes(msgspec.json.encode(self.state))
        scratch.replace(scratch.with_name(_STATE))


def default_documents() -> Path:
    """`documents` beside the advisory file."""
    data = os.environ.get("OPENINSPECTOR_DATA")
    return (Path(data) if data else default_path().parent) / "documents"


def age(text: str) -> float:
    """Seconds since a moment as `timestamp` writes it."""
    return (datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds()


def _short(path: str) -> str:
    """A flat name: the last part for people, the digest to tell it from others."""
    return f"{path.rpartition('/')[2]}.{hashlib.sha256(path.encode()).hexdigest()[:16]}"
