"""Resources that are due are looked at again, in what was read from them last: nothing of them is read anew.

What becomes due so is a kind of scan that was switched on again. Resources that nothing was ever read from stay due,
until somebody hands in what they have.
"""

import logging
from datetime import timedelta
from typing import Final

from openinspector.errors import ConfinedError
from openinspector.pipeline.confined_scan import scan_confined
from openinspector.pipeline.contract import Chore, Work
from openinspector.pipeline.ingest import look_again
from openinspector.store.estate import claim_due

LOG: Final = logging.getLogger("openinspector.worker")

_CLAIMED: Final = 20  # at a time
_LEASE: Final = timedelta(minutes=15)  # after which others may have what whoever claimed it didn't come to


def _look(work: Work) -> int:
    looked = 0
    while not work.stopping():
        now = work.clock()
        with work.database.system() as connection:
            due = claim_due(connection, now, now + _LEASE, _CLAIMED)
        for each in due:
            if work.stopping():
                return looked
            looked += _look_at(work, each)
        if len(due) < _CLAIMED:
            break
    if looked:
        work.poke("deliver")
    return looked


def _look_at(work: Work, resource_id: int) -> bool:
    """Whether it was looked at. What can't be matched within the bounds stays due, and holds up no other."""
    try:
        done = look_again(work.database, work.advisories(), resource_id, work.clock(), scan_confined)
    except ConfinedError as error:
        LOG.warning("not looked at again", extra={"request": {"resource": resource_id, "why": str(error)}})
        return False
    return done is not None and not done.superseded


PLUGIN: Final = Chore(name="look-again", every=timedelta(seconds=30), run=_look, side_by_side=2)
