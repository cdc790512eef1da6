"""Saved filters and suppression rules: kept as given, named once, and their owner's."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError
from sqlalchemy import select, update
from tests.service.callers import clients
from tests.service.organization import ADMIN, MEMBER, ORGANIZATION, REGION, STRANGER, found, refused

from openinspector.api.operations import filters as filters_api
from openinspector.store import filters
from openinspector.store.account_tables import filter_, tag

HIGH = {"severity": [{"comparison": "EQUALS", "value": "HIGH"}]}
RULE = {"action": "SUPPRESS", "name": "noise", "filterCriteria": HIGH}
EVERY_KIND = {
    "title": [{"comparison": "PREFIX", "value": "CVE-2024"}, {"comparison": "NOT_EQUALS", "value": "x"}],
    "firstObservedAt": [{"startInclusive": datetime(2025, 1, 2, 3, 4, 5, 600000, tzinfo=UTC)}, {}],
    "inspectorScore": [{"lowerInclusive": 7.5, "upperInclusive": 10.0}],
    "resourceTags": [{"comparison": "EQUALS", "key": "env", "value": ""}, {"comparison": "EQUALS", "key": "team"}],
    "portRange": [{"beginInclusive": 0, "endInclusive": 1024}],
    "vulnerablePackages": [
        {
            "name": {"comparison": "EQUALS", "value": "openssl"},
            "epoch": {"lowerInclusive": 0.0},
            "filePath": {"comparison": "PREFIX", "value": "/opt"},
        }
    ],
}


def applied(database, arn):
    with database.system() as connection:
        return connection.execute(select(filter_.c.applied_at).where(filter_.c.id == arn[-16:])).scalar_one()


def mark_applied(database):
    with database.system() as connection:
        connection.execute(update(filter_).values(applied_at=datetime(2026, 1, 1, tzinfo=UTC)))


def test_a_filter_is_given_back_as_it_was_made(client, clock):
    ours = client(STRANGER)
    arn = ours.create_filter(
        action="NONE",
        name="every.kind_of-criteria",
        filterCriteria=EVERY_KIND,
        description="All of them",
        reason="To look at",
        tags={"team": "red", "note": ""},
    )["arn"]
    assert arn.startswith(f"arn:aws:inspector2:{REGION}:{STRANGER}:owner/{STRANGER}/filter/")
    assert len(arn.rpartition("/")[2]) == 16
    (listed,) = ours.list_filters()["filters"]
    assert listed == {
        "arn": arn,
        "ownerId": STRANGER,
        "name": "every.kind_of-criteria",
        "criteria": EVERY_KIND,
        "action": "NONE",
        "description": "All of them",
        "reason": "To look at",
        "tags": {"team": "red", "note": ""},
        "createdAt": clock.now,
        "updatedAt": clock.now,
    }


def test_only_what_is_given_changes_and_criteria_change_as_a_whole(client, clock):
    ours = client(STRANGER)
    arn = ours.create_filter(**RULE, description="old", reason="kept")["arn"]
    created = clock.now
    clock.forward(hours=1)
    replaced = {"title": [{"comparison": "EQUALS", "value": "t"}]}
    assert ours.update_filter(filterArn=arn, description="new", filterCriteria=replaced)["arn"] == arn
    (listed,) = ours.list_filters()["filters"]
    assert (listed["name"], listed["action"], listed["reason"]) == ("noise", "SUPPRESS", "kept")
    assert (listed["description"], listed["criteria"]) == ("new", replaced)
    assert (listed["createdAt"], listed["updatedAt"]) == (created, created + timedelta(hours=1))


def test_names_are_single_in_an_account(client):
    ours = client(STRANGER)
    ours.create_filter(**RULE)
    other = ours.create_filter(**(RULE | {"name": "other"}))["arn"]
    assert refused(ours.create_filter, **RULE) == (
        "BadRequestException",
        "A filter with the name noise exists already.",
    )
    assert refused(ours.update_filter, filterArn=other, name="noise")[0] == "ValidationException"
    ours.update_filter(filterArn=other, name="other")
    client(MEMBER).create_filter(**RULE)


def test_of_many_who_take_a_name_at_once_one_gets_it(client):
    ours = client(STRANGER)

    def create(_):
        try:
            return ours.create_filter(**RULE)["arn"]
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(create, range(4)))
    assert outcomes[:3] == ["BadRequestException"] * 3
    assert outcomes[3].startswith("arn:")


def test_a_name_has_few_characters(client):
    for name in ("two words", "slash/", "ümlaut", "line\n"):
        assert refused(client(STRANGER).create_filter, **(RULE | {"name": name}))[0] == "ValidationException"


BAD_TAGS = [
    ({"aws:cloudformation": "x"}, "reserved"),
    ({"a<b": "x"}, "letters"),
    ({"a": "x;y"}, "letters"),
    ({f"key{number}": "" for number in range(51)}, "at most 50"),
]


def test_bad_tags_are_a_bad_request(client):
    ours = client(STRANGER)
    for tags, said in BAD_TAGS:
        code, message = refused(ours.create_filter, **RULE, tags=tags)
        assert (code, said in message) == ("BadRequestException", True)
    assert ours.list_filters()["filters"] == []


def test_there_may_be_so_many_rules_and_no_more(client, monkeypatch):
    monkeypatch.setattr(filters, "MOST", 2)
    ours = client(STRANGER)
    for name in ("one", "two"):
        ours.create_filter(**(RULE | {"name": name}))
    assert refused(ours.create_filter, **(RULE | {"name": "three"}))[0] == "ServiceQuotaExceededException"
    view = ours.create_filter(**(RULE | {"name": "three", "action": "NONE"}))["arn"]
    assert refused(ours.update_filter, filterArn=view, action="SUPPRESS")[0] == "ValidationException"


def test_a_rule_waits_to_be_applied_when_it_hides_something_else(client, database):
    ours = client(STRANGER)
    arn = ours.create_filter(**RULE)["arn"]
    assert applied(database, arn) is None
    mark_applied(database)
    ours.update_filter(filterArn=arn, name="renamed", description="d", filterCriteria=HIGH, action="SUPPRESS")
    assert applied(database, arn) is not None
    ours.update_filter(filterArn=arn, filterCriteria={})
    assert applied(database, arn) is None
    mark_applied(database)
    ours.update_filter(filterArn=arn, action="NONE")
    assert applied(database, arn) is None


def test_a_view_has_nothing_to_apply(client, database):
    ours = client(STRANGER)
    arn = ours.create_filter(**(RULE | {"action": "NONE"}))["arn"]
    ours.update_filter(filterArn=arn, filterCriteria={})
    assert applied(database, arn) is not None


def test_who_keeps_the_findings_is_told_of_a_rule_and_not_of_a_view(database, clock):
    poked = []
    with clients((filters_api,), database, clock, poke=poked.append) as of:
        ours = of(STRANGER)
        view = ours.create_filter(**(RULE | {"action": "NONE"}))["arn"]
        ours.update_filter(filterArn=view, filterCriteria={})
        assert poked == []
        rule = ours.create_filter(**(RULE | {"name": "rule"}))["arn"]
        ours.update_filter(filterArn=rule, filterCriteria={})
        ours.delete_filter(arn=rule)
        ours.update_filter(filterArn=view, action="SUPPRESS")
        ours.update_filter(filterArn=view, action="NONE")
        ours.delete_filter(arn=view)
    assert poked == ["suppress"] * 5


def test_what_is_deleted_is_gone_with_its_tags(client, database):
    ours = client(STRANGER)
    arn = ours.create_filter(**RULE, tags={"team": "red"})["arn"]
    assert ours.delete_filter(arn=arn)["arn"] == arn
    assert ours.list_filters()["filters"] == []
    with database.system() as connection:
        assert connection.execute(select(tag)).all() == []
    code, message = refused(ours.delete_filter, arn=arn)
    assert (code, arn in message) == ("ResourceNotFoundException", True)
    assert refused(ours.update_filter, filterArn=arn, name="x-y")[0] == "ResourceNotFoundException"


def test_nobody_sees_or_changes_anothers(client):
    arn = client(STRANGER).create_filter(**RULE)["arn"]
    other = client(ADMIN)
    assert other.list_filters(arns=[arn])["filters"] == []
    assert refused(other.delete_filter, arn=arn)[0] == "ResourceNotFoundException"
    disguised = arn.replace(STRANGER, ADMIN)
    assert refused(client(STRANGER).delete_filter, arn=disguised)[0] == "ResourceNotFoundException"
    assert len(client(STRANGER).list_filters()["filters"]) == 1


def test_an_administrators_filters_are_its_organizations_and_members_have_none(client, database):
    found(database)
    arn = client(ADMIN).create_filter(**RULE)["arn"]
    assert f":{ADMIN}:owner/{ORGANIZATION}/filter/" in arn
    (listed,) = client(ADMIN).list_filters()["filters"]
    assert listed["ownerId"] == ORGANIZATION
    member = client(MEMBER)
    assert refused(member.create_filter, **RULE)[0] == "AccessDeniedException"
    assert refused(member.update_filter, filterArn=arn, name="mine")[0] == "AccessDeniedException"
    assert refused(member.delete_filter, arn=arn)[0] == "AccessDeniedException"
    assert member.list_filters()["filters"] == []


def test_lists_are_paged_and_narrowed(client, clock):
    ours = client(STRANGER)
    arns = []
    for number in range(5):
        clock.forward(seconds=1 if number != 2 else 0)
        action = "SUPPRESS" if number % 2 else "NONE"
        arns.append(ours.create_filter(action=action, name=f"f{number}", filterCriteria=HIGH)["arn"])
    pages = list(ours.get_paginator("list_filters").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["filters"]) for page in pages] == [2, 2, 1]
    assert {each["arn"] for page in pages for each in page["filters"]} == set(arns)
    assert [each["name"] for each in ours.list_filters(action="SUPPRESS")["filters"]] == ["f1", "f3"]
    assert [each["arn"] for each in ours.list_filters(arns=[arns[3], "no arn"])["filters"]] == [arns[3]]
    assert ours.list_filters(arns=[])["filters"] == []
    assert ours.list_filters(arns=[f"{number}" for number in range(70_000)])["filters"] == []
    token = ours.list_filters(maxResults=1)["nextToken"]
    assert refused(ours.list_filters, action="NONE", nextToken=token)[0] == "ValidationException"
