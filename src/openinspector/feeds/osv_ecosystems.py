"""OSV's names of package universes, as namespaces of the advisory file.

`Debian:12` → `debian:12`, `PyPI` → `pypi`, `Red Hat:rhel_eus:9.2::appstream` → `redhat:9` with repository `eus:9.2`,
`Ubuntu:Pro:18.04:LTS` → `ubuntu:18.04` with an ESM repository (which one only the purl says).

Source: https://ossf.github.io/osv-schema/#affectedpackage-field
"""

import re
from functools import lru_cache
from typing import Final, Literal

import msgspec
from msgspec import Struct

from openinspector.feeds.debian_releases import namespace_of_release
from openinspector.model.ecosystem import TYPE_OF_OSV


class Place(Struct, frozen=True, kw_only=True):
    """Where an affected entry belongs.

    `kind` says whether the publisher names source or binary packages; `language` tells a language ecosystem from a
    distribution.
    """

    namespace: str
    kind: Literal["binary", "source"] = "binary"
    repository: str = ""
    language: bool = False


# Products on top of plain RHEL with package names of their own (`rh-python38-…`, `kernel-rt`): nobody who does not use
# them has such a package, so they need no repository.
_RHEL_LAYERS: Final = ("rhel_extras", "rhel_software_collections", "rhel_dotnet", "devtools")
_RHEL_STREAMS: Final = ("eus", "aus", "tus", "e4s", "els", "eus_long_life")

_SLES: Final = re.compile(r"Linux Enterprise .*?(\d+)(?: SP(\d+))?(-[A-Z0-9-]+)?$")
_NUMBERED: Final = re.compile(r"\d+\.\d+$")
_DISTRO_QUALIFIER: Final = re.compile(r"[?&]distro=([a-z-]+)/([a-z-]+)")
_ROCKY_GROUP: Final = re.compile(r"[?&]distro=rocky-linux-\d+-(sig-[a-z]+)")


@lru_cache(maxsize=4096)
def family_of(ecosystem: str) -> str:
    """The part before the release: `Red Hat` of `Red Hat:enterprise_linux:9::appstream`."""
    return ecosystem.partition(":")[0]


@lru_cache(maxsize=4096)
def place_of(ecosystem: str) -> Place | None:
    """Where entries of this ecosystem belong; None for a universe, product or release that we don't judge from OSV."""
    family, _, rest = ecosystem.partition(":")
    if family in TYPE_OF_OSV:
        return Place(namespace=TYPE_OF_OSV[family], language=True)
    reader = _DISTRIBUTIONS.get(family)
    return reader(rest) if reader else None


@lru_cache(maxsize=4096)
def within_repository(place: Place, purl: str) -> Place:
    """A place with the repository that only the purl names.

    `…&distro=esm-infra/xenial` of Ubuntu Pro is `esm-infra`; `…?distro=rocky-linux-8-sig-cloud` is the one of a special
    interest group, whose kernels are numbered beside the release's own.
    """
    repository = place.repository
    if repository == "esm" and (found := _DISTRO_QUALIFIER.search(purl)):
        # The first ESM archive of 14.04 is written the other way round, `trusty/esm`.
        repository = "esm-infra" if found[2] == "esm" else found[1]
    elif place.namespace.startswith("rocky:") and (found := _ROCKY_GROUP.search(purl)):
        repository = found[1]
    return place if repository == place.repository else msgspec.structs.replace(place, repository=repository)


def _debian(release: str) -> Place | None:
    namespace = namespace_of_release(release)
    return Place(namespace=namespace, kind="source") if namespace else None


def _ubuntu(rest: str) -> Place | None:
    release, repository = "", []
    for part in rest.split(":"):
        if _NUMBERED.match(part):
            release = part
        elif part not in ("LTS", "Pro"):
            repository.append(part.lower())
    if not release:
        return None
    if not repository and rest.startswith("Pro:"):
        repository = ["esm"]
    return Place(namespace=f"ubuntu:{release}", kind="source", repository=":".join(repository))


def _alpine(release: str) -> Place | None:
    return Place(namespace=f"alpine:{release.removeprefix('v')}", kind="source") if release else None


def _red_hat(rest: str) -> Place | None:
    """A CPE's tail: product, release, and after `::` the variant."""
    product, _, tail = rest.partition(":")
    release, _, variant = tail.partition("::")
    if product == "enterprise_linux":
        major = release.partition(".")[0]
        return Place(namespace=f"redhat:{major}") if major.isdigit() else None
    stream = product.removeprefix("rhel_")
    if stream in _RHEL_STREAMS and release[:1].isdigit():
        return Place(namespace=f"redhat:{release.partition('.')[0]}", repository=f"{stream}:{release}")
    if product.startswith(_RHEL_LAYERS):
        major = variant.removeprefix("el") if variant.startswith("el") else release.partition(".")[0]
        if major.isdigit():
            return Place(namespace=f"redhat:{major}", repository=f"els:{major}" if product.endswith("_els") else "")
    return None


def _rocky(release: str) -> Place | None:
    # Rocky's export names what was built (`kernel`, `java-11-openjdk`), never the many packages of a build.
    return Place(namespace=f"rocky:{release.partition('.')[0]}", kind="source") if release[:1].isdigit() else None


def _alma(release: str) -> Place | None:
    return Place(namespace=f"almalinux:{release.partition('.')[0]}") if release[:1].isdigit() else None


def _suse(product: str) -> Place | None:
    found = _SLES.match(product)
    if found is None:
        return None
    extension = (found[3] or "").lstrip("-").lower()
    return Place(namespace=f"sles:{found[1]}.{found[2] or '0'}", repository=extension)


def _opensuse(rest: str) -> Place | None:
    if rest == "Tumbleweed":
        return Place(namespace="opensuse-tumbleweed")
    release = rest.removeprefix("Leap ")
    return Place(namespace=f"opensuse-leap:{release}") if _NUMBERED.match(release) else None


def _amazon(release: str) -> Place | None:
    return Place(namespace=f"amazon:{release}") if release in ("1", "2", "2022", "2023") else None


def _wolfi(_rest: str) -> Place:
    return Place(namespace="wolfi", kind="source")


def _chainguard(_rest: str) -> Place:
    return Place(namespace="chainguard", kind="source")


_DISTRIBUTIONS: Final = {
    "Debian": _debian,
    "Ubuntu": _ubuntu,
    "Alpine": _alpine,
    "Red Hat": _red_hat,
    "Rocky Linux": _rocky,
    "AlmaLinux": _alma,
    "Amazon Linux": _amazon,
    "SUSE": _suse,
    "openSUSE": _opensuse,
    "Wolfi": _wolfi,
    "Chainguard": _chainguard,
}

FAMILIES: Final = (*TYPE_OF_OSV, *_DISTRIBUTIONS)
