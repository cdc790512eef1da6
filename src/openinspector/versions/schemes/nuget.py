"""NuGet: `NuGetVersion` with its default comparer.

Up to four numbers, each within 31 bits; missing ones are zero. Then labels behind `-`, which compare one by one and
without regard to letter case; a version with labels sorts below the one without. A label is a number when it is a
signed 32-bit integer (`-5` too, so `1.0--5` has a label that is minus five), and numbers sort below words; a longer run
of digits is a word. Metadata behind `+` is checked and ignored. Numeric labels with leading zeros (`-beta.01`) are
refused, while `-beta01` is one word and fine. White space around the version and its numbers is allowed, as .NET allows
it.

Source: https://learn.microsoft.com/nuget/concepts/package-versioning
"""

import re
from struct import Struct
from typing import Final

from openinspector.versions.contract import Scheme
from openinspector.versions.keys import unreadable

_SPACE = r"\s*"
_NUMBER = rf"{_SPACE}([0-9]+){_SPACE}"
_VERSION = re.compile(
    rf"{_NUMBER}(?:\.{_NUMBER}(?:\.{_NUMBER}(?:\.{_NUMBER})?)?)?"
    rf"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
    rf"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_INTEGER = re.compile(r"(-?)0*([0-9]{1,10})")

_LARGEST = 2**31 - 1
_NUMBERS = Struct(">IIII")
_LABEL_NUMBER = Struct(">BI")
_PRE, _FINAL = b"\x01", b"\x02"
_END, _WORD = b"\x00", b"\x02"  # a numeric label's 0x01 is between them


def key(version: str) -> bytes:
    """The sort key of a version.

    Raises:
        VersionError: `NuGetVersion` does not accept it.
    """
    match = _VERSION.fullmatch(version.strip())
    if match is None:
        raise unreadable("nuget", version, "NuGetVersion does not accept it")
    *numbers, labels = match.groups("")
    row = [_number(digits) for digits in numbers]
    if max(row) > _LARGEST:
        raise unreadable("nuget", version, "a number is beyond 31 bits")
    if not labels:
        return _NUMBERS.pack(*row) + _FINAL
    parts = [_NUMBERS.pack(*row), _PRE]
    for label in labels.split("."):
        if label[0] == "0" and len(label) > 1 and label.isdigit():
            raise unreadable("nuget", version, "a numeric label starts with a zero")
        parts.append(_label(label))
    parts.append(_END)
    return b"".join(parts)


def _number(digits: str) -> int:
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) <= 10 else _LARGEST + 1


def _label(label: str) -> bytes:
    integer = _INTEGER.fullmatch(label)
    if integer is not None:
        value = -int(integer[2]) if integer[1] else int(integer[2])
        if -_LARGEST - 1 <= value <= _LARGEST:
            return _LABEL_NUMBER.pack(1, value + _LARGEST + 1)
    return _WORD + label.upper().encode() + _END


PLUGIN: Final = Scheme(name="nuget", title="NuGet", key=key)
