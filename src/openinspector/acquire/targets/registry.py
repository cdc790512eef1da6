"""An image in a registry: its documents are read whole, its layers stream from the network through one pass.

Nothing is believed that isn't verified: each document and layer against its digest, each unpacked layer against the
diff id that the verified configuration gives. A layer is kept under its diff id, and one that is already kept is not
fetched.
"""

from openinspector.acquire.contract import Reader
from openinspector.acquire.cursor import Cursor, StreamCursor
from openinspector.acquire.image import LayerFile, read_image
from openinspector.acquire.limits import Meter
from openinspector.acquire.oci import (
    LARGEST_JSON,
    MEDIA_TYPES,
    Descriptor,
    choose,
    read_config,
    read_manifest,
    target_of,
)
from openinspector.acquire.stream import Buffer, Source, compression_of, unpack
from openinspector.errors import AcquireError
from openinspector.model.inventory import Inventory
from openinspector.transport.http import Client, Reply
from openinspector.transport.registry import Registry, Sum, allows_plain_http, parse_reference

_NESTED_INDEXES = 5
_LAYERS_AT_MOST = 1000  # builders stop at 127
_HEAD = 6  # bytes that tell the compression


def read_registry(reader: Reader, name: str, platform: str = "") -> Inventory:
    """The inventory of an image in a registry; `name` as `transport.registry.parse_reference` reads it.

    Raises:
        UsageError: `name` is no reference.
        AcquireError: The registry doesn't give the image, there is none for the platform, or a document is not what
            its digest says. A layer that fails makes the inventory partial instead.
    """
    reference = parse_reference(name)
    with Client(AcquireError, allows_plain_http) as client:
        registry = Registry(client, reference)
        data, digest = registry.manifest(reference.digest or reference.tag, MEDIA_TYPES, LARGEST_JSON)
        manifest = read_manifest(data, name)
        for _ in range(_NESTED_INDEXES):
            if manifest.config is not None:
                break
            if not manifest.manifests:
                raise AcquireError(f"{name} is neither an image nor an index (schema 1 images aren't read)")
            chosen = choose(manifest.manifests, platform, name)
            # The digest names the path of the request: a tag in its place would not be verified.
            Sum(chosen.digest, name)
            data, digest = registry.manifest(chosen.digest, MEDIA_TYPES, LARGEST_JSON)
            manifest = read_manifest(data, name)
        if manifest.config is None:
            raise AcquireError(f"{name}: indexes are nested more than {_NESTED_INDEXES} deep")
        config = read_config(registry.document(manifest.config.digest, LARGEST_JSON), name)
        diff_ids = config.rootfs.diff_ids
        if len(diff_ids) != len(manifest.layers) or len(diff_ids) > _LAYERS_AT_MOST:
            raise AcquireError(
                f"{name} is not an image that can be read:"
                f" {len(manifest.layers)} layers, {len(diff_ids)} diff ids (at most {_LAYERS_AT_MOST})"
            )
        wanted = platform.split("/") if platform else []
        if config.platform.split("/")[: len(wanted)] != wanted:
            raise AcquireError(f"{name} is for {config.platform or 'an unknown platform'}, not for {platform}")
        target = target_of(name, digest, config, manifest.layers, (reference.tag,) if reference.tag else ())
        layers = [
            _layer(reader, registry, blob, diff_id) for blob, diff_id in zip(manifest.layers, diff_ids, strict=True)
        ]
        return read_image(reader, target, layers)


def _layer(reader: Reader, registry: Registry, blob: Descriptor, diff_id: str) -> LayerFile:
    def open_layer() -> Cursor:
        unpacked = Sum(diff_id, f"the layer {blob.digest}, unpacked")
        packed = Sum(blob.digest, f"the layer {blob.digest}")
        file = _Blob(registry.blob(blob.digest), packed, blob.size or reader.limits.bytes_out, reader.meter)
        try:
            source = unpack(file, compression_of(file.head()), reader.meter)
        except BaseException:
            file.close()
            raise
        return StreamCursor(_Checked(source, file, unpacked))

    return LayerFile(name=blob.digest, key=f"diff:{diff_id}", open=open_layer)


class _Blob:
    """A layer as it comes from the network: summed, and no longer than was promised."""

    def __init__(self, reply: Reply, content: Sum, largest: int, meter: Meter) -> None:
        self._reply, self._content, self._meter = reply, content, meter
        self._left = largest
        self._head = b""

    def head(self) -> bytes:
        """The first bytes, left in place."""
        while len(self._head) < _HEAD:
            piece = self._fetch(-1)
            if not piece:
                break
            self._head += piece
        return self._head[:_HEAD]

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size`; b"" at the end."""
        if not self._head:
            return self._fetch(size)
        end = len(self._head) if size < 0 else size
        data, self._head = self._head[:end], self._head[end:]
        return data

    def finish(self) -> None:
        """Reads what the decompressor left, and raises `AcquireError` if all of it isn't what was asked for."""
        while self._fetch(-1):
            pass
        self._content.check()

    def close(self) -> None:
        """Lets go of the connection."""
        self._reply.close()

    def _fetch(self, size: int) -> bytes:
        self._meter.time()  # here, because a layer sent a byte at a time would never fill a piece
        data = self._reply.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise AcquireError("the layer is larger than the manifest says")
        self._content.update(data)
        return data


class _Checked:
    """An unpacked layer whose end is the judgement over it.

    The tar reader stops where the archive says it ends; closing reads what is left, so that a layer passes for good
    only when all its bytes are those that were asked for.
    """

    def __init__(self, source: Source, blob: _Blob, unpacked: Sum) -> None:
        self._source, self._blob, self._unpacked = source, blob, unpacked
        self._failed = False

    def piece(self) -> Buffer:
        """The next piece."""
        try:
            piece = self._source.piece()
        except BaseException:
            self._failed = True  # closing must not hide why
            raise
        self._unpacked.update(piece)
        return piece

    def close(self) -> None:
        """Lets go of everything; raises `AcquireError` for a layer that is not what its digests say."""
        try:
            if not self._failed:
                while self.piece():
                    pass
                self._blob.finish()
                self._unpacked.check()
        finally:
            self._source.close()
            self._blob.close()
