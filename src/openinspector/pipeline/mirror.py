"""A mirror: a folder or an address with the layout's documents below it, and how one is signed.

With a key, nothing is taken from a mirror but what its manifest names, that the key's owner signed, in a version not
older than one seen before. Without a key a manifest only tells what has changed.
"""

import base64
import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from openinspector.errors import FeedError, UsageError
from openinspector.feeds.contract import Feed
from openinspector.pipeline.build import timestamp
from openinspector.pipeline.documents import Folder, SeenVersion
from openinspector.pipeline.layout import Item, claimed, mirror_items, mirrored
from openinspector.pipeline.settings import Settings
from openinspector.transport.fetch import Budget, Fingerprint, Got, forget, origin_of
from openinspector.transport.http import Client, without_secrets
from openinspector.transport.manifest import (
    LARGEST_MANIFEST,
    MANIFEST,
    SIGNATURE,
    SIGNATURE_SIZE,
    Entry,
    Manifest,
    is_safe,
    key_name,
    read_manifest,
    sign,
    verify,
)

_BLOCK = 1 << 20
_TRIES = 3  # a mirror that is being published may have a new manifest beside an old signature
_PAUSE = 2.0


class Mirror(Struct, frozen=True, kw_only=True):
    """Where everything comes from in place of the publishers: an address, or a folder."""

    where: str
    key: bytes = b""

    @property
    def shown(self) -> str:
        """Its name for people."""
        return self.where if self.folder is not None else without_secrets(self.where).rstrip("/")

    @property
    def folder(self) -> Path | None:
        """The folder that it is, if it is one."""
        if self.where.startswith(("http://", "https://")):
            return None
        return Path(self.where)


def mirror_manifest(mirror: Mirror, folder: Folder, client: Client, budget: Budget) -> Manifest | None:
    """The mirror's manifest, checked; None where it has none and none is needed.

    Raises:
        FeedError: It is not what the key's owner signed, is older than one seen before, or makes no sense.
    """
    for left in reversed(range(_TRIES)):
        data = _read(mirror, MANIFEST, LARGEST_MANIFEST, client)
        if not mirror.key:
            return read_manifest(data, f"{mirror.shown}/{MANIFEST}") if data is not None else None
        signature = _read(mirror, SIGNATURE, SIGNATURE_SIZE, client)
        if data is None or signature is None:
            raise FeedError(
                f"{mirror.shown} has no {MANIFEST if data is None else SIGNATURE}, and a key was given:"
                " nothing of it is used"
            )
        try:
            verify(data, signature, mirror.key, f"{mirror.shown}/{MANIFEST}")
        except FeedError:
            if not left or mirror.folder is not None:
                raise
            budget.pause(_PAUSE)
            continue
        manifest = read_manifest(data, f"{mirror.shown}/{MANIFEST}")
        _remember(mirror, folder, manifest, hashlib.sha256(data).hexdigest())
        return manifest
    raise AssertionError


def mirror_plan(
    mirror: Mirror, manifest: Manifest | None, folder: Folder, feeds: Iterable[Feed], settings: Settings
) -> tuple[list[Item], int]:
    """The documents to be brought from a mirror, and how many of those it names no feed reads."""
    if manifest is not None:
        paths = claimed(feeds, manifest.files, settings)
    elif mirror.folder is not None:
        paths = claimed(feeds, folder_files(mirror.folder), settings)
    else:
        return mirror_items(feeds, settings, mirror.where, folder.state.documents), 0
    base = "" if mirror.folder is not None else mirror.where
    items = []
    for feed, names in paths.items():
        for path in names:
            entry = manifest.files[path] if manifest is not None else Entry(size=-1, sha256="")
            source = mirrored(path, base, optional=False)
            items.append(Item(feed=feed, source=source, size=entry.size, sha256=entry.sha256))
    every = len(manifest.files) if manifest is not None else len(items)
    return items, max(0, every - len({item.source.path for item in items}))


