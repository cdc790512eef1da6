"""The way of events out of the outbox, to each sink by itself. Each function belongs in a transaction of the system.

An event is handed out once: a `delivery` is made of it for each sink that is registered then. A sink's deliveries are
in lanes, by resource, and whoever sends those of a lane holds its lease, so they are sent in their order. A delivery
ends when the sink has acknowledged it (the row goes) or will never take it (a dead letter); a worker that dies in
between leaves it as it is, and it is sent again under the same id.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Connection, text

from openinspector.store.holders import new_token

LANES: Final = 16  # of a sink; as many workers can send to it at once
MOST_COUNTED: Final = 100_000  # of what waits or is dead, and no farther

_HANDING_OUT: Final = 0x6F70656E6F757462  # "openoutb"


class Lease(Struct, frozen=True, kw_only=True):
    """A lane that nobody else sends until the lease runs out."""

    sink: str
    lane: int
    token: UUID


class Due(Struct, frozen=True, kw_only=True):
    """An event that a sink has yet to acknowledge, and how often it was tried in vain."""

    sequence: int
    id: UUID
    account: str
    region: str
    kind: str
    resource_id: int | None
    finding_id: UUID | None
    payload: Any
    created_at: datetime
    attempts: int


class SinkState(Struct, frozen=True, kw_only=True):
    """How it goes with a sink. `oldest` is when the first event that waits for it was written.

    `left_out_since` is when a worker last said that its settings name it, where none has for some minutes, though
    workers have been sending since. `waiting` and `dead` are at most `MOST_COUNTED`.
    """

    name: str
    kind: str
    waiting: int
    oldest: datetime | None
    dead: int
    failures: int
    retry_at: datetime | None
    reason: str
    sent_at: datetime | None
    left_out_since: datetime | None


class DeadLetter(Struct, frozen=True, kw_only=True):
    """An event that a sink did not take."""

    sink: str
    id: UUID
    account: str
    kind: str
    created_at: datetime
    dead_at: datetime
    attempts: int
    reason: str


def register(connection: Connection, sinks: Iterable[tuple[str, str]], now: datetime) -> None:
    """Says that these sinks, by name and kind, are there; what is new is handed events from now on."""
    for name, kind in sorted(sinks):
        if connection.execute(_SEE, {"name": name, "kind": kind, "now": now}).scalar_one_or_none():
            connection.execute(_ADD_LANES, {"name": name, "lanes": LANES})


def retire(connection: Connection, unseen_since: datetime) -> list[str]:
    """Forgets the sinks that no worker has named since then, with all that waits for them; their names."""
    gone = [row.name for row in connection.execute(_RETIRE, {"since": unseen_since})]
    for statement in (_DROP_LANES, _DROP_DELIVERIES):
        connection.execute(statement, {"names": gone})
    return gone


def hand_out(connection: Connection, now: datetime, most: int) -> int:
    """Makes deliveries of the oldest events that have none, at most so many; how many events.

    One transaction at a time does so, lest an event be overtaken by a later one of its resource; 0 where another does.
    """
    if not connection.execute(_TRY_LOCK, {"lock": _HANDING_OUT}).scalar_one():
        return 0
    return int(connection.execute(_HAND_OUT, {"now": now, "most": most, "lanes": LANES}).scalar_one())


def claim(connection: Connection, sink: str, now: datetime, seconds: float, holder: int = 0) -> Lease | None:
    """A lane with something to send that nobody has a lease of; None where there is none, or the sink is left alone."""
    token = new_token(holder)
    values = {"sink": sink, "now": now, "token": token, "seconds": seconds}
    lane = connection.execute(_CLAIM, values).scalar_one_or_none()
    return None if lane is None else Lease(sink=sink, lane=lane, token=token)


def renew(connection: Connection, lease: Lease, seconds: float) -> bool:
    """Whether the lease still held; it holds for so long from now on."""
    return connection.execute(_RENEW, {**_values(lease), "seconds": seconds}).rowcount == 1


def release(connection: Connection, lease: Lease) -> None:
    """Gives a lane back."""
    connection.execute(_RELEASE, _values(lease))


def due(connection: Connection, lease: Lease, now: datetime, most: int) -> list[Due]:
    """The next events of a lane in their order, at most so many.

    What is to be tried again later isn't among them, nor what comes behind it and is about the same finding (of
    other events: the same resource).
    """
    rows = connection.execute(_DUE, {"sink": lease.sink, "lane": lease.lane, "now": now, "most": most})
    names = Due.__struct_fields__
    return [Due(**{name: getattr(row, name) for name in names}) for row in rows]


def acknowledge(connection: Connection, sink: str, sequences: Sequence[int]) -> None:
    """The sink has these events, or is not to have them."""
    if sequences:
        connection.execute(_ACKNOWLEDGE, {"sink": sink, "sequences": list(sequences)})


def worked(connection: Connection, sink: str, now: datetime) -> None:
    """The sink took something: it isn't in trouble."""
    connection.execute(_WORKED, {"sink": sink, "now": now})


