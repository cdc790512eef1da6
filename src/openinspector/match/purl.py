"""Whether a package URL that somebody wrote means a package that we found.

What the URL leaves out is not asked: without a version it means every version, without qualifiers every architecture.
What it says must agree, and a qualifier that we can't check does not agree: a statement that may mean something else
clears nothing. Names are compared as their ecosystem compares them, versions by their scheme (1.0 is 1.0.0 to pip).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from openinspector.errors import VersionError
from openinspector.model.distro import Distribution
from openinspector.model.ecosystem import ECOSYSTEMS, canonical_name, scheme_of
from openinspector.model.package import OS_TYPES, Package
from openinspector.model.purl import Purl
from openinspector.versions.order import compare

Same = Callable[[str, str], bool]  # (as written, as found)
Key = tuple[str, str]  # type and name: what must be equal before anything else is asked

# Where a package may be had, or how it is packed: no part of which package it is.
_HINTS: Final = frozenset("repository_url download_url vcs_url file_name checksum checksums type".split())
_SOURCE: Final = frozenset({"source", "src"})
# Names by which package URLs call the vendors of packages, besides our own and os-release's.
_VENDORS: Final = {
    "amazon": ("amzn", "amazonlinux"),
    "redhat": ("rhel",),
    "oracle": ("ol", "oraclelinux"),
    "rocky": ("rocky-linux", "rockylinux"),
    "almalinux": ("alma",),
    "sles": ("suse",),
    "opensuse-leap": ("opensuse",),
    "opensuse-tumbleweed": ("opensuse",),
    "azurelinux": ("azl", "microsoft"),
    "mariner": ("cbl-mariner", "microsoft"),
}


def equal(written: str, found: str) -> bool:
    """The plain comparison of names."""
    return written == found


def means(written: Purl, package: Package, distribution: Distribution | None, same: Same = equal) -> bool:
    """Whether a package URL means a package; `same` compares names and versions, for patterns otherwise than plainly.

    A distribution's source package (`arch=src`) means the binary packages built from it.
    """
    if written.type != package.type:
        return False
    name, version = package.name, package.version
    called = _model_name(written)
    if package.type in OS_TYPES:
        if written.qualifier("arch") in _SOURCE and package.source is not None:
            name, version = package.source.name, package.source.version or version
        if written.namespace and (distribution is None or written.namespace.lower() not in _vendors(distribution)):
            return False
    elif written.subpath and package.type != "cocoapods":
        return False  # a part of the package
    if not same(_folded(package.type, called), _folded(package.type, name)):
        return False
    if written.version and not _same_version(written, package, version, same):
        return False
    return all(
        _agrees(key, value, package, distribution)
        for key, value in written.qualifiers
        if key != "epoch" or not written.version
    )


def key_of(written: Purl) -> Key:
    """What a package must be called to be meant."""
    return written.type, _folded(written.type, _model_name(written))


def keys_of(package: Package) -> tuple[Key, ...]:
    """What a package URL that means a package may call it: its name, and its source package's."""
    own = (package.type, _folded(package.type, package.name))
    if package.source is None or package.type not in OS_TYPES:
        return (own,)
    return own, (package.type, _folded(package.type, package.source.name))


def version_is(package: Package, versions: tuple[str, ...]) -> bool:
    """Whether a package has one of these versions."""
    return any(each == package.version or _equal_by_scheme(package, each, package.version) for each in versions)


def _model_name(written: Purl) -> str:
    """The name as `Package.name` has it."""
    if written.type in OS_TYPES:
        return written.name
    if written.type == "maven":
        return f"{written.namespace}:{written.name}" if written.namespace else written.name
    name = f"{written.namespace}/{written.name}" if written.namespace else written.name
    return f"{name}/{written.subpath}" if written.type == "cocoapods" and written.subpath else name


@lru_cache(maxsize=1 << 16)
def _folded(type_: str, name: str) -> str:
    """Two names that mean one package are equal. npm and Go tell letter case apart, package URLs of them don't."""
    name = canonical_name(type_, name)
    return name.lower() if type_ in ("npm", "golang", "deb", "apk", "conda") else name


def _same_version(written: Purl, package: Package, found: str, same: Same) -> bool:
    wanted = written.version
    if package.type in OS_TYPES:
        epoch = written.qualifier("epoch")
        if epoch and ":" not in wanted:
            wanted = f"{epoch}:{wanted}"
        if ":" not in wanted:
            found = _without_epoch(found)  # who leaves it out doesn't mean another one
    return wanted == found or same(wanted, found) or _equal_by_scheme(package, wanted, found)


def _without_epoch(version: str) -> str:
    before, colon, rest = version.partition(":")
    return rest if colon and before.isascii() and before.isdigit() else version


def _equal_by_scheme(package: Package, one: str, other: str) -> bool:
    if package.type in OS_TYPES:
        scheme = package.type
    elif package.type in ECOSYSTEMS:
        scheme = scheme_of(package.type, package.name)
    else:
        return False
    if scheme == "gotoolchain":
        one, other = (each if each.startswith("go") else f"go{each}" for each in (one, other))
    try:
        return compare(scheme, one, other) == 0
    except VersionError:
        return False


def _agrees(key: str, value: str, package: Package, distribution: Distribution | None) -> bool:
    if key == "arch":
        return value == package.arch or (value in _SOURCE and package.type in OS_TYPES)
    if key == "epoch":
        epoch = package.version.partition(":")[0] if ":" in package.version else "0"
        return value.lstrip("0") == epoch.lstrip("0")
    if key in ("distro", "distro_name"):
        return distribution is not None and _is_release(value, distribution)
    if key == "upstream":
        source = package.source.name if package.source is not None else package.name
        return value == source or value.startswith((f"{source}@", f"{source}-"))
    if key in ("rpmmod", "modularitylabel"):
        return bool(package.module) and value.split(":")[:2] == package.module.split(":")[:2]
    own = dict(package.qualifiers)
    return own[key] == value if key in own else key in _HINTS


@lru_cache(maxsize=64)
def _vendors(distribution: Distribution) -> frozenset[str]:
    said = (distribution.id, distribution.family, *_VENDORS.get(distribution.family, ()))
    return frozenset(each.lower() for each in said if each)


@lru_cache(maxsize=4096)
def _is_release(text: str, distribution: Distribution) -> bool:
    """Whether `debian-12`, `debian-12.5`, `bookworm`, `esm-infra/bionic` or `12` is this release."""
    text = text.lower().rpartition("/")[2]
    release = distribution.namespace.partition(":")[2].lower()
    vendors = _vendors(distribution)
    vendor = next((each for each in sorted(vendors, key=len, reverse=True) if text.startswith(f"{each}-")), "")
    number = text[len(vendor) + 1 :] if vendor else text
    if distribution.namespace and not release:  # a rolling one
        return bool(vendor) or number in vendors
    known = {distribution.version.lower(), distribution.codename.lower(), release} - {""}
    return number in known or bool(release and number.startswith(f"{release}."))
