"""Runs one command and says what it cost, from a process too small to disturb the figure.

    python -I -S launcher.py OUTPUT COMMAND [ARGUMENT ...]

Linux charges a program's peak memory with the size of the process that started it, so the benchmarks, which may be
large themselves, start everything through this. Prints wall seconds, processor seconds (user and system, with those
of the children that the command waited for), peak kilobytes of its largest process, and the exit status.
"""

import os
import sys
import time

output, *command = sys.argv[1:]
files = [
    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
    (
        os.POSIX_SPAWN_OPEN,
        2,
        output + ".errors" if output != os.devnull else output,
        os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
        0o600,
    ),
]
began = time.perf_counter()
process = os.posix_spawnp(command[0], command, os.environ, file_actions=files)
_, status, usage = os.wait4(process, 0)
seconds = time.perf_counter() - began
print(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, os.waitstatus_to_exitcode(status))
