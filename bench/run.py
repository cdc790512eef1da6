"""Every benchmark, one after the other; what they say goes to the terminal and to `.bench/report.md`.

    make bench
    BENCH_ONLY=start,scan BENCH_RUNS=3 make bench
    BENCH_PUBLISH=1 make bench      puts the tables into docs/performance.md, too

`places.py` lists what the environment can ask for. Network: pip, npm and apt-get, the first time only.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from peers import install, said_versions
from places import BENCH, REPOSITORY
from report import machine, progress

REPORT = BENCH / "report.md"
PAGE = REPOSITORY / "docs" / "performance.md"
# Compiling comes first: it leaves the advisory file that the others use.
LONG = ("fleet",)  # only where they are asked for
BENCHES = ("start", "compile", "versions", "match", "rpm", "scan", "fleet")


def main() -> int:
    """Run those that were asked for; 1 if any could not be run."""
    only = [name for name in os.environ.get("BENCH_ONLY", "").replace(",", " ").split() if name]
    unknown = [name for name in only if name not in BENCHES]
    if unknown:
        print(f"there is no benchmark {' '.join(unknown)}; there are: {' '.join(BENCHES)}", file=sys.stderr)
        return 2
    BENCH.mkdir(exist_ok=True)
    where = machine()
    install()
    began = time.monotonic()
    failed, sections = [], {"machine": f"{where} {said_versions()}.\n"}
    REPORT.write_text(f"# Benchmarks\n\n{sections['machine']}", "utf-8")
    print(REPORT.read_text("utf-8"))
    for name in only or [each for each in BENCHES if each not in LONG]:
        progress(f"bench_{name}")
        said, well = run(Path(__file__).with_name(f"bench_{name}.py"))
        with REPORT.open("a", encoding="utf-8") as report:
            report.write(said)
        if well:
            sections[name] = said
        else:
            failed.append(name)
    if os.environ.get("BENCH_PUBLISH"):
        PAGE.write_text(published(PAGE.read_text("utf-8"), sections), "utf-8")
    if failed:
        print(f"failed: {' '.join(failed)}", file=sys.stderr)
    progress(f"{time.monotonic() - began:.0f} seconds; the tables are in {REPORT}")
    return bool(failed)


def run(script: Path) -> tuple[str, bool]:
    """Run one benchmark and pass on what it says; gives that, and whether it ended well."""
    said = []
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            said.append(line)
    return "".join(said), process.returncode == 0


def published(page: str, sections: Mapping[str, str]) -> str:
    """A page with new text between its marks: `<!-- measured: scan -->` … `<!-- end: scan -->`."""
    for name, said in sections.items():
        begin, end = f"<!-- measured: {name} -->\n", f"<!-- end: {name} -->"
        before, found, rest = page.partition(begin)
        _, found_end, after = rest.partition(end)
        if not found or not found_end:
            raise SystemExit(f"{PAGE} has no marks for {name}")
        page = f"{before}{begin}{said.strip()}\n{end}{after}"
    return page


if __name__ == "__main__":
    sys.exit(main())
