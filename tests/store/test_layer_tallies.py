"""Findings in layers are counted as the inventories say, whatever happens to findings, resources and inventories."""

import itertools
import random
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update
from tests.store.fleet import OURS, REGION, THEIRS, add_resource, finding_row, paged

from openinspector.model.criteria import parse_criteria
from openinspector.model.inventory import Inventory, Layer, Target
from openinspector.model.match import Vulnerability
from openinspector.model.package import Location, Package
from openinspector.store import finding_counts
from openinspector.store.finding_counts import Asked
from openinspector.store.groupings import GROUPINGS
from openinspector.store.layer_tallies import KINDS, recount_layers
from openinspector.store.rows import Match, store_findings, store_inventory, store_matches, store_vulnerabilities
from openinspector.store.tables import layer_recount, layer_tally, resource

FLAWS = [f"CVE-{number}" for number in range(6)]
LAYERS = [f"sha256:{letter * 64}" for letter in "abc"]
ARNS = [f"arn:aws:lambda:{REGION}:{OURS}:layer:{name}:1" for name in ("tools", "extras")]


def inventories(connection, chance):
    """Some inventories of packages that lie here and there and have some flaws."""
    made = []
    store_vulnerabilities(
        connection, [Vulnerability(id=each) for each in FLAWS], dict.fromkeys(FLAWS, ("", None, "", ""))
    )
    for _ in range(4):
        packages = tuple(
            Package(
                type="npm",
                name=f"demo-{chance.randrange(4)}",
                version=str(number),
                location=Location(path=f"p{number}", layer=layer, introduced=chance.choice([layer, ""])),
            )
            for number, layer in enumerate(chance.choices(LAYERS, k=5))
        )
        target = Target(kind="image", name="x", layers=tuple(Layer(diff_id=each) for each in LAYERS))
        identity = store_inventory(connection, Inventory(target=target, packages=packages), lambda _: True)
        asked = text("SELECT package_id FROM inventory_package WHERE inventory_id = :inventory")
        for number in connection.execute(asked, {"inventory": identity}).scalars().all():
            states = ["affected", "affected", "will_not_fix"]
            matches = [
                Match(package_id=number, vulnerability_id=each, state=chance.choice(states))
                for each in chance.sample(FLAWS, 3)
            ]
            store_matches(connection, [], matches, 1)
        made.append(identity)
    return made


def places(connection):
    kinds = (*KINDS.values(), KINDS["image layer"], "AWS_EC2_INSTANCE")
    return [
        (account, add_resource(connection, account, f"{number}", type=kind, details={"layers": ARNS}))
        for account in (OURS, THEIRS)
        for number, kind in enumerate(kinds)
    ]


def happen(connection, chance, known, stored, rows):
    """Something happens to findings, or to what they are of."""
    deed = chance.choice(["come", "come", "change", "change", "go", "read again", "read again", "renamed", "counted"])
    account, place = chance.choice(known)
    some = chance.sample(sorted(rows), k=min(len(rows), 3))
    if deed == "come":
        for flaw in [each for each in chance.sample(FLAWS, 2) if (place, each) not in rows]:
            at = chance.choice(LAYERS)
            seen = {"package": {"type": "npm", "name": "gone", "version": "1", "location": {"path": "b", "layer": at}}}
            told = {"details": {"packages": [seen]}} if chance.random() < 0.2 else {}
            rows[place, flaw] = finding_row(account, place, flaw, id=UUID(int=chance.getrandbits(128)), **told)
            store_findings(connection, [rows[place, flaw]])
    elif deed == "change":
        for each in some:
            old = rows[each]
            rows[each] = finding_row(
                old.account,
                old.resource_id,
                old.key,
                id=old.id,
                status=chance.choice(["ACTIVE", "ACTIVE", "SUPPRESSED", "CLOSED"]),
                severity=chance.randrange(6),
                exploit=chance.choice([None, True, False]),
                fix=chance.choice(["YES", "NO", ""]),
            )
            store_findings(connection, [rows[each]])
    elif deed == "go":
        gone = [rows.pop(each).id for each in some]
        connection.execute(text("DELETE FROM finding WHERE id = ANY (:ids)"), {"ids": gone})
    elif deed == "read again":
        values = {"inventory_id": chance.choice([None, *stored])}
        connection.execute(update(resource).where(resource.c.id == place).values(values))
    elif deed == "renamed":
        values = {"details": {"layers": chance.sample(ARNS, chance.randrange(3))}}
        connection.execute(update(resource).where(resource.c.id == place).values(values))
    else:
        recount_layers(connection, chance.choice([1, 100]))


CRITERIA = [
    {},
    {"findingType": [{"comparison": "EQUALS", "value": "PACKAGE_VULNERABILITY"}]},
    {"awsAccountId": [{"comparison": "EQUALS", "value": OURS}]},
    {"resourceId": [{"comparison": "EQUALS", "value": "0"}]},
]


@pytest.mark.parametrize("seed", range(6))
def test_layers_of_tallies_are_those_of_findings(database, monkeypatch, seed):
    chance, rows, layers_seen = random.Random(seed), {}, 0
    with database.system() as connection:
        stored, known = inventories(connection, chance), places(connection)
    for number in range(12):
        with database.system() as connection:
            for _ in range(8):
                happen(connection, chance, known, stored, rows)
            while number % 4 == 3 and recount_layers(connection, 3):
                pass
        with database.transaction(OURS, THEIRS) as connection:
            for by, parsed in itertools.product(KINDS, CRITERIA):
                asked = Asked(by, (OURS, THEIRS), REGION, parse_criteria(parsed))
                assert finding_counts.is_tallied(GROUPINGS[by], asked)
                tallied = paged(connection, asked, 100)
                assert paged(connection, asked, 2) == tallied
                layers_seen += len(tallied)
                with monkeypatch.context() as patched:
                    patched.setattr(finding_counts, "is_tallied", lambda *_: False)
                    assert tallied == paged(connection, asked, 100), (by, parsed)
    assert layers_seen


def test_what_is_being_written_is_counted_later(database):
    with database.system() as connection:
        [(_, place), *_] = places(connection)
        store_findings(connection, [finding_row(OURS, place)])
    with database.system() as writer:
        writer.execute(select(resource.c.id).where(resource.c.id == place).with_for_update())
        with database.system() as connection:
            assert recount_layers(connection, 10) == 0
    with database.system() as connection:
        assert recount_layers(connection, 10) == 1
        assert recount_layers(connection, 10) == 0


def test_of_a_resource_that_is_gone_nothing_is_left(database):
    with database.system() as connection:
        stored, [(account, place), *_] = inventories(connection, random.Random(1)), places(connection)
        connection.execute(update(resource).where(resource.c.id == place).values(inventory_id=stored[0]))
        store_findings(connection, [finding_row(account, place, each) for each in FLAWS])
        recount_layers(connection, 10)
        counted = select(func.count()).select_from(layer_tally)
        assert connection.execute(counted).scalar_one() > 0
        connection.execute(text("DELETE FROM resource WHERE id = :place"), {"place": place})
        connection.execute(text("DELETE FROM finding"))
        assert recount_layers(connection, 10) == 1
        assert connection.execute(counted).scalar_one() == 0
        assert connection.execute(select(func.count()).select_from(layer_recount)).scalar_one() == 0
