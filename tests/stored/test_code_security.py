"""Code security: integrations keep their tokens to themselves, configurations their projects."""

from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import insert, select, text
from tests.service.callers import START
from tests.stored.organization import ADMIN, MEMBER, ORGANIZATION, REGION, STRANGER, found

from openinspector.store import code_security
from openinspector.store.account_tables import code_security_integration, code_security_scan
from openinspector.store.tables import resource

TOKEN = "glpat-0123456789abcdef"
GITLAB = {
    "name": "gitlab",
    "type": "GITLAB_SELF_MANAGED",
    "details": {"gitlabSelfManaged": {"instanceUrl": "https://git.example.org", "accessToken": TOKEN}},
}
RULES = {
    "periodicScanConfiguration": {"frequency": "WEEKLY", "frequencyExpression": "cron(0 3 ? * MON *)"},
    "continuousIntegrationScanConfiguration": {"supportedEvents": ["PUSH"]},
    "ruleSetCategories": ["SCA", "SAST"],
}
GIVEN = {"name": "weekly", "level": "ACCOUNT", "configuration": RULES}


def refused(call, **given):
    with pytest.raises(ClientError) as caught:
        call(**given)
    return caught.value.response["Error"]["Code"]


def add_project(database, account) -> str:
    project = f"project-{uuid4()}"
    arn = f"arn:aws:inspector2:{REGION}:{account}:codesecurity-integration/{uuid4()}/{project}"
    with database.system() as connection:
        row = {"account": account, "region": REGION, "type": "CODE_REPOSITORY", "external_id": arn}
        connection.execute(insert(resource).values(row))
    return project


def test_an_integration_is_given_back_without_its_token(client):
    ours = client(ADMIN)
    made = ours.create_code_security_integration(**GITLAB, tags={"a": "b"})
    arn = made["integrationArn"]
    assert (made["status"], "authorizationUrl" in made) == ("PENDING", False)
    read = ours.get_code_security_integration(integrationArn=arn)
    assert {name: read[name] for name in ("name", "type", "status", "instanceUrl", "tags")} == {
        "name": "gitlab",
        "type": "GITLAB_SELF_MANAGED",
        "status": "PENDING",
        "instanceUrl": "https://git.example.org",
        "tags": {"a": "b"},
    }
    assert read["createdOn"] == START
    assert TOKEN not in str(read) + str(ours.list_code_security_integrations())


def test_a_token_lies_in_the_database_sealed_and_opens_where_it_belongs(client, database, sealer):
    client(ADMIN).create_code_security_integration(**GITLAB)
    with database.system() as connection:
        row = connection.execute(select(code_security_integration)).one()
        whole = connection.execute(text("SELECT i::text FROM openinspector.code_security_integration i")).scalar_one()
    assert TOKEN not in whole and TOKEN.encode().hex() not in whole
    assert code_security.open_token(sealer, row) == TOKEN


@pytest.mark.parametrize("sealer", [None])
def test_without_a_sealing_key_no_token_is_kept(client, database):
    ours = client(ADMIN)
    assert refused(ours.create_code_security_integration, **GITLAB) == "ValidationException"
    assert ours.create_code_security_integration(name="github", type="GITHUB")["status"] == "PENDING"


def test_details_are_of_the_integrations_kind_and_names_single(client):
    ours = client(ADMIN)
    create = ours.create_code_security_integration
    assert refused(create, name="x", type="GITLAB_SELF_MANAGED") == "ValidationException"
    assert refused(create, **GITLAB | {"type": "GITHUB"}) == "ValidationException"
    assert refused(create, **GITLAB | {"type": "GITHUB_ENTERPRISE_SERVER"}) == "ValidationException"
    create(**GITLAB)
    assert refused(create, **GITLAB) == "ConflictException"
    client(STRANGER).create_code_security_integration(**GITLAB)


def test_integrations_are_listed_by_name_and_deleted_by_their_account(client):
    ours, theirs = client(ADMIN), client(STRANGER)
    arns = {
        name: ours.create_code_security_integration(name=name, type="GITHUB")["integrationArn"] for name in ("b", "a")
    }
    first = ours.list_code_security_integrations(maxResults=1)
    second = ours.list_code_security_integrations(maxResults=1, nextToken=first["nextToken"])
    assert [each["name"] for page in (first, second) for each in page["integrations"]] == ["a", "b"]
    assert "nextToken" not in second
    for call in (theirs.get_code_security_integration, theirs.delete_code_security_integration):
        assert refused(call, integrationArn=arns["a"]) == "ResourceNotFoundException"
    ours.delete_code_security_integration(integrationArn=arns["a"])
    assert refused(ours.get_code_security_integration, integrationArn=arns["a"]) == "ResourceNotFoundException"
    assert theirs.list_code_security_integrations()["integrations"] == []


def test_a_configuration_is_given_back_as_it_was_made(client, clock):
    ours = client(ADMIN)
    arn = ours.create_code_security_scan_configuration(**GIVEN, tags={"a": "b"})["scanConfigurationArn"]
    clock.forward(days=1)
    changed = {"ruleSetCategories": ["IAC"]}
    ours.update_code_security_scan_configuration(scanConfigurationArn=arn, configuration=changed)
    read = ours.get_code_security_scan_configuration(scanConfigurationArn=arn)
    read.pop("ResponseMetadata")
    assert read == {
        "scanConfigurationArn": arn,
        "name": "weekly",
        "configuration": changed,
        "level": "ACCOUNT",
        "createdAt": START,
        "lastUpdatedAt": clock.now,
        "tags": {"a": "b"},
    }
    for call in (
        client(STRANGER).get_code_security_scan_configuration,
        client(STRANGER).delete_code_security_scan_configuration,
    ):
        assert refused(call, scanConfigurationArn=arn) == "ResourceNotFoundException"


