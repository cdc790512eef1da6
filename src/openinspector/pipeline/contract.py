"""What a chore is: something that the service does of its own accord, by the clock or because something happened.

To add one: write `pipeline/chores/<name>.py` that offers `PLUGIN: Final = Chore(…)`. What is to be done is state in the
database (a finding whose time has come, an event that isn't sent, a report that is asked for); a chore finds what is
due, does it in transactions of its own, small enough to be lost, and says how much it did. It may be broken off at any
moment and be begun again, twice or never: doing it again does what is still to be done, and nothing twice. Whoever
makes something due calls `poke` afterwards; a poke that is lost costs no more than the wait for `every`.

    def _sweep(work: Work) -> int:
        return sweep(work.database, work.clock())

    PLUGIN: Final = Chore(name="sweep", every=timedelta(minutes=10), run=_sweep)
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from openinspector.pipeline.settings import Settings

if TYPE_CHECKING:
    from openinspector.store.advisories import AdvisoryFile
    from openinspector.store.database import Database
    from openinspector.store.sealing import Sealer


def nobody(_chore: str) -> None:
    """Where no worker listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a chore is done with.

    `clock` gives aware UTC moments. `stopping` is asked between two pieces of work: where it is true the chore leaves
    off, and what remains is done another time. `poke` has another chore (or the same one) done soon. `holder` is whose
    the leases are that it takes (`store/holders.py`); 0 where there is one of it only.
    """

    database: "Database"
    region: str
    data: Path
    settings: Settings
    advisories: Callable[[], "AdvisoryFile"]
    sealer: "Sealer"
    clock: Callable[[], datetime]
    stopping: Callable[[], bool] = lambda: False
    poke: Callable[[str], None] = nobody
    holder: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """Something to be done every so often, and sooner when it is poked.

    `run` gives how many things it did. Of all workers one does it at a time; `side_by_side` is how many may, where its
    pieces are claimed (`FOR UPDATE SKIP LOCKED`) so that two never have the same one.
    """

    name: str
    every: timedelta
    run: Callable[[Work], int]
    side_by_side: int = 1
