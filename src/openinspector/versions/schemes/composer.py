"""Composer: what composer/semver's `VersionParser` makes of a version, ordered by PHP's `version_compare`.

A version is up to four numbers (missing ones are zero) or a date (`2010-01-02`, `20100102`: as many numbers as its
separators make), then a stability and its numbers, then perhaps `-dev`. Item by item:

    dev < alpha < beta < RC < nothing more < a number < patch         so 1.0-beta < 1.0-beta0 < 1.0 < 1.0-p1

A stability other than `stable` in exactly this letter case (`1.0-Stable`) is none that PHP knows, and sorts below
`dev`. Numbers beyond 63 bits are all equal: PHP reads them into an integer that stays at its limit. `1.2.x-dev` has
9999999 for each `x`. A default branch (`dev-master`, `dev-trunk`, `dev-default`) is 9999999-dev, above any release that
counts in ordinary numbers. Any other branch sorts below all numbers; Composer does not order two of those, here their
names do.

Source: https://getcomposer.org/doc/articles/versions.md
"""

import re
from typing import Final

from openinspector.versions.contract import Scheme
from openinspector.versions.keys import Remembered, number, unreadable

_ALIAS = re.compile(r"([^,\s]+) +as +[^,\s]+", re.ASCII)
_FLAG = re.compile(r"@(?:stable|RC|beta|alpha|dev)$", re.IGNORECASE | re.ASCII)
_METADATA = re.compile(r"([^,\s+]+)\+\S+", re.ASCII)
_STABILITY = r"[._-]?(?:(stable|beta|b|RC|alpha|a|patch|pl|p)([.-]?[0-9]+(?:[.-][0-9]+)*)?)?([.-]?dev)?"
_CLASSIC = re.compile(
    r"v?([0-9]{1,5})(?:\.([0-9]+))?(?:\.([0-9]+))?(?:\.([0-9]+))?" + _STABILITY, re.IGNORECASE | re.ASCII
)
_DATE = re.compile(r"v?([0-9]{4}(?:[.:-]?[0-9]{2}){1,6}(?:[.:-]?[0-9]{1,3})?)" + _STABILITY, re.IGNORECASE | re.ASCII)
_NUMERIC_BRANCH = re.compile(
    r"v?([0-9]+)(?:\.([0-9]+|[x*]))?(?:\.([0-9]+|[x*]))?(?:\.([0-9]+|[x*]))?", re.IGNORECASE | re.ASCII
)
_DIGITS = re.compile(r"[0-9]+")

_WHITE_SPACE = " \n\r\t\v\0"  # what PHP's trim takes
_DEFAULT_BRANCHES = ("master", "trunk", "default")

_BRANCH = b"\x00"
_UNKNOWN = b"\x01"
_DEV = b"\x02"
_END = b"\x06"
_PATCH = b"\xff"
_STABILITIES = {
    "stable": _UNKNOWN,
    "alpha": b"\x03",
    "a": b"\x03",
    "beta": b"\x04",
    "b": b"\x04",
    "rc": b"\x05",
    "patch": _PATCH,
    "pl": _PATCH,
    "p": _PATCH,
}

_LARGEST = str(2**63 - 1)


def _number(digits: str) -> bytes:
    significant = digits.lstrip("0")
    if len(significant) > len(_LARGEST) or (len(significant) == len(_LARGEST) and significant > _LARGEST):
        return number(_LARGEST)
    return number(significant)


_CODES = Remembered(_number)
_ANY = _CODES["9999999"]


def key(version: str) -> bytes:
    """The sort key of a version.

    Raises:
        VersionError: Composer does not accept it.
    """
    text = version.strip(_WHITE_SPACE)
    if alias := _ALIAS.fullmatch(text):
        text = alias[1]
    text = _FLAG.sub("", text)
    if text in _DEFAULT_BRANCHES:
        return _ANY + _DEV + _END
    if text[:4].lower() == "dev-":
        name = text[4:]
        return _ANY + _DEV + _END if name in _DEFAULT_BRANCHES else _BRANCH + name.encode("utf-8", "surrogatepass")
    text = text.removesuffix("\n")  # a PHP pattern's $ matches before it
    if metadata := _METADATA.fullmatch(text):
        text = metadata[1]
    if classic := _CLASSIC.fullmatch(text):
        major, minor, patch, fourth, *modifiers = classic.groups("")
        numbers = [_CODES[major], _CODES[minor], _CODES[patch], _CODES[fourth]]
        return b"".join(numbers) + _modifiers(*modifiers)
    if date := _DATE.fullmatch(text):
        numbers = [_CODES[digits] for digits in _DIGITS.findall(date[1])]
        return b"".join(numbers) + _modifiers(*date.groups("")[1:])
    if text[-3:].lower() == "dev" and (branch := _numeric_branch(text[:-3])):
        return branch
    raise unreadable("composer", version, "Composer does not accept it")


def _modifiers(stability: str, numbers: str, dev: str) -> bytes:
    if stability == "stable":
        return _END
    parts = []
    if stability:
        parts.append(_STABILITIES[stability.lower()])
        parts += [_CODES[digits] for digits in _DIGITS.findall(numbers)]
    if dev:
        parts.append(_DEV)
    parts.append(_END)
    return b"".join(parts)


def _numeric_branch(name: str) -> bytes | None:
    """The key of `1.2.x-dev`, given what stands before `dev`; None for a branch that is not numeric."""
    if name[-1:] in (".", "-"):
        name = name[:-1]
    match = _NUMERIC_BRANCH.fullmatch(name.rpartition("\n")[2].strip(_WHITE_SPACE))
    if match is None:
        return None
    numbers = [_ANY if part in ("", "x", "X", "*") else _CODES[part] for part in match.groups("")]
    return b"".join(numbers) + _DEV + _END


PLUGIN: Final = Scheme(name="composer", title="Composer", key=key)
