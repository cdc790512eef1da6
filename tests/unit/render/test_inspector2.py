"""Inspector's API objects and events, against the service model."""

import json
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from tests.unit.render.service_model import problems, shape

from openinspector.model.advisory import Cvss
from openinspector.model.coverage import (
    USUAL_CODE,
    CodeRepository,
    Coverage,
    EcrRepository,
    ScanStatus,
    status_of,
)
from openinspector.model.enrichment import Epss, Exploit, Kev
from openinspector.model.finding import (
    Adjustment,
    Finding,
    Life,
    NetworkReachability,
    Observation,
    PackageVulnerability,
    Step,
    VulnerablePackage,
)
from openinspector.model.match import Vulnerability
from openinspector.model.package import Location, Package
from openinspector.model.resource import Ec2Instance, EcrImage, LambdaFunction, Resource
from openinspector.render.inspector2 import finding, finding_details, vulnerability
from openinspector.render.inspector2_events import Notice, coverage_event, finding_event, scan_event
from openinspector.render.inspector2_resources import covered_resource
from openinspector.render.moments import moment, precise, spelled

DIGEST = "sha256:" + "a" * 64
LAYER = "sha256:" + "b" * 64
LAYER_ARN = "arn:aws:lambda:eu-west-1:111122223333:layer:tools:3"
ROLE = "arn:aws:iam::111122223333:role/service-role/demo"
ARN = "arn:aws:inspector2:eu-west-1:111122223333:finding/0123456789abcdef0123456789abcdef"
OBSERVED = "2026-03-02T10:15:29.120000Z"

INSTANCE = Resource(
    account="111122223333",
    region="eu-west-1",
    type="AWS_EC2_INSTANCE",
    id="i-0aaaabbbbccccdddd",
    tags={"env": "demo"},
    platform="AMAZON_LINUX_2023",
    details=Ec2Instance(
        instance_type="t3.small",
        image_id="ami-0123456789abcdef0",
        ipv4_addresses=("10.0.0.5",),
        vpc_id="vpc-01",
        subnet_id="subnet-01",
        launched_at="2026-03-02T09:00:00.000000Z",
    ),
)
REPOSITORY = "arn:aws:ecr:eu-west-1:111122223333:repository/team/app"
IMAGE = Resource(
    account="111122223333",
    region="eu-west-1",
    type="AWS_ECR_CONTAINER_IMAGE",
    id=f"{REPOSITORY}/{DIGEST}",
    platform="DEBIAN_12",
    details=EcrImage(
        repository="team/app",
        digest=DIGEST,
        registry="111122223333",
        tags=("v1", "latest"),
        pushed_at="2026-03-01T00:00:00.000000Z",
        architecture="amd64",
        last_in_use_at="2026-03-02T00:00:00.000000Z",
        in_use_count=3,
    ),
)
FUNCTION = Resource(
    account="111122223333",
    region="eu-west-1",
    type="AWS_LAMBDA_FUNCTION",
    id="arn:aws:lambda:eu-west-1:111122223333:function:demo:$LATEST",
    tags={"team": "blue"},
    details=LambdaFunction(
        name="demo",
        runtime="python3.12",
        code_sha256="q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k8l9z0x1c=",
        role_arn=ROLE,
        layers=(LAYER_ARN,),
        subnet_ids=("subnet-0123456789abcdef0",),
        security_group_ids=("sg-0123456789abcdef0",),
        vpc_id="vpc-0123456789abcdef0",
        architectures=("arm64",),
        last_modified_at="2026-02-01T00:00:00.000000Z",
    ),
)
LIBDEMO = Package(
    type="rpm",
    name="libdemo",
    version="1.2.3-4.amzn2023",
    arch="x86_64",
    location=Location(path="var/lib/rpm/rpmdb.sqlite"),
)
BASE = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
OBSERVATION = Observation(
    key="CVE-2030-0001",
    title="CVE-2030-0001 - libdemo",
    description="Demo text.",
    severity="MEDIUM",
    details=PackageVulnerability(
        id="CVE-2030-0001",
        source="NVD",
        packages=(
            VulnerablePackage(
                package=LIBDEMO, fixed_version="1.2.4-1.amzn2023", remediation="dnf update libdemo"
            ),
        ),
        source_url="https://example.org/CVE-2030-0001",
        vendor_severity="HIGH",
        vendor_created_at="2026-03-01T00:00:00.000000Z",
        cvss=(Cvss(vector=BASE, source="NVD", score=7.5),),
    ),
    score=6.2,
    vector="CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
    score_source="NVD",
    adjustments=(Adjustment(metric="Attack Vector", reason="no open path from the internet"),),
    fix="YES",
    exploit=False,
    epss=0.0012,
)  # fmt: skip
LIFE = Life(status="ACTIVE", first_observed_at=OBSERVED, last_observed_at=OBSERVED, updated_at=OBSERVED)
KNOWN = Finding(arn=ARN, observation=OBSERVATION, life=LIFE)
WAY = NetworkReachability(
    first_port=22,
    last_port=22,
    protocol="TCP",
    path=(
        Step(component_id="igw-01", component_type="AWS::EC2::InternetGateway"),
        Step(component_id="acl-01", component_type="AWS::EC2::NetworkAcl"),
        Step(component_id="sg-01", component_type="AWS::EC2::SecurityGroup"),
        Step(component_id="eni-01", component_type="AWS::EC2::NetworkInterface"),
        Step(component_id="i-0aaaabbbbccccdddd", component_type="AWS::EC2::Instance"),
    ),
)
EXPOSED = Observation(
    key="igw-01/TCP/eni-01/22-22",
    title="Port 22 is reachable from an Internet Gateway - TCP",
    description="Reachable.",
    severity="MEDIUM",
    details=WAY,
)
NOTICE = Notice(id="0d6e3a52-9c7c-4a0e-8a34-5f1b2f6a7c10", at="2026-03-02T10:15:30.500000Z")


