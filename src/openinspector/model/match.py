"""A package meets an advisory, and why we think so."""

from typing import Literal

from msgspec import Struct

from openinspector.model.advisory import Cvss, State
from openinspector.model.enrichment import Epss, Exploit, Kev
from openinspector.model.inventory import Inventory
from openinspector.model.package import Package
from openinspector.model.suppression import Given, Suppression
from openinspector.model.vex import Statement

SeverityWord = Literal["critical", "high", "medium", "low", "negligible", "unknown"]
SEVERITIES: tuple[SeverityWord, ...] = (
    "critical",
    "high",
    "medium",
    "low",
    "negligible",
    "unknown",
)  # worst first


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a match was found: the record consulted, the range it gives, and the comparison made.

    `compared` is the version that was compared (the source package's where the advisory speaks of sources), by
    `scheme`.
    """

    feed: str
    advisory: str
    namespace: str
    name: str
    kind: str
    scheme: str
    compared: str
    introduced: str = ""  # "" from the first version on
    after: str = ""
    fixed: str = ""  # "" no fix
    last_affected: str = ""
    state: State = "affected"
    module: str = ""
    repository: str = ""
    note: str = ""
    url: str = ""


class Vulnerability(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A flaw, merged from every publisher that speaks of it; the CVE id comes first."""

    id: str
    aliases: tuple[str, ...] = ()
    title: str = ""
    description: str = ""
    cvss: tuple[Cvss, ...] = ()
    severities: tuple[tuple[str, str], ...] = ()  # (publisher, its own word)
    cwes: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    url: str = ""
    published: str = ""
    modified: str = ""
    malicious: bool = False
    nickname: str = ""
    epss: Epss | None = None
    kev: Kev | None = None
    exploits: tuple[Exploit, ...] = ()


class Match(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One vulnerability of one package. `fixed_version` is "" where there is no fix."""

    vulnerability: str
    package: Package
    evidence: tuple[Evidence, ...]
    fixed_version: str = ""
    state: State = "affected"
    vendor_severity: str = ""
    related: tuple[str, ...] = ()  # advisories that speak of it: DSA-…, RHSA-…, ALAS-…


class Undecided(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A package that could not be judged (by one vulnerability, or at all where that is ""), and why."""

    package: Package
    reason: str
    vulnerability: str = ""


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A match with its severity and score, as a scan reports it.

    `severity_source` and `score_source` say whose word and whose vector were taken. `vex` are the statements that
    concern it, those that decided first; `suppressed` says why one of them, or an ignore rule, hides it. `known_since`
    is the moment of the scan that a baseline remembers it from, "" for what is new.
    """

    match: Match
    vulnerability: Vulnerability
    severity: SeverityWord
    severity_source: str = ""
    score: float | None = None
    vector: str = ""
    score_source: str = ""
    remediation: str = ""
    suppressed: Suppression | None = None
    vex: tuple[Statement, ...] = ()
    known_since: str = ""


class Report(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything one scan has to say; what the renderers are given."""

    inventory: Inventory
    findings: tuple[Finding, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    notes: tuple[str, ...] = ()  # plain sentences for people: starter advisories only, end of life, stale data
    given: tuple[Given, ...] = ()  # VEX documents, ignore file, baseline
    database: tuple[tuple[str, str], ...] = ()  # digest, built, …
    scanned_at: str = ""  # ISO 8601, UTC
    tool_version: str = ""
