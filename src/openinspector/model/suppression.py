"""Why a finding is hidden, and what a scan was given to hide findings by."""

from typing import Literal

from msgspec import Struct

from openinspector.model.problem import Problem

SuppressionKind = Literal["vex", "ignore"]
GivenKind = Literal["vex", "ignore", "baseline"]


class Suppression(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who hides a finding, and why.

    `vex` is a publisher's word that the flaw is not there (`status` says in which way), `ignore` that its owner accepts
    it until the end of the day `expires` (`2026-12-31`).
    """

    kind: SuppressionKind
    reason: str  # a sentence for people
    status: Literal["", "not_affected", "fixed"] = ""
    justification: str = ""  # a VEX statement's label, as its publisher wrote it
    owner: str = ""  # the statement's author, or the entry's owner
    expires: str = ""
    source: str = ""  # the file

    def __str__(self) -> str:
        """`VEX: not affected, …`, `ignored: … (owner …, until …)`: what a report prints."""
        if self.kind == "vex":
            return f"VEX: {self.reason}"
        return f"ignored: {self.reason} (owner {self.owner}, until {self.expires})"


class Given(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A VEX document, an ignore file or a baseline, and what came of it.

    `matched` entries concern a finding; `unmatched` names the first of those that don't. `hidden` findings are
    suppressed by it; for a baseline, they are known.
    """

    kind: GivenKind
    path: str
    format: str = ""  # of a VEX document
    entries: int = 0
    matched: int = 0
    hidden: int = 0
    unmatched: tuple[str, ...] = ()
    expired: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
