"""CycloneDX 1.6 JSON: every package as a component, every vulnerability with the components it affects.

A component's `bom-ref` is its package URL, and packages that share one are one component with several occurrences,
so that `vulnerabilities[].affects[].ref` is a package URL too. Without findings it is the plain bill of materials.

Source: https://cyclonedx.org/docs/1.6/json/
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from openinspector.model.distro import Distribution
from openinspector.model.inventory import Inventory, Kind
from openinspector.model.match import Evidence, Finding, Report, SeverityWord
from openinspector.model.package import Package
from openinspector.render.components import components, places_and_owners, reference, system_name
from openinspector.render.evidence import evidence_line
from openinspector.render.statement import statement_line
from openinspector.render.text import (
    cut,
    cvss_version,
    date_time,
    identity,
    json_document,
    one_line,
    page_of,
    web_addresses,
)

_Object = dict[str, Any]

_TYPES: Final[dict[Kind, str]] = {
    "host": "device",
    "directory": "application",
    "image": "container",
    "lambda": "application",
    "sbom": "application",
}
_SEVERITIES: Final[dict[SeverityWord, str]] = {
    "critical": "critical",
    "high": "high",
    "medium": "medium",
    "low": "low",
    "negligible": "info",
    "unknown": "unknown",
}
_STATES: Final = {"not_affected": "not_affected", "fixed": "resolved", "": "in_triage"}
# OpenVEX's and CSAF's labels in CycloneDX's words; for what no adversary can control it has none.
_JUSTIFICATIONS: Final = {
    "component_not_present": "code_not_present",
    "vulnerable_code_not_present": "code_not_present",
    "vulnerable_code_not_in_execute_path": "code_not_reachable",
    "inline_mitigations_already_exist": "protected_by_mitigating_control",
    **{
        each: each
        for each in (
            "requires_configuration requires_dependency requires_environment protected_by_compiler"
            " protected_at_runtime protected_at_perimeter"
        ).split()
    },
}
_METHODS: Final = {"2.0": "CVSSv2", "3.0": "CVSSv3", "3.1": "CVSSv31", "4.0": "CVSSv4"}
_HASHES: Final = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}
_HEX: Final = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128}").fullmatch
_CWE: Final = re.compile(r"CWE-(\d{1,9})").fullmatch


def render(report: Report) -> str:
    """The document."""
    inventory = report.inventory
    known = components(report)
    doubts = _doubts(report)
    root = _target(inventory)
    system = _system(inventory.distribution)
    document: _Object = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{_serial(report, known)}",
        "version": 1,
        "metadata": _metadata(report, root),
        "components": [
            *([system] if system else []),
            *(_component(each, packages, doubts.get(each, ())) for each, packages in known.items()),
        ],
        "compositions": [
            {
                "bom-ref": f"composition:{root['bom-ref']}",
                "aggregate": "complete" if inventory.status == "whole" else "incomplete",
                "assemblies": [root["bom-ref"]],
            }
        ],
    }
    if report.findings:
        document["vulnerabilities"] = list(_vulnerabilities(report))
    return json_document(document)


def _serial(report: Report, known: dict[str, list[Package]]) -> str:
    target = report.inventory.target
    said = (f"{each.match.vulnerability} {each.match.package.name} {_said_of(each)}" for each in report.findings)
    return identity(target.kind, target.name, target.digest, report.scanned_at, *known, *said)


def _metadata(report: Report, root: _Object) -> _Object:
    inventory = report.inventory
    tool: _Object = {"type": "application", "name": "openinspector"}
    if report.tool_version:
        tool["version"] = report.tool_version
    metadata: _Object = {"tools": {"components": [tool]}, "component": root}
    if date_time(report.scanned_at):
        metadata["timestamp"] = report.scanned_at
    said: list[tuple[str, str]] = [("status", inventory.status)]
    said += [(f"database:{name}", value) for name, value in report.database]
    said += [("note", each) for each in report.notes]
    for problem in inventory.problems:
        times = f" ({problem.count} times)" if problem.count > 1 else ""
        said.append(("problem", f"{problem.path}: {problem.reason}{times}"))
    metadata["properties"] = _properties(said)
    return metadata


def _target(inventory: Inventory) -> _Object:
    target = inventory.target
    said = [
        ("kind", target.kind),
        ("digest", target.digest),
        ("platform", target.platform),
        ("running_kernel", target.running_kernel),
        *(("tag", each) for each in target.tags),
        *(("layer", each.diff_id) for each in target.layers),
        *(("repository", each) for each in inventory.repositories),
    ]
    root: _Object = {
        "type": _TYPES[target.kind],
        "bom-ref": f"target:{identity(target.kind, target.name, target.digest)}",
        "name": target.name or target.kind,
    }
    if target.digest:
        root["version"] = target.digest
    root["properties"] = _properties(said)
    return root


def _system(distribution: Distribution | None) -> _Object | None:
    if distribution is None:
        return None
    system: _Object = {
        "type": "operating-system",
        "bom-ref": f"os:{distribution.id}:{distribution.version or distribution.codename}",
        "name": distribution.id or "unknown",
    }
    if distribution.version:
        system["version"] = distribution.version
    system["description"] = system_name(distribution)
    said = (
        ("family", distribution.family),
        ("namespace", distribution.namespace),
        ("codename", distribution.codename),
        ("end_of_life", distribution.end_of_life),
        ("not_judged", distribution.reason),
    )
    system["properties"] = _properties(said)
    return system


def _component(ref: str, packages: Sequence[Package], doubts: Iterable[str]) -> _Object:
    """The packages of one package URL: what differs between them is listed, the rest is the first one's."""
    first = packages[0]
    component: _Object = {"type": "library", "bom-ref": ref}
    vendor = next((each.vendor for each in packages if each.vendor), "")
    if vendor:
        component["supplier"] = {"name": vendor}
    group, name = _group(first)
    if group:
        component["group"] = group
    component["name"] = name or "unknown"
    if first.version:
        component["version"] = first.version
    if all(each.dev for each in packages):
        component["scope"] = "excluded"
    hashes = list(dict.fromkeys(each.digest for each in packages if each.digest))
    readable = [each for each in map(_hash, hashes) if each is not None]
    if readable:
        component["hashes"] = readable
    licences = list(dict.fromkeys(one_line(each.license) for each in packages if each.license.strip()))
    if licences:
        component["licenses"] = [{"license": {"name": each}} for each in licences]
    if not ref.startswith("nameless:"):
        component["purl"] = ref
    paths = places_and_owners(packages)
    if paths:
        component["evidence"] = {"occurrences": [_occurrence(*each) for each in paths]}
    properties = _properties(_facts(packages, hashes, doubts))
    if properties:
        component["properties"] = properties
    return component


