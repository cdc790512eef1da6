"""Resources that are due are looked at again, in what was read from them last."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from tests.service.callers import REGION, START

from openinspector.model.advisory import Advisory, Affected, Range
from openinspector.model.inventory import Inventory, Target
from openinspector.model.package import Location, Package
from openinspector.model.resource import AccountId, Resource
from openinspector.pipeline import ingest as ingesting
from openinspector.pipeline.chores.look_again import PLUGIN
from openinspector.pipeline.ingest import ingest, look_again
from openinspector.pipeline.rematch import rematch
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.kept_generations import KeptGenerations
from openinspector.store.part import write_part
from openinspector.store.tables import coverage, finding, resource

HOST = Resource(account=AccountId("111122223333"), region=REGION, type="AWS_EC2_INSTANCE", id="i-0aaaabbbbccccdddd")
SEEN = Inventory(
    target=Target(kind="host", name="host"),
    packages=(
        Package(type="pypi", name="flask", version="1.0", location=Location(path="srv/flask")),
        Package(type="npm", name="left-pad", version="1.0.0", location=Location(path="srv/left-pad")),
    ),
)


@pytest.fixture
def compiled(tmp_path):
    opened = []

    def make(*flaws, built="2026-03-01T00:00:00Z"):
        folder = tmp_path / f"advisories-{len(opened)}"
        folder.mkdir()
        below = (Range(fixed="2.0.0"),)
        records = [
            Advisory(
                id=flaw,
                affected=tuple(
                    Affected(namespace=space, name=name, ranges=below) for told, space, name in flaws if told == flaw
                ),
            )
            for flaw in sorted({flaw for flaw, _, _ in flaws})
        ]
        write_part(folder / "osv.sqlite", records)
        state = FeedState(name="osv", revision=1, digest=f"{flaws}", fetched="", parts=(folder / "osv.sqlite",))
        compile_parts(folder / "advisories.sqlite", [state], {"built": built})
        opened.append(AdvisoryFile(folder / "advisories.sqlite"))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def older(compiled):
    return compiled(("CVE-2030-0001", "pypi", "flask"))


@pytest.fixture
def newer(compiled):
    """Advisories that speak of the other package."""
    others = (("CVE-2030-0003", "pypi", "other"), ("CVE-2030-0003", "npm", "other"))
    return compiled(("CVE-2030-0002", "npm", "left-pad"), *others, built="2026-03-02T00:00:00Z")


def statuses(database):
    with database.system() as connection:
        rows = connection.execute(select(finding.c.vulnerability_id, finding.c.status).order_by(finding.c.key))
        return [tuple(row) for row in rows]


def is_due(database, at=START):
    with database.system() as connection:
        connection.execute(update(coverage).values(due_at=at, due_reason="enabled"))


def due_at(database):
    with database.system() as connection:
        return connection.execute(select(coverage.c.due_at)).scalar_one()


def test_what_is_due_follows_advisories_that_came_while_it_was_not_scanned(
    database, work, older, newer, poked, tmp_path, clock
):
    ingest(database, older, HOST, SEEN, START)
    with database.system() as connection:
        connection.execute(update(resource).values(state="disabled"))
        connection.execute(update(coverage).values(status="INACTIVE", reason="PENDING_DISABLE"))
    rematch(database, newer, KeptGenerations(tmp_path), clock)
    before = statuses(database)
    assert ("CVE-2030-0002", "ACTIVE") not in before
    with database.system() as connection:
        connection.execute(update(resource).values(state="running"))
        connection.execute(update(coverage).values(status="ACTIVE", reason="PENDING_REVIVAL_SCAN"))
    is_due(database)
    assert PLUGIN.run(work(advisories=lambda: newer)) == 1
    assert statuses(database) == [("CVE-2030-0001", "CLOSED"), ("CVE-2030-0002", "ACTIVE")]
    assert due_at(database) is None
    assert poked == ["deliver"]
    with database.system() as connection:
        assert connection.execute(select(coverage.c.reason)).scalar_one() == "SUCCESSFUL"
        kept = connection.execute(text("SELECT count(*) FROM inventory")).scalar_one()
    assert kept == 1  # what was read back is what was written


def test_what_is_not_due_or_not_scanned_is_left_alone(database, work, older, newer):
    ingest(database, older, HOST, SEEN, START)
    is_due(database, START + timedelta(seconds=1))
    assert PLUGIN.run(work(advisories=lambda: newer)) == 0
    is_due(database)
    with database.system() as connection:
        connection.execute(update(coverage).values(status="INACTIVE", reason="EC2_INSTANCE_STOPPED"))
    assert PLUGIN.run(work(advisories=lambda: newer)) == 0
    assert statuses(database) == [("CVE-2030-0001", "ACTIVE")]


def test_a_scan_that_starts_meanwhile_comes_first(database, older, newer, monkeypatch):
    ingest(database, older, HOST, SEEN, START)
    is_due(database)
    fixed = Inventory(target=SEEN.target, packages=SEEN.packages[:0])
    plain = ingesting.scan

    def slow(inventory, advisories):
        report = plain(inventory, advisories)
        monkeypatch.setattr(ingesting, "scan", plain)
        ingest(database, newer, HOST, fixed, START + timedelta(minutes=1))
        return report

    monkeypatch.setattr(ingesting, "scan", slow)
    with database.system() as connection:
        (number,) = connection.execute(select(resource.c.id)).scalars()
    done = look_again(database, newer, number, START + timedelta(minutes=2))
    assert done.superseded
    assert statuses(database) == [("CVE-2030-0001", "CLOSED")]


def test_a_scan_under_way_is_not_superseded_by_looking_again(database, older, newer, monkeypatch):
    ingest(database, older, HOST, SEEN, START)
    is_due(database)
    fixed = Inventory(target=SEEN.target, packages=SEEN.packages[:0])
    plain = ingesting.scan
    with database.system() as connection:
        (number,) = connection.execute(select(resource.c.id)).scalars()

    def slow(inventory, advisories):
        report = plain(inventory, advisories)
        monkeypatch.setattr(ingesting, "scan", plain)
        look_again(database, newer, number, START + timedelta(minutes=1))
        return report

    monkeypatch.setattr(ingesting, "scan", slow)
    done = ingest(database, newer, HOST, fixed, START + timedelta(minutes=2))
    assert not done.superseded
    assert {status for _, status in statuses(database)} == {"CLOSED"}


def test_what_nothing_was_read_from_stays_due(database, work, newer):
    with database.system() as connection:
        connection.execute(
            text(
                "INSERT INTO resource (account, region, type, external_id) VALUES"
                " ('111122223333', :region, 'AWS_EC2_INSTANCE', 'i-1')"
            ),
            {"region": REGION},
        )
        connection.execute(
            text(
                "INSERT INTO coverage (resource_id, scan_type, account, region, status, reason, due_at)"
                " SELECT id, 'PACKAGE', account, region, 'ACTIVE', 'PENDING_INITIAL_SCAN', :now FROM resource"
            ),
            {"now": START},
        )
    assert PLUGIN.run(work(advisories=lambda: newer)) == 0
    assert due_at(database) == START
