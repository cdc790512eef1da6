"""Events leave the outbox: each to every sink, at least once, under one id, those about one finding in their order.

    deliver(work)      # sends until nothing is left that can be sent now, or half a minute is over

First every new event is handed out to the sinks; then each sink is sent its own, by itself: one that is slow or takes
nothing holds back no other. An event counts as sent once the sink has said so and that is written down; whoever dies
in between has it sent again. Of a sink that takes nothing little is asked, less and less often; an event that it alone
does not take is put aside, with what comes after it about the same finding, and the others go on.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from openinspector.errors import PublishError
from openinspector.pipeline.contract import Work
from openinspector.pipeline.messages import put_into_words
from openinspector.pipeline.sinks import Configured, read_sinks
from openinspector.publish.contract import Later, Message, Outcome, Refused, Sent, Sink
from openinspector.store import outbox
from openinspector.store.outbox import Due, Lease
from openinspector.transport.aws import Endpoint

LOG: Final = logging.getLogger("openinspector.deliver")

RUN_SECONDS: Final = 30.0
LEASE_SECONDS: Final = 90.0  # outlasts each step of what is sent to a sink
_WRITE_SECONDS: Final = 5.0  # that what was acknowledged waits to be written down, at most
_HANDED_AT_ONCE: Final = 5_000
_READ_AT_ONCE: Final = 500
_GIVEN_UP_AT_ONCE: Final = 10_000
_THREADS: Final = 12
_IN_A_ROW: Final = 3  # events that a sink does not take before it counts as one that takes nothing
_FIRST_PAUSE: Final = 5.0  # seconds; doubles
_LONGEST_PAUSE: Final = 900.0
_LONGEST_WISH: Final = 3600.0  # that a sink may ask to be left alone
_UNSEEN: Final = timedelta(days=3)  # until a sink that no worker's settings name is forgotten
_LONGEST_REASON: Final = 500
_FORGOTTEN_AT_ONCE: Final = 5_000


def deliver(work: Work) -> int:
    """Sends what there is to be sent; how many events were acknowledged, counted for each sink.

    Raises:
        UsageError: A sink of the settings makes no sense.
    """
    sinks = read_sinks(work.settings.sinks)
    now = work.clock()
    with work.database.system() as connection:
        outbox.register(connection, ((each.settings.name, each.kind.name) for each in sinks), now)
        for name in outbox.retire(connection, now - _UNSEEN):
            LOG.warning("a sink that no settings name is forgotten", extra={"request": {"sink": name}})
    for each in sinks:
        _give_up(work, each, now)
    return _Run(work, sinks).deliver()


def forget_events(work: Work) -> int:
    """Deletes events that were sent some days ago, and old dead letters; how many."""
    settings, now = work.settings.outbox, work.clock()
    sent, dead = now - timedelta(days=settings.keep_days), now - timedelta(days=settings.keep_dead_days)
    forgotten = 0
    while not work.stopping():
        with work.database.system() as connection:
            count = outbox.forget(connection, sent, dead, _FORGOTTEN_AT_ONCE)
        forgotten += count
        if count < _FORGOTTEN_AT_ONCE:
            break
    return forgotten


def _give_up(work: Work, sink: Configured, now: datetime) -> None:
    before = now - timedelta(hours=sink.settings.give_up_hours)
    with work.database.system() as connection:
        count = outbox.give_up(connection, sink.settings.name, before, now, _GIVEN_UP_AT_ONCE)
    if count:
        LOG.error("events are given up", extra={"request": {"sink": sink.settings.name, "events": count}})


class _Run:
    """One run over all sinks."""

    def __init__(self, work: Work, sinks: Sequence[Configured]) -> None:
        self._work = work
        self._sinks = sinks
        self._ends = monotonic() + RUN_SECONDS
        self._open: dict[str, Sink] = {}

    def deliver(self) -> int:
        """Sends; how many were acknowledged."""
        running: dict[Future[int], str] = {}
        sent = 0
        try:
            with ThreadPoolExecutor(max(_THREADS, len(self._sinks)), "deliver") as pool:
                while True:
                    handed = self._hand_out()
                    for each in self._sinks:
                        busy = Counter(running.values())[each.settings.name]
                        for lease in self._leases(each, busy):
                            running[pool.submit(self._drain, each, self._open[lease.sink], lease)] = lease.sink
                    if not running and handed < _HANDED_AT_ONCE:
                        return sent
                    done, _ = wait(running, 0 if handed == _HANDED_AT_ONCE else 1, FIRST_COMPLETED)
                    for future in done:
                        del running[future]
                        sent += future.result()
        finally:
            for sink in self._open.values():
                sink.close()

    def _is_over(self) -> bool:
        return monotonic() > self._ends or self._work.stopping()

    def _hand_out(self) -> int:
        if self._is_over():
            return 0
        with self._work.database.system() as connection:
            return outbox.hand_out(connection, self._work.clock(), _HANDED_AT_ONCE)

    def _leases(self, sink: Configured, busy: int) -> Iterator[Lease]:
        """Lanes of a sink, as many as may be sent to it at once; it is open then."""
        name = sink.settings.name
        share = max(1, _THREADS // len(self._sinks))
        while not self._is_over() and busy < min(share, self._open[name].at_once if name in self._open else 1):
            with self._work.database.system() as connection:
                lease = outbox.claim(connection, name, self._work.clock(), LEASE_SECONDS, self._work.holder)
            if lease is None:
                return
            if name not in self._open:
                endpoint = Endpoint(region=self._work.region, url=self._work.settings.aws.endpoint_url)
                try:
                    self._open[name] = sink.kind.open(sink.settings, endpoint)
                except PublishError as error:
                    self._trouble(name, error)
                    self._release(lease)
                    return
            busy += 1
            yield lease

    def _drain(self, sink: Configured, opened: Sink, lease: Lease) -> int:
        """Sends what is in a lane; how many events were acknowledged."""
        lane = _Lane(self._work, lease)
        try:
            while not self._is_over():
                with self._work.database.system() as connection:
                    events = outbox.due(connection, lease, self._work.clock(), _READ_AT_ONCE)
                    said = put_into_words(connection, events, sink.settings, sink.source)
                if not events:
                    break
                try:
                    self._send(opened, lane, events, said)
                finally:
                    holds = lane.write_down()
                if not holds:
                    break
        except PublishError as error:
            self._trouble(lease.sink, error)
        finally:
            self._release(lease)
        return lane.acknowledged

    def _send(self, opened: Sink, lane: "_Lane", events: Sequence[Due], said: Sequence[Message | str | None]) -> None:
        """Sends a batch, and notes what became of it.

        Raises:
            PublishError: The sink takes nothing.
        """
        waiting: list[tuple[Due, Message]] = []
        for event, message in zip(events, said, strict=True):
            if message is None:
                lane.unwanted.append(event.sequence)
            elif isinstance(message, str):
                lane.refused[event.sequence] = message
            else:
                waiting.append((event, message))
        in_a_row = 0
        while waiting and not self._is_over():
            chunk, waiting = _chunk(waiting, opened.most, lane.held_back)
            outcomes = _outcomes(opened, [message for _, message in chunk])
            for (event, _), outcome in zip(chunk, outcomes, strict=False):
                lane.note(event, outcome)
                in_a_row = in_a_row + 1 if isinstance(outcome, Later) else 0
                if isinstance(outcome, Later) and in_a_row == _IN_A_ROW:
                    raise PublishError(outcome.reason)
                if self._is_over() or (lane.is_long_unwritten and not lane.write_down()):
                    return

    def _trouble(self, name: str, error: PublishError) -> None:
        """Leaves a sink alone for a while."""
        now = self._work.clock()
        reason = str(error)[:_LONGEST_REASON]
        with self._work.database.system() as connection:
            failures = outbox.in_trouble(connection, name, now, reason)
            seconds = max(_pause(failures - 1), min(error.seconds, _LONGEST_WISH))
            outbox.leave_alone(connection, name, now + timedelta(seconds=seconds))
        told = {"sink": name, "reason": reason, "failures": failures, "seconds": seconds}
        LOG.warning("a sink takes nothing", extra={"request": told})

    def _release(self, lease: Lease) -> None:
        with self._work.database.system() as connection:
            outbox.release(connection, lease)


@dataclass(slots=True)
class _Lane:
    """What became of the events of a lane, as far as it isn't written down."""

    work: Work
    lease: Lease
    sent: list[int] = field(default_factory=list)
    unwanted: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    later: dict[int, tuple[datetime, str]] = field(default_factory=dict)
    held_back: set[tuple[object, object]] = field(default_factory=set)
    acknowledged: int = 0
    written_at: float = field(default_factory=monotonic)

    @property
    def is_long_unwritten(self) -> bool:
        return monotonic() - self.written_at > _WRITE_SECONDS

    def note(self, event: Due, outcome: Outcome) -> None:
        match outcome:
            case Sent():
                self.sent.append(event.sequence)
            case Refused(reason):
                self.refused[event.sequence] = reason[:_LONGEST_REASON]
            case Later(reason):
                retry_at = self.work.clock() + timedelta(seconds=_pause(event.attempts))
                self.later[event.sequence] = (retry_at, reason[:_LONGEST_REASON])
                self.held_back.add(_about(event))

    def write_down(self) -> bool:
        """Writes it down; whether the lane is still ours."""
        sink, now = self.lease.sink, self.work.clock()
        with self.work.database.system() as connection:
            outbox.acknowledge(connection, sink, [*self.sent, *self.unwanted])
            outbox.put_aside(connection, sink, self.later)
            outbox.bury(connection, sink, self.refused, now)
            if self.sent:
                outbox.worked(connection, sink, now)
            holds = outbox.renew(connection, self.lease, LEASE_SECONDS)
        for reason in Counter(self.refused.values()):
            LOG.error("an event is refused", extra={"request": {"sink": sink, "reason": reason}})
        self.acknowledged += len(self.sent)
        self.sent, self.unwanted, self.refused, self.later = [], [], {}, {}
        self.written_at = monotonic()
        return holds


