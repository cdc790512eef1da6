"""Resources as somebody names them who hands in what was found on them."""

import re
from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from openinspector.errors import UsageError
from openinspector.model.resource import AccountId, Ec2Instance, EcrImage, LambdaFunction, Resource, ResourceType

_INSTANCE: Final = re.compile(r"i-([a-z0-9]{8}|[a-z0-9]{17})")
_IMAGE: Final = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):ecr:(?P<region>[a-z0-9-]+):(?P<account>\d{12})"
    r":repository/(?P<repository>[a-zA-Z0-9._/-]+)/(?P<digest>sha256:[0-9a-f]{64})",
    re.ASCII,
)
_FUNCTION: Final = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12})"
    r":function:[a-zA-Z0-9_.-]+(:(\$LATEST|[a-zA-Z0-9_-]+))?",
    re.ASCII,
)
_FORMS: Final[Mapping[ResourceType, tuple[re.Pattern[str], str]]] = {
    "AWS_EC2_INSTANCE": (_INSTANCE, "i- and 8 or 17 letters or digits"),
    "AWS_ECR_CONTAINER_IMAGE": (_IMAGE, "arn:aws:ecr:REGION:ACCOUNT:repository/NAME/sha256:…"),
    "AWS_LAMBDA_FUNCTION": (_FUNCTION, "arn:aws:lambda:REGION:ACCOUNT:function:NAME:$LATEST"),
}


def resource_named(
    account: AccountId,
    region: str,
    kind: ResourceType,
    identity: str,
    *,
    partition: str = "",
    tags: Mapping[str, str] | None = None,
    platform: str = "",
    details: Ec2Instance | EcrImage | LambdaFunction | None = None,
) -> Resource:
    """A resource that somebody names, with what its id tells of it: the partition too, where none is given.

    Raises:
        UsageError: There is no such kind of resource, or the id has another form or is somebody else's.
    """
    if kind not in _FORMS:
        raise UsageError(f"nothing is handed in for resources of the type {kind}: there are {', '.join(_FORMS)}")
    form, shown = _FORMS[kind]
    found = form.fullmatch(identity)
    if found is None:
        raise UsageError(f"{identity[:200]!r} is no id of {kind}: write {shown}")
    said = found.groupdict()
    partition = partition or said.get("partition", "aws")
    if said and (said["account"], said["region"], said["partition"]) != (account, region, partition):
        raise UsageError(f"{identity[:200]!r} is none of account {account} in {region} ({partition})")
    if kind == "AWS_ECR_CONTAINER_IMAGE":
        known = details if isinstance(details, EcrImage) else EcrImage(repository="", digest="", registry="")
        details = replace(known, repository=said["repository"], digest=said["digest"], registry=account)
    return Resource(
        account=account,
        region=region,
        type=kind,
        id=identity,
        partition=partition,
        tags=dict(tags or {}),
        platform=platform,
        details=details,
    )
