"""What ScanSbom found, before one of its output formats says it: components with their verdicts, and flaws.

A flaw is one vulnerability with every component that it affects; ratings come in the order in which they count: NVD's,
the distribution's, GitHub's, anybody's.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from msgspec import Struct

from openinspector.model.advisory import Cvss
from openinspector.model.distro import FAMILIES
from openinspector.model.match import Finding, SeverityWord, Vulnerability
from openinspector.render import inspector_checks
from openinspector.render import inspector_words as words
from openinspector.render.text import cvss_version, date_time, page_of, web_addresses

# `undecided`: nothing was found, but not everything could be decided, so it is not called clean.
Verdict = Literal[
    "vulnerable", "clean", "undecided", "no_rules", "no_purl", "no_version", "unreadable_purl", "not_software"
]


class Scanned(Struct, frozen=True, kw_only=True):
    """One component of the document as it came (`raw`), with what judging it gave.

    `checks` are the SBOM generator's own findings, as (id, value). `end_of_life` is the moment of a system that has
    reached it, else "".
    """

    raw: dict[str, Any]
    ref: str
    verdict: Verdict
    purl: str = ""
    path: str = ""
    findings: tuple[Finding, ...] = ()
    doubts: tuple[str, ...] = ()
    checks: tuple[tuple[str, str], ...] = ()
    end_of_life: str = ""
    within: "tuple[Scanned, ...]" = ()


class Result(Struct, frozen=True, kw_only=True):
    """A scanned document. `scanned_at` is ISO 8601 in UTC, `scanner` our version with that of the advisories."""

    components: tuple[Scanned, ...]
    scanned_at: str
    scanner: str


class Rating(Struct, frozen=True, kw_only=True):
    """How bad somebody thinks a flaw is, in CycloneDX's words."""

    source: str
    severity: str
    method: str = "other"
    url: str = ""
    score: float | None = None
    vector: str = ""


class Affected(Struct, frozen=True, kw_only=True):
    """A component that has a flaw. `fixed` is "" without a fix; `lines` is where a check found it, `10-12`."""

    component: Scanned
    fixed: str = ""
    lines: str = ""


class Flaw(Struct, frozen=True, kw_only=True):
    """A vulnerability and what it affects. `about` is None for what no advisory tells of."""

    id: str
    source: str
    url: str
    description: str
    ratings: tuple[Rating, ...]
    affected: tuple[Affected, ...]
    about: Vulnerability | None = None
    related: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    cwes: tuple[int, ...] = ()
    published: str = ""
    updated: str = ""
    last_exploited: str = ""

    @property
    def severity(self) -> str:
        """The first rating's word: `critical`, …, `info`, `none`, `unknown`."""
        return self.ratings[0].severity if self.ratings else "unknown"

    @property
    def exploited(self) -> bool:
        """Whether an exploit is known."""
        return self.about is not None and bool(self.about.exploits or self.about.kev)


OURS: Final = "AMAZON_INSPECTOR"  # the name of the service's own ratings, which clients look for
COUNTED: Final = ("critical", "high", "medium", "low")
_RANKS: Final = (*COUNTED, "info", "none", "unknown")
_WORDS: Final = {
    "critical": "critical",
    "high": "high",
    "important": "high",
    "medium": "medium",
    "moderate": "medium",
    "low": "low",
    "minor": "low",
    "negligible": "info",
    "unimportant": "info",
    "none": "none",
    "info": "info",
    "informational": "info",
}
_PUBLISHERS: Final = {"CVE": "NVD", "GHSA": "GITHUB", "MAL": "OSSF"}
_SCORERS: Final = {"nvd": "NVD", "ghsa": "GITHUB", "ubuntu": "Ubuntu Linux"}
_SYSTEMS: Final = {"ubuntu": "Ubuntu Linux"}
_OWN_PAGE: Final = "https://aws.amazon.com/inspector/"
_CWE: Final = re.compile(r"CWE-([1-9][0-9]{0,8})").fullmatch


def flat(components: Iterable[Scanned]) -> Iterable[Scanned]:
    """Every component, each before those within it."""
    for each in components:
        yield each
        yield from flat(each.within)


def flaws(result: Result) -> list[Flaw]:
    """Every flaw, the worst first."""
    found: dict[str, dict[str, tuple[Scanned, Finding]]] = {}
    checks: dict[str, dict[str, Affected]] = {}
    dead: list[Affected] = []
    for component in flat(result.components):
        for finding in component.findings:
            found.setdefault(finding.vulnerability.id, {}).setdefault(component.ref, (component, finding))
        for identity, value in component.checks:
            lines = value.removeprefix("affected_lines:")
            checks.setdefault(identity, {}).setdefault(component.ref, Affected(component=component, lines=lines))
        if component.end_of_life:
            dead.append(Affected(component=component))
    made = [_of_findings(list(each.values())) for each in found.values()]
    for identity, affected in checks.items():
        made.append(_of_check(identity, inspector_checks.check(identity), list(affected.values())))
    if dead:
        about = inspector_checks.discontinued(min(each.component.end_of_life for each in dead))
        made.append(_of_check(inspector_checks.DISCONTINUED, about, dead))
    return sorted(made, key=lambda each: (_RANKS.index(each.severity), not each.exploited, each.id))


