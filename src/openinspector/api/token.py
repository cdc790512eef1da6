"""Where a caller is in a list: `nextToken`, which only we can make, and which fits one question of one account.

A token is the key of the last row given out (so no page is ever counted off), with a signature over it, the operation,
the account and the criteria. It needs no table, and does not age: rows that came or went in between are simply met or
not. It is signed, not secret: put nothing in it that the caller may not see.

Source: Inspector's API reference (`maxResults`, `nextToken`); the default page sizes are ours, AWS publishes none.
"""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import msgspec

from openinspector.api.errors import ValidationFailed, field_failed
from openinspector.api.model import Operation
from openinspector.api.shapes import Integer

LONGEST: Final = 1024  # characters of a token; connectors and clusters allow no more
DEFAULT_PAGE: Final = 100
DEFAULT_PAGES: Final[Mapping[str, int]] = {
    # Where a caller names no size. Others: the most that the model lets them ask for, up to DEFAULT_PAGE.
    "ListFindings": 10,
    "ListCoverageStatistics": 10,
    "SearchVulnerabilities": 1,
}
_VERSION: Final = b"\x01"
_SIGNATURE: Final = 16  # bytes kept of the HMAC-SHA256
_PAGING: Final = frozenset({"nextToken", "maxResults"})

Key = str | int | float | bool | bytes | datetime | None
Position = tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """The question that a token belongs to. `criteria` is a digest of everything asked but the paging itself."""

    operation: Operation
    account_id: str
    criteria: bytes

    @classmethod
    def of(cls, operation: Operation, account_id: str, asked: Mapping[str, Any]) -> "Scope":
        """The scope of a request's parsed input."""
        rest = {name: value for name, value in asked.items() if name not in _PAGING}
        return cls(operation, account_id, sha256(msgspec.json.encode(rest, order="sorted")).digest())


@dataclass(frozen=True, slots=True)
class Page:
    """What is wanted of a list: at most `size` rows, after the row of key `after` (None: from the start)."""

    size: int
    after: Position | None
    scope: Scope
    token_key: bytes

    def token(self, last: Position) -> str:
        """What leads to the rows after `last`."""
        return seal(self.token_key, self.scope, last)


def open_page(token_key: bytes, scope: Scope, asked: Mapping[str, Any]) -> Page:
    """The page that a request asks for.

    Raises:
        ValidationFailed: Its token isn't ours, or is for another question.
    """
    size = asked.get("maxResults") or default_size(scope.operation)
    given = asked.get("nextToken")
    return Page(size, unseal(token_key, scope, given) if given else None, scope, token_key)


def default_size(operation: Operation) -> int:
    """How many rows a page has where the caller doesn't say."""
    if operation.name in DEFAULT_PAGES:
        return DEFAULT_PAGES[operation.name]
    member = operation.input.members.get("maxResults")
    most = member.shape.maximum if member is not None and isinstance(member.shape, Integer) else None
    return min(DEFAULT_PAGE, most or DEFAULT_PAGE)


def seal(token_key: bytes, scope: Scope, position: Position) -> str:
    """A token for a position.

    Raises:
        ValueError: The position is longer than any key of ours is.
    """
    payload = msgspec.msgpack.encode(position)
    token = _written(_VERSION + _signature(token_key, scope, payload) + payload)
    if len(token) > LONGEST:
        raise ValueError(f"{scope.operation.name}: a token of {len(token)} characters, where {LONGEST} are allowed")
    return token


def unseal(token_key: bytes, scope: Scope, token: str) -> Position:
    """The position of a token.

    Raises:
        ValidationFailed: It isn't ours, was changed, or is for another operation, account or criteria.
    """
    if len(token) > LONGEST:
        raise _foreign()
    try:
        data = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (binascii.Error, ValueError) as error:
        raise _foreign() from error
    head = len(_VERSION) + _SIGNATURE
    signature, payload = data[len(_VERSION) : head], data[head:]
    if not data.startswith(_VERSION) or not hmac.compare_digest(signature, _signature(token_key, scope, payload)):
        raise _foreign()
    if _written(data) != token:  # Base64 lets one say the same in several ways; we say it in one
        raise _foreign()
    return tuple(msgspec.msgpack.decode(payload))


def _written(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _foreign() -> ValidationFailed:
    return field_failed("nextToken", "The token is not valid for this request: ask again without it.")


def _signature(token_key: bytes, scope: Scope, payload: bytes) -> bytes:
    # Each part is bounded by its length, so that no two scopes sign the same bytes.
    parts = (scope.operation.service, scope.operation.name, scope.account_id)
    names = b"".join(len(part).to_bytes(2, "big") + part.encode() for part in parts)
    return hmac.digest(token_key, _VERSION + names + scope.criteria + payload, "sha256")[:_SIGNATURE]
