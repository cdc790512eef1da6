"""The National Vulnerability Database, API version 2.0: what a flaw is and how bad. It says nothing of packages.

The yearly files, the recent and modified ones and the pages of the API have the same shape.

Source: https://nvd.nist.gov/developers/vulnerabilities
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.cvss import Score, assigned, distinct_vectors, scorer
from openinspector.feeds.streams import UNREADABLE_JSON, content
from openinspector.feeds.text import MAX_REFERENCES, clipped, distinct, is_cve, iso, shown
from openinspector.model.advisory import Advisory
from openinspector.model.problem import Problem

_FIRST_YEAR: Final = 2002  # this file also holds all earlier ones
_LAST_YEAR: Final = 2026  # that is surely there
_COMING: Final = 2
_DAYS: Final = 7  # the file of modified records has those of the last eight
_FEEDS: Final = "https://nvd.nist.gov/feeds/json/cve/2.0/"


class _Text(Struct):
    lang: str = ""
    value: str = ""


class _Metric(Struct):
    source: str = ""
    type: str = ""
    cvssData: Score = msgspec.field(default_factory=Score)


class _Metrics(Struct):
    cvssMetricV40: list[_Metric] = []
    cvssMetricV31: list[_Metric] = []
    cvssMetricV30: list[_Metric] = []
    cvssMetricV2: list[_Metric] = []


class _Weakness(Struct):
    description: list[_Text] = []


class _Reference(Struct):
    url: str = ""


class _Cve(Struct):
    id: str
    published: str = ""
    lastModified: str = ""
    vulnStatus: str = ""
    descriptions: list[_Text] = []
    metrics: _Metrics = msgspec.field(default_factory=_Metrics)
    weaknesses: list[_Weakness] = []
    references: list[_Reference] = []


class _Entry(Struct):
    cve: _Cve


class _Page(Struct):
    vulnerabilities: list[msgspec.Raw]


class Nvd:
    """NVD's records of CVEs."""

    name = "nvd"
    title = "National Vulnerability Database"
    revision = 1
    repeats: Final = "replace"
    sources = (
        *(
            Source(
                path=f"nvd/nvdcve-2.0-{year}.json.gz",
                url=f"{_FEEDS}nvdcve-2.0-{year}.json.gz",
                days=_DAYS,
                optional=year > _LAST_YEAR,
            )
            for year in range(_FIRST_YEAR, _LAST_YEAR + _COMING + 1)
        ),
        Source(path="nvd/nvdcve-2.0-modified.json.gz", url=f"{_FEEDS}nvdcve-2.0-modified.json.gz"),
        Source(path="nvd/nvdcve-2.0-*.json*"),
        Source(path="nvd/api/*.json*"),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """The records of one file or page."""
        data = content(document)
        try:
            page = msgspec.json.decode(data, type=_Page)
        except UNREADABLE_JSON as error:
            raise FeedError(f"nvd: {document.path}: {error}") from error
        decode = msgspec.json.Decoder(_Entry).decode
        for raw in page.vulnerabilities:
            try:
                cve = decode(raw).cve
            except UNREADABLE_JSON as error:
                yield Problem(path=document.path, reason=str(error), format=self.name)
                continue
            if is_cve(cve.id):
                yield _advisory(cve)
            else:
                yield Problem(path=document.path, reason=f"{shown(cve.id)} is no CVE id", format=self.name)


def _advisory(cve: _Cve) -> Advisory:
    modified = iso(cve.lastModified)
    metrics = cve.metrics
    every = (*metrics.cvssMetricV40, *metrics.cvssMetricV31, *metrics.cvssMetricV30, *metrics.cvssMetricV2)
    return Advisory(
        id=cve.id,
        description=clipped(next((text.value for text in cve.descriptions if text.lang == "en"), "")),
        # Primary before secondary, as NVD ranks them; a stable sort keeps the versions' order within each.
        cvss=distinct_vectors(
            assigned(each.cvssData, scorer(each.source))
            for each in sorted(every, key=lambda metric: metric.type != "Primary")
        ),
        # "NVD-CWE-noinfo" and "NVD-CWE-Other" name no weakness.
        cwes=distinct(
            text.value for weakness in cve.weaknesses for text in weakness.description if text.value.startswith("CWE-")
        ),
        references=distinct((each.url for each in cve.references), MAX_REFERENCES),
        url=f"https://nvd.nist.gov/vuln/detail/{cve.id}",
        published=iso(cve.published),
        modified=modified,
        withdrawn=modified or iso(cve.published) if cve.vulnStatus == "Rejected" else "",
    )


PLUGIN: Final[Feed] = Nvd()
