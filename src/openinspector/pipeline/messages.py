"""Events of the outbox put into words: what a sink is sent.

A finding's event says how the finding stood when it changed (status, severity, times), and what is known now of the
rest (packages, scores, the resource's tags). Where the finding has been forgotten meanwhile, it says what the event
itself holds; where not even its resource is known any more, it can't be told.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, SQLAlchemyError

from openinspector.model.coverage import Coverage, ScanStatus
from openinspector.model.event import FindingChange
from openinspector.model.finding import (
    SEVERITIES,
    Finding,
    Life,
    NetworkReachability,
    Observation,
    PackageVulnerability,
    Severity,
    Status,
)
from openinspector.model.moment import moment_text
from openinspector.model.resource import Resource
from openinspector.publish.contract import Message, SinkSettings
from openinspector.render.inspector2_events import Notice, coverage_event, finding_event, scan_event
from openinspector.store.estate import resources_by_id
from openinspector.store.findings import findings_by_key
from openinspector.store.outbox import Due

_Key = tuple[str, str, UUID]
_IMPLIED: Final[Mapping[str, Status]] = {"Suppressed": "SUPPRESSED", "Unsuppressed": "ACTIVE", "Closed": "CLOSED"}

_Said = Message | str | None  # a message; why there can be none; None for what the sink isn't to have


def put_into_words(connection: Connection, events: Sequence[Due], settings: SinkSettings, source: str) -> list[_Said]:
    """What a sink is sent of each event, in their order."""
    wanted = [_is_wanted(each, settings) for each in events]
    asked = [each for each, is_wanted in zip(events, wanted, strict=True) if is_wanted]
    resources = resources_by_id(connection, {each.resource_id for each in asked if each.resource_id is not None})
    found = _findings(connection, {_key(each) for each in asked if each.finding_id is not None})
    return [
        _say(each, resources, found, settings, source) if is_wanted else None
        for each, is_wanted in zip(events, wanted, strict=True)
    ]


def _is_wanted(event: Due, settings: SinkSettings) -> bool:
    if settings.accounts and event.account not in settings.accounts:
        return False
    return not settings.events or event.kind in settings.events


def _key(event: Due) -> _Key:
    assert event.finding_id is not None
    return event.account, event.region, event.finding_id


def _findings(connection: Connection, keys: Collection[_Key]) -> dict[_Key, tuple[Resource, Finding] | str]:
    """Those that are there; of one that can't be read, why."""
    if not keys:
        return {}
    try:
        with connection.begin_nested():
            return dict(findings_by_key(connection, keys))
    except Exception as error:
        if isinstance(error, SQLAlchemyError) and not isinstance(error, DataError):
            raise  # it is the database that can't be read now; an event that is refused is never sent
        # One finding that can't be read must not keep back the others.
        if len(keys) == 1:
            return {key: f"the finding can't be read: {type(error).__name__}: {error}" for key in keys}
    found: dict[_Key, tuple[Resource, Finding] | str] = {}
    for key in keys:
        found |= _findings(connection, {key})
    return found


def _say(
    event: Due,
    resources: Mapping[int, Resource],
    found: Mapping[_Key, tuple[Resource, Finding] | str],
    settings: SinkSettings,
    source: str,
) -> _Said:
    notice = Notice(id=str(event.id), at=moment_text(event.created_at), source=source)
    resource = resources.get(event.resource_id) if event.resource_id is not None else None
    try:
        match event.kind:
            case "finding":
                return _say_finding(event, notice, resource, found.get(_key(event)), settings)
            case "scan" if resource is not None:
                said = scan_event(notice, resource, msgspec.convert(event.payload, dict[Severity, int]))
                return Message(id=notice.id, kind="scan", event=said, resource=resource)
            case "coverage" if resource is not None:
                said = coverage_event(notice, _coverage(event.payload, resource))
                return Message(id=notice.id, kind="coverage", event=said, resource=resource)
            case "scan" | "coverage":
                return "nothing is known of its resource any more"
            case other:
                return f"this version knows no events of the kind {other!r}"
    except Exception as error:  # noqa: BLE001  one event that makes no sense must not keep back the others
        return f"it can't be put into words: {type(error).__name__}: {error}"


def _say_finding(
    event: Due,
    notice: Notice,
    resource: Resource | None,
    known: tuple[Resource, Finding] | str | None,
    settings: SinkSettings,
) -> _Said:
    if isinstance(known, str):
        return known
    change = msgspec.convert(event.payload or {"change": ""}, FindingChange)
    if known is not None:
        about, finding = known[0], _as_it_stood(known[1], change, notice.at)
    elif resource is None or change.status is None or change.severity is None or change.type is None:
        return "the finding has been forgotten, and the event doesn't hold how it stood"
    else:
        about, finding = resource, _remembered(_key(event), resource, change)
    if finding.life.status == "SUPPRESSED" and change.change == "Updated":
        return None  # what is hidden is told when it is hidden, and no more while it is
    if settings.severities and finding.observation.severity not in settings.severities:
        return None
    return Message(
        id=notice.id,
        kind="finding",
        event=finding_event(notice, about, finding),
        resource=about,
        finding=finding,
    )


def _as_it_stood(known: Finding, change: FindingChange, at: str) -> Finding:
    """A finding as it was after a change at a moment; whatever is told moves `updated_at`."""
    life = replace(
        known.life,
        status=change.status or _IMPLIED.get(change.change, known.life.status),
        first_observed_at=change.first_observed_at or known.life.first_observed_at,
        last_observed_at=change.last_observed_at or known.life.last_observed_at,
        updated_at=change.updated_at or at,
    )
    severity = change.severity or known.observation.severity
    return replace(known, life=life, observation=replace(known.observation, severity=severity))


def _remembered(key: _Key, resource: Resource, change: FindingChange) -> Finding:
    """What the event of a finding that is forgotten holds of it."""
    account, region, number = key
    assert change.status is not None
    assert change.severity in SEVERITIES
    details: PackageVulnerability | NetworkReachability
    if change.type == "NETWORK_REACHABILITY":
        details = _ports(change.key)
    else:
        details = PackageVulnerability(id=change.key, source="", packages=())
    observation = Observation(
        key=change.key, title=change.title, description=change.title, severity=change.severity, details=details
    )
    life = Life(
        status=change.status,
        first_observed_at=change.first_observed_at,
        last_observed_at=change.last_observed_at,
        updated_at=change.updated_at,
    )
    arn = f"arn:{resource.partition}:inspector2:{region}:{account}:finding/{number.hex}"
    return Finding(arn=arn, observation=observation, life=life)


def _ports(key: str) -> NetworkReachability:
    """What the key of an open path says, `igw-01/TCP/eni-01/22-22`."""
    *_, protocol, _, ports = key.split("/")
    first, _, last = ports.partition("-")
    told: Any = {"first_port": int(first), "last_port": int(last), "protocol": protocol}
    return NetworkReachability(**told, path=())


class _Told(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The payload of an event about coverage."""

    scan_type: Any
    status_code: Any
    reason: Any


def _coverage(payload: Any, resource: Resource) -> Coverage:
    told = msgspec.convert(payload, _Told)
    return Coverage(
        resource=resource,
        scan_type=told.scan_type,
        status=ScanStatus(code=told.status_code, reason=told.reason),
    )
