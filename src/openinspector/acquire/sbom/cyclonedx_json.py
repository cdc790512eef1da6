"""CycloneDX in JSON, as of 1.2.

Source: https://cyclonedx.org/docs/1.6/json/
"""

from typing import Any

from openinspector.acquire.sbom.cyclonedx import component_of, too_deep
from openinspector.acquire.sbom.json_document import Document, member, objects
from openinspector.acquire.sbom.record import DEEPEST, Bill, Component, check_count


def read(document: Document) -> Bill:
    """The bill of a decoded document.

    Raises:
        AcquireError: It has too many components.
    """
    walk = _Walk()
    about = member(document.metadata, "component")
    subject = component_of(about) if isinstance(about, dict) else None
    if isinstance(about, dict):
        walk.below(about, 1)
    for each in objects(document.components):
        walk.component(each, 1)
    return Bill(components=tuple(walk.found), subject=subject, problems=too_deep(walk.left_out))


class _Walk:
    """Collects components, each before those within it."""

    def __init__(self) -> None:
        self.found: list[Component] = []
        self.left_out = 0

    def component(self, raw: dict[str, Any], depth: int) -> None:
        if depth > DEEPEST:
            self.left_out += 1
            return
        self.found.append(component_of(raw))
        check_count(len(self.found))
        self.below(raw, depth + 1)

    def below(self, raw: dict[str, Any], depth: int) -> None:
        for each in objects(raw.get("components")):
            self.component(each, depth)
