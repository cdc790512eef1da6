"""What the resources of Terraform's AWS provider do, call by call, as far as they are about Inspector.

Each class below does what a resource of the provider does when it is created, read, updated and deleted: the same calls
in the same order, the same waits, the same error texts that are taken for an answer. What is read after an apply must
be what was applied, or Terraform shows a difference for ever.

Source: documentation of the provider's resources aws_inspector2_enabler, _filter, _delegated_admin_account,
_member_association and _organization_configuration.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from tests.service.world import ADMIN, JOINER, MANAGER, MEMBER, OWNER, STRANGER, World, world_on

# Every type that the provider knows, and two that the SDK's model lacks or lacked.
ALL_TYPES = ["EC2", "ECR", "LAMBDA", "LAMBDA_CODE", "CODE_REPOSITORY", "MACHINE_IMAGE"]
KEYS = {
    "EC2": "ec2",
    "ECR": "ecr",
    "LAMBDA": "lambda",
    "LAMBDA_CODE": "lambdaCode",
    "CODE_REPOSITORY": "codeRepository",
}
MOVING = {"ENABLING", "DISABLING", "SUSPENDING"}
TRANSIENT = {
    "ACCESS_DENIED", "SSM_THROTTLED", "EVENTBRIDGE_THROTTLED", "ENABLE_IN_PROGRESS", "DISABLE_IN_PROGRESS",
    "SUSPEND_IN_PROGRESS",
}  # fmt: skip
MOST_POLLS = 20


@pytest.fixture(scope="module")
def world(postgres, tmp_path_factory):
    with world_on(postgres, "terraform", tmp_path_factory.mktemp("advisories")) as made:
        yield made


def wait(for_it: Callable[[], bool]) -> None:
    """Polls; the provider sleeps in between, and we needn't."""
    assert any(for_it() for _ in range(MOST_POLLS)), "Terraform would run into its timeout"


def error(code: str, text: str = ""):
    """Whether an exception is a modelled one whose message has a text in it, as the provider asks."""

    def matches(caught: ClientError) -> bool:
        told = caught.response["Error"]
        return told["Code"] == code and text in told["Message"]

    return matches


class Gone(Exception):
    """A read that says that the resource is there no more: Terraform takes it out of its state."""


class Enabler:
    """aws_inspector2_enabler."""

    def __init__(self, client, accounts, types):
        self.client, self.accounts, self.types = client, accounts, set(types)

    def create(self):
        self._enable(self.accounts, self.types)
        self._disable_unwanted()

    def read(self):
        """The accounts and the types that are on in all of them."""
        states = {account: state for account, state in self._states().items() if state["status"] == "ENABLED"}
        if not states:
            raise Gone
        types = [{kind for kind, status in state["types"].items() if status == "ENABLED"} for state in states.values()]
        return set(states), set.union(*types)

    def update(self, types):
        added, removed = set(types) - self.types, self.types - set(types)
        self.types = set(types)
        if added:
            self._enable(self.accounts, added)
        if removed:
            self._disable(self.accounts, sorted(removed))

    def delete(self):
        answer = self.client.disable(accountIds=self.accounts, resourceTypes=ALL_TYPES)
        assert {each["errorCode"] for each in answer["failedAccounts"]} <= {"ACCESS_DENIED"}
        wait(lambda: {state["status"] for state in self._states().values()} == {"DISABLED"})

    def _enable(self, accounts, types):
        token = str(uuid4())
        for _ in range(MOST_POLLS):
            answer = self.client.enable(accountIds=accounts, resourceTypes=sorted(types), clientToken=token)
            failed = [each["errorCode"] for each in answer["failedAccounts"]]
            if not failed or not set(failed) <= TRANSIENT:
                break
        assert not failed
        wait(self._is_settled)

    def _disable(self, accounts, types):
        answer = self.client.disable(accountIds=accounts, resourceTypes=types)
        assert answer["failedAccounts"] == []
        wait(self._is_settled)

    def _disable_unwanted(self):
        for account, state in self._states().items():
            on = {kind for kind, status in state["types"].items() if status == "ENABLED"}
            if on - self.types:
                self._disable([account], sorted(on - self.types))

    def _states(self):
        answer = self.client.batch_get_account_status(accountIds=self.accounts)
        assert answer["failedAccounts"] == []
        return {
            each["accountId"]: {
                "status": each["state"]["status"],
                "types": {kind: each["resourceState"][key]["status"] for kind, key in KEYS.items()},
            }
            for each in answer["accounts"]
        }

    def _is_settled(self):
        states = self._states().values()
        words = {state["status"] for state in states} | {word for state in states for word in state["types"].values()}
        return not words & MOVING and all(
            state["status"] != "ENABLED" or "ENABLED" in state["types"].values() for state in states
        )


