"""RubyGems: `Gem::Version`, which CocoaPods follows too.

A version is a row of numbers and words (`-` stands for `.pre.`). It splits at the first word, and both halves lose
their trailing zeros, so 1.0.a = 1.a and 1.a.0 = 1.a. Rows compare item by item, the shorter one filled up with zeros; a
word sorts below every number, so 1.a < 1. An empty version is 0.

Filling up with zeros makes the end of a row equal to a zero, but what follows the zero decides: 1.a.0.b < 1.a <
1.a.0.1. In a key a zero therefore says whether the next other item is a word or a number.

Source: https://docs.ruby-lang.org/en/master/Gem/Version.html
"""

import re
from typing import Final

from openinspector.versions.contract import Scheme
from openinspector.versions.keys import Remembered, number, unreadable

_NUMERIC = re.compile(r"[0-9]+(?:\.[0-9]+)*")
# The first blanks are possessive: two of such patterns side by side would share a million of them in every way.
_VERSION = re.compile(r"\s*+(?:[0-9]+(?:\.[0-9a-z]+)*(?:-[0-9a-z-]+(?:\.[0-9a-z-]+)*)?)?\s*", re.ASCII | re.IGNORECASE)
_ITEM = re.compile(r"[0-9]+|[a-z]+", re.IGNORECASE | re.ASCII)

_WORD = b"\x01"
_ZERO_BEFORE_WORD = b"\x02"
_END = b"\x03"
_ZERO = number("")  # before a number, until told apart

_CODES = Remembered(number)


def key(version: str) -> bytes:
    """The sort key of a version.

    Raises:
        VersionError: `Gem::Version` does not accept it.
    """
    if _NUMERIC.fullmatch(version):
        numbers = [_CODES[digits] for digits in version.split(".")]
        _drop_zeros(numbers)
        return b"".join(numbers) + _END
    if _VERSION.fullmatch(version) is None:
        raise unreadable("gem", version, "Gem::Version does not accept it")
    items = _ITEM.findall(version.replace("-", ".pre."))
    first_word = next((index for index, item in enumerate(items) if item[0] > "9"), len(items))
    row = [_CODES[digits] for digits in items[:first_word]]
    _drop_zeros(row)
    words = [_CODES[item] if item[0] <= "9" else _WORD + item.encode() + b"\x00" for item in items[first_word:]]
    _drop_zeros(words)
    row += words
    _tell_zeros_apart(row)
    row.append(_END)
    return b"".join(row)


def _drop_zeros(row: list[bytes]) -> None:
    while row and row[-1] == _ZERO:
        row.pop()


def _tell_zeros_apart(row: list[bytes]) -> None:
    zero = _ZERO
    for index in range(len(row) - 1, -1, -1):
        if row[index] == _ZERO:
            row[index] = zero
        else:
            zero = _ZERO_BEFORE_WORD if row[index] < _ZERO_BEFORE_WORD else _ZERO


PLUGIN: Final = Scheme(name="gem", title="RubyGems", key=key)
