"""A worker of reports as a process of its own, which a test may kill.

    python -m tests.chores.report_worker <owner's url> <requests' url> <settings as JSON> <stop at the nth page, or 0>
        <bytes of a part>

It prints `paused` when it has come to that page, and waits to be killed; else its peak memory in KiB when all is done.
"""

import re
import sys
import threading
from pathlib import Path

import msgspec
from tests.service.callers import REGION, START

from openinspector.pipeline.chores.reports import PLUGIN
from openinspector.pipeline.contract import Work
from openinspector.pipeline.settings import Settings
from openinspector.store.database import connect
from openinspector.store.sealing import Sealer
from openinspector.transport import s3


def main(owner, app, settings, pause, part):
    asked = 0
    s3.PART = int(part)

    def stopping():
        nonlocal asked
        asked += 1
        if asked == int(pause):
            print("paused", flush=True)
            threading.Event().wait()
        return False

    with connect(owner, app_url=app, pool=2) as database:
        PLUGIN.run(
            Work(
                database=database,
                region=REGION,
                data=Path("/nowhere"),
                settings=msgspec.json.decode(settings, type=Settings),
                advisories=None,
                sealer=Sealer([b"s" * 32]),
                clock=lambda: START,
                stopping=stopping,
            )
        )
    # Of this program alone: `ru_maxrss` is never less than what the process had that started it.
    [peak] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(peak, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
