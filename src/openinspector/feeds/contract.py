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


class Source(Struct, frozen=True, kw_only=True):
    """One document, or a family of them.

    `path` is where it lies in the layout and may be a glob (`amazon/al2/extras/*/updateinfo.xml.gz`). `url` is the
    publisher's address ("" where only a folder or mirror can bring it). `how` says what lies there: the document itself
    (`direct`), a yum mirror list whose first usable mirror has `repodata/repomd.xml` that names the update information
    (`yum-mirrorlist`), or a yum repository itself (`yum-repository`).
    """

    path: str
    url: str = ""
    how: Literal["direct", "yum-mirrorlist", "yum-repository"] = "direct"


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
    def sources(self) -> tuple[Source, ...]:
        """Its documents."""
        ...

    def parse(self, document: Document) -> Iterator[Record]:
        """The records of one document.

        Raises:
            FeedError: The document as a whole makes no sense.
        """
        ...
