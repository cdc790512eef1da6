"""Findings that don't simply follow from new matches: each is evaluated by itself, as a scan would.

Odd is a finding that keeps a package which a partial look has missed, or one that could not be judged; one whose
package nobody can judge any more; one of a resource that nobody looks at; and any whose row isn't what follows from its
matches.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec.structs import replace
from sqlalchemy import Connection

from openinspector.find import merge
from openinspector.find.changes import Change, Closed, Refreshed, Updated
from openinspector.find.reconcile import Evaluation, Facts, reconcile
from openinspector.model.finding import Finding, FindingType, Observation, PackageVulnerability, VulnerablePackage
from openinspector.model.moment import moment_text
from openinspector.model.package import Package
from openinspector.pipeline.rejudge import Rejudge
from openinspector.store.events import Event, payload_of, write_events
from openinspector.store.findings import Known, Written, finding_id, observation_digest, row_of
from openinspector.store.following import Counts, Following, Odd
from openinspector.store.inventories import surroundings
from openinspector.store.matched import Matched, read_matched
from openinspector.store.observation import observation_of
from openinspector.store.rows import FindingRow, store_findings

_PACKAGES: Final[tuple[FindingType, ...]] = ("PACKAGE_VULNERABILITY",)
_Place = tuple[str, str, str, str, str]


def settle_odd(connection: Connection, following: Following, rejudge: Rejudge, now: datetime, counts: Counts) -> None:
    """Writes what becomes of the odd findings, with their events, now that the matches are the new ones."""
    odd = following.odd
    if not odd:
        return
    numbers = {each.inventory_id for each in odd if each.inventory_id is not None}
    around = surroundings(connection, numbers)
    matched = read_matched(
        connection, {(each.inventory_id, each.flaw) for each in odd if each.inventory_id is not None}
    )
    rows: list[FindingRow] = []
    events: list[Event] = []
    for each in odd:
        here = matched.get((each.inventory_id, each.flaw)) if each.inventory_id is not None else None
        namespace, context = around.get(each.inventory_id or 0, ("", ""))
        changes: list[Change] = []
        if each.is_looked_at:
            seen = _seen(each, here, rejudge, namespace, context)
            ready, organization = following.rules_of(each.resource.account, each.resource.region)
            facts = Facts(resource=each.resource, now=now, rules=ready, organization=organization)
            changes = _evaluated(each.known, seen, facts)
        rows += _rows(each, changes, here)
        for change in changes:
            if not isinstance(change, Refreshed):
                name = type(change).__name__
                counts.add(name, 1)
                events.append(_event(each, change, name, now))
    store_findings(connection, rows)
    write_events(connection, events)


def _seen(odd: Odd, matched: Matched | None, rejudge: Rejudge, namespace: str, context: str) -> Observation | None:
    """What is seen of a flaw: the packages that have it now, and of those that are known besides what may still be."""
    seen = None
    if matched is not None:
        layers, findings = matched
        seen = observation_of(findings, odd.resource, layers)
    known = next((each.finding.observation for each in odd.known if each.finding.life.status != "CLOSED"), None)
    if known is None or not isinstance(known.details, PackageVulnerability):
        return seen
    here = _places(seen)
    still: list[VulnerablePackage] = []
    is_doubtful = False
    for package in known.details.packages:
        if _place(package.package) in here:
            continue
        verdict = rejudge.still(odd.flaw, package.package, namespace, context)
        if verdict == "?":
            is_doubtful = True
            still.append(package)
        elif verdict != "":
            still.append(verdict)
    if is_doubtful:  # as where a scan can't judge one: all that was known may still be so
        return merge.together(known, seen) if seen is not None else known
    if not still:
        return seen
    kept = merge.narrowed(known, tuple(still))
    return merge.together(kept, seen) if seen is not None else kept


def _places(observation: Observation | None) -> frozenset[_Place]:
    if observation is None or not isinstance(observation.details, PackageVulnerability):
        return frozenset()
    return frozenset(_place(each.package) for each in observation.details.packages)


def _place(package: Package) -> _Place:
    return package.type, package.name, package.version, package.arch, package.location.path


def _evaluated(known: Iterable[Known], seen: Observation | None, facts: Facts) -> list[Change]:
    """What changes about the findings of one flaw; those whose time has come are left to the sweep."""
    at = moment_text(facts.now)
    alive = [each for each in known if not (each.finding.life.delete_at and each.finding.life.delete_at <= at)]
    looked = Evaluation(seen=[seen] if seen is not None else [], whole=_PACKAGES)
    changes = reconcile([each.finding for each in alive], looked, facts)
    changed = {each.finding.arn for each in changes}
    for each in alive:
        finding = each.finding
        if seen is None or finding.life.status == "CLOSED" or finding.arn in changed:
            continue
        if each.row.digest != observation_digest(seen):  # something else was told of the flaw before
            life = replace(finding.life, last_observed_at=at, updated_at=at)
            changes.append(Updated(Finding(arn=finding.arn, observation=seen, life=life), ("details",)))
    return changes


def _rows(odd: Odd, changes: Iterable[Change], matched: Matched | None) -> Iterable[FindingRow]:
    """What changed, and what stays as it is though it follows from other matches now."""
    before = {each.finding.arn: each for each in odd.known}
    after: dict[str, Written] = {
        arn: Written(finding=each.finding, digest=each.row.digest, close_reason=each.row.close_reason)
        for arn, each in before.items()
        if each.finding.life.status != "CLOSED"
    }
    for change in changes:
        after[change.finding.arn] = Written(
            finding=change.finding,
            digest=observation_digest(change.finding.observation),
            close_reason=change.reason if isinstance(change, Closed) else "",
        )
    return [row_of(odd.resource, odd.resource_id, each, matched) for each in after.values()]


def _event(odd: Odd, change: Change, name: str, now: datetime) -> Event:
    return Event(
        account=odd.resource.account,
        region=odd.resource.region,
        kind="finding",
        resource_id=odd.resource_id,
        at=now,
        finding_id=finding_id(change.finding.arn),
        payload=payload_of(name, change.finding),
    )
