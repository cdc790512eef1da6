"""SPDX 2.3 JSON: the target, its operating system and its packages; known vulnerabilities as security references.

SPDX has no place for a severity or for doubt in general, so those are comments; `cyclonedx` and `json` have all of it.

Source: https://spdx.github.io/spdx-spec/v2.3/
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from openinspector.model.inventory import Kind
from openinspector.model.match import Finding, Report
from openinspector.model.package import Package
from openinspector.model.suppression import Suppression
from openinspector.render.components import components, places_and_owners, reference, system_name
from openinspector.render.text import date_time, identity, json_document, one_line, page_of

_Object = dict[str, Any]

_NOT_SAID: Final = "NOASSERTION"
_ROOT: Final = "SPDXRef-Target"
_SYSTEM: Final = "SPDXRef-OperatingSystem"
_PURPOSES: Final[dict[Kind, str]] = {
    "host": "DEVICE",
    "directory": "OTHER",
    "image": "CONTAINER",
    "lambda": "APPLICATION",
    "sbom": "OTHER",
}
_HASHES: Final = {"md5": "MD5", "sha1": "SHA1", "sha256": "SHA256", "sha384": "SHA384", "sha512": "SHA512"}
_HEX: Final = re.compile(r"[0-9a-fA-F]{32,128}").fullmatch
_ODD: Final = re.compile(r"[^A-Za-z0-9.-]+")
# Ids of the SPDX list that need no text of their own; anything else becomes a LicenseRef, which is always valid.
_LICENCES: Final = frozenset(
    "0BSD AFL-2.1 AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 Artistic-1.0-Perl Artistic-2.0 BlueOak-1.0.0"
    " BSD-2-Clause BSD-3-Clause BSD-4-Clause BSL-1.0 CC-BY-4.0 CC0-1.0 CDDL-1.0 CDDL-1.1 curl EPL-1.0 EPL-2.0 EUPL-1.2"
    " FTL GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later ICU ISC LGPL-2.0-or-later LGPL-2.1-only"
    " LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later Libpng MIT MIT-0 MPL-1.1 MPL-2.0 NCSA OFL-1.1 OpenSSL PHP-3.01"
    " PostgreSQL PSF-2.0 Python-2.0 Ruby Sleepycat TCL Unicode-3.0 Unlicense Vim W3C WTFPL X11 Zlib ZPL-2.1".split()
)


def render(report: Report) -> str:
    """The document."""
    known = components(report)
    findings = _by_reference(report)
    doubts = {reference(each.package, report.inventory.distribution): each.reason for each in report.undecided}
    licences: dict[str, str] = {}
    packages = [_target(report)]
    system = _system(report)
    if system:
        packages.append(system)
    ids = [each["SPDXID"] for each in packages]
    for ref, members in known.items():
        packages.append(_package(ref, members, findings.get(ref, ()), doubts.get(ref, ""), licences))
        ids.append(packages[-1]["SPDXID"])
    target = report.inventory.target
    document: _Object = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": one_line(target.name) or target.kind,
        "documentNamespace": f"urn:uuid:{identity(target.kind, target.name, target.digest, report.scanned_at, *known)}",
        "creationInfo": {
            "created": _moment(report.scanned_at),
            "creators": [
                f"Tool: openinspector-{report.tool_version}" if report.tool_version else "Tool: openinspector"
            ],
        },
    }
    comment = "\n".join(_comments(report))
    if comment:
        document["comment"] = comment
    document["packages"] = packages
    if licences:
        document["hasExtractedLicensingInfos"] = [
            {"licenseId": name, "extractedText": text, "name": text} for name, text in sorted(licences.items())
        ]
    document["relationships"] = [
        {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": _ROOT},
        *(
            {"spdxElementId": _ROOT, "relationshipType": "CONTAINS", "relatedSpdxElement": each}
            for each in ids
            if each != _ROOT
        ),
    ]
    return json_document(document)


def _moment(text: str) -> str:
    """Seconds in UTC, the only form SPDX has; the epoch where a report has no time."""
    return f"{text[:19]}Z" if date_time(text) and text.endswith("Z") else "1970-01-01T00:00:00Z"


def _comments(report: Report) -> Iterable[str]:
    inventory = report.inventory
    if inventory.status != "whole":
        yield f"This is a {inventory.status} scan: packages may be missing."
    yield from report.notes
    for problem in inventory.problems:
        yield f"Not read: {problem.path}: {problem.reason}" + (f" ({problem.count} times)" if problem.count > 1 else "")


def _bare(name: str, identifier: str, purpose: str) -> _Object:
    return {
        "SPDXID": identifier,
        "name": name,
        "downloadLocation": _NOT_SAID,
        "filesAnalyzed": False,
        "licenseConcluded": _NOT_SAID,
        "licenseDeclared": _NOT_SAID,
        "copyrightText": _NOT_SAID,
        "primaryPackagePurpose": purpose,
    }


def _target(report: Report) -> _Object:
    target = report.inventory.target
    root = _bare(one_line(target.name) or target.kind, _ROOT, _PURPOSES[target.kind])
    if target.digest:
        root["versionInfo"] = target.digest
        checksum = _checksum(target.digest)
        if checksum:
            root["checksums"] = [checksum]
    if target.layers:
        root["comment"] = "Layers: " + " ".join(each.diff_id for each in target.layers)
    return root


def _system(report: Report) -> _Object | None:
    distribution = report.inventory.distribution
    if distribution is None:
        return None
    system = _bare(system_name(distribution) or "unknown", _SYSTEM, "OPERATING_SYSTEM")
    release = distribution.version or distribution.codename
    if release:
        system["versionInfo"] = release
    said = []
    if distribution.end_of_life:
        said.append(f"Free fixes end on {distribution.end_of_life}.")
    if distribution.reason:
        said.append(distribution.reason)
    if said:
        system["comment"] = " ".join(said)
    return system


def _package(
    ref: str, packages: Sequence[Package], findings: Iterable[Finding], doubt: str, licences: dict[str, str]
) -> _Object:
    first = packages[0]
    name = one_line(first.name) or "unknown"
    readable = _ODD.sub("-", f"{first.type}-{name}").strip("-.")[:80]
    # The hash keeps two names apart that differ only in what an id can't hold.
    element = _bare(name, f"SPDXRef-Package-{readable}-{identity(ref)[:13]}", "LIBRARY")
    if first.version:
        element["versionInfo"] = first.version
    vendor = next((one_line(each.vendor) for each in packages if each.vendor.strip()), "")
    element["supplier"] = f"Organization: {vendor}" if vendor else _NOT_SAID
    licence = next((one_line(each.license) for each in packages if each.license.strip()), "")
    if licence:
        element["licenseDeclared"] = _licence(licence, licences)
    element["sourceInfo"] = _origin(packages)
    checksums = [each for each in map(_checksum, dict.fromkeys(each.digest for each in packages)) if each is not None]
    if checksums:
        element["checksums"] = checksums
    if doubt:
        element["comment"] = f"Not judged: {doubt}"
    references = []
    if not ref.startswith("nameless:"):
        references.append(
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": ref},
        )
    references += [_security(each) for each in findings]
    if references:
        element["externalRefs"] = references
    return element


def _origin(packages: Sequence[Package]) -> str:
    first = packages[0]
    said = [f"acquired by the reader {first.format}" if first.format else "acquired by a reader"]
    paths = [f"{path} (owned by {owner})" if owner else path for path, owner in places_and_owners(packages)]
    if paths:
        said.append("from " + ", ".join(map(one_line, paths)))
    if first.source is not None:
        said.append(f"built from {one_line(f'{first.source.name} {first.source.version}')}")
    layers = list(dict.fromkeys(each.location.layer for each in packages if each.location.layer))
    if layers:
        said.append("in layer " + ", ".join(layers))
    return "; ".join(said)


def _licence(text: str, licences: dict[str, str]) -> str:
    if text in _LICENCES:
        return text
    name = f"LicenseRef-{_ODD.sub('-', text).strip('-.')[:40] or 'text'}-{identity(text)[:8]}"
    licences[name] = text
    return name


def _checksum(digest: str) -> _Object | None:
    algorithm, _, value = digest.partition(":")
    if algorithm not in _HASHES or not _HEX(value):
        return None
    return {"algorithm": _HASHES[algorithm], "checksumValue": value.lower()}


def _security(finding: Finding) -> _Object:
    about = finding.vulnerability
    said = f"{about.id}, {finding.severity}"
    if finding.match.fixed_version:
        said += f", fixed in {finding.match.fixed_version}"
    if finding.suppressed:
        said += f", suppressed: {finding.suppressed}"
    return {
        "referenceCategory": "SECURITY",
        "referenceType": "advisory",
        "referenceLocator": page_of(about.id, about.url),
        "comment": said,
    }


def _by_reference(report: Report) -> dict[str, list[Finding]]:
    """The findings of each package; one for each vulnerability, however many places it is in."""
    found: dict[str, dict[tuple[str, Suppression | None], Finding]] = {}
    for each in report.findings:
        ref = reference(each.match.package, report.inventory.distribution)
        found.setdefault(ref, {}).setdefault((each.vulnerability.id, each.suppressed), each)
    return {ref: list(each.values()) for ref, each in found.items()}
