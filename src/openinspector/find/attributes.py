"""What each field of the filter criteria looks at, in the service's own spelling.

An attribute gives the values that it has: none where it is absent, several where it is a list. The resource kinds and
finding types that we don't have yet (code repositories, other clouds, code vulnerabilities) have absent attributes.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from openinspector.model.finding import (
    Finding,
    FindingType,
    NetworkReachability,
    Observation,
    PackageVulnerability,
    VulnerablePackage,
)
from openinspector.model.moment import read_moment
from openinspector.model.package import OS_TYPES
from openinspector.model.resource import Ec2Instance, EcrImage, LambdaFunction, Resource
from openinspector.model.spelling import runtime_word, split_version

Value = str | float | datetime
OfResource = Callable[[Resource], Sequence[Value]]
OfFinding = Callable[[Finding], Sequence[Value]]
OfPackage = Callable[[VulnerablePackage], Sequence[Value]]


def finding_type(observation: Observation) -> FindingType:
    """What kind of finding it is; its details say so."""
    return "PACKAGE_VULNERABILITY" if isinstance(observation.details, PackageVulnerability) else "NETWORK_REACHABILITY"


def _absent(_: object) -> tuple[Value, ...]:
    return ()


def _said(*texts: str) -> tuple[str, ...]:
    """Those that are there: "" is how nouns write that nothing is known."""
    return tuple(each for each in texts if each)


def _moment(text: str) -> tuple[datetime, ...]:
    try:
        return (read_moment(text),) if text else ()
    except (ValueError, OverflowError):
        return ()  # a provider's date that is none is as good as none


def _yes_no(value: bool | None) -> tuple[str, ...]:  # noqa: FBT001  the answer itself, not a choice of behaviour
    return () if value is None else ("YES" if value else "NO",)


def _number(value: float | None) -> tuple[float, ...]:
    return () if value is None else (value,)


def _instance(get: Callable[[Ec2Instance], Sequence[Value]]) -> OfResource:
    return lambda resource: get(resource.details) if isinstance(resource.details, Ec2Instance) else ()


def _image(get: Callable[[EcrImage], Sequence[Value]]) -> OfResource:
    return lambda resource: get(resource.details) if isinstance(resource.details, EcrImage) else ()


def _function(get: Callable[[LambdaFunction], Sequence[Value]]) -> OfResource:
    return lambda resource: get(resource.details) if isinstance(resource.details, LambdaFunction) else ()


def _machine_image(get: Callable[[Resource], Sequence[Value]]) -> OfResource:
    return lambda resource: get(resource) if resource.type == "MACHINE_IMAGE" else ()


def _package(get: Callable[[PackageVulnerability], Sequence[Value]]) -> OfFinding:
    def values(finding: Finding) -> Sequence[Value]:
        details = finding.observation.details
        return get(details) if isinstance(details, PackageVulnerability) else ()

    return values


def _network(get: Callable[[NetworkReachability], Sequence[Value]]) -> OfFinding:
    def values(finding: Finding) -> Sequence[Value]:
        details = finding.observation.details
        return get(details) if isinstance(details, NetworkReachability) else ()

    return values


_IMAGE: Final[dict[str, OfResource]] = {
    "pushed_at": _image(lambda image: _moment(image.pushed_at)),
    "architecture": _image(lambda image: _said(image.architecture)),
    "registry": _image(lambda image: _said(image.registry)),
    "repository_name": _image(lambda image: _said(image.repository)),
    "tags": _image(lambda image: image.tags),
    "last_in_use_at": _image(lambda image: _moment(image.last_in_use_at)),
    "in_use_count": _image(lambda image: (image.in_use_count,)),
}
_DIGEST: Final = _image(lambda image: _said(image.digest))
_FUNCTION: Final[dict[str, OfResource]] = {
    "name": _function(lambda function: _said(function.name)),
    "runtime": _function(lambda function: (runtime_word(function.runtime),)),
    "last_modified_at": _function(lambda function: _moment(function.last_modified_at)),
}
_ROLE: Final = _function(lambda function: _said(function.role_arn))

# A resource of ours is described in the words of its own kind and in those that every cloud has, as the service does.
OF_RESOURCE: Final[dict[str, OfResource]] = {
    "aws_account_id": lambda resource: (resource.account,),
    "resource_type": lambda resource: (resource.type,),
    "resource_id": lambda resource: (resource.id,),
    "ec2_instance_image_id": _instance(lambda instance: _said(instance.image_id)),
    "ec2_instance_vpc_id": _instance(lambda instance: _said(instance.vpc_id)),
    "ec2_instance_subnet_id": _instance(lambda instance: _said(instance.subnet_id)),
    **{f"ecr_image_{name}": get for name, get in _IMAGE.items()},
    "ecr_image_hash": _DIGEST,
    **{f"lambda_function_{name}": get for name, get in _FUNCTION.items()},
    "lambda_function_execution_role_arn": _ROLE,
    "lambda_function_layers": _function(lambda function: function.layers),
    "code_repository_project_name": _absent,
    "code_repository_provider_type": _absent,
    "machine_image_id": _machine_image(lambda resource: (resource.id,)),
    "machine_image_name": _absent,
    "machine_image_owner_account_id": _absent,
    "machine_image_platform": _machine_image(lambda resource: _said(resource.platform)),
    "cloud_provider": lambda _: ("AWS",),
    "cloud_provider_region": lambda resource: (resource.region,),
    "cloud_provider_account_id": lambda resource: (resource.account,),
    "cloud_provider_org_id": _absent,
    "cloud_vm_image_reference": _instance(lambda instance: _said(instance.image_id)),
    "cloud_vm_network_id": _instance(lambda instance: _said(instance.vpc_id)),
    "cloud_vm_subnet_ids": _instance(lambda instance: _said(instance.subnet_id)),
    **{f"cloud_image_{name}": get for name, get in _IMAGE.items()},
    "cloud_image_digest": _DIGEST,
    **{f"cloud_serverless_function_{name}": get for name, get in _FUNCTION.items()},
    "cloud_serverless_function_execution_role": _ROLE,
}

OF_FINDING: Final[dict[str, OfFinding]] = {
    "finding_arn": lambda finding: (finding.arn,),
    "finding_type": lambda finding: (finding_type(finding.observation),),
    "severity": lambda finding: (finding.observation.severity,),
    "finding_status": lambda finding: (finding.life.status,),
    "title": lambda finding: (finding.observation.title,),
    "first_observed_at": lambda finding: _moment(finding.life.first_observed_at),
    "last_observed_at": lambda finding: _moment(finding.life.last_observed_at),
    "updated_at": lambda finding: _moment(finding.life.updated_at),
    "inspector_score": lambda finding: _number(finding.observation.score),
    "epss_score": lambda finding: _number(finding.observation.epss),
    "fix_available": lambda finding: _said(finding.observation.fix or ""),
    "exploit_available": lambda finding: _yes_no(finding.observation.exploit),
    "vulnerability_id": _package(lambda details: (details.id,)),
    "vulnerability_source": _package(lambda details: _said(details.source)),
    "vendor_severity": _package(lambda details: _said(details.vendor_severity)),
    "related_vulnerabilities": _package(lambda details: details.related),
    "network_protocol": _network(lambda details: (details.protocol,)),
    "component_id": _network(lambda details: [step.component_id for step in details.path]),
    "component_type": _network(lambda details: [step.component_type for step in details.path]),
    "code_vulnerability_detector_name": _absent,
    "code_vulnerability_detector_tags": _absent,
    "code_vulnerability_file_path": _absent,
}


def _layer(vulnerable: VulnerablePackage) -> str:
    """The layer that brought the package: `sha256:…` of an image, the ARN of a function's."""
    location = vulnerable.package.location
    return location.introduced or location.layer


