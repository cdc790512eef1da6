"""Dart's pub: semantic versioning, but build metadata counts: a version with it comes after the same one without.

Numbers may begin with 0, and so may identifiers that are numbers: `1.0.0-01` is `1.0.0-1`. An identifier is a number
if Dart reads it as a 64-bit integer, so `-5` (as in `1.0.0--5`) is one and twenty nines are text. Not modelled: Dart
also reads `0x1f` as a number; here it is text.

Source: pub's "Package versioning" and the documentation of pub_semver; Dart itself was not at hand to check against.
"""

import re
from typing import Final

from openinspector.versions.contract import Scheme
from openinspector.versions.keys import Remembered, number, unreadable
from openinspector.versions.semver import (
    ANY_NUMBER,
    LIST_END,
    NUMBERS,
    PRE_RELEASE,
    RELEASE,
    TEXT,
    TEXT_END,
    pattern,
)

BUILD = b"\x01"
LARGEST = {"": "9223372036854775807", "-": "9223372036854775808"}  # of 64-bit integers, by sign
LARGEST_SIZE = 19
NEGATIVE = 0x40  # to 0x52: below every other identifier, above the end of the list
COMPLEMENT = str.maketrans("0123456789", "9876543210")

match = pattern("", ANY_NUMBER).fullmatch
integer = re.compile(r"(-?)(?=[0-9])0*+([0-9]{0,19})").fullmatch


def key(version: str) -> bytes:
    """The semantic version's key, then the build metadata if there is any."""
    found = match(version)
    if found is None:
        raise unreadable("pub", version, "it doesn't follow major.minor.patch[-pre-release][+build]")
    major, minor, patch, pre, build = found.groups()
    head = NUMBERS[major] + NUMBERS[minor or ""] + NUMBERS[patch or ""]
    head += RELEASE if pre is None else PRE_RELEASE + identifiers(pre)
    return head if build is None else head + BUILD + identifiers(build)


def identifiers(text: str) -> bytes:
    """A dotted list of identifiers."""
    return b"".join(map(IDENTIFIER.__getitem__, text.split("."))) + LIST_END


def identifier(text: str) -> bytes:
    """One identifier: a 64-bit integer, or text."""
    found = integer(text)
    if found is not None:
        sign, digits = found.groups()
        if len(digits) < LARGEST_SIZE or digits <= LARGEST[sign]:
            if not sign or not digits:
                return number(digits)
            return bytes((NEGATIVE + LARGEST_SIZE - len(digits),)) + digits.translate(COMPLEMENT).encode("ascii")
    return TEXT + text.encode("ascii") + TEXT_END


IDENTIFIER = Remembered(identifier)
PLUGIN: Final = Scheme(name="pub", title="pub (Dart)", key=key)
