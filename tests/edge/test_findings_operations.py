"""What a client is told of findings: lists, counts and details, from a real database over a real port."""

from contextlib import contextmanager

import msgspec
import pytest
from botocore.exceptions import ClientError
from msgspec.structs import replace
from sqlalchemy import insert
from tests.unit.api.server import ACCOUNT, NOW, AllowAll, client_of, serving

from openinspector.api.handlers import Offer
from openinspector.api.operations import aggregations, findings
from openinspector.api.service import Circumstances, Service
from openinspector.find.identity import finding_arn
from openinspector.model.enrichment import Epss, Exploit, Kev
from openinspector.model.finding import (
    Finding,
    Life,
    NetworkReachability,
    Observation,
    PackageVulnerability,
    Step,
    VulnerablePackage,
)
from openinspector.model.inventory import Inventory, Layer, Target
from openinspector.model.match import Vulnerability
from openinspector.model.moment import moment_text
from openinspector.model.package import Location, Package
from openinspector.model.resource import Ec2Instance, EcrImage, LambdaFunction, Resource
from openinspector.store import estate
from openinspector.store.account_tables import member
from openinspector.store.findings import Written, write_findings
from openinspector.store.rows import Match, store_inventory, store_matches, store_vulnerabilities
from openinspector.store.tables import enrichment

OTHER, STRANGER = "444455556666", "777788889999"
REGION = "us-east-1"
MOMENT = moment_text(NOW)
LAYER = "sha256:" + "a" * 64
FUNCTION_LAYER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:tools:1"
AMI = "ami-0123456789abcdef0"


def instance(account, number, **values):
    details = Ec2Instance(image_id=AMI, vpc_id="vpc-01234567")
    id_ = f"i-0000000000000000{number}"
    told = {"platform": "AMAZON_LINUX_2023", "tags": {"team": "red"}, "details": details} | values
    return Resource(account=account, region=REGION, type="AWS_EC2_INSTANCE", id=id_, **told)


def image(account, number, repository="web"):
    digest = "sha256:" + f"{number}" * 64
    details = EcrImage(
        repository=repository,
        digest=digest,
        registry=account,
        tags=("latest",),
        architecture="amd64",
        last_in_use_at=MOMENT,
        in_use_count=2,
    )
    id_ = f"arn:aws:ecr:{REGION}:{account}:repository/{repository}/{digest}"
    return Resource(account=account, region=REGION, type="AWS_ECR_CONTAINER_IMAGE", id=id_, details=details)


def function(account):
    details = LambdaFunction(
        name="f",
        runtime="python3.12",
        code_sha256="x",
        layers=(FUNCTION_LAYER,),
        last_modified_at=MOMENT,
        role_arn=f"arn:aws:iam::{account}:role/f",
    )
    id_ = f"arn:aws:lambda:{REGION}:{account}:function:f:$LATEST"
    return Resource(account=account, region=REGION, type="AWS_LAMBDA_FUNCTION", id=id_, details=details)


def flaw(place, id_, severity="HIGH", status="ACTIVE", package="libdemo", **values):
    found = VulnerablePackage(package=Package(type="npm", name=package, version="1", location=Location(path="a")))
    details = PackageVulnerability(id=id_, source="NVD", packages=(found,))
    told = {"key": id_, "title": f"{id_} - {package}", "description": "d", "severity": severity, "details": details}
    return known(place, Observation(**(told | values)), status)


def path(place):
    steps = (Step(component_id="igw-1", component_type="AWS::EC2::InternetGateway"),)
    details = NetworkReachability(first_port=22, last_port=22, protocol="TCP", path=steps)
    title = "Port 22 is reachable from an Internet Gateway - TCP"
    return known(place, Observation(key="net", title=title, description="d", severity="MEDIUM", details=details))


def known(place, observation, status="ACTIVE"):
    closed = MOMENT if status == "CLOSED" else ""
    life = Life(status=status, first_observed_at=MOMENT, last_observed_at=MOMENT, updated_at=MOMENT, closed_at=closed)
    return Finding(arn=finding_arn(place, observation.key, MOMENT), observation=observation, life=life)


def keep(connection, place, *known_findings, inventory_id=None):
    entered = estate.enter(connection, place, NOW)
    estate.describe(connection, entered, place, "running", NOW, inventory_id)
    written = [Written(finding=each, digest=None) for each in known_findings]
    write_findings(connection, place, entered.id, inventory_id, written)
    return [each.arn for each in known_findings]


