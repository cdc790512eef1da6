"""Coverage: whether and how a resource can be seen, one record for each resource and kind of scan.

Source: Inspector's API reference, CoveredResource and ScanStatus; the user guide, "Assessing coverage".
"""

from typing import Final, Literal

from msgspec import Struct

from openinspector.model.resource import Resource

ScanType = Literal["PACKAGE", "NETWORK", "CODE"]
ScanMode = Literal[
    "EC2_SSM_AGENT_BASED", "EC2_AGENTLESS", "EC2_INSPECTOR_AGENT_BASED", "VM_INSPECTOR_AGENT_BASED"
]  # how the packages of an instance are read; nothing else has one
StatusCode = Literal["ACTIVE", "INACTIVE"]
ScanFrequency = Literal["MANUAL", "SCAN_ON_PUSH", "CONTINUOUS_SCAN"]
Reason = Literal[
    "SUCCESSFUL",
    "PENDING_INITIAL_SCAN",
    "SCAN_IN_PROGRESS",
    "PENDING_REVIVAL_SCAN",
    "ACCESS_DENIED",
    "ACCESS_DENIED_TO_ENCRYPTION_KEY",
    "INTERNAL_ERROR",
    "UNMANAGED_EC2_INSTANCE",
    "NO_INVENTORY",
    "STALE_INVENTORY",
    "UNSUPPORTED_OS",
    "EC2_INSTANCE_STOPPED",
    "RESOURCE_TERMINATED",
    "EXCLUDED_BY_TAG",
    "PENDING_DISABLE",
    "DEEP_INSPECTION_PACKAGE_COLLECTION_LIMIT_EXCEEDED",
    "DEEP_INSPECTION_DAILY_SSM_INVENTORY_LIMIT_EXCEEDED",
    "DEEP_INSPECTION_COLLECTION_TIME_LIMIT_EXCEEDED",
    "DEEP_INSPECTION_NO_INVENTORY",
    "AGENTLESS_INSTANCE_STORAGE_LIMIT_EXCEEDED",
    "AGENTLESS_INSTANCE_COLLECTION_TIME_LIMIT_EXCEEDED",
    "SCAN_ELIGIBILITY_EXPIRED",
    "SCAN_FREQUENCY_MANUAL",
    "SCAN_FREQUENCY_SCAN_ON_PUSH",
    "IMAGE_ARCHIVED",
    "UNSUPPORTED_MEDIA_TYPE",
    "UNSUPPORTED_RUNTIME",
    "UNSUPPORTED_CODE_ARTIFACTS",
    "UNSUPPORTED_LANGUAGE",
    "NO_SCAN_CONFIGURATION_ASSOCIATED",
    "INTEGRATION_CONNECTION_LOST",
    "INVALID_ARTIFACT",
    "STORAGE_LIMIT_EXCEEDED",
    "EXTRACTION_COLLECTION_TIME_LIMIT_EXCEEDED",
    "RESOURCE_UNMANAGED",
    "RESOURCE_STOPPED",
    "NO_RESOURCES_FOUND",
    "IMAGE_SIZE_EXCEEDED",
    "UNSUPPORTED_CONFIG_FILE",
]

