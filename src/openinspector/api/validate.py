"""What a value must satisfy, and the words for one that doesn't: those of Inspector's own answers.

`1 validation error detected: Value 'X' at 'filterCriteria.severity.1.member.comparison' failed to satisfy constraint:
Member must satisfy enum value set: [EQUALS, NOT_EQUALS, PREFIX]`

List elements count from 1 (`.1.member`), a map's values go by their key (`tags.team.member`).
"""

import math
from datetime import datetime
from typing import Any, Final

from openinspector.api.errors import Field, ValidationFailed
from openinspector.api.patterns import fits
from openinspector.api.shapes import Blob, Decimal, Integer, ListOf, MapOf, Text

MOST_PROBLEMS: Final = 25  # a request with more of them is told of so many, and read no further
_LONGEST_QUOTE: Final = 120  # characters of the caller's value that an answer repeats
_LONGEST_PATH: Final = 200

NOT_NULL: Final = "Member must not be null"

_Sized = Text | Blob | ListOf | MapOf


class Problems:
    """What is wrong with one request, in the order found."""

    def __init__(self) -> None:
        self._found: list[tuple[Field, str]] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, path: str, constraint: str, value: Any = None, *, sensitive: bool = False) -> None:
        """Notes a value that does not satisfy a constraint. A sensitive one is not repeated.

        Raises:
            ValidationFailed: It is one too many to go on.
        """
        path = _shortened(path, _LONGEST_PATH)
        quote = "" if sensitive else f" {_quoted(value)}"
        said = f"Value{quote} at '{path}' failed to satisfy constraint: {constraint}"
        self._found.append((Field(path, constraint), said))
        if len(self._found) >= MOST_PROBLEMS:
            raise self.failure()

    def failure(self) -> ValidationFailed:
        """The error that says it all."""
        count = len(self._found)
        head = "1 validation error detected" if count == 1 else f"{count} validation errors detected"
        return ValidationFailed(
            f"{head}: {'; '.join(said for _, said in self._found)}",
            reason="FIELD_VALIDATION_FAILED",
            fields=tuple(field for field, _ in self._found),
        )


def unmet_by_text(shape: Text, value: str) -> str | None:
    """The constraint that a string does not satisfy, if there is one. Its length goes first: it bounds the rest."""
    size = _unmet_size(shape, len(value))
    if size is not None:
        return size
    if shape.choices and value not in shape.choices:
        return f"Member must satisfy enum value set: [{', '.join(shape.choices)}]"
    if shape.pattern is not None and not fits(shape.pattern, value):
        return f"Member must satisfy regular expression pattern: {shape.pattern}"
    if "\0" in value:
        return "Member must not contain the character U+0000"  # PostgreSQL's text can't hold it
    return None


def unmet_by_number(shape: Integer | Decimal, value: float) -> str | None:
    """The constraint that a number does not satisfy, if there is one."""
    low, high = shape.minimum, shape.maximum
    if isinstance(shape, Integer):
        bound = 1 << (shape.bits - 1)
        low = -bound if low is None else low
        high = bound - 1 if high is None else high
    elif not math.isfinite(value):
        return "Member must be a finite number"
    if low is not None and value < low:
        return f"Member must have value greater than or equal to {low}"
    if high is not None and value > high:
        return f"Member must have value less than or equal to {high}"
    return None


def unmet_by_bytes(shape: Blob, value: bytes) -> str | None:
    """The constraint that bytes do not satisfy, if there is one."""
    return _unmet_size(shape, len(value))


def unmet_by_count(shape: ListOf | MapOf, count: int) -> str | None:
    """The constraint that a number of elements does not satisfy, if there is one."""
    return _unmet_size(shape, count)


def _unmet_size(shape: _Sized, size: int) -> str | None:
    if shape.minimum is not None and size < shape.minimum:
        return f"Member must have length greater than or equal to {shape.minimum}"
    if shape.maximum is not None and size > shape.maximum:
        return f"Member must have length less than or equal to {shape.maximum}"
    return None


def _quoted(value: Any) -> str:
    """A value as an answer may repeat it: short, and never a whole structure."""
    match value:
        case None:
            return "null"
        case bool():
            return f"'{str(value).lower()}'"
        case int() if abs(value) >> 64:
            return "of more than 64 bits"  # and not written out: ten thousand digits take their time
        case str() | int() | float() | datetime():
            return f"'{_shortened(str(value), _LONGEST_QUOTE)}'"
        case bytes():
            return f"of {len(value)} bytes"
        case list():
            return f"of {len(value)} elements"
        case _:
            return "of an object"


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
