"""What has changed in the number of findings is added up, so that aggregations have less to read."""

from datetime import timedelta
from typing import Final

from openinspector.pipeline.contract import Chore, Work
from openinspector.store.layer_tallies import recount_layers
from openinspector.store.tallies import fold

_AT_ONCE: Final = 50_000  # rows of each table, in one transaction
_RESOURCES_AT_ONCE: Final = 500  # whose layers are counted, in one


def _tally(work: Work) -> int:
    folded = 0
    while not work.stopping():
        with work.database.system() as connection:
            count = fold(connection, _AT_ONCE)
        folded += count
        if count < _AT_ONCE:
            break
    while not work.stopping():
        with work.database.system() as connection:
            count = recount_layers(connection, _RESOURCES_AT_ONCE)
        folded += count
        if not count:
            break
    return folded


PLUGIN: Final = Chore(name="tally", every=timedelta(minutes=1), run=_tally)
