"""How findings are sorted: a key for each sort field.

What is missing is less than anything that is there, so that it comes last where the worst comes first. Severities are
ordered by rank, texts by code point (PostgreSQL's collation "C"), dates by time. Findings that are equal in the field
are ordered by their ARN; those of one resource stay together where the field is the resource's, and those of one flaw
where it is EPSS: then it is by account, by the id of the resource or flaw, and by ARN. (A database walks resources, or
flaws, and each one's findings: in order of the ARN alone it would have to sort all that are equal, which is most.)

The keys of a field differ for any two findings, and descending order is exactly ascending order read backwards, so one
index walks both ways.
"""

from collections.abc import Callable
from typing import Final

from openinspector.find.attributes import OF_FINDING, OF_RESOURCE, Value
from openinspector.model.finding import SEVERITIES, Finding, PackageVulnerability
from openinspector.model.resource import Resource

SortKey = tuple[int, Value, str, str, str]  # 1 where there is a value, else 0; the value; account, tie and ARN

_RANK: Final = {severity: rank for rank, severity in enumerate(SEVERITIES)}

# Sort field → field of the filter criteria. Of a path with several components the first, its source, counts.
_FIELDS: Final = {
    "AWS_ACCOUNT_ID": "aws_account_id",
    "FINDING_TYPE": "finding_type",
    "SEVERITY": "severity",
    "FIRST_OBSERVED_AT": "first_observed_at",
    "LAST_OBSERVED_AT": "last_observed_at",
    "FINDING_STATUS": "finding_status",
    "RESOURCE_TYPE": "resource_type",
    "ECR_IMAGE_PUSHED_AT": "ecr_image_pushed_at",
    "ECR_IMAGE_REPOSITORY_NAME": "ecr_image_repository_name",
    "ECR_IMAGE_REGISTRY": "ecr_image_registry",
    "NETWORK_PROTOCOL": "network_protocol",
    "COMPONENT_TYPE": "component_type",
    "VULNERABILITY_ID": "vulnerability_id",
    "VULNERABILITY_SOURCE": "vulnerability_source",
    "INSPECTOR_SCORE": "inspector_score",
    "VENDOR_SEVERITY": "vendor_severity",
    "EPSS_SCORE": "epss_score",
}
SORT_FIELDS: Final = frozenset(_FIELDS)
_BY_RESOURCE: Final = frozenset(
    {"RESOURCE_TYPE", "ECR_IMAGE_PUSHED_AT", "ECR_IMAGE_REPOSITORY_NAME", "ECR_IMAGE_REGISTRY"}
)


def sort_key(field: str) -> Callable[[Resource, Finding], SortKey]:
    """The key of a sort field; `field` is one of `SORT_FIELDS`."""
    name = _FIELDS[field]

    def key(resource: Resource, finding: Finding) -> SortKey:
        last = resource.account, _tie(field, resource, finding), finding.arn
        if field == "SEVERITY":
            return 1, _RANK[finding.observation.severity], *last
        values = OF_RESOURCE[name](resource) if name in OF_RESOURCE else OF_FINDING[name](finding)
        return (1, values[0], *last) if values else (0, "", *last)

    return key


def _tie(field: str, resource: Resource, finding: Finding) -> str:
    """What findings that are equal in a field are ordered by before their ARN; "" where nothing comes before it."""
    if field in _BY_RESOURCE:
        return resource.id
    details = finding.observation.details
    return details.id if field == "EPSS_SCORE" and isinstance(details, PackageVulnerability) else ""
