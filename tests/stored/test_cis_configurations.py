"""CIS configurations: kept, changed, listed, and nobody else's."""

import pytest
from botocore.exceptions import ClientError
from tests.stored.organization import ADMIN, MEMBER, ORGANIZATION, REGION, STRANGER, found

DAILY = {"daily": {"startTime": {"timeOfDay": "03:00", "timezone": "Europe/London"}}}
TARGETS = {"accountIds": ["SELF"], "targetResourceTags": {"env": ["prod", "test"]}}
GIVEN = {"scanName": "nightly", "securityLevel": "LEVEL_1", "schedule": DAILY, "targets": TARGETS}


def refused(call, **given):
    with pytest.raises(ClientError) as caught:
        call(**given)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_a_configuration_is_given_back_as_it_was_made(client):
    ours = client(ADMIN)
    arn = ours.create_cis_scan_configuration(**GIVEN, tags={"team": "red"})["scanConfigurationArn"]
    assert arn.startswith(f"arn:aws:inspector2:{REGION}:{ADMIN}:owner/{ADMIN}/cis-configuration/")
    (listed,) = ours.list_cis_scan_configurations()["scanConfigurations"]
    assert listed == {
        "scanConfigurationArn": arn,
        "ownerId": ADMIN,
        "scanName": "nightly",
        "securityLevel": "LEVEL_1",
        "schedule": DAILY,
        "targets": {"accountIds": [ADMIN], "targetResourceTags": TARGETS["targetResourceTags"]},
        "tags": {"team": "red"},
    }
    assert client(STRANGER).list_cis_scan_configurations()["scanConfigurations"] == []


def test_an_update_changes_what_it_names(client):
    ours = client(ADMIN)
    arn = ours.create_cis_scan_configuration(**GIVEN)["scanConfigurationArn"]
    weekly = {"weekly": {"startTime": DAILY["daily"]["startTime"], "days": ["MON"]}}
    ours.update_cis_scan_configuration(scanConfigurationArn=arn, schedule=weekly, scanName="weekly")
    (listed,) = ours.list_cis_scan_configurations()["scanConfigurations"]
    assert (listed["scanName"], listed["schedule"], listed["securityLevel"]) == ("weekly", weekly, "LEVEL_1")


def test_nobody_changes_anothers(client):
    arn = client(ADMIN).create_cis_scan_configuration(**GIVEN)["scanConfigurationArn"]
    theirs = client(STRANGER)
    for call in (theirs.update_cis_scan_configuration, theirs.delete_cis_scan_configuration):
        assert refused(call, scanConfigurationArn=arn)[0] == "ResourceNotFoundException"
    assert client(ADMIN).list_cis_scan_configurations()["scanConfigurations"]


def test_what_is_deleted_is_gone(client):
    ours = client(ADMIN)
    arn = ours.create_cis_scan_configuration(**GIVEN)["scanConfigurationArn"]
    assert ours.delete_cis_scan_configuration(scanConfigurationArn=arn)["scanConfigurationArn"] == arn
    assert refused(ours.delete_cis_scan_configuration, scanConfigurationArn=arn)[0] == "ResourceNotFoundException"


def test_a_list_goes_on_by_name_and_is_filtered(client):
    ours = client(ADMIN)
    for name in ("b", "a", "c", "ab"):
        ours.create_cis_scan_configuration(**GIVEN | {"scanName": name})
    pages = ours.get_paginator("list_cis_scan_configurations").paginate(
        sortBy="SCAN_NAME", sortOrder="DESC", PaginationConfig={"PageSize": 3}
    )
    assert [[each["scanName"] for each in page["scanConfigurations"]] for page in pages] == [["c", "b", "ab"], ["a"]]

    def names(**criteria):
        answer = ours.list_cis_scan_configurations(filterCriteria=criteria, sortBy="SCAN_NAME")
        return [each["scanName"] for each in answer["scanConfigurations"]]

    prefix = {"comparison": "PREFIX", "value": "a"}
    assert names(scanNameFilters=[prefix, {"comparison": "NOT_EQUALS", "value": "a"}]) == ["ab"]
    tagged = {"comparison": "EQUALS", "key": "env", "value": "test"}
    assert names(targetResourceTagFilters=[tagged]) == ["a", "ab", "b", "c"]
    assert names(targetResourceTagFilters=[tagged | {"value": "none"}]) == []
    one = ours.list_cis_scan_configurations(maxResults=1)["scanConfigurations"][0]
    arn = {"comparison": "EQUALS", "value": one["scanConfigurationArn"]}
    assert names(scanConfigurationArnFilters=[arn]) == [one["scanName"]]


