"""CIS scans begin when they are due, and end when nothing more is to be heard of them."""

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from openinspector.errors import UsageError
from openinspector.pipeline.cis_schedule import next_run
from openinspector.pipeline.contract import Chore, Work
from openinspector.store.cis import open_scan, settle_scans
from openinspector.store.cis_due import move_due, next_due, targets_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_LOG: Final = logging.getLogger("openinspector.cis")
_NEXT_TRY: Final = timedelta(days=1)  # of a schedule that can't be read


def _begin_and_end(work: Work) -> int:
    begun = 0
    while not work.stopping():
        with work.database.system() as connection:
            if not _begin_next(connection, work.region, work.clock()):
                break
        begun += 1
    with work.database.system() as connection:
        settle_scans(connection, work.region, work.clock())
    return begun


def _begin_next(connection: "Connection", region: str, now: datetime) -> bool:
    """Begins the run that has been due for longest; False where none is. Of those that were missed, it is all."""
    configuration = next_due(connection, region, now)
    if configuration is None:
        return False
    open_scan(connection, configuration, targets_of(connection, configuration), now)
    move_due(connection, configuration, _due_again(configuration, now))
    return True


def _due_again(configuration: "Row[Any]", now: datetime) -> datetime | None:
    schedule = configuration.document["schedule"]
    if schedule.get("oneTime") is not None:
        return None
    try:
        return next_run(schedule, now)
    except UsageError as error:
        # It was readable when it was made: another machine knows other time zones.
        about = {"configuration": configuration.id, "account": configuration.account, "error": str(error)}
        _LOG.warning("cis schedule", extra={"request": about})
        return now + _NEXT_TRY


PLUGIN: Final = Chore(name="cis-schedules", every=timedelta(minutes=1), run=_begin_and_end)
