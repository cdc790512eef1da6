"""What changed between two generations: the names whose packages have to be judged again."""

import sqlite3
from pathlib import Path

from openinspector.model.distro import SOURCE_NAMES
from openinspector.store.advisories import AdvisoryFile

_ROWS = """
    SELECT p.namespace, p.name, a.lo, a.hi, a.introduced, a.bound, a.flags, q.state, q.module, q.arches, q.repository,
           q.severity, q.note, v.name, v.vulnerabilities
    FROM {0}.affected a JOIN {0}.package p ON p.id = a.package JOIN {0}.qualifier q ON q.id = a.qualifier
    JOIN {0}.advisory v ON v.id = a.advisory
"""

_OVERRULED = """
    SELECT p.namespace, p.name, v.name, o.vulnerability, q.state, q.module, q.arches, q.repository
    FROM {0}.overruled o JOIN {0}.package p ON p.id = o.package JOIN {0}.qualifier q ON q.id = o.qualifier
    JOIN {0}.advisory v ON v.id = o.advisory
"""


def diff(older: Path, newer: Path) -> list[tuple[str, str, str]]:
    """The (namespace, name, `source` or `binary`) whose affected ranges differ, sorted.

    Rows are compared by what they say, not by their numbers, so that a generation made anew from the same documents
    differs in nothing.

    Raises:
        StoreError: One of them is no advisory file.
    """
    for path in (older, newer):
        AdvisoryFile(path).close()
    connection = sqlite3.connect(":memory:", uri=True)
    try:
        for name, path in (("older", older), ("newer", newer)):
            connection.execute(f"ATTACH ? AS {name}", (path.resolve().as_uri() + "?mode=ro&immutable=1",))
        rows: set[tuple[str, str]] = set()
        for told in (_ROWS, _OVERRULED):
            before, after = told.format("older"), told.format("newer")
            rows.update(
                connection.execute(
                    f"SELECT DISTINCT namespace, name FROM ({before} EXCEPT {after})"  # noqa: S608  the texts are ours
                    f" UNION SELECT DISTINCT namespace, name FROM ({after} EXCEPT {before})"
                )
            )
    finally:
        connection.close()
    return sorted(
        (namespace.removesuffix(SOURCE_NAMES), name, "source" if namespace.endswith(SOURCE_NAMES) else "binary")
        for namespace, name in rows
    )
