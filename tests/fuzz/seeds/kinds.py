"""What a seed is, and small packers for them."""

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Pack = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Seed:
    """A valid file at its place, with those beside it that its reader may look at.

    `pack` puts the content into its container, so that either can be damaged.
    """

    path: str
    content: bytes
    beside: Mapping[str, bytes] = field(default_factory=dict)
    pack: Pack = bytes

    @property
    def data(self) -> bytes:
        """The file."""
        return self.pack(self.content)


def seed(path: str, content: object, pack: Pack = bytes, **beside: object) -> Seed:
    """A seed of bytes, of text, or of anything that becomes JSON; in the names of neighbours `__` is a dot."""
    return Seed(path, encoded(content), {name.replace("__", "."): encoded(each) for name, each in beside.items()}, pack)


def in_zip(name: str, **others: object) -> Pack:
    """A packer that puts a content into a zip under a name, with others beside it."""
    return lambda content: zipped(**{name: content, **others})


def in_tar(name: str, how: str = "") -> Pack:
    """A packer that puts a content into a tar."""
    return lambda content: tarred(how, **{name: content})


def in_gzip(content: bytes) -> bytes:
    """A content in gzip, always the same bytes."""
    return gzip.compress(content, mtime=0)


def encoded(content: object) -> bytes:
    """Bytes of a content, as `seed` takes it."""
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def zipped(**members: object) -> bytes:
    """A zip; in the names `__` is a dot and `___` a slash."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(unfolded(name))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, encoded(content))
    return out.getvalue()


def tarred(how: str = "", **members: object) -> bytes:
    """A tar, compressed as `tarfile` calls it (`xz`, `bz2`); names as for `zipped`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=f"w:{how}") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(unfolded(name))
            data = encoded(content)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def unfolded(name: str) -> str:
    """A member's name out of a Python one."""
    return name.replace("___", "/").replace("__", ".")
