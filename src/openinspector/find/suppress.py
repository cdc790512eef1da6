"""Which filter hides a finding.

A filter hides by what was observed, not by what hiding does to the finding: while it is asked, an open finding is
ACTIVE, and was updated when it was last observed. Else a rule about active findings would hide one, no longer match it
because it is hidden, show it again, and so on for ever.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from openinspector.find.criteria import Question, question
from openinspector.model.criteria import Filter
from openinspector.model.finding import Finding, PackageVulnerability
from openinspector.model.resource import Resource

Hiding = Callable[[Finding], Filter | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A suppressing filter made ready: it can only hide these vulnerabilities, where it names any."""

    filter: Filter
    question: Question
    vulnerabilities: frozenset[str]


def rules(filters: Iterable[Filter]) -> tuple[Rule, ...]:
    """Those that suppress, the oldest first: the first that matches is the one that hides."""
    suppressing = sorted((each for each in filters if each.action == "SUPPRESS"), key=_age)
    return tuple(Rule(each, question(each.criteria), _named(each)) for each in suppressing)


def _age(each: Filter) -> tuple[str, str]:
    return each.created_at, each.arn


def _named(each: Filter) -> frozenset[str]:
    entries = each.criteria.vulnerability_id
    if any(entry.comparison == "PREFIX" for entry in entries):
        return frozenset()
    return frozenset(entry.value for entry in entries if entry.comparison == "EQUALS")


def hiding(all_rules: Iterable[Rule], resource: Resource, organization: str = "") -> Hiding:
    """What gives the filter that hides an open finding of this resource, None where none does.

    Rules count that the resource's account owns, or the organization (`o-…`, "" for none) that the account is in.
    """
    owners = (resource.account, organization) if organization else (resource.account,)
    anything: list[Rule] = []
    by_vulnerability: dict[str, list[Rule]] = {}  # most rules name the one that they are about: no need to ask others
    for rule in all_rules:
        if rule.filter.owner not in owners or not rule.question.concerns(resource):
            continue
        if not rule.vulnerabilities:
            anything.append(rule)
        for name in rule.vulnerabilities:
            by_vulnerability.setdefault(name, []).append(rule)

    def hides(finding: Finding) -> Filter | None:
        candidates = anything
        details = finding.observation.details
        if isinstance(details, PackageVulnerability) and details.id in by_vulnerability:
            candidates = sorted((*anything, *by_vulnerability[details.id]), key=lambda rule: _age(rule.filter))
        if not candidates:
            return None
        asked = _as_observed(finding)
        for rule in candidates:
            if rule.question.holds(asked):
                return rule.filter
        return None

    return hides


def _as_observed(finding: Finding) -> Finding:
    life = finding.life
    if life.status == "ACTIVE" and life.updated_at == life.last_observed_at:
        return finding
    life = msgspec.structs.replace(life, status="ACTIVE", updated_at=life.last_observed_at)
    return Finding(arn=finding.arn, observation=finding.observation, life=life)


def reason(suppressing: Filter) -> str:
    """Why a finding is hidden, for people: `hidden by the filter "build hosts" of 111122223333: never deployed`."""
    text = f'hidden by the filter "{suppressing.name}" of {suppressing.owner}'
    return f"{text}: {suppressing.reason}" if suppressing.reason else text
