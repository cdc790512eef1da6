"""What is old, and what nobody has any more, is forgotten; nothing else is."""

import threading
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from msgspec import convert
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import ProgrammingError
from tests.chores.findings import REGION, add_fleet

from openinspector.model.access import AuditEntry
from openinspector.model.inventory import Inventory, Target
from openinspector.model.match import Vulnerability
from openinspector.model.moment import moment_text
from openinspector.model.package import Location, Package
from openinspector.model.resource import Resource
from openinspector.pipeline.chores import housekeep
from openinspector.pipeline.settings import Settings
from openinspector.store import cis, housekeeping
from openinspector.store.account_tables import (
    access_key,
    audit,
    cis_result,
    cis_scan,
    cis_scan_configuration,
    cis_target,
    client_token,
    image_use,
)
from openinspector.store.audit import record
from openinspector.store.client_tokens import Once, earlier, remember
from openinspector.store.estate import enter
from openinspector.store.matched import keep_rematch_out
from openinspector.store.rows import store_inventory, store_vulnerabilities
from openinspector.store.tables import (
    coverage,
    enrichment,
    finding,
    generation,
    inventory,
    inventory_package,
    package,
    package_vulnerability,
    rematch,
    resource,
    vulnerability,
)

OURS = "444455556666"
DAY = timedelta(days=1)
_numbers = count(1)


def run(work, **more):
    return housekeep.PLUGIN.run(work(**more))


def counted(database, *tables):
    with database.system() as connection:
        return [connection.execute(select(func.count()).select_from(each)).scalar_one() for each in tables]


def read_old(database, clock):
    """Has all inventories be read long ago."""
    with database.system() as connection:
        connection.execute(update(inventory).values(created_at=clock() - 30 * DAY))


def has_nothing(database, *ids):
    """Takes their inventories and findings from resources."""
    with database.system() as connection:
        connection.execute(update(resource).where(resource.c.id.in_(ids)).values(inventory_id=None))
        connection.execute(finding.delete().where(finding.c.resource_id.in_(ids)))


# CIS


@pytest.fixture
def cis_run(database, clock):
    """Makes a run with an instance that has two results, some days ago."""

    def make(days):
        at = clock() - days * DAY
        with database.system() as connection:
            values = {"account": OURS, "region": REGION, "id": f"c{days}", "owner_id": OURS, "name": "n"}
            connection.execute(insert(cis_scan_configuration).values(values))
            row = connection.execute(select(cis_scan_configuration).where(cis_scan_configuration.c.id == f"c{days}"))
            target = cis.CisTarget(account=OURS, resource="i-1")
            key, jobs = cis.open_scan(connection, row.one(), [target], at)
            told = cis.job(connection, OURS, REGION, jobs["i-1"])
            cis.start_session(connection, told, "token", at)
            outcomes = [cis.CisOutcome(check_id=each, status="PASSED") for each in ("1", "2")]
            cis.add_outcomes(connection, told, outcomes, at)
        return key

    return make


def test_cis_results_are_forgotten_after_90_days(database, work, cis_run):
    for days in (91, 89):
        cis_run(days)
    assert run(work) == 4  # two results, an instance, a run
    assert counted(database, cis_result, cis_target, cis_scan, cis_scan_configuration) == [2, 1, 1, 2]
    assert run(work) == 0


def test_many_rows_are_forgotten_in_small_steps(database, work, cis_run, monkeypatch):
    for days in range(91, 96):
        cis_run(days)
    monkeypatch.setattr(housekeep, "AT_ONCE", 2)
    asked = count(1)
    assert run(work, stopping=lambda: next(asked) > 3) == 6
    assert run(work) == 14
    assert counted(database, cis_result, cis_target, cis_scan) == [0, 0, 0]


def test_a_long_run_is_kept_for_what_was_told_late(database, work, cis_run):
    cis_run(91)
    with database.system() as connection:
        late = connection.execute(select(cis_result.c.created_at)).scalars().first() + 5 * DAY
        connection.execute(update(cis_result).where(cis_result.c.check_id == "2").values(created_at=late))
    assert run(work) == 2  # the other result, and the instance
    assert counted(database, cis_result, cis_scan) == [1, 1]


# Tokens, keys, the log


