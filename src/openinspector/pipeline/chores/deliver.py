"""Events are sent to the sinks."""

from datetime import timedelta
from typing import Final

from openinspector.pipeline.contract import Chore
from openinspector.pipeline.deliver import deliver

PLUGIN: Final = Chore(name="deliver", every=timedelta(seconds=3), run=deliver, side_by_side=4)
