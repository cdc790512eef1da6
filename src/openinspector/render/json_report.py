"""Our own report as JSON: everything that a scan has to say, under keys that stay. docs/json-report.md describes it."""

from collections.abc import Iterable
from typing import Any, Final

from openinspector.model.advisory import Cvss
from openinspector.model.distro import Distribution
from openinspector.model.enrichment import Epss, Exploit, Kev
from openinspector.model.inventory import Target
from openinspector.model.match import SEVERITIES, Evidence, Finding, Report, Vulnerability
from openinspector.model.package import Package
from openinspector.model.problem import Problem
from openinspector.model.suppression import Given, Suppression
from openinspector.model.vex import Statement
from openinspector.render.evidence import evidence_line
from openinspector.render.purl import purl
from openinspector.render.statement import statement_line
from openinspector.render.text import json_document, page_of

_Object = dict[str, Any]

SCHEMA_VERSION: Final = "1.1"


def render(report: Report) -> str:
    """The document."""
    inventory = report.inventory
    system = inventory.distribution
    kinds: dict[str, int] = {}
    for package in inventory.packages:
        kinds[package.type] = kinds.get(package.type, 0) + 1
    told = {each.vulnerability.id: each.vulnerability for each in report.findings}
    return json_document(
        {
            "schema_version": SCHEMA_VERSION,
            "tool": {"name": "openinspector", "version": report.tool_version},
            "scanned_at": report.scanned_at,
            "status": inventory.status,
            "target": _target(inventory.target),
            "distribution": _distribution(system),
            "repositories": list(inventory.repositories),
            "database": dict(report.database),
            "packages": {"count": len(inventory.packages), "by_type": dict(sorted(kinds.items()))},
            "summary": _summary(report),
            "findings": [_finding(each, system) for each in report.findings],
            "vulnerabilities": {name: _vulnerability(each) for name, each in sorted(told.items())},
            "undecided": [
                {"package": _package(each.package, system), "vulnerability": each.vulnerability, "reason": each.reason}
                for each in report.undecided
            ],
            "problems": [_problem(each) for each in inventory.problems],
            "given": [_given(each) for each in report.given],
            "notes": list(report.notes),
        }
    )


def _target(target: Target) -> _Object:
    return {
        "kind": target.kind,
        "name": target.name,
        "digest": target.digest,
        "platform": target.platform,
        "tags": list(target.tags),
        "running_kernel": target.running_kernel,
        "layers": [
            {"diff_id": each.diff_id, "digest": each.digest, "created_by": each.created_by} for each in target.layers
        ],
    }


def _distribution(system: Distribution | None) -> _Object | None:
    if system is None:
        return None
    return {
        "id": system.id,
        "version": system.version,
        "codename": system.codename,
        "title": system.title,
        "family": system.family,
        "namespace": system.namespace,
        "not_judged": system.reason,
        "end_of_life": system.end_of_life,
    }


def _summary(report: Report) -> _Object:
    shown = [each for each in report.findings if not each.suppressed]
    return {
        "findings": len(shown),
        "suppressed": len(report.findings) - len(shown),
        "known": sum(1 for each in shown if each.known_since),
        "fixable": sum(1 for each in shown if each.match.fixed_version),
        "known_exploited": sum(1 for each in shown if each.vulnerability.kev is not None),
        "vulnerabilities": len({each.vulnerability.id for each in shown}),
        "undecided": len(report.undecided),
        "problems": sum(each.count for each in report.inventory.problems),
        "by_severity": {word: sum(1 for each in shown if each.severity == word) for word in SEVERITIES},
    }


def _finding(finding: Finding, system: Distribution | None) -> _Object:
    match, about = finding.match, finding.vulnerability
    return {
        "vulnerability": about.id,
        "title": about.title,
        "severity": finding.severity,
        "severity_source": finding.severity_source,
        "score": finding.score,
        "vector": finding.vector,
        "score_source": finding.score_source,
        "epss": about.epss.score if about.epss is not None else None,
        "known_exploited": about.kev is not None,
        "exploit_available": bool(about.exploits) or about.kev is not None,
        "state": match.state,
        "vendor_severity": match.vendor_severity,
        "fixed_version": match.fixed_version,
        "remediation": finding.remediation,
        "related": list(match.related),
        "suppressed": str(finding.suppressed) if finding.suppressed else "",
        "suppression": _suppression(finding.suppressed),
        "vex": [_statement(each) for each in finding.vex],
        "known_since": finding.known_since,
        "package": _package(match.package, system),
        "evidence": [_evidence(each) for each in match.evidence],
    }


