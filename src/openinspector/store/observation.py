"""Matches of one vulnerability on one resource become an observation: fresh ones of a scan, and stored ones again.

What a database keeps of an open finding are its matches; put together here in the same way as when they were found,
they say the same.

Source: Inspector's user guide, "Understanding severity levels"; where it publishes no rule, ours is said.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from openinspector.model.advisory import Cvss
from openinspector.model.finding import SEVERITIES, Observation, PackageVulnerability, Severity, VulnerablePackage
from openinspector.model.match import Finding
from openinspector.model.package import Package
from openinspector.model.resource import LambdaFunction, Resource
from openinspector.render import inspector_words as words
from openinspector.render.moments import precise
from openinspector.render.text import web_addresses
from openinspector.score.adjust import in_environment
from openinspector.score.severity import band, base_score, version_of

_MOST_ADDRESSES: Final = 100

# Whose vectors come before NVD's, by the family whose advisories judge the package. A rebuild's packages are Red Hat's.
_OWN_SCORER: Final = {
    "amazon": "AMAZON_CVE",
    "debian": "DEBIAN_CVE",
    "ubuntu": "UBUNTU_CVE",
    "redhat": "REDHAT_CVE",
    "rocky": "REDHAT_CVE",
    "almalinux": "REDHAT_CVE",
    "oracle": "Oracle",
    "sles": "SUSE",
    "opensuse-leap": "SUSE",
    "opensuse-tumbleweed": "SUSE",
}

_Record = TypeVar("_Record", bound=msgspec.Struct)


def observation_of(findings: Sequence[Finding], about: Resource, read: Sequence[str]) -> Observation:
    """One vulnerability with all packages of a resource that have it, as bad as the worst of them.

    `read` are the layers of the resource as the scan calls them. The score is that which the flaw has where the
    resource stands, as far as its network is known.
    """
    observation, severity_follows = _published(findings, _function_layers(about, read))
    if about.posture is None:
        return observation
    return in_environment(observation, about.posture.environment, severity_follows=severity_follows)


def _published(findings: Sequence[Finding], layers: Mapping[str, str]) -> tuple[Observation, bool]:
    """With the score as published, and whether the severity is that score's band."""
    vectors = _scored(findings[0])
    judged = [(each, _chosen(each, vectors)) for each in findings]
    lead, base = max(judged, key=lambda pair: SEVERITIES.index(_severity(*pair)))
    about = lead.vulnerability
    source = words.source(lead)
    word = words.vendor_severity(lead)
    if not word and base is not None and base.score is not None and source == base.source == "NVD":
        word = words.SEVERITY[band(base.score)]  # which is what NVD writes beside it
    details = PackageVulnerability(
        id=about.id,
        source=source,
        packages=tuple(
            VulnerablePackage(
                package=_in_layer(each.match.package, layers),
                fixed_version=each.match.fixed_version,
                remediation=each.remediation,
            )
            for each in findings
        ),
        source_url=words.source_page(lead),
        vendor_severity=word,
        vendor_created_at=precise(about.published),
        vendor_updated_at=precise(about.modified),
        references=tuple(web_addresses(about.references)[:_MOST_ADDRESSES]),
        related=tuple(words.related(findings)),
        cvss=vectors,
    )
    details = _storable(details)
    exploited = words.exploit_available(lead) == "YES"
    observation = Observation(
        key=details.id,
        title=words.title(details.id, (each.package for each in details.packages)),
        description=clean(words.description(lead)),
        severity=_severity(lead, base),
        details=details,
        score=base.score if base else None,
        vector=base.vector if base else "",
        score_source=base.source if base else "",
        fix=words.fix_available(findings),
        exploit=exploited,
        last_exploited_at=precise(words.last_exploited(lead)) if exploited else "",
        epss=about.epss.score if about.epss else None,
    )
    return observation, _follows_score(lead, base)


def _scored(finding: Finding) -> tuple[Cvss, ...]:
    """Every vector that has a score, its source in Inspector's words, each once."""
    found: dict[tuple[str, str], Cvss] = {}
    for each in finding.vulnerability.cvss:
        score = each.score if each.score is not None else base_score(each.vector)
        if score is not None:
            source = words.scorer(each.source)
            found.setdefault((source, each.vector), Cvss(vector=each.vector, source=source, score=score))
    return tuple(found.values())


def _chosen(finding: Finding, vectors: Sequence[Cvss]) -> Cvss | None:
    """The vector that the score comes from.

    CVSS 3.x of the distribution itself, else of NVD (3.1 before 3.0), else of GitHub, else of anybody; 2.0 for old
    flaws that nobody has rated since. 4.0 is shown and never counts.
    """
    family = finding.match.evidence[0].namespace.partition(":")[0] if finding.match.evidence else ""
    own = _OWN_SCORER.get(family, "NVD")
    order = (own, "NVD", "GITHUB")

    def rank(each: Cvss) -> tuple[bool, int, bool]:
        version = version_of(each.vector)
        place = order.index(each.source) if each.source in order else len(order)
        return version == "2.0", place, version != "3.1"

    return min((each for each in vectors if version_of(each.vector) != "4.0"), key=rank, default=None)


def _severity(finding: Finding, base: Cvss | None) -> Severity:
    """Ubuntu's own word; else the band of the base score; else what the scan made of words and CVSS 4.0, or UNTRIAGED.

    Malware is critical, whatever a vector says of it.
    """
    if base is not None and base.score is not None and _follows_score(finding, base):
        return words.SEVERITY[band(base.score)]
    return words.SEVERITY[finding.severity]


def _follows_score(finding: Finding, base: Cvss | None) -> bool:
    return finding.severity_source not in ("ubuntu", "malware") and base is not None and base.score is not None


def _function_layers(resource: Resource, read: Sequence[str]) -> dict[str, str]:
    """The ARNs of a function's layers by what the scan calls them: they were `read` in their order, the code last."""
    if not isinstance(resource.details, LambdaFunction):
        return {}
    names = read[:-1]
    arns = resource.details.layers
    return dict(zip(names, arns, strict=True)) if len(names) == len(arns) == len(set(names)) else {}


def _in_layer(package: Package, layers: Mapping[str, str]) -> Package:
    place = package.location
    if place.layer not in layers and place.introduced not in layers:
        return package
    layer, introduced = layers.get(place.layer, place.layer), layers.get(place.introduced, place.introduced)
    return replace(package, location=replace(place, layer=layer, introduced=introduced))


def _storable(record: _Record) -> _Record:
    """The same record; with what UTF-8 or PostgreSQL's text can't hold as U+FFFD, if there is any."""
    try:
        if b"\\u0000" not in msgspec.json.encode(record):
            return record
    except UnicodeEncodeError:  # lone surrogates: a file name that is no UTF-8
        pass
    return msgspec.convert(_cleaned(msgspec.to_builtins(record)), type(record))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {name: _cleaned(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(each) for each in value]
    return value


def clean(text: str) -> str:
    """The text with what neither UTF-8 nor a database holds as U+FFFD."""
    readable = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return readable.replace("\0", "\N{REPLACEMENT CHARACTER}")
