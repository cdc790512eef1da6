"""OpenVEX.

    {"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://…", "author": "…", "timestamp": "2024-05-01T10:00Z",
     "statements": [{"vulnerability": {"name": "CVE-2023-1", "aliases": ["GHSA-…"]}, "status": "not_affected",
                     "justification": "vulnerable_code_not_in_execute_path",
                     "products": [{"@id": "pkg:oci/app@sha256%3A…",
                                   "subcomponents": [{"@id": "pkg:npm/lodash@4.17.20"}]}]}]}

Before 0.2.0 a vulnerability, a product and a subcomponent were texts, and subcomponents belonged to the statement.
Canonical puts what is said of the document under `metadata`.

Source: https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md
"""

from typing import Final, cast

import msgspec
from msgspec import Raw, Struct, field

from openinspector.errors import FeedError
from openinspector.feeds.streams import UNREADABLE_JSON
from openinspector.feeds.vex.contract import Collector, VexDocument, kept, moment, names, shown
from openinspector.model.vex import Product, Statement, VexStatus

_STATUSES: Final = frozenset({"not_affected", "affected", "fixed", "under_investigation"})
_DIGESTS: Final = {"sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512", "sha1": "sha1", "md5": "md5"}


class _Identifiers(Struct):
    purl: str = ""
    cpe22: str = ""
    cpe23: str = ""


class _Component(Struct):
    id: str = field(name="@id", default="")
    identifiers: _Identifiers = field(default_factory=_Identifiers)
    hashes: dict[str, str] = {}


class _Product(_Component):
    subcomponents: list[_Component | str] = []


class _Vulnerability(Struct):
    id: str = field(name="@id", default="")
    name: str = ""
    aliases: list[str] = []


class _Statement(Struct):
    vulnerability: _Vulnerability | str
    status: str
    products: list[_Product | str] = []
    subcomponents: list[_Component | str] = []
    timestamp: str = ""
    last_updated: str = ""
    justification: str = ""
    impact_statement: str = ""
    action_statement: str = ""
    status_notes: str = ""


class _Head(Struct):
    id: str = field(name="@id", default="")
    author: str = ""
    timestamp: str = ""
    last_updated: str = ""


class _Document(_Head):
    metadata: _Head = field(default_factory=_Head)
    statements: list[Raw] = []


_DOCUMENT: Final = msgspec.json.Decoder(_Document)
_STATEMENT: Final = msgspec.json.Decoder(_Statement)


def read(data: bytes, path: str) -> VexDocument:
    """The statements of a document.

    Raises:
        FeedError: It is no OpenVEX, nests too deep or holds too much.
    """
    try:
        document = _DOCUMENT.decode(data)
    except UNREADABLE_JSON as error:
        raise FeedError(f"{path}: can't be read as OpenVEX: {error}") from error
    head = document if document.id or document.author else document.metadata
    collector = Collector(path, "OpenVEX", head.id)
    for raw in document.statements:
        try:
            statement = _STATEMENT.decode(raw)
        except UNREADABLE_JSON as error:
            collector.problem(f"a statement that makes no sense: {error}")
            continue
        _statement(statement, head, collector)
    return collector.document()


def _statement(said: _Statement, head: _Head, collector: Collector) -> None:
    flaw = said.vulnerability
    called = names(flaw) if isinstance(flaw, str) else names(flaw.name, flaw.id, *flaw.aliases)
    if not called:
        collector.problem("a statement without a vulnerability")
        return
    if said.status not in _STATUSES:
        collector.problem(f"{called[0]}: there is no status {shown(said.status)}")
        return
    impact = kept(said.impact_statement)
    if said.status == "not_affected" and not said.justification.strip() and not impact:
        collector.problem(
            f"{called[0]}: not_affected with neither justification nor impact statement is invalid and is not applied"
        )
        return
    if not said.products:
        collector.problem(f"{called[0]}: a statement without a product")
        return
    written = said.last_updated or said.timestamp or head.last_updated or head.timestamp
    timestamp = moment(written)
    if written and not timestamp:
        collector.problem(f"{called[0]}: {shown(written)} is no timestamp; any other one overrules it")
    shared = tuple(_product(each, collector) for each in said.subcomponents)
    for each in said.products:
        parts = () if isinstance(each, str) else tuple(_product(part, collector) for part in each.subcomponents)
        collector.add(
            Statement(
                vulnerabilities=called,
                status=cast(VexStatus, said.status),
                product=_product(each, collector),
                components=parts or shared,
                justification=said.justification.strip()[:200],
                impact=impact or kept(said.status_notes),
                action=kept(said.action_statement),
                author=head.author[:500],
                timestamp=timestamp,
                document=head.id[:500],
                file=collector.path,
                format="OpenVEX",
            )
        )


def _product(said: _Component | str, collector: Collector) -> Product:
    if isinstance(said, str):
        return collector.product(said)
    digests = (f"{_DIGESTS[name]}:{value.lower()}" for name, value in said.hashes.items() if name in _DIGESTS)
    called = said.identifiers
    return collector.product(said.id, called.purl, called.cpe23 or called.cpe22, digests)
