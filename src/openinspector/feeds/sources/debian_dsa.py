r"""Debian's lists of advisories, DSA and (for releases under long-term support) DLA.

    [29 Mar 2023] DSA-5380-1 xorg-server - security update
    \t{CVE-2023-1393}
    \t[bullseye] - xorg-server 2:1.20.11-1+deb11u6
    \tNOTE: …

For a release that the tracker follows, the same fix is stated per CVE, exactly, in the tracker's data and in OSV's CVE
records; a second range from here could only contradict it. So only the releases that the tracker has dropped get ranges
from these lists; of the others they just tell that the advisory exists.

Source: https://salsa.debian.org/security-tracker-team/security-tracker (data/DSA/list, data/DLA/list)
"""

import re
from collections.abc import Iterator
from typing import Final

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.debian_releases import ARCHIVED, namespace_of_codename
from openinspector.feeds.streams import content
from openinspector.model.advisory import Advisory, Affected, Range
from openinspector.model.problem import Problem

_RAW: Final = "https://salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data"
_HEAD: Final = re.compile(r"\[(\d{1,2}) ([A-Z][a-z]{2}) (\d{4})\] (D[SL]A-\d+(?:-\d+)?)\s+(.*)")
_FIX: Final = re.compile(r"\[([a-z-]+)\]\s+- (\S+)\s+(.+)")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class DebianAdvisories:
    """Debian's DSAs and DLAs; packages by source, namespace `debian:8`."""

    name = "debian_dsa"
    title = "Debian DSA and DLA lists"
    revision = 1
    repeats: Final = "add"
    sources = (
        Source(path="debian/security-tracker/data/DSA/list", url=f"{_RAW}/DSA/list"),
        Source(path="debian/security-tracker/data/DLA/list", url=f"{_RAW}/DLA/list"),
        Source(path="debian/security-tracker/data/*/list*"),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """The advisories of one list, newest first."""
        unread = entries = 0
        entry: _Entry | None = None
        for line in content(document).decode("utf-8", "replace").split("\n"):
            text = line.strip()
            if head := _HEAD.match(line):
                if entry is not None and (made := entry.advisory()) is not None:
                    yield made
                entry = _Entry(head)
            elif line.startswith("["):
                # An entry that we can't name; what follows must not be taken for the one before.
                if entry is not None and (made := entry.advisory()) is not None:
                    yield made
                entry = None
                unread += 1
            elif text and not text.startswith("NOTE:") and (entry is None or not entry.read(text)):
                unread += 1
            entries += entry is not None
        if not entries:
            raise FeedError(f"{document.path}: no list of Debian advisories")
        if entry is not None and (made := entry.advisory()) is not None:
            yield made
        if unread:
            yield Problem(path=document.path, reason="lines that make no sense", format=self.name, count=unread)


class _Entry:
    """One advisory while its lines are read."""

    def __init__(self, head: re.Match[str]) -> None:
        day, month, year, self.id, self.title = head.groups()
        number = _MONTHS.index(month) + 1 if month in _MONTHS else 0
        self.published = f"{year}-{number:02}-{int(day):02}T00:00:00Z" if number else ""
        self.cves: list[str] = []
        self.affected: dict[Affected, None] = {}

    def read(self, text: str) -> bool:
        """Takes a line of the entry; False where it makes no sense."""
        if text.startswith("{") and text.endswith("}"):
            self.cves += [each for each in text[1:-1].split() if each.startswith("CVE-")]
            return True
        found = _FIX.match(text)
        if found is None:
            return False
        codename, name, rest = found.groups()
        namespace = namespace_of_codename(codename.removesuffix("-lts"))
        if not namespace:
            return False
        version = rest.split()[0]
        if codename.removesuffix("-lts") in ARCHIVED and version != "<not-affected>":
            if version == "<end-of-life>":
                one = Affected(namespace=namespace, name=name, kind="source", state="end_of_life")
            elif version.startswith("<"):
                one = Affected(namespace=namespace, name=name, kind="source", note=version.strip("<>"))
            else:
                one = Affected(namespace=namespace, name=name, kind="source", ranges=(Range(fixed=version),))
            self.affected[one] = None
        return True

    def advisory(self) -> Advisory | None:
        """The advisory; None for an announcement, which names neither flaw nor fix, and for the repair of a fix."""
        if "regression" in self.title or not (self.cves or self.affected):
            return None
        return Advisory(
            id=self.id,
            vulnerabilities=tuple(dict.fromkeys(self.cves)),
            title=self.title,
            url=f"https://security-tracker.debian.org/tracker/{self.id}",
            published=self.published,
            affected=tuple(self.affected),
        )


PLUGIN: Final[Feed] = DebianAdvisories()