def test_an_administrator_configures_its_organization(client, database):
    found(database)
    admin = client(ADMIN)
    everybody = {**TARGETS, "accountIds": ["ALL_ACCOUNTS"]}
    arn = admin.create_cis_scan_configuration(**GIVEN | {"targets": everybody})["scanConfigurationArn"]
    assert f":owner/{ORGANIZATION}/" in arn
    some = {**TARGETS, "accountIds": [MEMBER]}
    assert (
        f":owner/{ORGANIZATION}/"
        in admin.create_cis_scan_configuration(**GIVEN | {"targets": some})["scanConfigurationArn"]
    )
    for who, accounts in ((MEMBER, ["ALL_ACCOUNTS"]), (MEMBER, [ADMIN]), (ADMIN, [STRANGER])):
        given = GIVEN | {"targets": {**TARGETS, "accountIds": accounts}}
        assert refused(client(who).create_cis_scan_configuration, **given)[0] == "AccessDeniedException"
    tagged = GIVEN | {"targets": everybody, "tags": {"a": "b"}}
    assert refused(admin.create_cis_scan_configuration, **tagged)[0] == "ValidationException"


def test_an_administrator_reads_its_members_configurations_and_changes_none(client, database):
    found(database)
    theirs = client(MEMBER).create_cis_scan_configuration(**GIVEN, tags={"a": "b"})["scanConfigurationArn"]
    ours = client(ADMIN).create_cis_scan_configuration(**GIVEN)["scanConfigurationArn"]
    client(STRANGER).create_cis_scan_configuration(**GIVEN)
    pages = client(ADMIN).get_paginator("list_cis_scan_configurations").paginate(PaginationConfig={"PageSize": 1})
    listed = [each for page in pages for each in page["scanConfigurations"]]
    assert [each["scanConfigurationArn"] for each in listed] == [ours, theirs]
    assert [each["targets"]["accountIds"] for each in listed] == [[ADMIN], [MEMBER]]
    assert listed[1]["tags"] == {"a": "b"}
    criteria = {"scanConfigurationArnFilters": [{"comparison": "EQUALS", "value": theirs}]}
    assert len(client(ADMIN).list_cis_scan_configurations(filterCriteria=criteria)["scanConfigurations"]) == 1
    for call in (client(ADMIN).update_cis_scan_configuration, client(ADMIN).delete_cis_scan_configuration):
        assert refused(call, scanConfigurationArn=theirs)[0] == "ResourceNotFoundException"
    (seen,) = client(MEMBER).list_cis_scan_configurations()["scanConfigurations"]
    assert seen["scanConfigurationArn"] == theirs


@pytest.mark.parametrize(
    "wrong",
    [
        {"schedule": {"daily": {"startTime": {"timeOfDay": "03:00", "timezone": "Mars/Olympus"}}}},
        {"schedule": {"daily": {"startTime": {"timeOfDay": "03:00", "timezone": "../../etc/passwd"}}}},
        {"schedule": {"daily": {"startTime": {"timeOfDay": "24:00", "timezone": "UTC"}}}},
        {"securityLevel": "LEVEL_3"},
        {"targets": {**TARGETS, "accountIds": ["SELF", ADMIN]}},
        {"targets": {**TARGETS, "targetResourceTags": {}}},
    ],
)
def test_what_makes_no_sense_is_refused(client, wrong):
    assert refused(client(ADMIN).create_cis_scan_configuration, **GIVEN | wrong)[0] == "ValidationException"
