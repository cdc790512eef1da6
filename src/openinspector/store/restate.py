"""A generation whose advisories are still the latest gets new dates, without being compiled again."""

import contextlib
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from openinspector.errors import StoreError
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.compile import FeedState, unwritten

_ITS_OWN = ("format", "digest", "tool_version")


def restate(output: Path, feeds: Sequence[FeedState], meta: dict[str, str]) -> str:
    """Copy a generation with new dates and states, and give its digest; "" where the file holds another generation.

    It is another one if a feed's documents or reader are others, or if another version of this program made it.

    Raises:
        StoreError: The file can't be written.
    """
    if not output.is_file():
        return ""
    try:
        present = AdvisoryFile(output)
    except StoreError:
        return ""
    try:
        had = {feed["name"]: (feed["revision"], feed["digest"]) for feed in present.feeds()}
        kept = {name: present.meta.get(name, "") for name in _ITS_OWN}
    finally:
        present.close()
    same = had == {feed.name: (feed.revision, feed.digest) for feed in feeds} and kept["tool_version"] == meta.get(
        "tool_version"
    )
    if not same:
        return ""
    scratch = output.with_name(f"{output.name}.new")
    try:
        shutil.copyfile(output, scratch)
        connection = sqlite3.connect(scratch)
        with connection:
            connection.executemany(
                "UPDATE feed SET fetched = ?, status = ?, reason = ? WHERE name = ?",
                ((feed.fetched, feed.status, feed.reason, feed.name) for feed in feeds),
            )
            connection.execute(f"DELETE FROM meta WHERE key NOT IN ({','.join('?' * len(_ITS_OWN))})", _ITS_OWN)  # noqa: S608
            connection.executemany("INSERT OR REPLACE INTO meta VALUES(?,?)", {**meta, **kept}.items())
        connection.close()
        scratch.replace(output)
    except (OSError, sqlite3.OperationalError) as error:
        raise unwritten(output, error) from error
    finally:
        with contextlib.suppress(OSError):  # where it could not even be made
            scratch.unlink(missing_ok=True)
    return kept["digest"]
