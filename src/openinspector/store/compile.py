"""Parts become one generation: an advisory file that is complete or not there."""

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from openinspector.errors import StoreError
from openinspector.model.advisory import describes_flaw
from openinspector.store.aliases import Aliases
from openinspector.store.editions import outdated
from openinspector.store.overrule import overrule
from openinspector.store.schema import ENRICHMENT_TABLES, ENRICHMENTS, FORMAT, TABLES


class FeedState(Struct, frozen=True, kw_only=True):
    """What is known of one feed in a generation.

    `status` is `current`, `previous` (some newest documents could not be read, the previous ones are in force),
    `partial` (of some documents nothing is in force) or `failed` (of none); `reason` says why. `digest` is over its
    documents. `replaces` says that a record replaces an older one of the same id, where else it adds to it.
    """

    name: str
    revision: int
    digest: str
    fetched: str
    status: str = "current"
    reason: str = ""
    parts: tuple[Path, ...] = ()
    replaces: bool = False


def compile_parts(output: Path, feeds: Sequence[FeedState], meta: dict[str, str]) -> str:
    """Write a generation and give its digest (`sha256:…` over the parts that it is made of).

    Raises:
        StoreError: `output` is something else than a file, or can't be written.
    """
    if output.exists() and not output.is_file():
        raise StoreError(f"{output} is not a file: an advisory file can't be put in its place")
    digest = _digest(feeds)
    try:
        _compile(output, feeds, {"format": str(FORMAT), "digest": digest, **meta})
    except (OSError, sqlite3.OperationalError) as error:  # a full disk is SQLite's to tell
        raise unwritten(output, error) from error
    return digest


def unwritten(output: Path, error: OSError | sqlite3.Error) -> StoreError:
    """An advisory file that can't be put in its place, and why."""
    why = error.strerror if isinstance(error, OSError) and error.strerror else error
    return StoreError(f"the advisory file {output} can't be written: {why}")


def _compile(output: Path, feeds: Sequence[FeedState], facts: dict[str, str]) -> None:
    scratch = output.with_name(output.name + ".new")
    output.parent.mkdir(parents=True, exist_ok=True)
    scratch.unlink(missing_ok=True)
    connection = sqlite3.connect(scratch, isolation_level=None)
    try:
        connection.executescript(
            "PRAGMA page_size=8192; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;"
            "PRAGMA temp_store=FILE; PRAGMA cache_size=-200000;"
        )
        connection.executescript(TABLES + ENRICHMENT_TABLES + _STAGING)
        _copy_parts(connection, feeds)
        _name_vulnerabilities(connection)
        overrule(connection)
        connection.executescript(_CLUSTER)
        connection.executemany("INSERT INTO meta VALUES(?,?)", facts.items())
        connection.execute("ANALYZE")
    except BaseException:
        connection.close()
        scratch.unlink(missing_ok=True)
        raise
    connection.close()
    scratch.replace(output)


_STAGING = """
CREATE TEMP TABLE staged(
    package INTEGER, lo BLOB, hi BLOB, advisory INTEGER, introduced TEXT, bound TEXT, flags INTEGER, qualifier INTEGER);
CREATE TEMP TABLE alias_of(advisory INTEGER PRIMARY KEY, aliases TEXT);
CREATE TEMP TABLE outdated(id INTEGER PRIMARY KEY);
"""

_CLUSTER = """
BEGIN;
INSERT INTO affected(package, lo, advisory, part, hi, introduced, bound, flags, qualifier)
    SELECT package, lo, advisory, row_number() OVER (PARTITION BY package, lo, advisory) - 1,
           hi, introduced, bound, flags, qualifier
    FROM (SELECT DISTINCT * FROM staged) ORDER BY package, lo, advisory;
COMMIT;
DROP TABLE staged;
DROP TABLE alias_of;
"""


def _digest(feeds: Sequence[FeedState]) -> str:
    sha = hashlib.sha256(f"format {FORMAT}\n".encode())
    for feed in sorted(feeds, key=lambda each: each.name):
        sha.update(f"{feed.name} {feed.revision} {feed.digest}\n".encode())
    return f"sha256:{sha.hexdigest()}"


