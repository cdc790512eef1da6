"""How findings are sorted."""

import botocore.session
import pytest

from openinspector.find.order import SORT_FIELDS, sort_key
from openinspector.model.finding import (
    SEVERITIES,
    Finding,
    Life,
    NetworkReachability,
    Observation,
    PackageVulnerability,
    Step,
)
from openinspector.model.resource import EcrImage, Resource

MOMENT = "2026-03-01T12:00:00.000000Z"
LATER = "2026-03-02T12:00:00.000000Z"


def resource(account="1", details=None, type_="AWS_EC2_INSTANCE"):
    return Resource(account=account, region="r", type=type_, id="i", details=details)


def image(**values):
    said = {"repository": "shop", "digest": "sha256:1", "registry": "1"} | values
    return resource(details=EcrImage(**said), type_="AWS_ECR_CONTAINER_IMAGE")


def flaw(arn="a", id_="CVE-1", source="NVD", vendor="", status="ACTIVE", first=MOMENT, last=MOMENT, **values):
    details = PackageVulnerability(id=id_, source=source, packages=(), vendor_severity=vendor)
    said = {"title": "", "description": "", "severity": "HIGH"} | values
    life = Life(status=status, first_observed_at=first, last_observed_at=last, updated_at=MOMENT)
    return Finding(arn=arn, observation=Observation(key=id_, details=details, **said), life=life)


def path(arn="a", protocol="TCP", kind="AWS::EC2::InternetGateway"):
    steps = (Step(component_id="x", component_type=kind), Step(component_id="y", component_type="A"))
    details = NetworkReachability(first_port=1, last_port=1, protocol=protocol, path=steps)
    observation = Observation(key="p", title="", description="", severity="LOW", details=details)
    return Finding(arn=arn, observation=observation, life=flaw().life)


def test_the_fields_are_the_models():
    model = botocore.session.get_session().get_service_model("inspector2")
    assert set(model.shape_for("SortField").enum) == SORT_FIELDS


# In ascending order; the first lacks the attribute where any can.
ORDERED = {
    "AWS_ACCOUNT_ID": [(resource("1"), flaw()), (resource("2"), flaw())],
    "FINDING_TYPE": [(resource(), path()), (resource(), flaw())],
    "SEVERITY": [(resource(), flaw(severity=each)) for each in SEVERITIES],
    "FIRST_OBSERVED_AT": [(resource(), flaw(first=MOMENT)), (resource(), flaw(first=LATER))],
    "LAST_OBSERVED_AT": [(resource(), flaw(last=MOMENT)), (resource(), flaw(last=LATER))],
    "FINDING_STATUS": [(resource(), flaw(status=each)) for each in ("ACTIVE", "CLOSED", "SUPPRESSED")],
    "RESOURCE_TYPE": [(resource(), flaw()), (image(), flaw())],
    "ECR_IMAGE_PUSHED_AT": [
        (image(), flaw()),
        (image(pushed_at="2026-03-01T00:00:00Z"), flaw()),
        (image(pushed_at="2026-03-01T00:00:00.5Z"), flaw()),
    ],
    "ECR_IMAGE_REPOSITORY_NAME": [(resource(), flaw()), (image(repository="Z"), flaw()), (image(), flaw())],
    "ECR_IMAGE_REGISTRY": [(resource(), flaw()), (image(), flaw()), (image(registry="2"), flaw())],
    "NETWORK_PROTOCOL": [(resource(), flaw()), (resource(), path()), (resource(), path(protocol="UDP"))],
    "COMPONENT_TYPE": [(resource(), flaw()), (resource(), path(kind="AWS::A")), (resource(), path())],
    "VULNERABILITY_ID": [(resource(), path()), (resource(), flaw()), (resource(), flaw(id_="CVE-2"))],
    "VULNERABILITY_SOURCE": [(resource(), path()), (resource(), flaw(source="GITHUB")), (resource(), flaw())],
    "INSPECTOR_SCORE": [(resource(), flaw(score=each)) for each in (None, 0.0, 9.8, 10.0)],
    "VENDOR_SEVERITY": [(resource(), flaw(vendor=each)) for each in ("", "HIGH", "high")],
    "EPSS_SCORE": [(resource(), flaw(epss=each)) for each in (None, 0.0, 0.5)],
}


@pytest.mark.parametrize("field", sorted(SORT_FIELDS))
def test_findings_are_in_order_and_missing_is_least(field):
    key = sort_key(field)
    keys = [key(*each) for each in ORDERED[field]]
    assert len(set(keys)) == len(keys)
    assert sorted(keys) == keys


@pytest.mark.parametrize("field", sorted(SORT_FIELDS))
def test_equal_findings_are_ordered_by_their_arn(field):
    for make in (flaw, path):
        assert sort_key(field)(resource(), make(arn="a")) < sort_key(field)(resource(), make(arn="b"))
