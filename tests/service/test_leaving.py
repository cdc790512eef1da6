"""A member that leaves is gone from what its administrator sees at once, whatever the administrator still holds."""

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import update
from tests.chores.findings import add_fleet
from tests.service.callers import clients
from tests.service.organization import ADMIN, MEMBER, REGION, STRANGER, found

from openinspector.api.operations import aggregations, coverage, filters, findings, members, usage
from openinspector.store.account_tables import member


@pytest.fixture
def client(database, clock):
    modules = (aggregations, coverage, filters, findings, members, usage)
    with clients(modules, database, clock, check_output=False) as of:  # a fleet's findings lack what the model requires
        found(database)
        for account in (ADMIN, MEMBER, STRANGER):
            add_fleet(database, account, 2, 2)
        yield of


def leave(client):
    client(ADMIN).disassociate_member(accountId=MEMBER)


# Each asks for a page of one, and says of whom what is on it is.
LISTS = {
    "list_findings": ("findings", lambda each: each["awsAccountId"]),
    "list_coverage": ("coveredResources", lambda each: each["accountId"]),
}


@pytest.mark.parametrize("operation", LISTS)
def test_a_token_that_leads_to_a_members_rows_leads_there_no_more(client, operation):
    key, account_of = LISTS[operation]
    ask = getattr(client(ADMIN), operation)
    pages = [ask(maxResults=1)]
    while account_of(pages[-1][key][0]) != MEMBER:
        pages.append(ask(maxResults=1, nextToken=pages[-1]["nextToken"]))
    token = pages[-1]["nextToken"]  # after the member's first row, before its others
    assert account_of(ask(maxResults=1, nextToken=token)[key][0]) == MEMBER
    leave(client)
    seen = []
    while token:
        answer = ask(maxResults=1, nextToken=token)
        seen += map(account_of, answer[key])
        token = answer.get("nextToken")
    assert MEMBER not in seen
    assert {account_of(each) for each in ask()[key]} == {ADMIN}


def test_nothing_that_names_it_finds_it(client):
    arns = [each["findingArn"] for each in client(MEMBER).list_findings()["findings"]]
    its = [{"comparison": "EQUALS", "value": MEMBER}]
    asked = client(ADMIN)
    assert len(asked.list_findings(filterCriteria={"awsAccountId": its})["findings"]) == 4
    assert {each["accountId"] for each in asked.list_usage_totals()["totals"]} >= {MEMBER}
    leave(client)
    assert asked.list_findings(filterCriteria={"awsAccountId": its})["findings"] == []
    assert asked.list_coverage(filterCriteria={"accountId": its})["coveredResources"] == []
    for kind in ("ACCOUNT", "TITLE", "AWS_EC2_INSTANCE"):
        told = asked.list_finding_aggregations(aggregationType=kind, accountIds=its)
        assert MEMBER not in str(told["responses"])
        assert told["responses"] == []
    details = asked.batch_get_finding_details(findingArns=arns[:2])
    assert details["findingDetails"] == []
    assert MEMBER not in {each["accountId"] for each in asked.list_usage_totals()["totals"]}
    assert len(client(MEMBER).list_findings()["findings"]) == 4  # which are still its own


def test_a_member_is_told_of_no_other_member_nor_whether_there_are_any(client, database):
    with database.system() as connection:
        row = {"account": ADMIN, "region": REGION, "member": "222233334444", "status": "ENABLED"}
        connection.execute(member.insert().values(row))
        connection.execute(update(member).values(inherits={}))
    for account in (MEMBER, STRANGER):
        asked = client(account)
        errors = []
        for operation, given in (
            (asked.list_members, {}),
            (asked.get_member, {"accountId": "222233334444"}),
            (asked.get_member, {"accountId": "999999999999"}),  # whom nobody knows: the same answer
            (asked.associate_member, {"accountId": "222233334444"}),
            (asked.disassociate_member, {"accountId": "222233334444"}),
        ):
            with pytest.raises(ClientError) as caught:
                operation(**given)
            errors.append(caught.value.response["Error"])
        assert {each["Code"] for each in errors} <= {"AccessDeniedException", "ResourceNotFoundException"}
        known, unknown = (
            each["Message"].replace(no, "") for each, no in zip(errors[1:3], ("222233334444", "9" * 12), strict=True)
        )
        assert known == unknown
