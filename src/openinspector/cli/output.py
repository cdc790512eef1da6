"""Where a command's words go, and how a person sees that work goes on."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openinspector.acquire.contract import Progress, no_progress
from openinspector.errors import UsageError


def wants_colour(*, refused: bool) -> bool:
    """Whether to colour: on a terminal, unless NO_COLOR is set or it was refused."""
    return not refused and "NO_COLOR" not in os.environ and sys.stdout.isatty()


def write(text: str, output: str | None) -> None:
    """Write to a file, whole or not at all, or to standard output. A device or a pipe is written to, never replaced.

    Raises:
        UsageError: The file can't be written.
    """
    if output is None:
        sys.stdout.write(text)
        return
    path = scratch = Path(output)
    if path.is_file() or not path.exists():
        path = Path(os.path.realpath(path))  # a link stays a link
        scratch = path.with_name(path.name + ".new")
    try:
        scratch.write_text(text, encoding="utf-8", errors="backslashreplace")
        if scratch != path:
            scratch.replace(path)
    except OSError as error:
        raise UsageError(f"{output} can't be written: {error.strerror or error}") from error


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress display on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield no_progress
        return
    shown = ""

    def show(what: str, done: int, of: int) -> None:
        nonlocal shown
        line = f"{what} {done}/{of}" if of else f"{what} {done}"
        sys.stderr.write(f"\r{line.ljust(len(shown))}")
        sys.stderr.flush()
        shown = line

    try:
        yield show
    finally:
        if shown:
            sys.stderr.write("\r" + " " * len(shown) + "\r")
            sys.stderr.flush()
