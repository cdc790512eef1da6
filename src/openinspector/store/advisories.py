"""The advisory file, opened to be asked.

It is immutable, read-only, mapped into memory and shared by any number of processes.
"""

import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

import msgspec

from openinspector.errors import StoreError
from openinspector.match.contract import Candidate
from openinspector.model.advisory import Advisory, State
from openinspector.model.distro import SOURCE_NAMES
from openinspector.model.enrichment import Epss, Exploit, Kev
from openinspector.store.schema import (
    EXACT,
    FORMAT,
    LOWER_EXCLUSIVE,
    OVERRULED,
    PARTLY_OVERRULED,
    UNREADABLE,
    UPPER_INCLUSIVE,
)

_MAPPED = 1 << 31  # bytes of the file that SQLite may map
_LARGEST_RECORD = 4 << 20

_ALL = (
    "SELECT a.advisory, a.introduced, a.bound, a.flags, a.qualifier, a.package"
    " FROM package p JOIN affected a ON a.package = p.id WHERE p.namespace = ?1 AND p.name = ?2"
)
_IN_FORCE = f"{_ALL} AND NOT a.flags & {OVERRULED}"
_CONTAINING = f"{_IN_FORCE} AND a.lo <= ?3 AND (a.hi IS NULL OR a.hi > ?3 OR a.flags & {UNREADABLE | EXACT})"


def data_folder() -> Path:
    """`OPENINSPECTOR_DATA`, or where data of this user lies."""
    named = os.environ.get("OPENINSPECTOR_DATA")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "openinspector"


def default_path() -> Path:
    """`OPENINSPECTOR_DB`, or where `openinspector db update` puts it."""
    named = os.environ.get("OPENINSPECTOR_DB")
    return Path(named) if named else data_folder() / "advisories.sqlite"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise StoreError(f"{path} can't be looked at: {error.strerror or error}") from error