class Filter:
    """aws_inspector2_filter."""

    def __init__(self, client, **arguments):
        self.client, self.arguments, self.arn = client, arguments, ""

    def create(self):
        given = dict(self.arguments)
        given["filterCriteria"] = given.pop("criteria")
        self.arn = self.client.create_filter(**given)["arn"]

    def read(self):
        found = self.client.list_filters(arns=[self.arn])["filters"]
        if not found:
            raise Gone
        [one] = found
        assert one["arn"] == self.arn
        told = {name: one[name] for name in ("name", "action", "description", "reason", "criteria") if name in one}
        return told | {"tags": self.client.list_tags_for_resource(resourceArn=self.arn)["tags"]}

    def update(self, **arguments):
        old, new = self.arguments, self.arguments | arguments
        changed = {name: value for name, value in new.items() if name != "tags" and old[name] != value}
        if changed:
            given = {name: new[name] for name in ("name", "action", "description", "reason")}
            self.client.update_filter(filterArn=self.arn, filterCriteria=new["criteria"], **given)
        gone = [name for name in old["tags"] if name not in new["tags"]]
        if gone:
            self.client.untag_resource(resourceArn=self.arn, tagKeys=gone)
        set_ = {name: value for name, value in new["tags"].items() if old["tags"].get(name) != value}
        if set_:
            self.client.tag_resource(resourceArn=self.arn, tags=set_)
        self.arguments = new

    def delete(self):
        try:
            self.client.delete_filter(arn=self.arn)
        except ClientError as caught:
            if not error("ResourceNotFoundException")(caught):
                raise


class DelegatedAdmin:
    """aws_inspector2_delegated_admin_account."""

    def __init__(self, client, account):
        self.client, self.account = client, account

    def create(self):
        try:
            self.client.enable_delegated_admin_account(delegatedAdminAccountId=self.account, clientToken=str(uuid4()))
        except ClientError as caught:
            if not error("ConflictException", "already enabled")(caught):
                raise
        wait(lambda: self.read() == "ENABLED")

    def read(self):
        try:
            for page in self.client.get_paginator("list_delegated_admin_accounts").paginate():
                for each in page["delegatedAdminAccounts"]:
                    if each["accountId"] == self.account:
                        return each["status"]
        except ClientError as caught:
            if error("ValidationException", "is the delegated admin")(caught):
                return "ENABLED"
            raise
        raise Gone

    def delete(self):
        try:
            self.client.disable_delegated_admin_account(delegatedAdminAccountId=self.account)
        except ClientError as caught:
            if not error("ResourceNotFoundException")(caught):
                raise
        wait(lambda: is_gone(self))


class Membership:
    """aws_inspector2_member_association."""

    def __init__(self, client, account):
        self.client, self.account = client, account

    def create(self):
        assert self.client.associate_member(accountId=self.account)["accountId"] == self.account
        wait(lambda: self.read()["relationshipStatus"] == "ENABLED")

    def read(self):
        try:
            member = self.client.get_member(accountId=self.account)["member"]
        except ClientError as caught:
            text = "Invoking account does not have access to get member account"
            if error("ResourceNotFoundException")(caught) or error("AccessDeniedException", text)(caught):
                raise Gone from caught
            raise
        if member["relationshipStatus"] == "REMOVED":
            raise Gone
        return member

    def delete(self):
        try:
            self.client.disassociate_member(accountId=self.account)
        except ClientError as caught:
            if not error("ValidationException", "is not yet associated to it")(caught):
                raise
        wait(lambda: is_gone(self))


class OrganizationConfiguration:
    """aws_inspector2_organization_configuration."""

    def __init__(self, client):
        self.client = client

    def apply(self, **wanted):
        names = ("ec2", "ecr", "lambda", "lambdaCode")
        self.client.update_organization_configuration(autoEnable={name: wanted.get(name, False) for name in names})
        for _ in range(2):  # seen twice in a row, so that it isn't a replica's luck
            wait(lambda: self.read() == {name: wanted.get(name, False) for name in names})

    def read(self):
        answer = self.client.describe_organization_configuration()
        assert answer["maxAccountLimitReached"] is False
        return {name: answer["autoEnable"][name] for name in ("ec2", "ecr", "lambda", "lambdaCode")}

    def delete(self):
        self.apply()


def is_gone(resource) -> bool:
    try:
        resource.read()
    except Gone:
        return True
    return False


# ---------------------------------------------------------------- the enabler


@pytest.fixture
def off(world):
    """A client of an account that stands alone, in which nothing is on."""
    ours = world.client(OWNER)
    ours.disable(accountIds=[OWNER])
    return ours


