"""SBOMs as targets: CycloneDX JSON and SPDX JSON become an inventory from their purls.

A component without a purl, or with one that makes no sense, is counted as a problem: it can't be judged.

Source: CycloneDX 1.6 (components, nested components); SPDX 2.3 section 7.21 (external references); purl specification.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from openinspector.catalog.distribution import identify
from openinspector.errors import AcquireError
from openinspector.model.inventory import Inventory, Target
from openinspector.model.package import Location, Package, SourcePackage
from openinspector.model.problem import Problem

_LARGEST = 512 << 20
_DEEPEST = 64


def read_sbom(path: Path) -> Inventory:
    """The inventory that an SBOM tells of.

    Raises:
        AcquireError: It is neither CycloneDX JSON nor SPDX JSON.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise AcquireError(f"{path} is larger than {_LARGEST:,} bytes")
        document = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError, RecursionError) as error:
        raise AcquireError(
            f"{path} can't be read as an SBOM: {error} (CycloneDX JSON and SPDX JSON are understood)"
        ) from error
    if isinstance(document, dict) and document.get("bomFormat") == "CycloneDX":
        named, system = list(_cyclonedx(document.get("components"), 0)), _system(document)
    elif isinstance(document, dict) and "spdxVersion" in document:
        named, system = list(_spdx(document)), None
    else:
        raise AcquireError(f"{path} is neither CycloneDX JSON nor SPDX JSON")
    packages: dict[Package, None] = {}
    problems = []
    release = system
    for name, purl in named:
        read = _package(purl, name) if purl else "it has no purl"
        if isinstance(read, str):
            problems.append(Problem(path=name, reason=read, format="sbom"))
            continue
        package, distro = read
        packages[package] = None
        release = release or distro
    return Inventory(
        target=Target(kind="sbom", name=str(path)),
        packages=tuple(packages),
        distribution=identify([("os-release", release)]) if release else None,
        problems=tuple(problems),
    )


def _cyclonedx(components: Any, depth: int) -> Iterator[tuple[str, str]]:
    """The names and purls of components, those within others too."""
    if not isinstance(components, list) or depth > _DEEPEST:
        return
    for each in components:
        if not isinstance(each, dict):
            continue
        if each.get("type") not in ("operating-system", "file"):
            yield str(each.get("name", "?")), _text(each.get("purl"))
        yield from _cyclonedx(each.get("components"), depth + 1)


def _system(document: dict[str, Any]) -> dict[str, str] | None:
    """What a CycloneDX document says of the distribution, in os-release's words."""
    components = document.get("components")
    for each in components if isinstance(components, list) else ():
        if isinstance(each, dict) and each.get("type") == "operating-system":
            return {"ID": _text(each.get("name")).lower(), "VERSION_ID": _text(each.get("version"))}
    return None


def _spdx(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    packages = document.get("packages")
    described = document.get("documentDescribes")
    for each in packages if isinstance(packages, list) else ():
        if not isinstance(each, dict):
            continue
        references = each.get("externalRefs")
        purls = [
            _text(reference.get("referenceLocator"))
            for reference in (references if isinstance(references, list) else ())
            if isinstance(reference, dict) and reference.get("referenceType") == "purl"
        ]
        if not purls and isinstance(described, list) and each.get("SPDXID") in described:
            continue  # what the document is about, not a package in it
        if not purls and each.get("primaryPackagePurpose") in (
            "CONTAINER",
            "OPERATING-SYSTEM",
            "OPERATING_SYSTEM",
            "FILE",
        ):
            continue
        yield _text(each.get("name")) or "?", purls[0] if purls else ""


def _package(text: str, name: str) -> tuple[Package, dict[str, str] | None] | str:
    """A package from its purl and what the purl says of the distribution, or why it can't be one."""
    from packageurl import PackageURL

    try:
        purl = PackageURL.from_string(text)
    except ValueError as error:
        return f"its purl makes no sense: {error}"
    if not purl.version:
        return "its purl has no version"
    said = purl.qualifiers if isinstance(purl.qualifiers, dict) else {}
    space = purl.namespace or ""
    version = purl.version
    source = None
    release = None
    if purl.type in ("deb", "rpm", "apk"):
        if said.get("epoch") and ":" not in version:
            version = f"{said['epoch']}:{version}"
        source = _source(said.get("upstream", ""), version)
        distro, dash, number = said.get("distro", "").partition("-")
        if dash and number[:1].isdigit():
            release = {"ID": distro, "VERSION_ID": number}
        full = purl.name
    elif purl.type == "maven":
        full = f"{space}:{purl.name}" if space else purl.name
    else:
        full = f"{space}/{purl.name}" if space else purl.name
    package = Package(
        type=purl.type,
        name=full,
        version=version,
        arch=said.get("arch", ""),
        source=source,
        module=said.get("rpmmod", ""),
        format="sbom",
        location=Location(path=name),
    )
    return package, release


def _source(upstream: str, version: str) -> SourcePackage | None:
    """The source package of an `upstream` qualifier: `openssl`, `openssl@1.1.1`, `openssl-1.1.1-1.src.rpm`."""
    if not upstream:
        return None
    if upstream.endswith(".src.rpm"):
        parts = upstream.removesuffix(".src.rpm").rsplit("-", 2)
        return SourcePackage(name=parts[0], version="-".join(parts[1:])) if len(parts) == 3 else None
    name, _, own = upstream.partition("@")
    return SourcePackage(name=name, version=own or version)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
