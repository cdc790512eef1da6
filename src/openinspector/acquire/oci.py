"""The documents of the OCI image specification, and which image of an index is meant.

Source: OCI image specification 1.1 (descriptor, manifest, index, config); Docker image manifest version 2, schema 2.
"""

import platform as machine
from typing import Any

import msgspec

from openinspector.errors import AcquireError
from openinspector.model.inventory import Layer, Target

LARGEST_JSON = 16 << 20

MEDIA_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


class Descriptor(msgspec.Struct, frozen=True, rename="camel"):
    """A reference to content by digest."""

    digest: str
    media_type: str = ""
    size: int = 0
    platform: dict[str, Any] | None = None
    annotations: dict[str, str] | None = None


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """An image manifest (`config` and `layers`), or an index (`manifests`)."""

    media_type: str = ""
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    manifests: tuple[Descriptor, ...] = ()


class History(msgspec.Struct, frozen=True):
    """How one layer was made."""

    created_by: str = ""
    empty_layer: bool = False


class RootFs(msgspec.Struct, frozen=True):
    """The layers' diff ids, the lowest first."""

    diff_ids: tuple[str, ...] = ()


class Config(msgspec.Struct, frozen=True):
    """What an image's configuration says of it."""

    architecture: str = ""
    os: str = ""
    variant: str = ""
    rootfs: RootFs = RootFs()
    history: tuple[History, ...] | None = None

    @property
    def platform(self) -> str:
        """`linux/arm64/v8`."""
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


def own_platform() -> str:
    """This machine's, as images are named: `linux/amd64`."""
    return f"linux/{_MACHINES.get(machine.machine(), machine.machine())}"


def read_manifest(data: bytes, what: str) -> Manifest:
    """A manifest or index from its bytes.

    Raises:
        AcquireError: It is none.
    """
    try:
        return msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AcquireError(f"{what}: the image manifest can't be read: {error}") from error


def read_config(data: bytes, what: str) -> Config:
    """An image configuration from its bytes.

    Raises:
        AcquireError: It is none.
    """
    try:
        return msgspec.json.decode(data, type=Config)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AcquireError(f"{what}: the image configuration can't be read: {error}") from error


def choose(manifests: tuple[Descriptor, ...], platform: str, what: str) -> Descriptor:
    """The image of an index that is for a platform; `platform` "" means this machine's, or the only one there is.

    Raises:
        AcquireError: There is none; the message lists those there are.
    """
    images = [each for each in manifests if not _is_attestation(each)]
    wanted = (platform or own_platform()).split("/")
    for each in images:
        if _platform(each)[: len(wanted)] == wanted:
            return each
    if len(images) == 1 and not platform:
        return images[0]
    there = ", ".join(sorted("/".join(_platform(each)) for each in images)) or "none"
    raise AcquireError(f"{what}: there is no image for {'/'.join(wanted)}; there are: {there} (choose with --platform)")


def target_of(name: str, digest: str, config: Config, blobs: tuple[Descriptor, ...], tags: tuple[str, ...]) -> Target:
    """What is scanned, with the history of its layers."""
    made = [each.created_by for each in config.history or () if not each.empty_layer]
    layers = []
    for at, blob in enumerate(blobs):
        diff_id = config.rootfs.diff_ids[at] if at < len(config.rootfs.diff_ids) else blob.digest
        layers.append(Layer(diff_id=diff_id, digest=blob.digest, created_by=made[at] if at < len(made) else ""))
    return Target(kind="image", name=name, digest=digest, platform=config.platform, tags=tags, layers=tuple(layers))


def _platform(descriptor: Descriptor) -> list[str]:
    said = descriptor.platform or {}
    parts = [str(said.get(key) or "") for key in ("os", "architecture", "variant")]
    return [part for part in parts if part]


def _is_attestation(descriptor: Descriptor) -> bool:
    return (descriptor.annotations or {}).get("vnd.docker.reference.type") == "attestation-manifest"
