"""OSV: the open vulnerability format and the archives of osv.dev, one per ecosystem."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.osv_ecosystems import FAMILIES
from openinspector.feeds.osv_reader import OsvReader
from openinspector.feeds.streams import content, zip_members

_BUCKET: Final = "https://osv-vulnerabilities.storage.googleapis.com"
_RECORD_LIMIT: Final = 64 << 20  # bytes; the largest record we know, a kernel's, has 6 MB

# What `db update` fetches. Alpine, Ubuntu, Rocky and SUSE have feeds of their own here.
_FETCHED: Final = (
    "PyPI",
    "npm",
    "Maven",
    "Go",
    "RubyGems",
    "crates.io",
    "NuGet",
    "Packagist",
    "Pub",
    "Hex",
    "SwiftURL",
    "Debian",
    "Red Hat",
    "AlmaLinux",
    "Rocky Linux",  # whose own update information doesn't name the streams of modules
)


def _sources(ecosystem: str) -> tuple[Source, ...]:
    """The archive of an ecosystem, and the records that changed since it was made.

    A Debian bulletin is read beside the records of its CVEs, which the archive has and a list of changes may not.
    """
    path, url = f"osv/{ecosystem}", f"{_BUCKET}/{quote(ecosystem)}"
    if ecosystem == "Debian":
        return (Source(path=f"{path}/all.zip", url=f"{url}/all.zip"),)
    return (
        Source(path=f"{path}/all.zip", url=f"{url}/all.zip", days=7),
        Source(path=f"{path}/changes.zip", url=f"{url}/modified_id.csv", how="osv-changes", of=f"{path}/all.zip"),
    )


class OsvFeed:
    """OSV archives (`osv/<ecosystem>/*.zip`) and single records (`osv/**/*.json`).

    The folder says of which ecosystem a document is; in a folder that is no ecosystem's, every entry counts.
    """

    name = "osv"
    title = "OSV (osv.dev)"
    revision = 2
    repeats: Final = "replace"
    sources = (
        *(source for each in _FETCHED for source in _sources(each)),
        Source(path="osv/**/*.zip"),
        Source(path="osv/**/*.json"),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """The advisories of an archive or of one record."""
        folders = document.path.split("/")[:-1]
        own = folders[1] if len(folders) > 1 else ""
        reader = OsvReader(document.path, own if own in FAMILIES else "")
        if document.path.endswith(".zip"):
            yield from reader.read(zip_members(document, ".json"))
        else:
            yield from reader.read_one(document.path, content(document, _RECORD_LIMIT))


PLUGIN: Final[Feed] = OsvFeed()