def _occurrence(path: str, owner: str) -> _Object:
    return {"location": path, "additionalContext": f"owned by {owner}"} if owner else {"location": path}


def _facts(packages: Sequence[Package], hashes: Sequence[str], doubts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for package in packages:
        place = package.location
        yield "type", package.type
        yield "format", package.format
        yield "arch", package.arch
        yield "layer", place.layer
        yield "introduced", place.introduced
        yield "owner", package.owner
        yield "dev", "true" if package.dev else ""
        if package.source is not None:
            yield "source", f"{package.source.name} {package.source.version}".strip()
        yield "module", package.module
        yield "repository", package.repository
    for digest in hashes:
        yield "digest", digest if _hash(digest) is None else ""
    for doubt in doubts:
        yield "undecided", doubt


def _group(package: Package) -> tuple[str, str]:
    """Group and name, where the ecosystem has both."""
    if package.type == "maven":
        group, _, name = package.name.rpartition(":")
        return group, name
    if package.type in ("npm", "composer"):
        group, _, name = package.name.rpartition("/")
        return group, name
    return "", package.name


def _hash(digest: str) -> _Object | None:
    algorithm, _, value = digest.partition(":")
    if algorithm not in _HASHES or not _HEX(value):
        return None
    return {"alg": _HASHES[algorithm], "content": value.lower()}


def _doubts(report: Report) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in report.undecided:
        reason = f"{each.vulnerability}: {each.reason}" if each.vulnerability else each.reason
        found.setdefault(reference(each.package, report.inventory.distribution), []).append(reason)
    return found


def _vulnerabilities(report: Report) -> Iterable[_Object]:
    """One for each vulnerability; another one where some of its findings are analysed or rated otherwise."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for each in report.findings:
        key = (each.vulnerability.id, _said_of(each), str(each.severity), each.severity_source)
        groups.setdefault(key, []).append(each)
    for group, findings in groups.items():
        yield _vulnerability(group, findings, report.inventory.distribution)


def _vulnerability(key: tuple[str, ...], findings: Sequence[Finding], distribution: Distribution | None) -> _Object:
    first = findings[0]
    about = first.vulnerability
    # Two packages that differ in nothing but their place are one component.
    affected = {reference(each.match.package, distribution): each for each in reversed(findings)}
    evidence = list(dict.fromkeys(each for finding in findings for each in finding.match.evidence))
    entry: _Object = {
        "bom-ref": f"vulnerability:{identity(*key)}",
        "id": about.id,
        "source": {"name": _publisher(about.id)},
    }
    page = page_of(about.id, about.url)
    if page:
        entry["source"]["url"] = page
    if about.aliases:
        entry["references"] = [{"id": each, "source": {"name": _publisher(each)}} for each in about.aliases]
    entry["ratings"] = list(_ratings(first))
    weaknesses = [int(found[1]) for found in map(_CWE, about.cwes) if found and int(found[1]) > 0]
    if weaknesses:
        entry["cwes"] = list(dict.fromkeys(weaknesses))
    if about.description or about.title:
        entry["description"] = about.description or about.title
    if about.title and about.description:
        entry["detail"] = about.title
    advice = list(dict.fromkeys(each.remediation for each in findings if each.remediation))
    if advice:
        entry["recommendation"] = "\n".join(advice)
    addresses = web_addresses((*(each.url for each in evidence), *about.references))
    if addresses:
        entry["advisories"] = [{"url": each} for each in addresses]
    if date_time(about.published):
        entry["published"] = about.published
    if date_time(about.modified):
        entry["updated"] = about.modified
    analysis = _analysis(first)
    if analysis:
        entry["analysis"] = analysis
    entry["affects"] = [_affected(ref, each) for ref, each in sorted(affected.items())]
    entry["properties"] = _properties(_told(first, affected, evidence))
    return entry


def _publisher(name: str) -> str:
    """Who gave a vulnerability its id."""
    prefix = name.partition("-")[0]
    known = {"CVE": "NVD", "GHSA": "GitHub", "DSA": "Debian", "DLA": "Debian", "USN": "Ubuntu", "RHSA": "Red Hat"}
    return known.get(prefix, prefix or "unknown")


def _ratings(finding: Finding) -> Iterable[_Object]:
    """Our severity first; then each vector, with the score we computed on the one we chose."""
    ours: _Object = {"source": {"name": finding.severity_source or "openinspector"}}
    chosen = finding.severity_source in ("CVSS", finding.score_source) and bool(finding.vector)
    if chosen:
        ours = _rating(finding.score_source, finding.score, finding.vector)
        ours["severity"] = _SEVERITIES[finding.severity]
    else:
        ours |= {"severity": _SEVERITIES[finding.severity], "method": "other"}
    yield ours
    for each in finding.vulnerability.cvss:
        ruling = each.vector == finding.vector and each.source == finding.score_source
        if not (ruling and chosen):
            yield _rating(each.source, finding.score if ruling else each.score, each.vector)


def _rating(source: str, score: float | None, vector: str) -> _Object:
    rating: _Object = {"source": {"name": source or "unknown"}}
    if score is not None:
        rating["score"] = score
    rating["method"] = _METHODS.get(cvss_version(vector), "other")
    rating["vector"] = vector
    return rating


def _said_of(finding: Finding) -> str:
    """What tells findings of one vulnerability apart: why one is suppressed, or what is stated about it."""
    return str(finding.suppressed or "") or "; ".join(statement_line(each) for each in finding.vex)


def _analysis(finding: Finding) -> _Object:
    """What VEX statements or an ignore rule say; whoever accepts a risk has not said that it isn't there."""
    hidden = finding.suppressed
    if hidden is not None:
        said: _Object = {"state": _STATES[hidden.status], "detail": str(hidden)}
        word = hidden.justification.lower()
        if word == "false_positive":
            return said | {"state": word}
        word = _JUSTIFICATIONS.get(word, word)
        if hidden.status == "not_affected" and word in _JUSTIFICATIONS.values():
            said["justification"] = word
        return said
    if finding.vex:
        state = "exploitable" if finding.vex[0].status == "affected" else "in_triage"
        return {"state": state, "detail": _said_of(finding)}
    return {}


def _affected(ref: str, finding: Finding) -> _Object:
    match = finding.match
    versions = [{"version": match.package.version or "unknown", "status": "affected"}]
    if match.fixed_version:
        versions.append({"version": match.fixed_version, "status": "unaffected"})
    return {"ref": ref, "versions": [{**each, "version": cut(each["version"], 1024)} for each in versions]}


def _told(first: Finding, affected: dict[str, Finding], evidence: Sequence[Evidence]) -> Iterable[tuple[str, str]]:
    about = first.vulnerability
    yield "severity", first.severity
    yield "severity_source", first.severity_source
    yield "score_source", first.score_source
    yield "nickname", about.nickname
    yield "malicious", "true" if about.malicious else ""
    if about.epss is not None:
        yield "epss", f"{about.epss.score:g}"
        yield "epss_percentile", f"{about.epss.percentile:g}" if about.epss.percentile is not None else ""
        yield "epss_date", about.epss.date
    if about.kev is not None:
        yield "kev_date_added", about.kev.date_added
        yield "kev_due_date", about.kev.due_date
        yield "kev_required_action", about.kev.required_action
        yield "kev_ransomware", "true" if about.kev.ransomware else ""
    for exploit in about.exploits:
        yield "exploit", f"{exploit.source} {' '.join(exploit.ids)}".strip()
    for ref, each in sorted(affected.items()):
        yield f"fixed_version:{ref}", each.match.fixed_version
        yield f"state:{ref}", each.match.state
        yield f"vendor_severity:{ref}", each.match.vendor_severity
    for each_advisory in dict.fromkeys(name for each in affected.values() for name in each.match.related):
        yield "related", each_advisory
    for proof in evidence:
        yield "evidence", evidence_line(proof)
    yield "suppressed", str(first.suppressed or "")
    for statement in first.vex:
        yield "vex", statement_line(statement)
    for ref, each in sorted(affected.items()):
        yield f"known_since:{ref}", each.known_since


def _properties(said: Iterable[tuple[str, str]]) -> list[_Object]:
    """Each distinct fact once, under our own prefix; empty ones are left out."""
    return [{"name": f"openinspector:{name}", "value": value} for name, value in dict.fromkeys(said) if value]
