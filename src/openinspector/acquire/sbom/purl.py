"""A package URL, taken apart: `pkg:deb/debian/curl@7.88.1-10?arch=amd64&distro=debian-12#sub/path`.

A document has thousands of them, so this does no more than it must: nothing is normalized, since names are compared by
the rules of their ecosystem anyway, and qualifiers that make no sense are passed over.

Source: https://github.com/package-url/purl-spec, PURL-SPECIFICATION (how to parse a purl string in its components)
"""

import re
from typing import Final
from urllib.parse import unquote

from msgspec import Struct

_TYPE: Final = re.compile(r"[a-z][a-z0-9.+-]{0,60}")
_QUALIFIERS: Final = 100  # at most


class Purl(Struct, frozen=True):
    """Its parts, decoded; empty ones are ""."""

    type: str
    namespace: str
    name: str
    version: str
    qualifiers: dict[str, str]
    subpath: str


def parse(text: str) -> Purl | None:
    """The parts; None where there is no type or no name."""
    rest = text.strip()
    if rest[:4].lower() != "pkg:":
        return None
    rest, _, subpath = rest[4:].lstrip("/").partition("#")
    rest, _, query = rest.partition("?")
    type_, _, rest = rest.partition("/")
    type_ = type_.lower()
    # A scope is a part of a name, whether its @ is encoded or not.
    at = rest.rfind("@")
    version = ""
    if at > 0 and rest[at - 1] != "/":
        rest, version = rest[:at], rest[at + 1 :]
    parts = [decoded for each in rest.split("/") if (decoded := _decoded(each).strip())]
    if not parts or _TYPE.fullmatch(type_) is None:
        return None
    return Purl(
        type=type_,
        namespace="/".join(parts[:-1]),
        name=parts[-1],
        version=_decoded(version).strip(),
        qualifiers=_qualifiers(query) if query else {},
        subpath="/".join(_decoded(each) for each in subpath.split("/") if each not in ("", ".", "..")),
    )


def _qualifiers(query: str) -> dict[str, str]:
    found = {}
    for pair in query.split("&", _QUALIFIERS)[:_QUALIFIERS]:
        key, equals, value = pair.partition("=")
        if equals and value:
            found[key.strip().lower()] = _decoded(value)
    return found


def _decoded(text: str) -> str:
    return unquote(text) if "%" in text else text
