"""Findings come sorted as find/order.py says, each once, whatever the size of the pages."""

import itertools
import random
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, select
from tests.store.fleet import NOW, OURS, REGION, THEIRS, add_resource, finding_row

from openinspector.find.identity import finding_arn
from openinspector.find.order import SORT_FIELDS, sort_key
from openinspector.model.criteria import Criteria, StringFilter, parse_criteria
from openinspector.model.finding import (
    SEVERITIES,
    Finding,
    Life,
    NetworkReachability,
    Observation,
    PackageVulnerability,
    Step,
)
from openinspector.model.moment import moment_text
from openinspector.model.resource import Ec2Instance, EcrImage, Resource
from openinspector.store.criteria import conditions
from openinspector.store.find_queries import Sought, find_findings
from openinspector.store.rows import store_findings
from openinspector.store.tables import enrichment, finding, resource

SCORES = {"CVE-0": None, "CVE-1": 0.5, "CVE-2": 0.25, "CVE-3": 0.5}  # CVE-4 is unknown to everybody


def arn_of(account, id_):
    return f"arn:aws:inspector2:{REGION}:{account}:finding/{id_.hex}"


def made(connection, chance):
    """A fleet of random findings of two accounts; the pairs of resource and finding by ARN."""
    connection.execute(insert(enrichment), [{"vulnerability_id": key, "epss": SCORES[key]} for key in SCORES])
    pairs, rows = {}, []
    for account, number in itertools.product((OURS, THEIRS), range(4)):
        place, identity = made_resource(connection, chance, account, number)
        for each in range(5):
            row = random_row(chance, account, identity, f"{number}-{each}")
            rows.append(row)
            pairs[arn_of(account, row.id)] = place, noun(row)
    store_findings(connection, rows)
    return pairs


def made_resource(connection, chance, account, number):
    if number % 2:
        details = Ec2Instance()
        place = Resource(account=account, region=REGION, type="AWS_EC2_INSTANCE", id=f"i-{number}", details=details)
        return place, add_resource(connection, account, place.id)
    pushed = chance.choice([None, NOW, NOW + timedelta(days=1)])
    told = {"repository": chance.choice("ab"), "digest": "sha256:a", "registry": account}
    details = EcrImage(**told, pushed_at=moment_text(pushed) if pushed else "")
    kind = "AWS_ECR_CONTAINER_IMAGE"
    place = Resource(account=account, region=REGION, type=kind, id=f"image-{number}", details=details)
    return place, add_resource(connection, account, place.id, type=kind, details=told, pushed_at=pushed)


def random_row(chance, account, resource_id, key):
    common = {
        "id": UUID(int=chance.getrandbits(128)),
        "key": key,
        "status": chance.choice(["ACTIVE", "ACTIVE", "SUPPRESSED", "CLOSED"]),
        "severity": chance.randrange(len(SEVERITIES)),
        "first_observed_at": NOW + timedelta(days=chance.randrange(3)),
        "last_observed_at": NOW + timedelta(days=chance.randrange(3)),
    }
    if chance.random() < 0.3:
        kind = chance.choice(["AWS::EC2::InternetGateway", "AWS::EC2::VPCPeeringConnection"])
        network = {"protocol": chance.choice(["TCP", "UDP"]), "component_type": kind, "vulnerability_id": ""}
        return finding_row(account, resource_id, type="NETWORK_REACHABILITY", **network, **common)
    return finding_row(
        account,
        resource_id,
        vulnerability_id=f"CVE-{chance.randrange(5)}",
        vulnerability_source=chance.choice(["NVD", "DEBIAN_CVE", ""]),
        vendor_severity=chance.choice(["", "high", "HIGH"]),
        score=chance.choice([None, 0.0, 7.5, 9.8]),
        **common,
    )


def noun(row):
    if row.type == "NETWORK_REACHABILITY":
        path = (Step(component_id="x", component_type=row.component_type),)
        details = NetworkReachability(first_port=1, last_port=2, protocol=row.protocol, path=path)
    else:
        id_, source, word = row.vulnerability_id, row.vulnerability_source, row.vendor_severity
        details = PackageVulnerability(id=id_, source=source, vendor_severity=word, packages=())
    observation = Observation(
        key=row.key,
        title=row.title,
        description="",
        severity=SEVERITIES[row.severity],
        details=details,
        score=row.score,
        epss=SCORES.get(row.vulnerability_id),
    )
    life = Life(
        status=row.status,
        first_observed_at=moment_text(row.first_observed_at),
        last_observed_at=moment_text(row.last_observed_at),
        updated_at=moment_text(row.updated_at),
    )
    return Finding(arn=arn_of(row.account, row.id), observation=observation, life=life)


