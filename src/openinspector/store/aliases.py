"""The names of a vulnerability: which are one flaw, and which of them is the canonical one.

Publishers name each other's records as aliases. Names are joined into one flaw as long as no two CVE ids would become
one: a CVE id is what numbering authorities keep apart, so an alias that joins two of them is some publisher's slip.
"""

from collections.abc import Iterable

_PREFERRED = ("CVE-", "GHSA-", "GO-", "RUSTSEC-", "PYSEC-")  # else in alphabetical order


class Aliases:
    """Names joined so far."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def join(self, names: Iterable[str]) -> None:
        """These are names of one flaw."""
        names = sorted(names, key=_rank)
        first = names[0]
        for other in names[1:]:
            one, two = self.canonical(first), self.canonical(other)
            if one == two or (one.startswith("CVE-") and two.startswith("CVE-")):
                continue
            best, rest = sorted((one, two), key=_rank)
            self._parent[rest] = best

    def canonical(self, name: str) -> str:
        """The best name of the flaw that is also called `name`."""
        parent = self._parent
        root = name
        while root in parent:
            root = parent[root]
        while name != root:
            parent[name], name = root, parent[name]
        return root

    def items(self) -> Iterable[tuple[str, str]]:
        """Every name that is not canonical, with the one that is."""
        return [(name, self.canonical(name)) for name in list(self._parent)]


def _rank(name: str) -> tuple[int, str]:
    for at, prefix in enumerate(_PREFERRED):
        if name.startswith(prefix):
            return at, name
    return len(_PREFERRED), name
