"""What layers said, kept between scans, so that no layer is read twice.

A harvest is kept under what its bytes are: the verified digest of a layer that was pulled, or the identity of the
place on this machine (device, inode, size, time of change, offset) for one in a local file, whose claimed digest
nobody has checked. An archive that lies about its digests can so not spoil what is known of another. The readers'
revisions are part of the name.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec

from openinspector.catalog.contract import Format
from openinspector.catalog.harvest import Harvest

_LARGEST = 256 << 20  # bytes of one kept harvest, unpacked
_LAYOUT = 1  # raised with every change of `Harvest`


def default_folder() -> Path:
    """`OPENINSPECTOR_CACHE`, or the user's cache folder."""
    named = os.environ.get("OPENINSPECTOR_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "openinspector"


def readers_revision(formats: Iterable[Format]) -> str:
    """What changes when any reader does."""
    said = ",".join(f"{each.name}={each.revision}" for each in formats)
    return hashlib.sha256(f"{_LAYOUT};{said}".encode()).hexdigest()[:16]


class LayerCache:
    """Kept harvests in a folder; one that can't be read or written is as good as none."""

    def __init__(self, folder: Path | None, revision: str) -> None:
        self._folder = folder / "layers" if folder else None
        self._revision = revision
        self._decoder = msgspec.msgpack.Decoder(Harvest)

    def get(self, key: str) -> Harvest | None:
        """The harvest kept under a key."""
        if self._folder is None or not key:
            return None
        import zstandard

        try:
            packed = self._path(key).read_bytes()
            plain = zstandard.ZstdDecompressor().decompress(packed, max_output_size=_LARGEST)
            return self._decoder.decode(plain)
        except (OSError, zstandard.ZstdError, msgspec.MsgspecError):
            return None

    def put(self, key: str, harvest: Harvest) -> None:
        """Keep a harvest; only whole ones are worth it."""
        if self._folder is None or not key or any(problem.partial for problem in harvest.problems):
            return
        import zstandard

        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            packed = zstandard.ZstdCompressor(level=1).compress(msgspec.msgpack.encode(harvest))
            handle, name = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(handle, "wb") as file:
                file.write(packed)
            Path(name).replace(self._path(key))
        except OSError:
            return

    def _path(self, key: str) -> Path:
        assert self._folder is not None
        return self._folder / hashlib.sha256(f"{self._revision};{key}".encode()).hexdigest()
