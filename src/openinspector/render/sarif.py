"""SARIF 2.1.0: a rule for each vulnerability, a result for each finding; what scanning could not do as notifications.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html, and GitHub's
"SARIF support for code scanning" for `security-severity`.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from openinspector.model.match import SEVERITIES, Finding, Report, SeverityWord, Vulnerability
from openinspector.render.components import reference
from openinspector.render.evidence import evidence_line
from openinspector.render.statement import statement_line
from openinspector.render.text import cut, date_time, identity, json_document, one_line, page_of, web_addresses

_Object = dict[str, Any]

_LEVELS: Final[dict[SeverityWord, str]] = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "note",
    "negligible": "note",
    "unknown": "note",
}
# Who reads `security-severity` cuts it into these bands.
_BANDS: Final[dict[SeverityWord, tuple[float, float]]] = {
    "critical": (9.0, 10.0),
    "high": (7.0, 8.9),
    "medium": (4.0, 6.9),
    "low": (0.1, 3.9),
    "negligible": (0.0, 0.0),
    "unknown": (0.0, 10.0),
}
_MARKDOWN: Final = re.compile(r"([\\`*_\[\]<>|#!])")
_BASE: Final = "TARGET"


def render(report: Report) -> str:
    """The log, with one run."""
    inventory = report.inventory
    rules: dict[str, list[Finding]] = {}
    for each in report.findings:
        rules.setdefault(each.vulnerability.id, []).append(each)
    index = {name: at for at, name in enumerate(rules)}
    driver: _Object = {"name": "openinspector", "rules": [_rule(each) for each in rules.values()]}
    if report.tool_version:
        driver["version"] = report.tool_version
    invocation: _Object = {
        "executionSuccessful": inventory.status != "failed",
        "toolExecutionNotifications": list(_notifications(report)),
    }
    if date_time(report.scanned_at):
        invocation["endTimeUtc"] = report.scanned_at
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "automationDetails": {"id": f"openinspector/{one_line(inventory.target.name)}/"},
        "originalUriBaseIds": {_BASE: {"description": {"text": f"The root of {one_line(inventory.target.name)}"}}},
        "results": [_result(each, index, report) for each in report.findings],
        "properties": {"target": inventory.target.name, "digest": inventory.target.digest, "status": inventory.status},
    }
    return json_document(
        {
            "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            "version": "2.1.0",
            "runs": [run],
        }
    )


def _rule(findings: list[Finding]) -> _Object:
    about = findings[0].vulnerability
    severity = min((each.severity for each in findings), key=SEVERITIES.index)
    scores = [each.score for each in findings if each.score is not None]
    summary = one_line(about.title or about.description) or about.id
    rule: _Object = {
        "id": about.id,
        "name": _ODD_NAME.sub("", about.nickname) or about.id,
        "shortDescription": {"text": cut(summary, 250)},
        "fullDescription": {"text": cut(one_line(about.description) or summary, 1000)},
        "help": {"text": _help(about), "markdown": _help_markdown(about)},
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {
            "security-severity": _security_severity(severity, max(scores, default=None)),
            "precision": "very-high",
            "tags": ["security", "vulnerability", severity, *(each.lower() for each in about.cwes)],
        },
    }
    page = page_of(about.id, about.url)
    if page:
        rule["helpUri"] = page
    return rule


_ODD_NAME: Final = re.compile(r"[^A-Za-z0-9]+")


def _security_severity(severity: SeverityWord, score: float | None) -> str:
    """The score, kept within the band of the severity, which may be the distribution's own word."""
    lowest, highest = _BANDS[severity]
    return f"{min(max(score if score is not None else lowest, lowest), highest):.1f}"


def _facts(about: Vulnerability) -> Iterable[tuple[str, str]]:
    if about.aliases:
        yield "Also known as", ", ".join(about.aliases)
    if about.cwes:
        yield "Weaknesses", ", ".join(about.cwes)
    for each in about.cvss:
        yield f"CVSS by {each.source}", each.vector + (f" ({each.score:.1f})" if each.score is not None else "")
    if about.epss is not None:
        yield "EPSS", f"{about.epss.score:.2%} likely to be exploited within 30 days"
    if about.kev is not None:
        yield "Known exploited", f"since {about.kev.date_added}; {one_line(about.kev.required_action)}".rstrip("; ")
    for exploit in about.exploits:
        yield "Public exploit", f"{exploit.source} {' '.join(exploit.ids)}".strip()