def put_aside(connection: Connection, sink: str, sequences: Mapping[int, tuple[datetime, str]]) -> None:
    """These events are tried again at a time, for a reason."""
    for sequence, (retry_at, reason) in sorted(sequences.items()):
        values = {"sink": sink, "sequence": sequence, "retry_at": retry_at, "reason": reason}
        connection.execute(_PUT_ASIDE, values)


def bury(connection: Connection, sink: str, sequences: Mapping[int, str], now: datetime) -> None:
    """These events will never be taken: dead letters, each with the reason."""
    for sequence, reason in sorted(sequences.items()):
        connection.execute(_BURY, {"sink": sink, "sequence": sequence, "reason": reason, "now": now})


def give_up(connection: Connection, sink: str, written_before: datetime, now: datetime, most: int) -> int:
    """Buries what a sink in trouble was to have for too long, or didn't take for so long; how many, `most` at most."""
    values = {"sink": sink, "before": written_before, "now": now, "most": most}
    return connection.execute(_GIVE_UP, values).rowcount


def in_trouble(connection: Connection, sink: str, now: datetime, reason: str) -> int:
    """The sink takes nothing; how often that was so in a row. Those who find it out at once count as one."""
    return int(connection.execute(_IN_TROUBLE, {"sink": sink, "now": now, "reason": reason}).scalar_one())


def leave_alone(connection: Connection, sink: str, until: datetime) -> None:
    """Nothing is tried with a sink before then."""
    connection.execute(_LEAVE_ALONE, {"sink": sink, "until": until})


def forget(connection: Connection, handed_before: datetime, dead_before: datetime, most: int) -> int:
    """Deletes events that were handed out before and that nobody waits for, and old dead letters; how many rows."""
    letters = connection.execute(_FORGET_LETTERS, {"before": dead_before, "most": most}).rowcount
    return letters + connection.execute(_FORGET_EVENTS, {"before": handed_before, "most": most}).rowcount


def sink_states(connection: Connection) -> list[SinkState]:
    """How it goes with each sink."""
    names = SinkState.__struct_fields__
    return [
        SinkState(**{name: getattr(row, name) for name in names})
        for row in connection.execute(_STATES, {"most": MOST_COUNTED})
    ]


def dead_letters(connection: Connection, sink: str, most: int) -> list[DeadLetter]:
    """What a sink did not take, the latest first."""
    names = DeadLetter.__struct_fields__
    rows = connection.execute(_LETTERS, {"sink": sink, "most": most})
    return [DeadLetter(**{name: getattr(row, name) for name in names}) for row in rows]


def revive(connection: Connection, sink: str) -> int:
    """Has the dead letters of a sink tried again, and the sink itself at once; how many."""
    connection.execute(_LEAVE_ALONE, {"sink": sink, "until": None})
    return connection.execute(_REVIVE, {"sink": sink}).rowcount


def is_drained(connection: Connection) -> bool:
    """Whether every event has been handed out, and every sink has acknowledged or refused its own."""
    return not connection.execute(_ANY_LEFT).scalar_one()


def _values(lease: Lease) -> dict[str, Any]:
    return {"sink": lease.sink, "lane": lease.lane, "token": lease.token}


