"""Images in files: docker archives (`docker save`), OCI archives and OCI layout folders.

The members of an archive are read in place. One that is compressed as a whole is unpacked to a nameless file in the
cache folder first, because its table of contents may come last.

Source: OCI image layout specification 1.1; Docker image specification v1.2 (manifest.json of `docker save`).
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from openinspector.acquire.contract import Reader
from openinspector.acquire.cursor import Cursor, FileCursor, StreamCursor
from openinspector.acquire.image import LayerFile, read_image
from openinspector.acquire.oci import (
    LARGEST_JSON,
    Descriptor,
    choose,
    read_config,
    read_manifest,
    target_of,
)
from openinspector.acquire.stream import Stretch, StretchReader, compression_of, opened, unpack
from openinspector.acquire.tar import index
from openinspector.errors import AcquireError
from openinspector.model.inventory import Inventory

_NESTED_INDEXES = 5


class DockerEntry(msgspec.Struct, frozen=True, rename="pascal"):
    """One image of a docker archive's manifest.json."""

    config: str
    layers: tuple[str, ...]
    repo_tags: tuple[str, ...] | None = None


Find = Callable[[str], Stretch | None]


def read_archive(reader: Reader, path: Path, platform: str = "") -> Inventory:
    """The inventory of the image in a docker or OCI archive.

    Raises:
        AcquireError: It is no such archive, or has no image for the platform.
    """
    with ExitStack() as stack:
        archive = stack.enter_context(opened(path))
        compression = compression_of(archive.read(0, 6))
        if compression:
            archive = _unpacked(reader, stack, archive, compression)
        try:
            members = index(archive)
        except AcquireError as error:
            raise AcquireError(f"{path} is not an image archive: {error}") from error
        return _read(reader, str(path), members.get, platform)


def read_layout(reader: Reader, folder: Path, platform: str = "") -> Inventory:
    """The inventory of the image in an OCI layout folder."""
    with ExitStack() as stack:

        def find(name: str) -> Stretch | None:
            file = folder / name
            if file.is_symlink() or not file.is_file():
                return None
            return stack.enter_context(opened(file, os.O_NOFOLLOW))

        return _read(reader, str(folder), find, platform)


def _unpacked(reader: Reader, stack: ExitStack, packed: Stretch, compression: str) -> Stretch:
    import tempfile

    folder = reader.cache_folder
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        whole = stack.enter_context(tempfile.TemporaryFile(dir=folder))  # noqa: SIM115  the stack closes it
        source = unpack(StretchReader(packed), compression, reader.meter)
        try:
            while piece := source.piece():
                whole.write(piece)
        finally:
            source.close()
        whole.flush()
    except OSError as error:
        raise AcquireError(f"there is no room to unpack the archive: {error.strerror or error}") from error
    return Stretch(whole.fileno(), 0, whole.tell(), packed.key)


def _read(reader: Reader, name: str, find: Find, platform: str) -> Inventory:
    if find("index.json") is not None:
        return _read_oci(reader, name, find, platform)
    if find("manifest.json") is not None:
        return _read_docker(reader, name, find)
    raise AcquireError(
        f"{name} is not an image: it has neither manifest.json (docker save) nor index.json (OCI layout)"
    )


def _read_docker(reader: Reader, name: str, find: Find) -> Inventory:
    try:
        listed = msgspec.json.decode(_json(find, "manifest.json", name), type=tuple[DockerEntry, ...])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AcquireError(f"{name}: manifest.json can't be read: {error}") from error
    if len(listed) != 1:
        raise AcquireError(f"{name} holds {len(listed)} images; save the one to scan alone")
    entry = listed[0]
    config = read_config(_json(find, entry.config, name), name)
    digest = entry.config.removesuffix(".json").rpartition("/")[2]
    blobs = tuple(Descriptor(digest=each) for each in entry.layers)
    target = target_of(name, f"sha256:{digest}", config, blobs, tuple(entry.repo_tags or ()))
    return read_image(reader, target, [_layer(reader, find, each, each) for each in entry.layers])


def _read_oci(reader: Reader, name: str, find: Find, platform: str) -> Inventory:
    manifest = read_manifest(_json(find, "index.json", name), name)
    digest = ""
    tags: tuple[str, ...] = ()
    for _ in range(_NESTED_INDEXES):
        if manifest.config is not None:
            break
        chosen = choose(manifest.manifests, platform, name)
        digest = chosen.digest
        tag = (chosen.annotations or {}).get("org.opencontainers.image.ref.name")
        tags = (tag,) if tag else tags
        manifest = read_manifest(_json(find, _blob_path(digest), name), name)
    if manifest.config is None:
        raise AcquireError(f"{name}: indexes are nested more than {_NESTED_INDEXES} deep")
    config = read_config(_json(find, _blob_path(manifest.config.digest), name), name)
    target = target_of(name, digest, config, manifest.layers, tags)
    layers = [_layer(reader, find, _blob_path(each.digest), each.digest) for each in manifest.layers]
    return read_image(reader, target, layers)


def _blob_path(digest: str) -> str:
    """Where a layout keeps a blob; the digest comes from a document, so it is looked at first."""
    algorithm, _, value = digest.partition(":")
    if algorithm not in ("sha256", "sha512") or not value.isalnum():
        raise AcquireError(f"{digest[:100]!r} is not a digest")
    return f"blobs/{algorithm}/{value}"


def _json(find: Find, path: str, name: str) -> bytes:
    document = find(path)
    if document is None:
        raise AcquireError(f"{name}: {path} is missing")
    if len(document) > LARGEST_JSON:
        raise AcquireError(f"{name}: {path} is larger than {LARGEST_JSON:,} bytes")
    return bytes(document)


def _layer(reader: Reader, find: Find, path: str, name: str) -> LayerFile:
    blob = find(path)
    if blob is None:
        raise AcquireError(f"the layer {name} is missing from the archive")

    def open_layer() -> Cursor:
        compression = compression_of(blob.read(0, 6))
        return StreamCursor(unpack(StretchReader(blob), compression, reader.meter)) if compression else FileCursor(blob)

    return LayerFile(name=name, key=blob.key, open=open_layer)
