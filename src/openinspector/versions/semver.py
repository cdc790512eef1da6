"""Semantic versioning, which several ecosystems read with small differences.

A key is major, minor and patch, then a mark that puts pre-releases before the release, then the pre-release's
identifiers: numbers by value, below all others, which compare as ASCII; a longer list above its own beginning. Build
metadata has no place in the order.

Two things are read beyond the specification, because bounds of published ranges need them: a version cut short (`0`,
`1.2`) stands for the release with zeros, and numbers have no upper limit.

Source: Semantic Versioning 2.0.0, items 2 and 9 to 11.
"""

import re
from collections.abc import Callable

from openinspector.versions.keys import Remembered, number, unreadable

NUMBER = "0|[1-9][0-9]*"
ANY_NUMBER = "[0-9]+"
IDENTIFIERS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"

ZERO = number("")
RELEASE, PRE_RELEASE = b"\x02", b"\x01"
TEXT, TEXT_END = b"\xff", b"\0"  # text after every number
LIST_END = b"\0"

zero_led = re.compile(r"(?:^|\.)0[0-9]+(?:\.|$)").search


def reader(scheme: str, *, prefix: str = "", digits: str = NUMBER, suffix: str = "") -> Callable[[str], bytes]:
    """The `key` of a scheme whose numbers look like `digits`, with what it allows before and after; all are patterns.

    Where numbers may begin with 0, so may those of a pre-release.
    """
    match = pattern(prefix, digits, suffix).fullmatch
    zeros_are_fine = digits != NUMBER

    def key(version: str) -> bytes:
        found = match(version)
        if found is None:
            raise unreadable(scheme, version, "it doesn't follow major.minor.patch[-pre-release][+build]")
        major, minor, patch, pre = found.group(1, 2, 3, 4)
        head = NUMBERS[major] + NUMBERS[minor or ""] + NUMBERS[patch or ""]
        if pre is None:
            return head + RELEASE
        if not zeros_are_fine and zero_led(pre):
            raise unreadable(scheme, version, "a number in its pre-release begins with 0")
        return head + PRE_RELEASE + identifiers(pre)

    return key


def pattern(prefix: str, digits: str, suffix: str = "") -> re.Pattern[str]:
    """Groups: major, minor, patch, pre-release, build. Pre-release and build only follow all three numbers."""
    tail = rf"(?:-({IDENTIFIERS}))?(?:\+({IDENTIFIERS}))?"
    return re.compile(rf"{prefix}({digits})(?:\.({digits})(?:\.({digits}){tail})?)?{suffix}")


def identifiers(text: str) -> bytes:
    """A dotted list of identifiers."""
    return b"".join(map(IDENTIFIER.__getitem__, text.split("."))) + LIST_END


def identifier(text: str) -> bytes:
    """One identifier of a pre-release."""
    return number(text) if text.isdecimal() else TEXT + text.encode("ascii") + TEXT_END


NUMBERS = Remembered(number)
IDENTIFIER = Remembered(identifier)
