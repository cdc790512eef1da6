"""`openinspector scan`."""

import argparse
import gc
import sys
from importlib import import_module
from pathlib import Path

from msgspec.structs import replace

from openinspector.acquire.cache import default_folder
from openinspector.cli.output import progress, wants_colour, write
from openinspector.cli.waivers import policy_of
from openinspector.model.match import SEVERITIES, Report, SeverityWord
from openinspector.pipeline.scan import Request, read_target, scan
from openinspector.store.advisories import AdvisoryFile, default_path

GATE, PARTIAL = 1, 3

_RENDERERS = {
    "json": "json_report",
    "csv": "csv_report",
    "html": "html_report",
}


def run(chosen: argparse.Namespace) -> int:
    """Scan a target and say what was found."""
    gc.disable()  # one scan's records live until the end; looking for cycles among them costs a tenth of the time
    policy = policy_of(chosen)
    advisories = AdvisoryFile(Path(chosen.db) if chosen.db else default_path())
    with progress() as show:
        inventory = read_target(request_of(chosen), show)
    report = scan(inventory, advisories)
    if policy is not None:
        from openinspector.pipeline.suppress import overrule

        report = overrule(report, policy)
    report = narrowed(report, chosen.severity, unfixed=not chosen.ignore_unfixed)
    write(rendered(report, chosen), chosen.output)
    if inventory.status != "whole":
        reasons = sum(1 for problem in inventory.problems if problem.partial)
        print(f"openinspector: the scan is partial: {reasons} files could not be read", file=sys.stderr)
        return PARTIAL
    return GATE if chosen.fail_on and reaches(report, chosen.fail_on) else 0


def request_of(chosen: argparse.Namespace) -> Request:
    """What the arguments ask to be read."""
    return Request(
        target=chosen.target,
        platform=chosen.platform,
        lambda_layers=tuple(Path(each) for each in chosen.lambda_layer),
        cache=None if chosen.no_cache else default_folder(),
    )


def rendered(report: Report, chosen: argparse.Namespace) -> str:
    """The report in the format asked for."""
    if chosen.format == "table":
        from openinspector.render.table import render

        colour = chosen.output is None and wants_colour(refused=chosen.no_color)
        return render(report, colour=colour, show_suppressed=chosen.show_suppressed)
    module = import_module(f"openinspector.render.{_RENDERERS.get(chosen.format, chosen.format)}")
    return str(module.render(report))


def narrowed(report: Report, least: str, *, unfixed: bool) -> Report:
    """The report without what is less severe than asked for, and without what has no fix if so asked; it says so."""
    kept = tuple(each for each in report.findings if each.severity in _at_least(least))
    notes = list(report.notes)
    if len(kept) < len(report.findings):
        notes.append(f"{len(report.findings) - len(kept)} findings less severe than {least} are left out.")
    if not unfixed:
        fixable = tuple(each for each in kept if each.match.fixed_version)
        if len(fixable) < len(kept):
            notes.append(f"{len(kept) - len(fixable)} findings without a fix are left out.")
        kept = fixable
    return replace(report, findings=kept, notes=tuple(notes))


def _at_least(gate: str) -> tuple[SeverityWord, ...]:
    return SEVERITIES if gate == "any" else SEVERITIES[: SEVERITIES.index(gate) + 1]


def reaches(report: Report, gate: str) -> bool:
    """Whether anything new and not suppressed is as severe as the gate; an unknown severity reaches only `any`."""
    counting = (each for each in report.findings if not each.suppressed and not each.known_since)
    return any(each.severity in _at_least(gate) for each in counting)
