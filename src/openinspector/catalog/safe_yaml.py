"""YAML from a stranger: no tags, hardly an alias, bounded depth, and no recursion.

The values are built from the parser's events, one after the other. PyYAML's own loaders compose recursively in C, where
a hundred thousand open brackets end the process; and they are four times slower.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from openinspector.errors import CatalogError

MAX_DEPTH = 100
MAX_ALIASES = 10  # ten can multiply what they stand for by 39 at most, an alias bomb needs more
MAX_DOCUMENTS = 100

# Source: YAML 1.2.2 §10.3.2, the core schema; dates stay text.
_INTEGER = r"[-+]?[0-9]{1,400}"
_FLOAT = r"[-+]?(?:\.[0-9]{1,400}|[0-9]{1,400}(?:\.[0-9]{0,400})?)(?:[eE][-+]?[0-9]{1,4})?"
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None, "true": True, "True": True, "TRUE": True}
_WORDS |= {"false": False, "False": False, "FALSE": False}


def load(data: bytes) -> Any:
    """The only document of `data`, plain scalars read as null, truth values and numbers; None where it is empty.

    Raises:
        CatalogError: It is no YAML, has several documents, or exceeds a limit.
    """
    return _only(_documents(data, _plain_value))


def load_text(data: bytes) -> Any:
    """The only document of `data`, every scalar as text: version 1.10 stays `1.10`; None where it is empty.

    Raises:
        CatalogError: As for `load`.
    """
    return _only(_documents(data, str))


def load_texts(data: bytes) -> list[Any]:
    """Every document of `data`, every scalar as text.

    Raises:
        CatalogError: It is no YAML or exceeds a limit.
    """
    return list(_documents(data, str))


def _only(documents: Iterator[Any]) -> Any:
    value = next(documents, None)
    if next(documents, None) is not None:
        raise CatalogError("YAML with several documents where one is expected")
    return value


def _plain_value(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if re.fullmatch(_INTEGER, text):
        return int(text)
    if re.fullmatch(_FLOAT, text):
        return float(text)
    return text


def _documents(data: bytes, plain: Callable[[str], Any]) -> Iterator[Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        # The parser object reads the head of its input at once, so that its making can fail as well.
        parser = loader(bytes(data))
        yield from _built(parser.get_event, plain)
    except (yaml.YAMLError, UnicodeError, RecursionError, ValueError) as error:
        raise CatalogError(f"not the YAML it should be: {' '.join(str(error).split())[:300]}") from error


def _built(next_event: Callable[[], Any], plain: Callable[[str], Any]) -> Iterator[Any]:
    """The documents that a stream of events describes."""
    from yaml import events

    document = _Document(plain)
    documents = 0
    while (event := next_event()) is not None:
        kind = type(event)
        if kind is events.ScalarEvent:
            document.scalar(event)
        elif kind is events.MappingStartEvent:
            document.open({}, event.anchor)
        elif kind is events.SequenceStartEvent:
            document.open([], event.anchor)
        elif kind is events.MappingEndEvent or kind is events.SequenceEndEvent:
            document.close()
        elif kind is events.AliasEvent:
            document.alias(event.anchor)
        elif kind is events.DocumentEndEvent:
            documents += 1
            if documents > MAX_DOCUMENTS:
                raise CatalogError(f"YAML with more than {MAX_DOCUMENTS} documents")
            yield document.root
            document = _Document(plain)


class _Document:
    """A document in the making: the open collection, those around it, and the key whose value comes next."""

    __slots__ = ("_aliases", "_anchors", "_container", "_key", "_outer", "_plain", "root")

    def __init__(self, plain: Callable[[str], Any]) -> None:
        self._plain = plain
        self._container: Any = None
        self._key: str | None = None
        self._outer: list[tuple[Any, str | None]] = []  # with the anchor of the collection that was opened in it
        self._anchors: dict[str, Any] = {}
        self._aliases = 0
        self.root: Any = None

    def scalar(self, event: Any) -> None:
        text = event.value
        container = self._container
        if type(container) is dict and self._key is None:
            self._key = text
        else:
            text = self._plain(text) if event.implicit[0] else text
            self._put(text)
        if event.anchor is not None:
            self._anchors[event.anchor] = text

    def open(self, collection: Any, anchor: str | None) -> None:
        if len(self._outer) >= MAX_DEPTH:
            raise CatalogError(f"YAML nested deeper than {MAX_DEPTH}")
        if type(self._container) is dict and self._key is None:
            raise CatalogError("YAML with a collection as a key")
        self._put(collection)
        self._outer.append((self._container, anchor))
        self._container = collection

    def close(self) -> None:
        closed = self._container
        self._container, anchor = self._outer.pop()
        # Known only from here on: a collection that holds itself would never end for those who walk it.
        if anchor is not None:
            self._anchors[anchor] = closed

    def alias(self, anchor: str) -> None:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise CatalogError(f"YAML with more than {MAX_ALIASES} aliases")
        if anchor not in self._anchors or (type(self._container) is dict and self._key is None):
            raise CatalogError("YAML with an alias of nothing, of what holds it, or as a key")
        self._put(self._anchors[anchor])

    def _put(self, value: Any) -> None:
        container = self._container
        if container is None:
            self.root = value
        elif self._key is None:
            container.append(value)
        else:
            container[self._key] = value
            self._key = None
