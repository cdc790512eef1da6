"""The organization is brought up to date with AWS, where the settings ask for it."""

from datetime import timedelta
from typing import Final

from openinspector.pipeline.contract import Chore, Work
from openinspector.pipeline.organization import synchronize


def _synchronize(work: Work) -> int:
    if not work.settings.organization.source:
        return 0
    done = synchronize(work.database, work.settings, work.region, work.clock())
    if done.is_news:
        for each in ("accounts", "suppress"):  # accounts that joined or left have other scans and other rules
            work.poke(each)
    return len(done.joined) + len(done.left) + len(done.changed)


PLUGIN: Final = Chore(name="organization", every=timedelta(minutes=15), run=_synchronize)
