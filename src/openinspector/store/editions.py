"""Which records of a feed are older editions of others.

Publishers of whole records serve the same one in an archive, among those changed since, and in every ecosystem's zip.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

_Name = tuple[str, str]  # id and share


def outdated(parts: Sequence[Path]) -> list[list[int]]:
    """Per part, the ids of its advisories that another record of the same name has replaced or withdrawn.

    The one last modified is in force; of several modified at the same time a withdrawal, else the first.
    """
    in_force: dict[_Name, tuple[str, bool, int, int]] = {}  # modified, withdrawn, minus its place, id
    read: list[list[tuple[int, _Name]]] = []
    for place, part in enumerate(parts):
        connection = sqlite3.connect(f"file:{part}?mode=ro", uri=True)
        try:
            rows = connection.execute("SELECT id, name, share, modified, 0 FROM advisory").fetchall()
            ends = connection.execute("SELECT 0, name, share, modified, 1 FROM withdrawn").fetchall()
        finally:
            connection.close()
        read.append([(number, (name, share)) for number, name, share, _, _ in rows])
        for number, name, share, modified, withdrawn in (*rows, *ends):
            edition = (modified, bool(withdrawn), -place, number)
            known = in_force.get((name, share))
            if known is None or edition > known:
                in_force[name, share] = edition
    return [
        [number for number, name in rows if in_force[name][1:] != (False, -place, number)]
        for place, rows in enumerate(read)
    ]
