"""CSAF 2.0: a product status is a statement about each product that it lists.

A product is one of the tree, known by the package URL or CPE of its `product_identification_helper`, or one as a
component of another (a package of a platform, a library of an application): then the statement is about the component
in that product only. Flags, and threats of the category `impact`, say why a product is not affected.

Source: https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html, 3.2.3 (flags, product status, threats), 4.5 (the VEX
profile, where a product that is not affected must have such a reason)
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from msgspec import Struct, field

from openinspector.errors import FeedError
from openinspector.feeds import csaf
from openinspector.feeds.streams import UNREADABLE_JSON
from openinspector.feeds.vex.contract import Collector, VexDocument, kept, moment, names, shown
from openinspector.model.vex import Product, Statement, VexStatus

_PROFILE: Final = "csaf_vex"


class _Publisher(Struct):
    name: str = ""


class _Head(csaf.Head):
    publisher: _Publisher = field(default_factory=_Publisher)


class _Group(Struct):
    group_id: str
    product_ids: list[str] = []


class _Tree(csaf.ProductTree):
    product_groups: list[_Group] = []


class _Flag(Struct):
    label: str
    product_ids: list[str] = []
    group_ids: list[str] = []


class _Threat(csaf.Threat):
    group_ids: list[str] = []


class _Id(Struct):
    text: str = ""


class _Vulnerability(Struct):
    cve: str = ""
    ids: list[_Id] = []
    product_status: csaf.ProductStatus = field(default_factory=csaf.ProductStatus)
    flags: list[_Flag] = []
    threats: list[_Threat] = []
    remediations: list[csaf.Remediation] = []


class _Document(Struct):
    document: _Head
    product_tree: _Tree = field(default_factory=_Tree)
    vulnerabilities: list[_Vulnerability] = []


_DECODER: Final = msgspec.json.Decoder(_Document)


def read(data: bytes, path: str) -> VexDocument:
    """The statements of a document.

    Raises:
        FeedError: It is no CSAF, nests too deep or holds too much.
    """
    try:
        document = _DECODER.decode(data)
    except UNREADABLE_JSON as error:
        raise FeedError(f"{path}: can't be read as CSAF: {error}") from error
    collector = Collector(path, "CSAF", document.document.tracking.id)
    tree = _Products(document.product_tree, collector)
    for each in document.vulnerabilities:
        _statements(each, document.document, tree, collector)
    return collector.document()


def _statements(said: _Vulnerability, head: _Head, tree: "_Products", collector: Collector) -> None:
    called = names(said.cve, *(each.text for each in said.ids))
    if not called:
        collector.problem("a vulnerability without CVE or other id")
        return
    labels = _by_product(((each.label, each.product_ids, each.group_ids) for each in said.flags), tree)
    impacts = _by_product(
        ((each.details, each.product_ids, each.group_ids) for each in said.threats if each.category == "impact"), tree
    )
    actions = _by_product(((each.details, each.product_ids, []) for each in said.remediations), tree)
    timestamp = moment(head.tracking.current_release_date or head.tracking.initial_release_date)
    for status, product_id in _stated(said.product_status):
        label, impact = labels.get(product_id, ""), impacts.get(product_id, "")
        innocent = status == "not_affected"
        if innocent and head.category == _PROFILE and not label and not impact:
            collector.problem(
                f"{called[0]}: known_not_affected with neither flag nor impact statement is invalid and is not applied"
            )
            continue
        found = tree.find(product_id)
        if found is None:
            continue
        product, components = found
        collector.add(
            Statement(
                vulnerabilities=called,
                status=status,
                product=product,
                components=components,
                justification=label[:200] if innocent else "",
                impact=kept(impact) if innocent else "",
                action=kept(actions.get(product_id, "")) if status == "affected" else "",
                author=head.publisher.name[:500],
                timestamp=timestamp,
                document=head.tracking.id[:500],
                file=collector.path,
                format="CSAF",
            )
        )


def _stated(said: csaf.ProductStatus) -> Iterator[tuple[VexStatus, str]]:
    """Each product with its status; `recommended` is advice, not a status."""
    lists: tuple[tuple[VexStatus, list[str]], ...] = (
        ("not_affected", said.known_not_affected),
        ("fixed", [*said.fixed, *said.first_fixed]),
        ("affected", [*said.known_affected, *said.first_affected, *said.last_affected]),
        ("under_investigation", said.under_investigation),
    )
    for status, products in lists:
        for product_id in dict.fromkeys(products):
            yield status, product_id


def _by_product(said: Iterable[tuple[str, list[str], list[str]]], tree: "_Products") -> dict[str, str]:
    """The first text for each product, named itself or with its group."""
    found: dict[str, str] = {}
    for text, products, groups in said:
        for product_id in (*products, *(each for group in groups for each in tree.groups.get(group, ()))):
            found.setdefault(product_id, text.strip())
    return found


class _Products:
    """The products of a tree by their id."""

    def __init__(self, tree: _Tree, collector: Collector) -> None:
        self.groups = {each.group_id: each.product_ids for each in tree.product_groups}
        self._components = csaf.Components(tree)
        self._within = {each.full_product_name.product_id for each in tree.relationships}
        self._collector = collector
        self._known: dict[str, tuple[Product, tuple[Product, ...]] | None] = {}

    def find(self, product_id: str) -> tuple[Product, tuple[Product, ...]] | None:
        """A product, and the component of it that is meant, if one is; None, and a problem, for what nothing names."""
        if product_id not in self._known:
            self._known[product_id] = self._find(product_id)
        return self._known[product_id]

    def _find(self, product_id: str) -> tuple[Product, tuple[Product, ...]] | None:
        resolved = self._components.resolve(product_id)
        if resolved is None:
            if product_id in self._within or product_id not in self._components.products:
                self._collector.problem(f"{shown(product_id)} is no product of the tree")
                return None
            return self._product(product_id), ()
        platform, inside = resolved
        if platform not in self._components.products or inside[0] not in self._components.products:
            self._collector.problem(f"{shown(product_id)} combines products that the tree doesn't have")
            return None
        component = self._product(inside[0])
        for enclosing in inside[1:]:
            component = _in_module(component, self._product(enclosing))
        return self._product(platform), (component,)

    def _product(self, product_id: str) -> Product:
        product = self._components.products.get(product_id)
        helper = self._components.helper(product_id)
        return self._collector.product(product.name if product else product_id, helper.purl, helper.cpe)


def _in_module(component: Product, module: Product) -> Product:
    """A package of a module stream, `pkg:rpmmod/redhat/nodejs@18:8090…`: the stream becomes part of its package URL."""
    if component.purl is None or module.purl is None or module.purl.type != "rpmmod":
        return component
    stream = f"{module.purl.name}:{module.purl.version}"
    if component.purl.qualifier("rpmmod"):
        return component
    qualifiers = tuple(sorted((*component.purl.qualifiers, ("rpmmod", stream))))
    return msgspec.structs.replace(component, purl=msgspec.structs.replace(component.purl, qualifiers=qualifiers))
