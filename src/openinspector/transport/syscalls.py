"""What a process may still ask of the Linux kernel: to compute, and to use the descriptors that it has.

    shut()    # for good; the process must have given up gaining rights (PR_SET_NO_NEW_PRIVS) or be root

Limits of resources keep a process from opening and forking, but not from what needs no descriptor: to delete, rename
or run a file by its name, to end a process of the same user, to read or trace its memory, to give itself more time. A
filter of system calls (seccomp) does: it has a list of those that are answered, and all others fail with EPERM.

Source: seccomp(2), Linux's `Documentation/userspace-api/seccomp_filter.rst`, `linux/filter.h`, `linux/audit.h` and the
tables of system calls of both machines.
"""

import ctypes
import errno
import platform
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

_SET_SECCOMP, _MODE_FILTER = 22, 2  # of prctl(2)

# Of `struct seccomp_data`.
_NUMBER, _MACHINE = 0, 4
_SECOND, _THIRD, _FOURTH = 24, 32, 40  # the lower halves of arguments

# Of BPF: load a word; compare it, or its bits, with a constant; answer.
_LOAD, _EQUAL, _ANY_BIT, _ANSWER = 0x20, 0x15, 0x45, 0x06
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | errno.EPERM

_MACHINES: Final[Mapping[str, tuple[int, int]]] = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_ALLOWED: Final[Mapping[str, tuple[int, int]]] = {  # on these two
    "brk": (12, 214),
    "clock_getres": (229, 114),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "close": (3, 57),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "fstat": (5, 80),
    "futex": (202, 98),
    "getcwd": (79, 17),
    "getegid": (108, 177),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "getrandom": (318, 278),
    "getrusage": (98, 165),
    "gettid": (186, 178),
    "gettimeofday": (96, 169),
    "getuid": (102, 174),
    "lseek": (8, 62),
    "madvise": (28, 233),
    "mremap": (25, 216),
    "munmap": (11, 215),
    "nanosleep": (35, 101),
    "pread64": (17, 67),
    "read": (0, 63),
    "readv": (19, 65),
    "recvfrom": (45, 207),
    "restart_syscall": (219, 128),
    "rseq": (334, 293),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_yield": (24, 124),
    "sendto": (44, 206),
    "shutdown": (48, 210),
    "sigaltstack": (131, 132),
    "sysinfo": (99, 179),
    "time": (201, -1),
    "times": (100, 153),
    "write": (1, 64),
    "writev": (20, 66),
}
_MAPPING: Final = ((9, 222), (10, 226))  # mmap, mprotect: for anything but code
_CODE: Final = 4  # PROT_EXEC
_FCNTL: Final = (72, 25)
_COMMANDS: Final = (1, 2, 3, 5, 6, 7, 36, 37, 38)  # read flags, locks; not whom to send signals
_STAT: Final = (262, 79)  # newfstatat, which the C library asks of a descriptor
_OF_DESCRIPTOR: Final = 0x1000  # AT_EMPTY_PATH


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("value", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.POINTER(_Instruction)))


def shut() -> bool:
    """Leave this thread nothing but that; False where the system can't."""
    program = prepared()
    if program is None:
        return False
    prctl = ctypes.CDLL(None).prctl
    prctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong)
    return bool(prctl(_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(program), 0, 0) == 0)


@cache
def prepared() -> _Program | None:
    """The filter; None for a machine whose system calls aren't known here."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _MACHINES or sys.maxsize < 1 << 32:
        return None
    steps = [_Instruction(*each) for each in _filter(*_MACHINES[machine])]
    array = (_Instruction * len(steps))(*steps)
    return _Program(len(steps), ctypes.cast(array, ctypes.POINTER(_Instruction)))  # which holds on to the array


def _filter(machine: int, column: int) -> Iterable[tuple[int, int, int, int]]:
    yield _LOAD, 0, 0, _MACHINE
    yield _EQUAL, 1, 0, machine
    yield _ANSWER, 0, 0, _REFUSE
    yield _LOAD, 0, 0, _NUMBER
    for numbers in _ALLOWED.values():
        if numbers[column] >= 0:
            yield _EQUAL, 0, 1, numbers[column]
            yield _ANSWER, 0, 0, _ALLOW
    for numbers in _MAPPING:
        yield _EQUAL, 0, 4, numbers[column]
        yield _LOAD, 0, 0, _THIRD
        yield _ANY_BIT, 1, 0, _CODE
        yield _ANSWER, 0, 0, _ALLOW
        yield _ANSWER, 0, 0, _REFUSE
    yield _EQUAL, 0, 4, _STAT[column]
    yield _LOAD, 0, 0, _FOURTH
    yield _ANY_BIT, 0, 1, _OF_DESCRIPTOR
    yield _ANSWER, 0, 0, _ALLOW
    yield _ANSWER, 0, 0, _REFUSE
    yield _EQUAL, 0, 2 * len(_COMMANDS) + 1, _FCNTL[column]
    yield _LOAD, 0, 0, _SECOND
    for command in _COMMANDS:
        yield _EQUAL, 0, 1, command
        yield _ANSWER, 0, 0, _ALLOW
    yield _ANSWER, 0, 0, _REFUSE
