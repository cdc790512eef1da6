"""What children are told to do in tests: by name, for the child imports this module."""

import ctypes
import fcntl
import mmap
import os
import resource
import signal
import socket
import time
from pathlib import Path


def upper(_given):
    return bytes.upper


def with_given(given):
    return lambda document: given + b" " + document


def memory_bomb(_given):
    def answer(_document):
        kept = []
        while True:
            kept.append(bytearray(1 << 20))

    return answer


def endless(_given):
    def answer(_document):
        while True:
            pass

    return answer


def asleep(_given):
    def answer(_document):
        time.sleep(600)
        return b""

    return answer


def deaf(_given):
    """Never reads its document: it is a maker that takes too long."""
    time.sleep(600)
    return bytes.upper


def talkative(_given):
    return lambda _document: b"x" * (4 << 20)


def broken(_given):
    def answer(document):
        raise KeyError(document)

    return answer


def crashing(_given):
    return lambda _document: ctypes.string_at(0)


def recursive(_given):
    def answer(document):
        return answer(document)

    return answer


def told_of(given):
    """Writes its number where it is told to, then hangs."""
    path = given.decode()
    with open(path, "w") as file:
        file.write(str(os.getpid()))

    def answer(_document):
        while True:
            time.sleep(0.1)

    return answer


def prying(_given):
    """Tries everything that it may not."""

    def answer(document):
        path = document.decode()
        tried = {
            "read": lambda: Path("/etc/passwd").read_bytes(),
            "list": lambda: os.listdir("/"),
            "write": lambda: Path(path).write_bytes(b"x"),
            "connect": lambda: socket.socket().connect(("127.0.0.1", 1)),
            "pipe": os.pipe,
            "fork": os.fork,
            "run": lambda: os.posix_spawn("/bin/true", ["true"], {}),
            "more": lambda: __import__("resource").setrlimit(7, (100, 100)),
        }
        done = []
        for name, attempt in tried.items():
            try:
                attempt()
            except (OSError, ValueError):
                continue
            done.append(name)
        return repr(done).encode()

    return answer


def reaching(given):
    """Tries what takes no descriptor: on a folder that anybody may write to, on itself, on who started it."""
    folder = Path(given.decode())
    file, zygote, libc = folder / "file", os.getppid(), ctypes.CDLL(None, use_errno=True)

    def system_call(*arguments):
        if libc.syscall(*arguments) == -1:
            raise OSError(ctypes.get_errno(), "refused")

    def answer(_document):
        tried = {
            "chmod": lambda: os.chmod(file, 0o777),
            "rename": lambda: os.rename(file, folder / "other"),
            "truncate": lambda: os.truncate(file, 0),
            "remove": lambda: os.unlink(file),
            "make": lambda: os.mkdir(folder / "made"),
            "link": lambda: os.symlink("/etc/passwd", folder / "link"),
            "time": lambda: signal.setitimer(signal.ITIMER_REAL, 0),
            "signal itself": lambda: os.kill(os.getpid(), 0),
            "signal by a thread": lambda: system_call(234, os.getpid(), os.getpid(), 0),
            "signal by a socket": lambda: fcntl.fcntl(3, fcntl.F_SETOWN, os.getpid()),
            "limits": lambda: resource.prlimit(os.getpid(), resource.RLIMIT_NOFILE),
            "memory": lambda: system_call(310, os.getpid(), None, 0, None, 0, 0),  # process_vm_readv
            "trace": lambda: system_call(101, 0, 0, 0, 0),  # to be traced by who started it
            "shared memory": lambda: system_call(29, 0, 4096, 0o1600),
            "code": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC),
            "look": lambda: os.stat(folder),
            "priority": lambda: os.setpriority(os.PRIO_PROCESS, os.getpid(), 19),
            "run": lambda: os.execv("/bin/true", ["true"]),
        }
        assert zygote != os.getpid()
        done = []
        for name, attempt in tried.items():
            try:
                attempt()
            except OSError:
                continue
            done.append(name)
        return repr(done).encode()

    return answer


def by_number(_given):
    """Asks by the numbers of another machine's table."""
    libc = ctypes.CDLL(None, use_errno=True)
    return lambda _document: repr([libc.syscall(number) for number in (0x40000027, 39 + (1 << 20))]).encode()


def surroundings(_given):
    """Which descriptors are open, who it is, and which words of the environment it has."""

    def answer(_document):
        return repr((sum(map(_is_open, range(256))), os.getuid(), sorted(os.environ), os.getcwd())).encode()

    return answer


def interfaces(_given):
    """The network devices that it could see."""
    seen = sorted(name for _, name in socket.if_nameindex())
    return lambda _document: repr(seen).encode()


def _is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def cut_short(_given):
    """Says that it will say more than it does."""

    def answer(_document):
        ours = next(each for each in range(3, 256) if _is_open(each))
        os.write(ours, (10).to_bytes(8, "little") + b"123456789")
        os._exit(0)

    return answer


def number(_given):
    """Its own process id."""
    return lambda _document: b"%d" % os.getpid()


def broken_at(_given):
    """Can't do one document."""

    def answer(document):
        if document == b"broken":
            raise KeyError(document)
        return document.upper()

    return answer


def remembering(given):
    """Tells what was done in this process before: what it was tried out on."""
    _seen.append(given)

    def answer(document):
        _seen.append(document)
        return b" ".join(_seen)

    return answer


_seen: list[bytes] = []
