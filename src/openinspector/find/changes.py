"""What an evaluation changes about a finding. Each change holds the finding as it is afterwards."""

from dataclasses import dataclass
from typing import Literal

from openinspector.model.finding import Finding

# `unseen`: a whole evaluation doesn't see it any more (updated, closed, withdrawn); else what became of its resource.
CloseReason = Literal["unseen", "terminated", "excluded", "archived", "expired"]


@dataclass(frozen=True, slots=True)
class Opened:
    """It is new; its status says whether a filter hides it from the first moment on."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class Updated:
    """It is still there, and something about it changed: see `merge.differences` for the words, and `tags`."""

    finding: Finding
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """It must be written, but is no news and no time of it moves: another EPSS value or filter, an earlier deletion."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A filter hides it from now on; `changed` is what else is new about it."""

    finding: Finding
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsuppressed:
    """No filter hides it any more; `changed` is what else is new about it."""

    finding: Finding
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Closed:
    """It is no longer so; `life.delete_at` says when it will be forgotten."""

    finding: Finding
    reason: CloseReason


@dataclass(frozen=True, slots=True)
class Reopened:
    """It came back in time; `changed` is what is new about it since it was closed."""

    finding: Finding
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deleted:
    """It is forgotten; this is the last that was known of it."""

    finding: Finding


Change = Opened | Updated | Refreshed | Suppressed | Unsuppressed | Closed | Reopened | Deleted
