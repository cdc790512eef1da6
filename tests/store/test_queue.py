"""The queue of chores: what is due is state, a job only carries it."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

from sqlalchemy import text

from openinspector.store import queue

NOW = datetime(2026, 3, 2, 10, 15, 30, tzinfo=UTC)
EVERY = {"sweep": timedelta(minutes=10), "deliver": timedelta(seconds=5)}


def jobs(database):
    with database.system() as connection:
        rows = connection.execute(
            text("SELECT task_name, queueing_lock, status::text FROM openinspector_queue.procrastinate_jobs ORDER BY 2")
        )
        return [tuple(row) for row in rows]


def test_a_chore_that_is_poked_often_waits_once(database):
    for _ in range(3):
        with database.system() as connection:
            queue.poke(connection, "deliver")
    with database.system() as connection:
        queue.poke(connection, "deliver", lane=1)
    assert jobs(database) == [("deliver", "deliver/0", "todo"), ("deliver", "deliver/1", "todo")]


def test_every_chore_is_due_at_first_and_then_after_its_time(database):
    def due(now):
        with database.system() as connection:
            return set(queue.poke_due(connection, EVERY, now))

    assert due(NOW) == {"sweep", "deliver"}
    assert due(NOW + timedelta(seconds=4)) == set()
    assert due(NOW + timedelta(seconds=5)) == {"deliver"}
    assert due(NOW + timedelta(hours=1)) == {"sweep", "deliver"}


def test_of_workers_that_ask_at_once_one_is_told(database):
    told, barrier = [], Barrier(2)

    def ask():
        barrier.wait()
        with database.system() as connection:
            told.extend(queue.poke_due(connection, EVERY, NOW))

    threads = [Thread(target=ask) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(told) == ["deliver", "sweep"]


def test_the_jobs_of_dead_workers_are_taken_away_and_those_of_live_ones_stay(database):
    with database.system() as connection:
        ids = connection.execute(
            text(
                "INSERT INTO openinspector_queue.procrastinate_workers (last_heartbeat)"
                " VALUES (now() - interval '1 hour'), (now()) RETURNING id"
            )
        ).scalars()
        for worker, name in zip(ids, ("dead", "alive"), strict=True):
            queue.poke(connection, name)
            connection.execute(
                text(
                    "UPDATE openinspector_queue.procrastinate_jobs SET status = 'doing', worker_id = :worker"
                    " WHERE task_name = :name"
                ),
                {"worker": worker, "name": name},
            )
        queue.poke(connection, "waiting")
        assert queue.forget_stalled(connection) == ["dead"]
    assert [(name, status) for name, _, status in jobs(database)] == [("alive", "doing"), ("waiting", "todo")]


def test_runs_are_counted_and_a_failed_one_is_due_sooner(database):
    with database.system() as connection:
        queue.poke_due(connection, EVERY, NOW)
        later = NOW + timedelta(seconds=2)
        queue.record_run(connection, "sweep", NOW, later, 7, "", timedelta(seconds=30))
        queue.record_run(connection, "sweep", NOW, later, 0, "it broke \0", timedelta(seconds=30))
        (state,) = [each for each in queue.chore_states(connection) if each.name == "sweep"]
    assert (state.runs, state.failures, state.done, state.seconds) == (2, 1, 7, 4.0)
    assert state.due_at == later + timedelta(seconds=30)
    assert state.last_error.startswith("it broke")


def test_a_queue_that_lacks_a_migration_gets_it(postgres, template, monkeypatch):
    """What a newer version of the library brings is applied once."""
    from openinspector.store.database import connect_embedded

    postgres.make_database("older_queue", template)
    names = queue._migrations()
    monkeypatch.setattr(queue, "_migrations", lambda: [*names, "99.00.00_01_test.sql"])

    class Folder:
        def __truediv__(self, name):
            return self if name in ("sql", "migrations") else self

        def read_text(self):
            return "CREATE TABLE brought (id int)"

    monkeypatch.setattr(queue, "files", lambda _package: Folder())
    for _ in range(2):
        with connect_embedded(postgres, database="older_queue") as database, database.system() as connection:
            found = connection.execute(text("SELECT to_regclass('openinspector_queue.brought')::text")).scalar_one()
            assert found == "openinspector_queue.brought"
