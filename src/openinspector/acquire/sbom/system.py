"""Which distribution an SBOM speaks of: its operating system component, and what package URLs say of themselves.

Both are brought into the words of os-release, so that one place (`catalog/distribution.py`) knows the releases. Tools
call distributions by os-release's ID (`rhel`, `amzn`), by names of their own (Trivy: `redhat`, `amazon`), or by title
(`Debian GNU/Linux 12 (bookworm)`).
"""

import re
from typing import Final

from openinspector.acquire.sbom.record import Component
from openinspector.catalog.distribution import identify
from openinspector.model.distro import Distribution

Release = tuple[str, str, str]  # os-release's ID, VERSION_ID and VERSION_CODENAME

_IDS: Final = {
    "redhat": "rhel",
    "red hat enterprise linux": "rhel",
    "red hat": "rhel",
    "centos": "centos",
    "amazon": "amzn",
    "amazon linux": "amzn",
    "oracle": "ol",
    "alma": "almalinux",
    "rocky": "rocky",
    "cbl-mariner": "mariner",
    "azure linux": "azurelinux",
    "microsoft azure linux": "azurelinux",
    "suse linux enterprise": "sles",
    "suse": "sles",
    "opensuse.leap": "opensuse-leap",
    "opensuse leap": "opensuse-leap",
    "opensuse.tumbleweed": "opensuse-tumbleweed",
    "opensuse tumbleweed": "opensuse-tumbleweed",
    "vmware photon": "photon",
}
# The vendor part of a package URL names the maker, whose one distribution this is.
_ID_OF_VENDOR: Final = {"redhat": "rhel", "amazon": "amzn", "oracle": "ol", "suse": "sles", "alma": "almalinux"}

# Source: https://wiki.ubuntu.com/Releases; os-release has the number, old package URLs have the name.
_UBUNTU: Final = {
    "trusty": "14.04",
    "xenial": "16.04",
    "bionic": "18.04",
    "focal": "20.04",
    "jammy": "22.04",
    "mantic": "23.10",
    "noble": "24.04",
    "oracular": "24.10",
    "plucky": "25.04",
    "questing": "25.10",
}
_TITLE_AT_MOST: Final = 200
_NUMBER: Final = re.compile(r"\d[\w.]*")


def of_component(system: Component) -> Distribution | None:
    """The distribution that an operating system component names; None where it has no name."""
    said = dict(system.properties)
    name = said.get("syft:distro:id") or said.get("aquasecurity:trivy:Type") or system.name
    id_ = _id(name)
    if not id_:
        return None
    version = said.get("syft:distro:versionID") or system.version or _first_number(name)
    codename = said.get("syft:distro:versionCodename") or said.get("openinspector:codename", "")
    title = said.get("syft:distro:prettyName") or system.description or (system.name if " " in system.name else "")
    return _identified((id_, _first_number(version), codename), title[:_TITLE_AT_MOST])


def of_release(release: Release) -> Distribution | None:
    """The distribution of a release that a package URL names."""
    return _identified(release, "")


def release_of(vendor: str, distro: str) -> Release | None:
    """What the vendor and the `distro` qualifier of a package URL name: `debian-12`, `3.19.1`, `jammy`, `amazon-2 (K)`.

    None where neither says anything.
    """
    vendor_id = _ID_OF_VENDOR.get(vendor, vendor)
    distro = distro.strip().lower()
    if not distro:
        return (vendor_id, "", "") if vendor_id else None
    if distro[0].isdigit():
        return (vendor_id, _first_number(distro), "") if vendor_id else None
    name, dash, rest = _split(distro)
    if dash:
        return _id(name), _first_number(rest), ""
    name, dash, rest = distro.partition("-")
    if dash and rest.isalpha() and _id(distro) == distro and name in ("debian", "ubuntu", "alpine"):
        return name, _UBUNTU.get(rest, ""), rest
    if vendor_id in ("debian", "ubuntu") and distro != vendor_id:
        return vendor_id, _UBUNTU.get(distro, ""), distro
    return _id(distro), "", ""


def _split(distro: str) -> tuple[str, str, str]:
    """Name and version: `opensuse-leap-15.5` → `opensuse-leap`, `15.5`; no dash where no version follows one."""
    found = re.match(r"(.+?)-v?(\d.*)", distro)
    return (found[1], "-", found[2]) if found else (distro, "", "")


def _id(name: str) -> str:
    """os-release's ID by any of the names of a distribution."""
    name = " ".join(name.lower().replace("+", " ").split())
    if name in _IDS:
        return _IDS[name]
    if " " not in name:
        return name
    by_title = max((each for each in _IDS if name.startswith(each + " ")), key=len, default="")
    return _IDS[by_title] if by_title else name.partition(" ")[0]


def _first_number(text: str) -> str:
    """`2023.3` of `2023.3 (Amazon Linux)`."""
    found = _NUMBER.search(text)
    return found[0] if found else ""


def _identified(release: Release, title: str) -> Distribution | None:
    id_, version, codename = release
    facts = {"ID": id_, "VERSION_ID": version, "VERSION_CODENAME": codename, "NAME": title or id_}
    if title:
        facts["PRETTY_NAME"] = title
    return identify([("os-release", {name: value for name, value in facts.items() if value})])
