"""What an environment says of a zone as a whole, and how statements about ports and places are put together.

A zone is unreachable only if every TCP and every UDP port is said to be unreachable from it and nothing is said to be
open or doubtful. One open port makes it reachable. Everything else is uncertain.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from openinspector.model.environment import VERDICTS, ZONES, Environment, Exposure, Kind, Verdict, Zone

_FIRST, _LAST = 1, 65535  # nothing listens on port 0
_WITH_PORTS: Final[tuple[Literal["tcp", "udp"], ...]] = ("tcp", "udp")
_MOST_REASONS: Final = 3

FROM: Final[dict[Zone, str]] = {
    "internet": "the internet",
    "connected": "connected networks",
    "neighbours": "its own VPC",
}


class Judgement(NamedTuple):
    """A verdict and why, as a sentence without its full stop; "" where nobody gave a reason."""

    verdict: Verdict
    reason: str


def judge(environment: Environment, zone: Zone) -> Judgement:
    """Whether anything of the resource can be reached from the zone."""
    said = [each for each in environment.exposures if each.zone == zone]
    for verdict in ("reachable", "uncertain"):
        if found := [each for each in said if each.verdict == verdict and not _empty(each)]:
            return Judgement(verdict, _reasons(_worded(each) for each in found))
    closed = [each for each in said if each.verdict == "unreachable"]
    unknown = [protocol for protocol in _WITH_PORTS if _gaps(closed, protocol)]
    if unknown:
        names = " and ".join(protocol.upper() for protocol in unknown)
        return Judgement("uncertain", f"not every {names} port was judged as seen from {FROM[zone]}")
    return Judgement("unreachable", _reasons(each.reason for each in closed))


def rest_closed(found: Iterable[Exposure], zone: Zone, reason: str) -> tuple[Exposure, ...]:
    """What was found as seen from a zone, and every port that nothing was found of as unreachable.

    Only for an answer that is whole: whoever made it looked at every port and had no doubt that isn't in `found`.
    """
    said = tuple(found)
    of_zone = [each for each in said if each.zone == zone]
    return said + tuple(
        Exposure(zone=zone, verdict="unreachable", protocol=protocol, first_port=first, last_port=last, reason=reason)
        for protocol in _WITH_PORTS
        for first, last in _gaps(of_zone, protocol)
    )


def combined(places: Sequence[Environment], kind: Kind, *, whole: bool) -> Environment:
    """The environment of an image or a function that runs in several places: as open as the most open of them.

    `whole` says that there are no other places. Without that, or without any place, nothing is known.
    """
    if not places or not whole:
        return Environment(kind=kind)
    exposures: list[Exposure] = []
    for zone in ZONES:
        verdict, reason = _most_open([judge(each, zone) for each in places])
        exposures += (Exposure(zone=zone, verdict=verdict, protocol=each, reason=reason) for each in _WITH_PORTS)
    access = _most_open([Judgement(each.internet_access, each.internet_access_reason) for each in places])
    private = {each.private_subnet for each in places}
    runs = {each.runs for each in places}
    return Environment(
        kind=kind,
        exposures=tuple(exposures),
        internet_access=access.verdict,
        internet_access_reason=access.reason,
        private_subnet=private.pop() if len(private) == 1 else None,
        runs=runs.pop() if len(runs) == 1 else None,
    )


def _most_open(judgements: Sequence[Judgement]) -> Judgement:
    verdict = max((each.verdict for each in judgements), key=VERDICTS.index)
    return Judgement(verdict, _reasons(each.reason for each in judgements if each.verdict == verdict))


def _gaps(said: Iterable[Exposure], protocol: str) -> list[tuple[int, int]]:
    """The port ranges of a protocol that nothing is said of."""
    gaps, at = [], _FIRST
    spans = ((each.first_port, each.last_port) for each in said if each.protocol == protocol and not _empty(each))
    for first, last in sorted(spans):
        if first > _LAST:
            break
        if first > at:
            gaps.append((at, first - 1))
        at = max(at, last + 1)
    if at <= _LAST:
        gaps.append((at, _LAST))
    return gaps


def _empty(exposure: Exposure) -> bool:
    return exposure.protocol != "other" and exposure.first_port > exposure.last_port


def _worded(exposure: Exposure) -> str:
    if exposure.reason:
        return exposure.reason
    first, last = exposure.first_port, exposure.last_port
    ports = f" {first}" if first == last else "" if last - first >= _LAST - _FIRST else f" {first}-{last}"
    verb = "is open to" if exposure.verdict == "reachable" else "may be open to"
    what = "a protocol without ports" if exposure.protocol == "other" else exposure.protocol.upper() + ports
    return f"{what} {verb} {FROM[exposure.zone]}"


def _reasons(said: Iterable[str]) -> str:
    """The first few different reasons, in their order."""
    different = list(dict.fromkeys(filter(None, said)))
    more = len(different) - _MOST_REASONS
    return "; ".join(different[:_MOST_REASONS]) + (f"; and {more} more" if more > 0 else "")
