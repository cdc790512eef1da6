"""CVE records (JSON 5) with what CISA adds to them: CVSS, CWE, and whether the flaw is exploited.

What a CNA says about affected products is in words of its own and is not matched; these records only tell about the
flaw.

Source: https://github.com/CVEProject/cve-schema, https://github.com/cisagov/vulnrichment
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.cvss import Score, assigned, distinct_vectors
from openinspector.feeds.streams import UNREADABLE_JSON, content, zip_members
from openinspector.feeds.text import MAX_REFERENCES, clipped, distinct, is_cve, iso, shown
from openinspector.model.advisory import Advisory, Cvss
from openinspector.model.enrichment import Exploit
from openinspector.model.problem import Problem

_CISA: Final = "CISA-ADP"
_EXPLOITED: Final = ("poc", "active")


class _Text(Struct):
    lang: str = ""
    value: str = ""


class _Weakness(Struct):
    cweId: str = ""


class _ProblemType(Struct):
    descriptions: list[_Weakness] = []


class _Reference(Struct):
    url: str = ""


class _Ssvc(Struct):
    timestamp: str = ""
    options: list[dict[str, str]] = []


class _Other(Struct):
    type: str = ""
    content: msgspec.Raw = msgspec.Raw(b"{}")


class _Metric(Struct):
    cvssV4_0: Score | None = None
    cvssV3_1: Score | None = None
    cvssV3_0: Score | None = None
    cvssV2_0: Score | None = None
    other: _Other | None = None


class _Provider(Struct):
    shortName: str = ""


class _Container(Struct):
    providerMetadata: _Provider = msgspec.field(default_factory=_Provider)
    title: str = ""
    descriptions: list[_Text] = []
    rejectedReasons: list[_Text] = []
    metrics: list[_Metric] = []
    problemTypes: list[_ProblemType] = []
    references: list[_Reference] = []


class _Containers(Struct):
    cna: _Container
    adp: list[_Container] = []


class _Metadata(Struct):
    cveId: str
    state: str = ""
    assignerShortName: str = ""
    datePublished: str = ""
    dateUpdated: str = ""
    dateRejected: str = ""


class _Cve(Struct):
    cveMetadata: _Metadata
    containers: _Containers


class Cve5:
    """CVE records, one JSON document each."""

    name = "cve5"
    title = "CVE records and CISA Vulnrichment"
    revision = 1
    repeats: Final = "replace"
    sources = (
        Source(
            path="vulnrichment/develop.zip",
            url="https://github.com/cisagov/vulnrichment/archive/refs/heads/develop.zip",
        ),
        Source(path="vulnrichment/*.zip"),
        Source(path="vulnrichment/**/CVE-*.json"),
        Source(path="cve/*.zip"),
        Source(path="cve/**/CVE-*.json"),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """The records of one archive, or one record."""
        decoder = msgspec.json.Decoder(_Cve)
        if not document.path.endswith(".zip"):
            try:
                yield from _records(decoder.decode(content(document)), document.path)
            except UNREADABLE_JSON as error:
                raise FeedError(f"cve5: {document.path}: {error}") from error
            return
        for name, data in zip_members(document, ".json"):
            # The archives also hold lists of changes.
            if not name.rpartition("/")[2].startswith("CVE-"):
                continue
            try:
                cve = decoder.decode(data)
            except UNREADABLE_JSON as error:
                yield Problem(path=f"{document.path}!{name}", reason=str(error), format=self.name)
                continue
            yield from _records(cve, f"{document.path}!{name}")


def _records(cve: _Cve, path: str) -> Iterator[Record]:
    identifier = cve.cveMetadata.cveId
    if not is_cve(identifier):
        yield Problem(path=path, reason=f"{shown(identifier)} is no CVE id", format=Cve5.name)
        return
    yield _advisory(cve)
    for container in cve.containers.adp:
        for metric in container.metrics:
            if metric.other is not None and metric.other.type.lower() == "ssvc":
                yield from _exploits(identifier, metric.other.content, path)


def _advisory(cve: _Cve) -> Advisory:
    metadata, cna = cve.cveMetadata, cve.containers.cna
    everyone = (cna, *cve.containers.adp)
    modified = iso(metadata.dateUpdated)
    rejected = metadata.state.upper() == "REJECTED"
    said = cna.descriptions or cna.rejectedReasons
    return Advisory(
        id=metadata.cveId,
        title=cna.title,
        description=clipped(next((text.value for text in said if text.lang.startswith("en")), "")),
        cvss=distinct_vectors(
            vector for container in everyone for metric in container.metrics for vector in _vectors(container, metric)
        ),
        cwes=distinct(
            weakness.cweId
            for container in everyone
            for kind in container.problemTypes
            for weakness in kind.descriptions
            if weakness.cweId.startswith("CWE-")
        ),
        references=distinct((each.url for container in everyone for each in container.references), MAX_REFERENCES),
        url=f"https://www.cve.org/CVERecord?id={metadata.cveId}",
        published=iso(metadata.datePublished),
        modified=modified,
        withdrawn=(iso(metadata.dateRejected) or modified or iso(metadata.datePublished)) if rejected else "",
    )


def _vectors(container: _Container, metric: _Metric) -> Iterator[Cvss | None]:
    name = container.providerMetadata.shortName
    source = _CISA if name.upper() == _CISA else f"CNA:{name.lower()}"
    for score in (metric.cvssV4_0, metric.cvssV3_1, metric.cvssV3_0, metric.cvssV2_0):
        if score is not None:
            yield assigned(score, source)


def _exploits(identifier: str, content_: msgspec.Raw, path: str) -> Iterator[Exploit | Problem]:
    """CISA's judgement (SSVC) that an exploit is public (`poc`) or in use (`active`); the letter case varies."""
    try:
        ssvc = msgspec.json.decode(content_, type=_Ssvc)
    except UNREADABLE_JSON as error:
        yield Problem(path=path, reason=f"{identifier}: SSVC: {error}", format=Cve5.name)
        return
    for option in ssvc.options:
        for key, value in option.items():
            if key.lower() == "exploitation" and value.lower() in _EXPLOITED:
                yield Exploit(
                    vulnerability=identifier, source="cisa-ssvc", ids=(value.lower(),), date=iso(ssvc.timestamp)
                )


PLUGIN: Final[Feed] = Cve5()
