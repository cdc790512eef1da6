"""A CIS run as PDF: what was run and how it ended, then every check with what it found on each instance.

AWS publishes no description of its file; this one has what the CSV has. A check's title, description and remediation
stand once, above its instances; where an instance told others, they stand beside it.

Source: Inspector's API reference, CisScanResultDetails, CisCheckAggregation and CisTargetResourceAggregation.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import IO, Final

from msgspec import Struct

from openinspector.render.pdf_sheets import GREY, INNER, Colour, Column, PagesFull, Sheets
from openinspector.render.text import cut

MOST_PAGES: Final = 10_000

_COLOURS: Final[Mapping[str, Colour]] = {"FAILED": (0.7, 0.07, 0.07), "PASSED": (0.0, 0.38, 0.16), "SKIPPED": GREY}
_COUNTED: Final = tuple(Column(name, 42, right=True) for name in ("Passed", "Failed", "Skipped"))
_CHECKS: Final = (
    Column("Check", 68),
    Column("Title", INNER - 68 - 48 - 92 - 126),
    Column("Level", 48),
    Column("Platform", 92),
    *_COUNTED,
)
_TARGETS: Final = (
    Column("Account", 66),
    Column("Instance", 94),
    Column("Platform", 90),
    Column("Benchmark", INNER - 66 - 94 - 90 - 80 - 126),
    Column("Session", 80),  # UNSUPPORTED_OS is the widest word that it may have
    *_COUNTED,
)
_RESULTS: Final = (
    Column("Account", 72),
    Column("Instance", 112),
    Column("Status", 56, colours=_COLOURS),
    Column("Reason", INNER - 72 - 112 - 56),
)
_SHARED: Final = ("Title", "Level", "Check Description", "Remediation")  # of all instances of a check
_UNTITLED: Final = "(the check has no title)"


class CisRun(Struct, frozen=True, kw_only=True):
    """A run, as its report's account sees it. `name`, `level` and `scheduled_by` are "" where it doesn't see them.

    `date` is when the run started or, where that isn't seen, when its first result came; aware, UTC. `benchmarks` are
    those that were told. `total` is the number of results, which are those of `instances` and of `checks`.
    """

    scan_arn: str
    date: datetime
    starts: bool  # whether `date` is when it started
    accounts: Sequence[str]
    name: str = ""
    level: str = ""
    scheduled_by: str = ""
    benchmarks: Sequence[str] = ()
    instances: int = 0
    checks: int = 0
    total: int = 0
    passed: int = 0
    failed: int = 0
    skipped: int = 0


class CheckCounts(Struct, frozen=True, kw_only=True):
    """How often a check passed, failed, was skipped on the instances of a platform."""

    check_id: str
    title: str
    level: str
    platform: str
    passed: int
    failed: int
    skipped: int


class TargetCounts(Struct, frozen=True, kw_only=True):
    """How many checks passed, failed, were skipped on an instance, and how its session ended."""

    account: str
    resource: str
    platform: str
    benchmark: str
    status: str
    reason: str
    passed: int
    failed: int
    skipped: int


def write(
    file: IO[bytes],
    run: CisRun,
    checks: Iterable[CheckCounts],
    targets: Iterable[TargetCounts],
    results: Iterable[Mapping[str, str]],
    *,
    most_pages: int = MOST_PAGES,
) -> None:
    """Writes a report, at once and at the end; each iterable is walked once, in turn.

    `results` have texts by the names of the CSV's columns, those of a check on a platform one after the other. What
    doesn't fit on `most_pages` is left out, which the first page says.
    """
    title = f"CIS scan report: {run.name}" if run.name else "CIS scan report"
    sheets = Sheets(file, title=title, subject=run.scan_arn, made=run.date, most_pages=most_pages)
    counter = _Counter()
    try:
        _cover(sheets, title, run)
        sheets.heading("Checks, counted", 1, bookmark="Checks, counted")
        sheets.table(_CHECKS, map(_check_row, checks))
        sheets.heading("Instances, counted", 1, bookmark="Instances, counted")
        sheets.table(_TARGETS, map(_target_row, targets))
        sheets.heading("Results by check", 1, bookmark="Results by check")
        if not run.total:
            sheets.paragraph("There are no results.")
        for _, same in groupby(results, key=lambda each: (each["Check Id"], each["Platform"])):
            _check(sheets, same, counter)
    except PagesFull:
        left = f"All but {counter.drawn:,} of {run.total:,} results are left out: a report ends after "
        said = f"{left}{most_pages:,} pages. The CSV of this scan has them all."
    else:
        said = "Whole: every result of this scan that the account may see."
    sheets.end({"extent": said})


class _Counter:
    """Counts what was drawn."""

    drawn = 0


def _cover(sheets: Sheets, title: str, run: CisRun) -> None:
    sheets.heading(title, 0)
    unseen = "not visible to the account that asked for the report"
    sheets.fact("Scan name", run.name or unseen)
    sheets.fact("Scan", run.scan_arn)
    sheets.fact("Started" if run.starts else "First result", f"{run.date:%Y-%m-%d %H:%M:%S} UTC")
    sheets.fact("Level", _level(run.level) if run.level else unseen)
    sheets.fact("Benchmarks", ", ".join(run.benchmarks) or "not told by the instances")
    sheets.fact("Scheduled by", run.scheduled_by or unseen)
    sheets.fact("Accounts", ", ".join(run.accounts) or "none")
    sheets.fact("Results", f"{run.total:,}: {run.checks:,} checks on {run.instances:,} instances")
    sheets.fact("Outcome", f"{run.passed:,} passed, {run.failed:,} failed, {run.skipped:,} skipped")
    sheets.fact_for_later("This report", "extent")


def _check_row(counts: CheckCounts) -> tuple[str, ...]:
    numbers = (str(counts.passed), str(counts.failed), str(counts.skipped))
    return counts.check_id, counts.title, _level(counts.level), counts.platform, *numbers


def _target_row(counts: TargetCounts) -> tuple[str, ...]:
    session = "\n".join(filter(None, (counts.status, counts.reason)))
    numbers = (str(counts.passed), str(counts.failed), str(counts.skipped))
    return counts.account, counts.resource, counts.platform, counts.benchmark, session, *numbers


def _check(sheets: Sheets, results: Iterator[Mapping[str, str]], counter: _Counter) -> None:
    first = next(results)
    title = first["Title"] or _UNTITLED
    bookmark = cut(f"{first['Check Id']} {title}", 100)
    sheets.heading(f"{first['Check Id']}  {title}", 2, bookmark=bookmark)
    sheets.paragraph(", ".join(filter(None, (_level(first["Level"]), first["Platform"]))), colour=GREY)
    if first["Check Description"]:
        sheets.paragraph(first["Check Description"], label="Description")
    if first["Remediation"]:
        sheets.paragraph(first["Remediation"], label="Remediation")
    sheets.table(_RESULTS, _result_rows(first, results, counter))


def _result_rows(
    first: Mapping[str, str], others: Iterable[Mapping[str, str]], counter: _Counter
) -> Iterator[tuple[str, ...]]:
    yield _result_row(first, first)
    for each in others:
        counter.drawn += 1  # the one before: this one is yet to be drawn
        yield _result_row(first, each)
    counter.drawn += 1


def _result_row(first: Mapping[str, str], result: Mapping[str, str]) -> tuple[str, ...]:
    """A row; what an instance tells otherwise than the check's heading does stands below the reason."""
    other = [f"{name}: {_shown(name, result[name])}" for name in _SHARED if result[name] != first[name]]
    reason = "\n".join(filter(None, (result["Status Reason"], *other)))
    return result["Account Id"], result["Target Resource Id"], result["Status"], reason


def _shown(name: str, text: str) -> str:
    return (_level(text) if name == "Level" else text) or "(none)"


def _level(word: str) -> str:
    """`LEVEL_1` as people write it."""
    return word.replace("_", " ").capitalize()
