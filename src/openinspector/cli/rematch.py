"""`openinspector rematch`: the advisory file is put in force, and the findings in the service's database follow."""

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from openinspector.cli.service import data_folder, database
from openinspector.store.advisories import AdvisoryFile, default_path

if TYPE_CHECKING:
    from openinspector.pipeline.rematch import Rematched

_UNFINISHED: Final = 3


def run(chosen: argparse.Namespace) -> int:
    """Match again what the advisory file says otherwise than the one in force, and tell what changed."""
    from openinspector.pipeline.rematch import rematch
    from openinspector.pipeline.worker import chores, poker
    from openinspector.store.kept_generations import KeptGenerations

    advisories = AdvisoryFile(default_path())
    kept = KeptGenerations(data_folder(chosen))
    with database(chosen) as found:
        done = rematch(found, advisories, kept, lambda: datetime.now(UTC), full=chosen.full, forced=True)
        if done.events:
            poker(found, chores())("deliver")
    if chosen.format == "json":
        said = {
            "digest": done.digest,
            "in_force": done.is_in_force,
            "way": done.way,
            "why": done.why,
            "packages": done.packages,
            "flaws": done.flaws,
            "changes": {change.lower(): count for change, count in done.changes.items()},
            "events": done.events,
            "scores": done.scores,
            "seconds": round(done.seconds, 3),
        }
        print(msgspec.json.format(msgspec.json.encode(said)).decode())
    else:
        print(_told(done))
    return 0 if done.is_in_force else _UNFINISHED


def _told(done: "Rematched") -> str:
    """What was done, in a line."""
    if done.way == "nothing":
        return f"{done.digest}: {done.why or 'in force already, nothing to do'}"
    changes = ", ".join(f"{count} {change.lower()}" for change, count in sorted(done.changes.items()))
    what = "everything was matched again" if done.way == "full" else "what differs was matched again"
    line = (
        f"{done.digest}: {what} ({done.packages} packages, {done.flaws} flaws told otherwise);"
        f" findings: {changes or 'none changed'}; {done.scores} EPSS scores; {done.seconds:.1f} s"
    )
    return line if done.is_in_force else f"{line}; not in force yet: {done.why}"
