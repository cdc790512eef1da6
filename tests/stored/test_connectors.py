"""Connectors to other clouds: kept, and shown as what they are."""

import pytest
from botocore.exceptions import ClientError
from tests.service.callers import START
from tests.stored.organization import ADMIN, MEMBER, REGION, STRANGER, found

CONFIG = f"arn:aws:config:{REGION}:{ADMIN}:connector/azure/one/1"
SCOPE = {"scopeType": "SUBSCRIPTION", "scopeValues": ["01234567-89ab-cdef-0123-456789abcdef"]}
AZURE = {"awsConfigConnectorArn": CONFIG, "scopeConfiguration": {"vmScanning": SCOPE}, "azureRegions": ["westeurope"]}
GIVEN = {"name": "azure", "provider": "AZURE", "providerDetail": {"azure": AZURE}}
GCP = {
    "awsConfigConnectorArn": CONFIG,
    "scopeConfiguration": {"vmScanning": {"scopeType": "PROJECT", "scopeValues": ["my-project"]}},
    "gcpRegions": ["ALL"],
}


def refused(call, **given):
    with pytest.raises(ClientError) as caught:
        call(**given)
    return caught.value.response["Error"]["Code"]


def test_a_connector_is_given_back_as_it_was_made_and_waits(client):
    ours = client(ADMIN)
    arn = ours.create_connector(**GIVEN, description="", tags={"a": "b"})["connectorArn"]
    (listed,) = ours.list_connectors()["items"]
    reason = listed.pop("enablementStatusReason")
    scope = listed.pop("scopeConfiguration")["vmScanning"]
    assert listed == {
        "connectorArn": arn,
        "name": "azure",
        "description": "",
        "provider": "AZURE",
        "enablementStatus": "PENDING_ENABLEMENT",
        "createdAt": START,
        "updatedAt": START,
        "awsConfigConnectorArn": CONFIG,
        "azureRegions": ["westeurope"],
        "autoInstallVMScanner": True,
        "tags": {"a": "b"},
    }
    assert scope == {**SCOPE, "state": "PENDING", "stateReason": reason}


def test_a_repeated_token_makes_no_second_connector(client):
    ours = client(ADMIN)
    given = GIVEN | {"clientToken": "once"}
    arn = ours.create_connector(**given)["connectorArn"]
    assert ours.create_connector(**given)["connectorArn"] == arn
    assert refused(ours.create_connector, **given | {"name": "other"}) == "ValidationException"
    assert refused(ours.create_connector, **GIVEN) == "ConflictException"  # the name
    assert client(STRANGER).create_connector(**given)["connectorArn"] != arn
    assert len(ours.list_connectors()["items"]) == 1


def test_an_update_changes_what_it_names(client, clock):
    ours = client(ADMIN)
    arn = ours.create_connector(**GIVEN, description="old")["connectorArn"]
    clock.forward(hours=1)
    ours.update_connector(connectorArn=arn, providerDetail={"azure": {"autoInstallVMScanner": False}})
    ours.update_connector(connectorArn=arn, description="new")
    (listed,) = ours.list_connectors()["items"]
    assert (listed["description"], listed["autoInstallVMScanner"], listed["azureRegions"]) == (
        "new",
        False,
        ["westeurope"],
    )
    assert (listed["createdAt"], listed["updatedAt"]) == (START, clock.now)


@pytest.mark.parametrize(
    "wrong",
    [
        {"providerDetail": {"gcp": GCP}},
        {"provider": "GCP", "providerDetail": {"azure": AZURE}},
        {"providerDetail": {"azure": AZURE | {"scopeConfiguration": {"vmScanning": {"scopeType": "PROJECT"}}}}},
    ],
)
def test_details_are_the_providers(client, wrong):
    assert refused(client(ADMIN).create_connector, **GIVEN | wrong) == "ValidationException"


def test_a_connector_is_its_accounts_and_an_administrator_sees_its_members(client, database):
    found(database)
    arn = client(MEMBER).create_connector(**GIVEN, tags={"a": "b"})["connectorArn"]
    for who in (ADMIN, STRANGER):
        assert refused(client(who).update_connector, connectorArn=arn) == "ResourceNotFoundException"
        assert refused(client(who).delete_connector, connectorArn=arn) == "ResourceNotFoundException"
    (seen,) = client(ADMIN).list_connectors()["items"]
    assert (seen["connectorArn"], seen["tags"]) == (arn, {"a": "b"})
    assert client(STRANGER).list_connectors()["items"] == []
    client(MEMBER).delete_connector(connectorArn=arn)
    assert client(ADMIN).list_connectors()["items"] == []


def test_lists_are_filtered_and_go_on(client):
    ours = client(ADMIN)
    azure = ours.create_connector(**GIVEN)["connectorArn"]
    gcp = ours.create_connector(name="gcp", provider="GCP", providerDetail={"gcp": GCP})["connectorArn"]
    first = ours.list_connectors(maxResults=1)
    second = ours.list_connectors(maxResults=1, nextToken=first["nextToken"])
    assert {each["connectorArn"] for page in (first, second) for each in page["items"]} == {azure, gcp}
    assert "nextToken" not in second

    def arns(**criteria):
        filters = {name: [{"comparison": "EQUALS", "value": value}] for name, value in criteria.items()}
        return {each["connectorArn"] for each in ours.list_connectors(filterCriteria=filters)["items"]}

    assert arns(provider="GCP") == arns(connectorArns=gcp) == {gcp}
    assert arns(awsConfigConnectorArns=CONFIG, accounts=ADMIN, connectorType="CUSTOMER_MANAGED") == {azure, gcp}
    assert arns(accounts=STRANGER) == arns(connectorType="SERVICE_LINKED") == set()
    for size in (0, -1):
        assert refused(ours.list_connectors, maxResults=size) == "ValidationException"
    assert len(ours.list_connectors(maxResults=2**31 - 1)["items"]) == 2


def test_scan_configurations_are_of_what_the_accounts_connectors_use(client):
    ours = client(ADMIN)
    both = {
        ours.create_connector(**GIVEN)["connectorArn"],
        ours.create_connector(name="gcp", provider="GCP", providerDetail={"gcp": GCP})["connectorArn"],
    }

    def of(**durations):
        return {"awsConfigConnectorArn": CONFIG, "scanConfiguration": {"containerImageScanning": durations}}

    ours.update_connector_scan_configuration(**of(pushDuration="DAYS_30"))
    ours.update_connector_scan_configuration(**of(pullDuration="DAYS_7"))
    (listed,) = ours.list_connector_scan_configurations()["scanConfigurations"]
    assert set(listed.pop("connectorArns")) == both
    assert listed == of(pushDuration="DAYS_30", pullDuration="DAYS_7")
    wanted = ours.list_connector_scan_configurations(awsConfigConnectorArns=[CONFIG + "2"])
    assert wanted["scanConfigurations"] == []
    theirs = client(STRANGER)
    assert refused(theirs.update_connector_scan_configuration, **of()) == "ResourceNotFoundException"
    assert theirs.list_connector_scan_configurations()["scanConfigurations"] == []
