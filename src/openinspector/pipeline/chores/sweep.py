"""Closed findings are forgotten when their time has come."""

from datetime import timedelta
from typing import Final

from openinspector.pipeline.contract import Chore, Work
from openinspector.pipeline.ingest import sweep


def _sweep(work: Work) -> int:
    return sweep(work.database, work.clock())


PLUGIN: Final = Chore(name="sweep", every=timedelta(minutes=10), run=_sweep)
