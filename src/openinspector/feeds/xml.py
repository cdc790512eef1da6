"""XML elements as they end, without entities or document type definitions, in constant memory."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Final

from openinspector.errors import FeedError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_DEPTH: Final = 100


def elements(stream: BinaryIO, path: str, root: str, names: frozenset[str]) -> Iterator[tuple[str, "Element"]]:
    """Name (without namespace) and element for each one called so, at any depth, once it is whole.

    Whatever has ended outside such an element is forgotten, and so is the element itself when the next one is asked
    for.

    Raises:
        FeedError: No well-formed XML, or another outermost element than `root`, or a document type is declared.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    inside = 0
    wanted: dict[str, bool] = {}  # by the whole tag, since a document has few of them
    above: list[Element] = []
    try:
        for event, element in iterparse(stream, events=("start", "end"), forbid_dtd=True):
            if event == "start":
                if len(above) > MAX_DEPTH:
                    raise FeedError(f"{path}: XML nests deeper than {MAX_DEPTH}")
                if not above and local(element.tag) != root:
                    raise FeedError(f"{path}: is a document of {local(element.tag)[:80]}, not of {root}")
                above.append(element)
                if element.tag not in wanted:
                    wanted[element.tag] = local(element.tag) in names
                inside += wanted[element.tag]
                continue
            above.pop()
            if wanted[element.tag]:
                inside -= 1
                if not inside:
                    yield local(element.tag), element
            if not inside and above:
                del above[-1][:]
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise FeedError(f"{path}: XML can't be read: {error}") from error


def local(tag: str) -> str:
    """A tag without its namespace."""
    return tag[tag.rfind("}") + 1 :]


def child_text(element: "Element", name: str) -> str:
    """The text of the first child called so, stripped; "" where there is none."""
    for child in element:
        if local(child.tag) == name:
            return (child.text or "").strip()
    return ""
