"""The process that children are forked from; `transport/process.py` starts it and talks to it.

It has imported everything that children need and reads nothing from outside itself, so a child costs a fork and starts
from a clean memory; in quiet times one is forked ahead of its call and waits for it. The zygote is asked on a
socket, its standard input: each message is a `Call`, and comes with two more sockets. The first is the child's: the
document comes in by it, up to its end, and the answer goes out, its length (`LENGTH`) before it. What comes behind a
length of `NO_ANSWER` says what went wrong. On the second the zygote tells how the child ended (`ENDED`); if it is
closed before, the child is killed. When the socket of calls ends, or the zygote is killed, all children are.
"""

import ctypes
import gc
import os
import resource
import select
import selectors
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from math import ceil
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, Final

import msgspec
from msgspec import Struct

from openinspector.transport import syscalls

CRASHED: Final = 70  # what was called let an exception through; the answer is its name and place
NO_MEMORY: Final = 71
ENDED: Final = struct.Struct("=iqd")  # exit status or the negative number of a signal, peak bytes, processor seconds
LENGTH: Final = struct.Struct("=Q")
NO_ANSWER: Final = (1 << 64) - 1
LARGEST_CALL: Final = 1 << 16  # bytes
# Who takes two messages for one where the system has no sockets that keep them apart.
CALLS: Final = socket.SOCK_SEQPACKET if sys.platform == "linux" else socket.SOCK_DGRAM
SOCKETS: Final = 2  # that come with a call

Function = Callable[[bytes], bytes]
Maker = Callable[[bytes], Function]

_BLOCK: Final = 1 << 18
_QUIET_SECONDS: Final = 0.01  # until a child is forked ahead: where calls come fast, that would hold up others
_LOOK_SECONDS: Final = 5.0  # between two looks whether the service is there, where its end isn't told
_NOBODY: Final = 65534
_HIGHEST: Final = 1 << 20  # number of a descriptor
_OURS: Final = 3  # a child's socket, behind standard input, output and error
_PDEATHSIG, _DUMPABLE, _NO_NEW_PRIVS = 1, 4, 38  # of prctl(2)
_NEWUSER, _NEWNET = 0x10000000, 0x40000000  # of unshare(2)


class Call(Struct, frozen=True, array_like=True):
    """One call: a maker, as `module:name`, what it is given, and the bounds of what it makes."""

    maker: str
    given: bytes
    memory: int  # bytes of address space that it may take
    cpu: int  # seconds of a processor
    seconds: float  # of wall time
    sample: bytes = b""  # a document of our own, that the next child may be tried out on; b"" for none


def main(modules: Sequence[str]) -> None:
    """Import the modules, and of `a.package.*` all that lies in it; then answer until there are no more calls."""
    for each in modules:
        name = each.removesuffix(".*")
        module = import_module(name)
        for found in walk_packages(module.__path__, f"{name}.") if name != each else ():
            import_module(found.name)
    for encoding in ("utf-8-sig", "utf-16", "latin-1"):
        "".encode(encoding)  # its module is looked for when it is needed, which nobody may do then
    _shut_off()
    syscalls.prepared()
    gc.freeze()
    calls = socket.socket(fileno=0)
    _Zygote(calls).serve()


def _shut_off() -> None:
    """Leave the network, where the system lets us, and gain no rights any more."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.unshare(_NEWNET) != 0 and os.geteuid() != 0:
        libc.unshare(_NEWUSER | _NEWNET)


class _Zygote:
    """The children under way, by the socket on which their end is awaited."""

    def __init__(self, calls: socket.socket) -> None:
        self._calls = calls
        self._service = os.getppid()
        self._children: dict[int, socket.socket] = {}
        self._tried: Call | None = None  # what the next child is tried out with
        self._spare: tuple[int, socket.socket] | None = None  # a child that has no call yet, and where it waits for one
        self._selector = selectors.DefaultSelector()
        self._woken, wake = os.pipe()
        for each in (self._woken, wake):
            os.set_blocking(each, False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._selector.register(calls, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)

    def serve(self) -> None:
        """Answer until there are no more calls."""
        quiet = _QUIET_SECONDS
        try:
            while os.getppid() == self._service:
                happened = self._selector.select(quiet)
                if not happened:
                    self._prepare()
                quiet = _QUIET_SECONDS if happened else _LOOK_SECONDS
                for key, _ in happened:
                    if key.fileobj is self._calls:
                        if not self._call():
                            return
                    elif key.fd == self._woken:
                        with suppress(BlockingIOError):
                            os.read(self._woken, _BLOCK)
                    elif key.data in self._children:  # nobody waits for it any more
                        self._selector.unregister(key.fileobj)
                        os.kill(key.data, signal.SIGKILL)
                self._reap()
        finally:
            for child in (*self._children, *(self._spare or ())[:1]):
                os.kill(child, signal.SIGKILL)

    def _call(self) -> bool:
        """Begin what is asked for; false where nothing will be asked for any more."""
        message, handles, _, _ = socket.recv_fds(self._calls, LARGEST_CALL, SOCKETS)
        if not message or len(handles) != SOCKETS:
            return False
        data, told = handles
        call = msgspec.msgpack.decode(message, type=Call)
        self._tried = call if call.sample else self._tried
        child = self._begin(message, data)
        os.close(data)
        if child is None:  # too many processes: whoever called sees that nothing was begun
            os.close(told)
            return True
        end = socket.socket(fileno=told)
        self._children[child] = end
        self._selector.register(end, selectors.EVENT_READ, child)
        return True

    def _begin(self, message: bytes, data: int) -> int | None:
        """Give a call to the spare child, or to a new one where that has died; the child's id."""
        for _ in range(2):
            self._prepare()
            if self._spare is None:
                return None
            child, waits = self._spare
            self._spare = None
            with waits:
                try:
                    socket.send_fds(waits, [message], [data])
                except OSError:
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)
                else:
                    return child
        return None

    def _prepare(self) -> None:
        """Fork the next child, if none is there and there may be another process."""
        if self._spare is not None:
            return
        try:
            waits, theirs = socket.socketpair(socket.AF_UNIX, CALLS)
        except OSError:  # too many descriptors
            return
        with theirs:
            zygote = os.getpid()
            try:
                child = os.fork()
            except OSError:
                waits.close()
                return
            if not child:
                _as_child(zygote, theirs.fileno(), self._tried)
        self._spare = child, waits

    def _reap(self) -> None:
        if self._spare is not None and os.waitpid(self._spare[0], os.WNOHANG)[0]:
            self._spare[1].close()
            self._spare = None
        for child in list(self._children):
            done, status, usage = os.wait4(child, os.WNOHANG)
            if done:
                end = self._children.pop(child)
                with suppress(KeyError):
                    self._selector.unregister(end)
                told = os.waitstatus_to_exitcode(status), usage.ru_maxrss << 10, usage.ru_utime + usage.ru_stime
                with suppress(OSError):
                    end.send(ENDED.pack(*told), socket.MSG_DONTWAIT)
                end.close()


