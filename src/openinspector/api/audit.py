"""What the audit log keeps of a call's parameters: all that tells what was done, nothing that is secret or large."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from openinspector.model.moment import moment_text

LARGEST_PARAMETERS: Final = 8 << 10  # characters
LONGEST_AGENT: Final = 256

# Members that the service model marks as sensitive, wherever they stand.
SENSITIVE: Final = frozenset(
    "accessToken authCode code instanceUrl manifestCode nextToken stateToken tlsCertificate".split()
)
_SECRET: Final = SENSITIVE | {"sessionToken"}  # what a CIS session is spoken with; the model says nothing of it
_HIDDEN: Final = "***"
_LONGEST_TEXT: Final = 512
_LONGEST_NAME: Final = 128
_MOST_ITEMS: Final = 50
_DEEPEST: Final = 8


def parameters(given: Mapping[str, Any]) -> str:
    """The parameters of a call as JSON, secrets hidden, long ones cut: `{"name": "x", "action": "SUPPRESS"}`."""
    text = msgspec.json.encode(_shown(given, _DEEPEST)).decode()
    if len(text) <= LARGEST_PARAMETERS:
        return text
    # 20 names of 48 characters fit even if each is escaped.
    return msgspec.json.encode({"cut": len(text), "members": sorted(_name(name)[:48] for name in given)[:20]}).decode()


def _shown(value: Any, depth: int) -> Any:
    if depth == 0:
        return "…"
    match value:
        case str():
            if len(value) <= _LONGEST_TEXT:
                return _whole(value)
            return f"{_whole(value[:_LONGEST_TEXT])}… ({len(value)} characters)"
        case bytes() | memoryview():
            return f"({len(value)} bytes)"
        case datetime():
            return moment_text(value) if value.tzinfo else value.isoformat()
        case Mapping():
            shown = {
                _name(name): _HIDDEN if name in _SECRET else _shown(member, depth - 1)
                for name, member in list(value.items())[:_MOST_ITEMS]
            }
            return shown if len(value) <= _MOST_ITEMS else {**shown, "…": f"{len(value)} members"}
        case list() | tuple():
            items = [_shown(item, depth - 1) for item in value[:_MOST_ITEMS]]
            return items if len(value) <= _MOST_ITEMS else [*items, f"… ({len(value)} items)"]
        case None | bool() | int() | float():
            return value
        case _:
            return f"({type(value).__name__})"


def _name(name: Any) -> str:
    return _whole(str(name)[:_LONGEST_NAME])


def _whole(text: str) -> str:
    """A text that can be written: JSON lets half a surrogate pair in, UTF-8 does not let it out."""
    return text.encode("utf-8", "replace").decode()
