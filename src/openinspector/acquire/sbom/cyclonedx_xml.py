"""CycloneDX in XML, 1.0 to 1.6.

    <bom xmlns="http://cyclonedx.org/schema/bom/1.6">
      <metadata><component type="container">…</component></metadata>
      <components><component type="library"><name>…</name><purl>…</purl>
        <components><component>…

No tree is built: a component takes shape, in that of the JSON encoding, while its elements go by. Document types and
entities are refused, what other namespaces have to say is passed over, and so are components that are not the bill's
own (tools, ancestors in a pedigree).

Source: https://cyclonedx.org/docs/1.6/xml/
"""

from collections.abc import Callable
from typing import IO, Any, Final

from openinspector.acquire.sbom.cyclonedx import TOOLS, component_of, too_deep
from openinspector.acquire.sbom.record import DEEPEST, MOST, TEXT_AT_MOST, Bill, check_count
from openinspector.errors import AcquireError

_SPACE: Final = "{http://cyclonedx.org/schema/bom/"
_DEEPEST_ELEMENT: Final = 4 * DEEPEST
_PIECE: Final = 1 << 16
_Raw = dict[str, Any]


def _member(name: str) -> Callable[[_Raw, dict[str, str], str], None]:
    def put(raw: _Raw, _attributes: dict[str, str], text: str) -> None:
        raw[name] = text

    return put


def _supplier(raw: _Raw, _attributes: dict[str, str], text: str) -> None:
    raw["supplier"] = {"name": text}


def _hash(raw: _Raw, attributes: dict[str, str], text: str) -> None:
    raw.setdefault("hashes", []).append({"alg": attributes.get("alg"), "content": text})


def _license(name: str) -> Callable[[_Raw, dict[str, str], str], None]:
    def put(raw: _Raw, _attributes: dict[str, str], text: str) -> None:
        raw.setdefault("licenses", []).append({"license": {name: text}})

    return put


def _expression(raw: _Raw, _attributes: dict[str, str], text: str) -> None:
    raw.setdefault("licenses", []).append({"expression": text})


def _property(raw: _Raw, attributes: dict[str, str], text: str) -> None:
    name = attributes.get("name", "")
    if name.strip().startswith(TOOLS):
        raw.setdefault("properties", []).append({"name": name, "value": text})


def _occurrence(raw: _Raw, _attributes: dict[str, str], text: str) -> None:
    raw.setdefault("evidence", {"occurrences": []})["occurrences"].append({"location": text})


def _context(raw: _Raw, _attributes: dict[str, str], text: str) -> None:
    places = raw.get("evidence", {}).get("occurrences")
    if places:
        places[-1]["additionalContext"] = text


# By the way from a component to the element.
_LEAVES: Final[dict[tuple[str, ...], Callable[[_Raw, dict[str, str], str], None]]] = {
    **{(name,): _member(name) for name in ("name", "group", "version", "purl", "cpe", "scope", "description")},
    ("publisher",): _member("publisher"),
    ("supplier", "name"): _supplier,
    ("hashes", "hash"): _hash,
    ("licenses", "license", "id"): _license("id"),
    ("licenses", "license", "name"): _license("name"),
    ("licenses", "expression"): _expression,
    ("properties", "property"): _property,
    ("evidence", "occurrences", "occurrence", "location"): _occurrence,
    ("evidence", "occurrences", "occurrence", "additionalContext"): _context,
}
_LONGEST_WAY: Final = max(map(len, _LEAVES))


def read(stream: IO[bytes]) -> Bill:
    """The bill of a document.

    Raises:
        AcquireError: It is no well-formed CycloneDX, declares entities, or exceeds a limit.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import XMLParser

    target = _Target()
    parser = XMLParser(target=target, forbid_dtd=True)
    try:
        while piece := stream.read(_PIECE):
            parser.feed(piece)
        parser.close()
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise AcquireError(f"is no XML that makes sense: {error}") from error
    return Bill(
        components=tuple(map(component_of, target.found)),
        subject=component_of(target.subject) if target.subject is not None else None,
        problems=too_deep(target.left_out),
    )


class _Target:
    """Is told of each element's start, text and end."""

    def __init__(self) -> None:
        self.found: list[_Raw] = []
        self.subject: _Raw | None = None
        self.left_out = 0
        self._count = 0
        self._path: list[str] = []
        self._space = ""
        self._open: list[tuple[int, _Raw]] = []  # the components that the parser is in, by the length of their path
        self._leaf: Callable[[_Raw, dict[str, str], str], None] | None = None
        self._attributes: dict[str, str] = {}
        self._text: list[str] = []
        self._length = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        path = self._path
        if self._count > MOST or len(path) >= _DEEPEST_ELEMENT:
            raise AcquireError(f"has more than {MOST:,} elements, or nests them more than {_DEEPEST_ELEMENT} deep")
        if not path:
            self._space, _, name = tag.rpartition("}")
            if not self._space.startswith(_SPACE) or name != "bom":
                raise AcquireError("is XML, but no CycloneDX")
        space, _, name = tag.rpartition("}")
        path.append(name if space == self._space else "")
        self._leaf = None
        if name == "component" and self._is_ours():
            self._component(attributes)
        elif self._open and len(path) - self._open[-1][0] <= _LONGEST_WAY:
            self._leaf = _LEAVES.get(tuple(path[self._open[-1][0] :]))
            if self._leaf is not None:
                self._attributes = attributes
                self._text, self._length = [], 0

    def data(self, text: str) -> None:
        if self._leaf is not None and self._length < TEXT_AT_MOST:
            self._text.append(text)
            self._length += len(text)

    def end(self, _tag: str) -> None:
        if self._leaf is not None:
            self._leaf(self._open[-1][1], self._attributes, "".join(self._text))
            self._leaf = None
        if self._open and self._open[-1][0] == len(self._path):
            self._open.pop()
        self._path.pop()

    def close(self) -> None:
        """The end of the document."""

    def _is_ours(self) -> bool:
        """Whether the component that starts is one of the bill's, and not somebody's tool or ancestor."""
        path = self._path
        if path in (["bom", "components", "component"], ["bom", "metadata", "component"]):
            return True
        return bool(self._open) and path[-2] == "components" and self._open[-1][0] == len(path) - 2

    def _component(self, attributes: dict[str, str]) -> None:
        raw: _Raw = {"type": attributes.get("type")}
        inside_subject = self._path[1] == "metadata"
        if len(self._open) - inside_subject >= DEEPEST:
            self.left_out += 1
            return
        if len(self._path) == 3 and inside_subject:
            self.subject = raw
        else:
            self.found.append(raw)
            check_count(len(self.found))
        self._open.append((len(self._path), raw))