def _help(about: Vulnerability) -> str:
    lines = [f"{about.id}: {one_line(about.title)}" if about.title else about.id]
    if about.description:
        lines += ["", cut(about.description.strip(), 4000)]
    lines += ["", *(f"{name}: {value}" for name, value in _facts(about))]
    return "\n".join([*lines, *web_addresses(about.references)[:20]]).strip()


def _help_markdown(about: Vulnerability) -> str:
    lines = [f"**{_markdown(about.id)}** {_markdown(one_line(about.title))}".rstrip()]
    if about.description:
        lines += ["", _markdown(cut(about.description.strip(), 4000))]
    lines += ["", *(f"- {name}: {_markdown(value)}" for name, value in _facts(about))]
    return "\n".join([*lines, *(f"- <{each}>" for each in web_addresses(about.references)[:20])]).strip()


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def _result(finding: Finding, index: dict[str, int], report: Report) -> _Object:
    match, about = finding.match, finding.vulnerability
    package = match.package
    ref = reference(package, report.inventory.distribution)
    result: _Object = {
        "ruleId": about.id,
        "ruleIndex": index[about.id],
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(finding)},
        "locations": [_location(package.location.path, one_line(f"{package.name} {package.version}"), ref)],
        "partialFingerprints": {"openinspectorFinding/v1": identity(about.id, ref, package.location.path)},
        "properties": _properties(finding, ref),
    }
    if finding.suppressed:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": str(finding.suppressed)}]
    if any(each.kind == "baseline" for each in report.given):
        result["baselineState"] = "unchanged" if finding.known_since else "new"
    if date_time(finding.known_since):
        result["provenance"] = {"firstDetectionTimeUtc": finding.known_since}
    return result


def _message(finding: Finding) -> str:
    match = finding.match
    text = f"{one_line(match.package.name)} {one_line(match.package.version)} has {finding.vulnerability.id}"
    text += f" ({finding.severity})"
    if match.fixed_version:
        text += f", fixed in {one_line(match.fixed_version)}"
    elif match.state == "affected":
        text += ", not fixed yet"
    else:
        text += f", {match.state.replace('_', ' ')}"
    return f"{text}: {finding.remediation}" if finding.remediation else f"{text}."


def _location(path: str, name: str, ref: str) -> _Object:
    location: _Object = {"logicalLocations": [{"name": name, "fullyQualifiedName": ref, "kind": "package"}]}
    if path:
        from urllib.parse import quote

        location["physicalLocation"] = {
            "artifactLocation": {"uri": quote(path, safe="/!~@+,=", errors="replace"), "uriBaseId": _BASE},
            "region": {"startLine": 1},
        }
    return location


def _properties(finding: Finding, ref: str) -> _Object:
    match, about = finding.match, finding.vulnerability
    said: _Object = {
        "purl": ref,
        "severity": finding.severity,
        "severity_source": finding.severity_source,
        "score": finding.score,
        "vector": finding.vector,
        "fixed_version": match.fixed_version,
        "state": match.state,
        "layer": match.package.location.layer,
        "epss": about.epss.score if about.epss is not None else None,
        "known_exploited": about.kev is not None,
        "exploit": bool(about.exploits),
        "evidence": [evidence_line(each) for each in match.evidence],
        "vex": [statement_line(each) for each in finding.vex] or None,
    }
    return {name: value for name, value in said.items() if value not in ("", None)}


def _notifications(report: Report) -> Iterable[_Object]:
    """Everything that was not read or not decided."""
    for problem in report.inventory.problems:
        times = f" ({problem.count} times)" if problem.count > 1 else ""
        notice: _Object = {
            "level": "error" if problem.partial else "warning",
            "message": {"text": f"{problem.path}: {problem.reason}{times}"},
        }
        if problem.path:
            notice["locations"] = [_location(problem.path, one_line(problem.path), problem.format)]
        yield notice
    for each in report.undecided:
        ref = reference(each.package, report.inventory.distribution)
        named = f" by {each.vulnerability}" if each.vulnerability else ""
        yield {"level": "warning", "message": {"text": f"{ref} was not judged{named}: {each.reason}"}}
    for note in report.notes:
        yield {"level": "note", "message": {"text": note}}
