"""What a feed is.

To add one: write `feeds/sources/<name>.py` that offers `PLUGIN: Final[Feed] = …`. A feed names the documents of its
publisher: where each lies in a folder of feeds (the same layout that a mirror serves) and at which address the
publisher serves it. `parse` reads one document into records and fetches nothing; all reading is tested from a file.

A record that makes no sense is yielded as a `Problem` (it is counted, and the rest goes on). A document that makes no
sense raises `FeedError`: the previous advisories of that feed stay in force. Documents are attackers' input: XML
through defusedxml, YAML through a safe loader without aliases, JSON through msgspec, archives member by member in
memory with a bound, names of members never used as paths. Bump `revision` when the same bytes would give other
records.
"""

from collections.abc import Iterator
from typing import BinaryIO, Literal, Protocol

from msgspec import Struct

from openinspector.model.advisory import Advisory
from openinspector.model.enrichment import Enrichment
from openinspector.model.problem import Problem

Record = Advisory | Enrichment | Problem

# `add`: more of the same advisory (a repository's share of it); `replace`: another edition of a whole record, of which
# the one last modified is in force.
Repeats = Literal["add", "replace"]


How = Literal["direct", "named", "yum-mirrorlist", "yum-repository", "csaf-changes", "osv-changes"]


class Source(Struct, frozen=True, kw_only=True):
    """One document, or a family of them.

    `path` is where it lies in the layout and may be a glob (`amazon/al2/extras/*/updateinfo.xml.gz`). `url` is the
    publisher's address ("" where only a folder or mirror can bring it). `how` says what lies there:

    direct          the document itself
    named           a text whose one line is the name of the document, which lies beside it
    yum-mirrorlist  a list of repositories, whose first usable one has `repodata/repomd.xml` that names the update
                    information
    yum-repository  a yum repository itself
    csaf-changes    CSAF's `changes.csv`, beside which lie the documents that it names
    osv-changes     OSV's `modified_id.csv`, beside which lie the records that it names

    What has changed since the document `of` was made is gathered into an archive of the kind that `path` ends in. A
    document with `days` isn't asked for again so soon, because another one of its feed brings what changes meanwhile.
    One that is `optional` may not be there yet, or any more.
    """

    path: str
    url: str = ""
    how: How = "direct"
    of: str = ""
    days: int = 0
    optional: bool = False


class Document(Struct, frozen=True, kw_only=True):
    """One file of a publisher: its path in the layout (`osv/PyPI/all.zip`) and a seekable stream of its bytes."""

    path: str
    stream: BinaryIO


class Feed(Protocol):
    """One publisher's feed."""

    @property
    def name(self) -> str:
        """`alpine`, `osv`; a feed's advisories carry it."""
        ...

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    @property
    def revision(self) -> int:
        """Raised with every change of what is read."""
        ...

    @property
    def repeats(self) -> Repeats:
        """What another record of an id that the feed had already means."""
        ...

    @property
    def sources(self) -> tuple[Source, ...]:
        """Its documents."""
        ...

    def parse(self, document: Document) -> Iterator[Record]:
        """The records of one document.

        Raises:
            FeedError: The document as a whole makes no sense.
        """
        ...
