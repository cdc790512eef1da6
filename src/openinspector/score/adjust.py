"""A CVSS score that knows where the resource stands, by the environmental metrics that CVSS has for it.

One metric is set, Modified Attack Vector, in CVSS 3.0, 3.1 and 4.0: to Adjacent where the internet can't get to the
resource, to Local where nobody can. Only *unreachable* lowers; what is uncertain counts as open. A score never rises.
The rules with their reasons and examples are in docs/scoring.md.

Source: CVSS v3.0 and v3.1 specifications, sections 4.2 and 8.3 / 7.3; CVSS v4.0 specification, section 4; CVSS v2.0
guide, section 2.3.
"""

from functools import lru_cache
from typing import Final, NamedTuple

from msgspec.structs import replace

from openinspector.model.environment import Adjusted, Environment, MetricChange
from openinspector.model.finding import Observation, PackageVulnerability, Severity
from openinspector.score.environment import FROM, judge
from openinspector.score.severity import band, base_score, version_of

_LONGEST: Final = 512  # characters; every metric of CVSS 4.0 with its longest value comes to some 200
_LONGEST_REASON: Final = 1000

_REMOTENESS: Final = "PLAN"  # values of Attack Vector, the most remote last
_TEMPORAL: Final = frozenset({"E", "RL", "RC"})  # of CVSS 3.x; no part of a base score
_WEIGHTS: Final = {"CR": "Confidentiality Requirement", "IR": "Integrity Requirement", "AR": "Availability Requirement"}
_NEUTRAL: Final = {"3.0": "M", "3.1": "M", "4.0": "H"}  # the weight that counts as if none were given
_NAMES: Final = {
    "MAV": "Attack Vector",
    "MAC": "Attack Complexity",
    "MAT": "Attack Requirements",
    "MPR": "Privileges Required",
    "MUI": "User Interaction",
    "MS": "Scope",
    "MC": "Confidentiality",
    "MI": "Integrity",
    "MA": "Availability",
    "MVC": "Vulnerable System Confidentiality",
    "MVI": "Vulnerable System Integrity",
    "MVA": "Vulnerable System Availability",
    "MSC": "Subsequent System Confidentiality",
    "MSI": "Subsequent System Integrity",
    "MSA": "Subsequent System Availability",
}
_ENVIRONMENTAL: Final = frozenset({*_WEIGHTS, *_NAMES})
_SEVERITY: Final[dict[str, Severity]] = {
    "critical": "CRITICAL",
    "high": "HIGH",
    "medium": "MEDIUM",
    "low": "LOW",
    "negligible": "INFORMATIONAL",
}
_OWN: Final = " (openinspector's own adjustment: Inspector adjusts scores of EC2 instances only)"

_Metrics = dict[str, str]


class _Limit(NamedTuple):
    """The most remote attacker that can still get there, a value of Attack Vector, and why."""

    vector: str
    reason: str


def adjust(vector: str, environment: Environment) -> Adjusted:
    """A publisher's vector as it counts in an environment.

    Give it the vector as published: of what it returned for another environment it can't tell which metrics it set.
    """
    score = _base_score(vector) if len(vector) <= _LONGEST else None
    if score is None:
        return Adjusted(vector=vector, score=None, note="the vector can't be read, so nothing was adjusted")

    def unchanged(note: str) -> Adjusted:
        return Adjusted(vector=vector, score=score, note=note)

    version = version_of(vector)
    if version == "2.0":
        return unchanged("CVSS 2.0 has no metric for who can get to a system, so nothing was adjusted")
    metrics = _metrics(vector)
    published = metrics["AV"]
    if published in "LP":
        return unchanged("the flaw is not attacked over a network, so exposure makes no difference")
    limit = _limit(metrics, environment)
    target = min(published, limit.vector, key=_REMOTENESS.index)
    stated = metrics.get("MAV", "X")
    counts = stated if stated != "X" else target
    if target == published:
        return unchanged(limit.reason)
    if _REMOTENESS.index(counts) >= _REMOTENESS.index(published):
        return unchanged(f"the vector itself says how it is attacked where it is used (MAV:{stated}), and that stays")
    reason = limit.reason if counts == target else f"the vector has it already, and {limit.reason}"
    extension = environment.kind != "instance"
    reason = reason[:_LONGEST_REASON] + (_OWN if extension else "")
    adjusted, lowered = _environmental(vector, counts)
    if lowered >= score:
        return unchanged("it can't be attacked from as far as published, but by CVSS's formula that scores no lower")
    changes = (
        MetricChange(metric=_NAMES["MAV"], modified="MAV", before=published, after=counts, reason=reason),
        *_kept(_metrics(adjusted), version),
    )
    return Adjusted(vector=adjusted, score=lowered, changes=changes, extension=extension)


