"""What an OSV record calls the flaw, its fixes and its pages: ids, aliases, RPM module streams, dates, addresses."""

import re
from functools import lru_cache
from typing import Final

_CVE: Final = re.compile(r"CVE-\d{4}-\d{4,}")
_NVD_PAGE: Final = "https://nvd.nist.gov/vuln/detail/"
_STREAM: Final = re.compile(r"(?<![\w:.-])([A-Za-z0-9][\w.+-]*):([A-Za-z0-9][\w.+-]*)(?![\w:])")
_RPM_SEVERITIES: Final = ("Critical", "Important", "Moderate", "Low")


def cve_in(identifier: str) -> str:
    """The CVE that an id names: `CVE-…` itself or behind a prefix (`UBUNTU-CVE-…`, `DEBIAN-CVE-…`); else ""."""
    at = identifier.find("CVE-")
    if at < 0:
        return ""
    found = identifier[at:]
    # BIT-…-CVE and the like do not exist; a prefix is one upper-case word.
    if at and not identifier[: at - 1].isalpha():
        return ""
    return found if _CVE.fullmatch(found) else ""


def cves_in(*lists: tuple[str, ...]) -> tuple[str, ...]:
    """Every CVE that these lists name, once, in their order."""
    found: dict[str, None] = {}
    for identifiers in lists:
        for identifier in identifiers:
            if cve := cve_in(identifier):
                found[cve] = None
    return tuple(found)


def flaw_and_aliases(
    identifier: str, aliases: tuple[str, ...], references: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Vulnerabilities and aliases of a language advisory.

    OSV's `aliases` are a transitive closure, so the record of one flaw can list the CVEs of others. GitHub reviews one
    CVE per advisory and links its NVD page: where that decides, only that CVE is kept, and the other ids, which may be
    names of the others, are not taken as names of this one.
    """
    own = cve_in(identifier)
    if own:
        return (own,), tuple(each for each in aliases if not cve_in(each))
    cves = cves_in(aliases)
    if len(cves) > 1 and identifier.startswith("GHSA-"):
        linked = tuple(cve for cve in cves if _NVD_PAGE + cve in references)
        if len(linked) == 1:
            return linked, ()
    return cves, tuple(each for each in aliases if not cve_in(each))


@lru_cache(maxsize=65536)
def module_streams(summary: str) -> tuple[str, ...]:
    """The RPM module streams that the summary of an advisory names.

    `Important: nginx:1.20 security update` → `nginx:1.20`; `virt:rhel and virt-devel:rhel …` gives both.
    """
    return tuple(f"{name}:{stream.rstrip('.')}" for name, stream in _STREAM.findall(summary))


def severity_and_title(summary: str) -> tuple[str, str]:
    """An AlmaLinux or Rocky summary, `Important: polkit security update`, in two; the severity is "" without one."""
    word, colon, rest = summary.partition(": ")
    return (word, rest) if colon and word in _RPM_SEVERITIES else ("", summary)


def red_hat_severity(references: tuple[str, ...]) -> str:
    """Red Hat's word, which its OSV records keep only in a link: `…/classification/#important` → `Important`."""
    for reference in references:
        if "/classification" in reference:
            word = reference.rpartition("#")[2].capitalize()
            return word if word in _RPM_SEVERITIES else ""
    return ""


def moment(text: str) -> str:
    """A time of UTC to the second, `2024-01-09T20:27:23Z`; "" for none, for year 1 and for what is no time."""
    if len(text) < 19 or text[4] != "-" or text[10] != "T" or text.startswith("0001-") or text[-1] != "Z":
        return ""
    return f"{text[:19]}Z"


def page_of(identifier: str, namespace: str) -> str:
    """The publisher's page of an advisory; `namespace` is that of its first affected entry."""
    prefix = identifier.partition("-")[0]
    family, _, release = namespace.partition(":")
    if family == "debian":
        name = cve_in(identifier) or identifier
        return f"https://security-tracker.debian.org/tracker/{name}"
    if family == "almalinux":
        return f"https://errata.almalinux.org/{release}/{identifier.replace(':', '-')}.html"
    if prefix == "UBUNTU":
        return f"https://ubuntu.com/security/{cve_in(identifier)}"
    if prefix == "RUSTSEC":
        return f"https://rustsec.org/advisories/{identifier}.html"
    return _PAGES.get(prefix, "https://osv.dev/vulnerability/") + identifier


_PAGES: Final = {
    "GHSA": "https://github.com/advisories/",
    "GO": "https://pkg.go.dev/vuln/",
    "RHSA": "https://access.redhat.com/errata/",
    "RHBA": "https://access.redhat.com/errata/",
    "RHEA": "https://access.redhat.com/errata/",
    "RLSA": "https://errata.rockylinux.org/",
    "RXSA": "https://errata.rockylinux.org/",
    "USN": "https://ubuntu.com/security/notices/",
}
