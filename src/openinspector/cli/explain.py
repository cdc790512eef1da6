"""`openinspector explain`."""

import argparse
import sys
from pathlib import Path

import msgspec

from openinspector.cli.output import progress
from openinspector.cli.scan import PARTIAL, request_of
from openinspector.match.explain import Explanation, explain
from openinspector.pipeline.scan import read_target
from openinspector.render.table import clean
from openinspector.store.advisories import AdvisoryFile, default_path

_VERDICTS = {
    "affected": "AFFECTED",
    "not affected": "not affected",
    "does not concern": "does not concern this package",
    "undecided": "UNDECIDED",
}


def run(chosen: argparse.Namespace) -> int:
    """Say why a vulnerability is, or is not, reported of a target."""
    advisories = AdvisoryFile(Path(chosen.db) if chosen.db else default_path())
    with progress() as show:
        inventory = read_target(request_of(chosen), show)
    explanation = explain(chosen.vulnerability, inventory, advisories)
    if chosen.format == "json":
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(explanation)).decode() + "\n")
    else:
        sys.stdout.write("\n".join(_lines(explanation)) + "\n")
    return 0 if inventory.status == "whole" else PARTIAL


def _lines(explanation: Explanation) -> list[str]:
    names = f" (also {', '.join(explanation.aliases)})" if explanation.aliases else ""
    lines = [f"{explanation.vulnerability}{names}", ""]
    lines.append("advisories that speak of it: " + (", ".join(explanation.advisories) or "none in the advisory file"))
    lines.append("")
    for step in explanation.steps:
        package = step.package
        lines.append(
            f"{clean(package.name)} {clean(package.version)}  ({package.type}, {clean(package.location.path)})"
        )
        lines.append(f"  {step.feed} {step.advisory}: {step.namespace} {step.kind} package {clean(step.name)}")
        lines.append(f"  affected: {clean(step.range)}")
        lines.append(f"  compared: {clean(step.compared)} by {step.scheme}")
        lines.append(f"  verdict:  {_VERDICTS[step.verdict]}{': ' + clean(step.reason) if step.reason else ''}")
        lines.append("")
    lines.append(explanation.verdict)
    lines += explanation.doubts
    return lines