def known(observation=OBSERVATION, **life):
    return Finding(arn=ARN, observation=observation, life=replace(LIFE, **life))


def with_packages(*packages, **more):
    details = replace(OBSERVATION.details, packages=tuple(VulnerablePackage(package=each) for each in packages), **more)
    return known(replace(OBSERVATION, details=details))


def rendered_package(package, resource=IMAGE):
    said = finding(resource, with_packages(package))
    assert problems("Finding", said) == []
    (one,) = said["packageVulnerabilityDetails"]["vulnerablePackages"]
    return one


# Findings


@pytest.mark.parametrize("resource", [INSTANCE, IMAGE, FUNCTION], ids=lambda each: each.type)
@pytest.mark.parametrize("observation", [OBSERVATION, EXPOSED], ids=["package", "network"])
def test_a_finding_is_valid_by_the_services_model(resource, observation):
    assert problems("Finding", finding(resource, known(observation))) == []


def test_the_checker_does_check():
    said = finding(INSTANCE, KNOWN)
    said |= {
        "severity": "BAD",
        "updatedAt": datetime(2026, 1, 1),  # noqa: DTZ001
        "odd": 1,
        "title": "",
        "awsAccountId": "1" * 11 + "x",
    }
    said |= {"inspectorScore": True, "resources": [], "epss": {"score": 1.5}, "description": "\ud800"}
    del said["status"]
    found = problems("Finding", said)
    assert len(found) == 10
    for text in (
        "severity: BAD is none",
        "updatedAt: 2026-01-01 00:00:00 is not in UTC",
        "odd is unknown",
        "title: 0 is not",
        "awsAccountId: 11111111111x does not match",
        "inspectorScore: True is no double",
        "resources: 0 is not",
        "score: 1.5 is out of range",
        "has no UTF-8",
        "status is missing",
    ):
        assert any(text in each for each in found), text


def test_a_network_finding_has_no_scores():
    said = finding(INSTANCE, known(EXPOSED))
    assert said["type"] == "NETWORK_REACHABILITY"
    absent = (
        "inspectorScore",
        "inspectorScoreDetails",
        "fixAvailable",
        "exploitAvailable",
        "epss",
        "exploitabilityDetails",
    )
    assert not set(absent) & said.keys()
    details = said["networkReachabilityDetails"]
    assert details["openPortRange"] == {"begin": 22, "end": 22}
    assert [each["componentId"] for each in details["networkPath"]["steps"]] == [
        "igw-01", "acl-01", "sg-01", "eni-01", "i-0aaaabbbbccccdddd"
    ]  # fmt: skip


def test_a_long_path_keeps_its_end():
    path = tuple(Step(component_id=f"c-{n}", component_type="X", component_arn="arn:x") for n in range(50))
    said = finding(INSTANCE, known(replace(EXPOSED, details=replace(WAY, path=path))))
    assert problems("Finding", said) == []
    steps = said["networkReachabilityDetails"]["networkPath"]["steps"]
    assert (len(steps), steps[0]["componentId"], steps[-1]["componentId"]) == (30, "c-0", "c-49")
    empty = finding(INSTANCE, known(replace(EXPOSED, details=replace(WAY, path=()))))
    assert problems("Finding", empty) == []


