"""A request becomes the values that its operation's handler gets: strictly typed, complete, and within all limits.

Members that the model doesn't know are passed over, and a member that is null is as if it were not there; so it is with
Inspector. Everything else that is wrong is told at once, member by member.

A document (an SBOM, say) is not read here: its handler gets the text of its JSON value, and has it read where that may
take what it takes (`pipeline/confined.py`).
"""

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, Final, assert_never

import msgspec

from openinspector.api.errors import ValidationFailed
from openinspector.api.model import Operation
from openinspector.api.own_operations import INGEST
from openinspector.api.shapes import (
    Blob,
    Boolean,
    Decimal,
    Document,
    Integer,
    ListOf,
    Location,
    MapOf,
    Shape,
    Structure,
    Text,
    Timestamp,
)
from openinspector.api.unpack import Claim, unclaimed, unzipped
from openinspector.api.validate import (
    NOT_NULL,
    Problems,
    unmet_by_bytes,
    unmet_by_count,
    unmet_by_number,
    unmet_by_text,
)

MEBIBYTE: Final = 1 << 20
BODY_LIMITS: Final[Mapping[str, int]] = {"ScanSbom": 10 * MEBIBYTE, INGEST: 32 * MEBIBYTE}
BODY_LIMIT: Final = MEBIBYTE
UNPACKED_LIMITS: Final[Mapping[str, int]] = {INGEST: 64 * MEBIBYTE}  # whose bodies may be compressed
MOST_QUERY_FIELDS: Final = 256
_NULL: Final = b"null"
_LONGEST_NUMBER: Final = 32  # characters of a number or a moment given as text
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Reader = Callable[[Any, str, Problems], Any]
"""Takes a JSON value, where it stands, and the list of problems; gives the value, or None after noting a problem."""


def body_limit(operation: Operation) -> int:
    """How many bytes a request's body may have."""
    return BODY_LIMITS.get(operation.name, BODY_LIMIT)


def parse(
    operation: Operation,
    *,
    labels: Mapping[str, str],
    query: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    claim: Claim = unclaimed,
) -> dict[str, Any]:
    """A request's input by member. `query` is as sent, header names are lower-case; `claim` takes further memory.

    Raises:
        ValidationFailed: The body is no JSON object (CANNOT_PARSE), or members won't do (FIELD_VALIDATION_FAILED).
        Throttled: There is no memory for what a compressed body holds.
    """
    headers = tuple(headers)
    raw = _body(operation, body, headers, claim) if _has(operation, "body") else {}
    fields = _query_fields(query) if _has(operation, "querystring") else {}
    given: dict[str, Any] = {}
    for member in operation.input.members.values():
        wire = member.wire_name
        match member.location:
            case "body":
                given[wire] = raw.get(wire)
            case "uri":
                given[wire] = _from_text(member.shape, labels[wire])
            case "querystring":
                given[wire] = _from_texts(member.shape, fields.get(wire))
            case "header":
                given[wire] = _from_texts(member.shape, [text for name, text in headers if name == wire.lower()])
            case other:
                assert_never(other)
    problems = Problems()
    value: dict[str, Any] = _reader(operation.input)(given, "", problems)
    if problems:
        raise problems.failure()
    return value


@cache
def _has(operation: Operation, location: Location) -> bool:
    """Whether any member of an operation's input travels there."""
    return any(member.location == location for member in operation.input.members.values())


@cache
def _holds_documents(operation: Operation) -> bool:
    return any(isinstance(member.shape, Document) for member in operation.input.members.values())


def _unreadable(message: str) -> ValidationFailed:
    return ValidationFailed(message, reason="CANNOT_PARSE")


