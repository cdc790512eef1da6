"""Which records of a feed are older editions of others.

Publishers of whole records serve the same one in an archive, among those changed since, and in every ecosystem's zip.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path


def outdated(parts: Sequence[Path]) -> list[list[int]]:
    """Per part, the ids of its advisories that another record of the same name has replaced or withdrawn.

    The one last modified is in force; of several modified at the same time a withdrawal, else the first.
    """
    in_force: dict[str, tuple[str, bool, int, int]] = {}  # name → modified, withdrawn, minus its place, id
    read: list[list[tuple[int, str]]] = []
    for place, part in enumerate(parts):
        connection = sqlite3.connect(f"file:{part}?mode=ro", uri=True)
        try:
            rows = connection.execute("SELECT id, name, modified, 0 FROM advisory").fetchall()
            ends = connection.execute("SELECT 0, name, modified, 1 FROM withdrawn").fetchall()
        finally:
            connection.close()
        read.append([(number, name) for number, name, _, _ in rows])
        for number, name, modified, withdrawn in (*rows, *ends):
            edition = (modified, bool(withdrawn), -place, number)
            if name not in in_force or edition > in_force[name]:
                in_force[name] = edition
    return [
        [number for number, name in rows if in_force[name][1:] != (False, -place, number)]
        for place, rows in enumerate(read)
    ]