def _outcomes(opened: Sink, messages: Sequence[Message]) -> Iterator[Outcome]:
    try:
        yield from opened.send(messages)
    except PublishError:
        raise
    except Exception as error:
        LOG.exception("a sink failed")
        raise PublishError(f"{type(error).__name__}: {error}") from error


def _chunk(
    waiting: Sequence[tuple[Due, Message]], most: int, held_back: set[tuple[object, object]]
) -> tuple[list[tuple[Due, Message]], list[tuple[Due, Message]]]:
    """The next events that may go together, and the rest; those about what is held back are in neither."""
    chunk: list[tuple[Due, Message]] = []
    about: set[tuple[object, object]] = set()
    for number, (event, message) in enumerate(waiting):
        key = _about(event)
        if key in held_back:
            continue
        if len(chunk) == most or key in about:
            return chunk, list(waiting[number:])
        about.add(key)
        chunk.append((event, message))
    return chunk, []


def _about(event: Due) -> tuple[object, object]:
    """What an event is about: nothing overtakes an earlier event about the same."""
    return event.finding_id, event.resource_id


def _pause(times: int) -> float:
    """Seconds until the next attempt, after so many before this one."""
    return min(_FIRST_PAUSE * float(2 ** min(times, 20)), _LONGEST_PAUSE)
