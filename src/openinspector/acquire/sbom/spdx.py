"""What JSON and tag-value of SPDX 2 have in common: a document's elements become a bill.

Source: https://spdx.github.io/spdx-spec/v2.3/
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct, field

from openinspector.acquire.sbom.cyclonedx import digest
from openinspector.acquire.sbom.record import NO_SOFTWARE, Bill, Component, check_count
from openinspector.errors import AcquireError

DOCUMENT: Final = "SPDXRef-DOCUMENT"
_NOTHING_SAID: Final = frozenset({"", "NOASSERTION", "NONE"})
_DEVELOPMENT: Final = frozenset(
    f"{use}_{what}_OF" for use in ("DEV", "TEST", "BUILD") for what in ("DEPENDENCY", "TOOL")
)
_NEEDED: Final = frozenset({"DEPENDENCY_OF", "RUNTIME_DEPENDENCY_OF"})
_OVERLAP: Final = "ownership-by-file-overlap"  # Syft: the first element's package manager owns the second's file
_TRIVY: Final = "Tool: trivy"
# What somebody wrote behind `PkgID: `, `LayerDiffID: ` …, in the name that the same has as a property elsewhere.
_TRIVY_FACT: Final = re.compile(r"([A-Za-z]{1,40}): (.*)", re.DOTALL)
_OURS: Final = "acquired by "  # how the origin of a package in our own documents starts


class Element(Struct, kw_only=True):
    """A package as the document has it."""

    id: str = ""
    name: str = ""
    version: str = ""
    supplier: str = ""
    purpose: str = ""
    license: str = ""
    concluded: str = ""
    origin: str = ""
    checksums: list[tuple[str, str]] = field(default_factory=list)
    references: list[tuple[str, str]] = field(default_factory=list)  # type and locator
    attributions: list[str] = field(default_factory=list)


class Spdx(Struct, kw_only=True):
    """A document: its packages and what it says of them."""

    version: str = ""
    creators: list[str] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)
    described: set[str] = field(default_factory=set)
    development: set[str] = field(default_factory=set)
    needed: set[str] = field(default_factory=set)
    owners: dict[str, str] = field(default_factory=dict)  # of a package's id, the id of its owner
    licenses: dict[str, str] = field(default_factory=dict)  # name or text of a LicenseRef

    def relation(self, one: str, kind: str, other: str, comment: str) -> None:
        """Take note of a relationship, if anything follows from it."""
        if kind == "DESCRIBES" and one == DOCUMENT:
            self.described.add(other)
        elif kind == "DESCRIBED_BY" and other == DOCUMENT:
            self.described.add(one)
        elif kind in _DEVELOPMENT:
            self.development.add(one)
        elif kind in _NEEDED:
            self.needed.add(one)
        elif kind == "DEPENDS_ON":
            self.needed.add(other)
        elif kind == "OTHER" and comment.startswith(_OVERLAP):
            self.owners[other] = one


def check_version(version: str) -> None:
    """Whether a document's version is one of those that are understood.

    Raises:
        AcquireError: It is not.
    """
    if not version.startswith("SPDX-2."):
        raise AcquireError(f"is of the version {version[:40]!r}; SPDX 2 is understood")


def bill_of(document: Spdx) -> Bill:
    """The bill of a document.

    Raises:
        AcquireError: It has too many packages.
    """
    check_count(len(document.elements))
    names = {each.id: each.name for each in document.elements if each.id}
    made_by_trivy = any(each.startswith(_TRIVY) for each in document.creators)
    components = []
    subject = None
    for each in document.elements:
        component = _component(each, document, names, made_by_trivy=made_by_trivy)
        # What the document is about is no package in it. Some documents say of each package that they describe it.
        if document.described == {each.id} and (not component.purls or component.kind in NO_SOFTWARE):
            subject = component
        else:
            components.append(component)
    return Bill(components=tuple(components), subject=subject)


def _component(element: Element, document: Spdx, names: dict[str, str], *, made_by_trivy: bool) -> Component:
    origin = element.origin
    properties = tuple(_properties(element)) if made_by_trivy else ()
    checksum = next(iter(element.checksums), None)
    return Component(
        name=element.name,
        version=element.version,
        purls=tuple(dict.fromkeys(locator for kind, locator in element.references if kind == "purl" and locator)),
        cpe=next((locator for kind, locator in element.references if kind.startswith("cpe2")), ""),
        kind=element.purpose.lower().replace("_", "-") or "library",
        supplier=_party(element.supplier),
        license=_license(element, document.licenses),
        digest=digest(*checksum) if checksum else "",
        development=element.id in document.development and element.id not in document.needed,
        aggregate=made_by_trivy and element.id.startswith("SPDXRef-Application"),
        owner=names.get(document.owners.get(element.id, ""), ""),
        origin=origin,
        places=tuple(_places(origin)) if origin.startswith(_OURS) else (),
        properties=properties,
    )


def _properties(element: Element) -> Iterator[tuple[str, str]]:
    for each in element.attributions:
        if found := _TRIVY_FACT.fullmatch(each):
            yield f"aquasecurity:trivy:{found[1]}", found[2].strip()


def _party(text: str) -> str:
    """`Debian` of `Organization: Debian`."""
    kind, colon, name = text.partition(":")
    said = name.strip() if colon and kind in ("Organization", "Person") else text
    return "" if said in _NOTHING_SAID else said


def _license(element: Element, known: dict[str, str]) -> str:
    said = element.license if element.license not in _NOTHING_SAID else element.concluded
    return "" if said in _NOTHING_SAID else known.get(said, said)


def _places(origin: str) -> Iterable[tuple[str, str]]:
    """The paths in the text of our own documents: `acquired by …; from a/b (owned by c), d/e; built from …`."""
    for clause in origin.split("; "):
        if clause.startswith("from "):
            for each in clause.removeprefix("from ").split(", "):
                path, _, owner = each.partition(" (owned by ")
                yield path, owner.removesuffix(")")
            return