def keep_packages(connection, flaw_id, *layers):
    """An inventory with a vulnerable package in the first of these layers."""
    package = Package(type="npm", name="libdemo", version="1", location=Location(path="a", layer=layers[0]))
    target = Target(kind="image", name="x", layers=tuple(Layer(diff_id=each) for each in layers))
    identity = store_inventory(connection, Inventory(target=target, packages=(package,)), lambda _: True)
    [number] = connection.exec_driver_sql(
        "SELECT package_id FROM inventory_package WHERE inventory_id = %s", (identity,)
    ).scalars()
    store_matches(connection, [], [Match(package_id=number, vulnerability_id=flaw_id)], 1)
    return identity


@contextmanager
def served(database):
    offer = Offer(findings.OPERATIONS | aggregations.OPERATIONS, {})
    circumstances = Circumstances(
        authenticator=AllowAll(),
        connect=database.transaction,
        region=REGION,
        token_key=b"k" * 32,
        clock=lambda: NOW,
        check_output=True,
    )
    with serving(Service(offer, circumstances)) as address:
        yield client_of(address)


@pytest.fixture
def client(database):
    with served(database) as made:
        yield made


def counted(client, kind, member=None, **request):
    union = {"aggregationRequest": {member: request}} if request else {}
    answer = client.list_finding_aggregations(aggregationType=kind, **union)
    assert answer["aggregationType"] == kind
    return [only for each in answer["responses"] for only in each.values()]


def counts(**some):
    words = ("all", "critical", "high", "medium", "low", "informational", "untriaged")
    return dict.fromkeys(words, 0) | some


def test_findings_of_every_status_are_listed_as_the_service_writes_them(database, client):
    place = instance(ACCOUNT, 1)
    with database.system() as connection:
        arns = keep(connection, place, flaw(place, "CVE-1"), flaw(place, "CVE-2", status="CLOSED"), path(place))
    answer = client.list_findings()
    assert "nextToken" not in answer
    assert [each["findingArn"] for each in answer["findings"]] == sorted(arns)
    by_type = {each["findingArn"]: each for each in answer["findings"]}
    one = by_type[arns[0]]
    assert one["packageVulnerabilityDetails"]["vulnerablePackages"][0]["name"] == "libdemo"
    assert one["resources"][0]["id"] == place.id
    assert one["firstObservedAt"] == NOW
    assert by_type[arns[2]]["networkReachabilityDetails"]["openPortRange"] == {"begin": 22, "end": 22}


def test_a_page_holds_ten_findings_unless_told_otherwise_and_pages_lead_to_all(database, client):
    place = instance(ACCOUNT, 1)
    with database.system() as connection:
        arns = keep(connection, place, *(flaw(place, f"CVE-{number}") for number in range(23)))
    assert len(client.list_findings()["findings"]) == 10
    order = {"field": "VULNERABILITY_ID", "sortOrder": "DESC"}
    pages = client.get_paginator("list_findings").paginate(sortCriteria=order, PaginationConfig={"PageSize": 5})
    listed = [each["packageVulnerabilityDetails"]["vulnerabilityId"] for page in pages for each in page["findings"]]
    assert listed == sorted((f"CVE-{number}" for number in range(23)), reverse=True)
    assert len(arns) == len(listed)


def test_a_token_is_for_its_own_question(database, client):
    place = instance(ACCOUNT, 1)
    with database.system() as connection:
        keep(connection, place, flaw(place, "CVE-1"), flaw(place, "CVE-2"))
    token = client.list_findings(maxResults=1)["nextToken"]
    criteria = {"severity": [{"comparison": "EQUALS", "value": "HIGH"}]}
    with pytest.raises(ClientError, match="ValidationException"):
        client.list_findings(maxResults=1, nextToken=token, filterCriteria=criteria)


def test_criteria_narrow_a_list(database, client):
    place = instance(ACCOUNT, 1)
    with database.system() as connection:
        arns = keep(connection, place, flaw(place, "CVE-1"), flaw(place, "CVE-2", status="SUPPRESSED"), path(place))
    for criteria, expected in (
        ({"findingStatus": [{"comparison": "EQUALS", "value": "ACTIVE"}]}, [arns[0], arns[2]]),
        ({"vulnerabilityId": [{"comparison": "PREFIX", "value": "CVE-"}]}, arns[:2]),
        ({"portRange": [{"beginInclusive": 20, "endInclusive": 30}]}, arns[2:]),
        ({"firstObservedAt": [{"startInclusive": NOW}]}, arns),
        ({"awsAccountId": [{"comparison": "EQUALS", "value": OTHER}]}, []),
    ):
        listed = client.list_findings(filterCriteria=criteria)["findings"]
        assert [each["findingArn"] for each in listed] == sorted(expected)


