"""Which distribution a tree is, by what its release files say.

Only what a system says of itself counts. A derivative (Linux Mint, Kali, Raspbian) rebuilds, patches and renumbers
packages, so the advisories of the distribution that it is like (`ID_LIKE`) would be wrong in both directions: it is
named, and a reason says that its own advisories aren't known.
"""

import re
from collections.abc import Sequence
from typing import Final

from openinspector.model.distro import FAMILIES, Distribution
from openinspector.model.eol import end_of_life

Facts = Sequence[tuple[str, dict[str, str]]]

# os-release ID → family. Red Hat's own rebuilds of itself are told apart below.
_FAMILY_OF_ID: Final = {
    "debian": "debian",
    "ubuntu": "ubuntu",
    "alpine": "alpine",
    "wolfi": "wolfi",
    "chainguard": "chainguard",
    "amzn": "amazon",
    "rhel": "redhat",
    "centos": "redhat",
    "rocky": "rocky",
    "almalinux": "almalinux",
    "ol": "oracle",
    "fedora": "fedora",
    "sles": "sles",
    "sles_sap": "sles",
    "sled": "sles",
    "sle_hpc": "sles",
    "sle-hpc": "sles",
    "opensuse-leap": "opensuse-leap",
    "opensuse-tumbleweed": "opensuse-tumbleweed",
    "opensuse-microos": "opensuse-tumbleweed",  # the same packages, installed in another way
    "photon": "photon",
    "azurelinux": "azurelinux",
    "mariner": "mariner",
    "bottlerocket": "bottlerocket",
}

# Source: https://www.debian.org/releases/; those that are not released yet are left out, they are the unreleased suite.
_DEBIAN_RELEASES: Final = {
    "squeeze": "6",
    "wheezy": "7",
    "jessie": "8",
    "stretch": "9",
    "buster": "10",
    "bullseye": "11",
    "bookworm": "12",
    "trixie": "13",
}

# The first line of `redhat-release`, `system-release` …, and the os-release ID that it stands for.
_TEXTS: Final = (
    (r"Red Hat Enterprise Linux", "rhel"),
    (r"CentOS", "centos"),
    (r"Rocky Linux", "rocky"),
    (r"AlmaLinux", "almalinux"),
    (r"Oracle Linux|Enterprise Linux Enterprise Linux Server", "ol"),
    (r"Fedora", "fedora"),
    (r"Amazon Linux", "amzn"),
    (r"SUSE Linux Enterprise", "sles"),
    (r"openSUSE", "opensuse"),
    (r"VMware Photon", "photon"),
    (r"CBL-Mariner", "mariner"),
    (r"AzureLinux|Azure Linux|Microsoft Azure Linux", "azurelinux"),
)
# The most telling first: Oracle Linux has a redhat-release that names Red Hat.
_TEXT_FACTS: Final = (
    "oracle-release", "rocky-release", "almalinux-release", "centos-release", "fedora-release", "system-release",
    "redhat-release", "SuSE-release", "photon-release", "azurelinux-release", "mariner-release",
)  # fmt: skip


def identify(facts: Facts) -> Distribution | None:
    """The distribution that the facts of a tree (`catalog/formats/os_release.py`) name, None where they name none."""
    release = _os_release(facts) or _lsb_release(facts) or _text_release(facts)
    if release is None:
        return None
    id_, version = release.get("ID", ""), release.get("VERSION_ID", "")
    family = _FAMILY_OF_ID.get(id_.lower(), "")
    # openSUSE 42 was the first Leap, before it had an ID of its own.
    if id_ == "opensuse" and version.startswith("42."):
        family = "opensuse-leap"
    codename = release.get("VERSION_CODENAME") or _codename(release)
    namespace, reason = "", ""
    if not family:
        reason = f"the advisories of {release.get('NAME') or id_} are not known, and no other distribution's apply"
    else:
        name, reason = _release_of(family, version, codename, release, facts)
        if not reason:
            namespace = f"{family}:{name}" if name else family
    return Distribution(
        id=id_,
        version=version,
        codename=codename,
        title=release.get("PRETTY_NAME") or " ".join(filter(None, (release.get("NAME", id_), version))),
        family=family,
        namespace=namespace,
        reason=reason,
        end_of_life=_end(id_, namespace, release),
    )


def _release_of(family: str, version: str, codename: str, release: dict[str, str], facts: Facts) -> tuple[str, str]:
    """What the family calls the release ("" for a rolling one), and why it can't be named."""
    rule = FAMILIES[family].release
    if rule == "rolling":
        return "", ""
    if family == "debian":
        return _debian_release(version, codename, _text(facts, "debian_version"), release)
    if family == "alpine":
        version = version or _text(facts, "alpine-release")
        # Between two releases edge is the next one's alpha: 3.21.0_alpha20240807.
        if "_alpha" in version or "edge" in (version, codename) or release.get("PRETTY_NAME", "").endswith(" edge"):
            return "edge", ""
    if family == "amazon" and re.match(r"201\d\.\d\d", version):
        return "1", ""  # Amazon Linux AMI counted by year and month
    parts = re.match(r"(\d+)(\.\d+)?", version)
    if parts is None:
        return "", f"the release of {FAMILIES[family].title} is not stated"
    return (parts[1] if rule == "major" else parts[0]), ""


