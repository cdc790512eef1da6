"""A package's name as a package URL: `pkg:deb/debian/curl@7.88.1-10?arch=amd64&distro=debian-12`.

The form is the canonical one (`packageurl` reads it and writes the same again), written directly because a report
holds thousands.

Source: https://github.com/package-url/purl-spec (PURL-SPECIFICATION and types/). Beyond the types' own qualifiers
we write `distro` and `upstream` (the source package) for packages of distributions and `rpmmod` (the RPM module),
as other scanners do. Go module paths keep their case, as in the reference implementation: they are case-sensitive
to everybody who looks them up.
"""

import re
from functools import lru_cache
from typing import Final

from openinspector.model.distro import Distribution
from openinspector.model.package import Package

_PLAIN: Final = re.compile(r"[A-Za-z0-9.\-_~:]*").fullmatch
_KEY: Final = re.compile(r"[a-z.\-_][a-z0-9.\-_]*").fullmatch
_PYPI_SEPARATORS: Final = re.compile(r"[-_.]+")
_PUB_ODD: Final = re.compile(r"[^a-z0-9]")

# os-release's ID → the vendor's name in package URLs, where they differ.
_VENDORS: Final = {
    "rhel": "redhat",
    "opensuse-leap": "opensuse",
    "opensuse-tumbleweed": "opensuse",
    "sles": "suse",
    "sled": "suse",
    "sles_sap": "suse",
}


def purl(package: Package, distribution: Distribution | None) -> str:
    """The package URL; "" for a package without a name.

    `distribution` names the vendor of deb, rpm and apk packages, which is left out where it isn't known.
    """
    if not package.name.strip():
        return ""
    if package.type in ("deb", "rpm", "apk"):
        return _of_distribution(package, distribution)
    namespace, name, version, subpath = _parts(package)
    text = (
        f"pkg:{package.type}/{_path(namespace)}/{_quoted(name)}" if namespace else f"pkg:{package.type}/{_quoted(name)}"
    )
    if version:
        text = f"{text}@{_quoted(version)}"
    if package.qualifiers:
        text += _qualifiers(dict(package.qualifiers))
    return f"{text}#{_path(subpath)}" if subpath else text


def _of_distribution(package: Package, distribution: Distribution | None) -> str:
    vendor, distro = _vendor(distribution) if distribution else ("", "")
    name, version, epoch = package.name, package.version, ""
    if package.type == "rpm":
        before, colon, rest = version.partition(":")
        if colon and before.isdigit():
            epoch, version = before.lstrip("0"), rest
    else:
        name = name.lower()
    text = f"pkg:{package.type}/{vendor}{_quoted(name)}"
    if version:
        text = f"{text}@{_quoted(version)}"
    qualifiers = dict(package.qualifiers) if package.qualifiers else {}
    qualifiers |= {
        "arch": package.arch,
        "distro": distro,
        "epoch": epoch,
        "rpmmod": package.module,
        "upstream": _upstream(package),
    }
    return text + _qualifiers(qualifiers)


@lru_cache(maxsize=64)
def _vendor(distribution: Distribution) -> tuple[str, str]:
    """The namespace with its slash, and the `distro` qualifier (`debian-12`, `debian-sid`)."""
    identity = distribution.id.strip().lower()
    if not identity:
        return "", ""
    release = distribution.version or distribution.codename
    return f"{_quoted(_VENDORS.get(identity, identity))}/", f"{identity}-{release}" if release else identity


def _upstream(package: Package) -> str:
    """The source package, with its version where that differs; for rpm the name of its file; "" for our own name."""
    source = package.source
    if source is None or not source.name:
        return ""
    if package.type == "rpm":
        return f"{source.name}-{source.version.rpartition(':')[2]}.src.rpm" if source.version else source.name
    if source.version and source.version != package.version:
        return f"{source.name}@{source.version}"
    return source.name if source.name != package.name else ""


def _parts(package: Package) -> tuple[str, str, str, str]:
    """Namespace, name, version and subpath by the rules of a type."""
    name, version = package.name.strip("/ "), package.version
    match package.type:
        case "npm":
            scope, slash, rest = name.partition("/")
            return (scope, rest.lower(), version, "") if slash else ("", name.lower(), version, "")
        case "maven":
            group, colon, artifact = name.rpartition(":")
            return group if colon else "", artifact, version, ""
        case "golang":
            if name in ("stdlib", "toolchain"):
                version = version.removeprefix("go")
            path, _, last = name.rpartition("/")
            return path, last, version, ""
        case "pypi":
            return "", _PYPI_SEPARATORS.sub("-", name).lower(), version, ""
        case "composer" | "hex":
            path, _, last = name.lower().rpartition("/")
            return path, last, version, ""
        case "pub":
            return "", _PUB_ODD.sub("_", name.lower()), version, ""
        case "swift":
            path, _, last = name.partition("://")[2].rpartition("/") if "://" in name else name.rpartition("/")
            return path, last.removesuffix(".git"), version, ""
        case "cocoapods":
            pod, _, subspec = name.partition("/")
            return "", pod, version, subspec
        case "cargo" | "gem" | "nuget" | "conda" | "conan":
            return "", name, version, ""
        case _:
            path, _, last = name.rpartition("/")
            return path, last, version, ""


def _qualifiers(values: dict[str, str]) -> str:
    """`?key=value&…` in the order of the keys; empty values and impossible keys are left out."""
    pairs = [f"{key}={_quoted(values[key])}" for key in sorted(values) if values[key].strip() and _KEY(key)]
    return "?" + "&".join(pairs) if pairs else ""


def _path(text: str) -> str:
    """Segments between slashes, each encoded; empty ones and those that mean another folder are left out."""
    if _PLAIN(text) and text not in (".", ".."):
        return text
    return "/".join(_quoted(each) for each in text.split("/") if each.strip() and each not in (".", ".."))


def _quoted(text: str) -> str:
    """Percent-encoded, but for a colon."""
    if _PLAIN(text):
        return text
    from urllib.parse import quote

    return quote(text, safe=":", errors="replace")
