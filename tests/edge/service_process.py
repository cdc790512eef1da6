"""`openinspector serve` as a process of its own, with starter advisories, and what a command of ours prints."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.edge.postgres import scratch

PROGRAMS = Path(sys.executable).parent  # of the environment that the tests run in
START_SECONDS = 120


@dataclass(frozen=True)
class Served:
    """A running service: its folder, its address, and the environment of its commands."""

    folder: Path
    address: str
    environment: dict[str, str]

    def run(self, *arguments: str) -> str:
        """What a command printed.

        Raises:
            CalledProcessError: It failed.
        """
        command = [sys.executable, "-m", "openinspector", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def log(self) -> str:
        """What the service has written until now."""
        return (self.folder / "log").read_text()


@contextmanager
def served(*more: str) -> Iterator[Served]:
    """A service with a database and advisories of its own; `more` are further arguments of `serve`."""
    with scratch() as folder:
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "OPENINSPECTOR_"))
        } | {
            "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
            "OPENINSPECTOR_DATA": str(folder / "data"),
            "OPENINSPECTOR_DB": str(folder / "advisories.sqlite"),
            "OPENINSPECTOR_CACHE": str(folder / "cache"),
        }
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        made = Served(folder, f"http://127.0.0.1:{port}", environment)
        made.run("db", "starter")
        command = [sys.executable, "-m", "openinspector", "serve", "--port", str(port), *more]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stderr=log)
        try:
            _wait_for(made, process)
            yield made
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(120)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(30)


def _wait_for(made: Served, process: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        assert process.poll() is None, made.log()
        try:
            with urllib.request.urlopen(f"{made.address}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the service did not come up: {made.log()}")
