"""The queue of chores: a library's tables (Procrastinate) in a schema apart, and when each chore is due.

What is due is state: `chore.due_at`. A job in the queue only carries it to a worker, so a job that is lost, doubled or
left behind by a worker that died changes nothing: the chore is due again after its time. Jobs are rows that live until
they are done; of one chore (and lane) at most one waits.

The library's schema is its own business: a fresh database gets the newest, an older one the migrations that it lacks,
in their order; `openinspector_history` has their names.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, text

from openinspector.errors import StoreError
from openinspector.store.bulk import clean
from openinspector.store.roles import SYSTEM_ROLE

QUEUE_SCHEMA: Final = "openinspector_queue"
QUEUE: Final = "chores"
STALLED_SECONDS: Final = 30  # without a heartbeat (every 10 s) a worker counts as dead
LONGEST_ERROR: Final = 2000  # characters that are kept of an error

_HISTORY: Final = f"{QUEUE_SCHEMA}.openinspector_history"
_MIGRATION: Final = re.compile(r"\d\d\.\d\d\.\d\d_\d\d_\w+\.sql")


class ChoreState(Struct, frozen=True, kw_only=True):
    """How a chore stands, of all workers together. Times are aware; `seconds` are those spent in all runs."""

    name: str
    due_at: datetime
    runs: int
    failures: int
    done: int
    seconds: float
    last_started_at: datetime | None
    last_ended_at: datetime | None
    last_error: str


def is_current(connection: Connection) -> bool:
    """Whether the queue has all of the library's schema. Of the owner."""
    return set(_migrations()) <= _applied(connection)


