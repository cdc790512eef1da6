"""What a handler returns becomes an HTTP answer's headers and JSON body.

A value that the model has no place for, or of another type, is a programming error and raises; a member that is None is
left out. Enums, lengths and patterns are not checked on the way out: Inspector's own answers go beyond its model there.
"""

import math
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, Final, assert_never

import msgspec

from openinspector.api.errors import OutputError
from openinspector.api.shapes import (
    Blob,
    Boolean,
    Decimal,
    Document,
    Integer,
    ListOf,
    MapOf,
    Shape,
    Structure,
    Text,
    Timestamp,
)

Writer = Callable[[Any, str], Any]
"""Takes a value and where it stands; gives what JSON says for it."""

_LAST_SECOND: Final = 253402300799.999  # of the calendar; the last microseconds would round to where no client reads it
_PLAIN: Final[Mapping[type, type]] = {Text: str, Boolean: bool, Integer: int}  # these types need no writing


def serialize(shape: Structure, value: Mapping[str, Any]) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """An answer's headers and body.

    Raises:
        OutputError: A member that the shape doesn't know, or one of the wrong type.
    """
    written = _writer(shape)(value, shape.name)
    headers = []
    for member in shape.members.values():
        if member.location == "header" and member.wire_name in written:
            headers.append((member.wire_name.lower(), str(written.pop(member.wire_name))))
    return tuple(headers), msgspec.json.encode(written)


def missing(shape: Shape, value: Any, path: str = "") -> list[str]:
    """Required members that a value lacks, by their paths: what tests ask of every answer."""
    match shape:
        case Structure():
            gone = [f"{path}.{name}" for name in shape.required if value.get(name) is None]
            for name, item in value.items():
                if item is not None:
                    gone += missing(shape.members[name].shape, item, f"{path}.{name}")
            return gone
        case ListOf():
            return [found for i, item in enumerate(value) for found in missing(shape.element, item, f"{path}[{i}]")]
        case MapOf():
            return [found for key, item in value.items() for found in missing(shape.value, item, f"{path}[{key!r}]")]
        case _:
            return []


@cache
def _writer(shape: Shape) -> Writer:
    """How a value of a shape is written. Made once for each shape."""
    match shape:
        case Structure():
            members = {
                m.name: (m.wire_name, _PLAIN.get(type(m.shape)), _writer(m.shape), f"{shape.name}.{m.name}")
                for m in shape.members.values()
            }
            return partial(_write_structure, shape, members)
        case ListOf():
            return partial(_write_list, _writer(shape.element))
        case MapOf():
            return partial(_write_map, _writer(shape.value))
        case Text():
            return _write_text
        case Integer():
            return _write_integer
        case Decimal():
            return _write_decimal
        case Boolean():
            return _write_boolean
        case Timestamp(format="iso8601"):
            return _write_iso
        case Timestamp():
            return _write_epoch
        case Blob():
            return _write_blob
        case Document():
            return _write_document
        case _:
            assert_never(shape)


def _write_structure(
    shape: Structure, members: Mapping[str, tuple[str, type | None, Writer, str]], value: Any, path: str
) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise OutputError(f"{path} is {type(value).__name__}, not a dict")
    written = {}
    for name, item in value.items():
        if item is not None:
            try:
                wire_name, plain, write, place = members[name]
            except KeyError as error:
                raise OutputError(f"{shape.name} has no member {name!r}") from error
            written[wire_name] = item if type(item) is plain else write(item, place)
    if shape.union and len(written) != 1:
        raise OutputError(f"{shape.name} is a union, and {len(written)} of its members are set")
    return written


def _write_list(write: Writer, value: Any, path: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise OutputError(f"{path} is {type(value).__name__}, not a list")
    return [write(item, path) for item in value]


def _write_map(write: Writer, value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise OutputError(f"{path} is {type(value).__name__}, not a dict")
    return {_write_text(key, path): write(item, path) for key, item in value.items()}


def _write_text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise OutputError(f"{path} is {type(value).__name__}, not a string")
    return value


def _write_integer(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise OutputError(f"{path} is {type(value).__name__}, not an integer")
    return value


def _write_decimal(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise OutputError(f"{path} is {type(value).__name__}, not a finite number")
    return value


def _write_boolean(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise OutputError(f"{path} is {type(value).__name__}, not a boolean")
    return value


def _write_epoch(value: Any, path: str) -> float:
    return min(_moment(value, path).timestamp(), _LAST_SECOND)


def _write_iso(value: Any, path: str) -> str:
    moment = _moment(value, path).astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(value: Any, path: str) -> datetime:
    if not isinstance(value, datetime):
        raise OutputError(f"{path} is {type(value).__name__}, not a datetime")
    if value.tzinfo is None:
        raise OutputError(f"{path} is a datetime without a time zone")
    return value


def _write_blob(value: Any, path: str) -> str:
    if not isinstance(value, bytes | bytearray):
        raise OutputError(f"{path} is {type(value).__name__}, not bytes")
    return b64encode(value).decode("ascii")


def _write_document(value: Any, path: str) -> Any:  # noqa: ARG001  # as every writer is called
    return value
