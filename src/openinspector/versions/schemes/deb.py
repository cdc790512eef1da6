"""Debian: `[epoch:]upstream[-revision]`, as dpkg orders it.

Upstream and revision are each a non-digit part, a number, a non-digit part and so on. Non-digits sort `~`, end of the
part, letters, everything else; numbers by value, a missing one is 0. A missing epoch or revision is 0.

Read as strictly as dpkg reads a new package, with two exceptions: an upstream part that begins with no digit is fine
(dpkg warns), and an epoch is digits only (dpkg also takes `+1:`).

Source: Debian Policy Manual §5.6.12; deb-version(7); checked against python3-apt and dpkg.
"""

import re
from string import ascii_letters
from typing import Final

from openinspector.versions.contract import Scheme
from openinspector.versions.keys import Remembered, number, unreadable

TILDE, END = 1, 2
ORDER = {ord("~"): TILDE} | {ord(c): place for place, c in enumerate(sorted(ascii_letters) + sorted("+-.:"), 3)}
DIGITS = frozenset("0123456789")
BLANKS = " \t\n\v\f\r"
LARGEST_EPOCH = 2**31 - 1  # dpkg keeps it in an int
NOTHING = bytes((END,))
ZERO = number("")

split = re.compile(r"([0-9]+)").split


def key(version: str) -> bytes:
    """Epoch, upstream and revision, each in bytes that end by themselves."""
    version = version.strip(BLANKS)
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "", version
    elif not (epoch.isdecimal() and epoch.isascii()):
        raise unreadable("deb", version, "its epoch is not a number")
    elif len(significant := epoch.lstrip("0")) > 10 or int(significant or "0") > LARGEST_EPOCH:
        raise unreadable("deb", version, "its epoch is too large")
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = revision, "0"
    elif not revision:
        raise unreadable("deb", version, "its revision is empty")
    elif colon and ":" in revision:
        raise unreadable("deb", version, "a colon in its revision")
    if not upstream:
        raise unreadable("deb", version, "it has no upstream part")
    if "\0" in rest:
        raise unreadable("deb", version, "an invalid character")
    try:
        return NUMBERS[epoch] + b"".join(map(PARTS.__getitem__, split(f"{upstream}\0{revision}\0")))
    except KeyError:
        raise unreadable("deb", version, "an invalid character") from None


def encode(part: str) -> bytes:
    """One number, or one non-digit part; NUL, which ends a component, may stand in the latter."""
    if part and part[0] in DIGITS:
        return number(part)
    pieces = [bytes(ORDER[ord(c)] for c in piece) + NOTHING for piece in part.split("\0")]
    for place, piece in enumerate(pieces[:-1]):
        if len(piece) > 1:  # a component that ends in a non-digit part goes on with the number 0 and nothing
            pieces[place] = piece + ZERO + NOTHING
    return b"".join(pieces)


PARTS = Remembered(encode)
NUMBERS = Remembered(number)
PLUGIN: Final = Scheme(name="deb", title="Debian (dpkg)", key=key)
