"""MITRE's list of weaknesses: their names. Categories count too: older records name them.

Source: https://cwe.mitre.org/data/downloads.html
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Final

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.streams import zip_members
from openinspector.feeds.xml import elements
from openinspector.model.enrichment import WeaknessName
from openinspector.model.problem import Problem

_NAMED: Final = frozenset(("Weakness", "Category"))


class Cwe:
    """The Common Weakness Enumeration."""

    name = "cwe"
    title = "Common Weakness Enumeration"
    revision = 1
    repeats: Final = "add"
    sources = (Source(path="cwe/cwec.xml.zip", url="https://cwe.mitre.org/data/xml/cwec_latest.xml.zip"),)

    def parse(self, document: Document) -> Iterator[Record]:
        """One name a weakness."""
        found = False
        for member, data in zip_members(document, ".xml"):
            found = True
            path = f"{document.path}!{member}"
            for tag, element in elements(BytesIO(data), path, "Weakness_Catalog", _NAMED):
                number, name = element.get("ID", ""), element.get("Name", "")
                if number.isdigit() and name:
                    yield WeaknessName(id=f"CWE-{number}", name=name)
                else:
                    yield Problem(path=path, reason=f"a {tag} without ID or Name", format=self.name)
        if not found:
            raise FeedError(f"cwe: {document.path}: holds no XML")


PLUGIN: Final[Feed] = Cwe()
