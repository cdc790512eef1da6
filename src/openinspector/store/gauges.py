"""What a running service measures of itself in the database, cheaply enough to be asked every few seconds."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, text

from openinspector.store.outbox import SinkState, sink_states
from openinspector.store.queue import QUEUE_SCHEMA, ChoreState, chore_states

MOST_COUNTED: Final = 100_000  # waiting events are counted so far, and no farther


class Gauges(Struct, frozen=True, kw_only=True):
    """One moment of the service.

    `findings` is the planner's estimate of the table's rows, which costs nothing. `events` are those that weren't
    handed out to the sinks yet, at most `MOST_COUNTED`. `coverage` counts by scan type, status and reason, `jobs` by
    chore and status, `due` are resources that wait to be scanned.
    """

    findings: int
    events: int
    sinks: tuple[SinkState, ...]
    coverage: Mapping[tuple[str, str, str], int]
    due: int
    jobs: Mapping[tuple[str, str], int]
    chores: tuple[ChoreState, ...]


def read_gauges(connection: Connection) -> Gauges:
    """The gauges. Of the system."""
    return Gauges(
        findings=max(0, int(connection.execute(_FINDINGS).scalar_one())),
        events=connection.execute(_EVENTS, {"most": MOST_COUNTED}).scalar_one(),
        sinks=tuple(sink_states(connection)),
        coverage={(row.scan_type, row.status, row.reason): row.amount for row in connection.execute(_COVERAGE)},
        due=connection.execute(_DUE).scalar_one(),
        jobs={(row.task_name, row.status): row.amount for row in connection.execute(_JOBS)},
        chores=tuple(chore_states(connection)),
    )


_FINDINGS: Final = text("SELECT reltuples FROM pg_class WHERE oid = 'openinspector.finding'::regclass")
_EVENTS: Final = text(
    "SELECT count(*) FROM (SELECT FROM event WHERE handed_at IS NULL ORDER BY sequence LIMIT :most) AS waiting"
)
_COVERAGE: Final = text(
    "SELECT scan_type, status, reason, count(*) AS amount FROM coverage GROUP BY scan_type, status, reason"
)
_DUE: Final = text("SELECT count(*) FROM coverage WHERE due_at IS NOT NULL")
_JOBS: Final = text(
    f"SELECT task_name, status::text AS status, count(*) AS amount FROM {QUEUE_SCHEMA}.procrastinate_jobs"  # noqa: S608
    " GROUP BY task_name, status"
)
