"""CIS scans begin when they are due, on the instances that they are about, and end."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update
from tests.service.callers import REGION, START

from openinspector.pipeline.chores import cis_schedules
from openinspector.store import cis
from openinspector.store.account_tables import (
    account,
    account_scan_type,
    cis_scan,
    cis_scan_configuration,
    cis_target,
    delegated_admin,
    member,
)
from openinspector.store.tables import coverage, resource

ADMIN, OURS, THEIRS, STRANGER = "111122223333", "444455556666", "777788889999", "999900001111"
ORGANIZATION = "o-abcdefghij"
PROD = {"env": ["prod", "live"]}
DAILY = {"daily": {"startTime": {"timeOfDay": "02:30", "timezone": "UTC"}}}  # START is 10:15:30
NIGHT = datetime(2026, 3, 3, 2, 30, tzinfo=UTC)


def run(work, **more):
    return cis_schedules.PLUGIN.run(work(**more))


@pytest.fixture
def configure(database):
    """Keeps a configuration that is due, and gives its id."""

    def make(of=OURS, accounts=("SELF",), tags=PROD, schedule=DAILY, due=START, owner="", region=REGION):
        key = f"c-{of}-{'-'.join(accounts)}"
        targets = {"accountIds": list(accounts), "targetResourceTags": tags}
        document = {"securityLevel": "LEVEL_1", "schedule": schedule, "targets": targets}
        values = {"id": key, "owner_id": owner or of, "name": "nightly", "document": document, "due_at": due}
        with database.system() as connection:
            assert cis.add_configuration(connection, of, region, values, arn="a", tags={})
        return key

    return make


@pytest.fixture
def host(database):
    """Keeps an instance of an account in which instances are scanned."""
    enabled = set()

    def make(of, name, tags=None, **values):
        kind = {"account": of, "region": REGION, "type": "AWS_EC2_INSTANCE", "external_id": name, "state": "running"}
        told = {"platform": "UBUNTU_22_04", "tags": {"env": "prod"} if tags is None else tags}
        with database.system() as connection:
            key = connection.execute(insert(resource).values(kind | told | values).returning(resource.c.id))
            if of not in enabled:
                on = {"account": of, "region": REGION, "scan_type": "EC2", "status": "ENABLED"}
                connection.execute(insert(account_scan_type).values(on))
                connection.execute(insert(account).values(account=of, region=REGION))
                enabled.add(of)
            return key.scalar_one()

    return make


@pytest.fixture
def organization(database):
    with database.system() as connection:
        office = {"account": ADMIN, "region": REGION, "organization_id": ORGANIZATION, "status": "ENABLED"}
        connection.execute(insert(delegated_admin).values(office))
        for each, status in ((OURS, "ENABLED"), (THEIRS, "ENABLED"), (STRANGER, "REMOVED")):
            row = {"account": ADMIN, "region": REGION, "member": each, "status": status}
            connection.execute(insert(member).values(row))


def due(database, key):
    with database.system() as connection:
        found = select(cis_scan_configuration.c.due_at).where(cis_scan_configuration.c.id == key)
        return connection.execute(found).scalar_one()


def runs(database):
    with database.system() as connection:
        return connection.execute(select(cis_scan).order_by(cis_scan.c.scanned_at)).all()


def targets(database):
    """{(account, instance): (status, reason)}"""
    with database.system() as connection:
        rows = connection.execute(select(cis_target))
        return {(row.account, row.resource): (row.status, row.reason) for row in rows}


WAITING = ("", "SCAN_IN_PROGRESS")


def test_a_run_begins_when_it_is_due_and_is_due_again(database, work, clock, configure, host):
    key = configure()
    host(OURS, "i-1")
    assert run(work) == 1
    (begun,) = runs(database)
    assert (begun.account, begun.region, begun.configuration_id) == (OURS, REGION, key)
    assert (begun.status, begun.scanned_at) == ("IN_PROGRESS", START)
    assert begun.document["scheduledBy"] == OURS
    assert targets(database) == {(OURS, "i-1"): WAITING}
    assert due(database, key) == NIGHT
    assert run(work) == 0
    clock.now = NIGHT
    assert run(work) == 1


def test_what_is_not_due_waits(database, work, configure, host):
    configure(due=START + timedelta(microseconds=1))
    configure(of=THEIRS, region="eu-west-1")
    host(OURS, "i-1")
    assert run(work) == 0
    assert runs(database) == []


def test_a_single_run_is_never_due_again(database, work, configure, host):
    key = configure(schedule={"oneTime": {}})
    host(OURS, "i-1")
    assert run(work) == 1
    assert due(database, key) is None


def test_runs_that_were_missed_are_one(database, work, clock, configure, host):
    key = configure()
    host(OURS, "i-1")
    clock.forward(days=30)
    assert run(work) == 1
    assert due(database, key) == NIGHT + timedelta(days=30)


@pytest.mark.parametrize(
    "other",
    [
        {"tags": {}},
        {"tags": {"env": "test"}},
        {"tags": {"Env": "prod"}},
        {"state": "stopped"},
        {"gone_at": START},
        {"type": "MACHINE_IMAGE"},
        {"region": "eu-west-1"},
    ],
)
def test_a_run_is_about_running_instances_with_one_of_the_tags(database, work, configure, host, other):
    configure(tags=PROD | {"team": ["red"]})
    host(OURS, "i-1")
    host(OURS, "i-2", tags={"env": "live"})
    host(OURS, "i-3", tags={"team": "red", "env": "test"})
    host(OURS, "i-4", **other)
    run(work)
    assert targets(database) == {(OURS, f"i-{number}"): WAITING for number in (1, 2, 3)}


def test_a_run_is_about_accounts_in_which_instances_are_scanned(database, work, configure, host):
    configure()
    host(OURS, "i-1")
    with database.system() as connection:
        connection.execute(update(account_scan_type).values(status="DISABLED"))
    run(work)
    with database.system() as connection:
        connection.execute(update(account_scan_type).values(status="ENABLED"))
        connection.execute(update(account).values(suspended_at=START))
        connection.execute(update(cis_scan_configuration).values(due_at=START))
    run(work)
    assert len(runs(database)) == 2
    assert targets(database) == {}


@pytest.mark.parametrize(
    ("accounts", "about"),
    [
        (("SELF",), {ADMIN}),
        (("ALL_ACCOUNTS",), {ADMIN, OURS, THEIRS}),
        ((OURS, STRANGER), {OURS}),
        ((ADMIN, THEIRS), {ADMIN, THEIRS}),
    ],
)
def test_an_administrators_run_is_about_the_members_that_it_names(
    database, work, configure, host, organization, accounts, about
):
    configure(of=ADMIN, accounts=accounts, owner=ORGANIZATION)
    for each in (ADMIN, OURS, THEIRS, STRANGER):
        host(each, f"i-{each}")
    run(work)
    assert {owner for owner, _ in targets(database)} == about
    assert [each.document["scheduledBy"] for each in runs(database)] == [ORGANIZATION]


def test_what_can_not_be_checked_is_told_at_once(database, work, configure, host):
    configure()
    host(OURS, "i-1", platform="SUSE_SERVER_15_5")
    host(OURS, "i-2", platform="DEBIAN_12")
    host(OURS, "i-3", platform="UBUNTU_22_10")
    host(OURS, "i-4", platform="")  # nobody has looked at it yet
    unmanaged = host(OURS, "i-5")
    with database.system() as connection:
        row = {"resource_id": unmanaged, "scan_type": "PACKAGE", "account": OURS, "region": REGION}
        row |= {"status": "INACTIVE", "reason": "UNMANAGED_EC2_INSTANCE"}
        connection.execute(insert(coverage).values(row))
    run(work)
    assert targets(database) == {
        (OURS, "i-1"): WAITING,
        (OURS, "i-2"): ("CANCELLED", "UNSUPPORTED_OS"),
        (OURS, "i-3"): ("CANCELLED", "UNSUPPORTED_OS"),
        (OURS, "i-4"): WAITING,
        (OURS, "i-5"): ("CANCELLED", "SSM_UNMANAGED"),
    }


def test_an_instance_that_never_reports_has_timed_out_and_its_run_failed(database, work, clock, configure, host):
    configure(schedule={"oneTime": {}})
    host(OURS, "i-1")
    run(work)
    clock.forward(hours=11, minutes=59)
    run(work)
    assert [each.status for each in runs(database)] == ["IN_PROGRESS"]
    clock.forward(minutes=2)
    run(work)
    assert targets(database) == {(OURS, "i-1"): ("TIMED_OUT", "")}
    assert [each.status for each in runs(database)] == ["FAILED"]


def test_a_run_on_nothing_ends_at_once(database, work, configure):
    configure()
    run(work)
    assert [each.status for each in runs(database)] == ["FAILED"]


def test_a_schedule_that_can_not_be_read_here_stops_no_other(database, work, clock, configure, host, caplog):
    odd = {"daily": {"startTime": {"timeOfDay": "02:30", "timezone": "Mars/Olympus"}}}
    key = configure(schedule=odd, due=START - timedelta(days=1))
    configure(of=THEIRS)
    host(OURS, "i-1")
    assert run(work) == 2
    assert due(database, key) == START + timedelta(days=1)
    assert "Mars/Olympus" in caplog.records[0].request["error"]


def test_two_workers_begin_a_run_once(database, work, configure, host):
    key = configure()
    host(OURS, "i-1")
    with database.system() as connection:
        assert cis_schedules.next_due(connection, REGION, START).id == key  # and has it
        assert run(work) == 0
    assert run(work) == 1
