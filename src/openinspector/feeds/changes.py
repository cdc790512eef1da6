"""Lists of what a publisher has changed lately: which documents are newer than an archive of them all.

    "2024/cve-2024-44943.json","2024-08-28T09:39:21+00:00"        CSAF, changes.csv
    2024-08-28T09:39:21.123456Z,GHSA-c429-5p7v-vgjp               OSV, modified_id.csv

Both have the latest first, but not strictly: they are read whole.

Source: https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html (requirement 13),
https://google.github.io/osv.dev/data/
"""

import re
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from openinspector.errors import FeedError

# Names become parts of addresses and of names in an archive, never of a path on the disk.
_CSAF: Final = re.compile(
    r'"?(?P<name>(?:[0-9]{4}/)?[A-Za-z0-9][A-Za-z0-9_.:+-]{0,150}\.json)"?,"?(?P<when>[0-9T:.+Z-]{10,40})"?'
)
_OSV: Final = re.compile(r"(?P<when>[0-9T:.+Z-]{10,40}),(?P<name>[A-Za-z0-9][A-Za-z0-9_.:+-]{0,150})")


class Changes(Struct, frozen=True, kw_only=True):
    """Name of each document that is newer, and when it changed: {"2024/cve-2024-44943.json": "2024-…"}."""

    newer: dict[str, str]
    unread: int  # lines that make no sense


def csaf_changes(data: bytes, path: str, since: datetime) -> Changes:
    """The documents that changed after `since`.

    Raises:
        FeedError: No such list.
    """
    return _changes(data, path, since, _CSAF)


def osv_changes(data: bytes, path: str, since: datetime) -> Changes:
    """The records that changed after `since`, called as they are in an archive (`GHSA-c429-5p7v-vgjp.json`).

    Raises:
        FeedError: No such list.
    """
    found = _changes(data, path, since, _OSV)
    return Changes(newer={f"{name}.json": when for name, when in found.newer.items()}, unread=found.unread)


def _changes(data: bytes, path: str, since: datetime, shape: re.Pattern[str]) -> Changes:
    newer: dict[str, str] = {}
    unread = read = 0
    for line in data.decode("utf-8", "replace").splitlines():
        match = shape.fullmatch(line)
        at = _date(match["when"]) if match else None
        if match is None or at is None:
            unread += bool(line.strip())
            continue
        read += 1
        if at > since and match["when"] > newer.get(match["name"], ""):
            newer[match["name"]] = match["when"]
    if unread > read:
        raise FeedError(f"{path}: is no list of changes")
    return Changes(newer=newer, unread=unread)


def _date(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
