"""Maven: `ComparableVersion` of Maven 3 (as in 3.8), which reads any text.

A version is a row of items, numbers and qualifiers, that may end in a nested row (behind `-`, and where digits and
letters meet): 1.0-rc1 is [1, [rc, [1]]], trailing zeros and `ga` or `final` gone. So it is a chain of rows; each is
kept here as a list of item codes, bytes that sort as Maven sorts two items at one place:

    alpha beta milestone rc snapshot "" sp  any other qualifier (by its text)  -  a nested row  -  a number

Where one row has ended, Maven asks instead whether the rest of the other one is older or newer than nothing. The two
questions contradict each other for a few strings, and the order has circles: 1 < 1.a-1 < 1a1 < 1. For all other
versions a key with these codes, and for a nested row or an end the byte

    OLDER_ROW (it starts with something older than nothing)  END  NEWER_ROW

sorts as Maven does. `odd` finds the versions where that may fail:

* a qualifier newer than nothing (`1.x.1`), or one equal to nothing with a newer rest, where a row could also end or
  nest: at the start, or after an item other than zero or "";
* a zero whose rest is older than nothing (`1.0.alpha.1`);
* a nested row that starts with a row that is older than nothing (`1-0-alpha`).

Leaving these out, what sorts below END at a place is just what is older than nothing, so both questions agree.

Maven 4 reads `x-1` as `x1` and orders some of these strings otherwise; advisories and installed tools follow Maven 3.

Source: https://maven.apache.org/pom.html#version-order-specification
"""

import re
from typing import Final

from openinspector.versions.contract import Scheme
from openinspector.versions.keys import Remembered, number

_NUMERIC = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_ORDINARY = re.compile(
    r"[0-9]+(?:\.[0-9]+)*(?:-?[a-z]+(?:[.-]?[1-9][0-9]*)?|\.[a-z]+(?:[1-9][0-9]*)?)?", re.IGNORECASE | re.ASCII
)
_PIECE = re.compile(r"[0-9]+|[.-]|[^0-9.-]+")
_ANY_DIGIT = re.compile(r"\d")

_RELEASE = b"\x06"
_OTHER = b"\x08"
_QUALIFIERS = {
    "alpha": b"\x01",
    "beta": b"\x02",
    "milestone": b"\x03",
    "rc": b"\x04",
    "cr": b"\x04",
    "snapshot": b"\x05",
    "ga": _RELEASE,
    "final": _RELEASE,
    "release": _RELEASE,
    "sp": b"\x07",
}
_BEFORE_DIGIT = {"a": b"\x01", "b": b"\x02", "m": b"\x03"}
_OLDER_ROW, _END, _NEWER_ROW = b"\x0a", b"\x0b", b"\x0c"
_ZERO = number("")
_LONG_ZERO = number("9" * 9)[:1] + b"\xff"  # after all int, before all other long
_BIG_ZERO = number("9" * 18)[:1] + b"\xff"
_FIRST_NUMBER = _ZERO
_NOTHING = frozenset((_RELEASE, _ZERO, _LONG_ZERO, _BIG_ZERO))


def _number(digits: str) -> bytes:
    """The code of a number.

    Maven picks int, long or BigInteger by length, any long being above any int. It strips leading zeros, but not from a
    run of nothing but zeros, so ten zeros are a long, and above every int.
    """
    significant = digits.lstrip("0")
    if significant or len(digits) <= 9:
        return number(significant)
    return _LONG_ZERO if len(digits) <= 18 else _BIG_ZERO


_CODES = Remembered(_number)


def key(version: str) -> bytes:
    """The sort key of a version; any text is one."""
    if _NUMERIC.fullmatch(version):
        numbers = [_CODES[digits] for digits in version.split(".")]
        while numbers and numbers[-1] in _NOTHING:
            numbers.pop()
        numbers.append(_END)
        return b"".join(numbers)
    rows = _rows(version)
    parts = [_END]
    older = False
    for depth in range(len(rows) - 1, -1, -1):
        for item in reversed(rows[depth]):
            if item not in _NOTHING:
                older = item < _RELEASE
            parts.append(item)
        if depth:
            parts.append(_OLDER_ROW if older else _NEWER_ROW)
    parts.reverse()
    return b"".join(parts)


