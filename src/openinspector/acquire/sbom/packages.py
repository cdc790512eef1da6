"""Packages from the entries of an SBOM.

A package URL says which package it is. What it lacks (the source package, the module) is taken from other tools' own
properties.

Source: https://github.com/package-url/purl-spec (types and qualifiers); Trivy's properties (`aquasecurity:trivy:…`)
and qualifiers (`epoch`, `modularitylabel`); Syft's (`upstream`, `rpmmod`, `syft:location:…`); Amazon Inspector's SBOM
generator (`source`, `amazon:inspector:sbom_generator:…`), and its exports (type `dpkg`, `arch=AMD64`).
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from openinspector.acquire.sbom.purl import Purl, parse
from openinspector.acquire.sbom.record import Component
from openinspector.acquire.sbom.system import Release, release_of
from openinspector.model.package import OS_TYPES, Location, Package, SourcePackage

_PURL_AT_MOST: Final = 8192
_TRIVY: Final = "aquasecurity:trivy:"
_TYPES: Final = {"alpine": "apk", "dpkg": "deb"}  # what other tools call them
_GENERATED_FROM: Final = "amazon:inspector:sbom_generator:source_path"
_KEPT: Final = ("build", "channel", "platform", "subdir", "user")  # qualifiers that tell packages apart
_SOURCE_RPM: Final = re.compile(r"(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm")
# How SPDX by Trivy, and how ours, names a source package in words.
_BUILT_FROM: Final = re.compile(r"(?:built package from:|acquired by .*?; built from) (\S+) ([^\s;]+)", re.DOTALL)


class Told(Struct, frozen=True):
    """What one package URL told: the package, once for each place, and the release that it is of."""

    packages: tuple[Package, ...]
    release: Release | None


def packages_of(component: Component, text: str) -> Told | str:
    """What a package URL of a component tells, or the reason why it tells nothing, for several in the plural."""
    if len(text) > _PURL_AT_MOST:
        return "components with an endless package URL"
    purl = parse(text)
    if purl is None:
        return "components with a package URL that makes no sense"
    version = purl.version or component.version
    if not version:
        return "components without a version"
    said = purl.qualifiers
    type_ = _TYPES.get(purl.type, purl.type)
    properties = dict(component.properties)
    package = Package(
        type=type_,
        name=_name(type_, purl, component),
        version=version.removeprefix("v") if purl.name in ("stdlib", "toolchain") else version,
        arch=said.get("arch", "") or properties.get("openinspector:arch", ""),
        repository=properties.get("openinspector:repository", ""),
        vendor=component.supplier,
        license=component.license,
        dev=component.development or properties.get("openinspector:dev") == "true",
        digest=component.digest,
        qualifiers=tuple((key, said[key]) for key in _KEPT if said.get(key)),
        format="sbom",
        location=Location(path=component.name),
    )
    release = None
    if type_ in OS_TYPES:
        package = _of_distribution(package, said, properties, component.origin)
        release = release_of(purl.namespace.lower(), said.get("distro", ""))
    return Told(tuple(_placed(package, component, properties)), release)


def _name(type_: str, purl: Purl, component: Component) -> str:
    """The name that the package manager uses."""
    space, name, below = purl.namespace, purl.name, purl.subpath
    if type_ in OS_TYPES:
        return name
    if type_ == "maven":
        return f"{space}:{name}" if space else name
    full = f"{space}/{name}" if space else name
    if below and (type_ == "cocoapods" or component.name == f"{full}/{below}"):
        return f"{full}/{below}"  # a pod's part, or how Syft writes Go modules of more than three steps
    # Package URLs of npm are in small letters, names in its registry are not always.
    if type_ == "npm":
        return next((each for each in (component.full_name, component.name) if each.lower() == full.lower()), full)
    return full


def _of_distribution(package: Package, said: dict[str, str], properties: dict[str, str], origin: str) -> Package:
    """With epoch, source package and module."""
    epoch = said.get("epoch", "")
    version = package.version
    if epoch.strip("0") and epoch.isascii() and epoch.isdigit() and ":" not in version:
        version = f"{epoch.lstrip('0')}:{version}"
    source = (
        _upstream(said.get("upstream", "") or said.get("source", ""), version)
        or _source_of_trivy(properties)
        or _source_of_ours(properties)
        or _source_in_words(origin)
    )
    module = (
        said.get("rpmmod")
        or said.get("modularitylabel")
        or properties.get(f"{_TRIVY}Modularitylabel")
        or properties.get("syft:metadata:modularityLabel")
        or properties.get("openinspector:module", "")
    )
    return msgspec.structs.replace(package, version=version, arch=package.arch.lower(), source=source, module=module)


def _upstream(upstream: str, version: str) -> SourcePackage | None:
    """The source package of an `upstream` qualifier: `openssl`, `openssl@1.1.1`, `openssl-1.1.1-1.src.rpm`.

    The name of a source RPM has no epoch; that of the binary package stands in, as everywhere.
    """
    if not upstream:
        return None
    if upstream.endswith("src.rpm"):
        found = _SOURCE_RPM.fullmatch(upstream)
        if found is None:
            return None
        epoch, colon, _ = version.partition(":")
        return SourcePackage(name=found[1], version=f"{epoch}:{found[2]}" if colon else found[2])
    name, _, own = upstream.partition("@")
    return SourcePackage(name=name, version=own or version) if name else None


def _source_of_trivy(properties: dict[str, str]) -> SourcePackage | None:
    name, version = properties.get(f"{_TRIVY}SrcName", ""), properties.get(f"{_TRIVY}SrcVersion", "")
    if not name or not version:
        return None
    release, epoch = properties.get(f"{_TRIVY}SrcRelease", ""), properties.get(f"{_TRIVY}SrcEpoch", "")
    version = f"{version}-{release}" if release else version
    return SourcePackage(name=name, version=f"{epoch}:{version}" if epoch.strip("0") else version)


def _source_of_ours(properties: dict[str, str]) -> SourcePackage | None:
    name, _, version = properties.get("openinspector:source", "").partition(" ")
    return SourcePackage(name=name, version=version) if name and version else None


def _source_in_words(origin: str) -> SourcePackage | None:
    found = _BUILT_FROM.match(origin)
    return SourcePackage(name=found[1], version=found[2]) if found else None


def _placed(package: Package, component: Component, properties: dict[str, str]) -> Sequence[Package]:
    """Once for each place that the component names; its own name stands in for one."""
    places = component.places
    if not places:
        # What Syft names first of a distribution's package is its copyright file.
        syft = properties.get("syft:location:0:path", "") if package.type not in OS_TYPES else ""
        path = syft or properties.get(f"{_TRIVY}FilePath") or properties.get(_GENERATED_FROM) or component.name
        places = ((path.lstrip("/"), component.owner),)
    return [
        msgspec.structs.replace(
            package,
            location=Location(path=path),
            owner="" if package.type in OS_TYPES else owner,
        )
        for path, owner in dict.fromkeys(places)
    ]
