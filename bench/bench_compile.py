"""A folder of feeds compiled into an advisory file, against merely decoding the same documents.

    python bench/bench_compile.py             the comparison
    python bench/bench_compile.py --decode    the baseline alone

The baseline unpacks every document and parses what is JSON, with Python's own library, in one process, and keeps
nothing: what any reader of these feeds has to do first.
"""

import argparse
import gzip
import json
import os
import shutil
import sys
import zipfile
from pathlib import Path

from measure import Sample, Side, interleaved, middle
from places import ADVISORIES, BENCH, SCANNER, Skipped, feeds
from report import heading, note, progress, ratio, table

RUNS = int(os.environ.get("BENCH_COMPILE_RUNS", "1"))
GOAL_SECONDS, GOAL_BYTES = 180, 400e6
CACHE = BENCH / "feeds-cache"
AGAIN, ANEW, DECODE = "compiled again, nothing changed", "compiled, nothing kept", "documents decoded (baseline)"


def main() -> int:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--decode", action="store_true")
    if options.parse_args().decode:
        print(decode(feeds()))
        return 0
    try:
        folder = feeds()
    except Skipped as reason:
        heading("Compiling the advisories", f"Skipped: {reason}.")
        return 0
    environment = {**os.environ, "OPENINSPECTOR_CACHE": str(CACHE)}
    BENCH.mkdir(exist_ok=True)
    build = [str(SCANNER), "db", "build", "--feeds", str(folder), "--output", str(ADVISORIES)]
    anew = Side(build, lambda: shutil.rmtree(CACHE, ignore_errors=True))
    progress(f"compile: {folder}")
    sides = {ANEW: anew, AGAIN: Side(build), DECODE: Side([sys.executable, __file__, "--decode"])}
    samples: dict[str, list[Sample]] = {name: [] for name in sides}
    for _ in range(RUNS):
        found, reasons = interleaved({name: side._replace(patience=0) for name, side in sides.items()}, 0, environment)
        if reasons:
            raise SystemExit("; ".join(f"{name}: {why}" for name, why in reasons.items()))
        for name, each in found.items():
            samples[name] += each
    files = [file for file in folder.rglob("*") if file.is_file()]
    size = ADVISORIES.stat().st_size
    heading(
        "Compiling the advisories",
        f"""
{len(files)} documents of {sum(file.stat().st_size for file in files) / 1e6:.0f} MB into {size / 1e6:.0f} MB. Medians of
{RUNS}. Memory is that of the largest process; compiling uses one process a core.
""",
    )
    ours = middle(samples[ANEW])
    rows = []
    for name, each in samples.items():
        cost = middle(each)
        figures = [f"{cost.seconds:.1f}", f"{cost.cpu:.1f}", f"{cost.megabytes:.0f}", ratio(ours.seconds, cost.seconds)]
        rows.append([name, *figures])
    table(["what", "wall, s", "CPU, s", "peak MB", "compiled / it"], rows)
    missed = []
    if ours.seconds >= GOAL_SECONDS:
        missed.append(f"{ours.seconds:.0f} s (goal below {GOAL_SECONDS})")
    if size >= GOAL_BYTES:
        missed.append(f"{size / 1e6:.0f} MB (goal below {GOAL_BYTES / 1e6:.0f})")
    note("Goals missed in this run: " + ("; ".join(missed) if missed else "none") + ".")
    return 0


def decode(folder: Path) -> int:
    """Unpack every document, parse what is JSON; gives the bytes that came out."""
    size = 0
    for file in sorted(folder.rglob("*")):
        if not file.is_file():
            continue
        if file.suffix == ".zip":
            with zipfile.ZipFile(file) as archive:
                for name in archive.namelist():
                    size += parsed(name, archive.read(name))
        elif file.suffix == ".gz":
            size += parsed(file.stem, gzip.decompress(file.read_bytes()))
        else:
            size += parsed(file.name, file.read_bytes())
    return size


def parsed(name: str, data: bytes) -> int:
    """Parse a document if it is JSON; gives its size."""
    if name.endswith(".json"):
        try:
            json.loads(data)
        except ValueError:  # some are broken on purpose
            return len(data)
    return len(data)


if __name__ == "__main__":
    sys.exit(main())
