"""Ingest: what was found on a resource is handed in, and the answer given when its findings are written.

An account hands in for itself only. Not even a delegated administrator does for its members: who reports of a host is
to know that host, and the key on it is worth no more than what it reports of.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from openinspector.api.context import Context, Handler
from openinspector.api.errors import AccessDenied, Field, Internal, ValidationFailed, field_failed
from openinspector.api.operations._confined import not_read
from openinspector.api.operations._standing import NO_ACCESS
from openinspector.api.own_operations import INGEST
from openinspector.errors import AcquireError, ConfinedError, StoreError, UsageError
from openinspector.model.inventory import Inventory
from openinspector.model.moment import moment_text
from openinspector.model.resource import AccountId, Ec2Instance, EcrImage, LambdaFunction, Resource
from openinspector.pipeline.handed_in import Kind, read_handed_in
from openinspector.pipeline.named import resource_named

LOG: Final = logging.getLogger("openinspector.api")

_DOCUMENTS: Final[tuple[Kind, ...]] = ("sbom", "inventory")
_DETAILS: Final = {
    "AWS_EC2_INSTANCE": "awsEc2Instance",
    "AWS_ECR_CONTAINER_IMAGE": "awsEcrContainerImage",
    "AWS_LAMBDA_FUNCTION": "awsLambdaFunction",
}
_TOLD: Final = ("opened", "reopened", "updated", "suppressed", "unsuppressed", "closed")
_WAIT: Final = 5  # seconds
_FIRST_YEAR, _LAST_YEAR = 1970, 2999


def ingest(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Reads the document, matches it, and writes what follows."""
    if given.get("accountId", context.account_id) != context.account_id:
        raise AccessDenied(NO_ACCESS)
    if context.ingest is None:
        raise Internal("This service takes nothing that is handed in.")
    resource = _resource(context, given["resource"])
    mode = given.get("scanMode")
    if mode and resource.type != "AWS_EC2_INSTANCE":
        raise field_failed("scanMode", f"A resource of the type {resource.type} has no scan mode.")
    kind = _kind(given)
    try:
        inventory = _inventory(context.account_id, kind, given[kind])
        done = context.ingest(resource, inventory, context.now, mode)
    except ConfinedError as error:
        raise not_read(error, kind) from error
    except UsageError as error:
        raise field_failed("resource", f"{error}.") from error
    except StoreError as error:
        LOG.exception("what was handed in was not written", extra={"request_id": context.request_id})
        message = "There are no advisories in force, or the database is too busy: nothing was written. Try again later."
        raise Internal(message, retry_after=_WAIT) from error
    context.poke("deliver")
    counted = Counter(type(each).__name__.lower() for each in done.changes)
    return {
        "status": inventory.status,
        "packages": len(inventory.packages),
        **{name: counted[name] for name in _TOLD},
        "problems": done.problems,
        "superseded": done.superseded,
    }


def _kind(given: Mapping[str, Any]) -> Kind:
    named = [each for each in _DOCUMENTS if each in given]
    if len(named) != 1:
        said = f"Exactly one of {' and '.join(_DOCUMENTS)} must be set."
        fields = tuple(Field(each, said) for each in _DOCUMENTS)
        raise ValidationFailed(said, reason="FIELD_VALIDATION_FAILED", fields=fields)
    return named[0]


def _inventory(account: str, kind: Kind, document: memoryview) -> Inventory:
    try:
        return read_handed_in(kind, document, account)
    except AcquireError as error:
        said = f"The {'SBOM' if kind == 'sbom' else kind} {error}."
        raise ValidationFailed(said, reason="CANNOT_PARSE", fields=(Field(kind, said),)) from error


def _resource(context: Context, told: Mapping[str, Any]) -> Resource:
    region = told.get("region", context.region)
    if region != context.region:
        raise field_failed("resource.region", f"This is {context.region}. A resource is handed in in its own region.")
    kind = told["type"]
    details = told.get("details", {})
    foreign = details.keys() - {_DETAILS[kind]}
    if foreign:
        said = f"These are no details of a resource of the type {kind}."
        raise field_failed(f"resource.details.{min(foreign)}", said)
    try:
        return resource_named(
            AccountId(context.account_id),
            region,
            kind,
            told["id"],
            partition=told.get("partition", ""),
            tags=told.get("tags"),
            platform=told.get("platform", ""),
            details=_details(details),
        )
    except UsageError as error:
        raise field_failed("resource.id", f"{error}.") from error


def _details(told: Mapping[str, Any]) -> Ec2Instance | EcrImage | LambdaFunction | None:
    match told:
        case {"awsEc2Instance": instance}:
            return _instance(instance)
        case {"awsEcrContainerImage": image}:
            return _image(image)
        case {"awsLambdaFunction": function}:
            return _function(function)
        case _:
            return None


def _instance(told: Mapping[str, Any]) -> Ec2Instance:
    return Ec2Instance(
        instance_type=told.get("type", ""),
        image_id=told.get("imageId", ""),
        ipv4_addresses=tuple(told.get("ipV4Addresses", ())),
        ipv6_addresses=tuple(told.get("ipV6Addresses", ())),
        key_name=told.get("keyName", ""),
        instance_profile_arn=told.get("iamInstanceProfileArn", ""),
        vpc_id=told.get("vpcId", ""),
        subnet_id=told.get("subnetId", ""),
        launched_at=_moment(told, "launchedAt"),
    )


def _image(told: Mapping[str, Any]) -> EcrImage:
    return EcrImage(
        repository="",  # these three are those of the ARN
        digest="",
        registry="",
        tags=tuple(told.get("imageTags", ())),
        pushed_at=_moment(told, "pushedAt"),
        author=told.get("author", ""),
        architecture=told.get("architecture", ""),
        last_in_use_at=_moment(told, "lastInUseAt"),
        in_use_count=told.get("inUseCount", 0),
    )


def _function(told: Mapping[str, Any]) -> LambdaFunction:
    network = told.get("vpcConfig", {})
    return LambdaFunction(
        name=told["functionName"],
        runtime=told["runtime"],
        code_sha256=told["codeSha256"],
        version=told.get("version", "$LATEST"),
        role_arn=told.get("executionRoleArn", ""),
        layers=tuple(told.get("layers", ())),
        subnet_ids=tuple(network.get("subnetIds", ())),
        security_group_ids=tuple(network.get("securityGroupIds", ())),
        vpc_id=network.get("vpcId", ""),
        package_type=told.get("packageType", "ZIP"),
        architectures=tuple(told.get("architectures", ())),
        last_modified_at=_moment(told, "lastModifiedAt"),
    )


def _moment(told: Mapping[str, Any], member: str) -> str:
    """A moment; one that clients of another time zone could not read in an answer is refused.

    Raises:
        ValidationFailed: It is none of our time.
    """
    value: datetime | None = told.get(member)
    if value is None:
        return ""
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise field_failed(f"resource.details.{member}", f"Its year is none from {_FIRST_YEAR} to {_LAST_YEAR}.")
    return moment_text(value)


OPERATIONS: Final[Mapping[str, Handler]] = {INGEST: ingest}
