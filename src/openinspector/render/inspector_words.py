"""What Amazon Inspector calls things: severities, package managers, versions with a fix, titles, platforms, sources.

Source: the Inspector API reference (VulnerablePackage, Finding) and findings as the service publishes them.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from openinspector.model.distro import Distribution
from openinspector.model.finding import (
    FindingType,
    FixAvailable,
    NetworkReachability,
    PackageVulnerability,
    Severity,
)
from openinspector.model.inventory import Target
from openinspector.model.match import Finding, SeverityWord
from openinspector.model.package import OS_TYPES, Package
from openinspector.model.spelling import package_title, split_version
from openinspector.render.text import cut, identity, one_line, page_of

SEVERITY: Final[dict[SeverityWord, Severity]] = {
    "critical": "CRITICAL",
    "high": "HIGH",
    "medium": "MEDIUM",
    "low": "LOW",
    "negligible": "INFORMATIONAL",
    "unknown": "UNTRIAGED",
}

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

# Whose records a distribution's packages are judged by, and where that publisher's page about a CVE is.
_SOURCES: Final = {
    "amazon": ("AMAZON_CVE", "https://alas.aws.amazon.com/cve/html/{}.html"),
    "debian": ("DEBIAN_CVE", "https://security-tracker.debian.org/tracker/{}"),
    "ubuntu": ("UBUNTU_CVE", "https://ubuntu.com/security/{}"),
    "redhat": ("REDHAT_CVE", "https://access.redhat.com/security/cve/{}"),
}
_PAGES: Final = dict(_SOURCES.values())
# Who assigned a vector, in the feeds' words.
_SCORERS: Final = {
    "nvd": "NVD",
    "ghsa": "GITHUB",
    "amazon": "AMAZON_CVE",
    "debian": "DEBIAN_CVE",
    "ubuntu": "UBUNTU_CVE",
    "redhat": "REDHAT_CVE",
    "red hat": "REDHAT_CVE",
    "pysec": "PYSEC",
    "rustsec": "RUSTSEC",
}
_VENDOR_NAMES: Final = {
    "alpine": "ALPINE_LINUX",
    "almalinux": "ALMALINUX",
    "amazon": "AMAZON_LINUX",
    "azurelinux": "AZURE_LINUX",
    "oracle": "ORACLE_LINUX",
    "redhat": "RHEL",
    "rocky": "ROCKY_LINUX",
    "sles": "SUSE_SERVER",
}
_ODD: Final = re.compile(r"[^A-Z0-9]+")
_CVE: Final = re.compile(r"CVE-\d{4}-\d{4,19}").fullmatch

# By what a network path begins with.
_GATES: Final = {
    "AWS::EC2::InternetGateway": "Internet Gateway",
    "AWS::EC2::VPCPeeringConnection": "VPC Peering Connection",
    "AWS::EC2::VPNGateway": "Virtual Private Gateway",
    "AWS::DirectConnect::VirtualInterface": "Direct Connect",
}
_INTERFACE: Final = "AWS::EC2::NetworkInterface"
_INSTANCE: Final = "AWS::EC2::Instance"


def fixed_in(finding: Finding) -> str:
    """The version with the fix of a match, as `full_version` writes it; "" without a fix."""
    return full_version(finding.match.package, finding.match.fixed_version)


def full_version(package: Package, version: str) -> str:
    """`0:5.10.130-118.517.amzn2` for a version of a distribution's package, the plain version for others."""
    if not version or package.type not in OS_TYPES:
        return version
    parts = split_version(replace(package, version=version))
    return f"{parts.epoch}:{parts.version}-{parts.release}" if parts.release else f"{parts.epoch}:{parts.version}"


def package_manager(package: Package) -> str:
    """A word of Inspector's enumeration; for types that it doesn't know the type itself, in capitals."""
    if package.type in OS_TYPES:
        return "OS"
    by_format = _MANAGER_OF_FORMAT.get(package.format)
    return by_format or _MANAGER_OF_TYPE.get(package.type, package.type.upper())


def architecture(package: Package) -> str:
    """`X86_64`, `NOARCH`; "" where it isn't known."""
    return package.arch.upper()


def finding_id(target: Target, vulnerability: str) -> str:
    """The 32 digits of a finding's ARN: the same for each scan of the same target, whatever was built into it since."""
    return identity(target.kind, target.name, vulnerability).replace("-", "")


def finding_type(details: PackageVulnerability | NetworkReachability) -> FindingType:
    """What kind of finding has these details."""
    return "PACKAGE_VULNERABILITY" if isinstance(details, PackageVulnerability) else "NETWORK_REACHABILITY"