class AdvisoryFile:
    """One generation of advisories.

    Raises:
        StoreError: The file is missing, is none, or was made by another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not _is_file(path):
            raise StoreError(
                f"there is no advisory file at {path}:"
                " make one with `openinspector db update` (or try out with `openinspector db starter`)"
            )
        try:
            uri = path.resolve().as_uri() + "?mode=ro&immutable=1"
            self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False, cached_statements=64)
            self._connection.execute(f"PRAGMA mmap_size={_MAPPED}")
            self._connection.execute("PRAGMA query_only=1")
            self._connection.execute("PRAGMA trusted_schema=0")
            self.meta: dict[str, str] = dict(self._connection.execute("SELECT key, value FROM meta"))
        except sqlite3.Error as error:
            raise StoreError(f"{path} is not an advisory file, or may not be read: {error}") from error
        if self.meta.get("format") != str(FORMAT):
            raise StoreError(
                f"{path} has format {self.meta.get('format', '?')}, this version reads {FORMAT}:"
                " make it anew with `openinspector db update` or `openinspector db build`"
            )
        self._feeds: dict[int, str] = dict(self._connection.execute("SELECT id, name FROM feed"))
        self._qualifiers: dict[int, tuple[str, ...]] = {}
        self._advisories: dict[int, tuple[str, str, tuple[str, ...]]] = {}
        self._namespaces: dict[str, bool] = {}
        self._decoder = msgspec.msgpack.Decoder(Advisory)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    # What matching asks (match/contract.py)

    def has_namespace(self, namespace: str) -> bool:
        """Whether there is any advisory of a namespace."""
        known = self._namespaces.get(namespace)
        if known is None:
            row = self._connection.execute(
                "SELECT 1 FROM package WHERE namespace IN (?, ?) LIMIT 1", (namespace, namespace + SOURCE_NAMES)
            ).fetchone()
            known = self._namespaces[namespace] = row is not None
        return known

    def speaks_of(self, namespace: str, name: str) -> bool:
        """Whether any advisory names a package."""
        query = "SELECT 1 FROM package WHERE namespace = ? AND name = ?"
        return self._connection.execute(query, (namespace, name)).fetchone() is not None

    def candidates(self, namespace: str, name: str, key: bytes) -> Sequence[Candidate]:
        """The ranges of a package that contain a sort key, and those for which it can't tell."""
        rows = self._connection.execute(_CONTAINING, (namespace, name, key)).fetchall()
        return [self._candidate(row) for row in rows] if rows else ()

    def all_ranges(self, namespace: str, name: str) -> Sequence[Candidate]:
        """Every range of a package that no better authority overrules."""
        return [self._candidate(row) for row in self._connection.execute(_IN_FORCE, (namespace, name))]

    def overruled_ranges(self, namespace: str, name: str) -> Sequence[Candidate]:
        """The ranges of a package that a better authority overrules, each with the vulnerabilities where it does."""
        rows = self._connection.execute(f"{_ALL} AND a.flags & {OVERRULED | PARTLY_OVERRULED}", (namespace, name))
        found = []
        for row in rows:
            number, _, _, flags, which, package = row
            lost = self._advisory(number)[2] if flags & OVERRULED else self._overruled(package, number, which)
            found.append(self._candidate(row)._replace(vulnerabilities=tuple(lost)))
        return found

    def unaffected(self, namespace: str, name: str) -> Sequence[Candidate]:
        """What publishers call not affected of a package, whatever the version, as ranges of that state."""
        rows = self._connection.execute(
            "SELECT u.advisory, NULL, NULL, 0, u.qualifier, u.package FROM package p JOIN unaffected u"
            " ON u.package = p.id WHERE p.namespace = ? AND p.name = ?",
            (namespace, name),
        )
        return [self._candidate(row) for row in rows]

    def _candidate(self, row: tuple[int, str | None, str | None, int, int, int]) -> Candidate:
        number, introduced, bound, flags, which, package = row
        feed, advisory, vulnerabilities = self._advisory(number)
        if flags & PARTLY_OVERRULED:
            lost = self._overruled(package, number, which)
            vulnerabilities = tuple(each for each in vulnerabilities if each not in lost)
        state, module, arches, repository, severity, note = self._qualifier(which)
        return Candidate(
            feed,
            advisory,
            vulnerabilities,
            introduced or "",
            bound or "",
            bool(flags & UPPER_INCLUSIVE),
            bool(flags & LOWER_EXCLUSIVE),
            bool(flags & UNREADABLE),
            bool(flags & EXACT),
            cast(State, state),
            module,
            tuple(arches.split()),
            repository,
            severity,
            note,
        )

    def _advisory(self, number: int) -> tuple[str, str, tuple[str, ...]]:
        known = self._advisories.get(number)
        if known is None:
            feed, name, about = self._connection.execute(
                "SELECT feed, name, vulnerabilities FROM advisory WHERE id = ?", (number,)
            ).fetchone()
            known = self._advisories[number] = (self._feeds[feed], name, tuple(about.split(" ")))
        return known

    def _overruled(self, package: int, advisory: int, qualifier: int) -> list[str]:
        """The vulnerabilities of a range of which a better authority speaks."""
        rows = self._connection.execute(
            "SELECT vulnerability FROM overruled WHERE package = ? AND advisory = ? AND qualifier = ?",
            (package, advisory, qualifier),
        )
        return [name for (name,) in rows]

    def _qualifier(self, number: int) -> tuple[str, ...]:
        known = self._qualifiers.get(number)
        if known is None:
            known = self._qualifiers[number] = self._connection.execute(
                "SELECT state, module, arches, repository, severity, note FROM qualifier WHERE id = ?", (number,)
            ).fetchone()
        return known

    # What is told of a vulnerability

    def canonical(self, name: str) -> str:
        """The canonical name of a vulnerability."""
        row = self._connection.execute("SELECT canonical FROM alias WHERE name = ?", (name,)).fetchone()
        return row[0] if row else name

    def aliases(self, canonical: str) -> tuple[str, ...]:
        """Its other names."""
        rows = self._connection.execute("SELECT name FROM alias WHERE canonical = ? ORDER BY name", (canonical,))
        return tuple(name for (name,) in rows)

    def advisories_of(self, vulnerability: str) -> list[tuple[str, Advisory]]:
        """What each publisher says of a vulnerability: (feed, advisory without its affected ranges)."""
        import zstandard

        rows = self._connection.execute(
            "SELECT a.feed, a.record FROM mention m JOIN advisory a ON a.id = m.advisory WHERE m.vulnerability = ?",
            (vulnerability,),
        )
        unpack = zstandard.ZstdDecompressor().decompress
        return [
            (self._feeds[feed], self._decoder.decode(unpack(record, max_output_size=_LARGEST_RECORD)))
            for feed, record in rows
        ]

    def mentions(self, vulnerability: str) -> bool:
        """Whether any advisory speaks of a vulnerability."""
        query = "SELECT 1 FROM mention WHERE vulnerability = ? LIMIT 1"
        return self._connection.execute(query, (vulnerability,)).fetchone() is not None

    def rejected(self, vulnerabilities: Iterable[str]) -> set[str]:
        """Those of them that were rejected by the CVE program or NVD."""
        return {
            each
            for each in vulnerabilities
            if self._connection.execute("SELECT 1 FROM rejected WHERE vulnerability = ?", (each,)).fetchone()
        }

    def epss(self, vulnerability: str) -> Epss | None:
        """Its EPSS score."""
        row = self._connection.execute(
            "SELECT score, percentile, date FROM epss WHERE vulnerability = ?", (vulnerability,)
        ).fetchone()
        return Epss(vulnerability=vulnerability, score=row[0], percentile=row[1], date=row[2]) if row else None

    def kev(self, vulnerability: str) -> Kev | None:
        """Its entry in CISA's catalogue."""
        row = self._connection.execute("SELECT record FROM kev WHERE vulnerability = ?", (vulnerability,)).fetchone()
        return msgspec.msgpack.decode(row[0], type=Kev) if row else None

    def exploits(self, vulnerability: str) -> tuple[Exploit, ...]:
        """Public exploits of it."""
        rows = self._connection.execute(
            "SELECT record FROM exploit WHERE vulnerability = ? ORDER BY source", (vulnerability,)
        )
        return tuple(msgspec.msgpack.decode(record, type=Exploit) for (record,) in rows)

    def nickname(self, vulnerability: str) -> str:
        """What people call it, or ""."""
        row = self._connection.execute("SELECT name FROM nickname WHERE vulnerability = ?", (vulnerability,)).fetchone()
        return str(row[0]) if row else ""

    def weakness(self, cwe: str) -> str:
        """The name of a CWE, or ""."""
        row = self._connection.execute("SELECT name FROM weakness WHERE id = ?", (cwe,)).fetchone()
        return str(row[0]) if row else ""

    # What is told of the file

    def feeds(self) -> list[dict[str, object]]:
        """The state of every feed, by name."""
        cursor = self._connection.execute("SELECT * FROM feed ORDER BY name")
        columns = [column[0] for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor]

    def namespaces(self) -> list[tuple[str, int]]:
        """Every namespace with its number of packages."""
        rows = self._connection.execute("SELECT namespace, count(*) FROM package GROUP BY namespace ORDER BY namespace")
        return [(namespace, count) for namespace, count in rows]
