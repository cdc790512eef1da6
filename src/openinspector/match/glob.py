"""Patterns of names and paths, matched in time that a hostile pattern can't stretch far.

`*` and `?` stay within a segment of a path, `**` as a whole segment is any number of segments.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

LONGEST: Final = 500  # characters of a pattern


def matches(pattern: str, text: str) -> bool:
    """Whether a name has a pattern's shape."""
    return fnmatchcase(text, pattern)


def matches_path(pattern: str, path: str) -> bool:
    """Whether a whole path has a pattern's shape."""
    return _segments(pattern.strip("/").split("/"), path.strip("/").split("/"))


def _segments(pattern: Sequence[str], path: Sequence[str]) -> bool:
    """As for a single star: where it fails behind the last `**`, that one takes a segment more."""
    at = here = 0
    star, resume = -1, 0
    while here < len(path):
        if at < len(pattern) and pattern[at] == "**":
            star, resume = at, here
            at += 1
        elif at < len(pattern) and fnmatchcase(path[here], pattern[at]):
            at, here = at + 1, here + 1
        elif star >= 0:
            resume += 1
            at, here = star + 1, resume
        else:
            return False
    return all(each == "**" for each in pattern[at:])
