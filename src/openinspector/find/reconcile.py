"""What an evaluation of a resource changes: the known findings and what was seen, in; changes, out.

Nothing is mentioned that stays as it is: seeing the same things again is no change, and moves no time. Of the times,
`updated_at` moves with every change, `last_observed_at` when something new was observed (not when a finding is hidden,
shown or closed), `first_observed_at` never.

Only what was looked at completely can be missed: an evaluation names the finding types of which it saw everything, and
closes nothing of other types; there it also takes no package from a finding (see `merge.together`).

A finding that was closed comes back as itself within 7 days; afterwards, or once it is deleted, as a new finding beside
the old one. So one key may have several findings, of which only the latest ever changes.

Source: Inspector's user guide, "Understanding findings" and "Deactivating".
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, assert_never

from msgspec.structs import replace

from openinspector.find import merge
from openinspector.find.attributes import finding_type
from openinspector.find.changes import (
    Change,
    Closed,
    CloseReason,
    Deleted,
    Opened,
    Refreshed,
    Reopened,
    Suppressed,
    Unsuppressed,
    Updated,
)
from openinspector.find.identity import finding_arn
from openinspector.find.suppress import Hiding, Rule, hiding
from openinspector.model.finding import Finding, FindingType, Life, Observation
from openinspector.model.moment import moment_text
from openinspector.model.resource import Resource

REOPENING: Final = timedelta(days=7)  # after it was closed, its last moment included
KEPT: Final = timedelta(days=30)  # after it was closed
KEPT_WITHOUT_RESOURCE: Final = timedelta(days=3)  # after its resource went
KEPT_WHEN_DISABLED: Final = timedelta(hours=24)
KEPT_WHEN_SUSPENDED: Final = timedelta(days=90)

# `excluded` by a tag, `archived` in its registry, `expired` when it is no longer eligible; `disabled` is its scan type
# or the service, `suspended` its account.
State = Literal["running", "stopped", "terminated", "excluded", "archived", "expired", "disabled", "suspended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What one look at a resource saw; `whole` are the finding types of which it saw everything."""

    seen: Sequence[Observation]
    whole: Collection[FindingType]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What else decides.

    `since` is when a disabled or suspended state began. `tags_before` are the resource's tags when its findings were
    last written, None where they are known to be the same. `rules` come from `suppress.rules`; `organization` (`o-…`)
    is the one that the account is in.
    """

    resource: Resource
    now: datetime
    state: State = "running"
    since: datetime | None = None
    tags_before: Mapping[str, str] | None = None
    rules: Sequence[Rule] = ()
    organization: str = ""


def reconcile(known: Iterable[Finding], evaluation: Evaluation | None, facts: Facts) -> list[Change]:
    """What changes about the findings of one resource, ordered by key.

    `evaluation` is None where nobody looked: then only rules, tags, the resource's state and time change anything.

    Raises:
        ValueError: A disabled or suspended state without `since`, or a moment without a time zone.
    """
    now = moment_text(facts.now)
    changes: list[Change] = []
    kept: list[Finding] = []
    for finding in known:
        if finding.life.delete_at and finding.life.delete_at <= now:
            changes.append(Deleted(finding))
        else:
            kept.append(finding)
    match facts.state:
        case "running":
            changes += _looked(kept, evaluation, facts, now)
        case "stopped":
            changes += _looked(kept, None, facts, now)  # scanning pauses, findings stay
        case "terminated" | "excluded" | "archived" | "expired":
            changes += _gone(kept, facts.state, now, moment_text(facts.now + KEPT_WITHOUT_RESOURCE))
        case "disabled":
            changes += _withheld(kept, facts, KEPT_WHEN_DISABLED)
        case "suspended":
            changes += _withheld(kept, facts, KEPT_WHEN_SUSPENDED)
        case _:
            assert_never(facts.state)
    changes.sort(key=lambda each: (each.finding.observation.key, each.finding.life.first_observed_at))
    return changes


def _gone(known: Iterable[Finding], reason: CloseReason, now: str, delete_at: str) -> Iterable[Change]:
    for finding in known:
        if finding.life.status != "CLOSED":
            yield Closed(_closed(finding, now, delete_at), reason)
        elif finding.life.delete_at > delete_at:
            yield Refreshed(_living(finding, replace(finding.life, delete_at=delete_at)))


def _withheld(known: Iterable[Finding], facts: Facts, kept: timedelta) -> Iterable[Change]:
    if facts.since is None:
        raise ValueError(f"a {facts.state} resource needs the moment since when it is so")
    return [Deleted(each) for each in known] if facts.now - facts.since >= kept else []


def _looked(known: Iterable[Finding], evaluation: Evaluation | None, facts: Facts, now: str) -> Iterable[Change]:
    hides = hiding(facts.rules, facts.resource, facts.organization)
    tags = facts.tags_before is not None and facts.tags_before != facts.resource.tags
    whole = frozenset(evaluation.whole) if evaluation else frozenset()
    seen = _by_key(evaluation.seen) if evaluation else {}
    reopening = moment_text(facts.now - REOPENING)
    delete_at = moment_text(facts.now + KEPT)
    for finding in _latest(known):
        observation = seen.pop(finding.observation.key, None)
        if finding.life.status == "CLOSED":
            if observation is None:
                continue
            if finding.life.closed_at < reopening:
                yield _opened(observation, facts.resource, now, hides)
            else:
                yield _reopened(finding, observation, now, hides)
            continue
        if observation is None:
            if finding_type(finding.observation) in whole:
                yield Closed(_closed(finding, now, delete_at), "unseen")
                continue
            observation = finding.observation
        elif finding_type(observation) not in whole:
            observation = merge.together(finding.observation, observation)
        if (change := _continued(finding, observation, ("tags",) if tags else (), now, hides)) is not None:
            yield change
    for observation in seen.values():
        yield _opened(observation, facts.resource, now, hides)


def _latest(known: Iterable[Finding]) -> Iterable[Finding]:
    latest: dict[str, Finding] = {}
    for finding in known:
        other = latest.setdefault(finding.observation.key, finding)
        if other.life.first_observed_at < finding.life.first_observed_at:
            latest[finding.observation.key] = finding
    return latest.values()


def _by_key(seen: Iterable[Observation]) -> dict[str, Observation]:
    """Each key once: what was seen twice is what both say together."""
    by_key: dict[str, Observation] = {}
    for observation in seen:
        key = observation.key
        by_key[key] = merge.together(by_key[key], observation) if key in by_key else observation
    return by_key


def _opened(observation: Observation, resource: Resource, now: str, hides: Hiding) -> Change:
    life = Life(status="ACTIVE", first_observed_at=now, last_observed_at=now, updated_at=now)
    finding = Finding(arn=finding_arn(resource, observation.key, now), observation=observation, life=life)
    return Opened(_shown(finding, hides))


def _reopened(finding: Finding, observation: Observation, now: str, hides: Hiding) -> Change:
    changed = _news(merge.differences(finding.observation, observation))
    first = finding.life.first_observed_at
    life = Life(status="ACTIVE", first_observed_at=first, last_observed_at=now, updated_at=now)
    return Reopened(_shown(Finding(arn=finding.arn, observation=observation, life=life), hides), changed)


def _shown(finding: Finding, hides: Hiding) -> Finding:
    """An active finding as it is shown at first, or hidden."""
    hiding_it = hides(finding)
    if hiding_it is None:
        return finding
    return _living(finding, replace(finding.life, status="SUPPRESSED", suppressed_by=hiding_it.arn))


def _continued(
    finding: Finding, observation: Observation, changed: tuple[str, ...], now: str, hides: Hiding
) -> Change | None:
    """An open finding that stays open, with what is seen of it now."""
    differences = merge.differences(finding.observation, observation)
    changed = (*_news(differences), *changed)
    life = finding.life
    if changed:
        life = replace(life, last_observed_at=now, updated_at=now)
    after = Finding(arn=finding.arn, observation=observation if differences else finding.observation, life=life)
    hiding_it = hides(after)
    if hiding_it is None and life.status == "SUPPRESSED":
        shown = replace(life, status="ACTIVE", updated_at=now, suppressed_by="")
        return Unsuppressed(_living(after, shown), changed)
    if hiding_it is not None and life.status == "ACTIVE":
        hidden = replace(life, status="SUPPRESSED", updated_at=now, suppressed_by=hiding_it.arn)
        return Suppressed(_living(after, hidden), changed)
    by = hiding_it.arn if hiding_it is not None else ""
    if by != life.suppressed_by:  # one filter takes over from another: it stays as hidden as it was
        after = _living(after, replace(life, suppressed_by=by))
    if changed:
        return Updated(after, changed)
    return Refreshed(after) if differences or after.life != life else None


def _news(differences: tuple[str, ...]) -> tuple[str, ...]:
    """EPSS is estimated anew every day for every vulnerability: alone it is no news."""
    return tuple(each for each in differences if each != "epss")


def _closed(finding: Finding, now: str, delete_at: str) -> Finding:
    ended = replace(finding.life, status="CLOSED", updated_at=now, closed_at=now, delete_at=delete_at, suppressed_by="")
    return _living(finding, ended)


def _living(finding: Finding, life: Life) -> Finding:
    return Finding(arn=finding.arn, observation=finding.observation, life=life)
