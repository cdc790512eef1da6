"""Events: what the world is told when something changes."""

from typing import Literal

from msgspec import Struct

from openinspector.model.finding import FindingType, Severity, Status

EventKind = Literal["finding", "scan", "coverage"]


class FindingChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened to a finding, `Opened`, and how it stood then.

    The rest of what is told of it (packages, scores, its resource) is looked up when the event is sent. All but
    `change` may be missing: then it is told as it stands.
    """

    change: str
    type: FindingType | None = None
    key: str = ""
    title: str = ""
    severity: Severity | None = None
    status: Status | None = None
    first_observed_at: str = ""
    last_observed_at: str = ""
    updated_at: str = ""