def odd(version: str) -> bool:
    """Whether this version's order may need `compare`; False promises that its key is in order with all such keys."""
    if _ORDINARY.fullmatch(version):
        return False
    rows = _rows(version)
    older = False
    for depth in range(len(rows) - 1, -1, -1):
        row = rows[depth]
        for place in range(len(row) - 1, -1, -1):
            item = row[place]
            if item not in _NOTHING:
                older = item < _RELEASE
            if item >= _FIRST_NUMBER:
                if older and item in _NOTHING:
                    return True
            elif not older and (row[place - 1] not in _NOTHING if place else not depth):
                return True
        if older and depth > 1 and not rows[depth - 1]:
            return True
    return False


def compare(a: str, b: str) -> int:
    """-1, 0 or 1 as `ComparableVersion` orders any two texts; not transitive."""
    rows_a, rows_b = _rows(a), _rows(b)
    depth = place = 0
    while True:
        item_a = rows_a[depth][place] if place < len(rows_a[depth]) else None
        item_b = rows_b[depth][place] if place < len(rows_b[depth]) else None
        if item_a is not None and item_b is not None:
            if item_a != item_b:
                return -1 if item_a < item_b else 1
            place += 1
            continue
        nested_a, nested_b = depth + 1 < len(rows_a), depth + 1 < len(rows_b)
        if item_a is not None:
            return (1 if item_a >= _FIRST_NUMBER else -1) if nested_b else _against_nothing(rows_a, depth, place)
        if item_b is not None:
            return (-1 if item_b >= _FIRST_NUMBER else 1) if nested_a else -_against_nothing(rows_b, depth, place)
        if not nested_a and not nested_b:
            return 0
        if not nested_b:
            return _against_nothing(rows_a, depth + 1, 0)
        if not nested_a:
            return -_against_nothing(rows_b, depth + 1, 0)
        depth, place = depth + 1, 0


def _against_nothing(rows: list[list[bytes]], depth: int, place: int) -> int:
    """-1 or 1 as what stands from a place on is older or newer than nothing."""
    for row in rows[depth:]:
        for item in row[place:]:
            if item not in _NOTHING:
                return -1 if item < _RELEASE else 1
        place = 0
    return 0


def _rows(version: str) -> list[list[bytes]]:
    """A version as its chain of rows: the row nested in one is the next one.

    No row ends in an item that equals nothing, and only the first row may be an empty last one.
    """
    text = version.lower()
    if not text.isascii():
        text = _ANY_DIGIT.sub(_ascii_digit, text)
    row: list[bytes] = []
    rows = [row]
    pending = ""
    for piece in _PIECE.findall(text):
        if piece in (".", "-"):
            row.append(_item(pending) if pending else _ZERO)
            pending = ""
            if piece == "-":
                row = []
                rows.append(row)
            continue
        if pending:  # digits and letters meet
            if pending[0] > "9" or pending[0] < "0":
                if row:
                    row = []
                    rows.append(row)
                row.append(_BEFORE_DIGIT.get(pending) or _item(pending))
            else:
                row.append(_CODES[pending])
            row = []
            rows.append(row)
        pending = piece
    if pending:
        item = _item(pending)
        if row and item < _FIRST_NUMBER:
            row = []
            rows.append(row)
        row.append(item)
    for row in rows:
        while row and row[-1] in _NOTHING:
            row.pop()
    while len(rows) > 1 and not rows[-1]:
        rows.pop()
    return rows


def _item(text: str) -> bytes:
    if "0" <= text[0] <= "9":
        return _CODES[text]
    return _QUALIFIERS.get(text) or _OTHER + _by_utf16(text) + b"\x00"


def _by_utf16(text: str) -> bytes:
    """A text as bytes that sort as Java sorts strings, by their 16-bit units, and whose end 0x00 sorts first."""
    if not text.isascii():
        units = text.encode("utf-16-be", "surrogatepass")
        text = "".join(chr(high << 8 | low) for high, low in zip(units[::2], units[1::2], strict=True))
    return text.encode("utf-8", "surrogatepass").replace(b"\x00", b"\x00\xff")


def _ascii_digit(digit: re.Match[str]) -> str:
    """A decimal digit of another script as the ASCII digit that Java takes it for; beyond 16 bits it takes none."""
    return digit[0] if digit[0] > "\uffff" else str(int(digit[0]))


PLUGIN: Final = Scheme(name="maven", title="Maven", key=key, compare=compare, odd=odd)
