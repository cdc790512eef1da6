"""What layers said, kept between scans, so that no layer is read twice.

A harvest is kept under what its bytes are: the verified digest of a layer that was pulled, or the identity of the
place on this machine (device, inode, size, time of change, offset) for one in a local file, whose claimed digest
nobody has checked. An archive that lies about its digests can so not spoil what is known of another. The readers'
revisions stand in the file: what other readers said is read anew, and replaced.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from openinspector.catalog.contract import Format
from openinspector.catalog.harvest import Harvest

_LARGEST = 256 << 20  # bytes of one kept harvest, unpacked
_LAYOUT = 2  # raised with every change of `Harvest`
_LONGEST_KEY = 200  # a key names its file
_KEY = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:")


def default_folder() -> Path:
    """`OPENINSPECTOR_CACHE`, or the user's cache folder."""
    named = os.environ.get("OPENINSPECTOR_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "openinspector"


def keep(path: Path, data: bytes) -> bool:
    """Write a file of the cache, whole or not at all; a folder that can't be written is no reason to fail."""
    from tempfile import mkstemp

    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except OSError:
        return False
    return True


def readers_revision(formats: Iterable[Format]) -> str:
    """What changes when any reader does."""
    said = " ".join(f"{each.name}={each.revision}" for each in formats)
    return f"{_LAYOUT}: {said}"


class Kept(msgspec.Struct, frozen=True):
    """A harvest, and the revision of the readers that it comes from."""

    revision: str
    harvest: Harvest


class LayerCache:
    """Kept harvests in a folder; one that can't be read or written is as good as none.

    A key is letters, digits and colons. Nothing is kept under another one: it comes from a document that lies.
    """

    def __init__(self, folder: Path | None, revision: str) -> None:
        self._folder = folder / "layers" if folder else None
        self._revision = revision
        self._decoder = msgspec.msgpack.Decoder(Kept)

    def get(self, key: str) -> Harvest | None:
        """The harvest kept under a key."""
        path = self._path(key)
        if path is None:
            return None
        import zstandard

        try:
            plain = zstandard.ZstdDecompressor().decompress(path.read_bytes(), max_output_size=_LARGEST)
            kept = self._decoder.decode(plain)
        except (OSError, zstandard.ZstdError, msgspec.MsgspecError):
            return None
        return kept.harvest if kept.revision == self._revision else None

    def put(self, key: str, harvest: Harvest) -> None:
        """Keep a harvest; only whole ones are worth it."""
        path = self._path(key)
        if path is None or any(problem.partial for problem in harvest.problems):
            return
        import zstandard

        try:
            plain = msgspec.msgpack.encode(Kept(self._revision, harvest))
            packed = zstandard.ZstdCompressor(level=1).compress(plain)
        except UnicodeEncodeError:  # a name that is no UTF-8: too rare to be worth another encoding
            return
        keep(path, packed)

    def _path(self, key: str) -> Path | None:
        if self._folder is None or not 0 < len(key) <= _LONGEST_KEY or not _KEY.issuperset(key):
            return None
        return self._folder / key.replace(":", "-")