def title(vulnerability: str, packages: Iterable[Package]) -> str:
    """`CVE-2023-1 - libssl3, openssl and 2 more`."""
    return package_title(vulnerability, (each.name for each in packages))


def description(finding: Finding) -> str:
    """The advisory's text, at most 1024 characters, never empty."""
    about = finding.vulnerability
    return cut(about.description.strip() or one_line(about.title) or about.id, 1024)


def source(finding: Finding) -> str:
    """Whose record it is: `DEBIAN_CVE`, `GITHUB`, `NVD`; `OSV` for what only a language's own database has."""
    family = _family(finding)
    if family in _SOURCES:
        return _SOURCES[family][0]
    name = finding.vulnerability.id
    if name.startswith("CVE-"):
        return "NVD"
    return "GITHUB" if name.startswith("GHSA-") else "OSV"


def _family(finding: Finding) -> str:
    return finding.match.evidence[0].namespace.partition(":")[0] if finding.match.evidence else ""


def source_page(finding: Finding) -> str:
    """The page of that record, "" where there is none."""
    about = finding.vulnerability
    pages = _PAGES.get(source(finding))
    return pages.format(about.id) if pages and _CVE(about.id) else page_of(about.id, about.url)


def scorer(source: str) -> str:
    """Who assigned a vector, in the words of `source` where those have one: `NVD`, `GITHUB`, `CISA-ADP`."""
    return _SCORERS.get(source.lower(), source) or "unknown"


def vendor_severity(finding: Finding) -> str:
    """The publisher's own word in its own letter case, "" where it says none."""
    word = finding.match.vendor_severity or next((said for _, said in finding.vulnerability.severities), "")
    return word.strip()


def related(findings: Iterable[Finding]) -> list[str]:
    """Advisories that speak of a vulnerability: `DSA-5532-1`, `USN-6450-1`."""
    return list(dict.fromkeys(name for each in findings for name in each.match.related))


def fix_available(findings: Sequence[Finding]) -> FixAvailable:
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


def network_title(exposed: NetworkReachability) -> str:
    """`Port 22 is reachable from an Internet Gateway - TCP`, `Port range 80-443 is …`."""
    first, last = exposed.first_port, exposed.last_port
    ports = f"Port {first}" if first == last else f"Port range {first}-{last}"
    gate = _gate(exposed)
    article = "an" if gate[0] in "AEIOU" else "a"
    return f"{ports} is reachable from {article} {gate} - {exposed.protocol}"


def network_description(exposed: NetworkReachability) -> str:
    """Which ports of which instance are open, to what, and through which interface."""
    source = next((each.component_id for each in exposed.path), "")
    instance = component(exposed, _INSTANCE)
    interface = component(exposed, _INTERFACE)
    said = f"On the instance {instance}, the port range " if instance else "The port range "
    said += f"{exposed.first_port}-{exposed.last_port} ({exposed.protocol}) is reachable from the {_gate(exposed)}"
    said += f" {source}" if source else ""
    said += f" through the network interface {interface}." if interface else "."
    return cut(said, 1024)


def network_key(exposed: NetworkReachability) -> str:
    """`igw-01/TCP/eni-01/22-22`: what tells this open way from the other ones of an instance."""
    source = next((each.component_id for each in exposed.path), "")
    interface = component(exposed, _INTERFACE)
    return f"{source}/{exposed.protocol}/{interface}/{exposed.first_port}-{exposed.last_port}"


def _gate(exposed: NetworkReachability) -> str:
    kind = exposed.path[0].component_type if exposed.path else ""
    return _GATES.get(kind) or " ".join(re.findall(r"[A-Z]+[a-z0-9]*", kind.rpartition("::")[2])) or "Gateway"


def component(exposed: NetworkReachability, kind: str) -> str:
    """The id of the innermost component of a kind on a path, "" without one."""
    return next((each.component_id for each in reversed(exposed.path) if each.component_type == kind), "")


def platform(distribution: Distribution | None) -> str:
    """`DEBIAN_12`, `AMAZON_LINUX_2023`; "" where it isn't known."""
    if distribution is None:
        return ""
    family = distribution.family or distribution.id
    # CentOS is judged by Red Hat's advisories, but is not Red Hat's product.
    name = "CENTOS" if distribution.id == "centos" else _VENDOR_NAMES.get(family, family)
    release = distribution.namespace.partition(":")[2] or distribution.version
    return _ODD.sub("_", f"{name}_{release}".upper()).strip("_")