def _body(operation: Operation, body: bytes, headers: Iterable[tuple[str, str]], claim: Claim) -> dict[str, Any]:
    """The members of a body's JSON object, documents as their text; none where there is no body."""
    packed = False
    for name, value in headers:
        if name == "content-type" and body and value.partition(";")[0].strip().lower() != "application/json":
            raise _unreadable("The Content-Type of the request must be application/json.")
        if name == "content-encoding" and value.strip().lower() not in ("", "identity"):
            if operation.name not in UNPACKED_LIMITS:
                raise _unreadable("The body of the request must not be compressed.")
            if packed or value.strip().lower() != "gzip":
                raise _unreadable("The body of the request must be compressed by gzip, once, or not at all.")
            packed = True
    if packed:
        body = unzipped(body, UNPACKED_LIMITS[operation.name], claim)
    if not body:
        return {}
    try:
        decoded: object = _apart(operation, body) if _holds_documents(operation) else msgspec.json.decode(body)
    except RecursionError as error:
        raise _unreadable("The body of the request is nested too deep.") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise _unreadable("The body of the request is not valid JSON in UTF-8.") from error
    if not isinstance(decoded, dict):
        raise _unreadable("The body of the request must be a JSON object.")
    return decoded


def _apart(operation: Operation, body: bytes) -> object:
    """The members of a body that holds documents; of those the text, and all others together are no longer than usual.

    Raises:
        ValidationFailed: The others are longer.
    """
    try:
        value = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        return msgspec.json.decode(body)  # JSON, but no object
    found: dict[str, Any] = {}
    left = BODY_LIMIT
    for member in operation.input.members.values():
        text = memoryview(value.get(member.wire_name, _NULL))
        if isinstance(member.shape, Document):
            found[member.wire_name] = None if bytes(text[:5]) == _NULL else text
            continue
        left -= len(text)
        if left < 0:
            raise _unreadable(f"The body of the request has more than {BODY_LIMIT} bytes beside its document.")
        found[member.wire_name] = msgspec.json.decode(text)
    return found


def _query_fields(query: str) -> dict[str, list[str]]:
    """A query string's fields, decoded; each with its values in order."""
    from urllib.parse import parse_qs

    try:
        return parse_qs(query, keep_blank_values=True, errors="strict", max_num_fields=MOST_QUERY_FIELDS)
    except ValueError as error:
        raise _unreadable(
            f"The query string of the request is not UTF-8, or has more than {MOST_QUERY_FIELDS} fields."
        ) from error


def _from_texts(shape: Shape, texts: list[str] | None) -> Any:
    """A member that travels outside the body, where names may come twice; the first counts where one is wanted."""
    if not texts:
        return None
    if isinstance(shape, ListOf):
        return [_from_text(shape.element, text) for text in texts]
    return _from_text(shape, texts[0])


def _from_text(shape: Shape, text: str) -> Any:
    """What JSON would have said for a value given as text; the text itself where it reads as nothing of the kind."""
    if isinstance(shape, Boolean):
        return {"true": True, "false": False}.get(text, text)
    if isinstance(shape, Integer | Decimal) and len(text) <= _LONGEST_NUMBER:
        try:
            return msgspec.json.decode(text, type=int if isinstance(shape, Integer) else float)
        except msgspec.MsgspecError:
            return text
    return text


@cache
def _reader(shape: Shape) -> Reader:
    """How a value of a shape is read. Made once for each shape."""
    match shape:
        case Structure():
            members = tuple((m.name, m.wire_name, _reader(m.shape)) for m in shape.members.values())
            required = frozenset(shape.required)
            return partial(_read_structure, shape, members, required)
        case ListOf():
            return partial(_read_list, shape, _reader(shape.element))
        case MapOf():
            return partial(_read_map, shape, _reader(shape.value))
        case Text():
            return partial(_read_text, shape)
        case Integer():
            return partial(_read_integer, shape)
        case Decimal():
            return partial(_read_decimal, shape)
        case Boolean():
            return _read_boolean
        case Timestamp():
            return _read_timestamp
        case Blob():
            return partial(_read_blob, shape)
        case Document():
            return _read_document
        case _:
            assert_never(shape)


