"""FriendsOfPHP's security advisories: YAML per advisory of a Composer package.

    title: Cookie leakage
    link: https://github.com/amphp/artax/releases/tag/v2.0.6
    cve: CVE-2017-…                  # or ~
    branches:
        2.x: {time: 2017-05-09 19:42:02, versions: ['>=2', '<2.0.6']}
    reference: composer://amphp/artax

Source: https://github.com/FriendsOfPHP/security-advisories
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.streams import zip_members
from openinspector.feeds.yaml_records import text_or_nothing, yaml_record
from openinspector.model.advisory import Advisory, Affected, Range
from openinspector.model.problem import Problem

_GHSA: Final = re.compile(r"GHSA(?:-[0-9a-z]{4}){3}")
_OPERATORS: Final = (">=", "<=", "==", ">", "<", "=")


class _Branch(Struct, frozen=True):
    versions: list[str]
    time: str | None = None


class _Record(Struct, frozen=True):
    reference: str
    branches: dict[str, _Branch]
    title: str | None = None
    link: str | None = None
    cve: str | None = None


class FriendsOfPhp:
    """PHP packages, namespace `composer`."""

    name = "friendsofphp"
    title = "FriendsOfPHP security advisories"
    revision = 1
    repeats: Final = "add"
    sources = (
        Source(
            path="friendsofphp/security-advisories.zip",
            url="https://github.com/FriendsOfPHP/security-advisories/archive/master.zip",
        ),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """The advisories of the repository's archive."""
        for name, data in zip_members(document, ".yaml"):
            parts = name.split("/")
            if len(parts) < 4:
                continue
            try:
                record = msgspec.convert(yaml_record(data), _Record)
                yield _advisory(record, "/".join(parts[-3:]).removesuffix(".yaml"))
            except (FeedError, msgspec.ValidationError) as error:
                yield Problem(path=document.path, reason=f"{name[:200]}: {error}", format=self.name)


def _advisory(record: _Record, identifier: str) -> Advisory:
    """The advisory that a record is; `identifier` is its place, `amphp/artax/2017-05-09`."""
    kind, _, package = record.reference.partition("://")
    if kind != "composer" or not package:
        raise FeedError(f"{record.reference[:100]!r} names no Composer package")
    cve, link = text_or_nothing(record.cve), text_or_nothing(record.link)
    ghsa = _GHSA.search(link)
    flaws = [each for each in (cve if cve.startswith("CVE-") else "", ghsa[0] if ghsa else "") if each]
    times = [text_or_nothing(branch.time) for branch in record.branches.values()]
    return Advisory(
        id=identifier,
        vulnerabilities=tuple(flaws[:1]),
        aliases=tuple(flaws[1:]),
        title=text_or_nothing(record.title),
        references=(link,) if link else (),
        url=f"https://github.com/FriendsOfPHP/security-advisories/blob/master/{identifier}.yaml",
        published=min((_moment(each) for each in times if _moment(each)), default=""),
        affected=(
            Affected(
                namespace="composer",
                name=package,
                ranges=tuple(_range(branch.versions) for branch in record.branches.values()),
            ),
        ),
    )


def _range(requirements: list[str]) -> Range:
    """The interval that a branch's requirements bound together: `['>=2', '<2.0.6']`."""
    bounds = {"introduced": "", "after": "", "fixed": "", "last_affected": ""}
    for requirement in requirements:
        text = requirement.strip()
        operator = next((each for each in _OPERATORS if text.startswith(each)), "")
        version = text.removeprefix(operator).strip()
        if not operator or not version or " " in version:
            raise FeedError(f"{requirement[:100]!r} is no requirement")
        for bound in _BOUNDS[operator]:
            if bounds[bound]:
                raise FeedError(f"{requirements!r:.200} bound one side twice")
            bounds[bound] = version
    if (bounds["introduced"] and bounds["after"]) or (bounds["fixed"] and bounds["last_affected"]):
        raise FeedError(f"{requirements!r:.200} bound one side twice")
    if not any(bounds.values()):
        raise FeedError("a branch without versions")
    return Range(**bounds)


_BOUNDS: Final = {
    ">=": ("introduced",),
    ">": ("after",),
    "<": ("fixed",),
    "<=": ("last_affected",),
    "=": ("introduced", "last_affected"),
    "==": ("introduced", "last_affected"),
}


def _moment(text: str) -> str:
    """`2017-05-09 19:42:02` as a time in UTC; "" where it is no such time."""
    if len(text) >= 10 and text[4] == text[7] == "-" and text[:4].isdigit():
        clock = text[11:19]
        return f"{text[:10]}T{clock if len(clock) == 8 else '00:00:00'}Z"
    return ""


PLUGIN: Final[Feed] = FriendsOfPhp()
