"""Coverage: listed, narrowed by every criterion, counted, and seen by who may."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert
from tests.service.organization import ADMIN, MEMBER, REGION, STRANGER, found, refused

from openinspector.api.model import operations
from openinspector.store.tables import coverage, resource

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
INSTANCE, FUNCTION, REPOSITORY = "AWS_EC2_INSTANCE", "AWS_LAMBDA_FUNCTION", "AWS_ECR_REPOSITORY"
IMAGE, MACHINE, CODE = "AWS_ECR_CONTAINER_IMAGE", "MACHINE_IMAGE", "CODE_REPOSITORY"
REGISTRY = f"arn:aws:ecr:{REGION}:{ADMIN}:repository"
DIGEST = f"sha256:{'a' * 64}"
COMMIT = "c" * 40


def put(connection, account, kind, name, *scans, region=REGION, **values):
    row = {"account": account, "region": region, "type": kind, "external_id": name} | values
    number = connection.execute(insert(resource).values(row).returning(resource.c.id)).scalar_one()
    for scan in scans:
        seen = {"status": "ACTIVE", "reason": "SUCCESSFUL", "scan_type": "PACKAGE"} | scan
        connection.execute(insert(coverage).values(resource_id=number, account=account, region=region, **seen))


@pytest.fixture
def estate(database):
    """One resource of each kind of an account, one of another, and one in another region."""
    with database.system() as connection:
        stopped = {"status": "INACTIVE", "reason": "EC2_INSTANCE_STOPPED", "scan_mode": "EC2_SSM_AGENT_BASED"}
        scanned = {"last_scanned_at": NOW}
        put(
            connection, ADMIN, INSTANCE, "i-0aaaabbbbccccdddd", stopped | scanned, {"scan_type": "NETWORK"},
            platform="UBUNTU_22_04", tags={"env": "prod", "empty": ""}, details={"image_id": "ami-0123456789abcdef0"},
        )  # fmt: skip
        details = {
            "repository": "shop/web", "digest": DIGEST, "registry": ADMIN, "tags": ["v1", "latest"],
            "last_in_use_at": "2026-03-01T00:00:00.000000Z", "in_use_count": 3,
        }  # fmt: skip
        put(connection, ADMIN, IMAGE, f"{REGISTRY}/shop/web/{DIGEST}", {"image_pulled_at": NOW}, details=details)
        known = {"name": "shop/web", "scan_frequency": "CONTINUOUS_SCAN"}
        put(connection, ADMIN, REPOSITORY, f"{REGISTRY}/shop/web", {"metadata": known})
        details = {"name": "pay", "runtime": "python3.12", "code_sha256": "x", "layers": []}
        name = f"arn:aws:lambda:{REGION}:{ADMIN}:function:pay:$LATEST"
        put(connection, ADMIN, FUNCTION, name, {}, {"scan_type": "CODE"}, details=details, tags={"env": "test"})
        put(connection, ADMIN, MACHINE, "ami-0123456789abcdef0", {}, tags={"gold": "yes"})
        known = {"project_name": "shop", "provider": "GITHUB", "visibility": "PRIVATE", "last_scanned_commit": COMMIT}
        name = f"arn:aws:inspector2:{REGION}:{ADMIN}:codesecurity-integration/x/project-y"
        put(connection, ADMIN, CODE, name, {"scan_type": "CODE", "metadata": known})
        put(connection, MEMBER, INSTANCE, "i-0bbbbccccddddeeee", {})
        put(connection, ADMIN, INSTANCE, "i-0ccccddddeeeeffff", {}, region="eu-west-1")


def text(*values, comparison="EQUALS"):
    return [{"comparison": comparison, "value": value} for value in values]


def tagged(key, value=None):
    return [{"comparison": "EQUALS", "key": key} | ({} if value is None else {"value": value})]


def hit(client, **criteria):
    rows = client.list_coverage(filterCriteria=criteria)["coveredResources"]
    return sorted((each["resourceType"], each["scanType"]) for each in rows)


ALL = [
    (INSTANCE, "NETWORK"), (INSTANCE, "PACKAGE"), (IMAGE, "PACKAGE"), (REPOSITORY, "PACKAGE"), (FUNCTION, "CODE"),
    (FUNCTION, "PACKAGE"), (CODE, "CODE"), (MACHINE, "PACKAGE"),
]  # fmt: skip
INSTANCES, IMAGES, FUNCTIONS = ALL[:2], [ALL[2]], ALL[4:6]
PUSHED = [ALL[2], ALL[3]]
EARLY, LATE = NOW - timedelta(days=9), NOW + timedelta(days=9)
CASES = {
    "scanStatusCode": [(text("INACTIVE"), [(INSTANCE, "PACKAGE")])],
    "scanStatusReason": [(text("EC2_INSTANCE_STOPPED", "NO_INVENTORY"), [(INSTANCE, "PACKAGE")])],
    "accountId": [(text(ADMIN), ALL), (text(STRANGER), []), (text(ADMIN, comparison="NOT_EQUALS"), [])],
    "resourceId": [(text("i-0aaaabbbbccccdddd"), INSTANCES)],
    "resourceType": [(text(IMAGE, FUNCTION), IMAGES + FUNCTIONS)],
    "scanType": [(text("NETWORK"), [(INSTANCE, "NETWORK")])],
    "scanMode": [(text("EC2_SSM_AGENT_BASED"), [(INSTANCE, "PACKAGE")])],
    "lastScannedAt": [
        ([{"startInclusive": NOW, "endInclusive": NOW}], [(INSTANCE, "PACKAGE")]),
        ([{"startInclusive": LATE}, {"endInclusive": EARLY}], []),
        ([{}], [(INSTANCE, "PACKAGE")]),
    ],
    "imagePulledAt": [([{"startInclusive": EARLY}], IMAGES)],
    "ec2InstanceTags": [
        (tagged("env", "prod"), INSTANCES),
        (tagged("empty"), INSTANCES),
        (tagged("env", "test"), []),
        (tagged("env", "test") + tagged("env", "prod"), INSTANCES),
    ],
    "ecrRepositoryName": [(text("shop/web"), PUSHED)],
    "ecrImageTags": [
        (text("v1"), IMAGES),
        (text("v2"), []),
        (text("v1", comparison="NOT_EQUALS"), [each for each in ALL if each not in IMAGES]),
        (text("v1") + text("latest", comparison="NOT_EQUALS"), []),
    ],
    "ecrImageLastInUseAt": [([{"endInclusive": NOW}], IMAGES), ([{"startInclusive": NOW}], [])],
    "ecrImageInUseCount": [([{"lowerInclusive": 3, "upperInclusive": 3}], IMAGES), ([{"upperInclusive": 2}], [])],
    "lambdaFunctionName": [(text("pay"), FUNCTIONS)],
    "lambdaFunctionRuntime": [(text("PYTHON_3_12"), FUNCTIONS), (text("UNSUPPORTED"), [])],
    "lambdaFunctionTags": [(tagged("env"), FUNCTIONS)],
    "machineImageTags": [(tagged("gold", "yes"), [(MACHINE, "PACKAGE")])],
    "codeRepositoryProjectName": [(text("shop"), [(CODE, "CODE")])],
    "codeRepositoryProviderType": [(text("GITHUB"), [(CODE, "CODE")])],
    "codeRepositoryProviderTypeVisibility": [(text("PRIVATE"), [(CODE, "CODE")])],
    "lastScannedCommitId": [(text(COMMIT), [(CODE, "CODE")])],
    "cloudProvider": [(text("AWS"), ALL), (text("AZURE"), []), (text("GCP", comparison="NOT_EQUALS"), ALL)],
    "cloudProviderAccountId": [(text(ADMIN), ALL)],
    "cloudProviderRegion": [(text(REGION), ALL)],
    "cloudProviderOrgId": [(text("o-abcdefghij"), [])],
    "cloudVmInstanceTags": [(tagged("env", "prod"), INSTANCES)],
    "cloudContainerImageTags": [(text("latest"), IMAGES)],
    "cloudContainerRepositoryName": [(text("shop/web"), PUSHED)],
    "cloudContainerRegistryName": [(text(ADMIN), IMAGES)],
    "cloudServerlessFunctionName": [(text("pay"), FUNCTIONS)],
    "cloudServerlessFunctionRuntime": [(text("PYTHON_3_12"), FUNCTIONS)],
    "cloudServerlessFunctionTags": [(tagged("env", "test"), FUNCTIONS)],
}


def test_every_criterion_of_the_model_selects_what_it_should(client, estate):
    ours = client(ADMIN)
    assert CASES.keys() == operations()["ListCoverage"].input.members["filterCriteria"].shape.members.keys()
    for field, cases in CASES.items():
        for entries, expected in cases:
            assert hit(ours, **{field: entries}) == sorted(expected), (field, entries)


def test_fields_hold_together(client, estate):
    ours = client(ADMIN)
    assert hit(ours, ecrImageTags=text("v1"), ec2InstanceTags=tagged("env")) == []
    assert hit(ours, resourceType=text(INSTANCE), scanType=text("NETWORK")) == [(INSTANCE, "NETWORK")]


def test_a_row_says_how_a_resource_is_seen(client, estate):
    rows = client(ADMIN).list_coverage()["coveredResources"]
    by_kind = {(each["resourceType"], each["scanType"]): each for each in rows}
    assert by_kind[(INSTANCE, "PACKAGE")] == {
        "resourceType": INSTANCE,
        "resourceId": "i-0aaaabbbbccccdddd",
        "accountId": ADMIN,
        "scanType": "PACKAGE",
        "scanStatus": {"statusCode": "INACTIVE", "reason": "EC2_INSTANCE_STOPPED"},
        "resourceMetadata": {
            "ec2": {"tags": {"env": "prod", "empty": ""}, "amiId": "ami-0123456789abcdef0", "platform": "LINUX"}
        },
        "lastScannedAt": NOW,
        "scanMode": "EC2_SSM_AGENT_BASED",
        "provider": "AWS",
        "providerAccountId": ADMIN,
        "providerRegion": REGION,
        "providerPartition": "aws",
    }
    image = by_kind[IMAGES[0]]["resourceMetadata"]["ecrImage"]
    assert (image["tags"], image["imagePulledAt"], image["inUseCount"]) == (["v1", "latest"], NOW, 3)
    assert by_kind[(REPOSITORY, "PACKAGE")]["resourceMetadata"] == {
        "ecrRepository": {"name": "shop/web", "scanFrequency": "CONTINUOUS_SCAN"}
    }
    assert by_kind[(FUNCTION, "CODE")]["resourceMetadata"]["lambdaFunction"]["runtime"] == "PYTHON_3_12"
    assert by_kind[(CODE, "CODE")]["resourceMetadata"]["codeRepository"]["lastScannedCommitId"] == COMMIT


def test_administrators_see_their_members_and_others_themselves(client, estate, database):
    assert len(client(ADMIN).list_coverage()["coveredResources"]) == 8
    found(database)
    assert {each["accountId"] for each in client(ADMIN).list_coverage()["coveredResources"]} == {ADMIN, MEMBER}
    assert [each["accountId"] for each in client(MEMBER).list_coverage()["coveredResources"]] == [MEMBER]
    assert client(STRANGER).list_coverage()["coveredResources"] == []


def test_pages_give_every_row_once(client, estate, database):
    found(database)
    pages = client(ADMIN).get_paginator("list_coverage").paginate(PaginationConfig={"PageSize": 4})
    rows = [[(each["resourceId"], each["scanType"]) for each in page["coveredResources"]] for page in pages]
    assert [len(each) for each in rows] == [4, 4, 1]
    assert len({row for page in rows for row in page}) == 9


GROUPS = {
    "SCAN_STATUS_CODE": {"ACTIVE": 8, "INACTIVE": 1},
    "SCAN_STATUS_REASON": {"SUCCESSFUL": 8, "EC2_INSTANCE_STOPPED": 1},
    "ACCOUNT_ID": {ADMIN: 8, MEMBER: 1},
    "RESOURCE_TYPE": {INSTANCE: 3, IMAGE: 1, REPOSITORY: 1, FUNCTION: 2, MACHINE: 1, CODE: 1},
    "ECR_REPOSITORY_NAME": {"shop/web": 2},
    "PROVIDER": {"AWS": 9},
    "PROVIDER_ACCOUNT_ID": {ADMIN: 8, MEMBER: 1},
    "PROVIDER_REGION": {REGION: 9},
    "PROVIDER_ORG_ID": {},
}


def test_statistics_count_every_group(client, estate, database):
    found(database)
    ours = client(ADMIN)
    pages = ours.get_paginator("list_coverage_statistics")
    assert operations()["ListCoverageStatistics"].input.members["groupBy"].shape.choices == tuple(GROUPS)
    for group, expected in GROUPS.items():
        told = list(pages.paginate(groupBy=group))
        counts = [each for page in told for each in page.get("countsByGroup", [])]
        assert {each["groupKey"]: each["count"] for each in counts} == expected
        assert len(counts) == len(expected)
        assert {page["totalCounts"] for page in told} == {sum(expected.values())}


def test_without_groups_there_is_a_total_of_what_matches(client, estate):
    ours = client(ADMIN)
    told = ours.list_coverage_statistics()
    assert (told["totalCounts"], "countsByGroup" in told) == (8, False)
    told = ours.list_coverage_statistics(
        filterCriteria={"ec2InstanceTags": tagged("env", "prod")}, groupBy="SCAN_STATUS_CODE"
    )
    assert told["totalCounts"] == 2
    assert told["countsByGroup"] == [{"groupKey": "ACTIVE", "count": 1}, {"groupKey": "INACTIVE", "count": 1}]


def test_what_makes_no_sense_is_refused(client):
    ours = client(ADMIN)
    prefix = {"scanType": text("P", comparison="PREFIX")}
    assert refused(ours.list_coverage, filterCriteria=prefix)[0] == "ValidationException"
    assert refused(ours.list_coverage, filterCriteria={"scanType": []})[0] == "ValidationException"
    assert refused(ours.list_coverage_statistics, groupBy="WEEKDAY")[0] == "ValidationException"
