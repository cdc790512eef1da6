"""What filter criteria match, case by case."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from openinspector.find.attributes import OF_FINDING, OF_PACKAGE, OF_RESOURCE
from openinspector.find.criteria import matches
from openinspector.model.criteria import Criteria, PackageFilter, parse_criteria
from openinspector.model.finding import (
    Finding,
    Life,
    NetworkReachability,
    Observation,
    PackageVulnerability,
    Step,
    VulnerablePackage,
)
from openinspector.model.package import Location, Package
from openinspector.model.resource import Ec2Instance, EcrImage, LambdaFunction, Resource

LAYER = "sha256:" + "a" * 64
LAMBDA_LAYER = "arn:aws:lambda:eu-central-1:111122223333:layer:tools:3"
INSTANCE = Resource(
    account="111122223333",
    region="eu-central-1",
    type="AWS_EC2_INSTANCE",
    id="i-0abc",
    tags={"stage": "prod", "empty": ""},
    details=Ec2Instance(image_id="ami-1", vpc_id="vpc-1", subnet_id="subnet-1"),
)
IMAGE = Resource(
    account="111122223333",
    region="eu-central-1",
    type="AWS_ECR_CONTAINER_IMAGE",
    id="arn:aws:ecr:eu-central-1:111122223333:repository/shop/sha256:11",
    details=EcrImage(
        repository="shop",
        digest="sha256:11",
        registry="111122223333",
        tags=("latest", "v2"),
        pushed_at="2026-02-01T00:00:00Z",
        architecture="amd64",
        last_in_use_at="2026-03-01T00:00:00.000000Z",
        in_use_count=3,
    ),
)
FUNCTION = Resource(
    account="111122223333",
    region="eu-central-1",
    type="AWS_LAMBDA_FUNCTION",
    id="arn:aws:lambda:eu-central-1:111122223333:function:f:$LATEST",
    details=LambdaFunction(
        name="f",
        runtime="python3.12",
        code_sha256="x",
        role_arn="arn:aws:iam::111122223333:role/f",
        layers=(LAMBDA_LAYER, "arn:other"),
        last_modified_at="2026-02-01T00:00:00.000000Z",
    ),
)
MACHINE_IMAGE = Resource(
    account="111122223333", region="eu-central-1", type="MACHINE_IMAGE", id="ami-2", platform="DEBIAN_12"
)

LIFE = Life(
    status="ACTIVE",
    first_observed_at="2026-03-01T12:00:00.000000Z",
    last_observed_at="2026-03-02T12:00:00.000000Z",
    updated_at="2026-03-03T12:00:00.000000Z",
)


def package(name, version, path="", layer="", introduced="", **values):
    location = Location(path=path, layer=layer, introduced=introduced)
    return VulnerablePackage(package=Package(name=name, version=version, location=location, **values))


PACKAGES = (
    package("openssl", "1:3.0.2-0.amzn2", "var/lib/rpm", LAYER, type="rpm", arch="x86_64"),
    package(
        "lodash",
        "4.17.20",
        "app/node_modules/lodash",
        introduced=LAMBDA_LAYER,
        type="npm",
        qualifiers=(("scope", "dev"),),
    ),
)
FLAW = Finding(
    arn="arn:aws:inspector2:eu-central-1:111122223333:finding/11",
    observation=Observation(
        key="CVE-2026-1",
        title="CVE-2026-1 - openssl, lodash",
        description="",
        severity="HIGH",
        score=7.5,
        epss=0.25,
        fix="PARTIAL",
        exploit=True,
        details=PackageVulnerability(
            id="CVE-2026-1",
            source="NVD",
            packages=PACKAGES,
            vendor_severity="important",
            related=("ALAS-2026-1", "GHSA-1"),
        ),
    ),
    life=LIFE,
)
PATH = Finding(
    arn="arn:aws:inspector2:eu-central-1:111122223333:finding/22",
    observation=Observation(
        key="igw-1/TCP/eni-1/80-90",
        title="Port range 80-90 is reachable",
        description="",
        severity="MEDIUM",
        details=NetworkReachability(
            first_port=80,
            last_port=90,
            protocol="TCP",
            path=(
                Step(component_id="igw-1", component_type="AWS::EC2::InternetGateway"),
                Step(component_id="eni-1", component_type="AWS::EC2::NetworkInterface"),
            ),
        ),
    ),
    life=LIFE,
)


def equals(value):
    return {"comparison": "EQUALS", "value": value}


def prefix(value):
    return {"comparison": "PREFIX", "value": value}


def differs(value):
    return {"comparison": "NOT_EQUALS", "value": value}


def tag(key, value=None):
    return {"comparison": "EQUALS", "key": key} | ({} if value is None else {"value": value})


def holds(parsed, resource=INSTANCE, finding=FLAW):
    return matches(parse_criteria(parsed), resource, finding)


def test_every_field_looks_at_something():
    apart = {"resource_tags", "port_range", "vulnerable_packages"}
    assert OF_RESOURCE.keys() | OF_FINDING.keys() | apart == set(Criteria.__struct_fields__)
    assert not OF_RESOURCE.keys() & OF_FINDING.keys()
    assert OF_PACKAGE.keys() | {"purl_qualifier"} == set(PackageFilter.__struct_fields__)


# What each text field holds: the whole attribute is EQUALS to this.
TEXTS = [
    ("findingArn", INSTANCE, FLAW, FLAW.arn),
    ("awsAccountId", INSTANCE, FLAW, "111122223333"),
    ("findingType", INSTANCE, FLAW, "PACKAGE_VULNERABILITY"),
    ("findingType", INSTANCE, PATH, "NETWORK_REACHABILITY"),
    ("severity", INSTANCE, FLAW, "HIGH"),
    ("findingStatus", INSTANCE, FLAW, "ACTIVE"),
    ("title", INSTANCE, FLAW, "CVE-2026-1 - openssl, lodash"),
    ("fixAvailable", INSTANCE, FLAW, "PARTIAL"),
    ("exploitAvailable", INSTANCE, FLAW, "YES"),
    ("vulnerabilityId", INSTANCE, FLAW, "CVE-2026-1"),
    ("vulnerabilitySource", INSTANCE, FLAW, "NVD"),
    ("vendorSeverity", INSTANCE, FLAW, "important"),
    ("relatedVulnerabilities", INSTANCE, FLAW, "GHSA-1"),
    ("networkProtocol", INSTANCE, PATH, "TCP"),
    ("componentId", INSTANCE, PATH, "eni-1"),
    ("componentType", INSTANCE, PATH, "AWS::EC2::InternetGateway"),
    ("resourceType", INSTANCE, FLAW, "AWS_EC2_INSTANCE"),
    ("resourceId", INSTANCE, FLAW, "i-0abc"),
    ("ec2InstanceImageId", INSTANCE, FLAW, "ami-1"),
    ("ec2InstanceVpcId", INSTANCE, FLAW, "vpc-1"),
    ("ec2InstanceSubnetId", INSTANCE, FLAW, "subnet-1"),
    ("cloudVmImageReference", INSTANCE, FLAW, "ami-1"),
    ("cloudVmNetworkId", INSTANCE, FLAW, "vpc-1"),
    ("cloudVmSubnetIds", INSTANCE, FLAW, "subnet-1"),
    ("cloudProvider", INSTANCE, FLAW, "AWS"),
    ("cloudProviderRegion", INSTANCE, FLAW, "eu-central-1"),
    ("cloudProviderAccountId", INSTANCE, FLAW, "111122223333"),
    ("ecrImageArchitecture", IMAGE, FLAW, "amd64"),
    ("ecrImageRegistry", IMAGE, FLAW, "111122223333"),
    ("ecrImageRepositoryName", IMAGE, FLAW, "shop"),
    ("ecrImageTags", IMAGE, FLAW, "v2"),
    ("ecrImageHash", IMAGE, FLAW, "sha256:11"),
    ("cloudImageArchitecture", IMAGE, FLAW, "amd64"),
    ("cloudImageRegistry", IMAGE, FLAW, "111122223333"),
    ("cloudImageRepositoryName", IMAGE, FLAW, "shop"),
    ("cloudImageTags", IMAGE, FLAW, "latest"),
    ("cloudImageDigest", IMAGE, FLAW, "sha256:11"),
    ("lambdaFunctionName", FUNCTION, FLAW, "f"),
    ("lambdaFunctionLayers", FUNCTION, FLAW, LAMBDA_LAYER),
    ("lambdaFunctionRuntime", FUNCTION, FLAW, "PYTHON_3_12"),
    ("lambdaFunctionExecutionRoleArn", FUNCTION, FLAW, "arn:aws:iam::111122223333:role/f"),
    ("cloudServerlessFunctionName", FUNCTION, FLAW, "f"),
    ("cloudServerlessFunctionRuntime", FUNCTION, FLAW, "PYTHON_3_12"),
    ("cloudServerlessFunctionExecutionRole", FUNCTION, FLAW, "arn:aws:iam::111122223333:role/f"),
    ("machineImageId", MACHINE_IMAGE, FLAW, "ami-2"),
    ("machineImagePlatform", MACHINE_IMAGE, FLAW, "DEBIAN_12"),
]


@pytest.mark.parametrize(("field", "resource", "finding", "value"), TEXTS)
def test_a_text_is_compared_whole_by_its_beginning_or_is_different(field, resource, finding, value):
    assert holds({field: [equals(value)]}, resource, finding)
    assert holds({field: [prefix(value[:1])]}, resource, finding)
    assert not holds({field: [differs(value)]}, resource, finding)
    assert not holds({field: [equals(value[:-1] or "x")]}, resource, finding)
    assert not holds({field: [equals(value.swapcase() + "x")]}, resource, finding)
    assert not holds({field: [prefix(value + "x")]}, resource, finding)
    assert holds({field: [differs(value + "x")]}, resource, finding)


@pytest.mark.parametrize(
    ("field", "resource", "finding"),
    [
        ("ecrImageTags", INSTANCE, FLAW),
        ("cloudImageDigest", FUNCTION, FLAW),
        ("ec2InstanceVpcId", IMAGE, FLAW),
        ("lambdaFunctionRuntime", INSTANCE, FLAW),
        ("machineImageId", INSTANCE, FLAW),
        ("machineImageName", MACHINE_IMAGE, FLAW),
        ("machineImageOwnerAccountId", MACHINE_IMAGE, FLAW),
        ("networkProtocol", INSTANCE, FLAW),
        ("componentType", INSTANCE, FLAW),
        ("vulnerabilityId", INSTANCE, PATH),
        ("relatedVulnerabilities", INSTANCE, PATH),
        ("fixAvailable", INSTANCE, PATH),
        ("exploitAvailable", INSTANCE, PATH),
        ("codeVulnerabilityFilePath", INSTANCE, FLAW),
        ("codeRepositoryProjectName", INSTANCE, FLAW),
        ("cloudProviderOrgId", INSTANCE, FLAW),
    ],
)
def test_what_lacks_an_attribute_is_different_from_everything(field, resource, finding):
    assert not holds({field: [equals("x")]}, resource, finding)
    assert not holds({field: [prefix("x")]}, resource, finding)
    assert holds({field: [differs("x"), differs("y")]}, resource, finding)


@pytest.mark.parametrize(
    ("entries", "held"),
    [
        ([equals("LOW"), equals("HIGH")], True),
        ([equals("LOW"), prefix("HI")], True),
        ([equals("LOW"), prefix("CR")], False),
        ([differs("LOW"), differs("MEDIUM")], True),
        ([differs("LOW"), differs("HIGH")], False),
        ([prefix("H"), differs("HIGH")], False),
        ([equals("HIGH"), differs("LOW")], True),
        ([equals("LOW"), differs("MEDIUM")], False),
    ],
)
def test_entries_of_a_text_are_alternatives_and_all_differences_must_hold(entries, held):
    assert holds({"severity": entries}) is held


def test_fields_must_all_hold():
    assert holds({"severity": [equals("HIGH")], "resourceId": [equals("i-0abc")]})
    assert not holds({"severity": [equals("HIGH")], "resourceId": [equals("i-1")]})
    assert not holds({"severity": [equals("LOW")], "resourceId": [equals("i-0abc")]})


@pytest.mark.parametrize("resource", [INSTANCE, IMAGE, FUNCTION, MACHINE_IMAGE])
@pytest.mark.parametrize("finding", [FLAW, PATH])
def test_empty_criteria_match_everything(resource, finding):
    assert holds({}, resource, finding)
    assert holds({"severity": [], "vulnerablePackages": []}, resource, finding)


def test_one_element_of_a_list_is_enough_and_one_is_too_many():
    assert holds({"ecrImageTags": [equals("v2")]}, IMAGE)
    assert holds({"ecrImageTags": [prefix("lat")]}, IMAGE)
    assert not holds({"ecrImageTags": [differs("v2")]}, IMAGE)
    assert holds({"ecrImageTags": [equals("v2"), differs("v3")]}, IMAGE)


def moment(day, hour=12):
    return datetime(2026, 3, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("entries", "held"),
    [
        ([{"startInclusive": moment(1)}], True),
        ([{"endInclusive": moment(1)}], True),
        ([{"startInclusive": moment(1), "endInclusive": moment(1)}], True),
        ([{"startInclusive": moment(1, 13)}], False),
        ([{"endInclusive": moment(1, 11)}], False),
        ([{"startInclusive": moment(2)}, {"endInclusive": moment(2)}], True),
        ([{"startInclusive": moment(2), "endInclusive": moment(1)}], False),
        ([{}], True),
    ],
)
def test_a_date_lies_within_one_of_the_entries(entries, held):
    assert holds({"firstObservedAt": entries}) is held


@pytest.mark.parametrize(
    ("field", "resource", "day"),
    [
        ("lastObservedAt", INSTANCE, datetime(2026, 3, 2, 12, tzinfo=UTC)),
        ("updatedAt", INSTANCE, datetime(2026, 3, 3, 12, tzinfo=UTC)),
        ("ecrImagePushedAt", IMAGE, datetime(2026, 2, 1, tzinfo=UTC)),
        ("ecrImageLastInUseAt", IMAGE, datetime(2026, 3, 1, tzinfo=UTC)),
        ("cloudImagePushedAt", IMAGE, datetime(2026, 2, 1, tzinfo=UTC)),
        ("cloudImageLastInUseAt", IMAGE, datetime(2026, 3, 1, tzinfo=UTC)),
        ("lambdaFunctionLastModifiedAt", FUNCTION, datetime(2026, 2, 1, tzinfo=UTC)),
        ("cloudServerlessFunctionLastModifiedAt", FUNCTION, datetime(2026, 2, 1, tzinfo=UTC)),
    ],
)
def test_each_date_is_looked_at(field, resource, day):
    assert holds({field: [{"startInclusive": day, "endInclusive": day}]}, resource)
    assert not holds({field: [{"startInclusive": day.replace(year=2027)}]}, resource)


def test_no_range_contains_what_is_not_there():
    assert not holds({"ecrImagePushedAt": [{}]})
    assert not holds({"inspectorScore": [{}]}, finding=PATH)
    assert not holds({"epssScore": [{"lowerInclusive": 0}]}, finding=PATH)
    assert not holds({"portRange": [{}]}, finding=FLAW)
    unreadable = replace(IMAGE, details=replace(IMAGE.details, pushed_at="last week"))
    assert not holds({"ecrImagePushedAt": [{}]}, unreadable)
    before_time = replace(IMAGE, details=replace(IMAGE.details, pushed_at="0001-01-01T00:00:00+10:00"))
    assert not holds({"ecrImagePushedAt": [{}]}, before_time)


@pytest.mark.parametrize(
    ("parsed", "held"),
    [
        ({"inspectorScore": [{"lowerInclusive": 7.5, "upperInclusive": 7.5}]}, True),
        ({"inspectorScore": [{"lowerInclusive": 7.6}]}, False),
        ({"inspectorScore": [{"upperInclusive": 7}, {"lowerInclusive": 7}]}, True),
        ({"inspectorScore": [{"lowerInclusive": float("nan")}]}, False),
        ({"epssScore": [{"lowerInclusive": 0.2, "upperInclusive": 0.3}]}, True),
        ({"epssScore": [{"upperInclusive": 0.2}]}, False),
        ({"ecrImageInUseCount": [{"lowerInclusive": 3, "upperInclusive": 3}]}, True),
        ({"cloudImageInUseCount": [{"lowerInclusive": 4}]}, False),
    ],
)
def test_a_number_lies_within_one_of_the_entries(parsed, held):
    assert holds(parsed, IMAGE) is held


@pytest.mark.parametrize(
    ("entries", "held"),
    [
        ([tag("stage", "prod")], True),
        ([tag("stage")], True),
        ([tag("stage", "test")], False),
        ([tag("Stage", "prod")], False),
        ([tag("stage", "")], False),
        ([tag("empty", "")], True),
        ([tag("owner")], False),
        ([tag("owner"), tag("stage")], True),
    ],
)
def test_a_tag_is_there_with_its_value(entries, held):
    assert holds({"resourceTags": entries}) is held


@pytest.mark.parametrize(
    ("first", "last", "held"),
    [
        (80, 90, True),
        (85, 86, True),
        (0, 65535, True),
        (90, 100, True),
        (70, 80, True),
        (91, 100, False),
        (0, 79, False),
        (90, None, True),
        (None, 79, False),
        (None, None, True),
        (89, 81, False),
    ],
)
def test_port_ranges_overlap(first, last, held):
    entry = {"beginInclusive": first} if first is not None else {}
    entry |= {"endInclusive": last} if last is not None else {}
    assert holds({"portRange": [entry]}, finding=PATH) is held
    assert holds({"portRange": [{"beginInclusive": 1, "endInclusive": 1}, entry]}, finding=PATH) is held


@pytest.mark.parametrize(
    ("entry", "held"),
    [
        ({}, True),
        ({"name": equals("openssl")}, True),
        ({"name": equals("openssl"), "version": equals("3.0.2")}, True),
        ({"name": equals("openssl"), "version": equals("4.17.20")}, False),
        ({"name": equals("openssl"), "epoch": {"lowerInclusive": 1, "upperInclusive": 1}}, True),
        ({"name": equals("lodash"), "epoch": {"lowerInclusive": 1}}, False),
        ({"name": equals("lodash"), "epoch": {"upperInclusive": 0}}, True),
        ({"release": equals("0.amzn2")}, True),
        ({"name": equals("lodash"), "release": differs("0.amzn2")}, True),
        ({"architecture": equals("X86_64")}, True),
        ({"architecture": equals("x86_64")}, False),
        ({"sourceLayerHash": equals(LAYER)}, True),
        ({"sourceLayerHash": equals(LAMBDA_LAYER)}, False),
        ({"sourceLambdaLayerArn": equals(LAMBDA_LAYER)}, True),
        ({"name": equals("openssl"), "sourceLambdaLayerArn": prefix("arn:")}, False),
        ({"filePath": prefix("app/")}, True),
        ({"filePath": prefix("var/")}, False),  # not shown for a distribution's package
        ({"name": differs("openssl")}, True),
        ({"name": differs("openssl"), "filePath": differs("app/node_modules/lodash")}, False),
        ({"runtimeReachability": {"comparison": "EQUALS", "value": "REACHABLE"}}, False),
        ({"runtimeReachability": {"comparison": "NOT_EQUALS", "value": "REACHABLE"}}, True),
        ({"runtimeReachabilityReason": {"comparison": "EQUALS", "value": "PROCESS_OBSERVED_IN_EC2_RUNTIME"}}, False),
        ({"purlQualifier": tag("scope", "dev")}, True),
        ({"purlQualifier": tag("scope")}, True),
        ({"purlQualifier": tag("scope", "test")}, False),
        ({"purlQualifier": tag("arch", "x86_64")}, True),
        ({"purlQualifier": tag("epoch", "1")}, True),
        ({"purlQualifier": tag("distro")}, False),
    ],
)
def test_all_parts_of_a_package_entry_meet_the_same_package(entry, held):
    assert holds({"vulnerablePackages": [entry]}) is held
    assert not holds({"vulnerablePackages": [entry]}, finding=PATH)


def test_package_entries_are_alternatives():
    assert holds({"vulnerablePackages": [{"name": equals("curl")}, {"name": equals("lodash")}]})
    assert not holds({"vulnerablePackages": [{"name": equals("curl")}, {"name": equals("wget")}]})