def test_what_is_unknown_is_left_out():
    bare = Observation(
        key="GHSA-1",
        title="GHSA-1 - x",
        description="x",
        severity="UNTRIAGED",
        details=PackageVulnerability(id="GHSA-1", source="GITHUB", packages=()),
    )
    said = finding(replace(INSTANCE, details=None, platform="", tags={}), known(bare))
    assert problems("Finding", said) == []
    assert not {"inspectorScore", "fixAvailable", "exploitAvailable", "epss"} & said.keys()
    assert said["packageVulnerabilityDetails"] == {
        "vulnerabilityId": "GHSA-1",
        "source": "GITHUB",
        "relatedVulnerabilities": [],
        "referenceUrls": [],
        "cvss": [],
        "vulnerablePackages": [],
    }
    assert "details" not in said["resources"][0]


def test_an_exploits_day_is_told_only_of_one_that_is_known():
    day = "2026-01-01T00:00:00.000000Z"
    used = finding(INSTANCE, known(replace(OBSERVATION, exploit=True, last_exploited_at=day)))
    assert used["exploitAvailable"] == "YES"
    assert used["exploitabilityDetails"] == {"lastKnownExploitAt": datetime(2026, 1, 1, tzinfo=UTC)}
    assert "exploitabilityDetails" not in finding(INSTANCE, known(replace(OBSERVATION, last_exploited_at=day)))
    assert "exploitabilityDetails" not in finding(INSTANCE, known(replace(OBSERVATION, exploit=True)))


@pytest.mark.parametrize(("vector", "version"), [(BASE, "3.1"), ("AV:N/AC:L/Au:N/C:P/I:N/A:N", "2.0")])
def test_a_score_names_its_vector_and_whose_it_is(vector, version):
    said = finding(IMAGE, known(replace(OBSERVATION, score=7.5, vector=vector, adjustments=())))
    assert said["inspectorScore"] == 7.5
    assert said["inspectorScoreDetails"] == {
        "adjustedCvss": {
            "scoreSource": "NVD",
            "cvssSource": "NVD",
            "version": version,
            "score": 7.5,
            "scoringVector": vector,
            "adjustments": [],
        }
    }


# Packages

FORMATS = [
    ("deb", "dpkg", "OS"),
    ("rpm", "rpm", "OS"),
    ("apk", "apk", "OS"),
    ("gem", "gem.lock", "BUNDLER"),
    ("gem", "gem.gemspec", "GEMSPEC"),
    ("cargo", "cargo.lock", "CARGO"),
    ("composer", "composer.lock", "COMPOSER"),
    ("composer", "composer.installed", "COMPOSER"),
    ("npm", "npm.lock", "NPM"),
    ("npm", "npm.pnpm", "NPM"),
    ("npm", "npm.yarn", "YARN"),
    ("npm", "npm.package", "NODEPKG"),
    ("nuget", "nuget.packages-lock", "NUGET"),
    ("nuget", "nuget.packages-config", "NUGET"),
    ("nuget", "nuget.deps-json", "DOTNET_CORE"),
    ("pypi", "pypi.pipfile-lock", "PIPENV"),
    ("pypi", "pypi.poetry-lock", "POETRY"),
    ("pypi", "pypi.requirements", "PIP"),
    ("pypi", "pypi.uv-lock", "PIP"),
    ("pypi", "pypi.metadata", "PYTHONPKG"),
    ("pypi", "pypi.egg", "PYTHONPKG"),
    ("golang", "go.binary", "GOBINARY"),
    ("golang", "go.mod", "GOMOD"),
    ("maven", "maven.jar", "JAR"),
    ("maven", "maven.pom", "POM"),
    ("swift", "swift.resolved", None),
    ("hex", "hex.mix-lock", None),
    ("conda", "conda.meta", None),
]


@pytest.mark.parametrize(("type_", "format_", "manager"), FORMATS, ids=[each[1] for each in FORMATS])
def test_each_package_manager_has_its_word(type_, format_, manager):
    name = "group:artifact" if type_ == "maven" else "demo"
    said = rendered_package(
        Package(type=type_, name=name, version="1.2", format=format_, location=Location(path="a/b"))
    )
    assert said.get("packageManager") == manager
    assert said["name"] == name
    of_system = type_ in ("deb", "rpm", "apk")
    assert ("filePath" in said, "purl" in said) == (not of_system, not of_system)


def test_all_words_for_package_managers_are_used():
    assert {each[2] for each in FORMATS} - {None} == set(shape("PackageManager").enum)


