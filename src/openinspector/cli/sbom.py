"""`openinspector sbom`."""

import argparse
from datetime import UTC, datetime
from importlib import import_module

from openinspector import __version__
from openinspector.cli.output import progress, write
from openinspector.cli.scan import PARTIAL, request_of
from openinspector.model.match import Report
from openinspector.pipeline.scan import read_target


def run(chosen: argparse.Namespace) -> int:
    """List the packages of a target as an SBOM."""
    with progress() as show:
        inventory = read_target(request_of(chosen), show)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    report = Report(inventory=inventory, scanned_at=now, tool_version=__version__)
    write(str(import_module(f"openinspector.render.{chosen.format}").render(report)), chosen.output)
    return 0 if inventory.status == "whole" else PARTIAL