def test_an_administrator_sees_its_members_and_nobody_else(database, client):
    with database.system() as connection:
        connection.execute(insert(member).values(account=ACCOUNT, region=REGION, member=OTHER, status="ENABLED"))
        connection.execute(insert(member).values(account=ACCOUNT, region=REGION, member=STRANGER, status="CREATED"))
        for account in (ACCOUNT, OTHER, STRANGER):
            place = instance(account, 1)
            keep(connection, place, flaw(place, "CVE-1"))
    listed = client.list_findings()["findings"]
    assert [each["awsAccountId"] for each in listed] == [ACCOUNT, OTHER]
    assert [each["accountId"] for each in counted(client, "ACCOUNT")] == [OTHER, ACCOUNT]
    ours = [{"comparison": "EQUALS", "value": ACCOUNT}]
    answer = client.list_finding_aggregations(aggregationType="ACCOUNT", accountIds=ours)
    assert [each["accountAggregation"]["accountId"] for each in answer["responses"]] == [ACCOUNT]


def test_details_are_those_of_the_flaw(database, client):
    place = instance(ACCOUNT, 1)
    stranger = instance(STRANGER, 1)
    about = Vulnerability(id="CVE-1", cwes=("CWE-79",), references=("https://example.org/1",))
    kev = Kev(vulnerability="CVE-1", date_added="2024-01-02", due_date="2024-01-23", required_action="Update.")
    exploit = Exploit(vulnerability="CVE-1", source="exploit-db", ids=("EDB-1",), date="2024-01-01")
    epss = Epss(vulnerability="CVE-1", score=0.25)
    with database.system() as connection:
        arns = keep(connection, place, flaw(place, "CVE-1"), path(place))
        arns += keep(connection, stranger, flaw(stranger, "CVE-1"))
        store_vulnerabilities(connection, [about], {})
        said = {"kev": msgspec.to_builtins(kev), "exploits": msgspec.to_builtins([exploit]), "epss": epss.score}
        connection.execute(insert(enrichment).values(vulnerability_id="CVE-1", **said))
    gone = arns[0][:-32] + "0" * 32
    abroad = arns[0].replace(REGION, "eu-west-1")
    answer = client.batch_get_finding_details(findingArns=[*arns, gone, abroad])
    [details] = answer["findingDetails"]
    assert details["findingArn"] == arns[0]
    assert details["cwes"] == ["CWE-79"]
    assert details["epssScore"] == 0.25
    assert details["cisaData"]["action"] == "Update."
    assert [(each["findingArn"], each["errorCode"]) for each in answer["errors"]] == [
        (arns[1], "FINDING_DETAILS_NOT_FOUND"),
        (arns[2], "ACCESS_DENIED"),
        (gone, "FINDING_DETAILS_NOT_FOUND"),
        (abroad, "FINDING_DETAILS_NOT_FOUND"),
    ]


@pytest.fixture
def estate_of_three(database):
    machine, picture, code = instance(ACCOUNT, 1), image(ACCOUNT, 1), function(ACCOUNT)
    with database.system() as connection:
        keep(
            connection,
            machine,
            flaw(machine, "CVE-1", "CRITICAL", exploit=True, fix="YES"),
            flaw(machine, "CVE-2", package="openssl"),
            flaw(machine, "CVE-3", "CRITICAL", status="CLOSED"),
            flaw(machine, "CVE-4", "CRITICAL", status="SUPPRESSED"),
            path(machine),
        )
        layers = keep_packages(connection, "CVE-1", LAYER)
        keep(connection, picture, flaw(picture, "CVE-1"), flaw(picture, "CVE-5", "LOW"), inventory_id=layers)
        layers = keep_packages(connection, "CVE-1", "sha256:" + "b" * 64, "sha256:" + "c" * 64)
        keep(connection, code, flaw(code, "CVE-1", "UNTRIAGED"), inventory_id=layers)
    return machine, picture, code