@pytest.mark.parametrize(
    ("type_", "version", "fixed", "wanted"),
    [
        (
            "rpm", "5.10.118-111.515.amzn2", "5.10.130-118.517.amzn2",
            {"version": "5.10.118", "release": "111.515.amzn2", "epoch": 0,
             "fixedInVersion": "0:5.10.130-118.517.amzn2"},
        ),
        (
            "deb", "1:2.39.2-1.1", "1:2.39.5-0+deb12u1",
            {"version": "2.39.2", "release": "1.1", "epoch": 1, "fixedInVersion": "1:2.39.5-0+deb12u1"},
        ),
        (
            "apk", "3.1.4-r5", "3.1.5-r0",
            {"version": "3.1.4", "release": "r5", "epoch": 0, "fixedInVersion": "0:3.1.5-r0"},
        ),
        ("deb", "7", "", {"version": "7", "epoch": 0}),
        ("npm", "1.0.0-rc-1", "1.0.0", {"version": "1.0.0-rc-1", "epoch": 0, "fixedInVersion": "1.0.0"}),
    ],
)  # fmt: skip
def test_versions_are_told_in_parts(type_, version, fixed, wanted):
    package = Package(type=type_, name="x", version=version, location=Location(path="p"))
    details = replace(OBSERVATION.details, packages=(VulnerablePackage(package=package, fixed_version=fixed),))
    said = finding(IMAGE, known(replace(OBSERVATION, details=details)))
    assert problems("Finding", said) == []
    (one,) = said["packageVulnerabilityDetails"]["vulnerablePackages"]
    assert {key: one.get(key) for key in ("version", "release", "epoch", "fixedInVersion") if key in one} == wanted


def test_the_layer_that_brought_a_package_is_told():
    of_image = replace(LIBDEMO, location=Location(path="x", layer=DIGEST, introduced=LAYER))
    assert rendered_package(of_image)["sourceLayerHash"] == LAYER
    assert rendered_package(replace(of_image, location=Location(path="x", layer=DIGEST)))["sourceLayerHash"] == DIGEST
    of_function = replace(LIBDEMO, location=Location(path="x", layer=LAYER_ARN, introduced=LAYER_ARN))
    said = rendered_package(of_function, FUNCTION)
    assert said["sourceLambdaLayerArn"] == LAYER_ARN
    assert "sourceLayerHash" not in said
    neither = rendered_package(replace(LIBDEMO, location=Location(path="x", layer="code.zip")), FUNCTION)
    assert not {"sourceLayerHash", "sourceLambdaLayerArn"} & neither.keys()


def test_limits_are_kept():
    long = "x" * 5000
    package = Package(type="npm", name=long, version=long, arch=long, location=Location(path=long))
    details = PackageVulnerability(
        id=f"CVE-{long}",
        source="NVD",
        packages=(VulnerablePackage(package=package, fixed_version=long, remediation=long),) * 3,
        references=("javascript:alert(1)", *(f"https://example.org/{n}" for n in range(500))),
        related=("", long),
        cvss=(Cvss(vector=BASE, source="NVD"), Cvss(vector=BASE, source="NVD", score=7.5)),
        vendor_created_at="yesterday",
    )
    resource = replace(
        IMAGE, tags={long: long, "": "x"}, platform=long, details=replace(IMAGE.details, tags=("", "v1"), author="")
    )
    said = finding(resource, known(replace(OBSERVATION, title=long, description=long, details=details)))
    assert problems("Finding", said) == []
    assert (len(said["title"]), len(said["description"]), len(said["resources"])) == (1024, 1024, 1)
    rendered = said["packageVulnerabilityDetails"]
    assert (len(rendered["referenceUrls"]), len(rendered["cvss"])) == (100, 1)
    assert "vendorCreatedAt" not in rendered
    nameless = rendered_package(Package(type="rpm", name="", version="", location=Location(path="")))
    assert (nameless["name"], nameless["version"]) == ("unknown", "unknown")


# Resources


def details_of(resource):
    said = finding(resource, KNOWN)
    assert problems("Finding", said) == []
    (entry,) = said["resources"]
    assert (entry["provider"], entry["providerAccountId"], entry["partition"]) == ("AWS", "111122223333", "aws")
    return entry["details"]


def test_an_instance_is_told_twice():
    said = details_of(INSTANCE)
    shared = {
        "type": "t3.small",
        "ipV4Addresses": ["10.0.0.5"],
        "ipV6Addresses": [],
        "launchedAt": datetime(2026, 3, 2, 9, tzinfo=UTC),
        "platform": "AMAZON_LINUX_2023",
    }
    assert said["awsEc2Instance"] == shared | {
        "imageId": "ami-0123456789abcdef0", "vpcId": "vpc-01", "subnetId": "subnet-01"
    }  # fmt: skip
    assert said["vm"] == shared | {
        "vmImageReference": "ami-0123456789abcdef0", "networkId": "vpc-01", "subnetIds": ["subnet-01"]
    }  # fmt: skip