def _copy_parts(connection: sqlite3.Connection, feeds: Sequence[FeedState]) -> None:
    base = 0
    for number, feed in enumerate(feeds, 1):
        old = outdated(feed.parts) if feed.replaces else [() for _ in feed.parts]
        totals = [0, 0, 0, 0]
        newest = ""
        for part, ids in zip(feed.parts, old, strict=True):
            connection.execute("ATTACH ? AS part", (str(part),))
            connection.execute("BEGIN")
            connection.execute("DELETE FROM temp.outdated")
            connection.executemany("INSERT INTO temp.outdated VALUES(?)", ((each,) for each in ids))
            for statement in _COPY:
                connection.execute(statement, {"base": base, "feed": number})
            connection.execute("COMMIT")
            counts = connection.execute("SELECT * FROM part.counts").fetchone()
            totals = [total + count for total, count in zip(totals, counts[:4], strict=True)]
            totals[0] -= len(ids)
            newest = max(newest, counts[4])
            base += counts[0]
            connection.execute("DROP TABLE temp.package_of")
            connection.execute("DROP TABLE temp.qualifier_of")
            connection.execute("DETACH part")
        row = (number, feed.name, feed.revision, feed.digest, newest, feed.fetched, *totals, feed.status, feed.reason)
        connection.execute("INSERT INTO feed VALUES(?,?,?,?,?,?,?,?,?,?,?,?)", row)


_COPY = (
    "INSERT OR IGNORE INTO main.package(namespace, name) SELECT namespace, name FROM part.package",
    "CREATE TEMP TABLE package_of AS SELECT p.id AS there, m.id AS here FROM part.package p"
    " JOIN main.package m ON m.namespace = p.namespace AND m.name = p.name ORDER BY p.id",
    "CREATE UNIQUE INDEX temp.package_there ON package_of(there)",
    "INSERT OR IGNORE INTO main.qualifier(state, module, arches, repository, severity, note)"
    " SELECT state, module, arches, repository, severity, note FROM part.qualifier",
    "CREATE TEMP TABLE qualifier_of AS SELECT p.id AS there, m.id AS here FROM part.qualifier p JOIN main.qualifier m"
    " USING (state, module, arches, repository, severity, note)",
    "CREATE UNIQUE INDEX temp.qualifier_there ON qualifier_of(there)",
    "INSERT INTO main.advisory SELECT id + :base, :feed, name, vulnerabilities, record FROM part.advisory"
    " WHERE id NOT IN temp.outdated",
    "INSERT INTO temp.alias_of SELECT id + :base, aliases FROM part.advisory WHERE id NOT IN temp.outdated",
    "INSERT INTO temp.staged SELECT p.here, a.lo, a.hi, a.advisory + :base, a.introduced, a.bound, a.flags, q.here"
    " FROM part.affected a JOIN package_of p ON p.there = a.package JOIN qualifier_of q ON q.there = a.qualifier"
    " WHERE a.advisory NOT IN temp.outdated",
    "INSERT OR IGNORE INTO main.unaffected SELECT p.here, a.advisory + :base, q.here FROM part.unaffected a"
    " JOIN package_of p ON p.there = a.package JOIN qualifier_of q ON q.there = a.qualifier"
    " WHERE a.advisory NOT IN temp.outdated",
    "INSERT OR IGNORE INTO main.rejected SELECT name FROM part.withdrawn WHERE name LIKE 'CVE-%'",
    *(f"INSERT OR REPLACE INTO main.{table} SELECT * FROM part.{table}" for table in ENRICHMENTS),  # noqa: S608  ours
)


def _name_vulnerabilities(connection: sqlite3.Connection) -> None:
    """Give every advisory the canonical names of the flaws that it is about."""
    aliases = Aliases()
    rows = connection.execute(
        "SELECT id, name, vulnerabilities, aliases FROM advisory JOIN temp.alias_of ON advisory = id"
    ).fetchall()
    for _, name, vulnerabilities, others in rows:
        if others and not vulnerabilities:
            aliases.join((name, *others.split(" ")))
        elif vulnerabilities and " " not in vulnerabilities and describes_flaw(name):
            aliases.join((name, vulnerabilities, *others.split()))
    canonical = aliases.canonical
    named = [
        (number, tuple(dict.fromkeys(canonical(each) for each in (about.split(" ") if about else (name,)))))
        for number, name, about, _ in rows
    ]
    connection.execute("BEGIN")
    connection.executemany(
        "UPDATE advisory SET vulnerabilities = ? WHERE id = ?",
        (
            (" ".join(about), number)
            for (number, about), row in zip(named, rows, strict=True)
            if " ".join(about) != row[2]
        ),
    )
    mentions: Iterable[tuple[str, int]] = sorted((each, number) for number, about in named for each in about)
    connection.executemany("INSERT OR IGNORE INTO mention VALUES(?,?)", mentions)
    connection.executemany("INSERT OR REPLACE INTO alias VALUES(?,?)", sorted(aliases.items()))
    connection.execute("COMMIT")
