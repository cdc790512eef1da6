"""A resource and its coverage as Inspector's API writes them: `Resource`, `ResourceDetails`, `CoveredResource`.

What the API would refuse (a platform of 2,000 characters, an address that is none) is left out, and so is a whole
structure that lacks what it must have; its provider-neutral twin, which must have nothing, still tells the rest.

Source: Inspector's API reference, and its service model (lengths and patterns).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from openinspector.model.coverage import CodeRepository, Coverage, EcrRepository
from openinspector.model.resource import Ec2Instance, EcrImage, LambdaFunction, Resource
from openinspector.model.spelling import runtime_word
from openinspector.render.moments import moment
from openinspector.render.text import cut

_Object = dict[str, Any]

TWINS: Final = frozenset({"vm", "image", "serverlessFunction"})  # details that say the same for every provider

_IPV4: Final = re.compile(r"(?:(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])\.){3}(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])", re.A)
_IMAGE_ID: Final = re.compile(r"ami-(?:[a-z0-9]{8}|[a-z0-9]{17})")
_VPC: Final = re.compile(r"vpc-(?:[a-z0-9]{8}|[a-z0-9]{17})")
_SUBNET: Final = re.compile(r"subnet-(?:[a-z0-9]{8}|[a-z0-9]{17})")
_GROUP: Final = re.compile(r"sg-(?:[a-z0-9]{8}|[a-z0-9]{17})")
_DIGEST: Final = re.compile(r"sha256:[a-z0-9]{64}")
_ROLE: Final = re.compile(r"arn:(?:aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+", re.A)
_FUNCTION: Final = re.compile(r"[a-zA-Z0-9-_.]+(?::(?:\$LATEST|[a-zA-Z0-9-_]+))?")
_FUNCTION_VERSION: Final = re.compile(r"\$LATEST|[0-9]+")
_LAYER: Final = re.compile(r"arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+", re.A)
_COMMIT: Final = re.compile(r"[a-f0-9]{40}")

_MOST_SUBNETS: Final = 16
_MOST_GROUPS: Final = 5
_MOST_LAYERS: Final = 5  # of a function, by Lambda's own limit

_ARCHITECTURES: Final = frozenset({"X86_64", "ARM64"})


def filled(**fields: Any) -> _Object:
    """The fields that say something; empty lists and mappings do."""
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def is_layer(name: str) -> bool:
    """Whether this is the ARN of a version of a Lambda layer."""
    return _LAYER.fullmatch(name) is not None


def is_digest(name: str) -> bool:
    """Whether this is a digest as layers of images have it."""
    return _DIGEST.fullmatch(name) is not None


def resource_entry(resource: Resource) -> _Object:
    """A `Resource`: who and where it is, its tags, its details and their twin."""
    entry = filled(
        type=resource.type,
        id=resource.id,
        partition=resource.partition,
        region=resource.region,
        tags=_tags(resource.tags),
        provider="AWS",
        providerAccountId=resource.account,
    )
    if resource.details is not None:
        entry["details"] = _details(resource.details, cut(resource.platform, 1024))
    return entry


def _tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {cut(key, 128): cut(value, 256) for key, value in tags.items() if key}


def _details(details: Ec2Instance | EcrImage | LambdaFunction, platform: str) -> _Object:
    match details:
        case Ec2Instance():
            return _instance(details, platform)
        case EcrImage():
            return _image(details, platform)
        case LambdaFunction():
            return _function(details)


def _instance(details: Ec2Instance, platform: str) -> _Object:
    shared = filled(
        type=details.instance_type,
        ipV4Addresses=_those(_IPV4, details.ipv4_addresses),
        ipV6Addresses=[each for each in details.ipv6_addresses if 0 < len(each) <= 47],
        keyName=details.key_name,
        launchedAt=moment(details.launched_at),
        platform=platform,
    )
    own = filled(
        imageId=details.image_id,
        iamInstanceProfileArn=details.instance_profile_arn,
        vpcId=details.vpc_id,
        subnetId=details.subnet_id,
    )
    twin = filled(
        vmImageReference=details.image_id,
        networkId=details.vpc_id,
        subnetIds=[details.subnet_id] if details.subnet_id else [],
        executionRole=details.instance_profile_arn,
    )
    return {"awsEc2Instance": shared | own, "vm": shared | twin}


def _image(details: EcrImage, platform: str) -> _Object:
    shared = filled(
        repositoryName=details.repository,
        registry=details.registry,
        imageTags=[each for each in details.tags if each],
        pushedAt=moment(details.pushed_at),
        author=details.author,
        architecture=details.architecture,
        platform=platform,
        lastInUseAt=moment(details.last_in_use_at),
        inUseCount=max(details.in_use_count, 0),
    )
    said: _Object = {"image": shared | filled(imageDigest=details.digest)}
    if details.repository and details.registry and is_digest(details.digest):
        said["awsEcrContainerImage"] = shared | {"imageHash": details.digest}
    return said


def _function(details: LambdaFunction) -> _Object:
    subnets = _those(_SUBNET, details.subnet_ids)[:_MOST_SUBNETS]
    groups = _those(_GROUP, details.security_group_ids)[:_MOST_GROUPS]
    layers = _those(_LAYER, details.layers)[:_MOST_LAYERS]
    architectures = [each for each in map(str.upper, details.architectures) if each in _ARCHITECTURES][:1]
    shared = filled(
        runtime=runtime_word(details.runtime),
        version=details.version,
        packageType=details.package_type,
        architectures=architectures or None,
        layers=layers or None,
        lastModifiedAt=moment(details.last_modified_at),
    )
    twin = filled(
        serverlessFunctionName=details.name,
        codeDigest=details.code_sha256,
        networkId=details.vpc_id,
        subnetIds=subnets,
        securityGroupIds=groups,
        executionRole=details.role_arn,
    )
    said: _Object = {"serverlessFunction": shared | twin}
    if (
        _FUNCTION.fullmatch(details.name)
        and _FUNCTION_VERSION.fullmatch(details.version)
        and _ROLE.fullmatch(details.role_arn)
        and details.code_sha256
    ):
        own = filled(functionName=details.name, codeSha256=details.code_sha256, executionRoleArn=details.role_arn)
        if details.vpc_id:
            vpc = next(iter(_those(_VPC, (details.vpc_id,))), None)
            own["vpcConfig"] = filled(subnetIds=subnets, securityGroupIds=groups, vpcId=vpc)
        said["awsLambdaFunction"] = shared | own
    return said


def _those(pattern: re.Pattern[str], texts: Iterable[str]) -> list[str]:
    return [each for each in texts if pattern.fullmatch(each)]


def covered_resource(coverage: Coverage) -> _Object:
    """A `CoveredResource`: how one kind of scan sees a resource."""
    resource = coverage.resource
    return filled(
        resourceType=resource.type,
        resourceId=resource.id,
        accountId=resource.account,
        scanType=coverage.scan_type,
        scanStatus={"statusCode": coverage.status.code, "reason": coverage.status.reason},
        resourceMetadata=_metadata(coverage),
        lastScannedAt=moment(coverage.last_scanned_at),
        scanMode=coverage.scan_mode,
        provider="AWS",
        providerAccountId=resource.account,
        providerRegion=resource.region,
        providerPartition=resource.partition,
    )


def _metadata(coverage: Coverage) -> _Object:
    match coverage.metadata:
        case EcrRepository() as repository:
            return {"ecrRepository": filled(name=repository.name, scanFrequency=repository.scan_frequency)}
        case CodeRepository() as repository:
            return {"codeRepository": _code_repository(repository)}
        case None:
            return _metadata_of(coverage.resource, coverage.image_pulled_at)


def _code_repository(repository: CodeRepository) -> _Object:
    commit = repository.last_scanned_commit
    return filled(
        projectName=cut(repository.project_name, 300),
        providerType=repository.provider,
        providerTypeVisibility=repository.visibility,
        integrationArn=repository.integration_arn,
        lastScannedCommitId=commit if _COMMIT.fullmatch(commit) else None,
    )


def _metadata_of(resource: Resource, image_pulled_at: str) -> _Object:
    tags = _tags(resource.tags)
    if resource.type == "MACHINE_IMAGE":
        system = _system(resource.platform)
        return {"machineImage": {"tags": tags, "platform": "UNKNOWN" if system == "MACOS" else system}}
    match resource.details:
        case Ec2Instance() as instance:
            image = instance.image_id if _IMAGE_ID.fullmatch(instance.image_id) else None
            return {"ec2": filled(tags=tags, amiId=image, platform=_system(resource.platform))}
        case EcrImage() as image:
            facts = filled(
                tags=[each for each in image.tags if each],
                imagePulledAt=moment(image_pulled_at),
                lastInUseAt=moment(image.last_in_use_at),
                inUseCount=max(image.in_use_count, 0),
            )
            return {"ecrImage": facts}
        case LambdaFunction() as function:
            facts = filled(
                functionName=function.name,
                functionTags=tags,
                layers=list(function.layers[:_MOST_LAYERS]),
                runtime=runtime_word(function.runtime),
            )
            return {"lambdaFunction": facts}
        case None:
            return {}


def _system(platform: str) -> str:
    """The kind of a platform: `LINUX` for `UBUNTU_22_04`, `WINDOWS`, `MACOS`, or `UNKNOWN`."""
    if not platform:
        return "UNKNOWN"
    if platform.startswith("WINDOWS"):
        return "WINDOWS"
    return "MACOS" if platform.startswith(("MACOS", "MAC_OS")) else "LINUX"
