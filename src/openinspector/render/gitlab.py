"""GitLab's container scanning report.

Suppressed findings have no place in it and are left out. Those that a baseline knows are in it: GitLab compares with
the target branch itself.

Source: https://gitlab.com/gitlab-org/security-products/security-report-schemas, version 15.0.7.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from openinspector.model.match import Finding, Report, SeverityWord, Vulnerability
from openinspector.render.components import places, reference, system_name
from openinspector.render.evidence import evidence_line
from openinspector.render.statement import statement_line
from openinspector.render.text import cut, date_time, identity, json_document, one_line, page_of, web_addresses

_Object = dict[str, Any]

_SCHEMA: Final = "15.0.7"
_SEVERITIES: Final[dict[SeverityWord, str]] = {
    "critical": "Critical",
    "high": "High",
    "medium": "Medium",
    "low": "Low",
    "negligible": "Info",
    "unknown": "Unknown",
}
_KINDS: Final = {"CVE": "cve", "GHSA": "ghsa", "USN": "usn", "RHSA": "rhsa", "ELSA": "elsa", "OSV": "osv", "CWE": "cwe"}
_CWE: Final = re.compile(r"CWE-(\d{1,9})").fullmatch
# The schema knows CVSS 2 and 3 only.
_V2: Final = re.compile(r"AV:[NAL]/AC:[LMH]/Au:[MSN]/C:[NPC]/I:[NPC]/A:[NPC]").fullmatch
_V3: Final = re.compile(
    r"CVSS:3[.][01]/AV:[NALP]/AC:[LH]/PR:[NLH]/UI:[NR]/S:[UC]/C:[NLH]/I:[NLH]/A:[NLH]"
    r"(/E:[XUPFH])?(/RL:[XOTWU])?(/RC:[XURC])?"
).fullmatch


def render(report: Report) -> str:
    """The document."""
    inventory = report.inventory
    tool = {
        "id": "openinspector",
        "name": "openinspector",
        "version": report.tool_version or "unknown",
        "vendor": {"name": "openinspector"},
    }
    moment = report.scanned_at[:19] if date_time(report.scanned_at) else "1970-01-01T00:00:00"
    scan: _Object = {
        "type": "container_scanning",
        "status": "failure" if inventory.status == "failed" else "success",
        "start_time": moment,
        "end_time": moment,
        "analyzer": tool,
        "scanner": tool,
    }
    messages = list(_messages(report))
    if messages:
        scan["messages"] = messages
    shown: dict[tuple[str, str], list[Finding]] = {}
    for each in report.findings:
        if not each.suppressed:
            ref = reference(each.match.package, inventory.distribution)
            shown.setdefault((each.vulnerability.id, ref), []).append(each)
    return json_document(
        {
            "version": _SCHEMA,
            "scan": scan,
            "vulnerabilities": [_vulnerability(ref, findings, report) for (_, ref), findings in shown.items()],
            "remediations": [],
        }
    )


def _messages(report: Report) -> Iterable[_Object]:
    for problem in report.inventory.problems:
        yield {
            "level": "warn",
            "value": f"{problem.path}: {problem.reason}" + f" ({problem.count} times)" * (problem.count > 1),
        }
    for each in report.undecided:
        ref = reference(each.package, report.inventory.distribution)
        named = f" by {each.vulnerability}" if each.vulnerability else ""
        yield {"level": "warn", "value": f"{ref} was not judged{named}: {each.reason}"}
    for note in report.notes:
        if note:
            yield {"level": "info", "value": note}


def _vulnerability(ref: str, findings: list[Finding], report: Report) -> _Object:
    first = findings[0]
    about, package = first.vulnerability, first.match.package
    image = one_line(report.inventory.target.name) or report.inventory.target.kind
    entry: _Object = {
        "id": identity(image, about.id, ref),
        "name": cut(one_line(f"{about.id} {about.title}"), 255),
        "description": cut(about.description or about.title or about.id, 1_000_000),
        "severity": _SEVERITIES[first.severity],
        "solution": cut(_solution(first), 7000),
        "identifiers": list(_identifiers(about)),
        "links": [{"url": each} for each in web_addresses((page_of(about.id, about.url), *about.references))],
        "location": {
            "dependency": {"package": {"name": package.name}, "version": package.version},
            "operating_system": system_name(report.inventory.distribution) or "unknown",
            "image": image,
        },
        "details": _details(findings, ref),
    }
    vectors = list(_vectors(first))
    if vectors:
        entry["cvss_vectors"] = vectors[:10]
    return entry


def _solution(finding: Finding) -> str:
    match = finding.match
    if not match.fixed_version:
        said = "" if match.state == "affected" else f" ({match.state.replace('_', ' ')})"
        return f"There is no fixed version of {match.package.name} yet{said}."
    text = f"Upgrade {match.package.name} to {match.fixed_version}."
    return f"{text} {finding.remediation}" if finding.remediation else text


def _identifiers(about: Vulnerability) -> Iterable[_Object]:
    """The flaw's own id first: it is the one that GitLab follows a vulnerability by."""
    for name in dict.fromkeys((about.id, *about.aliases)):
        identifier = {"type": _KINDS.get(name.partition("-")[0], "openinspector"), "name": name, "value": name}
        page = page_of(name, about.url if name == about.id else "")
        yield {**identifier, "url": page} if page else identifier
    for name in about.cwes:
        number = _CWE(name)
        if number:
            address = f"https://cwe.mitre.org/data/definitions/{number[1]}.html"
            yield {"type": "cwe", "name": name, "value": number[1], "url": address}


def _vectors(finding: Finding) -> Iterable[_Object]:
    """The chosen vector first."""
    vectors = [(finding.score_source, finding.vector)]
    vectors += [(each.source, each.vector) for each in finding.vulnerability.cvss]
    for source, vector in dict.fromkeys(vectors):
        if _V2(vector) or _V3(vector):
            yield {"vendor": source or "unknown", "vector": vector}


def _details(findings: list[Finding], ref: str) -> _Object:
    first = findings[0]
    about = first.vulnerability
    said: _Object = {"purl": _text("Package URL", ref)}
    if first.match.fixed_version:
        said["fixed_version"] = _text("Fixed version", first.match.fixed_version)
    paths = places(each.match.package for each in findings)
    if paths:
        said["paths"] = _list("Found in", paths)
    said["evidence"] = _list("Why", [evidence_line(each) for each in first.match.evidence])
    if first.vex:
        said["vex"] = _list("VEX statements", [statement_line(each) for each in first.vex])
    said["severity_source"] = _text("Severity given by", first.severity_source or "nobody")
    if about.epss is not None:
        said["epss"] = _text("EPSS", f"{about.epss.score:.2%}")
    if about.kev is not None:
        said["kev"] = _text("Known to be exploited since", about.kev.date_added)
    if about.exploits:
        said["exploits"] = _list(
            "Public exploits", [f"{each.source} {' '.join(each.ids)}".strip() for each in about.exploits]
        )
    return said


def _text(name: str, value: str) -> _Object:
    return {"name": name, "type": "text", "value": value}


def _list(name: str, values: Iterable[str]) -> _Object:
    return {"name": name, "type": "list", "items": [{"type": "text", "value": each} for each in values]}
