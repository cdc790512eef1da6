"""A finding of the service in the AWS Security Finding Format, as Inspector sends it to Security Hub.

What is closed is an archived record, and so is what is suppressed; who works on it in the hub (`Workflow`) is never
overwritten by an update. `asff.py` writes the same of a scan.

Source: https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html
"""

from collections.abc import Iterable
from typing import Any, Final, assert_never

from openinspector.model.finding import (
    Finding,
    NetworkReachability,
    Observation,
    PackageVulnerability,
    VulnerablePackage,
)
from openinspector.model.package import OS_TYPES
from openinspector.model.resource import Ec2Instance, EcrImage, LambdaFunction, Resource
from openinspector.model.spelling import split_version
from openinspector.render import inspector_words as words
from openinspector.render.asff import NORMALIZED, VULNERABILITY_TYPE
from openinspector.render.event_size import Path
from openinspector.render.inspector2_resources import filled, is_layer
from openinspector.render.moments import moment
from openinspector.render.text import cut, cvss_version, one_line, web_addresses

_Object = dict[str, Any]

_NETWORK_TYPE: Final = "Software and Configuration Checks/AWS Security Best Practices/Network Reachability"
_AMAZONS_OWN: Final = ":product/aws/inspector"
_PREFIX: Final = "aws/inspector/resources/1/resourceDetails/"
_MOST_ADDRESSES: Final = 100
_ADVICE: Final = {
    "YES": "Remediation is available. The vulnerable packages of this finding name the version with the fix.",
    "PARTIAL": "Remediation is available for some of the vulnerable packages of this finding.",
    "NO": "Remediation is not available yet.",
}

# What may be left out of a finding that is too large, in this order (see event_size.py).
CUT: Final[tuple[Path, ...]] = (
    ("Vulnerabilities", "ReferenceUrls"),
    ("Vulnerabilities", "RelatedVulnerabilities"),
    ("Vulnerabilities", "Cvss"),
    ("Vulnerabilities", "VulnerablePackages"),
    ("NetworkPath",),
    ("Resources", "Tags"),
    ("Resources", "Details"),
)


def security_finding(resource: Resource, known: Finding, product_arn: str, event_id: str = "") -> _Object:
    """A finding for `BatchImportFindings`; `event_id` is that of the event which tells of it."""
    seen, life = known.observation, known.life
    label = seen.severity.replace("UNTRIAGED", "INFORMATIONAL")
    kind = _NETWORK_TYPE if isinstance(seen.details, NetworkReachability) else VULNERABILITY_TYPE
    entry, facts = _resource(resource)
    fields = {
        "aws/inspector/ProductVersion": "2",
        "aws/inspector/FindingStatus": life.status,
        "aws/inspector/inspectorScore": f"{seen.score:.1f}" if seen.score is not None else "",
        "openinspector/eventId": event_id,
        **facts,
    }
    if not product_arn.endswith(_AMAZONS_OWN):  # names that begin with aws/ are for Amazon's own products
        fields = {name.replace("aws/", "openinspector/", 1): value for name, value in fields.items()}
    said: _Object = {
        "SchemaVersion": "2018-10-08",
        "Id": known.arn,
        "ProductArn": product_arn,
        "ProductName": "Inspector",
        "CompanyName": "Amazon",
        "Region": resource.region,
        "GeneratorId": "AWSInspector",
        "AwsAccountId": resource.account,
        "Types": [kind],
        "FirstObservedAt": _time(life.first_observed_at),
        "LastObservedAt": _time(life.last_observed_at),
        "CreatedAt": _time(life.first_observed_at),
        "UpdatedAt": _time(life.updated_at),
        "Severity": {"Label": label, "Normalized": NORMALIZED[label]},
        "Title": cut(one_line(seen.title), 256) or "untitled",
        "Description": cut(seen.description.strip(), 1024) or cut(one_line(seen.title), 1024) or "undescribed",
        "Remediation": {"Recommendation": {"Text": _ADVICE[seen.fix] if seen.fix else "None Provided"}},
        "ProductFields": {name: cut(value, 2048) for name, value in fields.items() if value.strip()},
        "Resources": [entry],
        "FindingProviderFields": {"Severity": {"Label": label}, "Types": [kind]},
        "WorkflowState": "NEW",
        "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE" if life.status == "ACTIVE" else "ARCHIVED",
    }
    match seen.details:
        case PackageVulnerability() as details:
            return said | {"Vulnerabilities": [_vulnerability(seen, details)]}
        case NetworkReachability() as details:
            return said | _network(details)


def _time(text: str) -> str:
    """The hub's times have milliseconds."""
    at = moment(text)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z" if at else "1970-01-01T00:00:00.000Z"


def _vulnerability(seen: Observation, details: PackageVulnerability) -> _Object:
    vendor = filled(
        Name=details.source or "unknown",
        Url=details.source_url,
        VendorSeverity=details.vendor_severity,
        VendorCreatedAt=_time(details.vendor_created_at) if moment(details.vendor_created_at) else None,
        VendorUpdatedAt=_time(details.vendor_updated_at) if moment(details.vendor_updated_at) else None,
    )
    return filled(
        Id=details.id,
        VulnerablePackages=[_package(each) for each in details.packages],
        Cvss=list(_vectors(seen, details)),
        RelatedVulnerabilities=[each for each in details.related if each],
        Vendor=vendor,
        ReferenceUrls=web_addresses(details.references)[:_MOST_ADDRESSES],
        FixAvailable=seen.fix,
        EpssScore=seen.epss,
        ExploitAvailable=None if seen.exploit is None else "YES" if seen.exploit else "NO",
        LastKnownExploitAt=_time(seen.last_exploited_at) if moment(seen.last_exploited_at) else None,
    )


