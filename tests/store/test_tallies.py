"""The tallies that triggers keep are what counting the findings gives, whatever happens to them."""

import itertools
import random
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from tests.store.fleet import NOW, OURS, REGION, THEIRS, add_resource, finding_row, paged

from openinspector.model.criteria import parse_criteria
from openinspector.store import finding_counts
from openinspector.store.finding_counts import Asked, count_findings
from openinspector.store.groupings import GROUPINGS
from openinspector.store.rows import store_findings
from openinspector.store.tallies import COUNTS, fold

TALLIED = sorted(name for name, grouping in GROUPINGS.items() if grouping.tally is not None)
KINDS = {
    "AWS_EC2_INSTANCE": {"image_id": "ami-1"},
    "AWS_ECR_CONTAINER_IMAGE": {"repository": "app", "registry": OURS, "digest": "sha256:a"},
    "AWS_LAMBDA_FUNCTION": {"name": "f", "runtime": "python3.12", "code_sha256": "x"},
}


def random_row(chance, account, resource_id, key):
    name = f"CVE-{chance.randrange(6)}"
    is_network = chance.random() < 0.2
    return finding_row(
        account,
        resource_id,
        key,
        id=UUID(int=chance.getrandbits(128)),
        type="NETWORK_REACHABILITY" if is_network else "PACKAGE_VULNERABILITY",
        vulnerability_id="" if is_network else name,
        title="Port 22 is open" if is_network else f"{name} - {chance.choice(['a', 'b'])}",
        status=chance.choice(["ACTIVE", "ACTIVE", "SUPPRESSED", "CLOSED"]),
        severity=chance.randrange(6),
        exploit=chance.choice([None, True, False]),
        fix=chance.choice(["YES", "NO", "PARTIAL", ""]),
        package_names=() if is_network else tuple(chance.choices(["a", "b", "c", ""], k=chance.randrange(4))),
        first_observed_at=NOW - timedelta(days=chance.randrange(3)),
    )


def happen(connection, chance, places, rows):
    """Something happens to some findings: they come, change, or go."""
    deed = chance.choice(["come", "come", "change", "change", "go", "fold"])
    some = chance.sample(sorted(rows, key=lambda each: each.id), k=min(len(rows), chance.randrange(1, 6)))
    if deed == "come" or not rows:
        new = [random_row(chance, *chance.choice(places), str(chance.getrandbits(60))) for _ in range(4)]
        store_findings(connection, new)
        rows += new
    elif deed == "change":
        for each in some:
            other = random_row(chance, each.account, each.resource_id, each.key)
            kept = ("id", "first_observed_at", "type", "vulnerability_id")
            changed = replace(other, **{name: getattr(each, name) for name in kept})
            rows[rows.index(each)] = changed
            store_findings(connection, [changed])
    elif deed == "go":
        statement = text("DELETE FROM finding WHERE id = ANY (:ids)")
        connection.execute(statement, {"ids": [each.id for each in some]})
        rows[:] = [each for each in rows if each not in some]
    else:
        fold(connection, chance.choice([2, 100]))


def places_of(connection):
    return [
        (account, add_resource(connection, account, f"r-{number}", type=kind, details=KINDS[kind]))
        for account in (OURS, THEIRS)
        for number, kind in enumerate((*KINDS, "AWS_EC2_INSTANCE"))
    ]


def comparable(groups):
    return sorted(groups, key=repr)


CRITERIA = [
    {},
    {"findingType": [{"comparison": "EQUALS", "value": "PACKAGE_VULNERABILITY"}]},
    {"resourceType": [{"comparison": "NOT_EQUALS", "value": "AWS_EC2_INSTANCE"}]},
    {"awsAccountId": [{"comparison": "EQUALS", "value": OURS}]},
]


@pytest.mark.parametrize("seed", range(4))
def test_aggregations_of_tallies_are_those_of_findings(database, monkeypatch, seed):
    chance, rows = random.Random(seed), []
    with database.system() as connection:
        places = places_of(connection)
        for _ in range(60):
            happen(connection, chance, places, rows)
    sorts = ("CRITICAL", "HIGH", "ALL")
    with database.transaction(OURS, THEIRS) as connection:
        for by, parsed, sort, is_descending in itertools.product(TALLIED, CRITERIA, sorts, (True, False)):
            asked = Asked(by, (OURS, THEIRS), REGION, parse_criteria(parsed), sort=sort, is_descending=is_descending)
            assert finding_counts.is_tallied(GROUPINGS[by], asked)
            tallied = paged(connection, asked, 100)
            numbers = [each.all if sort == "ALL" else each.severities[sort] for each in tallied]
            assert numbers == sorted(numbers, reverse=is_descending)
            assert paged(connection, asked, 2) == tallied
            with monkeypatch.context() as patched:
                patched.setattr(finding_counts, "is_tallied", lambda *_: False)
                assert comparable(tallied) == comparable(paged(connection, asked, 100)), (by, parsed)


def test_what_only_findings_know_is_asked_of_them(database):
    criteria = parse_criteria({"severity": [{"comparison": "EQUALS", "value": "HIGH"}]})
    with database.system() as connection:
        account, place = places_of(connection)[0]
        store_findings(connection, [finding_row(account, place, str(number), severity=number) for number in range(6)])
    with database.transaction(OURS) as connection:
        groups, _ = count_findings(connection, Asked("account", (OURS,), REGION, criteria), 10)
    assert [each.all for each in groups] == [1]


def test_folding_leaves_a_row_a_key_and_none_of_what_is_gone(database):
    with database.system() as connection:
        account, place = places_of(connection)[0]
        for number in range(5):
            store_findings(connection, [finding_row(account, place, str(number), vulnerability_id="CVE-1", title="t")])
        assert connection.execute(text("SELECT count(*) FROM flaw_tally")).scalar_one() == 5
        assert fold(connection, 3) == 3
        assert fold(connection, 3) == 2
        assert connection.execute(text("SELECT total, is_new FROM flaw_tally")).all() == [(5, False)]
        connection.execute(text("DELETE FROM finding"))
        fold(connection, 3)
        assert connection.execute(text("SELECT count(*) FROM flaw_tally")).scalar_one() == 0
        assert connection.execute(text("SELECT sum(total) FROM resource_tally")).scalar_one() == 0


def test_findings_whose_resource_went_first_are_taken_off(database):
    with database.system() as connection:
        account, place = places_of(connection)[0]
        store_findings(connection, [finding_row(account, place, package_names=("a",))])
        connection.execute(text("DELETE FROM resource"))
        connection.execute(text("DELETE FROM finding"))
        for table in ("flaw_tally", "package_tally", "resource_tally"):
            sums = ", ".join(f"sum({name})" for name in COUNTS)
            assert set(connection.execute(text(f"SELECT {sums} FROM {table}")).one()) == {0}


def test_an_account_sees_its_own_tallies_alone(database):
    with database.system() as connection:
        for account, place in places_of(connection):
            store_findings(connection, [finding_row(account, place, package_names=("a",))])
    with database.transaction(OURS) as connection:
        for table in ("flaw_tally", "package_tally", "resource_tally"):
            assert set(connection.execute(text(f"SELECT account FROM {table}")).scalars()) == {OURS}
