"""Findings reports and SBOM exports that were asked for are made."""

from datetime import timedelta
from typing import Final

from openinspector.pipeline.contract import Chore, Work
from openinspector.pipeline.reports import do_next, forget


def _reports(work: Work) -> int:
    done = forget(work)
    while not work.stopping() and do_next(work):
        done += 1
    return done


PLUGIN: Final = Chore(name="reports", every=timedelta(minutes=1), run=_reports, side_by_side=2)