def copy_document(origin: Path, folder: Folder, item: Item, budget: Budget, largest: int) -> Got:
    """Bring one document from a folder up to date.

    Raises:
        FeedError: It is no plain file, too large, or not what the manifest says.
    """
    path = item.source.path
    held = folder.held(path)
    if held is not None and item.sha256 and held.fingerprint.sha256 == item.sha256:
        folder.keep(path, item.feed, held.fingerprint)
        return Got(fingerprint=held.fingerprint, fresh=False)
    partial, target = folder.partial(path), folder.target(path)
    partial.parent.mkdir(parents=True, exist_ok=True)
    forget(partial)
    sha, size = hashlib.sha256(), 0
    try:
        handle = os.open(origin / path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as source, partial.open("wb") as copy:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise FeedError(f"{origin / path} is no plain file")
            while data := source.read(_BLOCK):
                size += len(data)
                budget.spend(len(data))
                if size > largest:
                    raise FeedError(f"{origin / path} is larger than the {largest:,} bytes that are allowed")
                sha.update(data)
                copy.write(data)
        if item.sha256 and (size, sha.hexdigest()) != (item.size, item.sha256):
            raise FeedError(f"{origin / path} is not what the manifest says: its size or digest is another")
        fresh = held is None or held.fingerprint.sha256 != sha.hexdigest()
        if fresh:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.replace(target)
    except OSError as error:
        raise FeedError(f"{origin / path} can't be copied: {error.strerror or error}") from error
    finally:
        forget(partial)
    fingerprint = Fingerprint(origin=origin_of(str(origin)), size=size, sha256=sha.hexdigest())
    folder.keep(path, item.feed, fingerprint)
    return Got(fingerprint=fingerprint, fresh=fresh)


def sign_folder(folder: Path, private: Path, version: int | None, feeds: Iterable[Feed]) -> Manifest:
    """Write a folder's manifest and sign it; the version follows the last one if it isn't given.

    Raises:
        UsageError: The version is no higher than the last one, or the key or folder can't be used.
        FeedError: The folder has no document of any feed, or its manifest makes no sense.
    """
    paths = sorted({path for mine in claimed(feeds, folder_files(folder), Settings()).values() for path in mine})
    if not paths:
        raise FeedError(f"{folder} has no document of any feed (`openinspector db layout` lists what they read)")
    last = 0
    if (folder / MANIFEST).is_file():
        last = read_manifest((folder / MANIFEST).read_bytes(), str(folder / MANIFEST)).version
    version = last + 1 if version is None else version
    if version <= last:
        raise UsageError(f"{folder / MANIFEST} has version {last} already: the next one must be higher")
    files = {}
    for path in paths:
        with (folder / path).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            files[path] = Entry(size=file.tell(), sha256=sha256)
    manifest = Manifest(version=version, created=timestamp(), files=files)
    data = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    read_manifest(data, str(folder / MANIFEST))
    written = {MANIFEST: data, SIGNATURE: sign(data, private)}
    try:
        for name, content in written.items():
            (folder / f"{name}.new").write_bytes(content)
        for name in written:
            (folder / f"{name}.new").replace(folder / name)
    except OSError as error:
        raise UsageError(f"{folder} can't be written: {error.strerror or error}") from error
    return manifest


def folder_files(folder: Path) -> list[str]:
    """Every plain file of a folder by its path, but those in hidden folders.

    Raises:
        FeedError: There is no such folder.
    """
    if not folder.is_dir():
        raise FeedError(f"there is no folder {folder}")
    found = []
    for at, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        inside = Path(at).relative_to(folder)
        paths = [(inside / each).as_posix() for each in sorted(files) if not (Path(at) / each).is_symlink()]
        found += [path for path in paths if is_safe(path)]
    return found


def public_text(key: bytes) -> str:
    """A public key as people pass it on."""
    return base64.b64encode(key).decode()


def _remember(mirror: Mirror, folder: Folder, manifest: Manifest, digest: str) -> None:
    """Versions of one key only grow, and one version is one manifest."""
    name = key_name(mirror.key)
    seen = folder.state.versions.get(name)
    if seen is not None and manifest.version < seen.version:
        raise FeedError(
            f"{mirror.shown} has version {manifest.version} of {manifest.created}, but version {seen.version} was seen"
            " before: somebody serves old advisories, so nothing of it is used"
        )
    if seen is not None and manifest.version == seen.version and digest != seen.sha256:
        raise FeedError(
            f"{mirror.shown}: version {manifest.version} was signed twice, for different documents: nothing of it is"
            " used (sign it again with a higher version)"
        )
    folder.state.versions[name] = SeenVersion(version=manifest.version, sha256=digest)
    folder.save()


def _read(mirror: Mirror, name: str, largest: int, client: Client) -> bytes | None:
    """A small file of the mirror; None where it isn't there."""
    if mirror.folder is not None:
        try:
            with (mirror.folder / name).open("rb") as file:
                data = file.read(largest + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FeedError(f"{mirror.folder / name} can't be read: {error.strerror or error}") from error
        if len(data) > largest:
            raise FeedError(f"{mirror.folder / name} is larger than {largest:,} bytes")
        return data
    answer = client.get(f"{mirror.where.rstrip('/')}/{name}", largest)
    if answer.status in (403, 404, 410):
        return None
    if answer.status != 200:
        raise FeedError(f"{mirror.shown}/{name}: the server answers {answer.status}")
    return answer.body
