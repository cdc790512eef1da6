"""What children are told to do in tests: by name, for the child imports this module."""

import ctypes
import os
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
            "connect": lambda: socket.create_connection(("127.0.0.1", 1), 1),
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