@pytest.mark.parametrize("types", [["EC2"], ["EC2", "ECR"], ["LAMBDA", "LAMBDA_CODE"], ["CODE_REPOSITORY"]])
def test_an_enabler_is_read_as_it_was_applied_and_is_gone_when_deleted(off, types):
    enabler = Enabler(off, [OWNER], types)
    enabler.create()
    assert enabler.read() == ({OWNER}, set(types))
    enabler.create()  # the same applied again, without a state
    assert enabler.read() == ({OWNER}, set(types))
    enabler.delete()
    assert is_gone(enabler)
    enabler.delete()  # of what is off already
    assert is_gone(enabler)


def test_an_enabler_switches_off_what_is_on_and_unwanted(off):
    off.enable(resourceTypes=["EC2", "ECR", "LAMBDA"])
    enabler = Enabler(off, [OWNER], ["ECR"])
    enabler.create()
    assert enabler.read() == ({OWNER}, {"ECR"})


def test_an_enabler_is_updated_up_and_down(off):
    enabler = Enabler(off, [OWNER], ["EC2"])
    enabler.create()
    for types in ({"EC2", "ECR"}, {"ECR", "LAMBDA"}, {"EC2"}, {"EC2", "ECR", "LAMBDA", "LAMBDA_CODE"}):
        enabler.update(types)
        assert enabler.read() == ({OWNER}, types)


def test_an_administrators_enabler_is_for_its_members_too(world):
    enabler = Enabler(world.client(ADMIN), [ADMIN, MEMBER], ["EC2", "ECR"])
    enabler.create()
    assert enabler.read() == ({ADMIN, MEMBER}, {"EC2", "ECR"})
    members = Enabler(world.client(ADMIN), [MEMBER], ["EC2", "ECR"])
    members.delete()
    assert is_gone(members)


def test_an_enabler_of_somebody_elses_account_is_tried_and_told_what_is_wrong(world):
    answer = world.client(STRANGER).enable(accountIds=[OWNER], resourceTypes=["EC2"], clientToken=str(uuid4()))
    assert answer["accounts"] == []
    assert [each["errorCode"] for each in answer["failedAccounts"]] == ["ACCESS_DENIED"]
    seen = world.client(STRANGER).batch_get_account_status(accountIds=[OWNER])
    assert [each["errorCode"] for each in seen["failedAccounts"]] == ["ACCESS_DENIED"]


def test_the_same_token_is_the_same_call(off):
    given = {"accountIds": [OWNER], "resourceTypes": ["EC2"], "clientToken": str(uuid4())}
    first = off.enable(**given)
    assert off.enable(**given)["accounts"] == first["accounts"]
    with pytest.raises(ClientError, match="ValidationException"):
        off.enable(**given | {"resourceTypes": ["ECR"]})


# ---------------------------------------------------------------- filters

MOMENTS = {"startInclusive": datetime(2026, 1, 1, tzinfo=UTC), "endInclusive": datetime(2026, 2, 1, 12, 30, tzinfo=UTC)}
EVERYTHING = {
    "awsAccountId": [{"comparison": "EQUALS", "value": "111222333444"}],
    "severity": [{"comparison": "NOT_EQUALS", "value": "CRITICAL"}, {"comparison": "NOT_EQUALS", "value": "HIGH"}],
    "title": [{"comparison": "PREFIX", "value": "CVE-2024"}],
    "inspectorScore": [{"lowerInclusive": 1.5, "upperInclusive": 6.9}],
    "epssScore": [{"upperInclusive": 0.1}],
    "firstObservedAt": [MOMENTS],
    "portRange": [{"beginInclusive": 20, "endInclusive": 22}],
    "resourceTags": [{"comparison": "EQUALS", "key": "team", "value": "web"}],
    "vulnerablePackages": [
        {
            "name": {"comparison": "EQUALS", "value": "jinja2"},
            "version": {"comparison": "PREFIX", "value": "2."},
            "epoch": {"lowerInclusive": 0.0, "upperInclusive": 1.0},
        }
    ],
}


def wanted(**more):
    given = {
        "name": f"f-{uuid4().hex[:8]}",
        "action": "SUPPRESS",
        "description": "d",
        "reason": "r",
        "criteria": EVERYTHING,
        "tags": {"owner": "web"},
    }
    return given | more


def test_a_filter_is_read_as_it_was_applied(world):
    made = Filter(world.client(OWNER), **wanted())
    made.create()
    assert made.read() == made.arguments
    assert made.read() == made.arguments  # and a second plan is empty
    made.delete()
    assert is_gone(made)
    made.delete()  # what is gone is gone


