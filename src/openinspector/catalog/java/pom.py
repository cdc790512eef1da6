"""A Maven project file, as far as it can be read without fetching anything.

Versions come from properties, from the parent's file where that lies beside, and from `dependencyManagement`. What a
remote parent or an imported bill of materials would say can't be known here and stays open. Source:
https://maven.apache.org/pom.html,
https://maven.apache.org/guides/introduction/introduction-to-dependency-mechanism.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError  # noqa: S405 - types only; defusedxml parses

from msgspec import Struct

from openinspector.errors import CatalogError

_PLACEHOLDER = re.compile(r"\$\{([^${}]{1,200})\}")
_ROUNDS = 8  # of placeholders inside placeholders
_LONGEST = 1000  # characters of a text with placeholders
_LONGEST_VALUE = 200  # characters of what a placeholder stands for
_PIN = re.compile(r"\[\s*([^,\[\]()\s]+)\s*\]\Z")


class Dependency(Struct, frozen=True, kw_only=True):
    """One `<dependency>`, placeholders unresolved."""

    group: str
    artifact: str
    version: str = ""
    scope: str = ""
    kind: str = ""
    classifier: str = ""


class Pom(Struct, frozen=True, kw_only=True):
    """One project file, placeholders unresolved; `parent` is group, artifact and version, empty where there is none."""

    group: str
    artifact: str
    version: str
    parent: tuple[str, str, str]
    properties: Mapping[str, str]
    dependencies: tuple[Dependency, ...]
    managed: tuple[Dependency, ...]

    def values(self) -> dict[str, str]:
        """What placeholders of this file stand for."""
        group = self.group or self.parent[0]
        version = self.version or self.parent[2]
        values = dict(self.properties)
        for prefix in ("project.", "pom.", ""):
            values.setdefault(f"{prefix}groupId", group)
            values.setdefault(f"{prefix}artifactId", self.artifact)
            values.setdefault(f"{prefix}version", version)
            values.setdefault(f"{prefix}parent.groupId", self.parent[0])
            values.setdefault(f"{prefix}parent.version", self.parent[2])
        return values


def parse_pom(data: bytes) -> Pom:
    """The project file.

    Raises:
        CatalogError: It is no XML, has entities, or is no project.
    """
    root = _parse(data)
    if _tag(root) != "project":
        raise CatalogError(f"its root is <{_tag(root)[:40]}>, not <project>")
    parent = _child(root, "parent")
    profiles = [each for each in _children(_child(root, "profiles")) if _tag(each) == "profile"]
    properties: dict[str, str] = {}
    for place in (root, *profiles):
        for each in _children(_child(place, "properties")):
            properties.setdefault(_tag(each), (each.text or "").strip())
    return Pom(
        group=_text(root, "groupId"),
        artifact=_text(root, "artifactId"),
        version=_text(root, "version"),
        parent=(_text(parent, "groupId"), _text(parent, "artifactId"), _text(parent, "version")),
        properties=properties,
        dependencies=tuple(
            dependency for place in (root, *profiles) for dependency in _dependencies(_child(place, "dependencies"))
        ),
        managed=tuple(
            dependency
            for place in (root, *profiles)
            for dependency in _dependencies(_child(_child(place, "dependencyManagement"), "dependencies"))
        ),
    )


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with its placeholders resolved as far as `values` know them."""
    for _ in range(_ROUNDS):
        if len(text) > _LONGEST:
            break
        filled = _PLACEHOLDER.sub(lambda match: _value(match, values), text)
        if filled == text:
            break
        text = filled
    return text


def _value(placeholder: re.Match[str], values: Mapping[str, str]) -> str:
    value = values.get(placeholder.group(1).strip())
    return placeholder.group(0) if value is None or len(value) > _LONGEST_VALUE else value


def exact_version(version: str) -> str:
    """The one version that a requirement means (`1.0`, or pinned hard: `[1.0]`); "" for ranges and the like."""
    pinned = _PIN.match(version)
    if pinned:
        return pinned.group(1)
    if not version or version[0] in "[(" or "," in version or "${" in version or version in ("LATEST", "RELEASE"):
        return ""
    return version


def _parse(data: bytes) -> Element:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Any = fromstring(data)
    except DefusedXmlException as error:
        raise CatalogError("it declares entities, which no project needs") from error
    except (ParseError, ValueError, LookupError) as error:
        raise CatalogError(f"it is not well-formed XML: {error}") from error
    assert isinstance(root, Element)
    return root


def _dependencies(place: Element | None) -> Iterator[Dependency]:
    for each in _children(place):
        if _tag(each) == "dependency":
            yield Dependency(
                group=_text(each, "groupId"),
                artifact=_text(each, "artifactId"),
                version=_text(each, "version"),
                scope=_text(each, "scope"),
                kind=_text(each, "type"),
                classifier=_text(each, "classifier"),
            )


def _children(place: Element | None) -> Iterator[Element]:
    return iter(()) if place is None else (each for each in place if isinstance(each.tag, str))


def _child(place: Element | None, tag: str) -> Element | None:
    return next((each for each in _children(place) if _tag(each) == tag), None)


def _text(place: Element | None, tag: str) -> str:
    found = _child(place, tag)
    return (found.text or "").strip() if found is not None else ""


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
