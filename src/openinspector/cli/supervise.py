"""The worker processes of `serve --role all`: started, started again when they die, ended with the service."""

import argparse
import logging
import os
import subprocess
import sys
import time
from collections import deque
from threading import Event, Thread
from typing import Final

from openinspector.store.holders import new_holder

LOG: Final = logging.getLogger("openinspector.supervisor")

_FIRST_WAIT: Final = 0.5  # seconds until a worker that died is started again; doubled each time it dies soon
_LONGEST_WAIT: Final = 30.0
_SOON: Final = 60.0  # seconds; one that lived longer is started again at once
_REMEMBERED: Final = 16  # workers that ended, should those who came next have ended too before they could do it
_END_SECONDS: Final = 75.0  # that a worker has to leave off before it is ended for good


class Supervisor:
    """Keeps `count` worker processes running from `start` to `stop`."""

    def __init__(self, chosen: argparse.Namespace, count: int) -> None:
        self._command = worker_command(chosen)
        self._environment = worker_environment(chosen)
        self._stopping = Event()
        self._threads = [Thread(target=self._keep, daemon=True) for _ in range(count)]

    def start(self) -> None:
        """Starts the workers."""
        for each in self._threads:
            each.start()

    def stop(self) -> None:
        """Tells the workers to leave off, and waits for their end."""
        self._stopping.set()
        for each in self._threads:
            each.join()

    def _keep(self) -> None:
        wait = _FIRST_WAIT
        ended: deque[int] = deque(maxlen=_REMEMBERED)
        while not self._stopping.is_set():
            started = time.monotonic()
            holder = new_holder()
            command = [*self._command, "--holder", f"{holder}", "--ended", *map(str, ended)]
            # The worker reads its end of this pipe: when we end, however that is, it ends too.
            process = subprocess.Popen(command, env=self._environment, stdin=subprocess.PIPE)  # noqa: S603  our own command
            while process.poll() is None and not self._stopping.wait(0.2):
                pass
            if self._stopping.is_set():
                _end(process)
                return
            _close(process)
            ended.append(holder)  # whoever comes next gives back what it had
            wait = _FIRST_WAIT if time.monotonic() - started > _SOON else min(wait * 2, _LONGEST_WAIT)
            LOG.error("a worker ended", extra={"request": {"status": process.returncode, "again_in_seconds": wait}})
            self._stopping.wait(wait)


def worker_command(chosen: argparse.Namespace) -> list[str]:
    """The command of a worker of this service. Not the database's address: it may hold a password."""
    command = [sys.executable, "-m", "openinspector", "serve", "--role", "worker", "--region", chosen.region, "--owned"]
    return [*command, "--lanes", str(chosen.lanes), *(["--data", chosen.data] if chosen.data else [])]


def worker_environment(chosen: argparse.Namespace) -> dict[str, str]:
    """Its environment: ours, and the database's address."""
    return os.environ | ({"OPENINSPECTOR_DATABASE_URL": chosen.database_url} if chosen.database_url else {})


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends a worker: it is asked, and has its time."""
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _close(process)


def _close(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        process.stdin.close()
