"""Wolfi's and Chainguard's secdb: which version of a source package fixed which flaw. Both roll, without releases."""

from collections.abc import Iterator
from typing import Final

from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.secdb import advisories, decoded
from openinspector.feeds.streams import content


class RollingSecDb:
    """One rolling apk distribution; packages by source, namespace is its name."""

    revision = 1
    repeats: Final = "add"

    def __init__(self, name: str, title: str, url: str) -> None:
        self.name = name
        self.title = title
        self.sources = (Source(path=f"{name}/security.json", url=url), Source(path=f"{name}/**/security.json"))

    def parse(self, document: Document) -> Iterator[Record]:
        """The fixes of one repository."""
        db = decoded(content(document), document.path)
        label = f"{self.name}/{db.reponame}" if db.reponame else self.name
        yield from advisories(db, namespace=self.name, label=label, path=document.path, pages="")


PLUGINS: Final[tuple[Feed, ...]] = (
    RollingSecDb("wolfi", "Wolfi secdb", "https://packages.wolfi.dev/os/security.json"),
    RollingSecDb("chainguard", "Chainguard secdb", "https://packages.cgr.dev/chainguard/security.json"),
)