def counts(found: Iterable[Flaw]) -> dict[str, int]:
    """The number of flaws by severity; what has none of the four words is `other`."""
    counted = dict.fromkeys((*COUNTED, "other"), 0)
    for each in found:
        counted[each.severity if each.severity in COUNTED else "other"] += 1
    return counted


def priority(flaw: Flaw) -> tuple[str, str]:
    """How soon to fix a flaw, and the quality of what we know: `immediate`, `verified`.

    The service's rule is unpublished. Ours: known to be exploited, at once; with a public exploit or an EPSS of at
    least a half, urgently where it is bad, else moderately; verified is what somebody has seen.
    """
    about = flaw.about
    if about is None:
        return "standard", "unverified"
    if about.kev is not None:
        return "immediate", "verified"
    likely = about.epss is not None and about.epss.score >= 0.5
    if not (about.exploits or likely):
        return "standard", "unverified"
    word = "urgent" if flaw.severity in ("critical", "high") else "moderate"
    return word, "verified" if about.exploits else "unverified"


def publisher(identity: str) -> str:
    """Who gave a vulnerability its id: `NVD`, `GITHUB`, `USN`."""
    prefix = identity.partition("-")[0]
    return _PUBLISHERS.get(prefix, prefix or "unknown")


def _of_findings(pairs: Sequence[tuple[Scanned, Finding]]) -> Flaw:
    worst = min((finding for _, finding in pairs), key=lambda each: _RANKS.index(_ranked(each.severity)))
    about = worst.vulnerability
    related = dict.fromkeys((*about.aliases, *(name for _, each in pairs for name in each.match.related)))
    numbers = (found[1] for found in map(_CWE, about.cwes) if found)
    return Flaw(
        id=about.id,
        source=publisher(about.id),
        url=page_of(about.id),
        description=about.description or about.title,
        ratings=tuple(_ratings(about, worst, [finding for _, finding in pairs])),
        affected=tuple(Affected(component=each, fixed=words.fixed_in(finding)) for each, finding in pairs),
        about=about,
        related=tuple(each for each in related if each and each != about.id),
        references=tuple(web_addresses((about.url, *about.references))),
        cwes=tuple(dict.fromkeys(int(each) for each in numbers)),
        published=about.published if date_time(about.published) else "",
        updated=about.modified if date_time(about.modified) else "",
        last_exploited=words.last_exploited(worst),
    )


def _of_check(identity: str, about: inspector_checks.Check, affected: Sequence[Affected]) -> Flaw:
    return Flaw(
        id=identity,
        source=OURS,
        url=_OWN_PAGE,
        description=about.description,
        ratings=(Rating(source=OURS, severity=about.severity, url=_OWN_PAGE),),
        affected=tuple(affected),
        references=tuple(web_addresses((about.page,))),
        cwes=about.cwes,
    )


def _ranked(severity: SeverityWord) -> str:
    """CycloneDX's word for ours."""
    return _WORDS.get(severity, "unknown")


def _ratings(about: Vulnerability, worst: Finding, findings: Sequence[Finding]) -> Iterable[Rating]:
    """Ratings in the order in which they count, without EPSS; never none."""
    if about.malicious:
        yield Rating(source=OURS, severity="critical", url=_OWN_PAGE)
    vectors = sorted(about.cvss, key=_preference)
    rated = [_of_vector(each, about.id) for each in vectors]
    told = [each for each in rated if each.source == "NVD"]
    told += _of_vendors(findings)
    told += [each for each in rated if each.source == "GITHUB"]
    told = list(dict.fromkeys((*told, *rated)))
    if not about.malicious and all(each.severity == "unknown" for each in told):
        yield Rating(source=OURS, severity=_ranked(worst.severity), url=_OWN_PAGE)
    yield from told


def _of_vendors(findings: Iterable[Finding]) -> Iterable[Rating]:
    """The words of the distributions whose packages are affected."""
    for each in findings:
        family = each.match.evidence[0].namespace.partition(":")[0]
        ruling = _ranked(each.severity) if each.severity_source == family else ""
        word = ruling or _WORDS.get(each.match.vendor_severity.lower())
        if word and family in FAMILIES:
            yield Rating(source=_SYSTEMS.get(family, FAMILIES[family].title), severity=word)


def _preference(each: Cvss) -> tuple[int, str]:
    order = ("3.1", "3.0", "4.0", "2.0")
    version = cvss_version(each.vector)
    return order.index(version) if version in order else len(order), each.source


def _of_vector(each: Cvss, identity: str) -> Rating:
    version = cvss_version(each.vector)
    # The service calls version 3.0 CVSSv31, too.
    method = {"2.0": "CVSSv2", "3.0": "CVSSv31", "3.1": "CVSSv31", "4.0": "CVSSv4"}.get(version, "other")
    name = _SCORERS.get(each.source.lower(), each.source) or "unknown"
    page = page_of(identity) if name == publisher(identity) else ""
    return Rating(
        source=name,
        severity=_band(each.score, version),
        method=method,
        url=page,
        score=each.score,
        vector=each.vector,
    )


def _band(score: float | None, version: str) -> str:
    """The word for a base score; version 2 has no critical."""
    if score is None:
        return "unknown"
    if score >= 9.0 and version != "2.0":
        return "critical"
    if score >= 7.0:
        return "high"
    if score >= 4.0:
        return "medium"
    return "low" if score > 0 else "none"
