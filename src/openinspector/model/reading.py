"""The network of an account as it was read: what follows from it for each of its instances."""

from typing import Literal

from msgspec import Struct

from openinspector.model.finding import NetworkReachability, Severity
from openinspector.model.resource import Resource


class Opening(Struct, frozen=True, kw_only=True):
    """Ports that can be reached, and how bad that is."""

    ports: NetworkReachability
    severity: Severity


class Machine(Struct, frozen=True, kw_only=True):
    """An instance in its network.

    `posture` of the resource says who can get to it. `doubtful` are ports of which nobody can say it, and `doubts` why.
    """

    resource: Resource
    state: Literal["running", "stopped", "terminated"]
    openings: tuple[Opening, ...] = ()
    doubtful: tuple[NetworkReachability, ...] = ()
    doubts: tuple[str, ...] = ()


class Reading(Struct, frozen=True, kw_only=True):
    """All instances of an account in a region; `problems` are what of its network could not be read."""

    account: str
    region: str
    machines: tuple[Machine, ...]
    problems: tuple[str, ...] = ()
