"""`openinspector scan`."""

import argparse
import sys
from pathlib import Path

from openinspector.acquire.cache import default_folder
from openinspector.pipeline.scan import Request, read_target, scan
from openinspector.render.table import render
from openinspector.store.advisories import AdvisoryFile, default_path


def run(chosen: argparse.Namespace) -> int:
    """Scan a target and print what was found."""
    advisories = AdvisoryFile(Path(chosen.db) if chosen.db else default_path())
    inventory = read_target(Request(target=chosen.target, platform=chosen.platform, cache=default_folder()))
    report = scan(inventory, advisories)
    sys.stdout.write(render(report, colour=sys.stdout.isatty()))
    return 0
