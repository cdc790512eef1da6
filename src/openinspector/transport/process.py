"""Child processes that read what strangers sent, each for one call and within limits.

    children = Children(("openinspector.acquire.sbom.*",))
    answer = children.call(read_document, b"", document, Bounds())

What a child may not: open a file or a connection, write a file, start a process, leave a core, gain rights; take more
memory or time than its bounds. Where the system can, the network is gone altogether (Linux: a namespace of its own),
where the service is root, children are nobody, and on Linux a filter leaves them few system calls (syscalls.py). What
isn't had on other systems: that filter, the end of children with a service that is killed, and a bound on memory where
the system has none.
"""

import atexit
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import Final, Literal

import msgspec
from msgspec import Struct

from openinspector.errors import ConfinedError
from openinspector.transport.zygote import CALLS, CRASHED, ENDED, LARGEST_CALL, LENGTH, NO_MEMORY, Call, Maker

_GRACE: Final = 5.0  # seconds beyond its own that a child's end is waited for
_START_SECONDS: Final = 60.0  # until the first call is taken: modules are imported
_BLOCK: Final = 1 << 18

_TROUBLE: Final = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE})


class Bounds(Struct, frozen=True, kw_only=True):
    """What one call may cost: bytes of memory, seconds of a processor and of wall time, bytes of the answer."""

    memory: int = 1 << 30
    cpu: int = 30
    seconds: float = 60.0
    answer: int = 256 << 20


class _Lost(Exception):
    """The zygote is gone, and took the child with it."""


class Children:
    """Starts a child for each call, from one process that has imported `modules` (with `.*` all of a package).

    Safe to use from several threads. The process is started when it is first needed, and again if it has died.
    """

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = tuple(modules)
        self._lock = Lock()
        self._zygote: subprocess.Popen[bytes] | None = None
        self._calls: socket.socket | None = None
        atexit.register(self.close)

    def start(self) -> None:
        """Start importing now."""
        with self._lock:
            self._open_calls()

    def close(self) -> None:
        """End every child. Who calls afterwards starts anew."""
        with self._lock:
            self._end()

    def call(
        self, maker: Maker, given: bytes, document: bytes | memoryview, bounds: Bounds, sample: bytes = b""
    ) -> bytes:
        """What the function that `maker` makes of `given` answers to a document.

        Both run in the child, the maker before the bounds hold: it may open what the function needs, and sees nothing
        of the document. `sample` is a document of ours that the next child may be tried out on while it waits.

        Raises:
            ConfinedError: The child exceeded its bounds or died.
        """
        name = f"{maker.__module__}:{maker.__qualname__}"
        call = Call(name, given, bounds.memory, bounds.cpu, float(bounds.seconds), sample)
        message = msgspec.msgpack.encode(call)
        if len(message) > LARGEST_CALL:
            raise ValueError(f"a call of {len(message)} bytes: what is large belongs into the document")
        try:
            return self._once(message, document, bounds)
        except _Lost:
            pass
        try:
            return self._once(message, document, bounds)  # it changes nothing, so it may be done again
        except _Lost as error:
            raise ConfinedError("lost", "the process that children are started from has died twice") from error

    def _once(self, message: bytes, document: bytes | memoryview, bounds: Bounds) -> bytes:
        data, theirs = socket.socketpair()
        end, told = socket.socketpair()
        with data, end:
            with theirs, told:
                self._send(message, [theirs.fileno(), told.fileno()])
            deadline = monotonic() + _START_SECONDS + bounds.seconds
            try:
                said = _exchange(data, document, bounds.answer, deadline)
                if _is_whole(said):  # so it has done all that it was to do
                    return bytes(memoryview(said)[LENGTH.size :])
                data.close()
                how = _receive(end, ENDED.size, monotonic() + _GRACE)
            except TimeoutError as error:
                raise ConfinedError("time", f"more than {bounds.seconds:g} seconds") from error
        if len(how) != ENDED.size:
            raise _Lost
        status, peak, cpu = ENDED.unpack(how)
        raise _failure(status, peak, cpu, said[LENGTH.size :], bounds)

    def _send(self, message: bytes, handles: list[int]) -> None:
        with self._lock:
            for attempt in (1, 2):
                calls = self._open_calls()
                try:
                    socket.send_fds(calls, [message], handles)
                except OSError as error:
                    self._end()
                    if attempt == 2:
                        raise ConfinedError("lost", f"no child can be started: {error.strerror or error}") from error
                else:
                    return

    def _open_calls(self) -> socket.socket:
        if self._zygote is not None and self._zygote.poll() is not None:
            self._end()
        if self._calls is None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, CALLS)
            path = os.pathsep.join(each for each in sys.path if each)
            command = [sys.executable, "-P", "-m", "openinspector.transport.zygote", *self._modules]
            with theirs:
                self._zygote = subprocess.Popen(  # noqa: S603  our own words
                    command,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    env={"PYTHONPATH": path},
                    cwd="/",
                    start_new_session=True,
                )
            ours.settimeout(_START_SECONDS)
            self._calls = ours
        return self._calls

    def _end(self) -> None:
        if self._calls is not None:
            self._calls.close()
            self._calls = None
        if self._zygote is not None:
            try:
                self._zygote.wait(_GRACE)
            except subprocess.TimeoutExpired:
                self._zygote.kill()
                self._zygote.wait()
            self._zygote = None


def _exchange(data: socket.socket, document: bytes | memoryview, largest: int, deadline: float) -> bytearray:
    """Give a child its document, and take what it says.

    Raises:
        TimeoutError: It takes too long.
        ConfinedError: It says too much.
    """
    with suppress(BrokenPipeError, ConnectionResetError):  # it has died; how is told elsewhere
        rest = memoryview(document)
        while rest:
            data.settimeout(_left(deadline))
            rest = rest[data.send(rest) :]
        data.shutdown(socket.SHUT_WR)
    return _receive(data, largest, deadline)


def _receive(source: socket.socket, largest: int, deadline: float) -> bytearray:
    """What comes up to the end, at most so many bytes behind a length."""
    found = bytearray()
    while True:
        source.settimeout(_left(deadline))
        try:
            block = source.recv(_BLOCK)
        except ConnectionResetError:
            return found
        if not block:
            return found
        found += block
        if len(found) > LENGTH.size + largest:
            raise ConfinedError("answer", f"an answer of more than {largest:,} bytes")


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _is_whole(said: bytearray) -> bool:
    return len(said) >= LENGTH.size and LENGTH.unpack_from(said)[0] == len(said) - LENGTH.size


def _failure(status: int, peak: int, cpu: float, reason: bytearray, bounds: Bounds) -> ConfinedError:
    """Why a child has given no answer."""
    kind: Literal["cpu", "time", "killed", "crashed"]
    if status == NO_MEMORY:
        return ConfinedError("memory", f"more than {bounds.memory >> 20:,} MiB of memory")
    if status == CRASHED:
        return ConfinedError("crashed", f"an error of ours: {reason[:1000].decode('utf-8', 'replace')}")
    if status == -signal.SIGXCPU or (status == -signal.SIGKILL and cpu >= bounds.cpu):
        kind, said = "cpu", f"more than {bounds.cpu} seconds of a processor"
    elif status == -signal.SIGALRM:
        kind, said = "time", f"more than {bounds.seconds:g} seconds"
    elif -status in _TROUBLE:
        kind, said = "crashed", f"a crash (signal {-status}, {peak >> 20:,} MiB)"
    else:
        kind, said = "killed", f"somebody ended the process (status {status}, {peak >> 20:,} MiB)"
    return ConfinedError(kind, said)
