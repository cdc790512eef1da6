"""Where the symbolic links on the way to package databases lead, within a tree and never out of it."""

import posixpath
from collections.abc import Callable, Iterator, Mapping

from openinspector.catalog.selector import Selector
from openinspector.model.problem import Problem

_FOLLOWED_AT_MOST = 40  # as Linux does


def resolve(path: str, links: Mapping[str, str]) -> str | None:
    """Where a path leads inside the tree (`..` at its root stays there); None for links without end."""
    for _ in range(_FOLLOWED_AT_MOST):
        link = _first_link(path, links)
        if link is None:
            return path
        target = links[link]
        base = "/" if target.startswith("/") else "/" + posixpath.dirname(link)
        path = posixpath.normpath(posixpath.join(base, target, path[len(link) + 1 :])).lstrip("/")
    return None


def leading_nowhere(selector: Selector, links: Mapping[str, str], was_read: Callable[[str], bool]) -> Iterator[Problem]:
    """A doubt for each link that stands for a package database, or for its folder, and leads to none.

    `was_read` says whether there was a file at a path. Without this, a link in place of a database would be a way to
    have no packages.
    """
    leads: dict[str, bool] = {}
    endless = set()
    for mark in selector.landmarks:
        path = mark.decode()
        first = _first_link(path, links)
        if first is None:
            continue
        real = resolve(path, links)
        if real is None:
            endless.add(first)
        elif first in (path, posixpath.dirname(path)) and any(each.type for each in selector.select(mark)):
            leads[first] = leads.get(first, False) or was_read(real) or (first != path and was_read(path))
    for link in sorted(endless):
        yield Problem(
            path=link, reason="this link leads in a circle: a package database may be behind it", partial=True
        )
    for link, there in leads.items():
        if not there:
            reason = f"a package database should be here, but this is a link to {links[link][:200]}, where none is"
            yield Problem(path=link, reason=reason, partial=True)


def _first_link(path: str, links: Mapping[str, str]) -> str | None:
    """The shortest part of a path that is a link."""
    end = path.find("/")
    while end >= 0:
        if path[:end] in links:
            return path[:end]
        end = path.find("/", end + 1)
    return path if path in links else None
