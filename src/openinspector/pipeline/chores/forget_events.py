"""Events that were sent are forgotten some days later."""

from datetime import timedelta
from typing import Final

from openinspector.pipeline.contract import Chore
from openinspector.pipeline.deliver import forget_events

PLUGIN: Final = Chore(name="forget-events", every=timedelta(hours=1), run=forget_events)
