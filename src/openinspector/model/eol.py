"""When a release stops getting fixes that everybody has for free, at the end of that day.

What is paid for, or has to be asked for, doesn't count: Ubuntu Pro (ESM), Red Hat's EUS and ELS, SUSE's LTSS, Oracle's
extended support, Freexian's ELTS; who has it gets fixes of which the others only read. Debian's LTS counts, being free
and in Debian's own feed. A minor release of Red Hat's or of a rebuild ends with the next one without any loss, so only
the major one has a day here; a service pack of SUSE's has one of its own. Rolling ones (Wolfi, Chainguard, Tumbleweed,
Alpine edge, Debian sid) never end, and Bottlerocket's releases replace one another. Keys are namespaces as in
`model/distro.py`; `centos:…` and `centos-stream:…` are judged by Red Hat's advisories but end on days of their own. A
release that is missing here has no published or no certain day.

As of 2026-11. The publishers may move days that lie ahead; Fedora says so of 43, 44 and 45. Sources, and where they say
less, why we think so:

Debian, Ubuntu
    distro-info-data 0.58+deb12u7 (debian.csv: eol-lts, ubuntu.csv: eol)
Alpine
    https://alpinelinux.org/releases/
Amazon Linux
    https://aws.amazon.com/amazon-linux-2/faqs/, https://docs.aws.amazon.com/linux/al2023/ug/release-cadence.html; 2022
    was a preview until 2023 came out
Red Hat
    https://access.redhat.com/support/policy/updates/errata (end of maintenance support)
CentOS
    https://www.centos.org/centos-linux-eol/, https://www.centos.org/cl-vs-cs/; of Stream 10 only the year is known
Rocky, AlmaLinux
    https://wiki.rockylinux.org/rocky/version/, https://wiki.almalinux.org/release-notes/
Oracle
    https://www.oracle.com/a/ocom/docs/elsp-lifetime-069338.pdf (premier support, to the end of the month it names; for
    10 the ten years that it promises)
Fedora
    https://docs.fedoraproject.org/en-US/releases/eol/, https://fedorapeople.org/groups/schedule/
SUSE
    https://www.suse.com/lifecycle (general support); a service pack ends half a year after the next one, the last with
    its major release; a minor release of 16 gets two years
openSUSE
    https://en.opensuse.org/Lifetime
Photon
    https://blogs.vmware.com/vsphere/2022/01/photon-1-x-end-of-support-announcement.html,
    https://endoflife.date/photon (3.0 and 4.0, which end with the vSphere releases that carry them)
Mariner, Azure Linux
    https://learn.microsoft.com/azure/azure-linux/release-cadence-lifecycle, https://endoflife.date/azure-linux
"""

from typing import Final

