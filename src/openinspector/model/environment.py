"""Where a resource stands: who can get to it, whether it gets out, whether it runs; and a score that knows of it.

What nobody has looked at is `uncertain`, and that is the default of everything here.

Source: CVSS v3.1 specification, section 4.2 (modified base metrics); Inspector's user guide, "Inspector score".
"""

from functools import lru_cache
from typing import Final, Literal

from msgspec import Struct, convert

from openinspector.model.finding import Adjustment, Step

Verdict = Literal["reachable", "uncertain", "unreachable"]
VERDICTS: Final[tuple[Verdict, ...]] = ("unreachable", "uncertain", "reachable")  # most open last

# From where: the internet, also through a load balancer that faces it; networks that are joined to the VPC (peering,
# VPN, transit gateway, Direct Connect) and load balancers that only those can get to; the VPC itself.
Zone = Literal["internet", "connected", "neighbours"]
ZONES: Final[tuple[Zone, ...]] = ("internet", "connected", "neighbours")

Kind = Literal["instance", "image", "function"]


class Exposure(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of some ports as seen from a zone, both ends included, and why.

    `other` is any protocol without ports; it can open a zone, and says nothing of TCP and UDP. `reason` is a clause,
    `the security group sg-01 lets nothing in`; `path` has the components on the way, from outside to inside.
    """

    zone: Zone
    verdict: Verdict
    protocol: Literal["tcp", "udp", "other"]
    first_port: int = 0
    last_port: int = 65535
    reason: str = ""
    path: tuple[Step, ...] = ()


class Environment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a resource is surrounded by.

    Ports that no exposure speaks of are uncertain. `internet_access` says whether it can open connections to the
    internet: over an internet or NAT gateway, a proxy, a transit gateway. `private_subnet` says whether its subnets
    have no route to an internet gateway; it explains, and decides nothing. `runs` is None where that is unknown; an
    image runs where a task or a pod uses it, a function where it was invoked.
    """

    kind: Kind
    exposures: tuple[Exposure, ...] = ()
    internet_access: Verdict = "uncertain"
    internet_access_reason: str = ""
    private_subnet: bool | None = None
    runs: bool | None = None


class Posture(Struct, frozen=True, kw_only=True):
    """An environment in few words, of which a fleet has few different ones: whole zones, and no reasons of one place.

    Its text says it again: `instance unreachable reachable uncertain unreachable private runs`.
    """

    kind: Kind
    internet: Verdict = "uncertain"
    connected: Verdict = "uncertain"
    neighbours: Verdict = "uncertain"
    internet_access: Verdict = "uncertain"
    private_subnet: bool | None = None
    runs: bool | None = None

    @property
    def text(self) -> str:
        """In one line."""
        verdicts = (self.internet, self.connected, self.neighbours, self.internet_access)
        return " ".join((self.kind, *verdicts, _PRIVATE[self.private_subnet], _RUNS[self.runs]))

    @property
    def environment(self) -> Environment:
        """As the rules of scoring ask of it: each zone with every TCP and UDP port."""
        zones: dict[Zone, Verdict] = {
            "internet": self.internet,
            "connected": self.connected,
            "neighbours": self.neighbours,
        }
        return Environment(
            kind=self.kind,
            exposures=tuple(
                Exposure(zone=zone, verdict=verdict, protocol=protocol)
                for zone, verdict in zones.items()
                for protocol in ("tcp", "udp")
            ),
            internet_access=self.internet_access,
            private_subnet=self.private_subnet,
            runs=self.runs,
        )


_PRIVATE: Final = {True: "private", False: "public", None: "-"}
_RUNS: Final = {True: "runs", False: "stopped", None: "-"}
_PRIVATE_TOLD: Final = {word: value for value, word in _PRIVATE.items()}
_RUNS_TOLD: Final = {word: value for value, word in _RUNS.items()}


@lru_cache(maxsize=4096)
def read_posture(text: str) -> Posture | None:
    """What a posture's text says; "" is none.

    Raises:
        ValueError: It is no such text.
    """
    if not text:
        return None
    kind, internet, connected, neighbours, access, private, runs = text.split(" ")
    told = {
        "kind": kind,
        "internet": internet,
        "connected": connected,
        "neighbours": neighbours,
        "internet_access": access,
        "private_subnet": _PRIVATE_TOLD.get(private, ""),
        "runs": _RUNS_TOLD.get(runs, ""),
    }
    return convert(told, Posture)


class MetricChange(Struct, frozen=True, kw_only=True):
    """A metric of a vector that counts with another value here: `Attack Vector`, `MAV`, from `N` to `A`, and why."""

    metric: str
    modified: str  # the environmental metric that says so
    before: str
    after: str
    reason: str


class Adjusted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A vector and its score in an environment.

    `score` is None where the vector can't be read. Without `changes` the vector is the one that was given, the score
    its base score, and `note` says why. `extension` marks a score that Inspector itself would have left as it was.
    """

    vector: str
    score: float | None
    changes: tuple[MetricChange, ...] = ()
    note: str = ""
    extension: bool = False

    @property
    def adjustments(self) -> tuple[Adjustment, ...]:
        """The changes as an observation has them."""
        return tuple(Adjustment(metric=each.metric, reason=each.reason) for each in self.changes)
