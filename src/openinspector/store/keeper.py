"""Keeps the private PostgreSQL of a data directory running for as long as anybody uses it.

A program of its own, run by `store/embedded.py` by its path, with the standard library alone: it starts in
milliseconds, and outlives whoever started it. Four files in the folder say what is going on; all are locked with
flock, which the kernel undoes however a process ends, so nobody has to be trusted to sign off:

door.lock     held by whoever starts or stops the server, for as long as that takes
users.lock    held shared by every process that uses the server; who gets it exclusively knows that there is none
keeper.lock   held by the keeper for life; its text is the keeper's process id, once the server is its own
startup.log   what PostgreSQL says until it opens its own log

The keeper starts the server again when it dies, and ends it and itself when there are no users left. SIGUSR1 means: the
last user is leaving and waits for the end. It heeds no other polite signal: a service manager sends those to all of a
service's processes at once, while the others still have work to put away.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

LOOK_SECONDS = 0.5  # how soon a crash of the last user is noticed
SLOWEST_RESTART = 5.0  # seconds between two starts of a server that keeps dying, at most
FIRST_STARTS = 3  # a server that never became ready in so many starts won't
STOP_SECONDS = 60.0  # a shutdown writes all that is in memory

_POLITE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ENDING = ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))


def try_lock(file: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Whether a lock was had at once."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Keeper:
    """The server, and who uses it.

    `command` starts PostgreSQL in `folder/cluster`, with its socket in the folder `socket`; it runs as user `uid` and
    group `gid` where those are given. `lock` is keeper.lock, open and locked.
    """

    def __init__(
        self, folder: Path, socket: Path, lock: int, command: list[str], uid: int | None, gid: int | None
    ) -> None:
        self._folder = folder
        self._socket = socket
        self._lock = lock
        self._command = command
        self._uid, self._gid = uid, gid
        self._door = os.open(folder / "door.lock", os.O_RDWR | os.O_CLOEXEC)
        self._users = os.open(folder / "users.lock", os.O_RDWR | os.O_CLOEXEC)
        self._server: subprocess.Popen[bytes] | None = None
        self._was_ready = False
        self._deaths = 0

    def run(self) -> int:
        """Keeps the server until nobody uses it; the exit status is 1 where it doesn't start."""
        self._end_orphan()
        self._start()
        os.pwrite(self._lock, b"%d\n" % os.getpid(), 0)
        while True:
            came = signal.sigtimedwait({signal.SIGUSR1, signal.SIGCHLD}, LOOK_SECONDS)
            if (came is not None and came.si_signo == signal.SIGUSR1) or self._is_deserted():
                self._stop()
                return 0
            self._was_ready = self._was_ready or self._is_ready()
            if self._server is not None and self._server.poll() is not None:
                self._deaths += 1
                if not self._was_ready and self._deaths >= FIRST_STARTS:
                    return 1
                # Its children need a moment to see that it is gone; a full disk needs longer.
                time.sleep(min(SLOWEST_RESTART, 0.1 * 2 ** min(self._deaths, 10)))
                self._start()

    def _start(self) -> None:
        _forget_stale(self._folder, self._socket)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        number = os.open(self._folder / "startup.log", flags, 0o600)
        with os.fdopen(number, "wb") as log:
            os.fchmod(number, 0o600)  # whoever made it, and whatever the umask was
            self._server = subprocess.Popen(  # noqa: S603  our own program
                self._command,
                cwd=self._folder / "cluster",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._uid,
                group=self._gid,
                extra_groups=None if self._uid is None else [],
                umask=0o077,
            )

    def _is_ready(self) -> bool:
        lines = _pid_file(self._folder)
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def _is_deserted(self) -> bool:
        """Whether nobody uses the server and nobody is coming. The locks are kept if so: the end is near."""
        if not try_lock(self._door):
            return False
        if try_lock(self._users):
            return True
        fcntl.flock(self._door, fcntl.LOCK_UN)
        return False

    def _stop(self) -> None:
        server = self._server
        if server is None:
            return
        for request, seconds in _ENDING:
            with contextlib.suppress(ProcessLookupError):
                server.send_signal(request)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(seconds)
                return

    def _end_orphan(self) -> None:
        """Ends a server whose keeper was killed: a new one can't watch over a child that isn't its own."""
        pid = _live_server(self._folder)
        if pid is None:
            return
        for request, seconds in _ENDING:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, request)
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                if _live_server(self._folder) is None:
                    return
                time.sleep(0.02)


def _pid_file(folder: Path) -> list[str]:
    """The lines of postmaster.pid: process id, directory, start, port, socket directory, address, memory, status."""
    try:
        return (folder / "cluster" / "postmaster.pid").read_text(errors="replace").splitlines()
    except OSError:
        return []


def _number(folder: Path) -> int | None:
    """The process id in the pid file."""
    lines = _pid_file(folder)
    return int(lines[0]) if lines and lines[0].strip().isdigit() else None


def _live_server(folder: Path) -> int | None:
    """The process id of a PostgreSQL that runs in this folder.

    After a reboot, or in a new container, the number in the file may be anybody's: the command line tells.
    """
    pid = _number(folder)
    if pid is None:
        return None
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return None
    return pid if os.fsencode(folder / "cluster") in words and state != "Z" else None


def _forget_stale(folder: Path, socket: Path) -> None:
    """Removes lock files of a server that is gone, where PostgreSQL itself would take their number for a live one.

    That number may be somebody else's by now, or that of a dead process which nobody has buried. Files of a server that
    lives are never touched; should a server's children outlive it, the shared memory that they hold keeps a second out.
    """
    if _live_server(folder) is not None:
        return
    pid = _number(folder)
    with contextlib.suppress(OSError):
        if pid is not None and Path(f"/proc/{pid}").exists():
            (folder / "cluster" / "postmaster.pid").unlink()
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        with contextlib.suppress(OSError):
            (socket / name).unlink()


def main() -> int:
    """Keeps what the JSON on the command line says: `folder`, `socket`, `command`, `uid`, `gid`."""
    given = json.loads(sys.argv[1])
    folder = Path(given["folder"])
    lock = os.open(folder / "keeper.lock", os.O_RDWR | os.O_CLOEXEC)
    if not try_lock(lock):
        return 0  # there is one already
    os.ftruncate(lock, 0)
    if os.fork():
        os._exit(0)  # whoever started us goes on, and has no child to look after; the lock is the child's now
    # Blocked and not ignored: the server inherits it, and one sent to it in its first moments is late, but not lost.
    signal.pthread_sigmask(signal.SIG_BLOCK, {*_POLITE, signal.SIGUSR1, signal.SIGCHLD})
    return Keeper(folder, Path(given["socket"]), lock, given["command"], given["uid"], given["gid"]).run()


if __name__ == "__main__":
    sys.exit(main())
