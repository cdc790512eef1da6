"""Workers over a real queue: what is due or poked is done, by one at a time, whatever dies meanwhile."""

import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Lock, Thread

import pytest
from sqlalchemy import text

from openinspector.errors import StoreError
from openinspector.pipeline.contract import Chore, Work
from openinspector.pipeline.settings import Settings
from openinspector.pipeline.worker import Worker, chores, poker
from openinspector.store import queue
from openinspector.store.sealing import Sealer

PATIENCE = 60.0  # seconds; nothing here takes more than a second or two


def eventually(claim):
    end = time.monotonic() + PATIENCE
    while not claim():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


@pytest.fixture
def work(database, tmp_path):
    return Work(
        database=database,
        region="us-east-1",
        data=tmp_path,
        settings=Settings(),
        advisories=lambda: pytest.fail("no chore here reads advisories"),
        sealer=Sealer([b"s" * 32]),
        clock=lambda: datetime.now(UTC),
    )


@contextmanager
def working(work, *known, workers=1):
    """Workers that are alive for a while; gives what pokes."""
    by_name = {each.name: each for each in known}
    stop = Event()
    threads = [Thread(target=Worker(stop, work, by_name, lanes=2).run) for _ in range(workers)]
    for each in threads:
        each.start()
    try:
        yield poker(work.database, by_name)
    finally:
        stop.set()
        for each in threads:
            each.join(PATIENCE)
        assert not any(each.is_alive() for each in threads)


def chore(run, name="count", every=timedelta(hours=1), side_by_side=1):
    return Chore(name=name, every=every, run=run, side_by_side=side_by_side)


def state_of(work, name="count"):
    with work.database.system() as connection:
        return {each.name: each for each in queue.chore_states(connection)}.get(name)


def test_a_chore_is_done_when_it_is_due_and_again_after_its_time(work):
    runs = []

    def run(_work):
        runs.append(1)
        return 3

    with working(work, chore(run, every=timedelta(seconds=1))):
        eventually(lambda: len(runs) >= 2)
    assert state_of(work).done == 3 * state_of(work).runs
    assert state_of(work).last_error == ""


def test_a_poked_chore_is_done_soon(work):
    runs = []

    def run(_work):
        runs.append(1)
        return 0

    with working(work, chore(run)) as poke:
        eventually(lambda: len(runs) == 1)
        poke("count")
        eventually(lambda: len(runs) == 2)


def test_a_chore_is_done_by_one_worker_at_a_time_and_one_that_may_by_several(work):
    lock, now, most = Lock(), {"one": 0, "many": 0}, {"one": 0, "many": 0}

    def counted(name):
        def run(_work):
            with lock:
                now[name] += 1
                most[name] = max(most[name], now[name])
            time.sleep(0.3)
            with lock:
                now[name] -= 1
            return 1

        return run

    one, many = chore(counted("one"), "one"), chore(counted("many"), "many", side_by_side=3)
    with working(work, one, many, workers=2) as poke:
        for _ in range(12):
            poke("one")
            poke("many")
            time.sleep(0.1)
        eventually(lambda: state_of(work, "one").runs >= 3)
    assert most["one"] == 1
    assert 2 <= most["many"] <= 3


def test_a_chore_that_fails_is_told_of_and_tried_again(work):
    runs = []

    def run(_work):
        runs.append(1)
        if len(runs) == 1:
            raise StoreError("there is no advisory file")
        return 5

    with working(work, chore(run)) as poke:
        eventually(lambda: state_of(work) is not None and state_of(work).failures == 1)
        failed = state_of(work)
        assert failed.last_error == "there is no advisory file"
        assert failed.due_at <= datetime.now(UTC) + timedelta(seconds=30)
        poke("count")
        eventually(lambda: state_of(work).done == 5)
    assert state_of(work).last_error == ""


def test_a_running_chore_is_asked_to_leave_off(work):
    begun, left = Event(), Event()

    def run(work):
        begun.set()
        while not work.stopping():
            time.sleep(0.01)
        left.set()
        return 1

    with working(work, chore(run)):
        assert begun.wait(PATIENCE)
    assert left.is_set()
    assert state_of(work).runs == 1


def test_the_job_of_a_worker_that_died_does_not_hold_up_its_chore(work):
    with work.database.system() as connection:
        queue.poke(connection, "count")
        connection.execute(text("UPDATE openinspector_queue.procrastinate_jobs SET status = 'doing', worker_id = NULL"))
        connection.execute(text("INSERT INTO chore (name, due_at) VALUES ('count', now() + interval '1 hour')"))
    runs = []

    def run(_work):
        runs.append(1)
        return 1

    with working(work, chore(run)):
        eventually(lambda: runs)


def test_a_worker_outlives_the_loss_of_its_connections(work):
    runs = []

    def run(_work):
        runs.append(1)
        return 0

    with working(work, chore(run, every=timedelta(seconds=1))):
        eventually(lambda: runs)
        with work.database.system() as connection:
            ended = connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND usename = current_user"
                    " AND pid <> pg_backend_pid()"
                )
            ).all()
        assert ended
        before = len(runs)
        eventually(lambda: len(runs) >= before + 2)


def test_whoever_pokes_fails_in_no_case(work):
    poke = poker(work.database, {"count": chore(lambda _work: 0)})
    poke("count")
    work.database.close()
    poke("count")


def test_every_chore_of_the_service_is_found_by_its_name():
    found = chores()
    assert "sweep" in found
    assert all(name == each.name and each.every > timedelta(0) for name, each in found.items())