def listed(connection, sought, size):
    """The ARNs of all pages."""
    arns, after = [], None
    while True:
        page, after = find_findings(connection, sought, size, after)
        assert len(page) <= size
        arns += [arn_of(each.account, each.id) for each in page]
        if after is None:
            return arns


@pytest.fixture
def fleet(database):
    with database.system() as connection:
        pairs = made(connection, random.Random(11))
    return database, pairs


def test_a_finding_goes_by_the_end_of_its_arn():
    place = Resource(account=OURS, region=REGION, type="AWS_EC2_INSTANCE", id="i-1")
    arn = finding_arn(place, "CVE-1", moment_text(NOW))
    assert arn == arn_of(OURS, UUID(arn.rpartition("/")[2]))


@pytest.mark.parametrize("field", sorted(SORT_FIELDS))
def test_every_sort_is_that_of_the_nouns(fleet, field):
    database, pairs = fleet
    key = sort_key(field)
    with database.transaction(OURS, THEIRS) as connection:
        for is_descending, size in itertools.product((False, True), (1, 7, 100)):
            sought = Sought((THEIRS, OURS), REGION, Criteria(), field, is_descending)
            arns = listed(connection, sought, size)
            keys = [key(*pairs[each]) for each in arns]
            assert len(arns) == len(set(arns)) == len(pairs)
            assert keys == sorted(keys, reverse=is_descending)


@pytest.mark.parametrize("field", ["", *sorted(SORT_FIELDS)])
def test_pages_of_any_size_are_the_same_list(fleet, field):
    database, _ = fleet
    criteria = Criteria(finding_status=(StringFilter(comparison="EQUALS", value="ACTIVE"),))
    with database.transaction(OURS, THEIRS) as connection:
        for is_descending in (False, True):
            sought = Sought((OURS, THEIRS), REGION, criteria, field, is_descending)
            whole = listed(connection, sought, 100)
            assert whole
            assert listed(connection, sought, 1) == listed(connection, sought, 4) == whole


def test_without_criteria_all_statuses_are_found(fleet):
    database, pairs = fleet
    with database.transaction(OURS, THEIRS) as connection:
        assert set(listed(connection, Sought((OURS, THEIRS), REGION, Criteria()), 9)) == set(pairs)


def test_other_regions_and_accounts_are_not_found(fleet):
    database, pairs = fleet
    with database.transaction(OURS) as connection:
        assert not listed(connection, Sought((OURS,), "us-east-1", Criteria()), 9)
        ours = {arn for arn in pairs if f":{OURS}:" in arn}
        # Row security holds, whatever accounts are asked for.
        for field in ("", *SORT_FIELDS):
            assert set(listed(connection, Sought((OURS, THEIRS), REGION, Criteria(), field), 9)) == ours


def test_a_page_that_is_exactly_full_is_the_last(fleet):
    database, pairs = fleet
    with database.transaction(OURS, THEIRS) as connection:
        page, after = find_findings(connection, Sought((OURS, THEIRS), REGION, Criteria()), len(pairs))
    assert len(page) == len(pairs)
    assert after is None


def text_of(value, comparison="EQUALS"):
    return [{"comparison": comparison, "value": value}]


CRITERIA = [
    {"epssScore": [{"lowerInclusive": 0.3}]},
    {"relatedVulnerabilities": text_of("x", "NOT_EQUALS")},
    {"vulnerablePackages": [{"name": {"comparison": "PREFIX", "value": "lib"}}]},
    {"componentId": text_of("x", "NOT_EQUALS")},
    {"ecrImageTags": text_of("x", "NOT_EQUALS"), "findingStatus": text_of("ACTIVE")},
    {"ecrImageRepositoryName": text_of("a"), "severity": text_of("HIGH")},
    {"resourceTags": [{"comparison": "EQUALS", "key": "team"}]},
    {"lambdaFunctionRuntime": text_of("PYTHON", "PREFIX")},
    {"findingArn": text_of(f"arn:aws:inspector2:{REGION}:{OURS}:", "PREFIX")},
]


@pytest.mark.parametrize("parsed", CRITERIA, ids=lambda parsed: next(iter(parsed)))
def test_criteria_hold_in_every_kind_of_walk(fleet, parsed):
    database, _ = fleet
    criteria = parse_criteria(parsed)
    joined = select(finding.c.account, finding.c.id).join(resource, resource.c.id == finding.c.resource_id)
    with database.transaction(OURS, THEIRS) as connection:
        met = connection.execute(joined.where(*conditions(criteria)))
        expected = sorted(arn_of(row.account, row.id) for row in met)
        for field in ("", "SEVERITY", "FINDING_STATUS", "ECR_IMAGE_PUSHED_AT", "EPSS_SCORE"):
            assert sorted(listed(connection, Sought((OURS, THEIRS), REGION, criteria, field), 5)) == expected
