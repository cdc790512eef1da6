"""What is scanned: Enable, Disable, BatchGetAccountStatus, ListAccountPermissions, as Terraform uses them."""

import pytest
from botocore.exceptions import ClientError
from tests.unit.api.operations.callers import ONE, STRANGER, calling

from openinspector.api.operations.enablement import OPERATIONS

ALL = ["EC2", "ECR", "LAMBDA", "LAMBDA_CODE", "CODE_REPOSITORY"]
ALL_OFF = dict.fromkeys(("ec2", "ecr", "lambda", "lambdaCode", "codeRepository", "ami"), "DISABLED")


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


def status_of(client, account=ONE):
    """The state of an account, and of each of its parts."""
    (told,) = client.batch_get_account_status(accountIds=[account])["accounts"]
    return told["state"]["status"], {name: state["status"] for name, state in told["resourceState"].items()}


@pytest.mark.parametrize("asked", [{}, {"accountIds": []}, {"accountIds": [ONE, ONE]}])
def test_an_account_that_never_enabled_anything_is_disabled_and_never_left_out(client, asked):
    answer = client.batch_get_account_status(**asked)
    assert [each["accountId"] for each in answer["accounts"]] == [ONE]
    assert answer["failedAccounts"] == []
    assert status_of(client) == ("DISABLED", ALL_OFF)


def test_a_strangers_account_is_a_failure_not_an_answer(client):
    answer = client.batch_get_account_status(accountIds=[STRANGER, ONE])
    assert [each["accountId"] for each in answer["accounts"]] == [ONE]
    (failed,) = answer["failedAccounts"]
    assert (failed["accountId"], failed["errorCode"]) == (STRANGER, "ACCESS_DENIED")
    assert "does not have access to this account" in failed["errorMessage"]
    assert "status" not in failed


def test_what_is_enabled_is_on_at_once(client):
    (told,) = client.enable(resourceTypes=["EC2", "ECR"])["accounts"]
    assert told == {
        "accountId": ONE,
        "status": "ENABLED",
        "resourceStatus": {**ALL_OFF, "ec2": "ENABLED", "ecr": "ENABLED"},
    }
    assert status_of(client) == ("ENABLED", {**ALL_OFF, "ec2": "ENABLED", "ecr": "ENABLED"})


def test_enabling_again_is_no_failure(client):
    client.enable(resourceTypes=["EC2"])
    answer = client.enable(resourceTypes=["EC2", "LAMBDA"])
    assert answer["failedAccounts"] == []
    assert status_of(client)[1]["lambda"] == "ENABLED"


def test_machine_images_are_enabled_by_the_name_of_the_guide(client):
    client.enable(resourceTypes=["MACHINE_IMAGE"])
    assert status_of(client)[1]["ami"] == "ENABLED"


def test_one_region_says_nothing_of_another(callers, client):
    client.enable(resourceTypes=["EC2"])
    with callers.database.system() as connection:
        assert connection.exec_driver_sql("SELECT DISTINCT region FROM account_scan_type").scalars().all() == [
            "us-east-1"
        ]


def test_lambda_code_needs_lambda(client):
    with pytest.raises(client.exceptions.ValidationException, match="LAMBDA_CODE needs LAMBDA"):
        client.enable(resourceTypes=["EC2", "LAMBDA_CODE"])
    assert status_of(client) == ("DISABLED", ALL_OFF)
    client.enable(resourceTypes=["LAMBDA", "LAMBDA_CODE"])
    client.disable(resourceTypes=["LAMBDA"])
    assert status_of(client) == ("DISABLED", ALL_OFF)
    client.enable(resourceTypes=["LAMBDA"])
    client.enable(resourceTypes=["LAMBDA_CODE"])
    assert status_of(client)[1]["lambdaCode"] == "ENABLED"


