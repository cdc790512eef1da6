"""The process that children are forked from; `transport/process.py` starts it and talks to it.

It has imported everything that children need and reads nothing from outside itself, so a child costs a fork and starts
from a clean memory. It is asked on a socket, its standard input: each message is a `Call`, and comes with two more
sockets. The first is the child's: the document comes in by it, up to its end, and the answer goes out. On the second
the zygote tells how the child ended (`ENDED`); if it is closed before, the child is killed. When the socket of calls
ends, or the zygote is killed, all children are.
"""

import ctypes
import gc
import os
import resource
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
LARGEST_CALL: Final = 1 << 16  # bytes
SOCKETS: Final = 2  # that come with a call

Function = Callable[[bytes], bytes]
Maker = Callable[[bytes], Function]

_BLOCK: Final = 1 << 18
_LOOK_SECONDS: Final = 5.0  # between two looks whether the service is there, where its end isn't told
_NOBODY: Final = 65534
_HIGHEST: Final = 1 << 20  # number of a descriptor
_OURS: Final = 3  # the child's socket, behind standard input, output and error
_PDEATHSIG, _DUMPABLE, _NO_NEW_PRIVS = 1, 4, 38  # of prctl(2)
_NEWUSER, _NEWNET = 0x10000000, 0x40000000  # of unshare(2)


class Call(Struct, frozen=True, array_like=True):
    """One call: a maker, as `module:name`, what it is given, and the bounds of what it makes."""

    maker: str
    given: bytes
    memory: int  # bytes of address space that it may take
    cpu: int  # seconds of a processor
    seconds: float  # of wall time


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
        try:
            while os.getppid() == self._service:
                for key, _ in self._selector.select(_LOOK_SECONDS):
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
            for child in self._children:
                os.kill(child, signal.SIGKILL)

    def _call(self) -> bool:
        """Begin what is asked for; false where nothing will be asked for any more."""
        message, handles, _, _ = socket.recv_fds(self._calls, LARGEST_CALL, SOCKETS)
        if not message or len(handles) != SOCKETS:
            return False
        data, told = handles
        zygote = os.getpid()
        try:
            child = os.fork()
        except OSError:  # too many processes: whoever called sees that nothing was begun
            os.close(data)
            os.close(told)
            return True
        if not child:
            _as_child(zygote, message, data)
        os.close(data)
        end = socket.socket(fileno=told)
        self._children[child] = end
        self._selector.register(end, selectors.EVENT_READ, child)
        return True

    def _reap(self) -> None:
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


def _as_child(zygote: int, message: bytes, data: int) -> None:
    """The whole life of a child."""
    code = CRASHED
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(data, _OURS)
        os.closerange(_OURS + 1, _highest())
        nothing = os.open(os.devnull, os.O_RDWR)
        for each in range(_OURS):  # the first is the socket of calls
            os.dup2(nothing, each)
        os.close(nothing)
        with socket.socket(fileno=_OURS) as ours:
            code = _answer(zygote, msgspec.msgpack.decode(message, type=Call), ours)
    except MemoryError:
        code = NO_MEMORY
    except BaseException:  # noqa: BLE001  the process ends here
        code = CRASHED
    finally:
        os._exit(code)


def _highest() -> int:
    return min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], _HIGHEST)


def _answer(zygote: int, call: Call, ours: socket.socket) -> int:
    try:
        module, _, name = call.maker.partition(":")
        maker: Maker = getattr(import_module(module), name)
        function = maker(call.given)
        gc.disable()  # a child is over before that pays, and its memory has a limit
        _confine(call, zygote)
        answer = function(_read(ours))
    except MemoryError:
        return NO_MEMORY
    except BaseException as error:  # noqa: BLE001  told to whoever called
        with suppress(OSError, MemoryError):
            ours.sendall(_place(error).encode())
        return CRASHED
    with suppress(BrokenPipeError):
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
