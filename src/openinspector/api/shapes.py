"""What the members of a request or an answer look like: the service model's shapes, as closed kinds of our own.

A shape that holds others is equal to itself alone: each is built once, so what is made of it can be cached by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Location = Literal["body", "uri", "querystring", "header"]
TimestampFormat = Literal["unixTimestamp", "iso8601"]


@dataclass(frozen=True, slots=True)
class Text:
    """A string. Lengths in characters; `choices` are an enum's values, () where anything goes; a pattern fits whole."""

    name: str
    minimum: int | None = None
    maximum: int | None = None
    pattern: str | None = None
    choices: tuple[str, ...] = ()
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number of 32 or 64 bits."""

    name: str
    bits: Literal[32, 64]
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Decimal:
    """A floating-point number; neither infinite nor NaN."""

    name: str
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or false."""

    name: str


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A moment. `format` is None where the place decides: epoch seconds in bodies, ISO 8601 text in a query."""

    name: str
    format: TimestampFormat | None = None


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes, Base64 in JSON. Lengths in bytes."""

    name: str
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """Any JSON value."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class ListOf:
    """A JSON array."""

    name: str
    element: "Shape"
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class MapOf:
    """A JSON object with any keys."""

    name: str
    key: Text
    value: "Shape"
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A member of a structure: where it travels, and under which name."""

    name: str
    shape: "Shape"
    location: Location = "body"
    wire_name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """A JSON object with known members. Of a `union`, exactly one is set."""

    name: str
    members: Mapping[str, Member]
    required: tuple[str, ...] = ()
    union: bool = False


Shape = Text | Integer | Decimal | Boolean | Timestamp | Blob | Document | ListOf | MapOf | Structure
