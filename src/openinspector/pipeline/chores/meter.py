"""The hours in which resources were covered are counted, and what was used long ago is forgotten.

Between two countings nothing is lost: see store/usage.py.
"""

from datetime import timedelta
from typing import Final

from openinspector.pipeline.contract import Chore, Work
from openinspector.store.usage import count_hours, forget_usage

_AT_ONCE: Final = 20_000  # periods, or records


def _meter(work: Work) -> int:
    now = work.clock()
    kept = work.settings.usage.keep_days
    counted = after = 0
    while not work.stopping():
        with work.database.system() as connection:
            done = count_hours(connection, now, after=after, most=_AT_ONCE, days=kept)
        counted, after = counted + done.periods, done.last
        if done.periods < _AT_ONCE:
            break
    before = now.date() - timedelta(days=kept)
    while not work.stopping():
        with work.database.system() as connection:
            if forget_usage(connection, before, _AT_ONCE) < _AT_ONCE:
                break
    return counted


PLUGIN: Final = Chore(name="meter", every=timedelta(hours=1), run=_meter)