# The code that usually goes with a reason. Exceeded limits of deep inspection leave the rest of a scan standing. The
# last three are reserved; nothing is watched behind them.
USUAL_CODE: Final[dict[Reason, StatusCode]] = {
    "SUCCESSFUL": "ACTIVE",
    "PENDING_INITIAL_SCAN": "ACTIVE",
    "SCAN_IN_PROGRESS": "ACTIVE",
    "PENDING_REVIVAL_SCAN": "ACTIVE",
    "ACCESS_DENIED": "INACTIVE",
    "ACCESS_DENIED_TO_ENCRYPTION_KEY": "INACTIVE",
    "INTERNAL_ERROR": "INACTIVE",
    "UNMANAGED_EC2_INSTANCE": "INACTIVE",
    "NO_INVENTORY": "INACTIVE",
    "STALE_INVENTORY": "INACTIVE",
    "UNSUPPORTED_OS": "INACTIVE",
    "EC2_INSTANCE_STOPPED": "INACTIVE",
    "RESOURCE_TERMINATED": "INACTIVE",
    "EXCLUDED_BY_TAG": "INACTIVE",
    "PENDING_DISABLE": "INACTIVE",
    "DEEP_INSPECTION_PACKAGE_COLLECTION_LIMIT_EXCEEDED": "ACTIVE",
    "DEEP_INSPECTION_DAILY_SSM_INVENTORY_LIMIT_EXCEEDED": "ACTIVE",
    "DEEP_INSPECTION_COLLECTION_TIME_LIMIT_EXCEEDED": "ACTIVE",
    "DEEP_INSPECTION_NO_INVENTORY": "ACTIVE",
    "AGENTLESS_INSTANCE_STORAGE_LIMIT_EXCEEDED": "INACTIVE",
    "AGENTLESS_INSTANCE_COLLECTION_TIME_LIMIT_EXCEEDED": "INACTIVE",
    "SCAN_ELIGIBILITY_EXPIRED": "INACTIVE",
    "SCAN_FREQUENCY_MANUAL": "INACTIVE",
    "SCAN_FREQUENCY_SCAN_ON_PUSH": "INACTIVE",
    "IMAGE_ARCHIVED": "INACTIVE",
    "UNSUPPORTED_MEDIA_TYPE": "INACTIVE",
    "UNSUPPORTED_RUNTIME": "INACTIVE",
    "UNSUPPORTED_CODE_ARTIFACTS": "INACTIVE",
    "UNSUPPORTED_LANGUAGE": "INACTIVE",
    "NO_SCAN_CONFIGURATION_ASSOCIATED": "INACTIVE",
    "INTEGRATION_CONNECTION_LOST": "INACTIVE",
    "INVALID_ARTIFACT": "INACTIVE",
    "STORAGE_LIMIT_EXCEEDED": "INACTIVE",
    "EXTRACTION_COLLECTION_TIME_LIMIT_EXCEEDED": "INACTIVE",
    "RESOURCE_UNMANAGED": "INACTIVE",
    "RESOURCE_STOPPED": "INACTIVE",
    "NO_RESOURCES_FOUND": "INACTIVE",
    "IMAGE_SIZE_EXCEEDED": "INACTIVE",
    "UNSUPPORTED_CONFIG_FILE": "INACTIVE",
}

# How a resource stands that nobody looks at, by its state (`find.reconcile.State`).
STANDING: Final[dict[str, Reason]] = {
    "stopped": "EC2_INSTANCE_STOPPED",
    "terminated": "RESOURCE_TERMINATED",
    "excluded": "EXCLUDED_BY_TAG",
    "archived": "IMAGE_ARCHIVED",
    "expired": "SCAN_ELIGIBILITY_EXPIRED",
    "disabled": "PENDING_DISABLE",
    "suspended": "ACCESS_DENIED",
}


class ScanStatus(Struct, frozen=True, kw_only=True):
    """Whether a resource is being watched, and why or why not."""

    code: StatusCode
    reason: Reason


def status_of(reason: Reason) -> ScanStatus:
    """The reason with its usual code."""
    return ScanStatus(code=USUAL_CODE[reason], reason=reason)


class EcrRepository(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="ecr_repository"):
    """What coverage tells of a repository: its name, and when its images are scanned."""

    name: str
    scan_frequency: ScanFrequency | None = None


class CodeRepository(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="code_repository"):
    """What coverage tells of a code repository; `visibility` is `PUBLIC` or `PRIVATE`, as its provider says."""

    project_name: str
    provider: Literal["GITHUB", "GITLAB_SELF_MANAGED"]
    visibility: str
    integration_arn: str = ""
    last_scanned_commit: str = ""


class Coverage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one kind of scan sees a resource.

    Most of what the API calls metadata is in the resource; `metadata` and `image_pulled_at` are the rest. Times are ISO
    8601 in UTC with microseconds, "" where there is none yet.
    """

    resource: Resource
    scan_type: ScanType
    status: ScanStatus
    scan_mode: ScanMode | None = None
    last_scanned_at: str = ""
    image_pulled_at: str = ""
    metadata: EcrRepository | CodeRepository | None = None
