"""A finding as the service keeps it: one vulnerability, or one open path, of one resource, with a life.

Source: Inspector's API reference, Finding; the user guide, "Understanding findings" (states).
"""

from typing import Literal

from msgspec import Struct

from openinspector.model.advisory import Cvss
from openinspector.model.package import Package

FindingType = Literal["PACKAGE_VULNERABILITY", "NETWORK_REACHABILITY", "CODE_VULNERABILITY"]
Status = Literal["ACTIVE", "SUPPRESSED", "CLOSED"]
Severity = Literal["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL", "UNTRIAGED"]
FixAvailable = Literal["YES", "NO", "PARTIAL"]

SEVERITIES: tuple[Severity, ...] = ("UNTRIAGED", "INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")  # by rank


class VulnerablePackage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A package of the resource that has the flaw. `fixed_version` is "" where there is no fix."""

    package: Package
    fixed_version: str = ""
    remediation: str = ""


class PackageVulnerability(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="package"):
    """`PackageVulnerabilityDetails`: the flaw, and every package of the resource that has it."""

    id: str
    source: str  # `NVD`, `DEBIAN_CVE`, `GITHUB`
    packages: tuple[VulnerablePackage, ...]
    source_url: str = ""
    vendor_severity: str = ""
    vendor_created_at: str = ""
    vendor_updated_at: str = ""
    references: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    cvss: tuple[Cvss, ...] = ()


class Step(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A component on a network path, from outside to inside."""

    component_id: str
    component_type: str  # `AWS::EC2::InternetGateway`
    component_arn: str = ""


class NetworkReachability(Struct, frozen=True, kw_only=True, tag="network"):
    """`NetworkReachabilityDetails`: ports that can be reached, and by which way."""

    first_port: int
    last_port: int
    protocol: Literal["TCP", "UDP"]
    path: tuple[Step, ...]


class Adjustment(Struct, frozen=True, kw_only=True):
    """A metric of the base vector that the resource's surroundings change, `Attack Vector`, and why."""

    metric: str
    reason: str


class Observation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an evaluation of a resource saw: a finding without its life.

    `key` tells apart what a resource has: the vulnerability's id, or `igw-01/TCP/eni-01/22-22`. `score` is None where
    nobody has scored it, `epss` where it is unknown. `vector` is the one that `score` follows from: the base vector of
    `score_source` with the `adjustments` made.
    """

    key: str
    title: str
    description: str
    severity: Severity
    details: PackageVulnerability | NetworkReachability
    score: float | None = None
    vector: str = ""
    score_source: str = ""
    adjustments: tuple[Adjustment, ...] = ()
    fix: FixAvailable | None = None
    exploit: bool | None = None
    last_exploited_at: str = ""
    epss: float | None = None


class Life(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The life of a finding. Times are ISO 8601 in UTC with microseconds; `closed_at` is "" while it is open.

    `delete_at` is when a closed finding is forgotten: 3 days after its resource went, else 30 days after it was closed.
    `suppressed_by` is the ARN of the filter that hides a suppressed finding.
    """

    status: Status
    first_observed_at: str
    last_observed_at: str
    updated_at: str
    closed_at: str = ""
    delete_at: str = ""
    suppressed_by: str = ""


class Finding(Struct, frozen=True, kw_only=True):
    """A finding of a resource: what was seen last, and its life. `arn` is the same for as long as it lives."""

    arn: str
    observation: Observation
    life: Life
