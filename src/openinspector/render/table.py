"""A report as a table for people: grouped by where packages come from, the worst first, as wide as the terminal."""

import shutil
from collections.abc import Iterable, Sequence

from openinspector.model.inventory import Inventory
from openinspector.model.match import SEVERITIES, Finding, Report
from openinspector.model.package import OS_TYPES

_COLOURS = {
    "critical": "\x1b[1;97;41m",
    "high": "\x1b[1;31m",
    "medium": "\x1b[33m",
    "low": "\x1b[36m",
    "negligible": "\x1b[2m",
    "unknown": "\x1b[2m",
}
_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_NARROWEST = 60


def render(report: Report, *, colour: bool = False, width: int = 0, show_suppressed: bool = False) -> str:
    """The table; `width` in columns, 0 for the terminal's. Suppressed findings are counted, or listed if asked for."""
    width = max(width or shutil.get_terminal_size((120, 24)).columns, _NARROWEST)
    paint = _Paint(colour=colour)
    lines = [*_head(report, paint), ""]
    shown = [each for each in report.findings if not each.suppressed]
    for title, findings in _groups(shown, report.inventory):
        lines += [paint(title, _BOLD), *_table(findings, width, paint), ""]
    if show_suppressed:
        lines += _suppressed([each for each in report.findings if each.suppressed], paint)
    lines += _tail(report, shown, paint)
    return "\n".join(lines) + "\n"


class _Paint:
    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def __call__(self, text: str, code: str) -> str:
        return f"{code}{text}{_RESET}" if self._colour and text else text


def _head(report: Report, paint: _Paint) -> Iterable[str]:
    inventory = report.inventory
    target = inventory.target
    yield paint(f"{clean(target.name)} ({target.kind})", _BOLD)
    system = inventory.distribution
    facts = [clean(system.title or system.namespace or system.id) if system else "no distribution"]
    if target.platform:
        facts.append(target.platform)
    facts.append(f"{len(inventory.packages)} packages")
    if target.layers:
        facts.append(f"{len(target.layers)} layers")
    if inventory.status != "whole":
        facts.append(f"a {inventory.status} scan")
    yield paint("  ".join(facts), _DIM)


def _groups(findings: Sequence[Finding], inventory: Inventory) -> Iterable[tuple[str, list[Finding]]]:
    """Findings by where they are: the distribution's packages first, then each file or kind of language package."""
    groups: dict[tuple[int, str], list[Finding]] = {}
    for each in findings:
        package = each.match.package
        if package.type in OS_TYPES:
            system = inventory.distribution
            key = (0, clean((system.title or system.namespace) if system else package.type))
        else:
            key = (1, _place(each))
        groups.setdefault(key, []).append(each)
    for (_, title), members in sorted(groups.items()):
        yield f"{title}: {_count(members)}", _together(members)


def _together(findings: Sequence[Finding]) -> list[Finding]:
    """What a package has stands together; packages keep the order of their worst."""
    place: dict[tuple[str, str], int] = {}
    for at, each in enumerate(findings):
        place.setdefault((each.match.package.name, each.match.package.version), at)
    return sorted(findings, key=lambda each: place[each.match.package.name, each.match.package.version])


def _place(finding: Finding) -> str:
    package = finding.match.package
    if package.format in ("pypi.metadata", "npm.package", "gem.gemspec", "maven.jar"):
        return _INSTALLED[package.format]
    return clean(package.location.path)


_INSTALLED = {
    "pypi.metadata": "Python packages",
    "npm.package": "Node.js packages",
    "gem.gemspec": "Ruby gems",
    "maven.jar": "Java archives",
}


def _count(findings: Sequence[Finding]) -> str:
    counts = {word: sum(1 for each in findings if each.severity == word) for word in SEVERITIES}
    said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    return f"{len(findings)} ({said})" if said else "0"


def _table(findings: Sequence[Finding], width: int, paint: _Paint) -> Iterable[str]:
    folded = _folded(findings)
    rows = [row for _, row in folded]
    names = ("PACKAGE", "INSTALLED", "FIXED IN", "VULNERABILITY", "SEVERITY", "SCORE", "EPSS", "")
    most = (28, 24, 24, 20, 10, 5, 5, 19)
    sizes = [min(limit, max(len(row[at]) for row in (names, *rows))) for at, limit in enumerate(most)]
    room = max(width - sum(sizes) - 2 * len(sizes), 0)
    header = "  ".join(name.ljust(size) for name, size in zip(names, sizes, strict=True))
    yield paint((header + ("  TITLE" if room > 12 else "")).rstrip(), _DIM)
    before = ""
    for each, row in folded:
        cells = [_fit(cell, size) for cell, size in zip(row, sizes, strict=True)]
        same = row[0] + row[1]
        if same == before:
            cells[0], cells[1] = " " * sizes[0], " " * sizes[1]
        before = same
        cells[4] = paint(cells[4], _COLOURS[each.severity])
        cells[7] = paint(cells[7], _BOLD)
        title = _fit(clean(each.vulnerability.title or each.vulnerability.description), room) if room > 12 else ""
        yield "  ".join((*cells, title)).rstrip()


