"""What a new generation of advisories says otherwise than the one before, of names and flaws that somebody has.

    changed_names(older, newer, [("debian:12", "curl"), ("debian:12#src", "curl")])

`store/diff.py` lists all names that differ; this asks about some of them only, which a fleet has a fraction of, and
takes a second where that takes many.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from openinspector.model.distro import SOURCE_NAMES
from openinspector.store.advisories import AdvisoryFile

Name = tuple[str, str]  # namespace, with the mark of source names, and the name in it

# Rows are compared by what they say, not by their numbers: a generation made anew numbers everything anew.
_AFFECTED: Final = (
    "SELECT w.number, a.lo, a.hi, a.introduced, a.bound, a.flags, a.qualifier, a.advisory FROM wanted w"
    " CROSS JOIN package p ON p.namespace = w.namespace AND p.name = w.name"
    " CROSS JOIN affected a ON a.package = p.id"
)
_OVERRULED: Final = (
    "SELECT w.number, o.vulnerability, o.qualifier, o.advisory FROM wanted w"
    " CROSS JOIN package p ON p.namespace = w.namespace AND p.name = w.name"
    " CROSS JOIN overruled o ON o.package = p.id"
)
_QUALIFIERS: Final = "SELECT id, state, module, arches, repository, severity, note FROM qualifier"
_ADVISORIES: Final = "SELECT a.id, f.name, a.name, a.vulnerabilities FROM advisory a JOIN feed f ON f.id = a.feed"
_OF_REJECTED: Final = (
    "SELECT DISTINCT p.namespace, p.name FROM wanted w CROSS JOIN mention m ON m.vulnerability = w.name"
    " CROSS JOIN affected a ON a.advisory = m.advisory JOIN package p ON p.id = a.package"
)

# What is said of a flaw, each part with the number of the flaw first.
_SAID: Final = (
    "SELECT w.number, f.name, a.name, a.record FROM wanted w CROSS JOIN mention m ON m.vulnerability = w.name"
    " CROSS JOIN advisory a ON a.id = m.advisory JOIN feed f ON f.id = a.feed",
    "SELECT w.number, 'alias', x.name FROM wanted w CROSS JOIN alias x ON x.canonical = w.name",
    "SELECT w.number, 'other name of', x.canonical FROM wanted w CROSS JOIN alias x ON x.name = w.name",
    "SELECT w.number, 'kev', x.record FROM wanted w CROSS JOIN kev x ON x.vulnerability = w.name",
    "SELECT w.number, 'exploit', x.source, x.record FROM wanted w CROSS JOIN exploit x ON x.vulnerability = w.name",
    "SELECT w.number, 'nickname', x.name FROM wanted w CROSS JOIN nickname x ON x.vulnerability = w.name",
    "SELECT w.number, 'rejected' FROM wanted w CROSS JOIN rejected x ON x.vulnerability = w.name",
)


def changed_names(older: Path, newer: Path, names: Iterable[Name]) -> set[Name]:
    """Those of the names of which other ranges hold, or of whose ranges other flaws count.

    Raises:
        StoreError: One of the files is no advisory file, or is damaged.
    """
    wanted = list(names)
    with _opened(older, wanted) as before, _opened(newer, wanted) as after:
        was, now = _ranges(before), _ranges(after)
        changed = {name for number, name in enumerate(wanted) if was.get(number) != now.get(number)}
        # A flaw that was rejected and no longer is: nothing was matched by it, though its ranges are the same.
        rejected = "SELECT vulnerability FROM rejected"
        back = {name for (name,) in before.execute(rejected)} - {name for (name,) in after.execute(rejected)}
        if back:
            _want(after, [("", name) for name in back])
            changed |= set(wanted) & set(after.execute(_OF_REJECTED))
    return changed


def changed_flaws(older: Path, newer: Path, flaws: Iterable[str]) -> set[str]:
    """Those of the flaws of which something else is said: by an advisory, as an alias, by who knows of exploits.

    EPSS is none of it: it changes every day for all of them.

    Raises:
        StoreError: One of the files is no advisory file, or is damaged.
    """
    wanted = [("", flaw) for flaw in flaws]
    with _opened(older, wanted) as before, _opened(newer, wanted) as after:
        was, now = _summed(before, _SAID), _summed(after, _SAID)
    return {flaw for number, (_, flaw) in enumerate(wanted) if was.get(number) != now.get(number)}


def both_names(namespace: str, name: str, source: str) -> tuple[Name, Name]:
    """The names under which advisories may speak of a package: its own, and its source package's."""
    return (namespace, name), (namespace + SOURCE_NAMES, source or name)


@contextmanager
def _opened(path: Path, wanted: Collection[Name]) -> Iterator[sqlite3.Connection]:
    from openinspector.errors import StoreError

    AdvisoryFile(path).close()  # which sees that it is one, and of our format
    connection = sqlite3.connect(path.resolve().as_uri() + "?mode=ro&immutable=1", uri=True)
    try:
        connection.execute("PRAGMA temp_store=2")
        connection.execute("PRAGMA trusted_schema=0")
        _want(connection, wanted)
        yield connection
    except sqlite3.Error as error:
        raise StoreError(f"{path} can't be compared: {error}") from error
    finally:
        connection.close()


def _want(connection: sqlite3.Connection, names: Collection[Name]) -> None:
    connection.execute("DROP TABLE IF EXISTS temp.wanted")
    connection.execute("CREATE TEMP TABLE wanted(number INTEGER PRIMARY KEY, namespace TEXT, name TEXT)")
    connection.executemany(
        "INSERT INTO wanted VALUES (?, ?, ?)", ((number, *name) for number, name in enumerate(names))
    )


def _ranges(connection: sqlite3.Connection) -> dict[int, int]:
    """What holds of each name, summed up; nothing for one without ranges."""
    qualifiers = {row[0]: hash(row[1:]) for row in connection.execute(_QUALIFIERS)}
    advisories = {row[0]: hash(row[1:]) for row in connection.execute(_ADVISORIES)}
    summed: dict[int, int] = {}
    for query in (_AFFECTED, _OVERRULED):
        for number, *told, qualifier, advisory in connection.execute(query):
            said = hash((query, *told, qualifiers[qualifier], advisories[advisory]))
            summed[number] = summed.get(number, 0) + said
    return summed


def _summed(connection: sqlite3.Connection, queries: Iterable[str]) -> dict[int, int]:
    """The sum of the hashes of each number's rows: the same for the same rows in any order.

    Python's hashes are keyed anew in each process, so nobody can write rows whose sums are alike.
    """
    summed: dict[int, int] = {}
    for query in queries:
        for number, *told in connection.execute(query):
            summed[number] = summed.get(number, 0) + hash(tuple(told))
    return summed
