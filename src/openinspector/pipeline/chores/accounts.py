"""What follows from kinds of scans that were switched on or off, and from suspended accounts, is done."""

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from openinspector.pipeline.contract import Chore, Work
from openinspector.pipeline.writing import in_one_go
from openinspector.store.enablement import Due, Followed, due_now, follow
from openinspector.store.matched import keep_rematch_out

if TYPE_CHECKING:
    from sqlalchemy import Connection


def _follow(work: Work) -> int:
    changed = 0
    for of_types in (False, True):  # an account that is suspended no longer has its types gone through
        last: Due | None = None
        while not work.stopping():
            with work.database.system() as connection:
                page = due_now(connection, work.clock(), of_types=of_types, after=last)
            if not page:
                break
            last = page[-1]
            changed += sum(_follow_one(work, each) for each in page)
    if changed:
        work.poke("deliver")
    return changed


def _follow_one(work: Work, due: Due) -> int:
    changed = 0
    while not work.stopping():
        done = in_one_go(work.database, partial(_write, due=due, now=work.clock()))
        changed += done.changed
        if done.is_done:
            break
    return changed


def _write(connection: "Connection", due: Due, now: datetime) -> Followed:
    keep_rematch_out(connection)
    return follow(connection, due, now)


PLUGIN: Final = Chore(name="accounts", every=timedelta(minutes=5), run=_follow)
