"""The outbox: what the world is to be told, written in the transaction that made it true.

A finding's event names the finding and is put into words when it is sent; the others carry what they say.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Connection

from openinspector.store.bulk import copy
from openinspector.store.tables import event

Kind = Literal["finding", "scan", "coverage"]


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened to a resource. `payload` is a value of JSON.

    Of a finding it is `{"change": "Opened"}`. Of a first scan it counts findings by severity, `{"HIGH": 2}`; of
    coverage it is `{"scanType", "statusCode", "reason"}`.
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
