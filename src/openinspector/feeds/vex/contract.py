"""What reading a VEX document gives, and what its readers share.

A reader is a module whose `read` makes a `VexDocument` of bytes (CycloneDX's of a decoded document, since others may
refer to it). A statement that makes no sense, or that its format calls invalid, is a `Problem` and never applied; a
document that makes no sense raises `FeedError`: a scan that was asked to heed it must not go on as if it had. Documents
are attackers' input: their size, depth and number of statements are bounded.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from openinspector.errors import FeedError
from openinspector.model.problem import Problem
from openinspector.model.purl import Purl, parse_purl
from openinspector.model.vex import Product, Statement, VexFormat

MAX_SIZE: Final = 64 << 20  # bytes; Red Hat's largest document has some 60 MB
MAX_STATEMENTS: Final = 200_000
_LONGEST: Final = 2000  # characters of a text that is kept


class VexDocument(Struct, frozen=True, kw_only=True):
    """One document: what it states, and what could not be read of it."""

    path: str
    format: VexFormat
    id: str = ""
    statements: tuple[Statement, ...] = ()
    problems: tuple[Problem, ...] = ()


class Collector:
    """The statements and problems of a document as they are read."""

    def __init__(self, path: str, format_: VexFormat, identity: str) -> None:
        self.path = path
        self._format, self._identity = format_, identity
        self._statements: list[Statement] = []
        self._problems: dict[str, int] = {}
        self._purls: dict[str, Purl | None] = {}

    def add(self, statement: Statement) -> None:
        """One more statement.

        Raises:
            FeedError: There are too many.
        """
        if len(self._statements) >= MAX_STATEMENTS:
            raise FeedError(f"{self.path}: holds more than {MAX_STATEMENTS:,} statements")
        self._statements.append(statement)

    def problem(self, reason: str) -> None:
        """Something that could not be read; the same reason is told once, with its count."""
        self._problems[reason] = self._problems.get(reason, 0) + 1

    def product(self, identity: str, purl: str = "", cpe: str = "", digests: Iterable[str] = ()) -> Product:
        """A product by its names; a package URL that makes no sense is a problem."""
        text = purl or identity
        read = None
        if text.startswith("pkg:"):
            if text not in self._purls:
                self._purls[text] = parse_purl(text)
            read = self._purls[text]
            if read is None:
                self.problem(f"{shown(text)} is no package URL")
        return Product(id=identity or purl or cpe, purl=read, cpe=cpe, digests=tuple(digests))

    def document(self) -> VexDocument:
        """All of it."""
        problems = (
            Problem(path=self.path, reason=reason, format=self._format, count=count)
            for reason, count in self._problems.items()
        )
        return VexDocument(
            path=self.path,
            format=self._format,
            id=self._identity,
            statements=tuple(self._statements),
            problems=tuple(problems),
        )


def moment(text: str) -> str:
    """A moment in UTC, in the one spelling whose texts sort; "" where it can't be read.

    A publisher who gives no zone means UTC.
    """
    from datetime import UTC, datetime

    try:
        read = datetime.fromisoformat(text.strip()[:40])
        return read.replace(tzinfo=read.tzinfo or UTC).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    except (ValueError, OverflowError):
        return ""


def names(*texts: str) -> tuple[str, ...]:
    """The names of a vulnerability, each once; of an address its last part, as publishers give them as addresses."""
    found = (text.strip().rstrip("/").rpartition("/")[2].rpartition("?id=")[2] for text in texts)
    return tuple(dict.fromkeys(each[:200] for each in found if each))


def kept(text: str) -> str:
    """As much of a text as a report has use for."""
    return " ".join(text[: _LONGEST * 2].split())[:_LONGEST]


def shown(text: str) -> str:
    """A stranger's text within a message."""
    return repr(text[:100])