def test_a_token_is_good_for_a_day(database, work, clock):
    call = Once(account=OURS, region=REGION, operation="Enable", token="t", request={"a": 1})
    with database.system() as connection:
        remember(connection, call, {"said": "first"}, clock())
    clock.forward(hours=23, minutes=59)
    assert run(work) == 0
    with database.system() as connection:
        assert earlier(connection, call, clock()).answer == {"said": "first"}
    clock.forward(minutes=2)
    with database.system() as connection:
        assert earlier(connection, call, clock()) is None
        remember(connection, call, {"said": "second"}, clock())
        assert earlier(connection, call, clock()).answer == {"said": "second"}
    clock.forward(hours=25)
    assert run(work) == 1
    assert counted(database, client_token) == [0]


def test_expired_keys_stay(database, work, clock):
    with database.system() as connection:
        long_ago = clock() - 1000 * DAY
        key = {"id": "OIAK1", "account": OURS, "role": "admin", "sealed_secret": b"x"}
        connection.execute(insert(access_key).values(key | {"created_at": long_ago, "expires_at": long_ago}))
    run(work)
    assert counted(database, access_key) == [1]


def audited(database, *moments):
    """Entries of the log from these moments, of an account of their own; gives how many of its entries there are."""
    account = f"{next(_numbers):012}"
    for at in moments:
        said = {"region": REGION, "key_id": "k", "role": "admin", "service": "inspector2", "operation": "Enable"}
        more = {"request_id": "r", "outcome": "done", "parameters": b"{}"}
        record(database, AuditEntry(at=moment_text(at), account=account, **said, **more))

    def left():
        with database.system() as connection:
            return connection.execute(select(func.count()).where(audit.c.account == account)).scalar_one()

    return left


def test_the_audit_log_is_kept_for_a_year_or_as_long_as_is_set(database, work, clock):
    left = audited(database, *(clock() - days * DAY for days in (366, 364, 100)))
    run(work, settings=convert({"retention": {"audit_days": 0}}, Settings))
    assert left() == 3
    run(work)
    assert left() == 2
    run(work, settings=convert({"retention": {"audit_days": 300}}, Settings))
    assert left() == 1


def test_nothing_of_the_last_90_days_can_be_taken_from_the_audit_log(database):
    now = datetime.now(UTC)
    left = audited(database, *(now - days * DAY for days in (0, 89, 91)))
    with database.system() as connection:
        housekeeping.forget_audit(connection, now + DAY, 1000)
    assert left() == 2
    for statement in ("DELETE FROM audit", "UPDATE audit SET outcome = 'done'"):
        with pytest.raises(ProgrammingError, match="permission denied"), database.system() as connection:
            connection.execute(text(statement))
    with pytest.raises(ProgrammingError, match="permission denied"), database.transaction(OURS) as connection:
        connection.execute(text("SELECT forget_audit(now(), 1)"))


# What nobody has


def test_an_inventory_that_nobody_has_goes_with_packages_and_flaws_that_nobody_else_has(database, work, clock):
    with database.system() as connection:  # libs 0 to 2 with their flaws, and libs 0 and 1 of the same
        connection.execute(insert(enrichment).values(vulnerability_id="CVE-2030-00002", epss=0.5))
    three, two = add_fleet(database, OURS, 1, 3)[0], add_fleet(database, OURS, 1, 2, first=1)[0]
    read_old(database, clock)
    tables = (inventory, inventory_package, package, package_vulnerability, vulnerability)
    assert run(work) == 0
    has_nothing(database, three)
    assert run(work) == 2  # the inventory and a flaw
    assert counted(database, *tables) == [1, 2, 2, 2, 2]
    assert counted(database, enrichment) == [0]
    has_nothing(database, two)
    run(work)
    assert counted(database, *tables) == [0, 0, 0, 0, 0]


def test_an_inventory_of_today_is_left_to_who_is_about_to_point_at_it(database, work, clock):
    add_fleet(database, OURS, 1, 1)
    with database.system() as connection:
        connection.execute(update(inventory).values(created_at=clock() - timedelta(hours=23)))
        connection.execute(update(resource).values(inventory_id=None))
    assert run(work) == 0
    assert counted(database, inventory) == [1]


def test_a_flaw_that_a_finding_has_stays(database, work, clock):
    (place,) = add_fleet(database, OURS, 1, 2)
    read_old(database, clock)
    with database.system() as connection:  # it was closed, and the packages are gone
        connection.execute(update(resource).where(resource.c.id == place).values(inventory_id=None))
        connection.execute(finding.delete().where(finding.c.vulnerability_id == "CVE-2030-00001"))
        connection.execute(update(finding).values(status="CLOSED", closed_at=clock()))
    run(work)
    with database.system() as connection:
        assert connection.execute(select(vulnerability.c.id)).scalars().all() == ["CVE-2030-00000"]


