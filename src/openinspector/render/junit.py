"""JUnit XML for build servers: a suite for each kind of package, a case for each finding.

A finding is a failure; one that is suppressed or known from the baseline, and a package that could not be judged, are
skipped cases with their reason.
A suite without findings holds one passing case, so that it is visible that it was looked at.

Source: the schema of Jenkins' xUnit plug-in (junit-10.xsd).
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from openinspector.model.match import Finding, Report, Undecided
from openinspector.render.evidence import evidence_line
from openinspector.render.statement import statement_line
from openinspector.render.text import one_line, page_of, xml_text

_SYSTEM: Final = frozenset({"deb", "rpm", "apk"})


class _Suite(NamedTuple):
    tests: int
    failures: int
    lines: list[str]


def render(report: Report) -> str:
    """The document."""
    findings: dict[str, list[Finding]] = {each.type: [] for each in report.inventory.packages}
    doubts: dict[str, list[Undecided]] = {}
    for finding in report.findings:
        findings.setdefault(finding.match.package.type, []).append(finding)
    for doubt in report.undecided:
        findings.setdefault(doubt.package.type, [])
        doubts.setdefault(doubt.package.type, []).append(doubt)
    suites = [
        _suite(kind, members, doubts.get(kind, ()), report)
        for kind, members in sorted(findings.items(), key=lambda each: (each[0] not in _SYSTEM, each[0]))
    ]
    tests, failures = sum(each.tests for each in suites), sum(each.failures for each in suites)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<testsuites name="openinspector" tests="{tests}" failures="{failures}" errors="0" time="0">')
    for each in suites:
        lines += each.lines
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _suite(kind: str, findings: Sequence[Finding], doubts: Sequence[Undecided], report: Report) -> _Suite:
    cases = [line for each in findings for line in _case(each)]
    cases += [line for each in doubts for line in _doubt(each)]
    count = len(findings) + len(doubts)
    if not count:
        packages = sum(1 for each in report.inventory.packages if each.type == kind)
        name = f"{packages} package{'' if packages == 1 else 's'} without known vulnerabilities"
        cases, count = [f'    <testcase classname="{_attribute(kind)}" name="{name}" time="0"/>'], 1
    failures = sum(1 for each in findings if not _reason_to_skip(each))
    skipped = len(findings) - failures + len(doubts)
    moment = report.scanned_at[:19]
    head = (
        f'  <testsuite name="{_attribute(kind)}" tests="{count}" failures="{failures}" errors="0" skipped="{skipped}"'
    )
    head += f' time="0" timestamp="{_attribute(moment)}">' if moment else ' time="0">'
    return _Suite(count, failures, [head, *_about(report), *cases, "  </testsuite>"])


def _about(report: Report) -> Iterable[str]:
    inventory = report.inventory
    said = [("target", inventory.target.name), ("status", inventory.status)]
    said += [("problem", f"{each.path}: {each.reason}") for each in inventory.problems]
    said += [("note", each) for each in report.notes]
    yield "    <properties>"
    for name, value in said:
        yield f'      <property name="{name}" value="{_attribute(value)}"/>'
    yield "    </properties>"


def _case(finding: Finding) -> Iterable[str]:
    package = finding.match.package
    name = f"[{finding.severity.upper()}] {finding.vulnerability.id} {package.name} {package.version}"
    place = f"{package.type}.{package.name}"
    yield f'    <testcase classname="{_attribute(place)}" name="{_attribute(name)}" time="0">'
    skipped = _reason_to_skip(finding)
    if skipped:
        yield f'      <skipped message="{_attribute(skipped)}"/>'
    else:
        message = finding.vulnerability.title or finding.vulnerability.id
        kind = _attribute(finding.severity)
        text = xml_text("\n".join(_details(finding)))
        yield f'      <failure message="{_attribute(message)}" type="{kind}">{text}</failure>'
    yield "    </testcase>"


def _reason_to_skip(finding: Finding) -> str:
    if finding.suppressed:
        return f"suppressed: {finding.suppressed}"
    return f"known since {finding.known_since}" if finding.known_since else ""


def _doubt(doubt: Undecided) -> Iterable[str]:
    package = doubt.package
    name = f"[NOT JUDGED] {doubt.vulnerability} {package.name} {package.version}".replace("  ", " ")
    place = f"{package.type}.{package.name}"
    yield f'    <testcase classname="{_attribute(place)}" name="{_attribute(name)}" time="0">'
    yield f'      <skipped message="{_attribute(f"not judged: {doubt.reason}")}"/>'
    yield "    </testcase>"


def _details(finding: Finding) -> Iterable[str]:
    match, about = finding.match, finding.vulnerability
    package = match.package
    if about.description:
        yield about.description.strip()
    yield f"Severity: {finding.severity}" + (f" ({finding.severity_source})" if finding.severity_source else "")
    if finding.score is not None:
        yield f"Score: {finding.score:.1f} {finding.vector} ({finding.score_source})"
    if about.epss is not None:
        yield f"EPSS: {about.epss.score:.2%}"
    if about.kev is not None:
        yield f"Known to be exploited since {about.kev.date_added}"
    if package.location.path:
        yield f"Found in: {package.location.path}"
    yield f"Fixed in: {match.fixed_version or 'no version yet'}"
    if finding.remediation:
        yield f"To fix: {finding.remediation}"
    for each in match.evidence:
        yield f"Why: {evidence_line(each)}"
    for statement in finding.vex:
        yield f"VEX: {statement_line(statement)}"
    page = page_of(about.id, about.url)
    if page:
        yield page


def _attribute(text: str) -> str:
    """An attribute's value: line breaks would be lost in it."""
    return xml_text(one_line(text))