def _package(vulnerable: VulnerablePackage) -> _Object:
    package = vulnerable.package
    parts = split_version(package)
    place = package.location.introduced or package.location.layer
    said = {
        "Name": one_line(package.name),
        "Version": parts.version,
        "Epoch": str(parts.epoch),
        "Release": parts.release,
        "Architecture": words.architecture(package),
        "PackageManager": words.package_manager(package),
        "FilePath": "" if package.type in OS_TYPES else package.location.path,
        "FixedInVersion": words.full_version(package, vulnerable.fixed_version),
        "Remediation": vulnerable.remediation,
        "SourceLayerArn" if is_layer(place) else "SourceLayerHash": place,
    }
    return {name: cut(value, 1024) for name, value in said.items() if value.strip()}


def _vectors(seen: Observation, details: PackageVulnerability) -> Iterable[_Object]:
    """Every vector, and once more the one that Inspector's own score is based on."""
    for each in details.cvss:
        yield filled(
            BaseScore=each.score,
            BaseVector=each.vector,
            Version=cvss_version(each.vector),
            Source=each.source or "unknown",
        )
    if seen.score is not None and seen.vector:
        yield filled(
            BaseScore=seen.score,
            BaseVector=seen.vector,
            Version=cvss_version(seen.vector),
            Source=seen.score_source or "unknown",
            Adjustments=[{"Metric": each.metric, "Reason": each.reason} for each in seen.adjustments] or None,
        )


def _network(details: NetworkReachability) -> _Object:
    steps = [{"ComponentId": each.component_id, "ComponentType": each.component_type} for each in details.path]
    ports = {"Begin": details.first_port, "End": details.last_port}
    said: _Object = {"Network": {"OpenPortRange": ports, "Protocol": details.protocol}}
    return said | {"NetworkPath": steps} if steps else said


def _resource(resource: Resource) -> tuple[_Object, dict[str, str]]:
    """The resource, and the product fields that go with its kind."""
    here = {"Partition": resource.partition, "Region": resource.region}
    tags = {cut(key, 128): cut(value, 256) for key, value in resource.tags.items() if key.strip() and value.strip()}
    if tags:
        here["Tags"] = tags  # type: ignore[assignment]
    match resource.details:
        case Ec2Instance() as instance:
            arn = f"arn:{resource.partition}:ec2:{resource.region}:{resource.account}:{resource.id}"
            facts = {
                "aws/inspector/instanceId": resource.id,
                f"{_PREFIX}awsEc2InstanceDetails/platform": resource.platform,
            }
            return _entry("AwsEc2Instance", arn, here, _instance(instance)), facts
        case EcrImage() as image:
            facts = {f"{_PREFIX}awsEcrContainerImageDetails/platform": resource.platform}
            return _entry("AwsEcrContainerImage", resource.id, here, _image(image)), facts
        case LambdaFunction() as function:
            return _entry("AwsLambdaFunction", resource.id, here, _function(function)), {}
        case None:
            other = filled(type=resource.type, platform=resource.platform)
            return _entry("Other", resource.id, here, other), {}
        case _ as never:
            assert_never(never)


def _entry(kind: str, name: str, here: _Object, details: _Object) -> _Object:
    said = {"Type": kind, "Id": cut(name, 512), **here}
    return said | {"Details": {kind: details}} if details else said


def _instance(instance: Ec2Instance) -> _Object:
    return filled(
        Type=instance.instance_type,
        ImageId=instance.image_id,
        IpV4Addresses=list(instance.ipv4_addresses) or None,
        IpV6Addresses=list(instance.ipv6_addresses) or None,
        KeyName=instance.key_name,
        IamInstanceProfileArn=instance.instance_profile_arn,
        VpcId=instance.vpc_id,
        SubnetId=instance.subnet_id,
        LaunchedAt=_time(instance.launched_at) if moment(instance.launched_at) else None,
    )


def _image(image: EcrImage) -> _Object:
    return filled(
        RegistryId=image.registry,
        RepositoryName=image.repository,
        Architecture=image.architecture,
        ImageDigest=image.digest,
        ImageTags=[each for each in image.tags if each] or None,
        ImagePublishedAt=_time(image.pushed_at) if moment(image.pushed_at) else None,
    )


def _function(function: LambdaFunction) -> _Object:
    network = filled(
        SecurityGroupIds=list(function.security_group_ids) or None,
        SubnetIds=list(function.subnet_ids) or None,
        VpcId=function.vpc_id,
    )
    return filled(
        FunctionName=function.name,
        CodeSha256=function.code_sha256,
        Runtime=function.runtime,
        Version=function.version,
        Role=function.role_arn,
        Layers=[{"Arn": each} for each in function.layers] or None,
        VpcConfig=network or None,
        Architectures=list(function.architectures) or None,
        PackageType=function.package_type.title(),
        LastModified=_time(function.last_modified_at) if moment(function.last_modified_at) else None,
    )
