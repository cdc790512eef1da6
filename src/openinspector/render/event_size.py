"""Events and findings that are too large for whom they are sent to, cut down; what was left out is said.

Long lists go first that tell the least: addresses to read on, other names of the flaw; then vectors; then packages from
the last one on, so that those that are told are whole; tags at the very end.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

_Object = dict[str, Any]
Path = tuple[str, ...]


def fitted(
    value: _Object, lists: Sequence[Path], size: Callable[[_Object], int], largest: int
) -> tuple[_Object, list[str]]:
    """A value that isn't larger than that, if it can be had, and the paths of the lists that are shorter in it.

    `lists` are the paths of lists or mappings that may be shortened, in this order; a path goes through the first
    element of a list. The value that was given stays as it is.
    """
    if size(value) <= largest:
        return value, []
    smaller = deepcopy(value)
    told = []
    for path in lists:
        parent = _parent(smaller, path)
        entries = parent.get(path[-1]) if parent is not None else None
        if not entries or parent is None:
            continue
        told.append(".".join(path))
        parent[path[-1]] = entries[:0] if isinstance(entries, list) else {}
        if size(smaller) > largest:
            continue
        if isinstance(entries, list):
            parent[path[-1]] = entries[: _most(entries, parent, path[-1], lambda: size(smaller) <= largest)]
        return smaller, told
    return smaller, told


def _parent(value: Any, path: Path) -> _Object | None:
    for name in path[:-1]:
        if isinstance(value, list):
            value = value[0] if value else None
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, dict) else None


def _most(entries: list[Any], parent: _Object, name: str, fits: Callable[[], bool]) -> int:
    """How many entries from the first one on fit, by halves."""
    low, high = 0, len(entries)
    while low < high:
        middle = (low + high + 1) // 2
        parent[name] = entries[:middle]
        if fits():
            low = middle
        else:
            high = middle - 1
    return low
