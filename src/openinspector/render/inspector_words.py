"""What Amazon Inspector calls things: severities, package managers, versions in parts, titles, platforms, sources.

Source: the Inspector API reference (VulnerablePackage, Finding) and findings as the service publishes them.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from openinspector.model.distro import Distribution
from openinspector.model.inventory import Target
from openinspector.model.match import Finding, SeverityWord
from openinspector.model.package import Package
from openinspector.render.text import cut, identity, one_line

SEVERITY: Final[dict[SeverityWord, str]] = {
    "critical": "CRITICAL",
    "high": "HIGH",
    "medium": "MEDIUM",
    "low": "LOW",
    "negligible": "INFORMATIONAL",
    "unknown": "UNTRIAGED",
}

_OS_TYPES: Final = frozenset({"deb", "rpm", "apk"})

# By the plug-in that read the package, else by its type.
_MANAGER_OF_FORMAT: Final = {
    "pypi.metadata": "PYTHONPKG",
    "pypi.egg": "PYTHONPKG",
    "pypi.requirements": "PIP",
    "pypi.pylock": "PIP",
    "pypi.pipfile-lock": "PIPENV",
    "pypi.poetry-lock": "POETRY",
    "npm.package": "NODEPKG",
    "npm.yarn": "YARN",
    "maven.pom": "POM",
    "go.binary": "GOBINARY",
    "go.mod": "GOMOD",
    "gem.gemspec": "GEMSPEC",
    "gem.lock": "BUNDLER",
    "nuget.deps-json": "DOTNET_CORE",
}
_MANAGER_OF_TYPE: Final = {
    "pypi": "PIP",
    "npm": "NPM",
    "maven": "JAR",
    "golang": "GOMOD",
    "gem": "BUNDLER",
    "cargo": "CARGO",
    "nuget": "NUGET",
    "composer": "COMPOSER",
}

_SOURCES: Final = {
    "amazon": "AMAZON_CVE",
    "debian": "DEBIAN_CVE",
    "ubuntu": "UBUNTU_CVE",
    "redhat": "REDHAT_CVE",
}
_VENDOR_NAMES: Final = {
    "alpine": "ALPINE_LINUX",
    "almalinux": "ALMALINUX",
    "amazon": "AMAZON_LINUX",
    "oracle": "ORACLE_LINUX",
    "redhat": "RHEL",
    "rocky": "ROCKY_LINUX",
    "sles": "SUSE_SERVER",
}
_ODD: Final = re.compile(r"[^A-Z0-9]+")


class Version(NamedTuple):
    """A distribution's version in parts: `1:2.4-3.amzn2` is epoch 1, version 2.4, release 3.amzn2."""

    epoch: int
    version: str
    release: str


def split_version(package: Package) -> Version:
    """The parts; a language package's version has but one."""
    return _split(package.version) if package.type in _OS_TYPES else Version(0, package.version, "")


def _split(text: str) -> Version:
    before, colon, rest = text.partition(":")
    # Nobody's epoch has more digits, and int() is slow on very long ones.
    if colon and before.isascii() and before.isdigit() and len(before) <= 9:
        epoch, text = int(before), rest
    else:
        epoch = 0
    version, _, release = text.rpartition("-")
    return Version(epoch, version, release) if version else Version(epoch, text, "")


def fixed_in(finding: Finding) -> str:
    """`0:5.10.130-118.517.amzn2` for a distribution's package, the plain version for others; "" without a fix."""
    fixed = finding.match.fixed_version
    if not fixed or finding.match.package.type not in _OS_TYPES:
        return fixed
    parts = _split(fixed)
    return f"{parts.epoch}:{parts.version}-{parts.release}" if parts.release else f"{parts.epoch}:{parts.version}"


def package_manager(package: Package) -> str:
    """A word of Inspector's enumeration; for types that it doesn't know the type itself, in capitals."""
    if package.type in _OS_TYPES:
        return "OS"
    by_format = _MANAGER_OF_FORMAT.get(package.format)
    return by_format or _MANAGER_OF_TYPE.get(package.type, package.type.upper())


def architecture(package: Package) -> str:
    """`X86_64`, `NOARCH`; "" where it isn't known."""
    return package.arch.upper()


def finding_id(target: Target, vulnerability: str) -> str:
    """The 32 digits of a finding's ARN: the same for each scan of the same target, whatever was built into it since."""
    return identity(target.kind, target.name, vulnerability).replace("-", "")


def title(vulnerability: str, packages: Iterable[Package]) -> str:
    """`CVE-2023-1 - libssl3, openssl and 2 more`."""
    names = list(dict.fromkeys(one_line(each.name) for each in packages))
    said = ", ".join(names[:2])
    if len(names) > 2:
        said += f" and {len(names) - 2} more"
    return cut(f"{vulnerability} - {said}", 1024)


def description(finding: Finding) -> str:
    """The advisory's text, at most 1024 characters, never empty."""
    about = finding.vulnerability
    return cut(about.description.strip() or one_line(about.title) or about.id, 1024)


def source(finding: Finding) -> str:
    """Whose record it is: `DEBIAN_CVE`, `GITHUB`, `NVD`."""
    family = finding.match.evidence[0].namespace.partition(":")[0] if finding.match.evidence else ""
    if family in _SOURCES:
        return _SOURCES[family]
    return "GITHUB" if finding.vulnerability.id.startswith("GHSA-") else "NVD"


def fix_available(findings: Sequence[Finding]) -> str:
    """`YES` when all packages have a fix, `PARTIAL` when some do, else `NO`."""
    fixed = sum(1 for each in findings if each.match.fixed_version)
    if fixed == len(findings):
        return "YES"
    return "PARTIAL" if fixed else "NO"


def exploit_available(finding: Finding) -> str:
    """`YES` when a public exploit is known, or the flaw is known to be exploited."""
    about = finding.vulnerability
    return "YES" if about.exploits or about.kev is not None else "NO"


def last_exploited(finding: Finding) -> str:
    """The latest day on which an exploit was recorded, as a moment; "" where none is."""
    about = finding.vulnerability
    days = [each.date for each in about.exploits]
    if about.kev is not None:
        days.append(about.kev.date_added)
    day = max(days, default="")[:10]
    return f"{day}T00:00:00Z" if day else ""


def platform(distribution: Distribution | None) -> str:
    """`DEBIAN_12`, `AMAZON_LINUX_2023`; "" where it isn't known."""
    if distribution is None:
        return ""
    family = distribution.family or distribution.id
    name = _VENDOR_NAMES.get(family, family)
    release = distribution.namespace.partition(":")[2] or distribution.version
    return _ODD.sub("_", f"{name}_{release}".upper()).strip("_")
