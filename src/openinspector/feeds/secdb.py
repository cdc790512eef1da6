"""The secdb format of the apk distributions: per source package, which version fixed which flaws.

    {"distroversion": "v3.20", "packages": [{"pkg": {"name": "curl", "secfixes": {"8.4.0-r0": ["CVE-2023-38545"]}}}]}

Version `0` means that the package was never affected. An id string can hold several ids and stray suffixes.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from openinspector.errors import FeedError
from openinspector.feeds.contract import Record
from openinspector.model.advisory import Advisory, Affected, Range
from openinspector.model.problem import Problem

_CVE: Final = re.compile(r"CVE[-_](\d{4})[-_](\d{4,})", re.IGNORECASE)
_MISSPELT_REVISION: Final = re.compile(r"(.*\d)(?:\.r|-)(\d{1,4})$")


class _Package(Struct, frozen=True):
    name: str
    secfixes: dict[str, list[str] | None] | None = None


class _Entry(Struct, frozen=True):
    pkg: _Package


class SecDb(Struct, frozen=True):
    """One file: a repository of a release."""

    packages: list[_Entry] | None = None
    distroversion: str = ""
    reponame: str = ""


def decoded(data: bytes, path: str) -> SecDb:
    """The file's content.

    Raises:
        FeedError: It is no secdb.
    """
    try:
        return msgspec.json.decode(data, type=SecDb)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FeedError(f"{path}: no secdb: {error}") from error


def advisories(db: SecDb, namespace: str, label: str, path: str, pages: str) -> Iterator[Record]:
    """One advisory per flaw, called `CVE-2023-38545@<label>`; `pages` is the address before a CVE, "" for none."""
    flaws: dict[str, dict[str, list[str]]] = {}
    unnamed = 0
    for entry in db.packages or ():
        for version, ids in (entry.pkg.secfixes or {}).items():
            for text in ids or ():
                named = flaws_in(text)
                unnamed += not named
                for flaw in named:
                    flaws.setdefault(flaw, {}).setdefault(entry.pkg.name, []).append(version.strip())
    for flaw, packages in flaws.items():
        yield Advisory(
            id=f"{flaw}@{label}",
            vulnerabilities=(flaw,),
            url=pages + flaw if pages and flaw.startswith("CVE-") else "",
            affected=tuple(_affected(namespace, name, versions) for name, versions in packages.items()),
        )
    if unnamed:
        yield Problem(path=path, reason="fixes without an id", format="secdb", count=unnamed)


def flaws_in(text: str) -> tuple[str, ...]:
    """The flaws that an id string names: its CVEs, or where it has none, its other ids.

    An id of another scheme beside a CVE is not taken as another name of it: XSA-196 stands beside two different CVEs.
    """
    cves = dict.fromkeys(f"CVE-{year}-{number}" for year, number in _CVE.findall(text[:1000]))
    return tuple(cves) or tuple(dict.fromkeys(text[:1000].split()))


def _affected(namespace: str, name: str, versions: list[str]) -> Affected:
    fixes = dict.fromkeys(_readable(version) for version in versions if version not in ("0", "-1", ""))
    if not fixes:
        return Affected(namespace=namespace, name=name, kind="source", state="not_affected")
    # Named under two versions, a flaw was not gone before the later one: of the two ranges the longer one decides.
    return Affected(namespace=namespace, name=name, kind="source", ranges=tuple(Range(fixed=fix) for fix in fixes))


def _readable(version: str) -> str:
    """A version with its package revision as apk writes it: `10.0.11-0` and `10.2.22.r0` are slips for `-r0`."""
    found = _MISSPELT_REVISION.match(version)
    return f"{found[1]}-r{found[2]}" if found else version