def test_configurations_are_listed_by_name(client):
    ours = client(ADMIN)
    for name in ("b", "a"):
        ours.create_code_security_scan_configuration(**GIVEN | {"name": name})
    first = ours.list_code_security_scan_configurations(maxResults=1)
    second = ours.list_code_security_scan_configurations(maxResults=1, nextToken=first["nextToken"])
    assert [each["name"] for page in (first, second) for each in page["configurations"]] == ["a", "b"]
    (listed,) = first["configurations"]
    assert (listed["periodicScanFrequency"], listed["continuousIntegrationScanSupportedEvents"]) == ("WEEKLY", ["PUSH"])
    assert (listed["ownerAccountId"], listed["ruleSetCategories"]) == (ADMIN, ["SCA", "SAST"])


def test_there_is_one_default(client):
    ours = client(ADMIN)
    default = GIVEN | {"scopeSettings": {"projectSelectionScope": "ALL"}}
    arn = ours.create_code_security_scan_configuration(**default)["scanConfigurationArn"]
    assert refused(ours.create_code_security_scan_configuration, **default) == "ConflictException"
    ours.delete_code_security_scan_configuration(scanConfigurationArn=arn)
    ours.create_code_security_scan_configuration(**default)


def test_an_organizations_configuration_is_its_administrators(client, database):
    found(database)
    given = GIVEN | {"level": "ORGANIZATION"}
    arn = client(ADMIN).create_code_security_scan_configuration(**given)["scanConfigurationArn"]
    assert f":owner/{ORGANIZATION}/" in arn
    assert refused(client(MEMBER).create_code_security_scan_configuration, **given) == "AccessDeniedException"
    tagged = given | {"tags": {"a": "b"}}
    assert refused(client(ADMIN).create_code_security_scan_configuration, **tagged) == "ValidationException"
    theirs = {"scanConfigurationArn": arn, "resource": {"projectId": add_project(database, MEMBER)}}
    answer = client(ADMIN).batch_associate_code_security_scan_configuration(associateConfigurationRequests=[theirs])
    assert answer["successfulAssociations"] == [theirs]


def test_each_association_succeeds_or_fails_by_itself(client, database):
    ours = client(ADMIN)
    mine, anothers = add_project(database, ADMIN), add_project(database, STRANGER)
    arns = [ours.create_code_security_scan_configuration(**GIVEN)["scanConfigurationArn"] for _ in range(5)]
    nowhere = f"{arns[0].rpartition('/')[0]}/{uuid4()}"

    def request(arn, project):
        return {"scanConfigurationArn": arn, "resource": {"projectId": project}}

    answer = ours.batch_associate_code_security_scan_configuration(
        associateConfigurationRequests=[
            *(request(arn, mine) for arn in arns),
            request(arns[0], anothers),
            request(nowhere, mine),
        ]
    )
    assert len(answer["successfulAssociations"]) == 4
    assert sorted(each["statusCode"] for each in answer["failedAssociations"]) == [
        "QUOTA_EXCEEDED",
        "RESOURCE_NOT_FOUND",
        "SCAN_CONFIGURATION_NOT_FOUND",
    ]
    done = answer["successfulAssociations"][0]
    again = ours.batch_associate_code_security_scan_configuration(associateConfigurationRequests=[done])
    assert again["successfulAssociations"] == [done]
    listed = {"scanConfigurationArn": done["scanConfigurationArn"]}
    assert ours.list_code_security_scan_configuration_associations(**listed)["associations"] == [
        {"resource": {"projectId": mine}}
    ]
    for successful, failed in ((1, 0), (0, 1)):
        ended = ours.batch_disassociate_code_security_scan_configuration(disassociateConfigurationRequests=[done])
        assert (len(ended["successfulAssociations"]), len(ended["failedAssociations"])) == (successful, failed)
    assert ours.list_code_security_scan_configuration_associations(**listed)["associations"] == []


def test_a_scan_is_its_accounts_alone(client, database):
    project, key = f"project-{uuid4()}", str(uuid4())
    with database.system() as connection:
        row = {"account": ADMIN, "region": REGION, "id": key, "project_id": project, "status": "SUCCESSFUL"}
        connection.execute(insert(code_security_scan).values(row | {"last_commit_id": "abc"}))
    asked = {"resource": {"projectId": project}, "scanId": key}
    read = client(ADMIN).get_code_security_scan(**asked)
    assert (read["status"], read["lastCommitId"], read["accountId"]) == ("SUCCESSFUL", "abc", ADMIN)
    assert refused(client(STRANGER).get_code_security_scan, **asked) == "ResourceNotFoundException"


@pytest.mark.parametrize("token", ["", "\ud800", "\udc00", "x" * 70_000, "a\0b"])
def test_a_token_that_is_none_does_no_harm(client, token):
    details = {"gitlabSelfManaged": {"instanceUrl": "https://git.example.org", "accessToken": token}}
    ours = client(ADMIN)
    assert refused(ours.create_code_security_integration, **GITLAB | {"details": details}) == "ValidationException"
    assert ours.list_code_security_integrations()["integrations"] == []