def _read_structure(
    shape: Structure,
    members: tuple[tuple[str, str, Reader], ...],
    required: frozenset[str],
    value: Any,
    path: str,
    problems: Problems,
) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        problems.add(path, "Member must be an object", value)
        return None
    if shape.union and sum(value.get(wire_name) is not None for _, wire_name, _ in members) != 1:
        names = ", ".join(shape.members)
        problems.add(path, f"Member must have exactly one of its members set: [{names}]", value)
        return None
    within = f"{path}." if path else ""
    found: dict[str, Any] = {}
    for name, wire_name, read in members:
        item = value.get(wire_name)
        if item is not None:
            found[name] = read(item, within + wire_name, problems)
        elif name in required:
            problems.add(within + wire_name, NOT_NULL)
    return found


def _read_list(shape: ListOf, read: Reader, value: Any, path: str, problems: Problems) -> list[Any] | None:
    if not isinstance(value, list):
        problems.add(path, "Member must be a list", value)
        return None
    unmet = unmet_by_count(shape, len(value))
    if unmet:
        problems.add(path, unmet, value)
        return None
    found = []
    for number, item in enumerate(value, 1):
        if item is None:
            problems.add(f"{path}.{number}.member", NOT_NULL)
        else:
            found.append(read(item, f"{path}.{number}.member", problems))
    return found


def _read_map(shape: MapOf, read: Reader, value: Any, path: str, problems: Problems) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        problems.add(path, "Member must be a map", value)
        return None
    unmet = unmet_by_count(shape, len(value))
    if unmet:
        problems.add(path, unmet, value)
        return None
    found = {}
    for key, item in value.items():
        unmet = unmet_by_text(shape.key, key)
        if unmet:
            problems.add(path, f"Map keys must satisfy constraint: [{unmet}]", key, sensitive=shape.key.sensitive)
        elif item is None:
            problems.add(f"{path}.{key}.member", NOT_NULL)
        else:
            found[key] = read(item, f"{path}.{key}.member", problems)
    return found


def _read_text(shape: Text, value: Any, path: str, problems: Problems) -> str | None:
    unmet = unmet_by_text(shape, value) if isinstance(value, str) else "Member must be a string"
    if unmet:
        problems.add(path, unmet, value, sensitive=shape.sensitive)
        return None
    return str(value)


def _read_integer(shape: Integer, value: Any, path: str, problems: Problems) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        problems.add(path, "Member must be an integer", value)
        return None
    unmet = unmet_by_number(shape, value)
    if unmet:
        problems.add(path, unmet, value)
        return None
    return value


def _read_decimal(shape: Decimal, value: Any, path: str, problems: Problems) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        problems.add(path, "Member must be a number", value)
        return None
    try:
        number = float(value)
    except OverflowError:
        problems.add(path, "Member must be a finite number", value)
        return None
    unmet = unmet_by_number(shape, number)
    if unmet:
        problems.add(path, unmet, value)
        return None
    return number


def _read_boolean(value: Any, path: str, problems: Problems) -> bool | None:
    if not isinstance(value, bool):
        problems.add(path, "Member must be a boolean", value)
        return None
    return value


def _read_timestamp(value: Any, path: str, problems: Problems) -> datetime | None:
    """A moment, as epoch seconds or as ISO 8601 text whatever the shape prefers: SDKs differ."""
    moment = None
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER:
        moment = _from_iso(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        moment = _from_epoch(value)
    if moment is None:
        problems.add(path, "Member must be a timestamp, in seconds since 1970 or as ISO 8601 text", value)
    return moment


def _from_iso(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _from_epoch(seconds: float) -> datetime | None:
    # Not fromtimestamp(), which rounds half to even at the last place and fails before 1970 on some systems.
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return None


def _read_blob(shape: Blob, value: Any, path: str, problems: Problems) -> bytes | None:
    if not isinstance(value, str):
        problems.add(path, "Member must be a Base64 string", value)
        return None
    try:
        data = b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        problems.add(path, "Member must be a Base64 string", value)
        return None
    unmet = unmet_by_bytes(shape, data)
    if unmet:
        problems.add(path, unmet, data)
        return None
    return data


def _read_document(value: Any, _path: str, _problems: Problems) -> Any:
    return value
