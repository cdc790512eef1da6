"""`openinspector serve` as a process of its own, with starter advisories, and what a command of ours prints."""

import os
import re
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
END_SECONDS = 120
SERVING = re.compile(r"^openinspector: serving \S+ at (http\S+)$", re.MULTILINE)

# It is told to end when we die, even if that is so sudden that nobody can tell it; where the system can't, it stays.
TIED = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def tied(*arguments: str) -> list[str]:
    """The command of a Python program that doesn't outlive us."""
    return [sys.executable, "-c", TIED, *arguments]


@dataclass(frozen=True)
class Served:
    """A running service: its folder, the environment of its commands, its process, and its address."""

    folder: Path
    environment: dict[str, str]
    process: "subprocess.Popen[bytes]"
    address: str

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
        command = tied("-m", "openinspector", "serve", "--port", "0", *more)
        subprocess.run(
            [sys.executable, "-m", "openinspector", "db", "starter"], env=environment, check=True, capture_output=True
        )
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stderr=log)
        try:
            yield Served(folder, environment, process, _address(folder / "log", process))
        finally:
            process.terminate()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(log: Path, process: "subprocess.Popen[bytes]") -> str:
    """Where the service is, when it is ready."""
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        assert process.poll() is None, log.read_text()
        if told := SERVING.search(log.read_text()):
            try:
                with urllib.request.urlopen(f"{told[1]}/readyz", timeout=5) as answer:
                    if answer.status == 200:
                        return told[1]
            except OSError:
                pass
        time.sleep(0.05)
    raise AssertionError(f"the service did not come up: {log.read_text()}")
