"""CISA's catalogue of known exploited vulnerabilities.

Source: https://www.cisa.gov/known-exploited-vulnerabilities-catalog
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.streams import UNREADABLE_JSON, content
from openinspector.feeds.text import distinct, is_cve, shown
from openinspector.model.enrichment import Kev as Entry
from openinspector.model.problem import Problem


class _Vulnerability(Struct, rename="camel"):
    cve_id: str = msgspec.field(name="cveID")
    date_added: str
    vulnerability_name: str = ""
    due_date: str = ""
    required_action: str = ""
    known_ransomware_campaign_use: str = ""
    cwes: list[str] = []


class _Catalogue(Struct):
    vulnerabilities: list[msgspec.Raw]


class Kev:
    """The catalogue, one JSON document."""

    name = "kev"
    title = "CISA Known Exploited Vulnerabilities"
    revision = 1
    repeats: Final = "add"
    sources = (
        Source(
            path="kev/known_exploited_vulnerabilities.json",
            url="https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
        ),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """One entry a CVE."""
        data = content(document)
        try:
            catalogue = msgspec.json.decode(data, type=_Catalogue)
        except UNREADABLE_JSON as error:
            raise FeedError(f"kev: {document.path}: {error}") from error
        decoder = msgspec.json.Decoder(_Vulnerability)
        for raw in catalogue.vulnerabilities:
            try:
                each = decoder.decode(raw)
            except UNREADABLE_JSON as error:
                yield Problem(path=document.path, reason=str(error), format=self.name)
                continue
            if not is_cve(each.cve_id):
                yield Problem(path=document.path, reason=f"{shown(each.cve_id)} is no CVE id", format=self.name)
                continue
            yield Entry(
                vulnerability=each.cve_id,
                date_added=each.date_added,
                due_date=each.due_date,
                required_action=each.required_action,
                name=each.vulnerability_name,
                ransomware=each.known_ransomware_campaign_use.lower() == "known",
                cwes=distinct(each.cwes),
            )


PLUGIN: Final[Feed] = Kev()
