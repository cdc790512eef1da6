"""How findings are sorted: a key for each sort field.

What is missing is less than anything that is there, so that it comes last where the worst comes first. Severities are
ordered by rank, texts by code point (PostgreSQL's collation "C"), dates by time; findings that are equal in the field,
by their ARN. The keys of a field differ for any two findings, and descending order is exactly ascending order read
backwards, so one index walks both ways.
"""

from collections.abc import Callable
from typing import Final

from openinspector.find.attributes import OF_FINDING, OF_RESOURCE, Value
from openinspector.model.finding import SEVERITIES, Finding
from openinspector.model.resource import Resource

SortKey = tuple[int, Value, str]  # 1 where there is a value, else 0; the value; the ARN

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


def sort_key(field: str) -> Callable[[Resource, Finding], SortKey]:
    """The key of a sort field; `field` is one of `SORT_FIELDS`."""
    if field == "SEVERITY":
        return lambda _, finding: (1, _RANK[finding.observation.severity], finding.arn)
    name = _FIELDS[field]

    def key(resource: Resource, finding: Finding) -> SortKey:
        values = OF_RESOURCE[name](resource) if name in OF_RESOURCE else OF_FINDING[name](finding)
        return (1, values[0], finding.arn) if values else (0, "", finding.arn)

    return key