def test_nothing_is_taken_from_under_new_advisories_that_are_being_matched(database, work, clock):
    (place,) = add_fleet(database, OURS, 1, 1)
    read_old(database, clock)
    has_nothing(database, place)
    with database.system() as connection:
        connection.execute(insert(generation).values(number=7, digest="d", state="matching"))
        connection.execute(insert(rematch).values(generation=7, is_full=False))
        connection.execute(package_vulnerability.delete())
    assert run(work) == 0
    with database.system() as connection:
        connection.execute(rematch.delete())
    assert run(work) == 2


def test_what_an_ingest_is_about_to_point_at_stays(database, work, clock):
    (place,) = add_fleet(database, OURS, 1, 3)
    read_old(database, clock)
    has_nothing(database, place)
    worker = threading.Thread(target=run, args=(work,))
    with database.system() as connection:  # as pipeline/ingest.py does it
        keep_rematch_out(connection)
        packages = tuple(
            Package(type="npm", name=f"lib{number}", version="1.0", location=Location(path=f"srv/lib{number}"))
            for number in range(3)
        )
        again = Inventory(target=Target(kind="host", name="another"), packages=packages)
        found = store_inventory(connection, again, lambda _: True)
        worker.start()
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'rematch'::regclass")
        while not connection.execute(waiting).scalar_one():
            assert worker.is_alive()
        connection.execute(update(resource).where(resource.c.id == place).values(inventory_id=found))
    worker.join(300)
    assert counted(database, inventory, inventory_package, package, package_vulnerability) == [1, 3, 3, 3]


def test_where_somebody_writes_for_long_it_comes_another_time(database, work, clock, monkeypatch):
    (place,) = add_fleet(database, OURS, 1, 3)
    read_old(database, clock)
    has_nothing(database, place)
    monkeypatch.setattr(housekeep, "_PATIENCE", 10)
    with database.system() as connection:
        keep_rematch_out(connection)
        assert run(work) == 0
    assert run(work) == 4


# Resources


def gone(database, moment, *ids):
    with database.system() as connection:
        connection.execute(
            update(resource).where(resource.c.id.in_(ids)).values(state="terminated", gone_at=moment, inventory_id=None)
        )


def test_a_resource_is_forgotten_a_month_after_its_end_and_after_its_findings(database, work, clock):
    ids = add_fleet(database, OURS, 3, 1)
    with database.system() as connection:
        use = {"account": OURS, "region": REGION, "cluster": "c", "last_seen_at": clock()}
        connection.execute(insert(image_use), [use | {"resource_id": each} for each in ids])
    gone(database, clock() - 29 * DAY, ids[0])
    gone(database, clock() - 31 * DAY, *ids[1:])
    with database.system() as connection:
        connection.execute(finding.delete().where(finding.c.resource_id != ids[1]))
    run(work)
    with database.system() as connection:
        for column in (resource.c.id, coverage.c.resource_id, image_use.c.resource_id):
            assert sorted(connection.execute(select(column)).scalars()) == ids[:2]


def test_a_resource_that_comes_back_while_it_is_forgotten_is_there_again(database, work, clock):
    (old,) = add_fleet(database, OURS, 1, 1)
    has_nothing(database, old)
    gone(database, clock() - 31 * DAY, old)
    told = Resource(account=OURS, region=REGION, type="AWS_EC2_INSTANCE", id=f"i-{0:017x}")
    entered = []

    def come_back():
        with database.system() as connection:
            entered.append(enter(connection, told, clock()))

    worker = threading.Thread(target=come_back)
    with database.system() as connection:
        # The row is locked first and deleted later, so that whoever enters it meets it in between.
        connection.execute(text("SELECT FROM resource WHERE id = :id FOR UPDATE"), {"id": old})
        worker.start()
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'")
        while not connection.execute(waiting).scalar_one():
            assert worker.is_alive()
        assert housekeeping.forget_resources(connection, clock(), 10) == 1
    worker.join(300)
    assert entered[0].id != old
    assert counted(database, resource) == [1]


def test_flaws_that_nobody_has_any_more_are_found_whatever_took_their_packages(database, work):
    with database.system() as connection:
        store_vulnerabilities(connection, [Vulnerability(id=f"CVE-2031-{number}") for number in range(5)], {})
    assert run(work) == 5
    assert counted(database, vulnerability) == [0]
