"""What the benchmarks say: Markdown that reads well in a terminal, too. Progress goes to standard error."""

import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

DASH = "–"


def heading(title: str, text: str) -> None:
    """A section's title and how its figures came about."""
    print(f"\n## {title}\n\n{wrapped(text)}\n", flush=True)


def note(text: str) -> None:
    """A paragraph under a table; one that ends with a colon leads to the next."""
    print(f"\n{wrapped(text)}" + ("\n" if text.endswith(":") else ""), flush=True)


def wrapped(text: str) -> str:
    """A paragraph in lines of one length."""
    return fill(" ".join(text.split()), 120, break_on_hyphens=False, break_long_words=False)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table; all columns but the first are set to the right."""
    widths = [max(len(each[at]) for each in (head, *rows)) for at in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    for row in (head, rule, *rows):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print(f"| {' | '.join(cells)} |")
    sys.stdout.flush()


def progress(text: str) -> None:
    """Tell whoever is waiting."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def ratio(ours: float, theirs: float | None) -> str:
    """Ours divided by theirs."""
    return f"{ours / theirs:.2f}" if theirs else DASH


def machine() -> str:
    """Where and when this was measured."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    load = os.getloadavg()[0]
    quiet = "" if load < (os.cpu_count() or 1) / 2 else " – **the machine was busy: measure again**"
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores ({cpu}), Linux {platform.release()},"
        f" Python {platform.python_version()}; load when it began {load:.1f}{quiet}."
    )
