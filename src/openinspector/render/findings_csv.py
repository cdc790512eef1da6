"""The findings report as CSV: the service's 55 columns, a row for each finding, written while findings come in.

A finding has every package of its resource that has the flaw; the cells of the package columns list them in the same
order, with commas between. A cell that a spreadsheet would take for a formula (it begins with `=`, `+`, `-` or `@`,
after whatever space) gets an apostrophe in front, and so does one that would look as if it had got one. A program that
reads the file can take it off, and has the text as it was.

Source: RFC 4180; the OWASP page "CSV Injection"; Inspector's exported reports.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from openinspector.render.text import visible

COLUMNS: Final = (
    "AWS Account Id",
    "Severity",
    "Fix Available",
    "Finding Type",
    "Title",
    "Description",
    "Finding ARN",
    "First Seen",
    "Last Seen",
    "Last Updated",
    "Resource ID",
    "Container Image Tags",
    "Region",
    "Platform",
    "Resource Tags",
    "Affected Packages",
    "Package Installed Version",
    "Fixed in Version",
    "Package Remediation",
    "File Path",
    "Network Paths",
    "Age (Days)",
    "Remediation",
    "Inspector Score",
    "Inspector Score Vector",
    "Status",
    "Vulnerability Id",
    "Vendor",
    "Vendor Severity",
    "Vendor Advisory",
    "Vendor Advisory Published",
    "NVD CVSS3 Score",
    "NVD CVSS3 Vector",
    "NVD CVSS2 Score",
    "NVD CVSS2 Vector",
    "Vendor CVSS3 Score",
    "Vendor CVSS3 Vector",
    "Vendor CVSS2 Score",
    "Vendor CVSS2 Vector",
    "Resource Type",
    "Ami",
    "Resource Public Ipv4",
    "Resource Private Ipv4",
    "Resource Ipv6",
    "Resource Vpc",
    "Port Range",
    "Epss Score",
    "Exploit Available",
    "Last Exploited At",
    "Lambda Layers",
    "Lambda Package Type",
    "Lambda Last Updated At",
    "Reference Urls",
    "Detector Name",
    "Package Manager",
)
_FORMULA: Final = re.compile("'*(?:\\s*[-=+@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])").match
_DETAILS: Final = ("awsEc2Instance", "awsEcrContainerImage", "awsLambdaFunction", "machineImage", "codeRepository")

_Finding = Mapping[str, Any]
_Cells = Iterator[tuple[str, str]]


def lines(findings: Iterable[_Finding], now: datetime) -> Iterator[str]:
    """The header, then a line for each finding; lines end with CR and LF.

    `findings` have the API's shape, as handlers answer it: times are aware datetimes. Ages are counted to `now`.
    """
    writer = csv.writer(_Through())
    yield writer.writerow(COLUMNS)
    for finding in findings:
        row = dict(_row(finding, now))
        yield writer.writerow([cell(text) if (text := row.get(each)) else "" for each in COLUMNS])


class _Through:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def cell(text: str) -> str:
    """Text that stays text in a spreadsheet, without characters that nobody can see."""
    text = visible(text)
    return f"'{text}" if _FORMULA(text) else text


def _row(finding: _Finding, now: datetime) -> _Cells:
    recommendation = (finding.get("remediation") or {}).get("recommendation") or {}
    adjusted = (finding.get("inspectorScoreDetails") or {}).get("adjustedCvss") or {}
    first = finding.get("firstObservedAt")
    yield "AWS Account Id", _text(finding.get("awsAccountId"))
    yield "Severity", _text(finding.get("severity"))
    yield "Fix Available", _text(finding.get("fixAvailable"))
    yield "Finding Type", _text(finding.get("type"))
    yield "Title", _text(finding.get("title"))
    yield "Description", _text(finding.get("description"))
    yield "Finding ARN", _text(finding.get("findingArn"))
    yield "First Seen", _text(first)
    yield "Last Seen", _text(finding.get("lastObservedAt"))
    yield "Last Updated", _text(finding.get("updatedAt"))
    yield "Age (Days)", str(max((now - first).days, 0)) if isinstance(first, datetime) else ""
    yield "Remediation", _joined((recommendation.get("text"), recommendation.get("Url")), " ")
    yield "Inspector Score", _text(finding.get("inspectorScore"))
    yield "Inspector Score Vector", _text(adjusted.get("scoringVector"))
    yield "Status", _text(finding.get("status"))
    yield "Epss Score", _text((finding.get("epss") or {}).get("score"))
    yield "Exploit Available", _text(finding.get("exploitAvailable"))
    yield "Last Exploited At", _text((finding.get("exploitabilityDetails") or {}).get("lastKnownExploitAt"))
    for resource in (finding.get("resources") or ())[:1]:
        yield from _resource(resource)
    yield from _vulnerability(finding.get("packageVulnerabilityDetails") or {})
    yield from _reachability(finding.get("networkReachabilityDetails") or {})
    yield from _code(finding.get("codeVulnerabilityDetails") or {})


def _resource(resource: Mapping[str, Any]) -> _Cells:
    yield "Resource ID", _text(resource.get("id"))
    yield "Resource Type", _text(resource.get("type"))
    yield "Region", _text(resource.get("region"))
    yield "Resource Tags", _joined(f"{key}:{value}" for key, value in (resource.get("tags") or {}).items())
    every = resource.get("details") or {}
    details: Mapping[str, Any] = next((every[each] for each in _DETAILS if every.get(each)), {})
    addresses = details.get("ipV4Addresses") or ()
    private = [each for each in addresses if _is_private(each)]
    yield "Platform", _text(details.get("platform") or details.get("runtime"))
    yield "Container Image Tags", _joined(details.get("imageTags") or ())
    yield "Ami", _text(details.get("imageId") or details.get("machineImageId"))
    yield "Resource Public Ipv4", _joined(each for each in addresses if each not in private)
    yield "Resource Private Ipv4", _joined(private)
    yield "Resource Ipv6", _joined(details.get("ipV6Addresses") or ())
    yield "Resource Vpc", _text(details.get("vpcId") or (details.get("vpcConfig") or {}).get("vpcId"))
    yield "Lambda Layers", _joined(details.get("layers") or ())
    yield "Lambda Package Type", _text(details.get("packageType"))
    yield "Lambda Last Updated At", _text(details.get("lastModifiedAt"))


def _vulnerability(details: Mapping[str, Any]) -> _Cells:
    packages = details.get("vulnerablePackages") or ()
    yield "Vulnerability Id", _text(details.get("vulnerabilityId"))
    yield "Vendor", _text(details.get("source"))
    yield "Vendor Severity", _text(details.get("vendorSeverity"))
    yield "Vendor Advisory", _text(details.get("sourceUrl"))
    yield "Vendor Advisory Published", _text(details.get("vendorCreatedAt"))
    if details.get("referenceUrls"):
        yield "Reference Urls", _joined(details["referenceUrls"])
    yield "Affected Packages", _listed(each.get("name") for each in packages)
    yield "Package Installed Version", _listed(map(_version, packages))
    yield "Fixed in Version", _listed(each.get("fixedInVersion") for each in packages)
    yield "Package Remediation", _listed(each.get("remediation") for each in packages)
    if packages:
        yield "File Path", _listed(each.get("filePath") for each in packages)
    yield "Package Manager", _listed(each.get("packageManager") for each in packages)
    vectors = details.get("cvss") or ()
    yield from _vectors("NVD", [each for each in vectors if each.get("source") == "NVD"])
    yield from _vectors("Vendor", [each for each in vectors if each.get("source") != "NVD"])


def _version(package: Mapping[str, Any]) -> str:
    """`0:5.10.118-111.515.amzn2`, as fixed versions are written; the plain version where there is no release."""
    version, release, epoch = _text(package.get("version")), package.get("release"), package.get("epoch") or 0
    if release:
        return f"{epoch}:{version}-{release}"
    return f"{epoch}:{version}" if epoch else version


def _vectors(who: str, entries: Sequence[Mapping[str, Any]]) -> _Cells:
    """The first vector of each major version that there are columns for."""
    for major in ("3", "2"):
        found = next((each for each in entries if _text(each.get("version")).startswith(major)), None)
        if found is not None:
            yield f"{who} CVSS{major} Score", _text(found.get("baseScore"))
            yield f"{who} CVSS{major} Vector", _text(found.get("scoringVector"))


def _reachability(details: Mapping[str, Any]) -> _Cells:
    ports = details.get("openPortRange")
    if ports:
        yield "Port Range", f"{ports.get('begin')}-{ports.get('end')}"
    steps = (details.get("networkPath") or {}).get("steps") or ()
    if steps:
        yield "Network Paths", " > ".join(f"{each.get('componentId')} ({each.get('componentType')})" for each in steps)


def _code(details: Mapping[str, Any]) -> _Cells:
    place = details.get("filePath")
    if place:
        yield "File Path", f"{place.get('filePath')}:{place.get('startLine')}-{place.get('endLine')}"
    if details.get("referenceUrls"):
        yield "Reference Urls", _joined(details["referenceUrls"])
    yield "Detector Name", _text(details.get("detectorName"))


def _joined(values: Iterable[Any], between: str = ",") -> str:
    return between.join(text for text in map(_text, values) if text)


def _listed(values: Iterable[Any]) -> str:
    """One place for each package; "" where none of them has anything."""
    texts = list(map(_text, values))
    return ",".join(texts) if any(texts) else ""


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value if isinstance(value, str) else str(value)


@lru_cache(maxsize=65536)
def _is_private(address: str) -> bool:
    """Whether an address is not one of the internet's."""
    from ipaddress import ip_address

    try:
        return ip_address(address).is_private
    except ValueError:
        return False