def test_an_image_is_told_twice():
    said = details_of(IMAGE)
    assert said["awsEcrContainerImage"]["imageHash"] == said["image"]["imageDigest"] == DIGEST
    assert said["image"]["architecture"] == "amd64"
    assert said["awsEcrContainerImage"]["inUseCount"] == 3
    assert said["awsEcrContainerImage"]["imageTags"] == ["v1", "latest"]


def test_a_function_is_told_twice():
    said = details_of(FUNCTION)
    own, twin = said["awsLambdaFunction"], said["serverlessFunction"]
    assert own["runtime"] == twin["runtime"] == "PYTHON_3_12"
    assert own["version"] == "$LATEST"
    assert own["architectures"] == ["ARM64"]
    assert own["layers"] == twin["layers"] == [LAYER_ARN]
    assert own["vpcConfig"] == {
        "subnetIds": ["subnet-0123456789abcdef0"],
        "securityGroupIds": ["sg-0123456789abcdef0"],
        "vpcId": "vpc-0123456789abcdef0",
    }
    assert (twin["networkId"], twin["executionRole"]) == ("vpc-0123456789abcdef0", ROLE)


@pytest.mark.parametrize(
    ("resource", "own"),
    [
        (replace(FUNCTION, details=replace(FUNCTION.details, role_arn="")), "awsLambdaFunction"),
        (replace(FUNCTION, details=replace(FUNCTION.details, version="live")), "awsLambdaFunction"),
        (replace(IMAGE, details=replace(IMAGE.details, digest="sha256:short")), "awsEcrContainerImage"),
    ],
)
def test_details_that_lack_what_they_must_have_are_left_to_their_twin(resource, own):
    said = details_of(resource)
    assert own not in said
    assert len(said) == 1


def test_details_that_the_api_would_refuse_are_left_out():
    odd = Ec2Instance(ipv4_addresses=("10.0.0.5", "300.1.1.1", "::1"), ipv6_addresses=("::1", "x" * 48))
    said = details_of(replace(INSTANCE, details=odd, platform="x" * 2000))
    assert said["awsEc2Instance"]["ipV4Addresses"] == ["10.0.0.5"]
    assert said["awsEc2Instance"]["ipV6Addresses"] == ["::1"]
    many = replace(
        FUNCTION.details,
        layers=(LAYER_ARN, "odd") * 9,
        subnet_ids=("subnet-0123456789abcdef0",) * 20,
        security_group_ids=("sg-1", *("sg-01234567",) * 20),
        architectures=("x86_64", "arm64"),
        vpc_id="vpc-1",
    )
    said = details_of(replace(FUNCTION, details=many))["awsLambdaFunction"]
    assert (len(said["layers"]), said["architectures"]) == (5, ["X86_64"])
    assert "vpcId" not in said["vpcConfig"]


# Events

SYNTHETIC = """
{"version":"0","id":"0d6e3a52-9c7c-4a0e-8a34-5f1b2f6a7c10","detail-type":"Inspector2 Finding","source":"aws.inspector2",
 "account":"111122223333","time":"2026-03-02T10:15:30Z","region":"eu-west-1","resources":["i-0aaaabbbbccccdddd"],
 "detail":{"awsAccountId":"111122223333",
  "findingArn":"arn:aws:inspector2:eu-west-1:111122223333:finding/0123456789abcdef0123456789abcdef",
  "type":"PACKAGE_VULNERABILITY","title":"CVE-2030-0001 - libdemo","description":"Demo text.","severity":"MEDIUM",
  "status":"ACTIVE","firstObservedAt":"Mon Mar 02 10:15:29.120 UTC 2026",
  "lastObservedAt":"Mon Mar 02 10:15:29.120 UTC 2026","updatedAt":"Mon Mar 02 10:15:29.120 UTC 2026",
  "fixAvailable":"YES","exploitAvailable":"NO","epss":{"score":0.0012},"inspectorScore":6.2,
  "inspectorScoreDetails":{"adjustedCvss":{"scoreSource":"NVD","cvssSource":"NVD","version":"3.1","score":6.2,
    "scoringVector":"CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
    "adjustments":[{"metric":"Attack Vector","reason":"no open path from the internet"}]}},
  "packageVulnerabilityDetails":{"vulnerabilityId":"CVE-2030-0001","source":"NVD",
    "sourceUrl":"https://example.org/CVE-2030-0001","vendorSeverity":"HIGH",
    "vendorCreatedAt":"Sun Mar 01 00:00:00.000 UTC 2026","relatedVulnerabilities":[],"referenceUrls":[],
    "cvss":[{"baseScore":7.5,"scoringVector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H","version":"3.1",
      "source":"NVD"}],
    "vulnerablePackages":[{"name":"libdemo","version":"1.2.3","release":"4.amzn2023","epoch":0,"arch":"X86_64",
      "packageManager":"OS","fixedInVersion":"0:1.2.4-1.amzn2023","remediation":"dnf update libdemo"}]},
  "remediation":{"recommendation":{"text":"None Provided"}},
  "resources":[{"type":"AWS_EC2_INSTANCE","id":"i-0aaaabbbbccccdddd","partition":"aws","region":"eu-west-1",
    "tags":{"env":"demo"},"provider":"AWS","providerAccountId":"111122223333",
    "details":{"awsEc2Instance":{"type":"t3.small","imageId":"ami-0123456789abcdef0","platform":"AMAZON_LINUX_2023",
      "ipV4Addresses":["10.0.0.5"],"ipV6Addresses":[],"vpcId":"vpc-01","subnetId":"subnet-01",
      "launchedAt":"Mon Mar 02 09:00:00.000 UTC 2026"}}}]}}
"""
NETWORK = """
{"openPortRange":{"begin":22,"end":22},"protocol":"TCP","networkPath":{"steps":[
  {"componentId":"igw-01","componentType":"AWS::EC2::InternetGateway"},
  {"componentId":"acl-01","componentType":"AWS::EC2::NetworkAcl"},
  {"componentId":"sg-01","componentType":"AWS::EC2::SecurityGroup"},
  {"componentId":"eni-01","componentType":"AWS::EC2::NetworkInterface"},
  {"componentId":"i-0aaaabbbbccccdddd","componentType":"AWS::EC2::Instance"}]}}
"""