def _suppression(hidden: Suppression | None) -> _Object | None:
    if hidden is None:
        return None
    return {
        "kind": hidden.kind,
        "reason": hidden.reason,
        "status": hidden.status,
        "justification": hidden.justification,
        "owner": hidden.owner,
        "expires": hidden.expires,
        "source": hidden.source,
    }


def _statement(said: Statement) -> _Object:
    return {
        "status": said.status,
        "justification": said.justification,
        "impact": said.impact,
        "action": said.action,
        "product": said.product.id,
        "author": said.author,
        "timestamp": said.timestamp,
        "document": said.document,
        "file": said.file,
        "format": said.format,
        "text": statement_line(said),
    }


def _given(each: Given) -> _Object:
    return {
        "kind": each.kind,
        "path": each.path,
        "format": each.format,
        "entries": each.entries,
        "matched": each.matched,
        "hidden": each.hidden,
        "unmatched": list(each.unmatched),
        "expired": list(each.expired),
        "problems": [_problem(problem) for problem in each.problems],
    }


def _package(package: Package, system: Distribution | None) -> _Object:
    place = package.location
    return {
        "type": package.type,
        "name": package.name,
        "version": package.version,
        "purl": purl(package, system),
        "arch": package.arch,
        "source": {"name": package.source.name, "version": package.source.version} if package.source else None,
        "module": package.module,
        "repository": package.repository,
        "owner": package.owner,
        "dev": package.dev,
        "format": package.format,
        "location": {"path": place.path, "layer": place.layer, "introduced": place.introduced},
    }


def _evidence(evidence: Evidence) -> _Object:
    return {
        "feed": evidence.feed,
        "advisory": evidence.advisory,
        "url": evidence.url,
        "namespace": evidence.namespace,
        "name": evidence.name,
        "kind": evidence.kind,
        "scheme": evidence.scheme,
        "compared": evidence.compared,
        "introduced": evidence.introduced,
        "after": evidence.after,
        "fixed": evidence.fixed,
        "last_affected": evidence.last_affected,
        "state": evidence.state,
        "module": evidence.module,
        "repository": evidence.repository,
        "note": evidence.note,
        "text": evidence_line(evidence),
    }


def _vulnerability(about: Vulnerability) -> _Object:
    return {
        "id": about.id,
        "aliases": list(about.aliases),
        "title": about.title,
        "nickname": about.nickname,
        "description": about.description,
        "malicious": about.malicious,
        "url": page_of(about.id, about.url),
        "published": about.published,
        "modified": about.modified,
        "cvss": [_cvss(each) for each in about.cvss],
        "severities": [{"source": source, "severity": said} for source, said in about.severities],
        "cwes": list(about.cwes),
        "references": list(about.references),
        "epss": _epss(about.epss),
        "kev": _kev(about.kev),
        "exploits": list(_exploits(about.exploits)),
    }


def _cvss(each: Cvss) -> _Object:
    return {"vector": each.vector, "source": each.source, "score": each.score}


def _epss(epss: Epss | None) -> _Object | None:
    return {"score": epss.score, "percentile": epss.percentile, "date": epss.date} if epss is not None else None


def _kev(kev: Kev | None) -> _Object | None:
    if kev is None:
        return None
    return {
        "date_added": kev.date_added,
        "due_date": kev.due_date,
        "required_action": kev.required_action,
        "name": kev.name,
        "ransomware": kev.ransomware,
    }


def _exploits(exploits: Iterable[Exploit]) -> Iterable[_Object]:
    for each in exploits:
        yield {"source": each.source, "ids": list(each.ids), "date": each.date}


def _problem(problem: Problem) -> _Object:
    return {
        "path": problem.path,
        "reason": problem.reason,
        "format": problem.format,
        "count": problem.count,
        "partial": problem.partial,
    }
