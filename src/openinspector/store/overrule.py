"""Whose word counts where several feeds speak of one distribution.

Debian's tracker, OSV's export of it and the lists of DSAs say the same thing thrice, at different times and with
different care. The family's `authorities` (model/distro.py) put them in an order; a range is overruled where a better
authority says anything about the same flaw, package, module stream and repository: that it is affected, fixed, or not
affected. Only "we are still looking" decides nothing. Overruled ranges stay in the file so that `explain` can show
them. Language ecosystems have no authority: there every publisher's word counts.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from openinspector.model.distro import FAMILIES, SOURCE_NAMES
from openinspector.store.schema import OVERRULED, PARTLY_OVERRULED

_Scope = tuple[str, str, str]  # vulnerability, module stream, repository
# package, rank of the feed, row (0 for what is not affected), advisory, vulnerabilities, qualifier, state, module,
# repository
_Row = tuple[int, int, int, int, str, int, str, str, str]

_MARK = "UPDATE temp.staged SET flags = flags | ? WHERE rowid = ?"
_UNDECIDED = "under_investigation"

_CONTESTED = """
CREATE TEMP TABLE rank(family TEXT, feed INTEGER, rank INTEGER, PRIMARY KEY(family, feed)) WITHOUT ROWID;
CREATE TEMP TABLE family_of(package INTEGER PRIMARY KEY, family TEXT);
INSERT INTO family_of SELECT id, substr(namespace, 1, instr(namespace || ':', ':') - 1) FROM main.package
    WHERE namespace NOT LIKE '%{source}';
INSERT INTO family_of SELECT id, replace(substr(namespace, 1, instr(namespace || ':', ':') - 1), '{source}', '')
    FROM main.package WHERE namespace LIKE '%{source}';
CREATE TEMP TABLE contested AS
    SELECT package, family FROM (
        SELECT DISTINCT package, v.feed FROM temp.staged s JOIN main.advisory v ON v.id = s.advisory
        UNION SELECT DISTINCT package, v.feed FROM main.unaffected u JOIN main.advisory v ON v.id = u.advisory)
    JOIN family_of USING (package)
    WHERE family IN (SELECT family FROM rank)
    GROUP BY package HAVING count(*) > 1;
"""

_STATEMENTS = """
SELECT s.package, r.rank, s.rowid, s.advisory, v.vulnerabilities, s.qualifier, q.state, q.module, q.repository
    FROM temp.contested c JOIN temp.staged s ON s.package = c.package JOIN main.advisory v ON v.id = s.advisory
    JOIN main.qualifier q ON q.id = s.qualifier JOIN rank r ON r.family = c.family AND r.feed = v.feed
UNION ALL
SELECT u.package, r.rank, 0, u.advisory, v.vulnerabilities, u.qualifier, q.state, q.module, q.repository
    FROM temp.contested c JOIN main.unaffected u ON u.package = c.package JOIN main.advisory v ON v.id = u.advisory
    JOIN main.qualifier q ON q.id = u.qualifier JOIN rank r ON r.family = c.family AND r.feed = v.feed
ORDER BY 1
"""


def overrule(connection: sqlite3.Connection) -> None:
    """Mark the staged ranges that a better authority overrules, wholly or in part."""
    feeds = connection.execute("SELECT name, id FROM feed").fetchall()
    script = _CONTESTED.format(source=SOURCE_NAMES).split(";\n")
    connection.execute("BEGIN")
    connection.execute(script[0])
    connection.executemany("INSERT INTO temp.rank VALUES(?,?,?)", _ranks(feeds))
    for statement in script[1:]:
        connection.execute(statement)
    connection.execute("CREATE INDEX temp.staged_package ON staged(package)")
    rows = connection.execute(_STATEMENTS)
    wholly: list[int] = []
    partly: list[int] = []
    parts: list[tuple[int, int, int, str]] = []
    for _, statements in groupby(rows, key=itemgetter(0)):
        for row, lost in _overruled(list(statements)):
            package, _, number, advisory, vulnerabilities, qualifier, *_ = row
            if len(lost) == vulnerabilities.count(" ") + 1:
                wholly.append(number)
            else:
                partly.append(number)
                parts.extend((package, advisory, qualifier, each) for each in lost)
    connection.executemany(_MARK, ((OVERRULED, each) for each in wholly))
    connection.executemany(_MARK, ((PARTLY_OVERRULED, each) for each in partly))
    connection.executemany("INSERT OR IGNORE INTO main.overruled VALUES(?,?,?,?)", parts)
    for table in ("rank", "family_of", "contested"):
        connection.execute(f"DROP TABLE temp.{table}")
    connection.execute("COMMIT")


def _ranks(feeds: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int, int]]:
    for name, number in feeds:
        for family in FAMILIES.values():
            known = name in family.authorities
            yield family.id, number, family.authorities.index(name) if known else len(family.authorities)


def _overruled(rows: list[_Row]) -> Iterator[tuple[_Row, list[str]]]:
    """Of the statements about one package, the ranges that lose, each with the vulnerabilities that it loses."""
    best: dict[_Scope, int] = {}
    for row in rows:
        if row[6] != _UNDECIDED:
            for scope in _scopes(row):
                best[scope] = min(best.get(scope, row[1]), row[1])
    for row in rows:
        lost = [scope[0] for scope in _scopes(row) if best.get(scope, row[1]) < row[1]]
        if lost and row[2]:
            yield row, lost


def _scopes(row: _Row) -> Iterator[_Scope]:
    stream = ":".join(row[7].split(":")[:2])
    for vulnerability in row[4].split(" "):
        yield vulnerability, stream, row[8]
