"""Runs a fuzz target: a few examples, always the same, in the suite; as many as there is time for in `make fuzz`.

`FUZZ_SECONDS` is the time for all targets together, `FUZZ_EXAMPLES` instead a number of examples for each.
"""

import contextlib
import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

_EXAMPLES = 12
_TARGETS = 150  # about as many as there are; the time is shared out among them
_CPU = 10  # seconds that one example may take
_MEMORY = 1 << 30  # bytes beyond what the process has already
_PAGE = resource.getpagesize()


class Overrun(BaseException):
    """A reader took too long; no reader's `except Exception` gets past it."""


def drive(strategy: SearchStrategy, check: Callable[..., None]) -> None:
    """Call `check` with examples of a strategy."""
    seconds = os.environ.get("FUZZ_SECONDS")
    examples = int(os.environ.get("FUZZ_EXAMPLES", str(_EXAMPLES)))
    if seconds is None:
        _once(strategy, check, examples, None)
        return
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ends = monotonic() + float(seconds) * workers / _TARGETS
    turn = int.from_bytes(os.urandom(4))
    while monotonic() < ends:
        turn += 1
        _once(strategy, check, 50, turn)


def _once(strategy: SearchStrategy, check: Callable[..., None], examples: int, turn: int | None) -> None:
    @settings(
        max_examples=examples,
        derandomize=turn is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(strategy)
    def run(example: object) -> None:
        with bounded():
            check(example)

    if turn is not None:
        run = seed(turn)(run)
    run()


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Limits the processor time and the address space of what is done within."""

    def overrun(*_: object) -> None:
        raise Overrun(f"more than {_CPU} seconds")

    before = signal.signal(signal.SIGVTALRM, overrun)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    has = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE
    resource.setrlimit(resource.RLIMIT_AS, (has + _MEMORY, hard))
    signal.setitimer(signal.ITIMER_VIRTUAL, _CPU)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGVTALRM, before)