def _path(vulnerable: VulnerablePackage) -> tuple[str, ...]:
    """Where a language's package lies; a distribution's lies all over the place, and is shown without."""
    package = vulnerable.package
    return () if package.type in OS_TYPES else _said(package.location.path)


OF_PACKAGE: Final[dict[str, OfPackage]] = {
    "name": lambda vulnerable: (vulnerable.package.name,),
    "version": lambda vulnerable: (split_version(vulnerable.package).version,),
    "epoch": lambda vulnerable: (split_version(vulnerable.package).epoch,),
    "release": lambda vulnerable: _said(split_version(vulnerable.package).release),
    "architecture": lambda vulnerable: _said(vulnerable.package.arch.upper()),
    "source_layer_hash": lambda vulnerable: [each for each in _said(_layer(vulnerable)) if not each.startswith("arn:")],
    "source_lambda_layer_arn": lambda vulnerable: [each for each in (_layer(vulnerable),) if each.startswith("arn:")],
    "file_path": _path,
    "runtime_reachability": _absent,
    "runtime_reachability_reason": _absent,
}


def qualifiers(vulnerable: VulnerablePackage) -> dict[str, str]:
    """The qualifiers of the package's URL, as far as the package alone says them (its distribution is not kept)."""
    package = vulnerable.package
    epoch = str(split_version(package).epoch) if package.type == "rpm" and ":" in package.version else ""
    own = {"arch": package.arch, "epoch": epoch}
    return dict(package.qualifiers) | {key: value for key, value in own.items() if value}
