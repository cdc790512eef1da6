"""Azure Linux and its forerunner CBL-Mariner: OVAL, one definition a CVE and package.

A definition names the package as its specification does, so that all the packages built from it are meant: source
packages.

Source: https://github.com/microsoft/AzureLinuxVulnerabilityData
"""

from collections.abc import Iterator
from typing import Final

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.oval import Bound, Definition, Oval, read
from openinspector.feeds.streams import unpacked
from openinspector.feeds.text import MAX_REFERENCES, clipped, distinct, is_cve, without_zero_epoch
from openinspector.model.advisory import Advisory, Affected, Range
from openinspector.model.problem import Problem

_BASE: Final = "https://raw.githubusercontent.com/microsoft/AzureLinuxVulnerabilityData/main/"


class AzureLinux:
    """A document a release."""

    name = "azurelinux"
    title = "Azure Linux and CBL-Mariner"
    revision = 1
    repeats: Final = "add"
    sources = (
        Source(path="azurelinux/azurelinux-3.0-oval.xml", url=f"{_BASE}azurelinux-3.0-oval.xml"),
        Source(path="azurelinux/cbl-mariner-2.0-oval.xml", url=f"{_BASE}cbl-mariner-2.0-oval.xml"),
        Source(path="azurelinux/*-oval.xml*"),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """One advisory a definition."""
        namespace = _namespace(document.path)
        with unpacked(document) as stream:
            oval = read(stream, document.path)
        readable = 0
        for definition in oval.definitions:
            try:
                yield _advisory(definition, tuple(_affected(oval, definition, namespace)))
                readable += 1
            except ValueError as error:
                yield Problem(path=document.path, reason=f"{definition.id}: {error}", format=self.name)
        if not readable:
            raise FeedError(f"azurelinux: {document.path}: none of its definitions can be read")


def _namespace(path: str) -> str:
    """`mariner:2.0` of `azurelinux/cbl-mariner-2.0-oval.xml`.

    Raises:
        FeedError: The name has no release.
    """
    product, _, release = (
        path.rpartition("/")[2].partition(".xml")[0].removesuffix("-oval").removesuffix("-preview").rpartition("-")
    )
    product = product.removeprefix("cbl-").removesuffix("-truncated").replace("azure-linux", "azurelinux")
    if product not in ("azurelinux", "mariner") or not release.replace(".", "", 1).isdigit():
        raise FeedError(f"azurelinux: {path}: its name has no release (azurelinux-3.0-oval.xml)")
    return f"{product}:{release}"


def _affected(oval: Oval, definition: Definition, namespace: str) -> Iterator[Affected]:
    """The packages of a definition.

    Raises:
        ValueError: Its criteria make no sense.
    """
    # "This CVE either no longer is or was never applicable", with the bound of the day on which that was found.
    applicable = definition.patchable.lower() != "not applicable"
    for case in oval.alternatives(definition):
        bounds: dict[str, list[Bound]] = {}
        for bound in case.bounds:
            bounds.setdefault(bound.package, []).append(bound)
        for package, each in bounds.items():
            yield Affected(
                namespace=namespace,
                name=package,
                kind="source",
                ranges=(_range(each),) if applicable else (),
                state="affected" if applicable else "not_affected",
            )


def _range(bounds: list[Bound]) -> Range:
    """Bounds that hold together, as an interval: more than 1.19.0 and less than 1.20.7."""
    sides: dict[str, str] = {}
    for bound in bounds:
        side = _SIDES.get(bound.operation)
        if side is None or side in sides:
            raise ValueError(f"{bound.package} is {bound.operation} {bound.evr}: no bound that we read")
        sides[side] = without_zero_epoch(bound.evr)
    if {"fixed", "last_affected"} <= sides.keys() or {"introduced", "after"} <= sides.keys():
        raise ValueError(f"{bounds[0].package} has two bounds on one side")
    return Range(**sides)


_SIDES: Final = {
    "less than": "fixed",
    "less than or equal": "last_affected",
    "greater than": "after",
    "greater than or equal": "introduced",
}


def _advisory(definition: Definition, concerned: tuple[Affected, ...]) -> Advisory:
    cves = distinct(each.id for each in definition.references if is_cve(each.id))
    if not cves:
        raise ValueError("names no CVE")
    return Advisory(
        id=definition.id,
        vulnerabilities=cves,
        title=definition.title,
        description=clipped(definition.description),
        severity=definition.severity,
        references=distinct((each.url for each in definition.references), MAX_REFERENCES),
        published=definition.published,
        affected=concerned,
    )


PLUGIN: Final[Feed] = AzureLinux()
