"""What a running service measures of itself in the database, cheaply enough to be asked every few seconds."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, text

from openinspector.store.queue import QUEUE_SCHEMA, ChoreState, chore_states

MOST_COUNTED: Final = 100_000  # waiting events are counted so far, and no farther


class Gauges(Struct, frozen=True, kw_only=True):
    """One moment of the service.

    `findings` is the planner's estimate of the table's rows, which costs nothing. `waiting_events` is at most
    `MOST_COUNTED`; `oldest_event` is when the first of them was written. `coverage` counts by scan type, status and
    reason, `jobs` by chore and status, `due` are resources that wait to be scanned.
    """

    findings: int
    waiting_events: int
    oldest_event: datetime | None
    coverage: Mapping[tuple[str, str, str], int]
    due: int
    jobs: Mapping[tuple[str, str], int]
    chores: tuple[ChoreState, ...]


def read_gauges(connection: Connection) -> Gauges:
    """The gauges. Of the system."""
    waiting = connection.execute(_WAITING, {"most": MOST_COUNTED}).one()
    return Gauges(
        findings=max(0, int(connection.execute(_FINDINGS).scalar_one())),
        waiting_events=waiting.waiting,
        oldest_event=connection.execute(_OLDEST).scalar_one_or_none(),
        coverage={(row.scan_type, row.status, row.reason): row.amount for row in connection.execute(_COVERAGE)},
        due=connection.execute(_DUE).scalar_one(),
        jobs={(row.task_name, row.status): row.amount for row in connection.execute(_JOBS)},
        chores=tuple(chore_states(connection)),
    )


_FINDINGS: Final = text("SELECT reltuples FROM pg_class WHERE oid = 'openinspector.finding'::regclass")
_WAITING: Final = text(
    "SELECT count(*) AS waiting FROM (SELECT FROM event WHERE sent_at IS NULL ORDER BY sequence LIMIT :most) AS waiting"
)
_OLDEST: Final = text("SELECT created_at FROM event WHERE sent_at IS NULL ORDER BY sequence LIMIT 1")
_COVERAGE: Final = text(
    "SELECT scan_type, status, reason, count(*) AS amount FROM coverage GROUP BY scan_type, status, reason"
)
_DUE: Final = text("SELECT count(*) FROM coverage WHERE due_at IS NOT NULL")
_JOBS: Final = text(
    f"SELECT task_name, status::text AS status, count(*) AS amount FROM {QUEUE_SCHEMA}.procrastinate_jobs"  # noqa: S608
    " GROUP BY task_name, status"
)
