"""What was found on a resource."""

from typing import Final, Literal

from msgspec import Struct

from openinspector.model.distro import Distribution
from openinspector.model.package import Package
from openinspector.model.problem import Problem

INVENTORY_FORMAT: Final = "openinspector-inventory/1"  # what a document that holds an `Inventory` calls itself

Status = Literal["whole", "partial", "failed"]
Kind = Literal["host", "directory", "image", "lambda", "sbom"]


class Layer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One layer of an image: its diff id, the digest of its blob, and the command that made it."""

    diff_id: str
    digest: str = ""
    created_by: str = ""


class Target(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was scanned. `digest` is the image's config or manifest digest, or the archive's."""

    kind: Kind
    name: str
    digest: str = ""
    platform: str = ""  # "linux/amd64"
    tags: tuple[str, ...] = ()
    layers: tuple[Layer, ...] = ()
    running_kernel: str = ""  # `uname -r` of a running host


class Inventory(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The packages of a target, and every doubt about them.

    A partial inventory lacks something that it should have; a failed one could not be made.
    """

    target: Target
    packages: tuple[Package, ...] = ()
    distribution: Distribution | None = None
    problems: tuple[Problem, ...] = ()
    repositories: tuple[str, ...] = ()  # known to be enabled: Amazon Linux extras topics, Red Hat's `eus:9.2`
    status: Status = "whole"
