"""Where the benchmarks keep things, and what the environment asks of them.

Everything lies under `.bench/`, so that a second run is quick: `peers/` (the other tools), `targets/` (what is
scanned), `advisories.sqlite`, `report.md`. Removing it loses nothing.

    BENCH_ONLY=scan,match   run only these
    BENCH_RUNS=5            runs that count, of each side
    BENCH_TARGETS=debian    scan only targets whose name contains this
    BENCH_COMPILE_RUNS=1    how often the feeds are compiled from nothing
    TRIVY, SYFT             the peers' programs, instead of those from PyPI
    OPENINSPECTOR_FEEDS     a folder of feeds (default: ../shared/feeds)
"""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

REPOSITORY = Path(__file__).resolve().parent.parent
BENCH = REPOSITORY / ".bench"
PEERS = BENCH / "peers"
TARGETS = BENCH / "targets"
WORK = BENCH / "work"
ADVISORIES = BENCH / "advisories.sqlite"
SCANNER = Path(sys.executable).parent / "openinspector"
RUNS = int(os.environ.get("BENCH_RUNS", "5"))


class Skipped(Exception):
    """Something can't be measured here, with the reason."""


def feeds() -> Path:
    """The folder of feeds.

    Raises:
        Skipped: There is none.
    """
    folder = Path(os.environ.get("OPENINSPECTOR_FEEDS") or REPOSITORY.parent / "shared" / "feeds")
    if not folder.is_dir():
        raise Skipped(f"there is no folder of feeds at {folder} (OPENINSPECTOR_FEEDS names one)")
    return folder.resolve()


def helper(path: str) -> ModuleType:
    """A helper module of the tests, by its path under `tests/`."""
    file = REPOSITORY / "tests" / path
    spec = spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def see_peers() -> None:
    """Let Python find the peers that are libraries, after our own packages."""
    if str(PEERS) not in sys.path:
        sys.path.append(str(PEERS))
