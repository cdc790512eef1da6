"""Findings of the service for Security Hub, against its service model."""

import botocore.session
import pytest
from botocore.validate import ParamValidator
from msgspec.structs import replace
from tests.publish.messages import AT, FUNCTION, HOST, IMAGE, finding, network_finding, package

from openinspector.model.package import Location, Package
from openinspector.model.resource import Resource
from openinspector.render.asff_findings import CUT, security_finding

PRODUCT = "arn:aws:securityhub:us-east-1:111122223333:product/111122223333/default"
BARE = Resource(account="111122223333", region="us-east-1", type="MACHINE_IMAGE", id="ami-0123456789abcdef0")


def said(resource=HOST, known=None):
    return security_finding(resource, known or finding(), PRODUCT, "0d6e3a52-9c7c-4a0e-8a34-5f1b2f6a7c10")


def problems(found):
    """What the model, and its pattern of texts that aren't blank, hold against a finding."""
    model = botocore.session.get_session().get_service_model("securityhub")
    shape = model.operation_model("BatchImportFindings").input_shape
    report = ParamValidator().validate({"Findings": [found]}, shape).generate_report()
    return [each for each in (report, *blank(found, "")) if each]


def blank(value, path):
    if isinstance(value, dict):
        for name, each in value.items():
            yield from blank(each, f"{path}.{name}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from blank(each, f"{path}[{number}]")
    elif isinstance(value, str) and not value.strip():
        yield f"{path} is blank"


def changed(known, **more):
    return replace(known, observation=replace(known.observation, **more))


EMPTY = changed(finding(), title="", description=" ", score=None, fix=None, exploit=None, epss=None)
KNOWN = {
    "a package": finding(),
    "a port": network_finding(),
    "closed": finding(status="CLOSED"),
    "next to nothing": EMPTY,
    "no packages": finding(packages=()),
    "exploited": changed(finding(), exploit=True, last_exploited_at=AT),
    "an untriaged one": changed(finding(), severity="UNTRIAGED"),
    "long": changed(finding(), title="t" * 2000, description="d" * 5000),
}


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("resource", [HOST, IMAGE, FUNCTION, BARE], ids=lambda each: each.type)
def test_a_finding_is_one_that_the_hub_takes(name, resource):
    assert problems(said(resource, KNOWN[name])) == []


def test_a_finding_is_told_field_by_field():
    told = said()
    assert told["Id"] == finding().arn
    assert told["ProductArn"] == PRODUCT
    assert told["GeneratorId"] == "AWSInspector"
    assert told["Types"] == ["Software and Configuration Checks/Vulnerabilities/CVE"]
    assert told["FindingProviderFields"] == {"Severity": {"Label": "MEDIUM"}, "Types": told["Types"]}
    assert told["Severity"] == {"Label": "MEDIUM", "Normalized": 40}
    assert told["CreatedAt"] == told["FirstObservedAt"] == told["UpdatedAt"] == "2026-03-02T10:15:30.123Z"
    assert told["ProductFields"] == {
        "openinspector/inspector/ProductVersion": "2",
        "openinspector/inspector/FindingStatus": "ACTIVE",
        "openinspector/inspector/inspectorScore": "6.2",
        "openinspector/inspector/instanceId": HOST.id,
        "openinspector/inspector/resources/1/resourceDetails/awsEc2InstanceDetails/platform": "AMAZON_LINUX_2023",
        "openinspector/eventId": "0d6e3a52-9c7c-4a0e-8a34-5f1b2f6a7c10",
    }
    (resource,) = told["Resources"]
    assert resource["Id"] == f"arn:aws:ec2:us-east-1:111122223333:{HOST.id}"
    assert resource["Tags"] == {"team": "blue"}
    assert resource["Details"]["AwsEc2Instance"]["LaunchedAt"] == "2026-03-02T09:00:00.000Z"
    (flaw,) = told["Vulnerabilities"]
    assert flaw["VulnerablePackages"] == [
        {
            "Name": "libdemo",
            "Version": "1.2.3",
            "Epoch": "0",
            "Release": "4.amzn2023",
            "Architecture": "X86_64",
            "PackageManager": "OS",
            "FixedInVersion": "0:1.2.4-1.amzn2023",
            "Remediation": "dnf update libdemo",
        }
    ]
    assert [each["BaseScore"] for each in flaw["Cvss"]] == [7.5, 6.2]
    assert flaw["Cvss"][1]["Adjustments"] == [{"Metric": "Attack Vector", "Reason": "no open path from the internet"}]
    assert (flaw["FixAvailable"], flaw["ExploitAvailable"], flaw["EpssScore"]) == ("YES", "NO", 0.0012)
    assert "Network" not in told


def test_amazons_own_product_has_fields_of_its_own():
    told = security_finding(HOST, finding(), "arn:aws:securityhub:us-east-1::product/aws/inspector")
    assert told["ProductFields"] == {
        "aws/inspector/ProductVersion": "2",
        "aws/inspector/FindingStatus": "ACTIVE",
        "aws/inspector/inspectorScore": "6.2",
        "aws/inspector/instanceId": HOST.id,
        "aws/inspector/resources/1/resourceDetails/awsEc2InstanceDetails/platform": "AMAZON_LINUX_2023",
    }


def test_an_open_port_has_a_network_and_no_flaw():
    told = said(known=network_finding())
    assert told["Network"] == {"OpenPortRange": {"Begin": 22, "End": 22}, "Protocol": "TCP"}
    assert told["NetworkPath"][0] == {"ComponentId": "igw-01", "ComponentType": "AWS::EC2::InternetGateway"}
    assert told["Types"] == ["Software and Configuration Checks/AWS Security Best Practices/Network Reachability"]
    assert "Vulnerabilities" not in told


@pytest.mark.parametrize(
    ("status", "state"), [("ACTIVE", "ACTIVE"), ("SUPPRESSED", "ARCHIVED"), ("CLOSED", "ARCHIVED")]
)
def test_what_is_not_active_is_archived_and_work_on_it_is_the_hubs(status, state):
    told = said(known=finding(status=status))
    assert (told["RecordState"], told["Workflow"]) == (state, {"Status": "NEW"})


def test_untriaged_is_informational():
    assert said(known=KNOWN["an untriaged one"])["Severity"] == {"Label": "INFORMATIONAL", "Normalized": 0}


def test_a_package_in_a_layer_says_which():
    layers = {"SourceLayerHash": "sha256:" + "b" * 64, "SourceLayerArn": FUNCTION.details.layers[0]}
    for name, layer in layers.items():
        found = Package(type="pypi", name="flask", version="1", location=Location(path="a/flask", layer=layer))
        vulnerable = replace(package(), package=found)
        (told,) = said(IMAGE, finding(packages=(vulnerable,)))["Vulnerabilities"][0]["VulnerablePackages"]
        assert told[name] == layer
        assert told["FilePath"] == "a/flask"


def test_what_may_be_left_out_is_there():
    told = said(known=finding(references=["https://example.org/1"]))
    missing = {path for path in CUT if not any(name in str(told) for name in path)}
    assert missing == {("NetworkPath",)}
