"""RPM: `[epoch:]version[-release]`, as rpm orders it.

Version and release are runs of letters and runs of digits; whatever stands between them only separates, except `~`,
which sorts before the end, and `^`, which sorts right after it. At one place: `~`, end, `^`, letters, digits. Letters
compare as bytes, digits by value. A missing epoch is 0; a missing release sorts below every release, even an empty
one.

Like rpm itself this reads anything that is not empty and has no NUL.

Source: rpm-version(7); checked against rpm's own `rpm.vercmp`.
"""

import re
from typing import Final

from openinspector.versions.contract import Scheme
from openinspector.versions.keys import Remembered, number, unreadable

# At one place of a component: letters stand for themselves, numbers begin with 0x80 or more.
MARKS = {"~": b"\x01", "\0": b"\x02", "^": b"\x03"}
LETTERS_END = b"\0"
NO_EPOCH = number("")
DIGITS = frozenset("0123456789")

tokens = re.compile(r"[0-9]+|[A-Za-z]+|[~^\0]").findall


def key(version: str) -> bytes:
    """Epoch, version and, if there is one, release; each component ends with the mark of an end."""
    if not version or "\0" in version:
        raise unreadable("rpm", version, "it is empty" if not version else "it contains NUL")
    before, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = NO_EPOCH, version
    elif not before:
        epoch = NO_EPOCH
    elif before.isdecimal() and before.isascii():
        epoch = PARTS[before]
    else:
        epoch, rest = NO_EPOCH, version
    upstream, dash, release = rest.rpartition("-")
    text = f"{upstream}\0{release}\0" if dash else f"{release}\0"
    return epoch + b"".join(map(PARTS.__getitem__, tokens(text)))


def encode(token: str) -> bytes:
    """One token of a version."""
    if token[0] in DIGITS:
        return number(token)
    return MARKS.get(token) or token.encode("ascii") + LETTERS_END


PARTS = Remembered(encode)
PLUGIN: Final = Scheme(name="rpm", title="RPM (epoch, version, release)", key=key)
