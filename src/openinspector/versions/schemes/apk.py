"""Alpine, Wolfi, Chainguard: `number{.number}{letter}{_suffix{number}}{~hash}{-r#}`, as apk orders it.

Components after the first that begin with 0 compare as strings, and so stand below those that don't. At one place:
`_alpha` `_beta` `_pre` `_rc`, end, `-r`, `~hash`, a suffix's number, `_cvs` `_svn` `_git` `_hg` `_p`, letter,
component.

The order is that of apk 3. As apk 2 does and apk 3 doesn't, it also reads digits right after the letter
(`6.6.2p1-r0`), because published fixes use them.

Source: apk-package(5) and the rules that apk-tools documents for its versions; apk itself was not at hand to check
against.
"""

import re
from typing import Final

from openinspector.versions.contract import Scheme
from openinspector.versions.keys import Remembered, number, unreadable

# What may stand at one place, in order. Letters stand for themselves; they come after all marks.
SUFFIXES = {
    "alpha": 0x01,
    "beta": 0x02,
    "pre": 0x03,
    "rc": 0x04,
    "cvs": 0x09,
    "svn": 0x0A,
    "git": 0x0B,
    "hg": 0x0C,
    "p": 0x0D,
}
END, REVISION, HASH, SUFFIX_NUMBER = b"\x05", b"\x06", b"\x07", b"\x08"
ZERO_LED = b"\x7b"  # right after "z", before every number
TEXT_END = b"\0"

shape = re.compile(
    r"[0-9]+(?:\.[0-9]+)*(?:[a-z][0-9]*)?(?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]*)*(?:~[0-9a-f]+)?(?:-r[0-9]+)?"
).fullmatch
tokens = re.compile(r"\.[0-9]+|_[a-z]+[0-9]*|~[0-9a-f]+|-r[0-9]+|[a-z][0-9]*|[0-9]+").findall


def key(version: str) -> bytes:
    """The tokens of a version, each behind the mark of its kind."""
    if not shape(version):
        raise unreadable("apk", version, "it doesn't follow number{.number}{letter}{_suffix}{~hash}{-r#}")
    return b"".join(map(PARTS.__getitem__, tokens(version))) + END


def encode(token: str) -> bytes:
    """One token of a version."""
    kind = token[0]
    if kind == ".":
        digits = token[1:]
        return ZERO_LED + digits.encode("ascii") + TEXT_END if digits[0] == "0" else number(digits)
    if kind == "_":
        name = token[1:].rstrip("0123456789")
        digits = token[1 + len(name) :]
        return bytes((SUFFIXES[name],)) + (SUFFIX_NUMBER + number(digits) if digits else b"")
    if kind == "~":
        return HASH + token[1:].encode("ascii") + TEXT_END
    if kind == "-":
        return REVISION + number(token[2:])
    if "a" <= kind <= "z":
        return kind.encode("ascii") + (number(token[1:]) if len(token) > 1 else b"")
    return number(token)


PARTS = Remembered(encode)
PLUGIN: Final = Scheme(name="apk", title="Alpine (apk)", key=key)
