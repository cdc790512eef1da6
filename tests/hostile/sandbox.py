"""The command line in a child process with limits, in folders of its own that are looked at afterwards."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

MEGABYTE = 1 << 20
MEMORY = 1536 * MEGABYTE  # of address space: maps of files and the stacks of threads count, too
PEAK = 512 * MEGABYTE  # that may really be used at a time
CPU = 20  # seconds
DEADLINE = 90  # seconds of wall time, on a machine that does other things as well


class Outcome:
    """How one run ended: exit status, output, and the report where there is one."""

    def __init__(self, status: int, peak: int, out: str, err: str) -> None:
        self.status, self.peak, self.out, self.err = status, peak, out, err
        self.report = json.loads(out) if out.startswith("{") else {}

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Path and reason of each problem that makes the scan partial."""
        return [(each["path"], each["reason"]) for each in self.report["problems"] if each["partial"]]

    @property
    def packages(self) -> int:
        """How many were found."""
        return sum(self.report["packages"]["by_type"].values())

    def __str__(self) -> str:
        problems = json.dumps(self.report.get("problems"))[:2000]
        said = "" if self.report else self.out[:300]
        return f"status {self.status}, peak {self.peak >> 20} MB\n{self.err[-3000:]}\n{problems}\n{said}"


class Sandbox:
    """A folder with a home, a working directory and a cache; `target` is where a test puts what is hostile."""

    def __init__(self, zygote: subprocess.Popen, folder: Path, advisories: Path) -> None:
        self._zygote, self._folder, self._advisories = zygote, folder, advisories
        self.target = folder / "target"
        self.cache = folder / "cache"
        self.canary = folder / "canary"  # hostile names point at it
        self.environment: dict[str, str] = {}
        self.user = 0
        for name in ("home", "cwd", "tmp", "target", "canary"):
            (folder / name).mkdir()
        (folder / "canary" / "secret").write_text("Package: stolen\nStatus: install ok installed\nVersion: 1\n\n")

    def run(
        self, *arguments: str, memory: int = MEMORY, cpu: int = CPU, peak: int = PEAK, file_size: int = -1
    ) -> Outcome:
        """Run the command line; fails where it was not bounded, crashed, or wrote where it has no business."""
        before = self._looked()
        request = {
            "arguments": [str(each) for each in arguments],
            "environment": {
                "PATH": os.environ.get("PATH", ""),
                "HOME": str(self._folder / "home"),
                "TMPDIR": str(self._folder / "tmp"),
                "OPENINSPECTOR_CACHE": str(self.cache),
                "OPENINSPECTOR_DB": str(self._advisories),
                **self.environment,
            },
            "cwd": str(self._folder / "cwd"),
            "out": str(self._folder / "out"),
            "err": str(self._folder / "err"),
            "memory": memory,
            "cpu": cpu,
            "file_size": file_size,
            "deadline": DEADLINE,
            "user": self.user,
        }
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.write(json.dumps(request) + "\n")
        self._zygote.stdin.flush()
        answer = json.loads(self._zygote.stdout.readline())
        out, err = (Path(request[each]).read_bytes().decode("utf-8", "replace") for each in ("out", "err"))
        outcome = Outcome(answer["status"], answer["peak"], out, err)
        assert outcome.status in (0, 1, 2, 3), f"it did not end by itself: {outcome}"
        assert "Traceback" not in err, outcome
        assert "MemoryError" not in out, outcome
        assert outcome.peak < peak, f"it needed too much memory: {outcome}"
        assert self._looked() == before, "it wrote outside of its cache"
        return outcome

    def scan(self, target: object, *more: str, **bounds: int) -> Outcome:
        """Scan a target."""
        return self.run("scan", str(target), "--format", "json", *more, **bounds)

    def partial(self, target: object, where: str, what: str, *more: str, **bounds: int) -> Outcome:
        """Scan a target, which ends as a partial scan with a problem at `where` that says `what` (patterns)."""
        outcome = self.scan(target, *more, **bounds)
        assert outcome.status == 3, outcome
        assert outcome.report["status"] == "partial", outcome
        assert "the scan is partial" in outcome.err, outcome
        assert any(re.search(where, path) and re.search(what, reason) for path, reason in outcome.problems), outcome
        return outcome

    def failed(self, target: object, what: str, *more: str, **bounds: int) -> Outcome:
        """Scan a target, which fails with a message that says `what` (a pattern) and names no finding."""
        outcome = self.scan(target, *more, **bounds)
        assert outcome.status == 3, outcome
        assert outcome.out == "", outcome
        assert re.search(what, outcome.err), outcome
        return outcome

    def give_away(self) -> None:
        """From now on run as nobody, who may enter the sandbox and write where runs write."""
        self.user = 65534
        for folder in (self._folder, *self._folder.parents, *self._advisories.parents):
            if folder.stat().st_uid == os.geteuid() and folder != Path(folder.anchor):
                folder.chmod(folder.stat().st_mode | 0o711)
        self.cache.mkdir(exist_ok=True)
        for folder in (self._folder / "home", self._folder / "tmp", self.cache):
            folder.chmod(0o777)

    def _looked(self) -> dict[str, tuple[int, int]]:
        """Every file outside of the cache: its size and when it was written."""
        seen = {}
        for name in ("home", "cwd", "tmp", "canary"):
            for folder, below, files in os.walk(self._folder / name):
                for each in (*below, *files):
                    facts = os.lstat(os.path.join(folder, each))
                    seen[os.path.join(folder, each)] = (facts.st_size, facts.st_mtime_ns)
        return seen


def start() -> subprocess.Popen:
    """The process that children are forked from."""
    script = Path(__file__).with_name("zygote.py")
    return subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