CLOUD = {"cloudProvider": "AWS", "cloudPartition": "aws", "cloudRegion": REGION, "cloudAccountId": ACCOUNT}
OF_MACHINE = counts(all=3, critical=1, high=1, medium=1)
OF_IMAGE = counts(all=2, high=1, low=1)
OF_FUNCTION = counts(all=1, untriaged=1)
WHOLE = counts(all=6, critical=1, high=2, medium=1, low=1, untriaged=1)
JUDGED = {"exploitAvailableActiveFindingsCount": 1, "fixAvailableActiveFindingsCount": 1}
UNJUDGED = {"exploitAvailableActiveFindingsCount": 0, "fixAvailableActiveFindingsCount": 0}


def test_only_active_findings_count(estate_of_three, client):
    numbers = {"exploitAvailableCount": 1, "fixAvailableCount": 1}
    told = {"accountId": ACCOUNT, "severityCounts": WHOLE, **numbers}
    assert counted(client, "ACCOUNT") == [told]
    assert counted(client, "FINDING_TYPE") == [told | CLOUD]
    [network] = counted(client, "FINDING_TYPE", "findingTypeAggregation", findingType="NETWORK_REACHABILITY")
    assert network["severityCounts"] == counts(all=1, medium=1)
    [of_image] = counted(client, "ACCOUNT", "accountAggregation", resourceType="AWS_ECR_CONTAINER_IMAGE")
    assert of_image["severityCounts"] == OF_IMAGE


def test_packages_and_titles_are_counted(estate_of_three, client):
    assert counted(client, "PACKAGE") == [
        {
            "packageName": "libdemo",
            "accountId": ACCOUNT,
            "severityCounts": counts(all=4, critical=1, high=1, low=1, untriaged=1),
        },
        {"packageName": "openssl", "accountId": ACCOUNT, "severityCounts": counts(all=1, high=1)},
    ]
    names = [{"comparison": "PREFIX", "value": "open"}]
    assert [each["packageName"] for each in counted(client, "PACKAGE", "packageAggregation", packageNames=names)] == [
        "openssl"
    ]
    ids = [{"comparison": "EQUALS", "value": "CVE-1"}]
    assert counted(client, "TITLE", "titleAggregation", vulnerabilityIds=ids) == [
        {
            "title": "CVE-1 - libdemo",
            "vulnerabilityId": "CVE-1",
            "accountId": ACCOUNT,
            "severityCounts": counts(all=3, critical=1, high=1, untriaged=1),
        }
    ]


def test_instances_are_counted(estate_of_three, client):
    machine, *_ = estate_of_three
    shared = {"accountId": ACCOUNT, "severityCounts": OF_MACHINE}
    about = {"operatingSystem": "AMAZON_LINUX_2023", "networkFindings": 1}
    assert counted(client, "AMI") == [
        {"ami": AMI, "affectedInstances": 1, "scanSource": "INSTANCE_SCAN", **shared, **CLOUD}
    ]
    assert not counted(client, "AMI", "amiAggregation", scanSources=["MACHINE_IMAGE_SCAN"])
    assert counted(client, "AWS_EC2_INSTANCE") == [
        {"instanceId": machine.id, "ami": AMI, "instanceTags": {"team": "red"}, **shared, **about}
    ]
    assert counted(client, "VM_INSTANCE") == [
        {
            "resourceId": machine.id,
            "vmImageReference": AMI,
            "tags": {"team": "red"},
            **shared,
            **about,
            **JUDGED,
            **CLOUD,
        }
    ]
    tags = [{"comparison": "EQUALS", "key": "team", "value": "blue"}]
    assert not counted(client, "AWS_EC2_INSTANCE", "ec2InstanceAggregation", instanceTags=tags)
    systems = [{"comparison": "PREFIX", "value": "AMAZON"}]
    assert counted(client, "AWS_EC2_INSTANCE", "ec2InstanceAggregation", operatingSystems=systems)


def test_images_are_counted(estate_of_three, client):
    _, picture, _ = estate_of_three
    shared = {"accountId": ACCOUNT, "severityCounts": OF_IMAGE}
    about = {
        "resourceId": picture.id,
        "repository": "web",
        "architecture": "amd64",
        "imageTags": ["latest"],
        "lastInUseAt": NOW,
        "inUseCount": 2,
    }
    digest = picture.details.digest
    assert counted(client, "REPOSITORY") == [{"repository": "web", "affectedImages": 1, **shared, **CLOUD}]
    assert counted(client, "AWS_ECR_CONTAINER") == [{"imageSha": digest, **shared, **about}]
    assert counted(client, "CONTAINER_IMAGE") == [
        {"imageDigest": digest, "registry": ACCOUNT, **shared, **about, **UNJUDGED, **CLOUD}
    ]
    uses = [{"lowerInclusive": 3}]
    assert not counted(client, "AWS_ECR_CONTAINER", "awsEcrContainerAggregation", inUseCount=uses)
    partitions = [{"comparison": "EQUALS", "value": "aws-cn"}]
    assert not counted(client, "CONTAINER_IMAGE", "containerImageAggregation", cloudPartitions=partitions)


