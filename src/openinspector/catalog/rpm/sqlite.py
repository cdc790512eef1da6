"""SQLite databases that come from somebody else: rpm's (`rpmdb.sqlite`) and dnf's history.

They are opened in memory, and nothing of their schema may run: no view, no trigger, no function, only the tables that
we name. The number of steps, the size of a value and the number of rows are bounded by the size of the file.

What has not been checkpointed lies in the `-wal` file beside. SQLite can't use that in memory, so we put its pages in
place: those of committed transactions, which are the frames up to the last one that carries a database size, and carry
the salts of the log's header. The frames' checksums are not computed (two additions for every eight bytes are slow
here): they would tell apart a log torn by a crash, which the salts nearly always do as well.

Source: https://www.sqlite.org/fileformat2.html
"""

import struct
from collections.abc import Iterator
from typing import Any, Final

from openinspector.errors import CatalogError

MAGIC: Final = b"SQLite format 3\0"
_WAL_MAGICS = (0x377F0682, 0x377F0683)
_STEPS = 10_000  # of SQLite's machine between two looks at the budget


def headers(data: bytes, wal: bytes, damage: list[str]) -> Iterator[bytes]:
    """Every package header of an rpm database; what could not be read is told in `damage`.

    Raises:
        CatalogError: It is not such a database.
    """
    budget = len(data) + len(wal)
    for (blob,) in rows(data, wal, "SELECT blob FROM Packages", ("Packages",), damage):
        if not isinstance(blob, bytes):
            damage.append("a package's record is broken")
            continue
        budget -= len(blob)
        if budget < 0:
            damage.append("the records are larger than the database")
            return
        yield blob


def rows(data: bytes, wal: bytes, query: str, tables: tuple[str, ...], damage: list[str]) -> Iterator[tuple[Any, ...]]:
    """The rows of a query that reads these tables only; an error after the first row is told in `damage`.

    Raises:
        CatalogError: The database can't be opened, or has no such tables.
    """
    import sqlite3
    from contextlib import closing

    image = in_place(data, wal)
    # SQLite takes what is missing of the last page for zeros, without a word.
    if len(image) < _length_said(image):
        damage.append("the database is cut off: it is shorter than it says")
    budget = [100 + 10 * len(image) // _STEPS]

    def look() -> int:
        budget[0] -= 1
        return budget[0] < 0

    def allow(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
        reads = action == sqlite3.SQLITE_READ and first in (*tables, "sqlite_master") and trigger is None
        return sqlite3.SQLITE_OK if reads or action == sqlite3.SQLITE_SELECT else sqlite3.SQLITE_DENY

    started = False
    try:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(len(image), 1_000_000))
            connection.deserialize(image)
            image.clear()
            connection.set_progress_handler(look, _STEPS)
            for pragma in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON", "temp_store=MEMORY"):
                connection.execute(f"PRAGMA {pragma}")
            connection.set_authorizer(allow)
            known = {
                name
                for name, sql in connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
                if isinstance(sql, str) and sql[:13].upper() == "CREATE TABLE "
            }
            if not known.issuperset(tables):
                raise CatalogError(f"SQLite: the database has no table {', '.join(sorted(set(tables) - known))}")
            for row in connection.execute(query):
                started = True
                yield row
    except (sqlite3.Error, sqlite3.Warning, AttributeError, OverflowError) as error:
        if not started:
            raise CatalogError(f"SQLite: the database can't be read: {error}") from error
        damage.append(f"the database is broken: {error}")


def in_place(data: bytes, wal: bytes) -> bytearray:
    """The database with the committed pages of its log in place, and marked as one without a log."""
    image = bytearray(data)
    if len(wal) > 32:
        _put_frames(image, bytes(wal))
    if image[:16] != MAGIC:
        raise CatalogError("SQLite: not a database")
    image[18:20] = b"\x01\x01"  # "written and read through a log" can't be opened in memory
    return image


def _length_said(image: bytearray) -> int:
    """The length that the header tells; 0 where it does not (file format section 1.3.7)."""
    if len(image) < 100 or image[24:28] != image[92:96]:
        return 0
    page_size = int.from_bytes(image[16:18], "big")
    return int.from_bytes(image[28:32], "big") * (65536 if page_size == 1 else page_size)


def _put_frames(image: bytearray, wal: bytes) -> None:
    magic, _, page_size, _, salts = struct.unpack_from(">4I8s", wal)
    if magic not in _WAL_MAGICS or page_size not in (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536):
        return
    frames = []
    committed = 0
    pages = 0
    for at in range(32, len(wal) - 24 - page_size + 1, 24 + page_size):
        number, size, own_salts = struct.unpack_from(">2I8s", wal, at)
        if own_salts != salts or not number:
            break
        frames.append((number, at + 24))
        if size:
            committed, pages = len(frames), size
    # A sound log grows the database by its own pages at most.
    if not committed or pages * page_size > len(image) + len(wal):
        return
    wanted = pages * page_size
    if wanted > len(image):
        image.extend(bytes(wanted - len(image)))
    del image[wanted:]
    for number, at in frames[:committed]:
        if number <= pages:
            image[(number - 1) * page_size : number * page_size] = wal[at : at + page_size]
