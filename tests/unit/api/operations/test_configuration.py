"""How it is scanned: GetConfiguration and UpdateConfiguration, of one account."""

import pytest
from botocore.exceptions import ClientError
from tests.unit.api.operations.callers import NOW, ONE, STRANGER, calling

from openinspector.api.operations.configuration import OPERATIONS


@pytest.fixture(scope="module")
def service(postgres, template):
    with calling(postgres, template, OPERATIONS) as made:
        yield made


@pytest.fixture
def callers(service):
    service.forget()
    return service


@pytest.fixture
def client(callers):
    return callers[ONE]


def ecr_of(client):
    return client.get_configuration()["ecrConfiguration"]["rescanDurationState"]


def ami_of(client):
    return client.get_configuration()["amiConfiguration"]


def test_the_defaults_are_those_of_a_new_account(client):
    told = client.get_configuration()
    assert told["ecrConfiguration"]["rescanDurationState"] == {
        "rescanDuration": "DAYS_14",
        "pullDateRescanDuration": "DAYS_14",
        "pullDateRescanMode": "LAST_IN_USE_AT",
        "status": "SUCCESS",
    }
    assert told["ec2Configuration"] == {
        "scanModeState": {"scanMode": "EC2_HYBRID", "scanModeStatus": "SUCCESS"},
        "vmScannerState": {"activated": False, "status": "SUCCESS"},
    }
    assert told["amiConfiguration"]["scanModeConfiguration"] == {
        "scanMode": "SCAN_ALL",
        "excludeCopiedAmis": False,
        "excludeBackupDlmAmis": False,
    }


def test_what_is_set_comes_back_and_the_rest_stays(callers, client):
    client.update_configuration(ecrConfiguration={"rescanDuration": "LIFETIME", "pullDateRescanDuration": "DAYS_3"})
    callers.clock.wait(hours=1)
    client.update_configuration(ec2Configuration={"scanMode": "EC2_SSM_AGENT_BASED"})
    assert ecr_of(client) == {
        "rescanDuration": "LIFETIME",
        "pullDateRescanDuration": "DAYS_3",
        "pullDateRescanMode": "LAST_IN_USE_AT",
        "status": "SUCCESS",
        "updatedAt": NOW,
    }
    assert client.get_configuration()["ec2Configuration"]["scanModeState"]["scanMode"] == "EC2_SSM_AGENT_BASED"
    client.update_configuration(ecrConfiguration={"rescanDuration": "DAYS_30"})
    assert ecr_of(client)["pullDateRescanDuration"] == "DAYS_3"
    assert ecr_of(client)["updatedAt"] == callers.clock.now


def test_setting_what_is_set_already_changes_no_time(callers, client):
    for _ in range(2):
        client.update_configuration(
            ecrConfiguration={"rescanDuration": "DAYS_30"},
            amiConfiguration={"createdWithin": "DAYS_7", "scanModeConfiguration": {"scanMode": "SCAN_ALL"}},
        )
        callers.clock.wait(days=1)
    assert ecr_of(client)["updatedAt"] == NOW
    assert ami_of(client)["updatedAt"] == NOW


def test_the_scanner_knows_since_when_it_is_on(callers, client):
    def scanner():
        return client.get_configuration()["ec2Configuration"]["vmScannerState"]

    client.update_configuration(ec2Configuration={"scanMode": "EC2_HYBRID", "activateVMScanner": True})
    callers.clock.wait(days=1)
    client.update_configuration(ec2Configuration={"scanMode": "EC2_HYBRID"})
    assert scanner() == {"activated": True, "activatedAt": NOW, "status": "SUCCESS"}
    client.update_configuration(ec2Configuration={"scanMode": "EC2_HYBRID", "activateVMScanner": False})
    assert scanner() == {"activated": False, "status": "SUCCESS"}


def test_machine_images_keep_what_a_change_leaves_out(client):
    mode = {"scanMode": "TARGET_SCANNING", "tags": [{"key": "scan", "value": "yes"}], "excludeCopiedAmis": True}
    client.update_configuration(amiConfiguration={"lastLaunchedWithin": "DAYS_30", "scanModeConfiguration": mode})
    client.update_configuration(
        amiConfiguration={"createdWithin": "DAYS_180", "scanModeConfiguration": {"scanMode": "TARGET_SCANNING"}}
    )
    told = ami_of(client)
    assert (told["createdWithin"], told["lastLaunchedWithin"]) == ("DAYS_180", "DAYS_30")
    assert told["scanModeConfiguration"] == {**mode, "excludeBackupDlmAmis": False}


def test_a_tag_may_be_without_a_value(client):
    client.update_configuration(
        amiConfiguration={"scanModeConfiguration": {"scanMode": "TARGET_SCANNING", "tags": [{"key": "scan"}]}}
    )
    assert ami_of(client)["scanModeConfiguration"]["tags"] == [{"key": "scan"}]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"ecrConfiguration": {"rescanDuration": "DAYS_15"}},
        {"ecrConfiguration": {"rescanDuration": "DAYS_3", "pullDateRescanDuration": "LIFETIME"}},
        {"ecrConfiguration": {"pullDateRescanDuration": "DAYS_3"}},
        {"ec2Configuration": {"scanMode": "AGENTLESS"}},
        {"amiConfiguration": {"scanModeConfiguration": {"scanMode": "TARGET_SCANNING"}}},
        {"amiConfiguration": {"scanModeConfiguration": {"scanMode": "TARGET_SCANNING", "tags": []}}},
        {"amiConfiguration": {"scanModeConfiguration": {"scanMode": "SCAN_ALL", "tags": [{"key": "a"}] * 2}}},
        {"updateConfigurationInheritance": {"ecrConfiguration": "INHERIT_FROM_ADMIN"}},
        {
            "accountId": ONE,
            "updateConfigurationInheritance": {"ecrConfiguration": "INHERIT_FROM_ADMIN"},
            "ec2Configuration": {"scanMode": "EC2_HYBRID"},
        },
    ],
)
def test_what_makes_no_sense_changes_nothing(client, asked):
    before = client.get_configuration()
    with pytest.raises(client.exceptions.ValidationException):
        client.update_configuration(**asked)
    assert _told(client.get_configuration()) == _told(before)


@pytest.mark.parametrize("operation", ["get_configuration", "update_configuration"])
def test_a_stranger_has_no_access(callers, operation):
    asked = {"accountId": STRANGER}
    if operation == "update_configuration":
        asked["ecrConfiguration"] = {"rescanDuration": "DAYS_3"}
    with pytest.raises(ClientError, match="does not have access to this account") as caught:
        getattr(callers[ONE], operation)(**asked)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    assert ecr_of(callers[STRANGER])["rescanDuration"] == "DAYS_14"


def _told(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
