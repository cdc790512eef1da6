"""What matching asks of an advisory index."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from openinspector.model.advisory import State


class Candidate(NamedTuple):
    """An affected range of an advisory that a version lies in, or may lie in.

    `flags` are those of `store/schema.py`; a range with `unreadable` or `exact` is given whatever the version.
    """

    feed: str
    advisory: str
    vulnerabilities: tuple[str, ...]
    introduced: str
    bound: str
    upper_inclusive: bool
    lower_exclusive: bool
    unreadable: bool
    exact: bool
    state: State
    module: str
    arches: tuple[str, ...]
    repository: str
    severity: str
    note: str


class Index(Protocol):
    """An advisory index. `source` says that names are those of source packages."""

    def has_namespace(self, namespace: str) -> bool:
        """Whether there is any advisory of a namespace: of none, nothing can be said."""
        ...

    def candidates(self, namespace: str, name: str, key: bytes) -> Sequence[Candidate]:
        """The ranges of a package that contain a sort key, and those for which it can't tell."""
        ...

    def all_ranges(self, namespace: str, name: str) -> Sequence[Candidate]:
        """Every range of a package that no better authority overrules."""
        ...