def test_a_findings_event_is_as_the_service_sends_it():
    assert finding_event(NOTICE, INSTANCE, KNOWN) == json.loads(SYNTHETIC)


def test_a_network_findings_event_differs_as_it_should():
    wanted = json.loads(SYNTHETIC)
    detail = wanted["detail"]
    for name in ("inspectorScore", "inspectorScoreDetails", "fixAvailable", "exploitAvailable", "epss"):
        del detail[name]
    del detail["packageVulnerabilityDetails"]
    detail["networkReachabilityDetails"] = json.loads(NETWORK)
    detail |= {"type": "NETWORK_REACHABILITY", "title": EXPOSED.title, "description": EXPOSED.description}
    assert finding_event(NOTICE, INSTANCE, known(EXPOSED)) == wanted


@pytest.mark.parametrize("resource", [INSTANCE, IMAGE, FUNCTION], ids=lambda each: each.type)
def test_an_event_is_json_without_twins(resource):
    event = json.loads(json.dumps(finding_event(replace(NOTICE, source="org.example"), resource, KNOWN)))
    assert (event["source"], event["resources"]) == ("org.example", [resource.id])
    assert len(event["detail"]["resources"][0]["details"]) == 1


def test_a_finished_scan_of_an_image_is_its_repositorys_event():
    event = scan_event(NOTICE, IMAGE, {"CRITICAL": 1, "HIGH": 2, "LOW": 7, "UNTRIAGED": 4})
    assert event["resources"] == [REPOSITORY]
    assert event["detail-type"] == "Inspector2 Scan"
    assert event["detail"] == {
        "scan-status": "INITIAL_SCAN_COMPLETE",
        "repository-name": REPOSITORY,
        "image-digest": DIGEST,
        "image-tags": ["v1", "latest"],
        "finding-severity-counts": {"CRITICAL": 1, "HIGH": 2, "MEDIUM": 0, "TOTAL": 3},
        "version": "1.0",
    }


@pytest.mark.parametrize(
    ("resource", "wanted"),
    [
        (INSTANCE, {"instance-id": INSTANCE.id}),
        (replace(INSTANCE, type="MACHINE_IMAGE", id="ami-01", details=None), {"machine-image-id": "ami-01"}),
        (FUNCTION, {}),
    ],
    ids=lambda each: getattr(each, "type", ""),
)
def test_a_finished_scan_names_what_was_scanned(resource, wanted):
    event = scan_event(NOTICE, resource, {})
    rest = {"scan-status", "finding-severity-counts", "version"}
    assert {name: value for name, value in event["detail"].items() if name not in rest} == wanted
    assert event["resources"] == [resource.id]


