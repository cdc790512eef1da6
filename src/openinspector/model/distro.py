"""Linux distributions: what their releases are called, and how their packages are versioned.

A release's namespace in the advisory file is `<family>:<release>`: `debian:12`, `ubuntu:22.04`, `alpine:3.20`,
`amazon:2023`, `redhat:9`, `rocky:9`, `almalinux:9`, `oracle:9`, `fedora:40`, `sles:15.5`, `opensuse-leap:15.6`,
`opensuse-tumbleweed`, `photon:5.0`, `azurelinux:3.0`, `mariner:2.0`, `wolfi`, `chainguard`, `bottlerocket`. Rolling
ones have no release; Debian's unreleased suite is `debian:sid`, Alpine's `alpine:edge`.
"""

from typing import Literal

from msgspec import Struct


class Family(Struct, frozen=True, kw_only=True):
    """A distribution whose advisories are its own.

    `release` says how much of os-release's VERSION_ID names a release: `major` (9.3 → 9), `minor` (3.20.1 → 3.20),
    `whole`, or `rolling` (none). `by` says whether its feed names source or binary packages, or both. `authorities` are
    the feeds that speak of it, the publisher's own and most exact first: what one of them says of a package and a flaw
    overrules those behind it, and feeds that are not named here.
    """

    id: str
    title: str
    scheme: Literal["deb", "rpm", "apk"]
    release: Literal["major", "minor", "whole", "rolling"]
    by: Literal["source", "binary", "both"]
    authorities: tuple[str, ...]
    vendor_severity: bool = False  # the distribution's own score and word come before NVD's


SOURCE_NAMES = "#src"  # behind a namespace of the advisory file whose names are source packages

FAMILIES: dict[str, Family] = {
    each.id: each
    for each in (
        Family(
            id="debian",
            title="Debian",
            scheme="deb",
            release="major",
            by="source",
            authorities=("debian_tracker", "osv", "debian_dsa"),
            vendor_severity=True,
        ),
        Family(
            id="ubuntu",
            title="Ubuntu",
            scheme="deb",
            release="minor",
            by="source",
            authorities=("ubuntu_tracker", "ubuntu_osv", "osv"),
            vendor_severity=True,
        ),
        Family(
            id="alpine", title="Alpine Linux", scheme="apk", release="minor", by="source", authorities=("alpine", "osv")
        ),
        Family(id="wolfi", title="Wolfi", scheme="apk", release="rolling", by="source", authorities=("wolfi", "osv")),
        Family(
            id="chainguard",
            title="Chainguard",
            scheme="apk",
            release="rolling",
            by="source",
            authorities=("wolfi", "osv"),
        ),
        Family(
            id="amazon",
            title="Amazon Linux",
            scheme="rpm",
            release="major",
            by="binary",
            authorities=("amazon", "osv"),
            vendor_severity=True,
        ),
        Family(
            id="redhat",
            title="Red Hat Enterprise Linux",
            scheme="rpm",
            release="major",
            by="both",
            authorities=("redhat-vex", "osv"),
            vendor_severity=True,
        ),
        Family(
            id="rocky",
            title="Rocky Linux",
            scheme="rpm",
            release="major",
            by="both",
            authorities=("rocky", "osv"),
            vendor_severity=True,
        ),
        Family(
            id="almalinux",
            title="AlmaLinux",
            scheme="rpm",
            release="major",
            by="binary",
            authorities=("osv",),
            vendor_severity=True,
        ),
        Family(
            id="oracle",
            title="Oracle Linux",
            scheme="rpm",
            release="major",
            by="binary",
            authorities=("oracle",),
            vendor_severity=True,
        ),
        Family(id="fedora", title="Fedora", scheme="rpm", release="major", by="binary", authorities=("fedora",)),
        Family(
            id="sles",
            title="SUSE Linux Enterprise",
            scheme="rpm",
            release="minor",
            by="binary",
            authorities=("suse", "osv"),
            vendor_severity=True,
        ),
        Family(
            id="opensuse-leap",
            title="openSUSE Leap",
            scheme="rpm",
            release="minor",
            by="binary",
            authorities=("suse", "osv"),
            vendor_severity=True,
        ),
        Family(
            id="opensuse-tumbleweed",
            title="openSUSE Tumbleweed",
            scheme="rpm",
            release="rolling",
            by="binary",
            authorities=("suse", "osv"),
        ),
        Family(id="photon", title="Photon OS", scheme="rpm", release="minor", by="both", authorities=("photon",)),
        Family(
            id="azurelinux",
            title="Azure Linux",
            scheme="rpm",
            release="minor",
            by="both",
            authorities=("azurelinux", "osv"),
        ),
        Family(
            id="mariner",
            title="CBL-Mariner",
            scheme="rpm",
            release="minor",
            by="both",
            authorities=("azurelinux", "osv"),
        ),
        Family(
            id="bottlerocket",
            title="Bottlerocket",
            scheme="rpm",
            release="rolling",
            by="binary",
            authorities=("bottlerocket",),
        ),
    )
}


class Distribution(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The distribution of a tree, as it says of itself.

    `namespace` is "" where the advisories of this release can't be named, and `reason` says why. `end_of_life` is the
    day (`2024-06-30`) on which the publisher stopped or stops fixing this release for everybody, "" where not known.
    """

    id: str  # os-release ID as written: "rhel", "amzn"
    version: str = ""  # VERSION_ID as written
    codename: str = ""
    title: str = ""  # PRETTY_NAME
    family: str = ""
    namespace: str = ""
    reason: str = ""
    end_of_life: str = ""
