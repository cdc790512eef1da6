"""What JSON and XML of CycloneDX have in common: a component, in the shape of the JSON encoding, becomes a record.

Source: https://cyclonedx.org/docs/1.6/json/
"""

from collections.abc import Iterator
from typing import Any, Final

from openinspector.acquire.sbom.json_document import member, objects
from openinspector.acquire.sbom.record import DEEPEST, Component, cut
from openinspector.model.problem import Problem

# The properties that somebody makes something of, by the names of their tools.
TOOLS: Final = ("aquasecurity:trivy:", "syft:", "openinspector:", "cdx:", "amazon:inspector:sbom_generator:")
_DEVELOPMENT: Final = frozenset({"cdx:npm:package:development", "cdx:composer:package:isDevRequirement"})
_OWNED: Final = "owned by "


def component_of(raw: dict[str, Any]) -> Component:
    """The record of one component, without those within it."""
    properties = tuple(
        (name, cut(each.get("value")))
        for each in objects(raw.get("properties"))
        if (name := cut(each.get("name"))).startswith(TOOLS)
    )
    purl = cut(raw.get("purl"))
    return Component(
        name=cut(raw.get("name")),
        group=cut(raw.get("group")),
        version=cut(raw.get("version")),
        purls=(purl,) if purl else (),
        cpe=cut(raw.get("cpe")),
        kind=cut(raw.get("type")) or "library",
        description=cut(raw.get("description")),
        supplier=cut(member(raw.get("supplier"), "name")) or cut(raw.get("publisher")),
        license=_license(objects(raw.get("licenses"))),
        digest=_digest(objects(raw.get("hashes"))),
        development=raw.get("scope") == "excluded"
        or any(name in _DEVELOPMENT and value == "true" for name, value in properties),
        aggregate=("aquasecurity:trivy:Class", "lang-pkgs") in properties,
        places=tuple(_places(raw)),
        properties=properties,
    )


def too_deep(count: int) -> tuple[Problem, ...]:
    """What to say of components that lie too deep within others."""
    if not count:
        return ()
    reason = f"components within more than {DEEPEST} others"
    return (Problem(path="", reason=reason, format="sbom", count=count, partial=True),)


def _places(raw: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for each in objects(member(raw.get("evidence"), "occurrences")):
        place, context = cut(each.get("location")).lstrip("/"), cut(each.get("additionalContext"))
        if place:
            yield place, context.removeprefix(_OWNED) if context.startswith(_OWNED) else ""


def _license(raw: list[dict[str, Any]]) -> str:
    said = []
    for each in raw:
        license_ = each.get("license")
        said.append(cut(member(license_, "id")) or cut(member(license_, "name")) or cut(each.get("expression")))
    return " AND ".join(filter(None, said))


def _digest(raw: list[dict[str, Any]]) -> str:
    """The first hash, as `sha256:…`."""
    for each in raw:
        algorithm, value = cut(each.get("alg")), cut(each.get("content"))
        if algorithm and value:
            return digest(algorithm, value)
    return ""


def digest(algorithm: str, value: str) -> str:
    """`sha256:…` of `SHA-256` or `SHA256`; names with more in them (`SHA3-256`) keep their dashes."""
    name = algorithm.lower()
    return f"{name.replace('sha-', 'sha')}:{value.lower()}"