def test_a_change_of_coverage_is_told_to_the_microsecond():
    coverage = Coverage(resource=INSTANCE, scan_type="PACKAGE", status=status_of("UNMANAGED_EC2_INSTANCE"))
    event = coverage_event(replace(NOTICE, at="2026-03-02T10:13:58.120345Z"), coverage)
    assert event == {
        "version": "0",
        "id": NOTICE.id,
        "detail-type": "Inspector2 Coverage",
        "source": "aws.inspector2",
        "account": "111122223333",
        "time": "2026-03-02T10:13:58Z",
        "region": "eu-west-1",
        "resources": ["i-0aaaabbbbccccdddd"],
        "detail": {
            "scanStatus": {"reason": "UNMANAGED_EC2_INSTANCE", "statusCodeValue": "INACTIVE"},
            "scanType": "PACKAGE",
            "provider": "AWS",
            "providerAccountId": "111122223333",
            "providerRegion": "eu-west-1",
            "eventTimestamp": "2026-03-02T10:13:58.120345Z",
            "version": "1.0",
        },
    }


def test_moments_are_spelt_as_events_do_and_may_be_none():
    assert spelled(datetime(2024, 9, 4, 16, 59, 44, 356999, tzinfo=UTC)) == "Wed Sep 04 16:59:44.356 UTC 2024"
    assert precise("2024-09-04") == "2024-09-04T00:00:00.000000Z"
    assert precise("2024-09-04T18:00:00+02:00") == "2024-09-04T16:00:00.000000Z"
    assert [moment(text) for text in ("", "soon", "2024-13-01", "0001-01-01T00:00:00+10:00")] == [None] * 4


# Coverage


def test_each_reason_has_its_usual_code():
    assert set(USUAL_CODE) == set(shape("ScanStatusReason").enum)
    assert status_of("SUCCESSFUL").code == status_of("DEEP_INSPECTION_NO_INVENTORY").code == "ACTIVE"
    assert status_of("EC2_INSTANCE_STOPPED") == ScanStatus(code="INACTIVE", reason="EC2_INSTANCE_STOPPED")


def test_the_words_of_coverage_are_the_services():
    from typing import get_args

    from openinspector.model import coverage

    for ours, theirs in (
        (coverage.ScanType, "ScanType"),
        (coverage.ScanMode, "ScanMode"),
        (coverage.StatusCode, "ScanStatusCode"),
        (coverage.ScanFrequency, "EcrScanFrequency"),
    ):
        assert set(get_args(ours)) == set(shape(theirs).enum)


def covered(resource, scan_type="PACKAGE", reason="SUCCESSFUL", **more):
    said = covered_resource(Coverage(resource=resource, scan_type=scan_type, status=status_of(reason), **more))
    assert problems("CoveredResource", said) == []
    return said


@pytest.mark.parametrize("reason", sorted(USUAL_CODE))
def test_coverage_is_valid_for_every_reason(reason):
    said = covered(INSTANCE, "NETWORK", reason)
    assert said["scanStatus"] == {"statusCode": USUAL_CODE[reason], "reason": reason}
    assert not {"lastScannedAt", "scanMode"} & said.keys()


def test_an_instances_coverage_says_how_it_is_read():
    said = covered(INSTANCE, scan_mode="EC2_AGENTLESS", last_scanned_at=OBSERVED)
    assert said["scanMode"] == "EC2_AGENTLESS"
    assert said["lastScannedAt"] == datetime(2026, 3, 2, 10, 15, 29, 120000, tzinfo=UTC)
    assert said["resourceMetadata"] == {
        "ec2": {"tags": {"env": "demo"}, "amiId": "ami-0123456789abcdef0", "platform": "LINUX"}
    }
    assert (said["providerRegion"], said["providerPartition"]) == ("eu-west-1", "aws")


@pytest.mark.parametrize(
    ("platform", "wanted"),
    [("WINDOWS_SERVER_2022", "WINDOWS"), ("MACOS_14", "MACOS"), ("UBUNTU_22_04", "LINUX"), ("", "UNKNOWN")],
)
def test_an_instances_platform_is_one_of_four(platform, wanted):
    said = covered(replace(INSTANCE, platform=platform))["resourceMetadata"]
    assert said["ec2"]["platform"] == wanted


def test_metadata_of_each_kind():
    image = covered(IMAGE, image_pulled_at=OBSERVED)["resourceMetadata"]["ecrImage"]
    assert image == {
        "tags": ["v1", "latest"],
        "imagePulledAt": datetime(2026, 3, 2, 10, 15, 29, 120000, tzinfo=UTC),
        "lastInUseAt": datetime(2026, 3, 2, tzinfo=UTC),
        "inUseCount": 3,
    }
    assert covered(FUNCTION, "CODE")["resourceMetadata"]["lambdaFunction"] == {
        "functionName": "demo",
        "functionTags": {"team": "blue"},
        "layers": [LAYER_ARN],
        "runtime": "PYTHON_3_12",
    }
    repository = replace(IMAGE, type="AWS_ECR_REPOSITORY", id=REPOSITORY, details=None)
    assert covered(repository, metadata=EcrRepository(name="team/app", scan_frequency="SCAN_ON_PUSH"))[
        "resourceMetadata"
    ] == {"ecrRepository": {"name": "team/app", "scanFrequency": "SCAN_ON_PUSH"}}
    # The model has no pattern for machine images among its resource ids.
    machine = Coverage(
        resource=replace(INSTANCE, type="MACHINE_IMAGE", id="ami-0123456789abcdef0", details=None),
        scan_type="PACKAGE",
        status=status_of("SUCCESSFUL"),
    )
    assert covered_resource(machine)["resourceMetadata"]["machineImage"]["platform"] == "LINUX"
    assert covered(repository)["resourceMetadata"] == {}


