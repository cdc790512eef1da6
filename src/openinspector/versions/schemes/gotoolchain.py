"""Go's toolchain and standard library: `go1.21rc2`, `1.20.3`, and the `1.21.0-rc.2` and `1.21.0-0` of advisories.

A release without patch number is its `.0` before Go 1.21; from then on it names the language, which comes before the
release candidates, which come before `.0`. What follows a blank, `-` or `+` is a vendor's addition and doesn't count
(`go1.22.1-acme`, `go1.20.12 X:strictfipsruntime`), nor does the `b7` of the old BoringCrypto builds. Without the
`go`, `-0` and `-rc.2` are advisories' spelling, in semantic versioning: before all pre-releases, and `rc2`.

Source: Go Toolchains, "Go versions"; checked against Go's package go/version.
"""

import re
from typing import Final

from openinspector.versions.contract import Scheme
from openinspector.versions.keys import Remembered, number, unreadable
from openinspector.versions.semver import NUMBER

FIRST_WITH_LANGUAGE = "21"
# Behind the minor number: no patch number, before every patch number.
NO_PATCH = b"\x01"
# Behind that, in order; the letters of a kind of pre-release stand for themselves.
LOWEST, LANGUAGE, KIND_END, RELEASE = b"\x01", b"\x02", b"\0", b"\x7f"

match = re.compile(
    rf"(go|v)?({NUMBER})(?:\.({NUMBER})(?:\.({NUMBER})(?:b[0-9]+)?|([a-z]+)({NUMBER})?)?)?(?:([-+ \t])(.*))?", re.DOTALL
).fullmatch
advisory_tail = re.compile(rf"0|(alpha|beta|rc)\.?({NUMBER})").fullmatch


def key(version: str) -> bytes:
    """Major, minor, patch or its absence, and how far that release had got."""
    found = match(version)
    if found is None:
        raise unreadable("gotoolchain", version, "it doesn't follow go1.21rc2, 1.21.3 or 1.21.0-rc.2")
    prefix, major, minor, patch, kind, count, mark, tail = found.groups()
    stage = RELEASE
    if mark == "-" and patch and prefix != "go" and (early := advisory_tail(tail)):
        stage = stage_of(*early.groups())
        patch = patch if patch != "0" else None
    elif kind:
        stage = stage_of(kind, count)
    elif patch is None:
        if minor is None or (len(minor), minor) < (2, FIRST_WITH_LANGUAGE):
            patch = "0"
        else:
            stage = LANGUAGE
    return NUMBERS[major] + NUMBERS[minor or ""] + (NO_PATCH if patch is None else NUMBERS[patch]) + stage


def stage_of(kind: str | None, count: str | None) -> bytes:
    """A pre-release by its kind and number; the lowest of all without a kind."""
    if kind is None:
        return LOWEST
    return kind.encode("ascii") + KIND_END + (number(count) if count else b"")


NUMBERS = Remembered(number)
PLUGIN: Final = Scheme(name="gotoolchain", title="Go toolchain and standard library", key=key)