def _folded(findings: Sequence[Finding]) -> list[tuple[Finding, tuple[str, ...]]]:
    """Findings with their rows; of those that read alike (one package in several places) one, with their number."""
    places: dict[tuple[str, ...], list[Finding]] = {}
    for each in findings:
        places.setdefault(_row(each), []).append(each)
    return [
        (each[0], row if len(each) == 1 else (*row[:-1], f"{row[-1]} {len(each)} places".strip()))
        for row, each in places.items()
    ]


def _row(finding: Finding) -> tuple[str, ...]:
    about, package = finding.vulnerability, finding.match.package
    marks = []
    if about.malicious:
        marks.append("malware")
    if about.kev is not None:
        marks.append("exploited")
    elif about.exploits:
        marks.append("exploit")
    if package.dev:
        marks.append("dev")
    if finding.vex:
        marks.append("vex")
    if finding.known_since:
        marks.append("known")
    fixed = finding.match.fixed_version or {"affected": "none yet"}.get(
        finding.match.state, finding.match.state.replace("_", " ")
    )
    return (
        clean(package.name),
        clean(package.version),
        clean(fixed),
        about.id,
        finding.severity,
        f"{finding.score:.1f}" if finding.score is not None else "",
        f"{about.epss.score:.0%}" if about.epss is not None else "",
        " ".join(marks),
    )


def _suppressed(hidden: Sequence[Finding], paint: _Paint) -> Iterable[str]:
    """A line for each suppressed finding, and one for why."""
    if not hidden:
        return
    yield paint(f"Suppressed: {_count(hidden)}", _BOLD)
    for each in hidden:
        package = each.match.package
        severity = paint(each.severity, _COLOURS[each.severity])
        yield f"{clean(package.name)} {clean(package.version)}  {each.vulnerability.id}  {severity}"
        yield paint(f"  {clean(str(each.suppressed))}", _DIM)
    yield ""


def _tail(report: Report, shown: Sequence[Finding], paint: _Paint) -> Iterable[str]:
    yield paint(
        f"{len({each.vulnerability.id for each in shown})} vulnerabilities in {_packages(shown)}: {_count(shown)}",
        _BOLD,
    )
    hidden = len(report.findings) - len(shown)
    if hidden:
        yield f"{hidden} more are suppressed by VEX statements or ignore rules (--show-suppressed lists them)."
    known = sum(1 for each in shown if each.known_since)
    if known:
        yield f"Known from the baseline: {known}; new: {len(shown) - known}."
    stated = sum(1 for each in shown if each.vex)
    if stated:
        yield f"Left open by VEX statements: {stated} (marked vex; --format json or html shows what they say)."
    fixable = sum(1 for each in shown if each.match.fixed_version)
    if shown:
        yield f"{fixable} of {len(shown)} can be fixed by an update."
    if report.undecided:
        packages = len({(each.package.type, each.package.name, each.package.version) for each in report.undecided})
        yield paint(
            f"{packages} packages could not be judged: {_reasons(each.reason for each in report.undecided)}",
            _COLOURS["medium"],
        )
    unparsed = report.inventory.problems
    if unparsed:
        total = sum(each.count for each in unparsed)
        yield paint(f"{total} lines or files could not be read:", _COLOURS["medium"])
        for problem in unparsed[:10]:
            times = f" ({problem.count} times)" if problem.count > 1 else ""
            yield f"  {clean(problem.path)}: {clean(problem.reason)}{times}"
        if len(unparsed) > 10:
            yield f"  … and {len(unparsed) - 10} more (--format json has them all)"
    for note in report.notes:
        yield paint(clean(note), _COLOURS["medium"] if note.startswith("Only the starter") else _DIM)


def _packages(findings: Sequence[Finding]) -> str:
    count = len({(each.match.package.type, each.match.package.name, each.match.package.version) for each in findings})
    return f"{count} package{'' if count == 1 else 's'}"


def _reasons(reasons: Iterable[str]) -> str:
    counted: dict[str, int] = {}
    for reason in reasons:
        counted[reason] = counted.get(reason, 0) + 1
    ordered = sorted(counted.items(), key=lambda each: -each[1])
    said = "; ".join(clean(reason) for reason, _ in ordered[:3])
    return said + (f"; {len(ordered) - 3} more reasons" if len(ordered) > 3 else "")


def _fit(text: str, size: int) -> str:
    return text.ljust(size) if len(text) <= size else text[: max(size - 1, 0)] + "…"


def clean(text: str) -> str:
    """Text that can't steer a terminal: names come from whoever made the artifact."""
    if text.isprintable() and "\n" not in text:
        return text
    return "".join(
        each if each.isprintable() else " " if each in "\n\t" else "\N{REPLACEMENT CHARACTER}" for each in text
    )
