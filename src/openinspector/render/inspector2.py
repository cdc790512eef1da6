"""Findings and vulnerabilities as Inspector's API writes them, with aware datetimes for its serialiser.

Source: Inspector's API reference (Finding, FindingDetail, Vulnerability) and its service model (lengths, patterns).
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from openinspector.model.advisory import Cvss
from openinspector.model.finding import (
    Finding,
    NetworkReachability,
    Observation,
    PackageVulnerability,
    VulnerablePackage,
)
from openinspector.model.match import Vulnerability
from openinspector.model.package import OS_TYPES
from openinspector.model.resource import Resource
from openinspector.model.spelling import split_version
from openinspector.render import inspector_words as words
from openinspector.render.inspector2_resources import filled, is_digest, is_layer, resource_entry
from openinspector.render.moments import moment
from openinspector.render.purl import purl
from openinspector.render.text import cut, cvss_version, page_of, web_addresses

_Object = dict[str, Any]

_MANAGERS: Final = frozenset(
    "BUNDLER CARGO COMPOSER NPM NUGET PIPENV POETRY YARN GOBINARY GOMOD JAR OS PIP PYTHONPKG NODEPKG POM GEMSPEC"
    " DOTNET_CORE".split()
)
_LONGEST: Final = 1024
_LONGEST_ID: Final = 128
_LONGEST_PURL: Final = 2048
_LONGEST_WORD: Final = 64
_MOST_STEPS: Final = 30
_MOST_ADDRESSES: Final = 100
_MOST_RELATED: Final = 100
_MOST_PLATFORMS: Final = 100


def finding(resource: Resource, known: Finding) -> _Object:
    """A `Finding` of a resource."""
    seen, life = known.observation, known.life
    said: _Object = {
        "findingArn": known.arn,
        "awsAccountId": resource.account,
        "type": words.finding_type(seen.details),
        "title": cut(seen.title, _LONGEST),
        "description": cut(seen.description, _LONGEST),
        "severity": seen.severity,
        "status": life.status,
        "firstObservedAt": moment(life.first_observed_at),
        "lastObservedAt": moment(life.last_observed_at),
        "updatedAt": moment(life.updated_at),
        "remediation": {"recommendation": {"text": "None Provided"}},
        "resources": [resource_entry(resource)],
    }
    match seen.details:
        case PackageVulnerability() as details:
            return said | _judgement(seen) | {"packageVulnerabilityDetails": _package_vulnerability(details)}
        case NetworkReachability() as details:
            return said | {"networkReachabilityDetails": _network_reachability(details)}


def _judgement(seen: Observation) -> _Object:
    """Fix, exploit and scores, which only findings about packages have."""
    exploited = moment(seen.last_exploited_at) if seen.exploit else None
    return filled(
        fixAvailable=seen.fix,
        exploitAvailable=None if seen.exploit is None else "YES" if seen.exploit else "NO",
        exploitabilityDetails={"lastKnownExploitAt": exploited} if exploited else None,
        epss=None if seen.epss is None else {"score": seen.epss},
        inspectorScore=seen.score,
        inspectorScoreDetails=_score_details(seen),
    )


def _score_details(seen: Observation) -> _Object | None:
    if seen.score is None or not (seen.vector and seen.score_source):
        return None
    return {
        "adjustedCvss": {
            "scoreSource": seen.score_source,
            "cvssSource": seen.score_source,
            "version": cvss_version(seen.vector),
            "score": seen.score,
            "scoringVector": seen.vector,
            "adjustments": [{"metric": each.metric, "reason": each.reason} for each in seen.adjustments],
        }
    }


def _package_vulnerability(details: PackageVulnerability) -> _Object:
    return filled(
        vulnerabilityId=cut(details.id, _LONGEST_ID),
        source=details.source,
        sourceUrl=details.source_url,
        vendorSeverity=details.vendor_severity,
        vendorCreatedAt=moment(details.vendor_created_at),
        vendorUpdatedAt=moment(details.vendor_updated_at),
        relatedVulnerabilities=[cut(each, _LONGEST_ID) for each in details.related if each],
        referenceUrls=web_addresses(details.references)[:_MOST_ADDRESSES],
        cvss=[
            {
                "baseScore": each.score,
                "scoringVector": each.vector,
                "version": cvss_version(each.vector),
                "source": each.source,
            }
            for each in details.cvss
            if each.score is not None and each.vector and each.source
        ],
        vulnerablePackages=[_vulnerable_package(each) for each in details.packages],
    )


def _vulnerable_package(vulnerable: VulnerablePackage) -> _Object:
    package = vulnerable.package
    parts = split_version(package)
    manager = words.package_manager(package)
    place = package.location.introduced or package.location.layer
    # A file path says nothing where the package lies in its manager's database.
    of_system = package.type in OS_TYPES
    address = "" if of_system else purl(package, None)
    return filled(
        name=cut(package.name, _LONGEST) or "unknown",
        version=cut(parts.version, _LONGEST) or "unknown",
        release=cut(parts.release, _LONGEST),
        epoch=parts.epoch,
        arch=cut(words.architecture(package), _LONGEST_WORD),
        packageManager=manager if manager in _MANAGERS else None,
        fixedInVersion=cut(words.full_version(package, vulnerable.fixed_version), _LONGEST),
        remediation=cut(vulnerable.remediation, _LONGEST),
        filePath="" if of_system else cut(package.location.path, _LONGEST),
        sourceLayerHash=place if is_digest(place) else None,
        sourceLambdaLayerArn=place if is_layer(place) else None,
        purl=address if len(address) <= _LONGEST_PURL else None,
    )


def _network_reachability(details: NetworkReachability) -> _Object:
    path = details.path
    if len(path) > _MOST_STEPS:  # the instance is what nobody could do without
        path = (*path[: _MOST_STEPS - 1], path[-1])
    steps = [
        filled(componentId=each.component_id, componentType=each.component_type, componentArn=each.component_arn)
        for each in path
    ]
    return {
        "openPortRange": {"begin": details.first_port, "end": details.last_port},
        "protocol": details.protocol,
        "networkPath": {"steps": steps} if steps else {},
    }


def finding_details(arn: str, about: Vulnerability) -> _Object:
    """A `FindingDetail`: what is known of the flaw of a finding beyond the finding itself."""
    return filled(
        findingArn=arn,
        cisaData=_cisa_data(about),
        evidences=list(_evidences(about)),
        ttps=[],
        tools=[],
        exploitObserved=_exploit_observed(about),
        referenceUrls=web_addresses(about.references)[:_MOST_ADDRESSES],
        cwes=_weaknesses(about),
        epssScore=about.epss.score if about.epss else None,
    )


def vulnerability(about: Vulnerability, platforms: Sequence[str] = ()) -> _Object:
    """A `Vulnerability` as a search gives it; `platforms` are those that it can be detected on."""
    epss = about.epss
    return filled(
        id=about.id,
        source="NVD",
        sourceUrl=page_of(about.id),
        description=about.description.strip() or about.title,
        cwes=_weaknesses(about),
        cisaData=_cisa_data(about),
        vendorSeverity=cut(next((word.strip() for _, word in about.severities), ""), _LONGEST_WORD),
        cvss2=_vector(about.cvss, "2."),
        cvss3=_vector(about.cvss, "3."),
        cvss4=_vector(about.cvss, "4."),
        epss={"score": epss.score} if epss else None,
        relatedVulnerabilities=list(about.aliases[:_MOST_RELATED]),
        vendorCreatedAt=moment(about.published),
        vendorUpdatedAt=moment(about.modified),
        referenceUrls=web_addresses(about.references)[:_MOST_ADDRESSES],
        exploitObserved=_exploit_observed(about),
        detectionPlatforms=list(platforms[:_MOST_PLATFORMS]),
    )


def _weaknesses(about: Vulnerability) -> list[str]:
    return [each for each in about.cwes if each.startswith("CWE-")]


def _cisa_data(about: Vulnerability) -> _Object | None:
    if about.kev is None:
        return None
    return filled(
        dateAdded=moment(about.kev.date_added),
        dateDue=moment(about.kev.due_date),
        action=about.kev.required_action,
    )


def _exploit_observed(about: Vulnerability) -> _Object | None:
    """From when until when exploits were recorded; None where none has a day."""
    said = [each.date for each in about.exploits]
    if about.kev is not None:
        said.append(about.kev.date_added)
    days = sorted(filter(None, map(moment, said)))
    return {"firstSeen": days[0], "lastSeen": days[-1]} if days else None


def _evidences(about: Vulnerability) -> Iterable[_Object]:
    for each in about.exploits:
        yield {"evidenceRule": "Public exploit", "evidenceDetail": " ".join((each.source, *each.ids))}
    if about.kev is not None:
        used = " in ransomware campaigns" if about.kev.ransomware else ""
        detail = f"CISA lists it as exploited{used} since {about.kev.date_added}"
        yield {"evidenceRule": "Known exploited vulnerability", "evidenceDetail": detail}


def _vector(vectors: Iterable[Cvss], version: str) -> _Object | None:
    """The vector of a major version: NVD's, else another's; the newest minor version."""
    known = [each for each in vectors if each.score is not None and cvss_version(each.vector).startswith(version)]
    if not known:
        return None
    best = max(known, key=lambda each: (words.scorer(each.source) == "NVD", cvss_version(each.vector)))
    return {"baseScore": best.score, "scoringVector": best.vector}
