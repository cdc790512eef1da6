"""What is served as it was handed in: clusters of images, snippets of code, scans of machine images."""

from datetime import timedelta
from uuid import UUID

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import insert
from tests.service.callers import START
from tests.stored.organization import ADMIN, MEMBER, REGION, STRANGER, found

from openinspector.store.account_tables import code_snippet, image_use, on_demand_scan
from openinspector.store.tables import resource

REPOSITORY = f"arn:aws:ecr:{REGION}:{ADMIN}:repository/app"
ECS = {"awsEcsMetadataDetails": {"detailsGroup": "service:web", "taskDefinitionArn": "arn:aws:ecs:task"}}
AMI = "ami-0123456789abcdef0"


def cluster(name):
    return f"arn:aws:ecs:{REGION}:{ADMIN}:cluster/{name}"


@pytest.fixture
def images(database):
    """Two images of a repository: one in clusters a and b, one in b and, yesterday, in c."""
    uses = {"a" * 64: {"a": 1, "b": 2}, "b" * 64: {"b": 3, "c": 25}}  # hours since
    arns = [f"{REPOSITORY}/sha256:{digest}" for digest in uses]
    with database.system() as connection:
        for arn, clusters in zip(arns, uses.values(), strict=True):
            row = {"account": ADMIN, "region": REGION, "type": "AWS_ECR_CONTAINER_IMAGE", "external_id": arn}
            key = connection.execute(insert(resource).values(row).returning(resource.c.id)).scalar_one()
            for name, hours in clusters.items():
                row = {"account": ADMIN, "region": REGION, "cluster": cluster(name), "resource_id": key}
                seen = {"last_seen_at": START - timedelta(hours=hours), "running": hours, "document": ECS}
                connection.execute(insert(image_use).values(row | seen))
    return arns


def clusters(client, image, **given):
    pages = client.get_paginator("get_clusters_for_image").paginate(filter={"resourceId": image}, **given)
    return [each for page in pages for each in page["cluster"]]


def test_clusters_are_those_of_the_last_day(client, images):
    ours = client(ADMIN)
    first, second = images
    assert [each["clusterArn"] for each in clusters(ours, first)] == [cluster("a"), cluster("b")]
    (b,) = clusters(ours, second)
    assert b["clusterDetails"] == [
        {"lastInUse": START - timedelta(hours=3), "runningUnitCount": 3, "clusterMetadata": ECS}
    ]
    assert clusters(client(STRANGER), first) == []


def test_a_repositorys_clusters_are_its_images_and_go_on(client, images):
    listed = clusters(client(ADMIN), REPOSITORY, PaginationConfig={"PageSize": 1})
    assert [each["clusterArn"] for each in listed] == [cluster("a"), cluster("b")]
    assert [use["runningUnitCount"] for use in listed[1]["clusterDetails"]] == [2, 3]


def test_an_administrator_sees_where_its_members_images_run(client, images, database):
    with database.system() as connection:
        row = {"account": MEMBER, "region": REGION, "type": "AWS_ECR_CONTAINER_IMAGE"}
        image = f"arn:aws:ecr:{REGION}:{MEMBER}:repository/theirs/sha256:{'c' * 64}"
        row["external_id"] = image
        key = connection.execute(insert(resource).values(row).returning(resource.c.id)).scalar_one()
        use = {"account": MEMBER, "region": REGION, "cluster": cluster("m"), "resource_id": key, "last_seen_at": START}
        connection.execute(insert(image_use).values(use | {"document": ECS}))
    assert clusters(client(ADMIN), image) == []
    found(database)
    assert [each["clusterArn"] for each in clusters(client(ADMIN), image)] == [cluster("m")]


def test_a_snippet_is_its_accounts_alone(client, database):
    def arn(number, account=ADMIN):
        return f"arn:aws:inspector2:{REGION}:{account}:finding/{UUID(int=number).hex}"

    lines = {"startLine": 1, "endLine": 2, "codeSnippet": [{"content": "eval(x)", "lineNumber": 1}]}
    with database.system() as connection:
        for account, number in ((ADMIN, 1), (MEMBER, 2)):
            row = {"account": account, "region": REGION, "finding_id": UUID(int=number), "document": lines}
            connection.execute(insert(code_snippet).values(row))
    found(database)
    theirs = arn(2, MEMBER)
    answer = client(ADMIN).batch_get_code_snippet(findingArns=[arn(1), theirs, arn(3)])
    assert answer["codeSnippetResults"] == [{"findingArn": arn(1), **lines}]
    assert [(each["findingArn"], each["errorCode"]) for each in answer["errors"]] == [
        (theirs, "ACCESS_DENIED"),
        (arn(3), "CODE_SNIPPET_NOT_FOUND"),
    ]


def test_scans_of_an_image_are_newest_first_and_forgotten_after_30_days(client, database):
    with database.system() as connection:
        for days, key in ((1, "one"), (2, "two"), (31, "old")):
            at = START - timedelta(days=days)
            row = {"account": ADMIN, "region": REGION, "id": key, "resource": AMI, "created_at": at}
            connection.execute(insert(on_demand_scan).values(row | {"status": "SUCCESSFUL", "completed_at": at}))
    asked = {"resourceId": AMI, "resourceType": "AMI"}
    pages = client(ADMIN).get_paginator("list_on_demand_scans").paginate(**asked, PaginationConfig={"PageSize": 1})
    assert [each["scanId"] for page in pages for each in page["items"]] == ["one", "two"]
    read = client(ADMIN).get_on_demand_scan_status(**asked, scanId="one")
    assert (read["scanStatus"], read["completedAt"]) == ("SUCCESSFUL", START - timedelta(days=1))
    assert client(STRANGER).list_on_demand_scans(**asked)["items"] == []
    for account, key in ((STRANGER, "one"), (ADMIN, "old")):
        with pytest.raises(ClientError) as caught:
            client(account).get_on_demand_scan_status(**asked, scanId=key)
        assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