def _as_child(zygote: int, waits: int, tried: Call | None) -> None:
    """The whole life of a child, which is told on a socket what it is called for."""
    code = CRASHED
    try:
        gc.disable()  # it is over before that pays, and its memory has a limit
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(waits, _OURS)
        os.closerange(_OURS + 1, _highest())
        nothing = os.open(os.devnull, os.O_RDWR)
        for each in range(_OURS):  # the first is the socket of calls
            os.dup2(nothing, each)
        os.close(nothing)
        with socket.socket(fileno=_OURS) as calls:
            if tried is not None and not select.select([calls], [], [], 0)[0]:
                _try_out(tried)
            message, handles, _, _ = socket.recv_fds(calls, LARGEST_CALL, 1)
        if len(handles) != 1:  # the zygote has ended
            os._exit(0)
        with socket.socket(fileno=handles[0]) as ours:
            code = _answer(zygote, msgspec.msgpack.decode(message, type=Call), ours)
    except MemoryError:
        code = NO_MEMORY
    except BaseException:  # noqa: BLE001  the process ends here
        code = CRASHED
    finally:
        os._exit(code)


def _highest() -> int:
    return min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], _HIGHEST)


def _try_out(call: Call) -> None:
    """Do for nothing what a call is likely to ask for, while there is none.

    Most of a short call is the time for the zygote's pages, each of which is copied when it is first written to.
    """
    with suppress(Exception):
        _function(call)(call.sample)


def _function(call: Call) -> Function:
    module, _, name = call.maker.partition(":")
    maker: Maker = getattr(import_module(module), name)
    return maker(call.given)


def _answer(zygote: int, call: Call, ours: socket.socket) -> int:
    try:
        function = _function(call)
        _confine(call, zygote)
        answer = function(_read(ours))
    except MemoryError:
        return NO_MEMORY
    except BaseException as error:  # noqa: BLE001  told to whoever called
        with suppress(OSError, MemoryError):
            ours.sendall(LENGTH.pack(NO_ANSWER) + _place(error).encode())
        return CRASHED
    with suppress(BrokenPipeError):
        ours.sendall(LENGTH.pack(len(answer)))
        ours.sendall(answer)
    return 0


def _confine(call: Call, zygote: int) -> None:
    """From here on nothing can be opened, written, started, removed, reached or exceeded."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, call.seconds)
    if os.geteuid() == 0:
        with suppress(PermissionError):  # root without that right
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    if sys.platform == "linux":  # after the change of user, which undoes both
        libc = ctypes.CDLL(None)
        libc.prctl(_DUMPABLE, 0, 0, 0, 0)  # other nobodies can't look into it
        libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != zygote:
            os._exit(CRASHED)
    cpu = ceil(time.process_time()) + call.cpu
    memory = _address_space() + call.memory
    for limit, soft, hard in (
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_NPROC, 0, 0),
        (resource.RLIMIT_CPU, cpu, cpu + 1),
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_NOFILE, 0, 0),
    ):
        highest = resource.getrlimit(limit)[1]
        lowered = (soft, hard) if highest == resource.RLIM_INFINITY else (min(soft, highest), min(hard, highest))
        resource.setrlimit(limit, lowered)
    syscalls.shut()


def _address_space() -> int:
    """Bytes that this process has already; 0 where the system doesn't tell."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _read(ours: socket.socket) -> bytes:
    data = bytearray()
    while block := ours.recv(_BLOCK):
        data += block
    return bytes(data)


def _place(error: BaseException) -> str:
    """The name of an error and where it came from; what it says may be a stranger's words."""
    trace: Any = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" in {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
    return f"{type(error).__name__}{where}"


if __name__ == "__main__":
    main(sys.argv[1:])
