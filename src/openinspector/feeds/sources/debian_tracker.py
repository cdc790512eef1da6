"""Debian's security tracker, whole: per source package and CVE, the state in each release.

    {"curl": {"CVE-2023-38545": {"description": "…", "scope": "remote", "releases": {
        "bookworm": {"status": "resolved", "fixed_version": "7.88.1-10+deb12u4", "urgency": "not yet assigned"},
        "trixie": {"status": "open", "urgency": "low", "nodsa": "Minor issue", "nodsa_reason": "postponed"}}}}}

Source: https://security-tracker.debian.org/tracker/data/json
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.debian_releases import namespace_of_codename
from openinspector.feeds.streams import content
from openinspector.model.advisory import Advisory, Affected, Range, State
from openinspector.model.problem import Problem

_PAGES: Final = "https://security-tracker.debian.org/tracker/"
_RATED: Final = ("low", "medium", "high")
# Why there will be no advisory; an empty reason ("no-dsa") promises nothing, neither a fix nor none.
_NO_DSA_STATES: Final[dict[str, State]] = {"ignored": "will_not_fix", "postponed": "deferred"}


class _Release(Struct, frozen=True):
    status: str = ""
    fixed_version: str = ""
    urgency: str = ""
    nodsa: str = ""
    nodsa_reason: str = ""


class _Entry(Struct, frozen=True):
    releases: dict[str, _Release]
    description: str = ""


class DebianTracker:
    """Debian; packages by source, namespaces `debian:12` and `debian:sid`."""

    name = "debian_tracker"
    title = "Debian security tracker"
    revision = 1
    repeats: Final = "add"
    sources = (Source(path="debian/tracker.json", url=f"{_PAGES}data/json"),)

    def parse(self, document: Document) -> Iterator[Record]:
        """One advisory per CVE (or `TEMP-…` where it has none yet)."""
        try:
            packages = msgspec.json.decode(content(document), type=dict[str, dict[str, msgspec.Raw]])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise FeedError(f"{document.path}: not the tracker's data: {error}") from error
        affected: dict[str, list[Affected]] = {}
        descriptions: dict[str, str] = {}
        unread: Counter[str] = Counter()
        decode = msgspec.json.Decoder(_Entry).decode
        for package, entries in packages.items():
            for flaw, raw in entries.items():
                try:
                    entry = decode(raw)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    unread["entries that make no sense"] += 1
                    continue
                found = affected.setdefault(flaw, [])
                descriptions.setdefault(flaw, entry.description)
                for codename, release in entry.releases.items():
                    namespace = namespace_of_codename(codename)
                    one = _affected(namespace, package, release) if namespace else None
                    if one is not None:
                        found.append(one)
                    elif namespace:
                        unread[f"unknown status {release.status[:40]!r}"] += 1
                    else:
                        unread[f"unknown release {codename[:40]!r}"] += 1
        for flaw, entries_of_flaw in affected.items():
            yield Advisory(
                id=flaw,
                vulnerabilities=(flaw,),
                description=descriptions[flaw][:2000],
                url=_PAGES + flaw,
                affected=tuple(entries_of_flaw),
            )
        for reason, count in unread.items():
            yield Problem(path=document.path, reason=reason, format=self.name, count=count)


def _affected(namespace: str, name: str, release: _Release) -> Affected | None:
    """What the tracker says about one package in one release; None for a status that is not known here."""
    state: State = "affected"
    note = ""
    ranges: tuple[Range, ...] = ()
    if release.status == "resolved":
        if release.fixed_version == "0":
            return Affected(namespace=namespace, name=name, kind="source", state="not_affected")
        if not release.fixed_version:
            return None
        ranges = (Range(fixed=release.fixed_version),)
    elif release.status == "undetermined":
        state = "under_investigation"
    elif release.status == "open":
        if release.nodsa or release.nodsa_reason:
            state = _NO_DSA_STATES.get(release.nodsa_reason, "affected")
            note = f"no DSA: {release.nodsa}" if release.nodsa else "no DSA"
    else:
        return None
    # Old entries mark a rating that NVD gave with stars.
    urgency = release.urgency.rstrip("*")
    if urgency == "unimportant":
        state = "unimportant"
    elif urgency == "end-of-life":
        state = "end_of_life"
    return Affected(
        namespace=namespace,
        name=name,
        kind="source",
        ranges=ranges,
        state=state,
        severity=urgency if urgency in _RATED else "",
        note=note[:200],
    )


PLUGIN: Final[Feed] = DebianTracker()
