"""Scans of real file systems, applications and images, against Trivy and Syft in the same run."""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from measure import Sample, interleaved, middle
from peers import SYFT_PATIENCE, SYFT_RUNS, advisories, environment, install, listed, said_versions, sides
from places import RUNS, WORK, Skipped
from report import DASH, heading, note, progress, ratio, table
from targets import Target, every

LARGE = 400  # MB of an image from which the goal is half of Trivy's time
TOOLS = ("ours", "trivy", "syft")


class Row(NamedTuple):
    """One target in one state: what each tool cost, how often it ran, how much it listed, why it failed."""

    target: Target
    state: str
    costs: dict[str, Sample]
    counts: dict[str, int]
    listed: dict[str, int | None]
    reasons: dict[str, str]


def main() -> int:
    """Print the tables."""
    install()
    wanted = os.environ.get("BENCH_TARGETS", "").lower()
    known = advisories()
    rows, skipped = [], []
    for name, make in every().items():
        if wanted not in name.lower():
            continue
        try:
            targets = make()
        except Skipped as reason:
            skipped.append(f"{name}: {reason}")
            continue
        rows += measured(targets)
    heading("Scans", about(known))
    show(rows)
    if skipped:
        note("Skipped: " + "; ".join(skipped))
    return 0


def about(known: str) -> str:
    """How the figures came about."""
    return f"""
{said_versions()}. Ours reads, matches with the advisory file ({known}) and writes CycloneDX with vulnerabilities; the
peers read and write CycloneDX with the packages only, without a vulnerability database. Listing only: ours doing just
that (`sbom`), where matching is a large share. Medians of {RUNS} alternating
runs after one that is not counted (Syft {SYFT_RUNS}, and a single one where that takes more than {SYFT_PATIENCE:.0f}
seconds). Cold: the tools' caches are empty, the page cache is not. Memory: the largest resident size of any run.
"""


def measured(targets: Iterable[Target]) -> list[Row]:
    """Measure targets one after the other, images cold and warm."""
    rows = []
    for target in targets:
        cold: dict[str, Sample] = {}
        for state in ("cold", "warm") if target.kind == "image" else ("cold",):
            progress(f"{target.name} ({target.megabytes} MB), {state}")
            WORK.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=WORK) as folder:
                outputs = Path(folder)
                samples, reasons = interleaved(sides(target, warm=state == "warm"), RUNS, environment(), outputs)
                counted = {tool: listed(outputs / tool) for tool in samples}
            costs = {tool: middle(each) for tool, each in samples.items() if each}
            cold = cold or costs
            if "syft" in cold:
                costs.setdefault("syft", cold["syft"])  # it has no warm state
            counts = {tool: len(each) for tool, each in samples.items()}
            rows.append(Row(target, state, costs, counts, counted, reasons))
    return rows


TIMES = [
    *("target", "MB", "state", "ours, s", "Trivy, s", "ours / Trivy", "Syft, s", "ours / Syft"),
    *("ours listing only, s", "listing / Trivy"),
]
COSTS = ["target", "state", "ours, CPU s", "Trivy", "Syft", "ours / Trivy", "ours, MB", "Trivy", "Syft", "ours / Trivy"]
LISTED = ["target", "state", "ours", "Trivy", "Syft", "runs"]


def show(rows: Sequence[Row]) -> None:
    """Time, then processor time and memory, then whether all looked at the same things, then what missed its goal."""
    table(
        TIMES,
        [
            [
                row.target.name,
                str(row.target.megabytes or "<1"),
                row.state,
                figure(row, "ours", "seconds"),
                *(said for tool in TOOLS[1:] for said in (figure(row, tool, "seconds"), against(row, tool, "seconds"))),
                figure(row, "listing", "seconds"),
                against(row, "trivy", "seconds", ours="listing"),
            ]
            for row in rows
        ],
    )
    note("Processor seconds and peak memory of the same runs:")
    table(
        COSTS,
        [
            [
                row.target.name,
                row.state,
                *(
                    said
                    for what in ("cpu", "megabytes")
                    for said in (*(figure(row, tool, what) for tool in TOOLS), against(row, "trivy", what))
                ),
            ]
            for row in rows
        ],
    )
    note("Packages that each lists (they count differently, but nobody may win by not looking), and runs that count:")
    table(
        LISTED,
        [
            [
                row.target.name,
                row.state,
                *(DASH if row.listed.get(tool) is None else str(row.listed[tool]) for tool in TOOLS),
                " / ".join(str(row.counts.get(tool, 0)) for tool in TOOLS),
            ]
            for row in rows
        ],
    )
    failed = {f"{tool} on {row.target.name}: {why}" for row in rows for tool, why in row.reasons.items()}
    if failed:
        note("Failed: " + "; ".join(sorted(failed)))
    missed = [said for row in rows for said in misses(row)]
    note("Goals missed in this run: " + ("; ".join(missed) if missed else "none") + ".")


def figure(row: Row, tool: str, what: str) -> str:
    """One figure of one tool."""
    if tool not in row.costs:
        return DASH
    value = getattr(row.costs[tool], what)
    return f"{value:.0f}" if what == "megabytes" else f"{value:.2f}"


def against(row: Row, tool: str, what: str, ours: str = "ours") -> str:
    """Our figure divided by a peer's."""
    if tool not in row.costs or ours not in row.costs:
        return DASH
    return ratio(getattr(row.costs[ours], what), getattr(row.costs[tool], what))


def misses(row: Row) -> list[str]:
    """The goals that this row misses."""
    ours, trivy, syft = (row.costs.get(tool) for tool in TOOLS)
    if ours is None:
        return [f"{row.target.name}: no figure of ours"]
    goal = 0.5 if row.target.kind == "image" and row.target.megabytes >= LARGE else 1.0
    said = []
    if trivy and ours.seconds > goal * trivy.seconds:
        said.append(f"time {ours.seconds / trivy.seconds:.2f} of Trivy's (goal {goal:.1f})")
    if trivy and ours.megabytes >= trivy.megabytes:
        said.append(f"memory {ours.megabytes / trivy.megabytes:.2f} of Trivy's (goal below 1)")
    if syft and ours.seconds > 0.1 * syft.seconds:
        said.append(f"time {ours.seconds / syft.seconds:.2f} of Syft's (goal 0.1)")
    return [f"{row.target.name}, {row.state}: {', '.join(said)}"] if said else []


if __name__ == "__main__":
    sys.exit(main())
