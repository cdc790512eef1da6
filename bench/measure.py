"""What commands cost, measured in alternation so that the machine's moods meet all of them alike."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

LAUNCHER = Path(__file__).with_name("launcher.py")
FINE = (0, 3)  # 3: a scan that says it is partial


class Sample(NamedTuple):
    """What one run cost: wall and processor seconds, peak megabytes of the largest process."""

    seconds: float
    cpu: float
    megabytes: float


class Side(NamedTuple):
    """One command in a comparison. `before` runs ahead of every run and is not measured.

    `runs` are those that count; None takes what the comparison takes. One that takes longer than `patience` seconds
    the first time is not run again, and that run counts.
    """

    command: Sequence[str]
    before: Callable[[], None] = lambda: None
    runs: int | None = None
    patience: float = float("inf")


class Failed(Exception):
    """A command ended as it should not have."""


def once(command: Sequence[str], environment: Mapping[str, str], output: Path | None = None) -> Sample:
    """Run a command; its output goes to a file or nowhere.

    Raises:
        Failed: With the last lines of what it complained of.
    """
    launched = [sys.executable, "-I", "-S", str(LAUNCHER), str(output or os.devnull), *command]
    said = subprocess.run(launched, env=dict(environment), capture_output=True, text=True, check=False)
    if said.returncode:
        raise Failed(f"{command[0]} can't be started: {said.stderr.strip()[-300:]}")
    seconds, cpu, kilobytes, status = said.stdout.split()
    if int(status) not in FINE:
        errors = Path(f"{output}.errors").read_text("utf-8", "replace") if output else ""
        raise Failed(f"{Path(command[0]).name} ended with {status}: {errors.strip()[-300:]}")
    return Sample(float(seconds), float(cpu), int(kilobytes) / 1024)


def interleaved(
    sides: Mapping[str, Side], runs: int, environment: Mapping[str, str], outputs: Path | None = None
) -> tuple[dict[str, list[Sample]], dict[str, str]]:
    """The counted samples of each side, and why a side has none.

    The first round, which fills the page cache, is not counted; each round starts with another side. What a side
    wrote in the first round is left in `outputs`, under its name.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in sides}
    reasons: dict[str, str] = {}
    names = list(sides)
    for at in range(runs + 1):
        for name in names[at % len(names) :] + names[: at % len(names)]:
            side = sides[name]
            if name in reasons or at > (runs if side.runs is None else side.runs):
                continue
            if samples[name] and samples[name][0].seconds > side.patience:
                continue
            side.before()
            try:
                sample = once(side.command, environment, outputs / name if outputs and at == 0 else None)
            except Failed as failed:
                reasons[name] = str(failed)
                continue
            if at or sample.seconds > side.patience:
                samples[name].append(sample)
    return samples, reasons


def middle(samples: Sequence[Sample]) -> Sample:
    """The median of each figure but memory, of which the largest counts."""
    return Sample(
        median(each.seconds for each in samples),
        median(each.cpu for each in samples),
        max(each.megabytes for each in samples),
    )