def in_environment(observation: Observation, environment: Environment, *, severity_follows: bool) -> Observation:
    """An observation of a package's flaw with the score it has in an environment.

    `severity_follows` says that the severity came from the band of the base score, and so comes from the new one; a
    distribution's own word stays. So does a score that a publisher printed no higher than what comes out here.

    Raises:
        ValueError: the observation is adjusted already.
    """
    if not isinstance(observation.details, PackageVulnerability) or observation.score is None:
        return observation
    if observation.adjustments:  # the severity and the score before that are not in it
        raise ValueError(f"{observation.key} is adjusted already: adjust the observation as the scan made it")
    adjusted = adjust(observation.vector, environment)
    if adjusted.score is None or not adjusted.changes or adjusted.score >= observation.score:
        return observation
    severity = _SEVERITY[band(adjusted.score)] if severity_follows else observation.severity
    return replace(
        observation,
        score=adjusted.score,
        vector=adjusted.vector,
        adjustments=adjusted.adjustments,
        severity=severity,
    )


def attacked_over_network(vector: str) -> bool | None:
    """Whether the flaw is attacked from a network, by its base metrics; None for a vector that can't be read."""
    if len(vector) > _LONGEST or _base_score(vector) is None:
        return None
    access = vector.partition("AV:")[2][:1] if version_of(vector) == "2.0" else _metrics(vector)["AV"]
    return access in "AN"


def _limit(metrics: _Metrics, environment: Environment) -> _Limit:
    if environment.runs is not True:
        state = "does not run" if environment.runs is False else "is not known to run"
        return _Limit("N", f"it {state}, so where it stands says nothing yet")
    zones = {zone: judge(environment, zone) for zone in FROM}
    internet = zones["internet"]
    if internet.verdict != "unreachable":
        open_ = "can" if internet.verdict == "reachable" else "may"
        return _Limit("N", f"the internet {open_} get to it" + _because(internet.reason))
    way_out = environment.internet_access
    enticed = any(metrics.get(each, "N") not in "NX" for each in ("UI", "MUI"))
    if enticed and way_out != "unreachable":
        out = "gets" if way_out == "reachable" else "may get"
        because = _because(environment.internet_access_reason)
        return _Limit(
            "N", f"the attack needs somebody who comes to it, and the resource {out} to the internet{because}"
        )
    facts = ["it is in a private subnet"] if environment.private_subnet else []
    facts += ["it has no internet access"] if way_out == "unreachable" else []
    inside = [zone for zone, judged in zones.items() if judged.verdict != "unreachable"]  # the internet is not
    if inside or way_out != "unreachable":
        why = _because(internet.reason)
        facts.insert(0, f"no port can be reached from the internet{why}")
        facts += [f"{FROM[zone]} {'can' if zones[zone].verdict == 'reachable' else 'may'} get to it" for zone in inside]
        return _Limit("A", ", ".join(facts))
    why = _because("; ".join(dict.fromkeys(each.reason for each in zones.values() if each.reason)))
    facts.insert(0, f"no port can be reached from anywhere, its own VPC included{why}")
    return _Limit("L", ", ".join(facts))


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""


def _kept(metrics: _Metrics, version: str) -> tuple[MetricChange, ...]:
    """The environmental metrics that the vector came with and that count as soon as the environmental score does."""
    kept = []
    for code, value in metrics.items():
        if code in _WEIGHTS:
            before, name = _NEUTRAL[version], _WEIGHTS[code]
        elif code in _NAMES and code != "MAV":
            before, name = metrics[code[1:]], _NAMES[code]
        else:
            continue
        if value not in ("X", before):
            reason = "the vector has it already"
            kept.append(MetricChange(metric=name, modified=code, before=before, after=value, reason=reason))
    return tuple(kept)


def _metrics(vector: str) -> _Metrics:
    """The metrics of a vector of CVSS 3 or 4 that was found to be valid."""
    pairs = (each.partition(":") for each in vector.split("/")[1:])
    return {name: value for name, _, value in pairs}


def _base_score(vector: str) -> float | None:
    """The score without environmental metrics. Only in CVSS 4.0 do they have a part in what the library calls base."""
    if version_of(vector) != "4.0" or base_score(vector) is None:
        return base_score(vector)
    return base_score(_joined("4.0", {k: v for k, v in _metrics(vector).items() if k not in _ENVIRONMENTAL}))


def _joined(version: str, metrics: _Metrics) -> str:
    return "/".join((f"CVSS:{version}", *(f"{name}:{value}" for name, value in metrics.items())))


@lru_cache(maxsize=65536)
def _environmental(vector: str, attack_vector: str) -> tuple[str, float]:
    """A valid vector of CVSS 3 or 4 with this Modified Attack Vector in the specification's order, and its score.

    The temporal metrics of CVSS 3.x are left out: they would lower the score for reasons that are not this place.
    """
    from cvss import CVSS3, CVSS4

    version, metrics = version_of(vector), _metrics(vector) | {"MAV": attack_vector}
    if version == "4.0":
        four = CVSS4(_joined(version, metrics))
        return str(four.clean_vector()), float(four.base_score)
    three = CVSS3(_joined(version, {name: value for name, value in metrics.items() if name not in _TEMPORAL}))
    return str(three.clean_vector()), float(three.environmental_score)
