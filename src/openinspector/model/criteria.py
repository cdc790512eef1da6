"""What findings are filtered by: filter criteria as the API has them, and the filters that keep them under a name.

Every field of the criteria holds up to ten entries. Between fields it is *and*, between the entries of one field *or*;
`find/criteria.py` says exactly what an entry means.

Source: Inspector's API reference, FilterCriteria, PackageFilter and Filter.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from openinspector.errors import UsageError

StringComparison = Literal["EQUALS", "PREFIX", "NOT_EQUALS"]
ReachabilityComparison = Literal["EQUALS", "NOT_EQUALS"]
Action = Literal["NONE", "SUPPRESS"]

_Moment = Annotated[datetime, Meta(tz=True)]
_Port = Annotated[int, Meta(ge=0, le=65535)]
_Value = Annotated[str, Meta(max_length=256)]


class StringFilter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text and how to compare with it."""

    comparison: StringComparison
    value: Annotated[str, Meta(min_length=1, max_length=1024)]


class DateFilter(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"):
    """From one moment to another, both included; None is open."""

    start_inclusive: _Moment | None = None
    end_inclusive: _Moment | None = None


class NumberFilter(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"):
    """From one number to another, both included; None is open."""

    lower_inclusive: float | None = None
    upper_inclusive: float | None = None


class MapFilter(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A tag's key and its value; None is any value, "" the empty one."""

    comparison: Literal["EQUALS"]
    key: Annotated[str, Meta(min_length=1, max_length=128)]
    value: _Value | None = None


class PortRangeFilter(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"
):
    """From one port to another, both included; None is open."""

    begin_inclusive: _Port | None = None
    end_inclusive: _Port | None = None


class ReachabilityFilter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a package is used at run time."""

    comparison: ReachabilityComparison
    value: Literal["REACHABLE", "NOT_REACHABLE", "UNKNOWN"]


class ReachabilityReasonFilter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it is known whether a package is used at run time."""

    comparison: ReachabilityComparison
    value: Literal[
        "PACKAGE_IN_DOCKERFILE_WORKLOAD_PATH",
        "PACKAGE_NOT_IN_DOCKERFILE_WORKLOAD_PATH",
        "PROCESS_OBSERVED_IN_EC2_RUNTIME",
        "PROCESS_NOT_OBSERVED_IN_EC2_RUNTIME",
    ]


class PurlQualifierFilter(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A qualifier of a package URL and its value; None is any value."""

    comparison: Literal["EQUALS"]
    key: Literal[
        "arch",
        "collector",
        "dev_dependency",
        "distro",
        "epoch",
        "go_toolchain",
        "hardened",
        "private",
        "rust_toolchain",
        "scope",
        "skip_chromium_download",
        "source",
        "stream",
        "transitive_dependency",
        "unresolved",
        "vendor",
    ]
    value: _Value | None = None


class PackageFilter(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"):
    """What one and the same package must be; None is anything."""

    name: StringFilter | None = None
    version: StringFilter | None = None
    epoch: NumberFilter | None = None
    release: StringFilter | None = None
    architecture: StringFilter | None = None
    source_layer_hash: StringFilter | None = None
    source_lambda_layer_arn: StringFilter | None = None
    file_path: StringFilter | None = None
    runtime_reachability: ReachabilityFilter | None = None
    runtime_reachability_reason: ReachabilityReasonFilter | None = None
    purl_qualifier: PurlQualifierFilter | None = None


_TEN = Meta(max_length=10)
Strings = Annotated[tuple[StringFilter, ...], _TEN]
Dates = Annotated[tuple[DateFilter, ...], _TEN]
Numbers = Annotated[tuple[NumberFilter, ...], _TEN]
Tags = Annotated[tuple[MapFilter, ...], _TEN]
Ports = Annotated[tuple[PortRangeFilter, ...], _TEN]
Packages = Annotated[tuple[PackageFilter, ...], _TEN]


class Criteria(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"):
    """`FilterCriteria`: a field without entries asks nothing, criteria without any match every finding."""

    finding_arn: Strings = ()
    aws_account_id: Strings = ()
    finding_type: Strings = ()
    severity: Strings = ()
    first_observed_at: Dates = ()
    last_observed_at: Dates = ()
    updated_at: Dates = ()
    finding_status: Strings = ()
    title: Strings = ()
    inspector_score: Numbers = ()
    epss_score: Numbers = ()
    fix_available: Strings = ()
    exploit_available: Strings = ()
    vulnerability_id: Strings = ()
    vulnerability_source: Strings = ()
    vendor_severity: Strings = ()
    related_vulnerabilities: Strings = ()
    vulnerable_packages: Packages = ()
    port_range: Ports = ()
    network_protocol: Strings = ()
    component_id: Strings = ()
    component_type: Strings = ()
    code_vulnerability_detector_name: Strings = ()
    code_vulnerability_detector_tags: Strings = ()
    code_vulnerability_file_path: Strings = ()
    resource_type: Strings = ()
    resource_id: Strings = ()
    resource_tags: Tags = ()
    ec2_instance_image_id: Strings = ()
    ec2_instance_vpc_id: Strings = ()
    ec2_instance_subnet_id: Strings = ()
    ecr_image_pushed_at: Dates = ()
    ecr_image_architecture: Strings = ()
    ecr_image_registry: Strings = ()
    ecr_image_repository_name: Strings = ()
    ecr_image_tags: Strings = ()
    ecr_image_hash: Strings = ()
    ecr_image_last_in_use_at: Dates = ()
    ecr_image_in_use_count: Numbers = ()
    lambda_function_name: Strings = ()
    lambda_function_layers: Strings = ()
    lambda_function_runtime: Strings = ()
    lambda_function_last_modified_at: Dates = ()
    lambda_function_execution_role_arn: Strings = ()
    code_repository_project_name: Strings = ()
    code_repository_provider_type: Strings = ()
    machine_image_id: Strings = ()
    machine_image_name: Strings = ()
    machine_image_owner_account_id: Strings = ()
    machine_image_platform: Strings = ()
    cloud_provider: Strings = ()
    cloud_provider_region: Strings = ()
    cloud_provider_account_id: Strings = ()
    cloud_provider_org_id: Strings = ()
    cloud_vm_image_reference: Strings = ()
    cloud_vm_network_id: Strings = ()
    cloud_vm_subnet_ids: Strings = ()
    cloud_image_repository_name: Strings = ()
    cloud_image_registry: Strings = ()
    cloud_image_digest: Strings = ()
    cloud_image_tags: Strings = ()
    cloud_image_pushed_at: Dates = ()
    cloud_image_architecture: Strings = ()
    cloud_image_last_in_use_at: Dates = ()
    cloud_image_in_use_count: Numbers = ()
    cloud_serverless_function_name: Strings = ()
    cloud_serverless_function_runtime: Strings = ()
    cloud_serverless_function_last_modified_at: Dates = ()
    cloud_serverless_function_execution_role: Strings = ()


class Filter(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Criteria under a name: a saved view (`NONE`), or a rule that hides what matches (`SUPPRESS`).

    `owner` is an account or, of filters that the delegated administrator makes, the organisation `o-…`.
    """

    arn: str
    owner: str
    name: str
    action: Action
    criteria: Criteria
    created_at: str
    updated_at: str
    description: str = ""
    reason: str = ""
    tags: dict[str, str] = {}


def parse_criteria(parsed: Mapping[str, Any]) -> Criteria:
    """Criteria from the API's dictionary, whose moments are aware datetimes.

    Raises:
        UsageError: A field is unknown, or an entry is not as the service's model has it; the message says where.
    """
    try:
        return msgspec.convert(parsed, Criteria)
    except msgspec.ValidationError as error:
        raise UsageError(f"filter criteria: {error}") from error


def api_criteria(criteria: Criteria) -> dict[str, Any]:
    """The API's dictionary again: `parse_criteria` of it gives the same criteria."""
    said = msgspec.to_builtins(criteria, builtin_types=(datetime,))
    return {field: list(entries) for field, entries in said.items()}