def _debian_release(version: str, codename: str, text: str, release: dict[str, str]) -> tuple[str, str]:
    """Debian's release: by number, else by codename; what is not released is `sid`.

    Testing and unstable say the same of themselves (`forky/sid`), until testing gets its number shortly before it is
    released.
    """
    number = re.match(r"\d+", version) or re.match(r"\d+", text)
    if number:
        return number[0], ""
    name = codename or text.partition("/")[0]
    if name in _DEBIAN_RELEASES:
        return _DEBIAN_RELEASES[name], ""
    if text.endswith("/sid") or "sid" in (name, text) or release.get("PRETTY_NAME", "").endswith("/sid"):
        return "sid", ""
    return "", "the release of Debian is not stated"


def _end(id_: str, namespace: str, release: dict[str, str]) -> str:
    if id_ == "centos":
        number = namespace.partition(":")[2]
        return end_of_life(f"centos-stream:{number}" if "Stream" in release.get("NAME", "") else f"centos:{number}")
    return end_of_life(namespace)


def _os_release(facts: Facts) -> dict[str, str] | None:
    """os-release of `etc`, else of `usr/lib`; None where there is none with an ID."""
    found = [fact for name, fact in facts if name == "os-release" and fact.get("ID")]
    found.sort(key=lambda fact: fact.get("_path", "") != "etc/os-release")
    if not found:
        return None
    release = dict(found[0])
    # Red Hat CoreOS counts its own releases, and says on which of Red Hat Enterprise Linux it stands.
    if release["ID"] == "rhcos" and release.get("RHEL_VERSION"):
        release |= {"ID": "rhel", "VERSION_ID": release["RHEL_VERSION"]}
    return release


def _lsb_release(facts: Facts) -> dict[str, str] | None:
    for name, fact in facts:
        if name == "lsb-release" and fact.get("DISTRIB_ID"):
            return {
                "ID": fact["DISTRIB_ID"].lower(),
                "NAME": fact["DISTRIB_ID"],
                "VERSION_ID": fact.get("DISTRIB_RELEASE", ""),
                "VERSION_CODENAME": fact.get("DISTRIB_CODENAME", ""),
                "PRETTY_NAME": fact.get("DISTRIB_DESCRIPTION", ""),
            }
    return None


def _text_release(facts: Facts) -> dict[str, str] | None:
    """What the files before os-release say, in the words of os-release."""
    for fact in _TEXT_FACTS:
        text = _text(facts, fact)
        for pattern, id_ in _TEXTS:
            if re.match(pattern, text):
                return {
                    "ID": id_,
                    "PRETTY_NAME": text.splitlines()[0],
                    "VERSION_ID": _version_in(text),
                    "NAME": text[:40],
                }
    for fact in _TEXT_FACTS:
        # `Scientific Linux release 7.9 (Nitrogen)`: none that we know, but it has a name.
        other = re.match(r"(([A-Za-z][\w-]{0,40})[\w .-]{0,60}?) release \d", _text(facts, fact))
        if other:
            return {"ID": other[2].lower(), "NAME": other[1], "VERSION_ID": _version_in(_text(facts, fact))}
    if version := _text(facts, "alpine-release"):
        return {"ID": "alpine", "NAME": "Alpine Linux", "VERSION_ID": version}
    # Last, because every derivative of Debian has this file.
    if version := _text(facts, "debian_version"):
        numbered = version if version[0].isdigit() else ""
        codename = "" if numbered else version.partition("/")[0]
        return {"ID": "debian", "NAME": "Debian", "VERSION_ID": numbered, "VERSION_CODENAME": codename}
    return _cpe_release(facts)


def _cpe_release(facts: Facts) -> dict[str, str] | None:
    """`cpe:/o:redhat:enterprise_linux:6server:ga:server`, `cpe:2.3:o:amazon:amazon_linux:2`."""
    text = _text(facts, "system-release-cpe")
    match = re.match(r"cpe:(?:/|2\.3:)o:([^:]*):[^:]*:([\d.]*)", text)
    ids = {"redhat": "rhel", "centos": "centos", "amazon": "amzn", "oracle": "ol", "fedoraproject": "fedora"}
    ids |= {"rocky": "rocky", "almalinux": "almalinux"}
    if match is None or match[1] not in ids:
        return None
    return {"ID": ids[match[1]], "VERSION_ID": match[2], "PRETTY_NAME": text}


def _version_in(text: str) -> str:
    """The first number of a release text; SuSE-release has its service pack on a line of its own."""
    number = re.search(r"\d+(\.\d+)*", text)
    version = number[0] if number else ""
    level = re.search(r"PATCHLEVEL\s*=\s*(\d+)", text)
    return f"{version}.{level[1]}" if level and level[1] != "0" else version


def _codename(release: dict[str, str]) -> str:
    """The word that Debian and Ubuntu put in brackets, `7 (wheezy)`; others put other things there."""
    if release.get("ID") not in ("debian", "ubuntu"):
        return ""
    match = re.search(r"\((\w+)[^)]*\)", release.get("VERSION", ""))
    return match[1].lower() if match else ""


def _text(facts: Facts, name: str) -> str:
    return next((fact.get("text", "").strip() for known, fact in facts if known == name), "")
