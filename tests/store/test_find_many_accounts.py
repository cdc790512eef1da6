"""A list of many accounts' findings is the same however few of each are looked at first."""

import itertools
import random
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert
from tests.store.fleet import NOW, REGION, add_resource, finding_row

from openinspector.find.order import SORT_FIELDS
from openinspector.model.criteria import parse_criteria
from openinspector.store import find_queries
from openinspector.store.find_queries import Sought, find_findings
from openinspector.store.rows import store_findings
from openinspector.store.tables import enrichment

ACCOUNTS = tuple(f"{number:012d}" for number in range(1, 13))
SEED = 7


@pytest.fixture
def fleet(database):
    """Twelve accounts with none to forty findings, of which many are equal in what they are sorted by."""
    chance = random.Random(SEED)
    with database.system() as connection:
        scores = [{"vulnerability_id": f"CVE-{number}", "epss": (None, 0.1, 0.7)[number % 3]} for number in range(6)]
        connection.execute(insert(enrichment), scores)
        rows = []
        for account in ACCOUNTS:
            for number in range(2):
                kind = chance.choice(["AWS_EC2_INSTANCE", "AWS_ECR_CONTAINER_IMAGE"])
                details = {"repository": chance.choice("ab"), "registry": account} if "ECR" in kind else {}
                place = add_resource(connection, account, f"r-{number}", type=kind, details=details)
                for each in range(chance.choice([0, 1, 3, 20])):
                    name = f"CVE-{chance.randrange(8)}"
                    told = {
                        "id": UUID(int=chance.getrandbits(128)),
                        "vulnerability_id": name,
                        "title": f"{name} - demo",
                        "severity": chance.randrange(6),
                        "status": chance.choice(["ACTIVE", "ACTIVE", "SUPPRESSED"]),
                        "score": chance.choice([None, 5.0, 9.8]),
                        "exploit": chance.random() < 0.1,
                        "first_observed_at": NOW + timedelta(days=chance.randrange(3)),
                    }
                    rows.append(finding_row(account, place, f"{number}-{each}", **told))
        store_findings(connection, rows)
    return database


def listed(connection, sought, size):
    found, after = [], None
    while True:
        page, after = find_findings(connection, sought, size, after)
        found += page
        if after is None:
            return found


CRITERIA = [
    {},
    {"findingStatus": [{"comparison": "EQUALS", "value": "SUPPRESSED"}]},
    {"resourceType": [{"comparison": "EQUALS", "value": "AWS_EC2_INSTANCE"}]},
    {"title": [{"comparison": "PREFIX", "value": "CVE-3"}]},
    {"epssScore": [{"lowerInclusive": 0.5}]},
]


@pytest.mark.parametrize("parsed", CRITERIA, ids=lambda parsed: next(iter(parsed), "none"))
def test_looking_at_few_of_each_account_first_changes_nothing(fleet, parsed, monkeypatch):
    criteria = parse_criteria(parsed)
    with fleet.transaction(*ACCOUNTS) as connection:
        for field, is_descending in itertools.product(("", *sorted(SORT_FIELDS)), (False, True)):
            sought = Sought(ACCOUNTS, REGION, criteria, field, is_descending)
            monkeypatch.setattr(find_queries, "_FEW", 1_000)
            whole = listed(connection, sought, 1_000)
            assert len(set(whole)) == len(whole)
            for few, size in ((1, 5), (2, 20), (8, 40)):
                monkeypatch.setattr(find_queries, "_FEW", few)
                assert listed(connection, sought, size) == whole, (field, is_descending, few, size)


def test_findings_come_by_their_accounts_where_nothing_else_is_asked(fleet):
    with fleet.transaction(*ACCOUNTS) as connection:
        found = listed(connection, Sought(ACCOUNTS, REGION, parse_criteria({})), 11)
        assert found == sorted(found)
        assert listed(connection, Sought(ACCOUNTS, REGION, parse_criteria({}), "", True), 11) == found[::-1]