_BY_FAMILY: Final[dict[str, str]] = {
    "debian": (
        "6 2016-02-29, 7 2018-05-31, 8 2020-06-30, 9 2022-06-30, 10 2024-06-30, 11 2026-08-31, 12 2028-06-30, "
        "13 2030-06-30"
    ),
    "ubuntu": (
        "10.04 2013-05-09, 10.10 2012-04-10, 11.04 2012-10-28, 11.10 2013-05-09, 12.04 2017-04-28, 12.10 2014-05-16, "
        "13.04 2014-01-27, 13.10 2014-07-17, 14.04 2019-04-25, 14.10 2015-07-23, 15.04 2016-02-04, 15.10 2016-07-28, "
        "16.04 2021-04-30, 16.10 2017-07-20, 17.04 2018-01-13, 17.10 2018-07-19, 18.04 2023-05-31, 18.10 2019-07-18, "
        "19.04 2020-01-23, 19.10 2020-07-17, 20.04 2025-05-29, 20.10 2021-07-22, 21.04 2022-01-20, 21.10 2022-07-14, "
        "22.04 2027-06-01, 22.10 2023-07-20, 23.04 2024-01-25, 23.10 2024-07-11, 24.04 2029-05-31, 24.10 2025-07-10, "
        "25.04 2026-01-15, 25.10 2026-07-09, 26.04 2031-05-29, 26.10 2027-07-15"
    ),
    "alpine": (
        "2.1 2012-11-01, 2.2 2013-05-01, 2.3 2013-11-01, 2.4 2014-05-01, 2.5 2014-11-01, 2.6 2015-05-01, "
        "2.7 2015-11-01, 3.0 2016-05-01, 3.1 2016-11-01, 3.2 2017-05-01, 3.3 2017-11-01, 3.4 2018-05-01, "
        "3.5 2018-11-01, 3.6 2019-05-01, 3.7 2019-11-01, 3.8 2020-05-01, 3.9 2020-11-01, 3.10 2021-05-01, "
        "3.11 2021-11-01, 3.12 2022-05-01, 3.13 2022-11-01, 3.14 2023-05-01, 3.15 2023-11-01, 3.16 2024-05-23, "
        "3.17 2024-11-22, 3.18 2025-05-09, 3.19 2025-11-01, 3.20 2026-04-01, 3.21 2026-11-01, 3.22 2027-05-01, "
        "3.23 2027-11-01, 3.24 2028-06-01"
    ),
    "amazon": "1 2023-12-31, 2 2026-06-30, 2022 2023-03-15, 2023 2029-06-30",
    "redhat": "4 2012-02-29, 5 2017-03-31, 6 2020-11-30, 7 2024-06-30, 8 2029-05-31, 9 2032-05-31, 10 2035-05-31",
    "centos": "5 2017-03-31, 6 2020-11-30, 7 2024-06-30, 8 2021-12-31",
    "centos-stream": "8 2024-05-31, 9 2027-05-31",
    "rocky": "8 2029-05-31, 9 2032-05-31, 10 2035-05-31",
    "almalinux": "8 2029-03-01, 9 2032-05-31, 10 2035-05-31",
    "oracle": "5 2017-06-30, 6 2021-03-31, 7 2024-12-31, 8 2029-07-31, 9 2032-06-30, 10 2035-06-30",
    "fedora": (
        "18 2014-01-14, 19 2015-01-06, 20 2015-06-23, 21 2015-12-01, 22 2016-07-19, 23 2016-12-20, 24 2017-08-08, "
        "25 2017-12-12, 26 2018-05-29, 27 2018-11-30, 28 2019-05-28, 29 2019-11-26, 30 2020-05-26, 31 2020-11-24, "
        "32 2021-05-25, 33 2021-11-30, 34 2022-06-07, 35 2022-12-13, 36 2023-05-16, 37 2023-12-05, 38 2024-05-21, "
        "39 2024-11-26, 40 2025-05-13, 41 2025-12-15, 42 2026-05-27, 43 2026-12-09, 44 2027-06-02, 45 2027-11-24"
    ),
    "sles": (
        "10 2007-12-31, 10.1 2008-11-30, 10.2 2010-04-11, 10.3 2011-10-11, 10.4 2013-07-31, 11 2010-12-31, "
        "11.1 2012-08-31, 11.2 2014-01-31, 11.3 2016-01-31, 11.4 2019-03-31, 12 2016-06-30, 12.1 2017-05-31, "
        "12.2 2018-03-31, 12.3 2019-06-30, 12.4 2020-06-30, 12.5 2024-10-31, 15 2019-12-31, 15.1 2021-01-31, "
        "15.2 2021-12-31, 15.3 2022-12-31, 15.4 2023-12-31, 15.5 2024-12-31, 15.6 2025-12-31, 15.7 2031-07-31, "
        "16.0 2027-11-30"
    ),
    "opensuse-leap": (
        "42.1 2017-05-17, 42.2 2018-01-26, 42.3 2019-07-01, 15.0 2019-12-03, 15.1 2021-02-02, 15.2 2022-01-04, "
        "15.3 2022-12-31, 15.4 2023-12-07, 15.5 2024-12-31, 15.6 2026-04-30, 16.0 2027-10-31"
    ),
    "photon": "1.0 2022-02-28, 2.0 2022-12-31, 3.0 2025-10-02, 4.0 2027-10-11",
    "mariner": "1.0 2023-08-31, 2.0 2025-07-31",
    "azurelinux": "3.0 2027-08-31",
}

END_OF_LIFE: Final[dict[str, str]] = {
    f"{family}:{release}": day
    for family, releases in _BY_FAMILY.items()
    for release, day in (entry.split(" ") for entry in releases.split(", "))
}


def end_of_life(release: str) -> str:
    """The day (`2024-06-30`) on which free fixes for a release (`debian:10`) end, "" where it isn't known."""
    return END_OF_LIFE.get(release, "")
