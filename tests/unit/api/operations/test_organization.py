"""An organization: its administrator, its members, and what each may do, as Terraform and enablement scripts use it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from tests.unit.api.operations.callers import ADMIN, MANAGEMENT, NOW, ONE, REGION, STRANGER, TWO, calling

from openinspector.api.operations import configuration, deep_inspection, enablement, members, organization
from openinspector.errors import StoreError
from openinspector.store import organizations

ORGANIZATION = "o-exampleorgid"
AUTO = ("ec2", "ecr", "lambda", "lambdaCode", "codeRepository", "ami")
OFF = dict.fromkeys(AUTO, False)
SMALLEST = {"ec2": False, "ecr": False}


def register(callers, statuses):
    with callers.database.system() as connection:
        organizations.register_organization(connection, ORGANIZATION, MANAGEMENT, statuses, callers.clock.now)


@pytest.fixture(scope="module")
def service(postgres, template):
    modules = (configuration, deep_inspection, enablement, members, organization)
    with calling(postgres, template, *(module.OPERATIONS for module in modules)) as made:
        yield made


@pytest.fixture
def callers(service):
    """An organization without an administrator."""
    service.forget()
    register(service, {ADMIN: "ACTIVE", ONE: "ACTIVE", TWO: "ACTIVE"})
    return service


@pytest.fixture
def governed(callers):
    """The same with an administrator, whose member is ONE."""
    callers[MANAGEMENT].enable_delegated_admin_account(delegatedAdminAccountId=ADMIN)
    callers[ADMIN].associate_member(accountId=ONE)
    return callers


def status_of(client, account):
    (told,) = client.batch_get_account_status(accountIds=[account])["accounts"]
    return told["state"]["status"]


def relations(client, **asked):
    return {each["accountId"]: each["relationshipStatus"] for each in client.list_members(**asked)["members"]}


def test_the_management_account_appoints_an_administrator(callers):
    client = callers[MANAGEMENT]
    assert client.list_delegated_admin_accounts()["delegatedAdminAccounts"] == []
    answer = client.enable_delegated_admin_account(delegatedAdminAccountId=ADMIN)
    assert answer["delegatedAdminAccountId"] == ADMIN
    assert client.list_delegated_admin_accounts()["delegatedAdminAccounts"] == [
        {"accountId": ADMIN, "status": "ENABLED"}
    ]
    (told,) = callers[ADMIN].batch_get_account_status()["accounts"]
    assert {state["status"] for state in told["resourceState"].values()} == {"ENABLED"}


def test_appointing_twice_says_already_enabled(governed):
    client = governed[MANAGEMENT]
    with pytest.raises(client.exceptions.ConflictException, match="already enabled"):
        client.enable_delegated_admin_account(delegatedAdminAccountId=ADMIN)
    with pytest.raises(client.exceptions.ConflictException) as caught:
        client.enable_delegated_admin_account(delegatedAdminAccountId=ONE)
    assert "already enabled" not in str(caught.value)


def test_the_administrator_is_told_that_it_is_one(governed):
    client = governed[ADMIN]
    with pytest.raises(client.exceptions.ValidationException, match="is the delegated admin"):
        client.list_delegated_admin_accounts()
    with pytest.raises(client.exceptions.ValidationException, match=r"Invoking account is the delegated admin\."):
        client.get_delegated_admin_account()


def test_others_are_told_who_administers_them(governed):
    for account, relation in ((ONE, "ENABLED"), (TWO, "CREATED"), (MANAGEMENT, "CREATED")):
        assert governed[account].get_delegated_admin_account()["delegatedAdmin"] == {
            "accountId": ADMIN,
            "relationshipStatus": relation,
        }
    with pytest.raises(governed[STRANGER].exceptions.ResourceNotFoundException):
        governed[STRANGER].get_delegated_admin_account()


def test_the_management_account_may_administer_itself(callers):
    client = callers[MANAGEMENT]
    client.enable_delegated_admin_account(delegatedAdminAccountId=MANAGEMENT)
    client.associate_member(accountId=ONE)
    assert relations(client) == {ONE: "ENABLED"}
    client.disable_delegated_admin_account(delegatedAdminAccountId=MANAGEMENT)
    assert client.list_delegated_admin_accounts()["delegatedAdminAccounts"] == []


@pytest.mark.parametrize("account", [ADMIN, ONE, STRANGER])
def test_nobody_else_appoints_or_dismisses(callers, account):
    client = callers[account]
    for asked in (client.enable_delegated_admin_account, client.disable_delegated_admin_account):
        with pytest.raises(client.exceptions.AccessDeniedException):
            asked(delegatedAdminAccountId=ADMIN)
    with pytest.raises(client.exceptions.AccessDeniedException):
        client.list_delegated_admin_accounts()


def test_only_an_account_of_the_organization_is_appointed(callers):
    client = callers[MANAGEMENT]
    with pytest.raises(client.exceptions.ValidationException, match="no active account"):
        client.enable_delegated_admin_account(delegatedAdminAccountId=STRANGER)


def test_members_of_a_dismissed_administrator_stand_alone_and_go_on(governed):
    governed[ADMIN].enable(accountIds=[ONE], resourceTypes=["EC2"])
    governed[ADMIN].update_org_ec2_deep_inspection_configuration(orgPackagePaths=["/opt/app"])
    client = governed[MANAGEMENT]
    client.disable_delegated_admin_account(delegatedAdminAccountId=ADMIN)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.disable_delegated_admin_account(delegatedAdminAccountId=ADMIN)
    assert status_of(governed[ONE], ONE) == "ENABLED"
    assert governed[ONE].get_ec2_deep_inspection_configuration()["orgPackagePaths"] == []
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        governed[ONE].get_delegated_admin_account()
    with pytest.raises(client.exceptions.AccessDeniedException):
        governed[ADMIN].list_members()
    assert governed[ONE].disable()["failedAccounts"] == []


def test_what_is_left_out_of_auto_enable_is_off(governed):
    client = governed[ADMIN]
    assert client.describe_organization_configuration()["autoEnable"] == OFF
    client.update_organization_configuration(autoEnable=dict.fromkeys(AUTO, True))
    answer = client.update_organization_configuration(autoEnable={"ec2": True, "ecr": False, "lambda": True})
    assert answer["autoEnable"] == {**OFF, "ec2": True, "lambda": True}
    told = client.describe_organization_configuration()
    assert (told["autoEnable"], told["maxAccountLimitReached"]) == (answer["autoEnable"], False)
    with pytest.raises(client.exceptions.ValidationException):
        client.update_organization_configuration(autoEnable={"ec2": True})
    with pytest.raises(client.exceptions.ValidationException, match="needs LAMBDA"):
        client.update_organization_configuration(autoEnable={**SMALLEST, "lambdaCode": True})


def test_new_members_get_what_is_switched_on_for_them(governed):
    client = governed[ADMIN]
    client.update_organization_configuration(autoEnable={"ec2": True, "ecr": False})
    assert status_of(governed[ONE], ONE) == "DISABLED"  # it was there before
    client.associate_member(accountId=TWO)
    (told,) = client.batch_get_account_status(accountIds=[TWO])["accounts"]
    assert told["resourceState"]["ec2"]["status"] == "ENABLED"
    assert told["resourceState"]["ecr"]["status"] == "DISABLED"


def test_a_membership_begins_and_ends_in_words_that_terraform_knows(governed):
    client = governed[ADMIN]

    def relation():
        return client.get_member(accountId=TWO)["member"]["relationshipStatus"]

    assert relation() == "CREATED"
    with pytest.raises(client.exceptions.ValidationException, match="is not yet associated to it"):
        client.disassociate_member(accountId=TWO)
    for _ in range(2):
        assert client.associate_member(accountId=TWO)["accountId"] == TWO
        assert relation() == "ENABLED"
    governed.clock.wait(hours=1)
    client.disassociate_member(accountId=TWO)
    assert client.get_member(accountId=TWO)["member"] == {
        "accountId": TWO,
        "relationshipStatus": "REMOVED",
        "delegatedAdminAccountId": ADMIN,
        "updatedAt": governed.clock.now,
    }
    for account in (ADMIN, STRANGER):
        with pytest.raises(client.exceptions.ValidationException, match="is not yet associated to it"):
            client.disassociate_member(accountId=account)
        with pytest.raises(client.exceptions.ValidationException):
            client.associate_member(accountId=account)


def test_an_account_that_nobody_knows_is_no_member(governed):
    text = "Invoking account does not have access to get member account"
    with pytest.raises(governed[ADMIN].exceptions.ResourceNotFoundException, match=text):
        governed[ADMIN].get_member(accountId=STRANGER)
    with pytest.raises(governed[ONE].exceptions.AccessDeniedException, match=text):
        governed[ONE].get_member(accountId=ONE)


def test_members_are_listed_in_pages(governed):
    client = governed[ADMIN]
    assert relations(client) == {ONE: "ENABLED"}
    assert relations(client, onlyAssociated=False) == {MANAGEMENT: "CREATED", ONE: "ENABLED", TWO: "CREATED"}
    pages = client.get_paginator("list_members").paginate(onlyAssociated=False, PaginationConfig={"PageSize": 2})
    assert [[each["accountId"] for each in page["members"]] for page in pages] == [[MANAGEMENT, ONE], [TWO]]


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("associate_member", {"accountId": TWO}),
        ("disassociate_member", {"accountId": ONE}),
        ("get_member", {"accountId": ONE}),
        ("list_members", {}),
        ("describe_organization_configuration", {}),
        ("update_organization_configuration", {"autoEnable": SMALLEST}),
        ("update_org_ec2_deep_inspection_configuration", {"orgPackagePaths": []}),
        ("batch_get_member_ec2_deep_inspection_status", {}),
        (
            "batch_update_member_ec2_deep_inspection_status",
            {"accountIds": [{"accountId": ONE, "activateDeepInspection": False}]},
        ),
    ],
)
def test_only_the_administrator_administers(governed, operation, asked):
    for account in (MANAGEMENT, ONE, TWO, STRANGER):
        with pytest.raises(governed[account].exceptions.AccessDeniedException):
            getattr(governed[account], operation)(**asked)
    assert relations(governed[ADMIN]) == {ONE: "ENABLED"}


def test_the_administrator_switches_for_its_members_and_for_nobody_else(governed):
    client = governed[ADMIN]
    answer = client.enable(accountIds=[ONE, TWO, STRANGER], resourceTypes=["ECR"])
    assert [each["accountId"] for each in answer["accounts"]] == [ONE]
    assert {each["accountId"]: each["errorCode"] for each in answer["failedAccounts"]} == {
        TWO: "ACCESS_DENIED",
        STRANGER: "ACCESS_DENIED",
    }
    assert status_of(governed[ONE], ONE) == "ENABLED"
    assert status_of(governed[TWO], TWO) == "DISABLED"
    client.disable(accountIds=[ONE])
    assert status_of(governed[ONE], ONE) == "DISABLED"


def test_a_call_that_failed_for_an_account_may_be_repeated_with_its_token(governed):
    client = governed[ADMIN]
    asked = {"accountIds": [TWO], "resourceTypes": ["ECR"], "clientToken": "token"}
    assert client.enable(**asked)["failedAccounts"]
    client.associate_member(accountId=TWO)
    assert client.enable(**asked)["failedAccounts"] == []
    assert status_of(governed[TWO], TWO) == "ENABLED"


def test_a_repeated_appointment_is_no_conflict(callers):
    for _ in range(2):
        callers[MANAGEMENT].enable_delegated_admin_account(delegatedAdminAccountId=ADMIN, clientToken="token")


def test_lambda_code_for_many_needs_lambda_in_each(governed):
    client = governed[ADMIN]
    with pytest.raises(client.exceptions.ValidationException, match=ONE):
        client.enable(accountIds=[ADMIN, ONE], resourceTypes=["LAMBDA_CODE"])


def test_a_member_switches_on_but_not_off(governed):
    client = governed[ONE]
    client.enable(resourceTypes=["EC2"])
    (failed,) = client.disable()["failedAccounts"]
    assert (failed["accountId"], failed["errorCode"], failed["status"]) == (ONE, "ACCESS_DENIED", "ENABLED")
    assert status_of(client, ONE) == "ENABLED"
    rows = client.list_account_permissions()["permissions"]
    assert {each["operation"] for each in rows} == {"ENABLE_SCANNING", "ENABLE_REPOSITORY"}


def test_an_administrator_with_members_stays_on(governed):
    client = governed[ADMIN]
    (failed,) = client.disable()["failedAccounts"]
    assert (failed["accountId"], failed["errorCode"]) == (ADMIN, "DISASSOCIATE_ALL_MEMBERS")
    assert client.disable(resourceTypes=["EC2"])["failedAccounts"] == []
    client.disassociate_member(accountId=ONE)
    assert client.disable()["failedAccounts"] == []


def test_settings_go_to_all_members_but_those_with_their_own(governed):
    client = governed[ADMIN]
    client.associate_member(accountId=TWO)

    def durations():
        told = (governed[each].get_configuration()["ecrConfiguration"] for each in (ADMIN, ONE, TWO))
        return [each["rescanDurationState"]["rescanDuration"] for each in told]

    client.update_configuration(ecrConfiguration={"rescanDuration": "DAYS_60"})
    assert durations() == ["DAYS_60"] * 3
    client.update_configuration(accountId=TWO, ecrConfiguration={"rescanDuration": "DAYS_7"})
    client.update_configuration(ecrConfiguration={"rescanDuration": "DAYS_90"})
    assert durations() == ["DAYS_90", "DAYS_90", "DAYS_7"]
    assert client.get_configuration(accountId=TWO)["ecrConfiguration"]["rescanDurationState"]["rescanDuration"] == (
        "DAYS_7"
    )
    client.update_configuration(
        accountId=TWO, updateConfigurationInheritance={"ecrConfiguration": "INHERIT_FROM_ADMIN"}
    )
    assert durations() == ["DAYS_90"] * 3
    client.update_configuration(ecrConfiguration={"rescanDuration": "DAYS_3"})
    assert durations() == ["DAYS_3"] * 3


def test_a_member_reads_its_settings_and_does_not_change_them(governed):
    with pytest.raises(governed[ONE].exceptions.AccessDeniedException):
        governed[ONE].update_configuration(ecrConfiguration={"rescanDuration": "DAYS_7"})
    with pytest.raises(ClientError, match="does not have access"):
        governed[ONE].get_configuration(accountId=ADMIN)
    with pytest.raises(ClientError, match="does not have access"):
        governed[ADMIN].get_configuration(accountId=TWO)


def test_an_account_that_joins_gets_its_administrators_settings(governed):
    client = governed[ADMIN]
    client.update_configuration(ec2Configuration={"scanMode": "EC2_SSM_AGENT_BASED"})
    client.update_org_ec2_deep_inspection_configuration(orgPackagePaths=["/opt/app"])
    client.associate_member(accountId=TWO)
    told = governed[TWO].get_configuration()["ec2Configuration"]["scanModeState"]
    assert told["scanMode"] == "EC2_SSM_AGENT_BASED"
    assert governed[TWO].get_ec2_deep_inspection_configuration()["orgPackagePaths"] == ["/opt/app"]
    client.disassociate_member(accountId=TWO)
    assert governed[TWO].get_ec2_deep_inspection_configuration()["orgPackagePaths"] == []


def test_deep_inspection_follows_the_scanning_of_instances(callers):
    client = callers[TWO]
    assert client.get_ec2_deep_inspection_configuration()["status"] == "DEACTIVATED"
    client.enable(resourceTypes=["EC2"])
    assert client.get_ec2_deep_inspection_configuration()["status"] == "ACTIVATED"
    told = client.update_ec2_deep_inspection_configuration(packagePaths=["/srv/app", "/srv/app", "C:\\app"])
    assert (told["packagePaths"], told["orgPackagePaths"], told["status"]) == (["/srv/app", "C:\\app"], [], "ACTIVATED")
    told = client.update_ec2_deep_inspection_configuration(activateDeepInspection=False)
    assert (told["packagePaths"], told["status"]) == (["/srv/app", "C:\\app"], "DEACTIVATED")
    assert client.update_ec2_deep_inspection_configuration(packagePaths=[])["packagePaths"] == []
    for paths in (["relative/path"], [f"/opt/{i}" for i in range(6)]):
        with pytest.raises(client.exceptions.ValidationException):
            client.update_ec2_deep_inspection_configuration(packagePaths=paths)


def test_the_administrator_switches_deep_inspection_of_members(governed):
    client = governed[ADMIN]
    wanted = [{"accountId": each, "activateDeepInspection": False} for each in (ONE, TWO)]
    failed = client.batch_update_member_ec2_deep_inspection_status(accountIds=wanted)["failedAccountIds"]
    assert {each["accountId"]: each.get("ec2ScanStatus") for each in failed} == {ONE: "DISABLED", TWO: None}
    client.enable(accountIds=[ONE], resourceTypes=["EC2"])
    assert client.batch_get_member_ec2_deep_inspection_status()["accountIds"] == [
        {"accountId": ONE, "status": "ACTIVATED"}
    ]
    answer = client.batch_update_member_ec2_deep_inspection_status(accountIds=wanted)
    assert answer["accountIds"] == [{"accountId": ONE, "status": "DEACTIVATED"}]
    (failed,) = client.batch_get_member_ec2_deep_inspection_status(accountIds=[TWO])["failedAccountIds"]
    assert "Invoking account does not have access to this account" in failed["errorMessage"]
    with pytest.raises(governed[ONE].exceptions.AccessDeniedException):
        governed[ONE].update_ec2_deep_inspection_configuration(activateDeepInspection=False)


def test_an_organization_that_changes_brings_its_members_up_to_date(governed):
    client = governed[ADMIN]
    client.update_organization_configuration(autoEnable={"ec2": True, "ecr": False})
    client.update_configuration(accountId=ONE, ecrConfiguration={"rescanDuration": "DAYS_7"})
    new = "500000000005"
    register(governed, {ADMIN: "ACTIVE", ONE: "SUSPENDED", new: "ACTIVE"})
    assert relations(client, onlyAssociated=False) == {
        MANAGEMENT: "CREATED",
        ONE: "ACCOUNT_SUSPENDED",
        TWO: "DELETED",
        new: "ENABLED",
    }
    assert status_of(governed[new], new) == "ENABLED"
    register(governed, {ADMIN: "ACTIVE", ONE: "ACTIVE", TWO: "ACTIVE", new: "ACTIVE"})
    assert relations(client, onlyAssociated=False) == {
        MANAGEMENT: "CREATED",
        ONE: "ENABLED",
        TWO: "CREATED",
        new: "ENABLED",
    }
    client.update_configuration(ecrConfiguration={"rescanDuration": "DAYS_60"})
    told = governed[ONE].get_configuration()["ecrConfiguration"]["rescanDurationState"]
    assert told["rescanDuration"] == "DAYS_7"  # its own, over the suspension


def test_a_suspended_account_is_on_but_not_scanned(governed):
    governed[ONE].enable(resourceTypes=["EC2"])
    register(governed, {ADMIN: "ACTIVE", ONE: "SUSPENDED"})
    assert status_of(governed[ONE], ONE) == "SUSPENDED"
    register(governed, {ADMIN: "ACTIVE", ONE: "ACTIVE"})
    assert status_of(governed[ONE], ONE) == "ENABLED"


def test_a_member_that_leaves_the_organization_is_one_no_longer(governed):
    register(governed, {ADMIN: "ACTIVE", TWO: "ACTIVE"})
    assert relations(governed[ADMIN]) == {}
    client = governed[ADMIN]
    assert [each["accountId"] for each in client.enable(accountIds=[ONE], resourceTypes=["EC2"])["failedAccounts"]] == [
        ONE
    ]
    with pytest.raises(client.exceptions.ValidationException):
        client.associate_member(accountId=ONE)


def test_an_organization_that_is_registered_again_is_the_same(governed):
    with governed.database.system() as connection:
        before = organizations.read_organization(connection, MANAGEMENT)
    register(governed, {ADMIN: "ACTIVE", ONE: "ACTIVE", TWO: "ACTIVE"})
    with governed.database.system() as connection:
        after = organizations.read_organization(connection, MANAGEMENT)
    assert before == after
    assert after.admins == {REGION: ADMIN}
    (one,) = governed[ADMIN].list_members()["members"]
    assert one["updatedAt"] == NOW


def test_an_administrator_that_leaves_the_organization_is_none(governed):
    register(governed, {ONE: "ACTIVE", TWO: "ACTIVE"})
    assert governed[MANAGEMENT].list_delegated_admin_accounts()["delegatedAdminAccounts"] == []
    with pytest.raises(governed[ADMIN].exceptions.AccessDeniedException):
        governed[ADMIN].enable_delegated_admin_account(delegatedAdminAccountId=ADMIN)
    governed[MANAGEMENT].enable_delegated_admin_account(delegatedAdminAccountId=TWO)
    assert relations(governed[TWO], onlyAssociated=False) == {MANAGEMENT: "CREATED", ONE: "CREATED"}


@pytest.mark.parametrize(
    ("organization_id", "management", "statuses", "message"),
    [
        ("example", STRANGER, {}, "no id of an organization"),
        ("o-otherorgid00", "12345", {}, "no id of an account"),
        ("o-otherorgid00", STRANGER, {f"{ONE},{TWO}": "ACTIVE"}, "no id of an account"),
        ("o-otherorgid00", MANAGEMENT, {}, "is the management account of o-exampleorgid already"),
    ],
)
def test_an_organization_that_makes_no_sense_is_not_registered(callers, organization_id, management, statuses, message):
    with pytest.raises(StoreError, match=message), callers.database.system() as connection:
        organizations.register_organization(connection, organization_id, management, statuses, NOW)


def test_changes_at_once_happen_one_after_the_other(governed):
    client = governed[ADMIN]

    def change(number):
        try:
            match number % 4:
                case 0:
                    client.enable(accountIds=[ONE, ADMIN], resourceTypes=["LAMBDA"])
                case 1:
                    client.disable(accountIds=[ADMIN, ONE], resourceTypes=["LAMBDA"])
                case 2:
                    client.update_configuration(ecrConfiguration={"rescanDuration": "DAYS_7"})
                case _:
                    client.associate_member(accountId=TWO)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return ""

    with ThreadPoolExecutor(8) as pool:
        codes = set(pool.map(change, range(24)))
    assert codes <= {"", "ThrottlingException"}  # which a client tries again
    client.update_configuration(ecrConfiguration={"rescanDuration": "DAYS_3"})
    told = governed[TWO].get_configuration()["ecrConfiguration"]["rescanDurationState"]
    assert told["rescanDuration"] == "DAYS_3"


def test_ten_thousand_members_are_the_most(governed, monkeypatch):
    monkeypatch.setattr(members, "MOST_MEMBERS", 1)
    monkeypatch.setattr(organization, "MOST_MEMBERS", 1)
    client = governed[ADMIN]
    assert client.describe_organization_configuration()["maxAccountLimitReached"] is True
    with pytest.raises(client.exceptions.ServiceQuotaExceededException):
        client.associate_member(accountId=TWO)
