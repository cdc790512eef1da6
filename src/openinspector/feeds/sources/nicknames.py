"""The names by which people know a flaw: Heartbleed, Log4Shell.

Source: https://github.com/giterlizzi/secdb-feeds
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.streams import UNREADABLE_JSON, content
from openinspector.feeds.text import is_cve, shown
from openinspector.model.enrichment import Nickname
from openinspector.model.problem import Problem


class _Alias(Struct):
    name: str
    cves: list[str] = []


class _Aliases(Struct):
    aliases: list[_Alias]


class Nicknames:
    """Names of famous CVEs; one name may stand for several CVEs, and one CVE may have several names."""

    name = "nicknames"
    title = "Names of famous vulnerabilities"
    revision = 1
    repeats: Final = "add"
    sources = (
        Source(
            path="cve-aliases/cve-aliases.json",
            url="https://raw.githubusercontent.com/giterlizzi/secdb-feeds/main/feeds/cve-aliases.json",
        ),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """One record a name and CVE."""
        data = content(document)
        try:
            aliases = msgspec.json.decode(data, type=_Aliases).aliases
        except UNREADABLE_JSON as error:
            raise FeedError(f"nicknames: {document.path}: {error}") from error
        for alias in aliases:
            for cve in alias.cves:
                if is_cve(cve) and alias.name.strip():
                    yield Nickname(vulnerability=cve, name=alias.name.strip())
                else:
                    reason = f"{shown(alias.name)}, {shown(cve)}: no name or no CVE id"
                    yield Problem(path=document.path, reason=reason, format=self.name)


PLUGIN: Final[Feed] = Nicknames()
