"""The shape of OSV records, as far as we read it.

What differs by publisher (`ecosystem_specific`, `database_specific`) and the long lists of versions stay undecoded
until they matter.

Source: https://ossf.github.io/osv-schema/
"""

from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Raw, Struct

from openinspector.feeds.osv_ranges import OsvRange


class OsvPackage(Struct, frozen=True):
    """`{"ecosystem": "Debian:12", "name": "curl", "purl": "pkg:deb/debian/curl?arch=source"}`."""

    ecosystem: str = ""
    name: str = ""
    purl: str = ""


class OsvSeverity(Struct, frozen=True):
    """A vector (`CVSS_V3`) or, with type `Ubuntu`, a word."""

    type: str = ""
    score: str = ""


class OsvReference(Struct, frozen=True):
    """A link; its type is of no use to us."""

    url: str = ""


class OsvAffected(Struct, frozen=True):
    """One package of one ecosystem; each part may be missing."""

    package: OsvPackage | None = None
    ranges: tuple[OsvRange, ...] | None = None
    versions: Raw = Raw()
    severity: tuple[OsvSeverity, ...] | None = None
    ecosystem_specific: Raw = Raw()
    database_specific: Raw = Raw()


class Osv(Struct, frozen=True):
    """One record."""

    id: str
    modified: str = ""
    published: str = ""
    withdrawn: str | None = None
    aliases: tuple[str, ...] | None = None
    related: tuple[str, ...] | None = None
    upstream: tuple[str, ...] | None = None
    summary: str | None = None
    details: str | None = None
    severity: tuple[OsvSeverity, ...] | None = None
    affected: tuple[OsvAffected, ...] | None = None
    references: tuple[OsvReference, ...] | None = None
    database_specific: Raw = Raw()


class DebianWords(Struct, frozen=True):
    """`ecosystem_specific` of Debian."""

    urgency: str | None = None


class GoWords(Struct, frozen=True):
    """`ecosystem_specific` of the Go database; custom ranges are in numbers that are no module versions."""

    custom_ranges: tuple[OsvRange, ...] | None = None


class EntryWords(Struct, frozen=True):
    """`affected[].database_specific` of GitHub (the range) and RustSec (why it is no vulnerability)."""

    last_known_affected_version_range: str | None = None
    informational: str | None = None


class GithubWords(Struct, frozen=True):
    """`database_specific` of GitHub."""

    severity: str | None = None
    cwe_ids: tuple[str, ...] | None = None


Words = TypeVar("Words")


@cache
def decoder(kind: Hashable) -> "msgspec.json.Decoder[Any]":
    """The one decoder of a type."""
    return msgspec.json.Decoder(cast("type[Any]", kind))


def words(raw: Raw, kind: type[Words]) -> Words | None:
    """What a publisher adds in its own words; None where it adds nothing or means something else by the same names."""
    try:
        found: Words = decoder(cast(Hashable, kind)).decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found