@pytest.mark.parametrize(
    "change",
    [
        {"name": "renamed"},
        {"action": "NONE"},
        {"description": "another", "reason": "another"},
        {"criteria": {"severity": [{"comparison": "EQUALS", "value": "LOW"}]}},
        {"tags": {"owner": "db", "more": ""}},
        {"tags": {}},
    ],
)
def test_a_filter_is_updated_in_place(world, change):
    made = Filter(world.client(OWNER), **wanted())
    made.create()
    arn = made.arn
    made.update(**change)
    assert made.arn == arn
    assert made.read() == made.arguments
    made.delete()


def test_a_second_filter_of_the_same_name_is_refused(world):
    made = Filter(world.client(OWNER), **wanted())
    made.create()
    with pytest.raises(ClientError, match="BadRequestException"):
        Filter(world.client(OWNER), **made.arguments).create()
    made.delete()


# ---------------------------------------------------------------- organisations


@pytest.fixture
def nobody_appointed(world):
    ours = world.client(MANAGER)
    if ours.list_delegated_admin_accounts()["delegatedAdminAccounts"]:
        ours.disable_delegated_admin_account(delegatedAdminAccountId=ADMIN)
    return ours


def test_an_administrator_is_appointed_and_dismissed(nobody_appointed):
    admin = DelegatedAdmin(nobody_appointed, ADMIN)
    assert is_gone(admin)
    admin.create()
    assert admin.read() == "ENABLED"
    admin.create()  # "already enabled" is as good
    assert admin.read() == "ENABLED"
    admin.delete()
    assert is_gone(admin)
    admin.delete()
    assert is_gone(admin)


def test_the_administrator_itself_is_told_that_it_is_the_one(world, nobody_appointed):
    DelegatedAdmin(nobody_appointed, ADMIN).create()
    assert DelegatedAdmin(world.client(ADMIN), ADMIN).read() == "ENABLED"
    with pytest.raises(ClientError, match=r"Invoking account is the delegated admin\."):
        world.client(ADMIN).get_delegated_admin_account()


def test_another_administrator_is_refused_while_one_is_in_office(nobody_appointed):
    DelegatedAdmin(nobody_appointed, ADMIN).create()
    with pytest.raises(ClientError, match="ConflictException") as caught:
        nobody_appointed.enable_delegated_admin_account(delegatedAdminAccountId=JOINER)
    assert "already enabled" not in caught.value.response["Error"]["Message"]


def test_a_member_is_associated_and_disassociated(world, nobody_appointed):
    DelegatedAdmin(nobody_appointed, ADMIN).create()
    member = Membership(world.client(ADMIN), JOINER)
    member.create()
    assert member.read()["delegatedAdminAccountId"] == ADMIN
    member.create()
    member.delete()
    assert is_gone(member)
    member.delete()  # "is not yet associated to it" is as good
    assert is_gone(member)


def test_a_member_that_is_none_of_the_organization_is_not_there(world, nobody_appointed):
    DelegatedAdmin(nobody_appointed, ADMIN).create()
    assert is_gone(Membership(world.client(ADMIN), STRANGER))
    assert is_gone(Membership(world.client(STRANGER), MEMBER))


def test_a_configuration_of_an_organization_is_read_as_it_was_applied(world, nobody_appointed):
    DelegatedAdmin(nobody_appointed, ADMIN).create()
    configuration = OrganizationConfiguration(world.client(ADMIN))
    for wanted_ in (
        {"ec2": True, "ecr": False},
        {"ec2": True, "ecr": True, "lambda": True, "lambdaCode": True},
        {"ec2": False, "ecr": True, "lambda": True},
    ):
        configuration.apply(**wanted_)
        configuration.apply(**wanted_)
        assert {name for name, on in configuration.read().items() if on} == {name for name, on in wanted_.items() if on}
    configuration.delete()
    assert not any(configuration.read().values())


def test_a_whole_estate_is_built_and_taken_down_again(world: World, nobody_appointed):
    """In the order of their dependencies; and destroyed in the reverse."""
    admin = world.client(ADMIN)
    office = DelegatedAdmin(nobody_appointed, ADMIN)
    office.create()
    configuration = OrganizationConfiguration(admin)
    configuration.apply(ec2=True, ecr=True)
    member = Membership(admin, MEMBER)
    member.create()
    enabler = Enabler(admin, [ADMIN, MEMBER], ["EC2", "ECR"])
    enabler.create()
    rule = Filter(admin, **wanted())
    rule.create()
    assert rule.read() == rule.arguments
    rule.delete()
    Enabler(admin, [MEMBER], ["EC2", "ECR"]).delete()
    member.delete()
    Enabler(admin, [ADMIN], ["EC2", "ECR"]).delete()
    configuration.delete()
    office.delete()
    assert all(is_gone(each) for each in (office, rule, Enabler(world.client(MEMBER), [MEMBER], ["EC2"])))
    with pytest.raises(ClientError, match="AccessDeniedException"):
        configuration.read()
