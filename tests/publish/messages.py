"""Messages as the pipeline makes them."""

from hashlib import md5
from uuid import UUID

from openinspector.model.advisory import Cvss
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
from openinspector.model.package import Location, Package
from openinspector.model.resource import Ec2Instance, EcrImage, LambdaFunction, Resource
from openinspector.publish.contract import Later, Message, Refused, Sent
from openinspector.render.inspector2_events import Notice, finding_event, scan_event

ACCOUNT = "111122223333"
REGION = "us-east-1"
AT = "2026-03-02T10:15:30.123456Z"
VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
LIFE = Life(status="ACTIVE", first_observed_at=AT, last_observed_at=AT, updated_at=AT)
HOST = Resource(
    account=ACCOUNT,
    region=REGION,
    type="AWS_EC2_INSTANCE",
    id="i-0aaaabbbbccccdddd",
    platform="AMAZON_LINUX_2023",
    tags={"team": "blue"},
    details=Ec2Instance(
        instance_type="t3.small", ipv4_addresses=("10.0.0.5",), vpc_id="vpc-01", launched_at="2026-03-02T09:00:00Z"
    ),
)
IMAGE = Resource(
    account=ACCOUNT,
    region=REGION,
    type="AWS_ECR_CONTAINER_IMAGE",
    id=f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/app/sha256:" + "a" * 64,
    platform="DEBIAN_12",
    details=EcrImage(
        repository="app", digest="sha256:" + "a" * 64, registry=ACCOUNT, tags=("1",), pushed_at="2026-03-01T00:00:00Z"
    ),
)
FUNCTION = Resource(
    account=ACCOUNT,
    region=REGION,
    type="AWS_LAMBDA_FUNCTION",
    id=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:demo:$LATEST",
    details=LambdaFunction(
        name="demo",
        runtime="python3.12",
        code_sha256="x=",
        layers=(f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:first:1",),
        vpc_id="vpc-0a0a0a0a",
    ),
)


def package(name="libdemo", **more):
    found = Package(
        type="rpm", name=name, version="1.2.3-4.amzn2023", arch="x86_64", location=Location(path="var/lib/rpm")
    )
    return VulnerablePackage(package=found, fixed_version="1.2.4-1.amzn2023", remediation=f"dnf update {name}", **more)


def finding(status="ACTIVE", key="CVE-2030-0001", packages=None, references=(), **more):
    observation = Observation(
        key=key,
        title=f"{key} - libdemo",
        description="Demo text.",
        severity="MEDIUM",
        score=6.2,
        vector=VECTOR,
        score_source="NVD",
        adjustments=(Adjustment(metric="Attack Vector", reason="no open path from the internet"),),
        fix="YES",
        exploit=False,
        epss=0.0012,
        details=PackageVulnerability(
            id=key,
            source="NVD",
            packages=tuple((package(),) if packages is None else packages),
            source_url=f"https://example.org/{key}",
            vendor_severity="HIGH",
            vendor_created_at="2026-03-01T00:00:00.000000Z",
            references=tuple(references),
            cvss=(Cvss(vector=VECTOR, source="NVD", score=7.5),),
        ),
    )
    life = Life(status=status, first_observed_at=AT, last_observed_at=AT, updated_at=AT)
    digits = md5(key.encode()).hexdigest()
    arn = f"arn:aws:inspector2:{REGION}:{ACCOUNT}:finding/{digits}"
    return Finding(arn=arn, observation=observation, life=life)


def network_finding():
    path = (
        Step(component_id="igw-01", component_type="AWS::EC2::InternetGateway"),
        Step(component_id="i-0aaaabbbbccccdddd", component_type="AWS::EC2::Instance"),
    )
    observation = Observation(
        key="igw-01/TCP/eni-01/22-22",
        title="Port 22 is reachable",
        description="Port 22 is reachable from the internet.",
        severity="MEDIUM",
        details=NetworkReachability(first_port=22, last_port=22, protocol="TCP", path=path),
    )
    return Finding(arn=f"arn:aws:inspector2:{REGION}:{ACCOUNT}:finding/{'b' * 32}", observation=observation, life=LIFE)


def message(number=1, resource=HOST, known=None, source="openinspector", **more):
    """The event of a finding, under an id that goes by its number."""
    known = known or finding(key=f"CVE-2030-{number:04}", **more)
    name = str(UUID(int=number))
    event = finding_event(Notice(id=name, at=AT, source=source), resource, known)
    return Message(id=name, kind="finding", event=event, resource=resource, finding=known)


def scanned(number=1, resource=HOST):
    name = str(UUID(int=number))
    event = scan_event(Notice(id=name, at=AT, source="openinspector"), resource, {"HIGH": 1})
    return Message(id=name, kind="scan", event=event, resource=resource)


def kinds(outcomes):
    """`sent`, `refused` or `later`, of each."""
    names = {Sent: "sent", Refused: "refused", Later: "later"}
    return [names[type(each)] for each in outcomes]
