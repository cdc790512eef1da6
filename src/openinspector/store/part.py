"""One document's records as a part: what a generation is put together from.

A part is made once for the bytes of a document and the revision of its reader, so an update reads only the documents
that changed, and a document that can't be read leaves its previous part in force. Parts are made side by side in
processes.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import assert_never

import msgspec
import zstandard

from openinspector.errors import FeedError, VersionError
from openinspector.model.advisory import Advisory, Affected, Cvss, Range
from openinspector.model.distro import SOURCE_NAMES
from openinspector.model.ecosystem import ECOSYSTEMS, canonical_name, scheme_of
from openinspector.model.enrichment import Enrichment, Epss, Exploit, Kev, Nickname, WeaknessName
from openinspector.model.problem import Problem
from openinspector.score.severity import base_score
from openinspector.store.schema import (
    ENRICHMENT_TABLES,
    EXACT,
    LOWER_EXCLUSIVE,
    UNREADABLE,
    UPPER_INCLUSIVE,
)
from openinspector.versions.contract import Scheme
from openinspector.versions.order import scheme as load_scheme

LAYOUT = 4  # raised with every change of how records become rows

_TABLES = """
CREATE TABLE package(id INTEGER PRIMARY KEY, namespace TEXT, name TEXT);
CREATE TABLE qualifier(
    id INTEGER PRIMARY KEY, state TEXT, module TEXT, arches TEXT, repository TEXT, severity TEXT, note TEXT);
CREATE TABLE advisory(
    id INTEGER PRIMARY KEY, name TEXT, share TEXT, modified TEXT, vulnerabilities TEXT, aliases TEXT, record BLOB);
CREATE TABLE withdrawn(name TEXT, share TEXT, modified TEXT, PRIMARY KEY(name, share));
CREATE TABLE affected(
    package INTEGER, lo BLOB, hi BLOB, advisory INTEGER, introduced TEXT, bound TEXT, flags INTEGER, qualifier INTEGER);
