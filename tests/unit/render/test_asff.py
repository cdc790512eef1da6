"""ASFF, against the service model that the hub publishes."""

import json

import pytest
from msgspec.structs import replace
from tests.unit.render.sample import EMPTY, FINDINGS, INVENTORY, REPORT, RULED

from openinspector.model.inventory import Target
from openinspector.render.asff import Account, render


@pytest.fixture(scope="module")
def findings():
    return {each["Vulnerabilities"][0]["Id"]: each for each in json.loads(render(REPORT))}


def of_target(**target):
    inventory = replace(INVENTORY, target=Target(**target))
    return json.loads(render(replace(REPORT, inventory=inventory)))[0]


def _texts(value):
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, str):
        yield value
    elif not isinstance(value, (int, float, type(None))):
        for each in value:
            yield from _texts(each)


def test_it_is_valid_by_the_services_model():
    session = pytest.importorskip("botocore.session", reason="botocore, which ships the model, is not installed")
    validate = pytest.importorskip("botocore.validate")
    operation = session.get_session().get_service_model("securityhub").operation_model("BatchImportFindings")
    report = validate.ParamValidator().validate({"Findings": json.loads(render(REPORT))}, operation.input_shape)
    assert not report.has_errors(), report.generate_report()


def test_no_text_is_empty_and_enumerations_are_kept(findings):
    for each in findings.values():
        assert all(text.strip() for text in _texts(each))
        assert each["Severity"]["Label"] in ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
        assert each["Vulnerabilities"][0]["FixAvailable"] in ("YES", "NO", "PARTIAL")
        assert len(each["Title"]) <= 256
        assert len(each["Description"]) <= 1024
        assert all(len(value) <= 2048 for value in each["ProductFields"].values())
    assert render(EMPTY) == "[]\n"


def test_a_vulnerability_of_several_packages_is_one_finding(findings):
    assert len(findings) == len({each.vulnerability.id for each in FINDINGS})
    found = findings["CVE-2023-5363"]
    assert found["Title"] == "CVE-2023-5363 - libssl3, openssl"
    packages = found["Vulnerabilities"][0]["VulnerablePackages"]
    assert packages[0] == {
        "Name": "libssl3",
        "Version": "3.0.9",
        "Epoch": "0",
        "Release": "1",
        "Architecture": "AMD64",
        "PackageManager": "OS",
        "FilePath": "var/lib/dpkg/status",
        "FixedInVersion": "0:3.0.11-1~deb12u2",
        "Remediation": "apt-get update && apt-get install --only-upgrade libssl3",
        "SourceLayerHash": "sha256:" + "a" * 64,
    }
    assert found["Severity"] == {"Label": "MEDIUM", "Normalized": 40}
    assert found["Vulnerabilities"][0]["RelatedVulnerabilities"] == ["DSA-5532-1"]


def test_scores_are_numbers_and_inspectors_own_comes_last(findings):
    entry = findings["CVE-2023-5363"]["Vulnerabilities"][0]
    assert [(each["Version"], each.get("BaseScore")) for each in entry["Cvss"]] == [
        ("3.1", 7.5),
        ("2.0", 5.0),
        ("4.0", None),
        ("3.1", 7.5),
    ]
    assert findings["CVE-2023-5363"]["ProductFields"]["aws/inspector/inspectorScore"] == "7.5"


def test_what_is_suppressed_everywhere_is_archived_and_elsewhere_left_out(findings):
    ignored = findings["GHSA-xxxx-yyyy-zzzz"]
    assert (ignored["RecordState"], ignored["Workflow"]["Status"]) == ("ARCHIVED", "SUPPRESSED")
    assert ignored["ProductFields"]["aws/inspector/FindingStatus"] == "SUPPRESSED"
    lodash = findings["CVE-2021-23337"]
    assert lodash["RecordState"] == "ACTIVE"
    assert [each["FilePath"] for each in lodash["Vulnerabilities"][0]["VulnerablePackages"]] == [
        "srv/app/node_modules/lodash/package.json"
    ]


def test_what_the_baseline_knows_was_observed_then():
    by_id = {each["Vulnerabilities"][0]["Id"]: each for each in json.loads(render(RULED))}
    assert by_id["CVE-2023-5363"]["FirstObservedAt"] == "2024-12-01T00:00:00Z"
    assert by_id["CVE-2021-44228"]["FirstObservedAt"] == RULED.scanned_at


def test_an_image_of_a_registry_is_that_registrys_resource():
    name = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1"
    found = of_target(kind="image", name=name, digest="sha256:" + "9" * 64, platform="linux/arm64")
    assert (found["AwsAccountId"], found["Region"]) == ("111122223333", "eu-west-1")
    (resource,) = found["Resources"]
    assert resource["Type"] == "AwsEcrContainerImage"
    assert resource["Id"] == f"arn:aws:ecr:eu-west-1:111122223333:repository/team/app/sha256:{'9' * 64}"
    assert resource["Details"]["AwsEcrContainerImage"]["ImageTags"] == ["v1"]


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ({"kind": "image", "name": "debian:12"}, "Container"),
        ({"kind": "lambda", "name": "arn:aws:lambda:eu-west-1:111122223333:function:demo"}, "AwsLambdaFunction"),
        ({"kind": "lambda", "name": "demo.zip"}, "Other"),
        ({"kind": "host", "name": "i-0aaaabbbbccccdddd"}, "AwsEc2Instance"),
        ({"kind": "directory", "name": "/srv"}, "Other"),
    ],
)
def test_each_kind_of_target_is_a_resource(target, kind):
    assert of_target(**target)["Resources"][0]["Type"] == kind


def test_the_account_can_be_said():
    found = json.loads(render(REPORT, Account(id="444455556666", region="eu-north-1")))[0]
    assert found["Id"].startswith("arn:aws:inspector2:eu-north-1:444455556666:finding/")
    assert found["ProductArn"] == "arn:aws:securityhub:eu-north-1::product/aws/inspector"