def test_functions_are_counted(estate_of_three, client):
    *_, code = estate_of_three
    shared = {"resourceId": code.id, "accountId": ACCOUNT, "severityCounts": OF_FUNCTION}
    about = {"functionName": "f", "runtime": "PYTHON_3_12", "lastModifiedAt": NOW}
    assert counted(client, "AWS_LAMBDA_FUNCTION") == [{"lambdaTags": {}, **shared, **about}]
    assert counted(client, "SERVERLESS_FUNCTION") == [{"tags": {}, **shared, **about, **UNJUDGED, **CLOUD}]


def test_layers_are_counted_by_what_lies_in_them(estate_of_three, client):
    _, picture, code = estate_of_three
    assert counted(client, "IMAGE_LAYER") == [
        {
            "repository": "web",
            "resourceId": picture.id,
            "layerHash": LAYER,
            "accountId": ACCOUNT,
            "severityCounts": counts(all=1, high=1),
            **CLOUD,
        }
    ]
    assert counted(client, "LAMBDA_LAYER") == [
        {
            "functionName": "f",
            "resourceId": code.id,
            "layerArn": FUNCTION_LAYER,
            "accountId": ACCOUNT,
            "severityCounts": OF_FUNCTION,
        }
    ]
    other = [{"comparison": "NOT_EQUALS", "value": LAYER}]
    assert not counted(client, "IMAGE_LAYER", "imageLayerAggregation", layerHashes=other)


def test_there_are_no_code_repositories(estate_of_three, client):
    assert counted(client, "CODE_REPOSITORY") == []


def test_groups_come_in_pages_the_worst_first(database, client):
    with database.system() as connection:
        for number in range(7):
            place = image(ACCOUNT, number, repository=f"r{number % 4}")
            found = [flaw(place, f"CVE-{each}", "CRITICAL") for each in range(number % 3)]
            keep(connection, place, flaw(place, "CVE-9"), *found)
    for kind, least in (("AWS_ECR_CONTAINER", 7), ("REPOSITORY", 4), ("TITLE", 3), ("ACCOUNT", 1)):
        pages = client.get_paginator("list_finding_aggregations").paginate(
            aggregationType=kind, PaginationConfig={"PageSize": 2}
        )
        groups = [only for page in pages for each in page["responses"] for only in each.values()]
        worst = [each["severityCounts"]["critical"] for each in groups]
        assert len(groups) == least
        assert worst == sorted(worst, reverse=True)
    by_images = {"sortBy": "AFFECTED_IMAGES", "sortOrder": "ASC"}
    affected = [each["affectedImages"] for each in counted(client, "REPOSITORY", "repositoryAggregation", **by_images)]
    assert affected == [1, 2, 2, 2]


def test_a_request_of_another_kind_makes_no_sense(client):
    with pytest.raises(ClientError, match="TITLE is asked for by titleAggregation"):
        counted(client, "TITLE", "packageAggregation", sortBy="ALL")


def test_a_closed_finding_keeps_its_packages_in_the_list(database, client):
    place = instance(ACCOUNT, 1)
    closed = flaw(place, "CVE-1", status="CLOSED")
    with database.system() as connection:
        keep(connection, place, replace(closed, life=replace(closed.life, delete_at=MOMENT)))
    [one] = client.list_findings()["findings"]
    assert one["status"] == "CLOSED"
    assert one["packageVulnerabilityDetails"]["vulnerablePackages"][0]["name"] == "libdemo"


@pytest.mark.parametrize("value", ["%", "_", "'; --", ":a"])
@pytest.mark.parametrize("comparison", ["EQUALS", "PREFIX", "NOT_EQUALS"])
def test_odd_texts_are_compared_like_others(estate_of_three, client, value, comparison):
    entries = [{"comparison": comparison, "value": value}]
    expected = ["libdemo", "openssl"] if comparison == "NOT_EQUALS" else []
    groups = counted(client, "PACKAGE", "packageAggregation", packageNames=entries)
    assert [each["packageName"] for each in groups] == expected
    assert bool(client.list_findings(filterCriteria={"title": entries})["findings"]) == bool(expected)
