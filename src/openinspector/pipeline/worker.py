"""A worker: takes chores from the queue and does them, until it is told to stop.

    Worker(stop, work, chores()).run()

Every second it looks which chores are due; of all workers one is told. A chore that is due or was poked waits in the
queue as a job, and a worker with a free lane takes it: a thread, in which the chore has transactions of its own. Jobs
whose worker has died are taken away, and their chores are poked again.

Told to stop, it takes no more jobs and lets the running ones leave off (`Work.stopping`); killed, it leaves a job
behind that the others take away. Nothing is lost by either: what is to be done is in the database.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.exc import SQLAlchemyError

from openinspector.errors import OpenInspectorError
from openinspector.pipeline.contract import Chore, Work
from openinspector.plugins import discover
from openinspector.store import queue
from openinspector.transport.telemetry import span

if TYPE_CHECKING:
    from openinspector.store.database import Database

LOG: Final = logging.getLogger("openinspector.worker")

LANES: Final = 4  # chores that one worker does at a time
TICK_SECONDS: Final = 1.0
LONGEST_RETRY: Final = timedelta(seconds=30)  # until a chore that failed is due again, at the latest
DRAIN_SECONDS: Final = 60.0  # that running chores have to leave off
_AGAIN_SECONDS: Final = 1.0  # until a worker whose queue was lost asks for it again
_ENDED_SECONDS: Final = 3.0  # until a job that has ended must be gone
_POLL_SECONDS: Final = 5.0  # the queue is looked at even where no notification came


def chores() -> Mapping[str, Chore]:
    """Every chore by its name."""
    from openinspector.pipeline import chores as folder

    return discover(folder)


def poker(database: "Database", known: Mapping[str, Chore]) -> Callable[[str], None]:
    """What has a chore done soon. It never fails: what isn't poked is done when its time comes."""

    def poke(name: str) -> None:
        lane = random.randrange(known[name].side_by_side)
        try:
            with database.system(seconds=10) as connection:
                queue.poke(connection, name, lane)
        except SQLAlchemyError:
            LOG.warning("a chore could not be poked", extra={"request": {"chore": name}})

    return poke


def run_chore(work: Work, chore: Chore) -> None:
    """Does a chore, and writes down how it went. What it raises is told, not raised."""
    started = work.clock()
    done, error = 0, ""
    with span(f"chore {chore.name}") as told:
        try:
            done = chore.run(work)
        except OpenInspectorError as failure:
            error = str(failure)
            LOG.error("chore", extra={"request": {"chore": chore.name, "error": error}})  # noqa: TRY400  it says all
        except Exception as failure:
            error = f"{type(failure).__name__}: {failure}"
            LOG.exception("chore", extra={"request": {"chore": chore.name, "error": error}})
        told(done=done, error=error)
    ended = work.clock()
    if done and not error:
        spent = round((ended - started).total_seconds() * 1000, 3)
        LOG.info("chore", extra={"request": {"chore": chore.name, "done": done, "milliseconds": spent}})
    try:
        with work.database.system(seconds=10) as connection:
            again = min(chore.every, LONGEST_RETRY)
            queue.record_run(connection, chore.name, started, ended, done, error, again)
    except SQLAlchemyError:
        LOG.warning("how a chore went could not be written", extra={"request": {"chore": chore.name}})


class Worker:
    """Does chores until `stop` is set."""

    def __init__(self, stop: Event, work: Work, known: Mapping[str, Chore], lanes: int = LANES) -> None:
        self._stop = stop
        self._known = known
        self._lanes = lanes
        self._work = replace(work, stopping=stop.is_set, poke=poker(work.database, known))
        self._beat = monotonic()
        self._ended: dict[int, float] = {}  # jobs that were done, and when

    @property
    def silent_seconds(self) -> float:
        """How long ago it last looked what is due."""
        return monotonic() - self._beat

    def run(self) -> None:
        """Works; returns when `stop` was set and what was running has left off."""
        asyncio.run(self._run())

    async def _run(self) -> None:
        ticker = asyncio.create_task(self._tick())
        while not self._stop.is_set():
            try:
                await self._take_jobs()
            except Exception:
                # The database went away: whoever asks for it next has it started again, or waits for it.
                LOG.exception("the queue was lost")
                await self._wait(_AGAIN_SECONDS)
        await ticker

    async def _take_jobs(self) -> None:
        """Takes jobs until told to stop, or until the queue is lost."""
        from procrastinate import App, PsycopgConnector

        app = App(connector=PsycopgConnector(**self._work.database.queue_arguments(), min_size=1, max_size=4))
        for each in self._known.values():
            app.task(name=each.name, queue=queue.QUEUE, pass_context=True)(self._job(each))
        async with app.open_async():
            taking = asyncio.create_task(
                app.run_worker_async(
                    queues=[queue.QUEUE],
                    concurrency=self._lanes,
                    install_signal_handlers=False,
                    delete_jobs="always",
                    fetch_job_polling_interval=_POLL_SECONDS,
                    shutdown_graceful_timeout=DRAIN_SECONDS,
                )
            )
            stopped = asyncio.create_task(self._stopped())
            await asyncio.wait((taking, stopped), return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if not taking.done():
                taking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await taking

    def _job(self, chore: Chore) -> Callable[[Any], None]:
        def job(context: Any) -> None:
            if not self._stop.is_set():
                run_chore(self._work, chore)
            self._ended[context.job.id] = monotonic()

        return job

    async def _tick(self) -> None:
        """Looks every second what is due."""
        while not self._stop.is_set():
            try:
                await asyncio.to_thread(self._look)
            except SQLAlchemyError as error:
                LOG.warning("what is due could not be asked", extra={"request": {"error": str(error)[:300]}})
            await self._wait(TICK_SECONDS)

    def _look(self) -> None:
        # The library takes a job away that has ended, if its connection holds; if not, it would hold up the next one.
        ended = [number for number, at in list(self._ended.items()) if monotonic() - at > _ENDED_SECONDS]
        with self._work.database.system(seconds=10) as connection:
            queue.forget_jobs(connection, ended)
            abandoned = queue.forget_stalled(connection)
            every = {each.name: each.every for each in self._known.values()}
            due = queue.poke_due(connection, every, self._work.clock())
            for name in {*abandoned} & self._known.keys():
                queue.poke(connection, name)
            for name in due:
                for lane in range(1, self._known[name].side_by_side):
                    queue.poke(connection, name, lane)
        for number in ended:
            del self._ended[number]
        self._beat = monotonic()

    async def _stopped(self) -> None:
        while not self._stop.is_set():
            await asyncio.sleep(0.1)

    async def _wait(self, seconds: float) -> None:
        """Waits, but not beyond the stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopped(), seconds)


def silence_queue() -> None:
    """What the queue's library tells of each job is told by us already."""
    logging.getLogger("procrastinate").setLevel(logging.ERROR)