def test_a_code_repositorys_coverage():
    uuid = "01234567-89ab-cdef-0123-456789abcdef"
    integration = f"arn:aws:inspector2:eu-west-1:111122223333:codesecurity-integration/{uuid}"
    resource = Resource(
        account="111122223333",
        region="eu-west-1",
        type="CODE_REPOSITORY",
        id=f"{integration}/project-{uuid}",
    )
    about = CodeRepository(
        project_name="demo",
        provider="GITHUB",
        visibility="PRIVATE",
        integration_arn=integration,
        last_scanned_commit="a" * 40,
    )
    said = covered(resource, "CODE", metadata=about)["resourceMetadata"]["codeRepository"]
    assert said["lastScannedCommitId"] == "a" * 40
    assert "lastScannedCommitId" not in covered(resource, metadata=replace(about, last_scanned_commit="main"))[
        "resourceMetadata"
    ]["codeRepository"]  # fmt: skip


# Vulnerabilities

FLAW = Vulnerability(
    id="CVE-2021-44228",
    aliases=("GHSA-jfh8-c2jp-5v3q",),
    title="Log4Shell",
    description="JNDI features do not protect against attacker controlled endpoints.",
    cvss=(
        Cvss(vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:L", source="ghsa", score=9.9),
        Cvss(vector="CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", source="nvd", score=10.0),
        Cvss(vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", source="NVD", score=10.0),
        Cvss(vector="AV:N/AC:M/Au:N/C:C/I:C/A:C", source="NVD", score=9.3),
        Cvss(vector="CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N", source="CNA:x"),
    ),
    severities=(("nvd", "CRITICAL"),),
    cwes=("CWE-20", "NVD-CWE-noinfo"),
    references=("https://logging.apache.org/", "ftp://x", *(f"https://example.org/{n}" for n in range(200))),
    published="2021-12-10T00:00:00Z",
    modified="2023-01-01T00:00:00Z",
    epss=Epss(vulnerability="CVE-2021-44228", score=0.94),
    kev=Kev(
        vulnerability="CVE-2021-44228",
        date_added="2021-12-10",
        due_date="2021-12-24",
        required_action="Apply the updates.",
        ransomware=True,
    ),
    exploits=(Exploit(vulnerability="CVE-2021-44228", source="exploit-db", ids=("50592",), date="2021-12-14"),),
)


def test_details_of_a_finding_tell_of_the_flaw():
    said = finding_details(ARN, FLAW)
    assert problems("FindingDetail", said) == []
    assert said["cisaData"] == {
        "dateAdded": datetime(2021, 12, 10, tzinfo=UTC),
        "dateDue": datetime(2021, 12, 24, tzinfo=UTC),
        "action": "Apply the updates.",
    }
    assert said["exploitObserved"] == {
        "firstSeen": datetime(2021, 12, 10, tzinfo=UTC),
        "lastSeen": datetime(2021, 12, 14, tzinfo=UTC),
    }
    assert (said["cwes"], said["epssScore"], len(said["referenceUrls"])) == (["CWE-20"], 0.94, 100)
    assert [each["evidenceRule"] for each in said["evidences"]] == ["Public exploit", "Known exploited vulnerability"]
    assert problems("FindingDetail", finding_details(ARN, Vulnerability(id="CVE-2030-1"))) == []


def test_a_vulnerability_that_is_searched_for():
    said = vulnerability(FLAW, ("DEBIAN_12",) * 200)
    assert problems("Vulnerability", said) == []
    assert said["cvss3"] == {"baseScore": 10.0, "scoringVector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"}
    assert said["cvss2"]["baseScore"] == 9.3
    assert "cvss4" not in said  # nobody said its score
    assert said["sourceUrl"] == "https://nvd.nist.gov/vuln/detail/CVE-2021-44228"
    assert said["vendorSeverity"] == "CRITICAL"
    assert len(said["detectionPlatforms"]) == 100
    bare = vulnerability(Vulnerability(id="CVE-2030-1"))
    assert problems("Vulnerability", bare) == []
    assert bare["detectionPlatforms"] == []
