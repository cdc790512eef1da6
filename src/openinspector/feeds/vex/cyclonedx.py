"""CycloneDX JSON: the analysis of a vulnerability is a statement about each component that it affects.

    {"bomFormat": "CycloneDX", "serialNumber": "urn:uuid:3e67…", "version": 1,
     "components": [{"bom-ref": "c1", "name": "lodash", "purl": "pkg:npm/lodash@4.17.20"}],
     "vulnerabilities": [{"id": "CVE-2021-23337", "affects": [{"ref": "c1"}],
                          "analysis": {"state": "not_affected", "justification": "code_not_reachable"}}]}

A `ref` is the `bom-ref` of a component here, a BOM-Link (`urn:cdx:3e67…/1#c1`) to one of another document that we were
given, or a package URL. A vulnerability without an analysis is a finding of somebody's, not a statement.

Source: https://cyclonedx.org/docs/1.6/json/, https://cyclonedx.org/capabilities/bomlink/
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from msgspec import Raw, Struct, field

from openinspector.errors import FeedError
from openinspector.feeds.streams import UNREADABLE_JSON
from openinspector.feeds.vex.contract import Collector, VexDocument, kept, moment, names, shown
from openinspector.model.vex import Product, Statement, VexStatus

_STATES: Final[dict[str, VexStatus]] = {
    "resolved": "fixed",
    "resolved_with_pedigree": "fixed",
    "exploitable": "affected",
    "in_triage": "under_investigation",
    "false_positive": "not_affected",
    "not_affected": "not_affected",
}
_DIGESTS: Final = {"SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512", "SHA-1": "sha1", "MD5": "md5"}
_LINK: Final = "urn:cdx:"


class _Hash(Struct):
    alg: str = ""
    content: str = ""


class Component(Struct):
    """A component; `components` are those within it."""

    ref: str = field(name="bom-ref", default="")
    name: str = ""
    version: str = ""
    purl: str = ""
    cpe: str = ""
    hashes: list[_Hash] = []
    components: list["Component"] = []


class _Named(Struct):
    name: str = ""


class _Metadata(Struct):
    timestamp: str = ""
    authors: list[_Named] = []
    manufacturer: _Named = field(default_factory=_Named)
    manufacture: _Named = field(default_factory=_Named)
    supplier: _Named = field(default_factory=_Named)
    component: Component | None = None


class Bom(Struct):
    """A document, with its vulnerabilities unread."""

    serial: str = field(name="serialNumber", default="")
    version: int = 1
    metadata: _Metadata = field(default_factory=_Metadata)
    components: list[Component] = []
    vulnerabilities: list[Raw] = []


class _Reference(Struct):
    id: str = ""


class _Analysis(Struct):
    state: str = ""
    justification: str = ""
    detail: str = ""
    response: list[str] = []
    issued: str = field(name="firstIssued", default="")
    updated: str = field(name="lastUpdated", default="")


class _Version(Struct):
    version: str = ""
    range: str = ""
    status: str = "affected"


class _Affected(Struct):
    ref: str
    versions: list[_Version] = []


class _Vulnerability(Struct):
    id: str = ""
    references: list[_Reference] = []
    updated: str = ""
    analysis: _Analysis | None = None
    affects: list[_Affected] = []


_BOM: Final = msgspec.json.Decoder(Bom)
_VULNERABILITY: Final = msgspec.json.Decoder(_Vulnerability)

Book = dict[str, Component]  # the components of a document by their reference; its subject under ""


def decode(data: bytes, path: str) -> Bom:
    """A document.

    Raises:
        FeedError: It is no CycloneDX, or nests too deep.
    """
    try:
        return _BOM.decode(data)
    except UNREADABLE_JSON as error:
        raise FeedError(f"{path}: can't be read as CycloneDX: {error}") from error


def book_of(bom: Bom) -> Book:
    """Every component of a document by its reference."""
    found: Book = {}
    waiting = list(bom.components)
    if bom.metadata.component is not None:
        found[""] = bom.metadata.component
        waiting.append(bom.metadata.component)
    while waiting:
        component = waiting.pop()
        if component.ref:
            found[component.ref] = component
        waiting.extend(component.components)
    return found


def link_of(bom: Bom) -> str:
    """The start of every BOM-Link into a document: `urn:cdx:3e67…/1`; "" for one without a serial number."""
    return f"{_LINK}{bom.serial.removeprefix('urn:uuid:').lower()}/{bom.version}" if bom.serial else ""


def read(bom: Bom, path: str, linked: Mapping[str, Book]) -> VexDocument:
    """The statements of a document; `linked` are the components of all that were given, by `link_of`.

    Raises:
        FeedError: It holds too much.
    """
    collector = Collector(path, "CycloneDX", bom.serial)
    about = bom.metadata
    authors = ", ".join(each.name for each in about.authors if each.name)
    author = authors or about.manufacturer.name or about.manufacture.name or about.supplier.name
    finder = _Finder(book_of(bom), linked, collector)
    for raw in bom.vulnerabilities:
        try:
            said = _VULNERABILITY.decode(raw)
        except UNREADABLE_JSON as error:
            collector.problem(f"a vulnerability that makes no sense: {error}")
            continue
        if said.analysis is not None and said.analysis.state:
            _statements(said, said.analysis, bom, author, finder, collector)
    return collector.document()


def _statements(
    said: _Vulnerability, analysis: _Analysis, bom: Bom, author: str, finder: "_Finder", collector: Collector
) -> None:
    called = names(said.id, *(each.id for each in said.references))
    status = _STATES.get(analysis.state)
    if not called:
        collector.problem("an analysis without a vulnerability")
        return
    if status is None:
        collector.problem(f"{called[0]}: there is no state {shown(analysis.state)}")
        return
    if not said.affects:
        collector.problem(f"{called[0]}: an analysis that affects nothing")
        return
    written = analysis.updated or analysis.issued or said.updated or bom.metadata.timestamp
    for each in said.affects:
        product = finder.product(each, status)
        if product is None:
            continue
        collector.add(
            Statement(
                vulnerabilities=called,
                status=status,
                product=product,
                justification=analysis.justification.strip()[:200]
                or ("false_positive" if analysis.state == "false_positive" else ""),
                impact=kept(analysis.detail),
                action=kept(", ".join(analysis.response)),
                author=author[:500],
                timestamp=moment(written),
                document=bom.serial[:500],
                file=collector.path,
                format="CycloneDX",
            )
        )


class _Finder:
    """Resolves references to products."""

    def __init__(self, own: Book, linked: Mapping[str, Book], collector: Collector) -> None:
        self._own, self._linked, self._collector = own, linked, collector

    def product(self, affected: _Affected, status: VexStatus) -> Product | None:
        """What a reference stands for; None, and a problem, where nobody can tell."""
        ref = affected.ref
        component = self._own.get(ref) if ref else None
        if component is None and ref.startswith(_LINK):
            component, ref = self._linked_component(ref)
        if component is not None:
            product = self._of(component)
        elif ref.startswith("pkg:"):
            product = self._collector.product(ref)
        else:
            self._collector.problem(f"{shown(affected.ref)} refers to no component of a document that was given")
            return None
        if not affected.versions or product.versions or (product.purl is not None and product.purl.version):
            return product
        return self._limited(product, affected.versions, status)

    def _linked_component(self, link: str) -> tuple[Component | None, str]:
        """The component behind a BOM-Link, else the reference in it, which may be a package URL."""
        from urllib.parse import unquote

        document, _, fragment = link.partition("#")
        ref = unquote(fragment)
        return self._linked.get(document.lower(), {}).get(ref), ref

    def _of(self, component: Component) -> Product:
        digests = [f"{_DIGESTS[each.alg]}:{each.content.lower()}" for each in component.hashes if each.alg in _DIGESTS]
        if component.version.startswith("sha256:"):
            digests.append(component.version)
        product = self._collector.product(component.name, component.purl, component.cpe, digests)
        if component.version and product.purl is not None and not product.purl.version:
            return msgspec.structs.replace(product, versions=(component.version,))
        return product

    def _limited(self, product: Product, said: Iterable[_Version], status: VexStatus) -> Product | None:
        """The product in the versions that are meant: of something resolved, those that are said to be unaffected."""
        exact = [each for each in said if each.version]
        if any(each.range and not each.version for each in said):
            self._collector.problem(f"{shown(product.id)}: ranges of versions are not read")
        unaffected = [each.version for each in exact if each.status == "unaffected"]
        affected = [each.version for each in exact if each.status == "affected"]
        meant = (unaffected or affected) if status in ("fixed", "not_affected") else affected
        return msgspec.structs.replace(product, versions=tuple(meant)) if meant else None
