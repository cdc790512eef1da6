"""`openinspector explain`."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from openinspector.cli.output import progress
from openinspector.cli.scan import PARTIAL, request_of
from openinspector.cli.waivers import policy_of
from openinspector.match.explain import Explanation, explain
from openinspector.model.package import Package
from openinspector.model.suppression import Suppression
from openinspector.model.vex import Statement
from openinspector.pipeline.scan import read_target
from openinspector.pipeline.suppress import Overruler, Policy
from openinspector.render.statement import statement_line
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
    policy = policy_of(chosen) or Policy()
    advisories = AdvisoryFile(Path(chosen.db) if chosen.db else default_path())
    with progress() as show:
        inventory = read_target(request_of(chosen), show)
    explanation = explain(chosen.vulnerability, inventory, advisories)
    said = _said(explanation, Overruler(policy, inventory, datetime.now(UTC).date()))
    if chosen.format == "json":
        document = {**msgspec.to_builtins(explanation), "said": said}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(document)).decode() + "\n")
    else:
        sys.stdout.write("\n".join([*_lines(explanation), *_said_lines(explanation, said)]) + "\n")
    return 0 if inventory.status == "whole" else PARTIAL


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What VEX statements and the ignore file say of one affected package."""

    package: Package
    suppressed: Suppression | None
    statements: tuple[Statement, ...]


def _affected(explanation: Explanation) -> list[Package]:
    return list(dict.fromkeys(step.package for step in explanation.steps if step.verdict == "affected"))


def _said(explanation: Explanation, overruler: Overruler) -> list[Said]:
    """What is said of each affected package."""
    names = (explanation.vulnerability, *explanation.aliases)
    rulings = ((package, overruler.judge(names, package)) for package in _affected(explanation))
    return [
        Said(package=package, suppressed=ruling.suppression, statements=ruling.statements)
        for package, ruling in rulings
        if ruling.suppression is not None or ruling.statements
    ]


def _said_lines(explanation: Explanation, said: list[Said]) -> list[str]:
    lines = []
    hidden = sum(1 for each in said if each.suppressed is not None)
    if hidden:
        verb = "is" if hidden == 1 else "are"
        lines.append(f"{hidden} of {len(_affected(explanation))} affected packages {verb} suppressed:")
    for each in said:
        name = f"{clean(each.package.name)} {clean(each.package.version)} in {clean(each.package.location.path)}"
        if each.suppressed is not None:
            lines.append(f"suppressed for {name}: {clean(str(each.suppressed))} [{clean(each.suppressed.source)}]")
        told = each.suppressed is not None and each.suppressed.kind == "vex"
        statements = each.statements[1:] if told else each.statements
        lines += [f"stated of {name}: {clean(statement_line(statement))}" for statement in statements]
    return lines


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
