"""The ignore file: findings that somebody accepts, with a reason, until a day.

    [[ignore]]
    vulnerability = "CVE-2023-1234"      # any name of it; a pattern
    package = "pkg:npm/lodash@4.17.20"   # optional: a name or a package URL; a pattern
    path = "srv/tool/**"                 # optional: where the package was found; a pattern
    owner = "alice@example.org"
    reason = "only the build uses it"
    expires = 2026-12-31

Who accepts, why and until when are required: a risk that nobody owns, or that is accepted for ever, is forgotten. The
day is the last on which an entry applies, in UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from msgspec import Struct

from openinspector.errors import UsageError
from openinspector.match.glob import LONGEST, matches, matches_path
from openinspector.match.purl import means
from openinspector.model.distro import Distribution
from openinspector.model.ecosystem import canonical_name
from openinspector.model.package import Package
from openinspector.model.purl import Purl, parse_purl
from openinspector.model.suppression import Suppression

MAX_ENTRIES: Final = 10_000
_LONGEST_REASON: Final = 4000
_TABLE: Final = "ignore"
_KEYS: Final = ("vulnerability", "package", "path", "owner", "reason", "expires")
_PATTERN: Final = frozenset("*?[")


class Entry(Struct, frozen=True, kw_only=True):
    """One accepted risk. `purl` is `package` where that is a package URL."""

    vulnerability: str
    owner: str
    reason: str
    expires: str
    package: str = ""
    purl: Purl | None = None
    path: str = ""

    def __str__(self) -> str:
        """What it is about: `CVE-2023-1 of lodash in srv/tool/**`."""
        text = self.vulnerability
        if self.package:
            text += f" of {self.package}"
        return f"{text} in {self.path}" if self.path else text


def read_entries(document: Mapping[str, Any], path: str) -> tuple[Entry, ...]:
    """The entries of a parsed ignore file.

    Raises:
        UsageError: Something is missing, misspelt or of the wrong type; the message names the entry.
    """
    odd = [key for key in document if key != _TABLE]
    tables = document.get(_TABLE, [])
    if odd or not isinstance(tables, list):
        raise UsageError(f"{path}: an ignore file has [[{_TABLE}]] tables and nothing else{_named(odd)}")
    if len(tables) > MAX_ENTRIES:
        raise UsageError(f"{path}: more than {MAX_ENTRIES:,} entries")
    return tuple(_entry(table, f"{path}: entry {at}") for at, table in enumerate(tables, 1))


def _named(keys: Sequence[str]) -> str:
    return f", not {', '.join(repr(each[:40]) for each in keys[:3])}" if keys else ""


def _entry(table: object, where: str) -> Entry:
    if not isinstance(table, dict):
        raise UsageError(f"{where} is no table")
    said = table.get("vulnerability")
    if isinstance(said, str) and said.strip():
        where += f" ({said.strip()[:60]})"
    odd = [key for key in table if key not in _KEYS]
    if odd:
        raise UsageError(f"{where} may have {', '.join(_KEYS)}{_named(odd)}")
    texts: dict[str, str] = {}
    for key in _KEYS[:-1]:
        value = table.get(key, "")
        if not isinstance(value, str):
            raise UsageError(f"{where}: {key} is no text")
        texts[key] = value.strip()
        if key in ("vulnerability", "owner", "reason") and not texts[key]:
            raise UsageError(f"{where} has no {key}: every entry says what is ignored, who owns that and why")
        limit = _LONGEST_REASON if key == "reason" else LONGEST
        if len(texts[key]) > limit:
            raise UsageError(f"{where}: {key} is longer than {limit:,} characters")
    purl = None
    if texts["package"].startswith("pkg:"):
        purl = parse_purl(texts["package"])
        if purl is None:
            raise UsageError(f"{where}: {texts['package'][:100]!r} is no package URL")
    return Entry(**texts, purl=purl, expires=_day(table.get("expires"), where))


def _day(value: object, where: str) -> str:
    if value is None:
        raise UsageError(f"{where} has no expires: every entry ends on a day, such as expires = 2026-12-31")
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value.strip())
        except ValueError:
            value = None
    if not isinstance(value, date):
        raise UsageError(f"{where}: expires is no day, such as 2026-12-31")
    return value.isoformat()


class Entries:
    """The entries of one file as they are on one day; remembers which of them concerned anything."""

    def __init__(self, entries: Sequence[Entry], source: str, today: date) -> None:
        self.all = entries
        self.source = source
        self.matched: set[int] = set()
        day = today.isoformat()
        self.expired = frozenset(at for at, each in enumerate(entries) if each.expires < day)
        self._by_name: dict[str, list[int]] = {}
        self._patterns: list[int] = []
        for at, each in enumerate(entries):
            if _PATTERN.isdisjoint(each.vulnerability):
                self._by_name.setdefault(each.vulnerability.upper(), []).append(at)
            else:
                self._patterns.append(at)

    def suppression(
        self, names: Iterable[str], package: Package, distribution: Distribution | None
    ) -> Suppression | None:
        """Why a package's vulnerability, which has these names, is ignored; None where it isn't.

        An entry that has expired is remembered as matched and hides nothing.
        """
        called = [name.upper() for name in names]
        found = {at for name in called for at in self._by_name.get(name, ())}
        for at in self._patterns:
            pattern = self.all[at].vulnerability.upper()
            if any(matches(pattern, name) for name in called):
                found.add(at)
        hiding = None
        for at in sorted(found):
            entry = self.all[at]
            if not _concerns(entry, package, distribution):
                continue
            self.matched.add(at)
            if at not in self.expired and (hiding is None or entry.expires > hiding.expires):
                hiding = entry
        if hiding is None:
            return None
        return Suppression(
            kind="ignore",
            reason=hiding.reason,
            owner=hiding.owner,
            expires=hiding.expires,
            source=self.source,
        )


def _concerns(entry: Entry, package: Package, distribution: Distribution | None) -> bool:
    if entry.purl is not None:
        if not means(entry.purl, package, distribution, matches):
            return False
    elif entry.package and not _is_called(entry.package, package):
        return False
    return not entry.path or matches_path(entry.path, package.location.path)


def _is_called(pattern: str, package: Package) -> bool:
    if package.name == pattern or matches(pattern, package.name):
        return True
    return matches(canonical_name(package.type, pattern), canonical_name(package.type, package.name))
