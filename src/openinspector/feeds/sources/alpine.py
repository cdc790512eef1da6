"""Alpine's secdb: per release and repository, which version of a source package fixed which flaw."""

from collections.abc import Iterator
from typing import Final

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.secdb import advisories, decoded
from openinspector.feeds.streams import content

_SITE: Final = "https://secdb.alpinelinux.org"
# Every release has `main`; `community` came with 3.3. Source: https://secdb.alpinelinux.org/ (2026-11)
_MINORS: Final = range(2, 25)
_COMING: Final = range(25, 29)  # two a year


def _documents() -> Iterator[Source]:
    coming = tuple(f"v3.{minor}" for minor in _COMING)
    for release in (*(f"v3.{minor}" for minor in _MINORS), *coming, "edge"):
        for repository in ("main", "community"):
            if (release, repository) != ("v3.2", "community"):
                path = f"{release}/{repository}.json"
                yield Source(path=f"alpine/secdb/{path}", url=f"{_SITE}/{path}", optional=release in coming)


class AlpineSecDb:
    """Alpine Linux; packages by source, namespace `alpine:3.20` or `alpine:edge`."""

    name = "alpine"
    title = "Alpine Linux secdb"
    revision = 1
    repeats: Final = "add"
    sources = (*_documents(), Source(path="alpine/secdb/*/*.json"))

    def parse(self, document: Document) -> Iterator[Record]:
        """The fixes of one repository of one release."""
        db = decoded(content(document), document.path)
        folders = document.path.split("/")
        release = (db.distroversion or (folders[-2] if len(folders) > 1 else "")).removeprefix("v")
        if release != "edge" and not release.replace(".", "").isdigit():
            raise FeedError(f"{document.path}: {release[:40]!r} is no release of Alpine")
        repository = db.reponame or folders[-1].removesuffix(".json")
        yield from advisories(
            db,
            namespace=f"alpine:{release}",
            label=f"{release}/{repository}",
            path=document.path,
            pages="https://security.alpinelinux.org/vuln/",
        )


PLUGIN: Final[Feed] = AlpineSecDb()