# Written only once a minute: each worker says it every few seconds.
_SEE: Final = text(
    "INSERT INTO sink AS s (name, kind, registered_at, seen_at) VALUES (:name, :kind, :now, :now)"
    " ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, seen_at = excluded.seen_at"
    " WHERE s.kind <> excluded.kind OR s.seen_at < excluded.seen_at - interval '1 minute' RETURNING true"
)
_ADD_LANES: Final = text(
    "INSERT INTO sink_lane (sink, lane) SELECT :name, number FROM generate_series(0, :lanes - 1) AS number"
    " ON CONFLICT DO NOTHING"
)
_RETIRE: Final = text("DELETE FROM sink WHERE seen_at < :since RETURNING name")
_DROP_LANES: Final = text("DELETE FROM sink_lane WHERE sink = ANY (:names)")
_DROP_DELIVERIES: Final = text("DELETE FROM delivery WHERE sink = ANY (:names)")
_TRY_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(:lock)")
_HAND_OUT: Final = text(
    "WITH due AS MATERIALIZED (SELECT sequence, coalesce(resource_id, 0) % :lanes AS lane FROM event"
    " WHERE handed_at IS NULL ORDER BY sequence LIMIT :most),"
    " marked AS (UPDATE event e SET handed_at = :now FROM due WHERE e.sequence = due.sequence),"
    " made AS (INSERT INTO delivery (sequence, sink, lane)"
    " SELECT due.sequence, s.name, due.lane FROM due CROSS JOIN sink s ORDER BY 1, 2)"
    " SELECT count(*) FROM due"
)
# Leases go by the database's clock, which all workers share.
_CLAIM: Final = text(
    "UPDATE sink_lane SET lease = :token, leased_until = clock_timestamp() + make_interval(secs => :seconds)"
    " WHERE (sink, lane) = (SELECT l.sink, l.lane FROM sink_lane l JOIN sink s ON s.name = l.sink"
    # One row of each lane: as an EXISTS, all that waits for the sink would be gone through.
    " CROSS JOIN LATERAL (SELECT FROM delivery d WHERE d.sink = l.sink AND d.lane = l.lane AND d.dead_at IS NULL"
    " AND (d.retry_at IS NULL OR d.retry_at <= :now)"
    " AND NOT EXISTS (SELECT FROM delivery h JOIN event f ON f.sequence = h.sequence"
    " JOIN event e ON e.sequence = d.sequence WHERE h.sink = d.sink AND h.lane = d.lane AND h.dead_at IS NULL"
    " AND h.retry_at > :now AND h.sequence < d.sequence"
    " AND (f.finding_id, f.resource_id) IS NOT DISTINCT FROM (e.finding_id, e.resource_id)) LIMIT 1) AS head"
    " WHERE l.sink = :sink AND (l.leased_until IS NULL OR l.leased_until < clock_timestamp())"
    " AND (s.retry_at IS NULL OR s.retry_at <= :now)"
    " ORDER BY random() LIMIT 1 FOR UPDATE OF l SKIP LOCKED) RETURNING lane"
)
_RENEW: Final = text(
    "UPDATE sink_lane SET leased_until = clock_timestamp() + make_interval(secs => :seconds)"
    " WHERE sink = :sink AND lane = :lane AND lease = :token"
)
_RELEASE: Final = text(
    "UPDATE sink_lane SET lease = NULL, leased_until = NULL WHERE sink = :sink AND lane = :lane AND lease = :token"
)
_DUE: Final = text(
    "SELECT e.sequence, e.id, e.account, e.region, e.kind, e.resource_id, e.finding_id, e.payload, e.created_at,"
    " d.attempts FROM delivery d JOIN event e ON e.sequence = d.sequence"
    " WHERE d.sink = :sink AND d.lane = :lane AND d.dead_at IS NULL AND (d.retry_at IS NULL OR d.retry_at <= :now)"
    " AND NOT EXISTS (SELECT FROM delivery h JOIN event f ON f.sequence = h.sequence"
    " WHERE h.sink = d.sink AND h.lane = d.lane AND h.dead_at IS NULL AND h.retry_at > :now"
    " AND h.sequence < d.sequence"
    " AND (f.finding_id, f.resource_id) IS NOT DISTINCT FROM (e.finding_id, e.resource_id))"
    " ORDER BY d.sequence LIMIT :most"
)
_ACKNOWLEDGE: Final = text("DELETE FROM delivery WHERE sink = :sink AND sequence = ANY (:sequences)")
_WORKED: Final = text(
    "UPDATE sink SET sent_at = :now, failures = 0, retry_at = NULL, reason = '' WHERE name = :sink"
    " AND (failures > 0 OR sent_at IS NULL OR sent_at < CAST(:now AS timestamptz) - interval '1 second')"
)
_PUT_ASIDE: Final = text(
    "UPDATE delivery SET attempts = attempts + 1, retry_at = :retry_at, reason = :reason"
    " WHERE sink = :sink AND sequence = :sequence"
)
_BURY: Final = text(
    "UPDATE delivery SET attempts = attempts + 1, retry_at = NULL, dead_at = :now, reason = :reason"
    " WHERE sink = :sink AND sequence = :sequence"
)
_GIVE_UP: Final = text(
    "UPDATE delivery d SET dead_at = :now, retry_at = NULL,"
    " reason = 'given up: ' || CASE WHEN d.reason <> '' THEN d.reason ELSE s.reason END FROM sink s"
    " WHERE s.name = :sink AND d.sink = s.name AND d.sequence IN (SELECT w.sequence FROM delivery w"
    " JOIN event e ON e.sequence = w.sequence WHERE w.sink = s.name AND w.dead_at IS NULL AND e.created_at < :before"
    " AND (s.failures > 0 OR w.attempts > 0) LIMIT :most)"
)
_IN_TROUBLE: Final = text(
    "UPDATE sink SET failures = CASE WHEN retry_at > :now THEN failures ELSE failures + 1 END, reason = :reason"
    " WHERE name = :sink RETURNING failures"
)
_LEAVE_ALONE: Final = text("UPDATE sink SET retry_at = :until WHERE name = :sink")
_FORGET_LETTERS: Final = text(
    "DELETE FROM delivery d USING (SELECT sequence, sink FROM delivery WHERE dead_at < :before LIMIT :most) AS old"
    " WHERE d.sequence = old.sequence AND d.sink = old.sink"
)
_FORGET_EVENTS: Final = text(
    "DELETE FROM event e USING (SELECT sequence FROM event o WHERE handed_at < :before"
    " AND NOT EXISTS (SELECT FROM delivery d WHERE d.sequence = o.sequence) ORDER BY handed_at LIMIT :most) AS old"
    " WHERE e.sequence = old.sequence"
)
_STATES: Final = text(
    "SELECT s.name, s.kind, s.failures, s.retry_at, s.reason, s.sent_at,"
    " (SELECT s.seen_at WHERE s.seen_at < (SELECT max(last_ended_at) FROM chore WHERE name = 'deliver')"
    " - interval '3 minutes') AS left_out_since,"
    " (SELECT count(*) FROM (SELECT FROM delivery d WHERE d.sink = s.name AND d.dead_at IS NULL LIMIT :most) AS w)"
    " AS waiting,"
    " (SELECT min(e.created_at) FROM sink_lane l CROSS JOIN LATERAL (SELECT sequence FROM delivery d"
    " WHERE d.sink = l.sink AND d.lane = l.lane AND d.dead_at IS NULL ORDER BY sequence LIMIT 1) AS head"
    " JOIN event e ON e.sequence = head.sequence WHERE l.sink = s.name) AS oldest,"
    " (SELECT count(*) FROM (SELECT FROM delivery d WHERE d.sink = s.name AND d.dead_at IS NOT NULL LIMIT :most) AS w)"
    " AS dead FROM sink s ORDER BY s.name"
)
_LETTERS: Final = text(
    "SELECT d.sink, e.id, e.account, e.kind, e.created_at, d.dead_at, d.attempts, d.reason FROM delivery d"
    " JOIN event e ON e.sequence = d.sequence WHERE d.sink = :sink AND d.dead_at IS NOT NULL"
    " ORDER BY d.dead_at DESC, d.sequence DESC LIMIT :most"
)
_REVIVE: Final = text(
    "UPDATE delivery SET dead_at = NULL, retry_at = NULL, attempts = 0, reason = ''"
    " WHERE sink = :sink AND dead_at IS NOT NULL"
)
_ANY_LEFT: Final = text(
    "SELECT EXISTS (SELECT FROM event WHERE handed_at IS NULL) OR EXISTS (SELECT FROM delivery WHERE dead_at IS NULL)"
)