CREATE TABLE unaffected(package INTEGER, advisory INTEGER, qualifier INTEGER);
CREATE TABLE problem(path TEXT, reason TEXT, count INTEGER);
CREATE TABLE counts(advisories INTEGER, affected INTEGER, enrichments INTEGER, problems INTEGER, newest TEXT);
"""

_Key = tuple[bytes, bool]  # sort key, and whether only an exact comparison will do
_NOTE_AT_MOST = 200
_LEFT_OUT = 10  # a document of a record or two may hold nothing that is judged here
_BATCH = 20_000


def write_part(path: Path, records: Iterable[Advisory | Enrichment | Problem]) -> None:
    """Write the part of one document; the file is complete or not there.

    Raises:
        FeedError: There are many records in it, and none of them could be read.
    """
    scratch = path.with_suffix(".new")
    scratch.unlink(missing_ok=True)
    connection = sqlite3.connect(scratch, isolation_level=None)
    try:
        connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;")
        connection.executescript(_TABLES + ENRICHMENT_TABLES)
        connection.execute("BEGIN")
        _Writer(connection).write(records)
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        scratch.unlink(missing_ok=True)
        raise
    connection.close()
    scratch.replace(path)


class _Writer:
    """The state of writing one part: ids given so far, and keys made so far."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._packages: dict[tuple[str, str], int] = {}
        self._qualifiers: dict[tuple[str, ...], int] = {}
        self._keys: dict[tuple[str, str], _Key | None] = {}
        self._schemes: dict[str, Scheme] = {}
        self._compress = zstandard.ZstdCompressor(level=6, write_content_size=True).compress
        self._encode = msgspec.msgpack.Encoder().encode
        self._advisories: list[tuple[object, ...]] = []
        self._affected: list[tuple[object, ...]] = []
        self._unaffected: list[tuple[int, int, int]] = []
        self._count = self._rows = self._facts = self._doubts = 0
        self._withdrawn = 0
        self._newest = ""
        self._first_doubt = ""

    def write(self, records: Iterable[Advisory | Enrichment | Problem]) -> None:
        for record in records:
            if isinstance(record, Advisory):
                self._advisory(record)
                if len(self._affected) >= _BATCH or len(self._advisories) >= _BATCH:
                    self._flush()
            elif isinstance(record, Problem):
                self._problem(record.path, record.reason, record.count)
            else:
                self._enrichment(record)
        self._flush()
        many = self._connection.executemany
        many("INSERT INTO package VALUES(?,?,?)", ((at, *key) for key, at in self._packages.items()))
        many("INSERT INTO qualifier VALUES(?,?,?,?,?,?,?)", ((at, *key) for key, at in self._qualifiers.items()))
        counts = (self._count, self._rows, self._facts, self._doubts, self._newest)
        self._connection.execute("INSERT INTO counts VALUES(?,?,?,?,?)", counts)
        if self._doubts > _LEFT_OUT and not (self._count or self._facts or self._withdrawn):
            raise FeedError(f"none of its records could be read: {self._first_doubt}")

    def _flush(self) -> None:
        many = self._connection.executemany
        many("INSERT INTO advisory VALUES(?,?,?,?,?,?,?)", self._advisories)
        many("INSERT INTO affected VALUES(?,?,?,?,?,?,?,?)", self._affected)
        many("INSERT INTO unaffected VALUES(?,?,?)", self._unaffected)
        self._rows += len(self._affected)
        self._advisories.clear()
        self._affected.clear()
        self._unaffected.clear()

    def _problem(self, path: str, reason: str, count: int) -> None:
        self._doubts += count
        self._first_doubt = self._first_doubt or reason
        self._connection.execute("INSERT INTO problem VALUES(?,?,?)", (path, reason, count))

    def _advisory(self, advisory: Advisory) -> None:
        if advisory.withdrawn:
            self._withdrawn += 1
            row = (advisory.id, advisory.share, max(advisory.modified, advisory.withdrawn))
            self._connection.execute("INSERT OR REPLACE INTO withdrawn VALUES(?,?,?)", row)
            return
        self._count += 1
        self._newest = max(self._newest, advisory.modified or advisory.published)
        number = self._count
        vectors = tuple(_scored(each) for each in advisory.cvss)
        told = msgspec.structs.replace(advisory, affected=(), aliases=(), vulnerabilities=(), share="", cvss=vectors)
        made = (
            number,
            advisory.id,
            advisory.share,
            advisory.modified,
            " ".join(advisory.vulnerabilities),
            " ".join(advisory.aliases),
            self._compress(self._encode(told)),
        )
        self._advisories.append(made)
        for affected in advisory.affected:
            self._one_package(number, advisory.id, affected)

    def _one_package(self, number: int, advisory: str, affected: Affected) -> None:
        namespace = affected.namespace
        scheme_name = scheme_of(namespace, affected.name)
        if not scheme_name:
            self._problem(advisory, f"nothing is known of the namespace {namespace!r}", 1)
            return
        language = namespace in ECOSYSTEMS
        name = canonical_name(namespace, affected.name) if language else affected.name
        if affected.kind == "source":
            namespace += SOURCE_NAMES
        package = self._packages.setdefault((namespace, name), len(self._packages) + 1)
        qualifier = (
            affected.state,
            affected.module,
            " ".join(affected.arches),
            affected.repository,
            affected.severity,
            affected.note[:_NOTE_AT_MOST],
        )
        which = self._qualifiers.setdefault(qualifier, len(self._qualifiers) + 1)
        if affected.state == "not_affected" and not affected.ranges and not affected.versions:
            self._unaffected.append((package, number, which))
            return
        add = self._affected.append
        if not affected.ranges and not affected.versions:
            add((package, b"", None, number, None, None, 0, which))
            return
        intervals: list[tuple[bytes, bytes | None]] = []
        for each in affected.ranges:
            lo, hi, flags = self._interval(scheme_name, each)
            add(
                (
                    package,
                    lo,
                    hi,
                    number,
                    each.introduced or each.after or None,
                    each.fixed or each.last_affected or None,
                    flags,
                    which,
                )
            )
            intervals.append((lo, hi))
        for version in affected.versions:
            key = self._key(scheme_name, version)
            if key is None:
                add((package, b"", None, number, version, version, UNREADABLE | UPPER_INCLUSIVE, which))
            elif not any(lo <= key[0] and (hi is None or key[0] < hi) for lo, hi in intervals):
                flags = UPPER_INCLUSIVE | (EXACT if key[1] else 0)
                add((package, key[0], key[0] + b"\0", number, version, version, flags, which))

    def _interval(self, scheme_name: str, affected: Range) -> tuple[bytes, bytes | None, int]:
        """The sort keys of a range, and how its texts are to be taken."""
        flags = (UPPER_INCLUSIVE if affected.last_affected else 0) | (LOWER_EXCLUSIVE if affected.after else 0)
        lo: bytes = b""
        hi: bytes | None = None
        lower = affected.introduced or affected.after
        upper = affected.fixed or affected.last_affected
        if lower:
            key = self._key(scheme_name, lower)
            if key is None:
                return b"", None, flags | UNREADABLE
            flags |= EXACT if key[1] else 0
            lo = key[0] + b"\0" if affected.after else key[0]
        if upper:
            key = self._key(scheme_name, upper)
            if key is None:
                return b"", None, flags | UNREADABLE
            flags |= EXACT if key[1] else 0
            hi = key[0] + b"\0" if affected.last_affected else key[0]
        return (b"", None, flags) if flags & EXACT else (lo, hi, flags)

    def _key(self, scheme_name: str, version: str) -> _Key | None:
        wanted = (scheme_name, version)
        try:
            return self._keys[wanted]
        except KeyError:
            pass
        rule = self._schemes.get(scheme_name)
        if rule is None:
            rule = self._schemes[scheme_name] = load_scheme(scheme_name)
        try:
            key: _Key | None = (rule.key(version), rule.odd is not None and rule.odd(version))
        except VersionError:
            key = None
        self._keys[wanted] = key
        return key

    def _enrichment(self, fact: Enrichment) -> None:
        self._facts += 1
        run = self._connection.execute
        match fact:
            case Epss():
                self._newest = max(self._newest, fact.date)
                row = (fact.vulnerability, fact.score, fact.percentile, fact.date)
                run("INSERT OR REPLACE INTO epss VALUES(?,?,?,?)", row)
            case Kev():
                self._newest = max(self._newest, fact.date_added)
                run("INSERT OR REPLACE INTO kev VALUES(?,?)", (fact.vulnerability, self._encode(fact)))
            case Exploit():
                row2 = (fact.vulnerability, fact.source, self._encode(fact))
                run("INSERT OR REPLACE INTO exploit VALUES(?,?,?)", row2)
            case WeaknessName():
                run("INSERT OR REPLACE INTO weakness VALUES(?,?)", (fact.id, fact.name))
            case Nickname():
                run("INSERT OR REPLACE INTO nickname VALUES(?,?)", (fact.vulnerability, fact.name))
            case _:
                assert_never(fact)


def _scored(vector: Cvss) -> Cvss:
    """A vector with its base score, so that no scan has to work it out."""
    if vector.score is not None:
        return vector
    return msgspec.structs.replace(vector, score=base_score(vector.vector))


def problems_of(path: Path) -> list[Problem]:
    """What a part's document said that could not be read."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        rows = connection.execute("SELECT path, reason, count FROM problem").fetchall()
    finally:
        connection.close()
    return [Problem(path=path, reason=reason, count=count) for path, reason, count in rows]
