"""The Common Security Advisory Framework, version 2.0: the parts that Red Hat and SUSE use.

A document's product tree names platforms (`Red Hat Enterprise Linux 9`) and packages, and its relationships say which
package is a component of which platform; the statements are about those components.

Source: https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from msgspec import Struct, field

from openinspector.errors import FeedError
from openinspector.feeds.cvss import Score, assigned, distinct_vectors
from openinspector.feeds.streams import UNREADABLE_JSON
from openinspector.model.advisory import Cvss, State

_MAX_NESTING: Final = 4  # component of a module of a platform is 2


class Helper(Struct):
    """How to recognise a product."""

    purl: str = ""
    cpe: str = ""


class Product(Struct):
    """A platform or a package of the product tree."""

    product_id: str
    name: str = ""
    product_identification_helper: Helper = field(default_factory=Helper)


class Branch(Struct):
    """A node of the product tree."""

    branches: list["Branch"] = []
    product: Product | None = None


class Relationship(Struct):
    """A package as a component of a platform, under an id of its own."""

    full_product_name: Product
    product_reference: str
    relates_to_product_reference: str


class ProductTree(Struct):
    """All products and how they belong together."""

    branches: list[Branch] = []
    full_product_names: list[Product] = []
    relationships: list[Relationship] = []


class Note(Struct):
    """A text about a flaw or the whole document."""

    category: str = ""
    title: str = ""
    text: str = ""


class Reference(Struct):
    """A link."""

    url: str = ""
    category: str = ""


class Remediation(Struct):
    """What can be done about a flaw in some products."""

    category: str
    details: str = ""
    url: str = ""
    product_ids: list[str] = []


class Threat(Struct):
    """How bad a flaw is in some products (all, where none is listed)."""

    category: str
    details: str = ""
    product_ids: list[str] = []


class Scores(Struct):
    """CVSS of a flaw, by version."""

    cvss_v2: Score | None = None
    cvss_v3: Score | None = None
    cvss_v4: Score | None = None


class Weakness(Struct):
    """A CWE."""

    id: str = ""


class ProductStatus(Struct):
    """The statements: ids of components by what is said of them."""

    fixed: list[str] = []
    first_fixed: list[str] = []
    recommended: list[str] = []
    known_affected: list[str] = []
    first_affected: list[str] = []
    last_affected: list[str] = []
    known_not_affected: list[str] = []
    under_investigation: list[str] = []


class Vulnerability(Struct):
    """A flaw and what is said of it."""

    cve: str = ""
    title: str = ""
    cwe: Weakness | None = None
    notes: list[Note] = []
    product_status: ProductStatus = field(default_factory=ProductStatus)
    references: list[Reference] = []
    release_date: str = ""
    remediations: list[Remediation] = []
    scores: list[Scores] = []
    threats: list[Threat] = []


class Tracking(Struct):
    """The document's identity and life."""

    id: str
    status: str = ""
    current_release_date: str = ""
    initial_release_date: str = ""


class AggregateSeverity(Struct):
    """The publisher's word."""

    text: str = ""


class Head(Struct):
    """What the document says of itself."""

    tracking: Tracking
    title: str = ""
    category: str = ""
    aggregate_severity: AggregateSeverity = field(default_factory=AggregateSeverity)
    notes: list[Note] = []
    references: list[Reference] = []


class Csaf(Struct):
    """A document."""

    document: Head
    product_tree: ProductTree = field(default_factory=ProductTree)
    vulnerabilities: list[Vulnerability] = []


_DECODER: Final = msgspec.json.Decoder(Csaf)


def read(data: bytes, path: str) -> Csaf:
    """A document.

    Raises:
        FeedError: It is no CSAF, or nests too deep.
    """
    try:
        return _DECODER.decode(data)
    except UNREADABLE_JSON as error:
        raise FeedError(f"{path}: {error}") from error


class Components:
    """A product tree's components by their id: which package, of which platform."""

    def __init__(self, tree: ProductTree) -> None:
        self.products = {product.product_id: product for product in _products(tree)}
        self._relationships = {each.full_product_name.product_id: each for each in tree.relationships}

    def resolve(self, component_id: str) -> tuple[str, tuple[str, ...]] | None:
        """The id of the platform, and those of the package and of the module that it is in; None for no component.

        `AppStream-9:nodejs:18:…:npm-1:…` → `AppStream-9`, (`npm-1:…`, `nodejs:18:…`).
        """
        inside: list[str] = []
        for _ in range(_MAX_NESTING):
            relationship = self._relationships.get(component_id)
            if relationship is None:
                break
            inside.append(relationship.product_reference)
            component_id = relationship.relates_to_product_reference
        if not inside or component_id in self._relationships:
            return None
        return component_id, tuple(inside)

    def helper(self, product_id: str) -> Helper:
        """How to recognise a product; nothing, where the tree says nothing of it."""
        product = self.products.get(product_id)
        return product.product_identification_helper if product else Helper()


def _products(tree: ProductTree) -> Iterator[Product]:
    yield from tree.full_product_names
    waiting = list(tree.branches)
    while waiting:
        branch = waiting.pop()
        if branch.product is not None:
            yield branch.product
        waiting.extend(branch.branches)


def unfixed_states(remediations: Iterable[Remediation]) -> dict[str, tuple[State, str]]:
    """What the publisher means to do for each component that has no fix, and its own words for it."""
    states: dict[str, tuple[State, str]] = {}
    for each in remediations:
        if each.category in ("no_fix_planned", "none_available"):
            state = _unfixed_state(each)
            for component_id in each.product_ids:
                states[component_id] = state, each.details
    return states


def _unfixed_state(remediation: Remediation) -> State:
    details = remediation.details.lower()
    if "out of support" in details or "end of life" in details:
        return "end_of_life"
    if remediation.category == "no_fix_planned":
        return "will_not_fix"
    if "deferred" in details:
        return "deferred"
    if "investigation" in details:
        return "under_investigation"
    return "affected"


def vectors(scores: Iterable[Scores], source: str) -> tuple[Cvss, ...]:
    """Every CVSS vector, each once."""
    return distinct_vectors(
        assigned(score, source)
        for each in scores
        for score in (each.cvss_v4, each.cvss_v3, each.cvss_v2)
        if score is not None
    )


def impacts(threats: Iterable[Threat]) -> dict[str, str]:
    """The severity of each component; under "" that of those that are not listed."""
    words: dict[str, str] = {}
    for threat in threats:
        if threat.category == "impact":
            for component_id in threat.product_ids or [""]:
                words[component_id] = threat.details
    return words


def note(notes: Iterable[Note], *categories: str) -> str:
    """The first text of the first of the categories that has one."""
    by_category: dict[str, str] = {}
    for each in notes:
        by_category.setdefault(each.category, each.text)
    return next((by_category[category] for category in categories if category in by_category), "")
