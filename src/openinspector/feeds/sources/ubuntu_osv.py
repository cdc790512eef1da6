"""Ubuntu's statements in OSV form, from Canonical: a record per CVE, per notice (USN) and per live patch (LSN)."""

from collections.abc import Iterator
from typing import Final

from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.osv_reader import OsvReader
from openinspector.feeds.streams import content, tar_members

_URL: Final = "https://security-metadata.canonical.com/osv/osv-all.tar.xz"


class UbuntuOsv:
    """Ubuntu; by source package, namespace `ubuntu:22.04`, what needs Ubuntu Pro with its repository (`esm-infra`)."""

    name = "ubuntu_osv"
    title = "Ubuntu OSV"
    revision = 1
    repeats: Final = "replace"
    sources = (
        Source(path="ubuntu/osv/osv-all.tar.xz", url=_URL),
        Source(path="ubuntu/osv/**/*.json"),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """The advisories of the archive, or of one record."""
        reader = OsvReader(document.path, "Ubuntu")
        if document.path.endswith(".json"):
            yield from reader.read_one(document.path, content(document))
        else:
            yield from reader.read(tar_members(document, ".json"))


PLUGIN: Final[Feed] = UbuntuOsv()
