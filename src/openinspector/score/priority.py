"""What to look at first: an order of findings, kept apart from the score, with the reasons for it.

Two questions make the class: how likely somebody attacks the flaw, and whether they can get to it here. A third moves
it: whether there is something to install. The score has no part in it, so that findings of one class can be sorted by
their scores. The table is in docs/scoring.md.

Source: CISA, BOD 22-01 (known exploited vulnerabilities come first); FIRST, EPSS user guide (probability of being
exploited within 30 days).
"""

from typing import Final, Literal, get_args

from msgspec import Struct

from openinspector.model.enrichment import Epss, Exploit, Kev
from openinspector.model.environment import Environment, Verdict
from openinspector.model.finding import FixAvailable
from openinspector.score.adjust import attacked_over_network
from openinspector.score.environment import Judgement, judge

Class = Literal["critical-now", "urgent", "planned", "routine", "watch"]
CLASSES: Final[tuple[Class, ...]] = get_args(Class)  # most pressing first

_Threat = Literal["exploited", "likely", "possible", "unlikely"]

LIKELY: Final = 0.1  # by EPSS: from here on as good as an exploit that is known
UNLIKELY: Final = 0.01  # below

_OPEN: Final[dict[_Threat, Class]] = {
    "exploited": "critical-now",
    "likely": "urgent",
    "possible": "planned",
    "unlikely": "routine",
}
_MITIGATE: Final = frozenset[Class]({"critical-now", "urgent"})  # where something is to be done even without a fix


class Priority(Struct, frozen=True, kw_only=True):
    """A class, and why: what is known of attacks, of the way to the resource, and of a fix, in this order."""

    name: Class
    reasons: tuple[str, ...]

    @property
    def rank(self) -> int:
        """0 for the most pressing."""
        return CLASSES.index(self.name)


def priority(
    *,
    kev: Kev | None,
    epss: Epss | None,
    exploits: tuple[Exploit, ...],
    exposure: Judgement,
    fix: FixAvailable | None,
) -> Priority:
    """The class of a flaw on a resource. What is not known never makes it less pressing.

    `exposure` is that of this flaw, see `exposure_of`; `fix` is None where nobody knows of one or of none.
    """
    threat, threat_reason = _threat(kev, epss, exploits)
    name = _OPEN[threat]
    if exposure.verdict == "unreachable":
        name = _later(name)
    reasons = [threat_reason, _way(exposure)]
    if fix == "NO":
        if name in _MITIGATE:
            reasons.append("there is no fix: isolate it, or switch off what is attacked")
        else:
            name = _later(name)
            reasons.append("there is no fix to install yet")
    else:
        said = {"YES": "a fix is available", "PARTIAL": "a fix is available for some of the packages"}
        reasons.append(said.get(fix or "", "it is not known whether there is a fix"))
    return Priority(name=name, reasons=tuple(reasons))


def exposure_of(vector: str, environment: Environment) -> Judgement:
    """Whether somebody on the internet can get to a flaw.

    A flaw that is not attacked over a network can't be got to from there, however open the resource is.
    """
    if attacked_over_network(vector) is False:
        return Judgement("unreachable", "it is not attacked over a network")
    found = judge(environment, "internet")
    if found.verdict == "unreachable" and environment.runs is not True:
        return Judgement("uncertain", "it is not known to run")
    if found.verdict == "unreachable" and environment.internet_access != "unreachable" and _needs_somebody(vector):
        return Judgement("uncertain", "the attack needs somebody who comes to it, and that may happen from here")
    return found


def _needs_somebody(vector: str) -> bool:
    return any(metric.lstrip("M") in ("UI:R", "UI:P", "UI:A") for metric in vector.split("/"))


def _threat(kev: Kev | None, epss: Epss | None, exploits: tuple[Exploit, ...]) -> tuple[_Threat, str]:
    if kev is not None:
        used = ", by ransomware too" if kev.ransomware else ""
        return "exploited", f"CISA knows that it is exploited{used} (listed {kev.date_added})"
    chance = "" if epss is None else f"EPSS {epss.score:.1%} within 30 days"
    if exploits:
        sources = ", ".join(dict.fromkeys(each.source for each in exploits))
        return "likely", f"a public exploit is known ({sources})" + (f"; {chance}" if chance else "")
    if epss is None:
        return "possible", "no exploit is known, and EPSS has no figure"
    threat: _Threat = "likely" if epss.score >= LIKELY else "possible" if epss.score >= UNLIKELY else "unlikely"
    return threat, f"no exploit is known; {chance}"


def _way(exposure: Judgement) -> str:
    verdicts: dict[Verdict, str] = {
        "reachable": "it can be reached from the internet",
        "uncertain": "it may be reachable from the internet",
        "unreachable": "it can't be reached from the internet",
    }
    return verdicts[exposure.verdict] + (f": {exposure.reason}" if exposure.reason else "")


def _later(name: Class) -> Class:
    return CLASSES[min(CLASSES.index(name) + 1, len(CLASSES) - 1)]