@pytest.mark.parametrize("asked", [{}, {"resourceTypes": []}, {"resourceTypes": [*ALL, "MACHINE_IMAGE"]}])
def test_all_off_is_off_whatever_was_on(client, asked):
    client.enable(resourceTypes=["EC2", "ECR"])
    for _ in range(2):  # what is off already is no error
        answer = client.disable(**asked)
        assert answer["failedAccounts"] == []
        assert answer["accounts"] == [{"accountId": ONE, "status": "DISABLED", "resourceStatus": ALL_OFF}]
    assert status_of(client) == ("DISABLED", ALL_OFF)


def test_disabling_one_kind_leaves_the_others(client):
    client.enable(resourceTypes=["EC2", "ECR"])
    client.disable(resourceTypes=["ECR", "CODE_REPOSITORY"])
    assert status_of(client) == ("ENABLED", {**ALL_OFF, "ec2": "ENABLED"})


def test_a_stranger_can_be_neither_enabled_nor_disabled(callers):
    callers[STRANGER].enable(resourceTypes=["EC2"])
    for answer in (
        callers[ONE].enable(accountIds=[STRANGER], resourceTypes=["ECR"]),
        callers[ONE].disable(accountIds=[STRANGER]),
    ):
        assert answer["accounts"] == []
        assert [each["errorCode"] for each in answer["failedAccounts"]] == ["ACCESS_DENIED"]
    assert status_of(callers[STRANGER], STRANGER) == ("ENABLED", {**ALL_OFF, "ec2": "ENABLED"})


def test_a_free_trial_is_had_once(callers, client):
    client.enable(resourceTypes=["EC2"])
    trials = "SELECT trial_start, trial_end FROM account_scan_type WHERE scan_type = 'EC2'"
    with callers.database.system() as connection:
        first = connection.exec_driver_sql(trials).one()
    client.disable()
    callers.clock.wait(days=40)
    client.enable(resourceTypes=["EC2"])
    with callers.database.system() as connection:
        assert connection.exec_driver_sql(trials).one() == first
    assert (first.trial_end - first.trial_start).days == 15


def test_a_repeated_call_does_nothing_a_second_time(client):
    first = client.enable(resourceTypes=["EC2"], clientToken="token")["accounts"]
    client.disable()
    assert client.enable(resourceTypes=["EC2"], clientToken="token")["accounts"] == first
    assert status_of(client) == ("DISABLED", ALL_OFF)
    with pytest.raises(client.exceptions.ValidationException, match="other parameters"):
        client.enable(resourceTypes=["ECR"], clientToken="token")
    client.enable(resourceTypes=["ECR"], clientToken="another")
    assert status_of(client)[0] == "ENABLED"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "resourceTypes"),
        ({"resourceTypes": []}, "resourceTypes"),
        ({"resourceTypes": ["RDS"]}, "resourceTypes.1.member"),
        ({"resourceTypes": ["EC2"], "accountIds": ["12"]}, "accountIds.1.member"),
        ({"resourceTypes": ["EC2"], "accountIds": [ONE] * 101}, "accountIds"),
    ],
)
def test_a_request_that_makes_no_sense_changes_nothing(client, asked, field):
    with pytest.raises(ClientError) as caught:
        client.enable(**asked)
    assert [each["name"] for each in caught.value.response["fields"]] == [field]
    assert status_of(client) == ("DISABLED", ALL_OFF)


def test_one_that_stands_alone_may_do_eight_things(client):
    rows = client.list_account_permissions()["permissions"]
    assert len(rows) == 8
    assert {each["operation"] for each in rows if each["service"] == "ECR"} == {
        "ENABLE_SCANNING",
        "DISABLE_SCANNING",
        "ENABLE_REPOSITORY",
        "DISABLE_REPOSITORY",
    }
    assert len(client.list_account_permissions(service="EC2")["permissions"]) == 2


def test_permissions_come_in_pages(client):
    pages = client.get_paginator("list_account_permissions").paginate(PaginationConfig={"PageSize": 3})
    sizes = [len(page["permissions"]) for page in pages]
    assert sizes == [3, 3, 2]
