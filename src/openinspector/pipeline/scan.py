"""A target is read, matched, scored and reported: everything one scan does, in order."""

from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from openinspector import __version__
from openinspector.acquire.contract import Progress, Reader, no_progress
from openinspector.acquire.detect import acquire, detect
from openinspector.acquire.limits import Limits
from openinspector.match.describe import describe
from openinspector.match.engine import Outcome, match
from openinspector.match.remedy import remedy
from openinspector.model.inventory import Inventory
from openinspector.model.match import SEVERITIES, Finding, Match, Report, Vulnerability
from openinspector.pipeline.registry import formats
from openinspector.score.severity import choose_vector, severity_of
from openinspector.store.advisories import AdvisoryFile

Words = dict[tuple[str, str], str]  # what an advisory says how bad it is, by feed and id


class Request(Struct, frozen=True, kw_only=True):
    """What to scan and how."""

    target: str
    platform: str = ""
    lambda_layers: tuple[Path, ...] = ()
    cache: Path | None = None


def read_target(request: Request, progress: Progress = no_progress) -> Inventory:
    """The inventory of a target."""
    reader = Reader(formats(request.cache), Limits.from_environment(), request.cache, progress)
    return acquire(reader, detect(request.target), request.platform, request.lambda_layers)


def scan(inventory: Inventory, advisories: AdvisoryFile) -> Report:
    """Match an inventory and say everything about it."""
    outcome = match(inventory, advisories)
    spoken = {each.vulnerability for each in outcome.matches} | {each.vulnerability for each in outcome.undecided}
    rejected = advisories.rejected(spoken)
    told: dict[str, tuple[Vulnerability, Words]] = {}
    findings = []
    for each in outcome.matches:
        if each.vulnerability in rejected:
            continue
        known = told.get(each.vulnerability)
        if known is None:
            known = told[each.vulnerability] = tell(each.vulnerability, advisories)
        findings.append(to_finding(each, *known))
    findings.sort(key=_order)
    return Report(
        inventory=inventory,
        findings=tuple(findings),
        undecided=tuple(each for each in outcome.undecided if each.vulnerability not in rejected),
        notes=tuple(_notes(inventory, outcome, advisories)),
        database=tuple(sorted(advisories.meta.items())),
        scanned_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        tool_version=__version__,
    )


def tell(identity: str, advisories: AdvisoryFile) -> tuple[Vulnerability, Words]:
    """Everything that is known of a vulnerability, and the severity word of each advisory."""
    from msgspec.structs import replace

    told = advisories.advisories_of(identity)
    words = {(feed, advisory.id): advisory.severity for feed, advisory in told if advisory.severity}
    about = describe(identity, advisories.aliases(identity), told)
    about = replace(
        about,
        nickname=advisories.nickname(identity),
        epss=advisories.epss(identity),
        kev=advisories.kev(identity),
        exploits=advisories.exploits(identity),
    )
    return about, words


def to_finding(found: Match, about: Vulnerability, words: Words) -> Finding:
    """A match with its severity, score and remedy."""
    score, vector, score_source = choose_vector(about)
    severity, severity_source = severity_of(found, about, score, words)
    return Finding(
        match=found,
        vulnerability=about,
        severity=severity,
        severity_source=severity_source or score_source,
        score=score,
        vector=vector,
        score_source=score_source,
        remediation=remedy(found),
    )


def _order(finding: Finding) -> tuple[object, ...]:
    """The worst first; among equals the known exploited, the likeliest, then by package."""
    about = finding.vulnerability
    package = finding.match.package
    return (
        SEVERITIES.index(finding.severity),
        about.kev is None,
        -(about.epss.score if about.epss else 0.0),
        package.type,
        package.name,
        package.version,
        about.id,
        package.location.path,
    )


def _notes(inventory: Inventory, outcome: Outcome, advisories: AdvisoryFile) -> list[str]:
    """Plain sentences about what this scan could not see or left alone."""
    notes = []
    if advisories.meta.get("starter"):
        notes.append(
            "Only the starter advisories are loaded: a few hundred well-known vulnerabilities, for trying out."
            " Fetch all of them with `openinspector db update`."
        )
    distribution = inventory.distribution
    if distribution is not None and distribution.end_of_life:
        today = datetime.now(UTC).date().isoformat()
        if distribution.end_of_life <= today:
            notes.append(
                f"{distribution.title or distribution.namespace} reached its end of life on {distribution.end_of_life}:"
                " vulnerabilities found since then may have no advisory at all."
            )
    if distribution is not None and not distribution.namespace and distribution.reason:
        notes.append(f"Packages of the distribution were not judged: {distribution.reason}.")
    if outcome.kernels:
        count = len(outcome.kernels)
        if inventory.target.kind == "host" or inventory.target.running_kernel:
            notes.append(f"{count} kernel packages are installed but not the running kernel; they were not judged.")
        else:
            notes.append(f"{count} kernel packages were not judged: what runs is the host's kernel.")
    if outcome.owned:
        notes.append(
            f"{outcome.owned} language packages belong to packages of the distribution and were judged with them."
        )
    return notes
