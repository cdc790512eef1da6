"""Advisories that took the place of others are put in force: what they touch is matched again, and findings follow."""

import logging
from datetime import timedelta
from typing import Final

from openinspector.pipeline.contract import Chore, Work
from openinspector.pipeline.rematch import rematch
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.kept_generations import KeptGenerations

_log = logging.getLogger(__name__)


def _rematch(work: Work) -> int:
    # A connection of its own: SQLite's are used by one thread each.
    advisories = AdvisoryFile(work.advisories().path)
    try:
        done = rematch(work.database, advisories, KeptGenerations(work.data), work.clock, stopping=work.stopping)
    finally:
        advisories.close()
    if done.way != "nothing":
        said = ", ".join(f"{count} {change.lower()}" for change, count in sorted(done.changes.items()))
        _log.info(
            "advisories %s (%s): %d packages judged, findings: %s; %.1f s%s",
            done.digest,
            done.way,
            done.packages,
            said or "none changed",
            done.seconds,
            f"; {done.why}" if done.why else "",
        )
    elif done.why:
        _log.debug("advisories %s: %s", done.digest, done.why)
    if done.events:
        work.poke("deliver")
    return done.packages + done.events + done.scores


PLUGIN: Final = Chore(name="rematch", every=timedelta(seconds=30), run=_rematch, side_by_side=2)
