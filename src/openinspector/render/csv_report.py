"""CSV with the columns of Inspector's findings report, in its order: a row for each finding, that is for each package.

What only a deployed resource has (account, VPC, …) is empty. Suppressed findings have the status SUPPRESSED; what a
baseline knows was first seen when the baseline saw it. A cell that a spreadsheet would take for a formula gets an
apostrophe in front.

Source: RFC 4180; the OWASP page "CSV Injection"; Inspector's exported reports.
"""

import csv
from collections.abc import Iterable
from io import StringIO
from typing import Final

from openinspector.model.advisory import Cvss
from openinspector.model.match import Finding, Report
from openinspector.render import inspector_words as words
from openinspector.render.findings_csv import COLUMNS, cell
from openinspector.render.text import cvss_version, date_time, page_of, web_addresses

_RESOURCES: Final = {
    "image": "AWS_ECR_CONTAINER_IMAGE",
    "lambda": "AWS_LAMBDA_FUNCTION",
    "host": "AWS_EC2_INSTANCE",
    "directory": "",
    "sbom": "",
}


def render(report: Report) -> str:
    """The table, with its header; lines end with CR and LF."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for finding in report.findings:
        row = dict(_row(finding, report))
        writer.writerow([cell(row.get(each, "")) for each in COLUMNS])
    return out.getvalue()


def _row(finding: Finding, report: Report) -> Iterable[tuple[str, str]]:
    match, about = finding.match, finding.vulnerability
    package, inventory = match.package, report.inventory
    target = inventory.target
    yield "Severity", words.SEVERITY[finding.severity]
    yield "Fix Available", words.fix_available([finding])
    yield "Finding Type", "PACKAGE_VULNERABILITY"
    yield "Title", words.title(about.id, [package])
    yield "Description", words.description(finding)
    yield "Finding ARN", words.finding_id(target, about.id)
    yield "First Seen", finding.known_since or report.scanned_at
    yield "Last Seen", report.scanned_at
    yield "Last Updated", report.scanned_at
    yield "Resource ID", target.name
    yield "Container Image Tags", ",".join(target.tags)
    yield "Platform", words.platform(inventory.distribution)
    yield "Affected Packages", package.name
    yield "Package Installed Version", package.version
    yield "Fixed in Version", words.fixed_in(finding)
    yield "Package Remediation", finding.remediation
    yield "File Path", package.location.path
    yield "Age (Days)", str(_age(finding.known_since, report.scanned_at))
    yield "Remediation", finding.remediation or "None Provided"
    yield "Inspector Score", _number(finding.score)
    yield "Inspector Score Vector", finding.vector
    yield "Status", "SUPPRESSED" if finding.suppressed else "ACTIVE"
    yield "Vulnerability Id", about.id
    yield "Vendor", words.source(finding)
    yield "Vendor Severity", match.vendor_severity or next((said for _, said in about.severities), "")
    yield "Vendor Advisory", page_of(about.id, about.url)
    yield "Vendor Advisory Published", about.published
    for who, entries in (
        ("NVD", [each for each in about.cvss if each.source == "NVD"]),
        ("Vendor", [each for each in about.cvss if each.source != "NVD"]),
    ):
        yield from _vectors(who, entries, finding)
    yield "Resource Type", _RESOURCES[target.kind]
    yield "Epss Score", f"{about.epss.score:g}" if about.epss is not None else ""
    yield "Exploit Available", words.exploit_available(finding)
    yield "Last Exploited At", words.last_exploited(finding)
    yield "Lambda Package Type", "ZIP" if target.kind == "lambda" else ""
    yield "Reference Urls", ",".join(web_addresses(about.references))
    yield "Package Manager", words.package_manager(package)


def _vectors(who: str, entries: Iterable[Cvss], finding: Finding) -> Iterable[tuple[str, str]]:
    """The first vector of each major version that the report has columns for."""
    for column, versions in (("CVSS3", ("3.1", "3.0")), ("CVSS2", ("2.0",))):
        found = next((each for each in entries if cvss_version(each.vector) in versions), None)
        if found is not None:
            ruling = found.vector == finding.vector and found.score is None
            yield f"{who} {column} Score", _number(finding.score if ruling else found.score)
            yield f"{who} {column} Vector", found.vector


def _age(since: str, now: str) -> int:
    """The days between two moments; 0 where one isn't known."""
    from datetime import datetime

    if not (date_time(since) and date_time(now)):
        return 0
    try:
        return max((datetime.fromisoformat(now) - datetime.fromisoformat(since)).days, 0)
    except ValueError:  # a thirteenth month
        return 0


def _number(score: float | None) -> str:
    return f"{score:.1f}" if score is not None else ""
