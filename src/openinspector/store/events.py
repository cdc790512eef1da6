"""The outbox: what the world is to be told, written in the transaction that made it true.

A finding's event names the finding and is put into words when it is sent, with the state that it had then; the others
carry what they say.

Events of one resource are sent in the order of their `sequence`. That is the order in which things happened because
whoever writes one holds the row of the resource (`estate.enter`) until its transaction ends.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from openinspector.model.event import EventKind as Kind
from openinspector.model.event import FindingChange
from openinspector.model.finding import Finding, NetworkReachability
from openinspector.store.bulk import copy
from openinspector.store.tables import event


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened to a resource. `payload` is a value of JSON.

    Of a finding it is a `FindingChange` (see `payload_of`), of which only `change` must be there. Of a first scan it
    counts findings by severity, `{"HIGH": 2}`; of coverage it is `{"scanType", "statusCode", "reason"}`.
    """

    account: str
    region: str
    kind: Kind
    resource_id: int
    at: datetime
    finding_id: UUID | None = None
    payload: Any = None


def write_events(connection: Connection, events: Iterable[Event]) -> int:
    """Puts events into the outbox, in their order; how many."""
    names = ("account", "region", "kind", "resource_id", "created_at", "finding_id", "payload")
    rows = (
        (each.account, each.region, each.kind, each.resource_id, each.at, each.finding_id, each.payload)
        for each in events
    )
    return copy(connection, event, names, rows)


def payload_of(change: str, finding: Finding) -> Any:
    """What the event of a finding holds: the change (`Opened`), and what of the finding later changes overwrite."""
    observation, life = finding.observation, finding.life
    is_network = isinstance(observation.details, NetworkReachability)
    told = FindingChange(
        change=change,
        type="NETWORK_REACHABILITY" if is_network else "PACKAGE_VULNERABILITY",
        key=observation.key,
        title=observation.title,
        severity=observation.severity,
        status=life.status,
        first_observed_at=life.first_observed_at,
        last_observed_at=life.last_observed_at,
        updated_at=life.updated_at,
    )
    return msgspec.to_builtins(told)
