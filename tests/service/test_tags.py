"""Tags of what has an ARN."""

from tests.service.organization import ADMIN, ORGANIZATION, REGION, STRANGER, found, refused

RULE = {
    "action": "NONE",
    "name": "noise",
    "filterCriteria": {"severity": [{"comparison": "EQUALS", "value": "HIGH"}]},
}
CIS = {
    "scanName": "nightly",
    "securityLevel": "LEVEL_1",
    "schedule": {"daily": {"startTime": {"timeOfDay": "03:00", "timezone": "UTC"}}},
    "targets": {"accountIds": ["SELF"], "targetResourceTags": {"env": ["prod"]}},
}


def test_tags_are_added_replaced_and_taken_away(client):
    ours = client(STRANGER)
    arn = ours.create_filter(**RULE, tags={"team": "red"})["arn"]
    ours.tag_resource(resourceArn=arn, tags={"team": "blue", "Cost Center": "ünit@7", "a/b": ""})
    kept = {"team": "blue", "Cost Center": "ünit@7", "a/b": ""}
    assert ours.list_tags_for_resource(resourceArn=arn)["tags"] == kept
    assert ours.list_filters()["filters"][0]["tags"] == kept
    ours.untag_resource(resourceArn=arn, tagKeys=["team", "never-there"])
    assert ours.list_tags_for_resource(resourceArn=arn)["tags"].keys() == {"Cost Center", "a/b"}
    ours.tag_resource(resourceArn=arn, tags={})
    assert len(ours.list_tags_for_resource(resourceArn=arn)["tags"]) == 2


def test_a_cis_configuration_is_tagged_unless_an_organization_owns_it(client, database):
    ours = client(STRANGER)
    arn = ours.create_cis_scan_configuration(**CIS)["scanConfigurationArn"]
    ours.tag_resource(resourceArn=arn, tags={"team": "red"})
    assert ours.list_cis_scan_configurations()["scanConfigurations"][0]["tags"] == {"team": "red"}
    found(database)
    targets = CIS["targets"] | {"accountIds": ["ALL_ACCOUNTS"]}
    arn = client(ADMIN).create_cis_scan_configuration(**(CIS | {"targets": targets}))["scanConfigurationArn"]
    assert f"owner/{ORGANIZATION}/" in arn
    assert refused(client(ADMIN).tag_resource, resourceArn=arn, tags={"a": "b"})[0] == "BadRequestException"
    assert client(ADMIN).list_tags_for_resource(resourceArn=arn)["tags"] == {}


def test_fifty_tags_are_all_there_may_be(client):
    ours = client(STRANGER)
    arn = ours.create_filter(**RULE, tags={f"k{number}": "" for number in range(50)})["arn"]
    ours.tag_resource(resourceArn=arn, tags={"k0": "again"})
    assert refused(ours.tag_resource, resourceArn=arn, tags={"more": ""})[0] == "BadRequestException"
    assert refused(ours.tag_resource, resourceArn=arn, tags={"AWS:x": ""})[0] == "BadRequestException"


MISSING = [
    ("filter/0123456789abcdef", "ValidationException"),
    (f"arn:aws:s3:{REGION}:{STRANGER}:owner/x", "ValidationException"),
    (f"arn:aws:inspector2:{REGION}:{STRANGER}:finding/{'0' * 32}", "ResourceNotFoundException"),
    (f"arn:aws:inspector2:{REGION}:{STRANGER}:owner/{STRANGER}/filter/{'0' * 16}", "ResourceNotFoundException"),
    (f"arn:aws:inspector2:{REGION}:{STRANGER}:connector/{'0' * 8}", "ResourceNotFoundException"),
    (f"arn:aws:inspector2:{REGION}:{STRANGER}:codesecurity-integration/{'0' * 8}", "ResourceNotFoundException"),
]


def test_what_is_not_there_has_no_tags(client):
    ours = client(STRANGER)
    for arn, code in MISSING:
        assert refused(ours.tag_resource, resourceArn=arn, tags={"a": "b"})[0] == code
        assert refused(ours.untag_resource, resourceArn=arn, tagKeys=["a"])[0] == code
        assert refused(ours.list_tags_for_resource, resourceArn=arn)[0] == code


def test_an_arn_is_its_owners_alone_and_exact(client):
    arn = client(STRANGER).create_filter(**RULE, tags={"a": "b"})["arn"]
    elsewhere = [
        (client(ADMIN), arn),
        (client(ADMIN), arn.replace(STRANGER, ADMIN)),
        (client(STRANGER), arn.replace(f"owner/{STRANGER}", f"owner/{ADMIN}")),
        (client(STRANGER), arn.replace(REGION, "eu-west-1")),
        (client(STRANGER), arn.replace("arn:aws:", "arn:aws-cn:")),
    ]
    for theirs, name in elsewhere:
        assert refused(theirs.list_tags_for_resource, resourceArn=name)[0] == "ResourceNotFoundException"
