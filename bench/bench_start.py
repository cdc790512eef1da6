"""How long a command takes that does nothing: `openinspector --version`."""

import sys
from statistics import mean, stdev

from measure import Side, interleaved, middle
from peers import binary, environment, install, versions
from places import SCANNER
from report import DASH, heading, note, ratio, table

RUNS = 20
GOAL = 0.060  # seconds


def main() -> int:
    """Print the table."""
    install()
    sides = {
        "openinspector --version": Side([str(SCANNER), "--version"]),
        "python -c pass (the floor)": Side([sys.executable, "-c", "pass"]),
    }
    for name, words in (("trivy", ["--version"]), ("syft", ["version"])):
        program = binary(name)
        if program:
            sides[f"{name} {words[0]} ({versions()[name]})"] = Side([program, *words])
    samples, reasons = interleaved(sides, RUNS, environment())
    heading("Start", f"{RUNS} alternating runs after one that is not counted; milliseconds.")
    ours = middle(samples["openinspector --version"])
    rows = []
    for name, each in samples.items():
        if not each:
            rows.append([name, *[DASH] * 7])
            continue
        times = [1000 * sample.seconds for sample in each]
        cost = middle(each)
        rows.append(
            [
                name,
                f"{1000 * cost.seconds:.1f}",
                f"{mean(times):.1f} ± {stdev(times):.1f}",
                f"{min(times):.1f}",
                f"{max(times):.1f}",
                f"{1000 * cost.cpu:.1f}",
                f"{cost.megabytes:.0f}",
                ratio(ours.seconds, cost.seconds),
            ]
        )
    table(["command", "median", "mean ± σ", "least", "most", "CPU", "peak MB", "ours / it"], rows)
    if reasons:
        note("Failed: " + "; ".join(f"{name}: {why}" for name, why in reasons.items()))
    missed = f"{1000 * ours.seconds:.0f} ms (goal below {1000 * GOAL:.0f})" if ours.seconds >= GOAL else "none"
    note(f"Goals missed in this run: {missed}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