def bring_up_to_date(connection: Connection) -> None:
    """Makes the library's tables, or brings them up to date. Of the owner, in the transaction of a migration."""
    applied, known = _applied(connection), _migrations()
    connection.exec_driver_sql(f"SET LOCAL search_path = {QUEUE_SCHEMA}")
    if not applied:
        _run(connection, (files("procrastinate") / "sql" / "schema.sql").read_text())
    for name in known:
        if applied and name not in applied:
            _run(connection, (files("procrastinate") / "sql" / "migrations" / name).read_text())
        connection.execute(
            text(f"INSERT INTO {_HISTORY} (name) VALUES (:name) ON CONFLICT DO NOTHING"),  # noqa: S608  our own name
            {"name": name},
        )
    connection.execution_options(no_parameters=True).exec_driver_sql(_PIN)
    for what in ("TABLES", "SEQUENCES"):
        connection.exec_driver_sql(f"GRANT ALL ON ALL {what} IN SCHEMA {QUEUE_SCHEMA} TO {SYSTEM_ROLE}")
    connection.exec_driver_sql(f"REVOKE ALL ON {_HISTORY} FROM {SYSTEM_ROLE}")
    connection.exec_driver_sql(f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {QUEUE_SCHEMA} FROM PUBLIC")
    connection.exec_driver_sql(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {QUEUE_SCHEMA} TO {SYSTEM_ROLE}")


def poke(connection: Connection, name: str, lane: int = 0) -> None:
    """Has a chore done soon: a job for it waits from the end of this transaction on, if none does already.

    Last in a transaction, or in one of its own: whoever pokes the same one at the same time waits for its end.
    """
    lock = f"{name}/{lane}"
    connection.execute(_POKE, {"queue": QUEUE, "name": name, "lock": lock})


def poke_due(connection: Connection, every: Mapping[str, timedelta], now: datetime) -> Sequence[str]:
    """Has those chores done whose time has come, and says which; each is due again after its time, whatever becomes.

    Of several workers that ask at once one gets an answer.
    """
    names = sorted(every)
    seconds = [every[name].total_seconds() for name in names]
    due = connection.execute(_DUE, {"names": names, "seconds": seconds, "now": now}).scalars().all()
    for name in due:
        poke(connection, name)
    return due


def forget_stalled(connection: Connection) -> list[str]:
    """Takes away the jobs of workers that died, and says of which chores; what they left undone is due still."""
    return list(connection.execute(_STALLED, {"seconds": STALLED_SECONDS}).scalars())


def forget_jobs(connection: Connection, numbers: Sequence[int]) -> None:
    """Takes jobs away that have ended, where they are still there."""
    if numbers:
        connection.execute(_FORGET, {"numbers": list(numbers)})


def record_run(
    connection: Connection, name: str, started: datetime, ended: datetime, done: int, error: str, again: timedelta
) -> None:
    """Writes how a run of a chore went; one that failed is due again after `again` at the latest."""
    values = {"name": name, "started": started, "ended": ended, "done": done, "error": clean(error)[:LONGEST_ERROR]}
    connection.execute(_RAN, {**values, "seconds": (ended - started).total_seconds(), "retry": ended + again})


def chore_states(connection: Connection) -> list[ChoreState]:
    """How every chore stands, by name."""
    rows = connection.execute(text("SELECT * FROM chore ORDER BY name"))
    return [ChoreState(**{name: getattr(row, name) for name in ChoreState.__struct_fields__}) for row in rows]


def _applied(connection: Connection) -> set[str]:
    return set(connection.exec_driver_sql(f"SELECT name FROM {_HISTORY}").scalars())  # noqa: S608  our own name


def _migrations() -> list[str]:
    """The names of the library's migrations, in their order."""
    folder = files("procrastinate") / "sql" / "migrations"
    names = sorted(each.name for each in folder.iterdir() if _MIGRATION.fullmatch(each.name))
    if not names:
        raise StoreError("the queue's library has no migrations where they were expected: reinstall procrastinate")
    return names


def _run(connection: Connection, statements: str) -> None:
    # Without parameters there are no placeholders, and all of the statements go in one message.
    connection.execution_options(no_parameters=True).exec_driver_sql(statements)


def _statement(words: str) -> Any:
    return text(words.replace("{queue}", QUEUE_SCHEMA))


# The library's functions name its tables without their schema, and its triggers run for whoever writes a job.
_PIN: Final = f"""
DO $$
DECLARE
    found regprocedure;
BEGIN
    FOR found IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = '{QUEUE_SCHEMA}'::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = {QUEUE_SCHEMA}, pg_temp', found);
    END LOOP;
END $$
"""  # noqa: S608  our own name
# The index that the conflict is with is partial, and says so.
_POKE: Final = _statement(
    "INSERT INTO {queue}.procrastinate_jobs (queue_name, task_name, lock, queueing_lock)"
    " VALUES (:queue, :name, :lock, :lock) ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING"
)
_DUE: Final = text(
    "INSERT INTO chore AS c (name, due_at)"
    " SELECT name, :now + make_interval(secs => seconds)"
    " FROM unnest(CAST(:names AS text[]), CAST(:seconds AS double precision[])) AS told (name, seconds)"
    " ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at WHERE c.due_at <= :now RETURNING name"
)
_STALLED: Final = _statement(
    "DELETE FROM {queue}.procrastinate_jobs j WHERE status = 'doing' AND NOT EXISTS ("
    "SELECT FROM {queue}.procrastinate_workers w WHERE w.id = j.worker_id"
    " AND w.last_heartbeat > now() - make_interval(secs => :seconds)) RETURNING task_name"
)
_FORGET: Final = _statement("DELETE FROM {queue}.procrastinate_jobs WHERE id = ANY (:numbers)")
_RAN: Final = text(
    "UPDATE chore SET runs = runs + 1, failures = failures + (:error <> '')::int, done = done + :done,"
    " seconds = seconds + :seconds, last_started_at = :started, last_ended_at = :ended, last_error = :error,"
    " due_at = CASE WHEN :error = '' THEN due_at ELSE least(due_at, :retry) END WHERE name = :name"
)
