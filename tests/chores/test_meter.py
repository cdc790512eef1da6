"""What is counted of resources by the hour: as long as they are covered, whenever somebody counts."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, delete, func, insert, select, text, update
from tests.service.callers import REGION, START

from openinspector.model.coverage import status_of
from openinspector.model.inventory import Inventory, Target
from openinspector.model.problem import Problem
from openinspector.model.resource import EcrImage, LambdaFunction, Resource
from openinspector.pipeline import ingest as ingesting
from openinspector.pipeline.chores.meter import PLUGIN as METER
from openinspector.pipeline.ingest import ingest, settle
from openinspector.pipeline.scan import scan
from openinspector.pipeline.settings import Settings, UsageSettings
from openinspector.store import estate
from openinspector.store.account_tables import covered_period, usage_record
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.compile import compile_parts
from openinspector.store.tables import coverage
from openinspector.store.usage import count_hours, usage_of

OURS = "111122223333"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIDNIGHT = datetime.combine(START.date() + DAY, datetime.min.time(), START.tzinfo)
TODAY = START.date()


def host(number=1):
    return Resource(account=OURS, region=REGION, type="AWS_EC2_INSTANCE", id=f"i-{number:017x}")


def function():
    arn = f"arn:aws:lambda:{REGION}:{OURS}:function:f:$LATEST"
    details = LambdaFunction(name="f", runtime="python3.12", code_sha256="0")
    return Resource(account=OURS, region=REGION, type="AWS_LAMBDA_FUNCTION", id=arn, details=details)


def discovered(database, told, now, kind="PACKAGE"):
    with database.system() as connection:
        entered = estate.enter(connection, told, now)
        estate.start_scan(connection, entered, told, kind, now)
    return entered


def scanned(database, entered, now, reason="SUCCESSFUL", mode=None, kind="PACKAGE"):
    with database.system() as connection:
        estate.end_scan(connection, entered, kind, status_of(reason), mode, now)


def stands(database, entered, reason, now):
    with database.system() as connection:
        estate.stand(connection, entered, status_of(reason), now)


def recorded(database):
    """Hours by type, day and resource."""
    with database.system() as connection:
        rows = connection.execute(select(usage_record)).all()
    return {(row.type, row.day, row.resource_id): pytest.approx(row.quantity, abs=1e-6) for row in rows}


def periods(database):
    with database.system() as connection:
        return connection.execute(select(func.count()).select_from(covered_period)).scalar_one()


def told(database, now):
    """Hours by type, counted or not."""
    with database.transaction(OURS) as connection:
        return {each.type: round(each.total, 6) for each in usage_of(connection, REGION, [OURS], now)[OURS]}


def test_a_resource_counts_from_its_discovery_until_it_stops(database, work, clock):
    entered = discovered(database, host(), START)
    scanned(database, entered, START + HOUR)
    clock.forward(hours=2)
    assert METER.run(work()) == 1
    stands(database, entered, "EC2_INSTANCE_STOPPED", START + 5 * HOUR)
    clock.forward(hours=8)
    METER.run(work())
    assert recorded(database) == {("EC2_INSTANCE_HOURS", TODAY, entered.id): 5}
    assert periods(database) == 0
    scanned(database, entered, START + 11 * HOUR)  # it runs again
    clock.forward(hours=2)
    METER.run(work())
    assert recorded(database) == {("EC2_INSTANCE_HOURS", TODAY, entered.id): 6}


@pytest.mark.parametrize(
    "reason",
    ["EC2_INSTANCE_STOPPED", "RESOURCE_TERMINATED", "EXCLUDED_BY_TAG", "PENDING_DISABLE", "ACCESS_DENIED"],
)
def test_what_is_not_watched_is_not_counted(database, work, clock, reason):
    stands(database, discovered(database, host(), START), reason, START)
    clock.forward(hours=9)
    METER.run(work())
    assert recorded(database) == {}


def test_what_is_scanned_without_an_agent_has_a_price_of_its_own(database, work, clock):
    entered = discovered(database, host(), START)
    scanned(database, entered, START + HOUR, mode="EC2_AGENTLESS")
    scanned(database, entered, START + 4 * HOUR, mode="EC2_AGENTLESS")
    scanned(database, entered, START + 6 * HOUR, mode="EC2_SSM_AGENT_BASED")
    clock.forward(hours=8)
    METER.run(work())
    assert recorded(database) == {
        ("EC2_INSTANCE_HOURS", TODAY, entered.id): 3,
        ("EC2_AGENTLESS_INSTANCE_HOURS", TODAY, entered.id): 5,
    }


def test_a_function_counts_once_for_its_packages_and_once_for_its_code(database, work, clock):
    entered = discovered(database, function(), START)
    discovered(database, function(), START + HOUR, "CODE")
    clock.forward(hours=3)
    METER.run(work())
    assert recorded(database) == {
        ("LAMBDA_FUNCTION_HOURS", TODAY, entered.id): 3,
        ("LAMBDA_FUNCTION_CODE_HOURS", TODAY, entered.id): 2,
    }


def test_what_is_open_to_the_network_is_no_second_instance(database, work, clock):
    entered = discovered(database, host(), START)
    discovered(database, host(), START, "NETWORK")
    clock.forward(hours=1)
    METER.run(work())
    assert recorded(database) == {("EC2_INSTANCE_HOURS", TODAY, entered.id): 1}


def test_days_end_at_midnight_however_long_nobody_counted(database, work, clock):
    entered = discovered(database, host(), MIDNIGHT - HOUR)
    clock.now = MIDNIGHT + 2 * DAY + 6 * HOUR
    METER.run(work())
    kept = {(day - TODAY).days: hours for (_, day, _), hours in recorded(database).items()}
    assert kept == {0: 1, 1: 24, 2: 24, 3: 6}
    assert entered.id in {resource for _, _, resource in recorded(database)}


def test_counting_at_midnight_begins_no_empty_day(database, work, clock):
    discovered(database, host(), MIDNIGHT - HOUR)
    clock.now = MIDNIGHT
    METER.run(work())
    assert list(recorded(database).values()) == [1]


def test_counting_twice_at_once_counts_once(database, clock):
    discovered(database, host(), START)
    clock.forward(hours=3)
    with database.system() as first:
        count_hours(first, clock.now, after=0, most=10, days=90)
        with database.system() as second:  # which doesn't wait for the first
            assert count_hours(second, clock.now, after=0, most=10, days=90).periods == 0
    with database.system() as third:
        assert count_hours(third, clock.now, after=0, most=10, days=90).periods == 0
    assert list(recorded(database).values()) == [3]


def test_what_is_just_being_stopped_is_counted_once_that_is_certain(database, work, clock):
    entered = discovered(database, host(), START)
    clock.forward(hours=3)
    with database.system() as connection:
        estate.stand(connection, entered, status_of("EC2_INSTANCE_STOPPED"), START + HOUR)
        assert METER.run(work()) == 0  # which doesn't wait for it
    METER.run(work())
    assert list(recorded(database).values()) == [1]


def test_a_counting_that_is_broken_off_counts_nothing(database, work, clock):
    discovered(database, host(), START)
    clock.forward(hours=3)
    with pytest.raises(ZeroDivisionError), database.system() as connection:
        count_hours(connection, clock.now, after=0, most=10, days=90)
        raise ZeroDivisionError
    assert recorded(database) == {}
    METER.run(work())
    assert list(recorded(database).values()) == [3]


def test_a_clock_that_goes_back_uncounts_nothing(database, work, clock):
    entered = discovered(database, host(), START)
    clock.forward(hours=3)
    METER.run(work())
    clock.forward(hours=-2)
    METER.run(work())
    stands(database, entered, "EC2_INSTANCE_STOPPED", clock.now)  # counted beyond that already
    clock.forward(hours=9)
    METER.run(work())
    assert list(recorded(database).values()) == [3]
    assert periods(database) == 0


def test_coverage_that_is_deleted_counts_no_longer(database, work, clock):
    discovered(database, host(), START)
    clock.forward(hours=2)
    METER.run(work())
    with database.system() as connection:
        connection.execute(delete(coverage))
    clock.forward(hours=2)
    METER.run(work())
    assert list(recorded(database).values()) == [2]
    assert periods(database) == 0


def test_a_request_that_makes_a_resource_due_counts_nothing_anew(database, work, clock):
    discovered(database, host(), START)
    with database.transaction(OURS) as connection:
        connection.execute(update(coverage).values(due_at=START + HOUR, due_reason="person", updated_at=START + HOUR))
    assert periods(database) == 1
    clock.forward(hours=2)
    METER.run(work())
    assert list(recorded(database).values()) == [2]


def test_what_is_not_counted_yet_is_told_all_the_same(database, work, clock):
    entered = discovered(database, host(), START)
    clock.forward(hours=2)
    METER.run(work())
    clock.forward(minutes=30)
    assert told(database, clock.now) == {"EC2_INSTANCE_HOURS": 2.5}
    stands(database, entered, "EC2_INSTANCE_STOPPED", clock.now)
    clock.forward(hours=7)
    assert told(database, clock.now) == {"EC2_INSTANCE_HOURS": 2.5}


def test_periods_are_counted_in_pieces(database, work, clock, monkeypatch):
    from openinspector.pipeline.chores import meter

    monkeypatch.setattr(meter, "_AT_ONCE", 2)
    for number in range(5):
        discovered(database, host(number), START)
    clock.forward(hours=1)
    assert METER.run(work()) == 5
    assert list(recorded(database).values()) == [1] * 5


def test_a_worker_that_is_to_stop_leaves_off(database, work, clock):
    discovered(database, host(), START)
    clock.forward(hours=1)
    assert METER.run(work(stopping=lambda: True)) == 0
    assert METER.run(work()) == 1


def test_old_days_are_forgotten(database, work, clock):
    row = {"account": OURS, "region": REGION, "type": "ECR_RESCAN", "resource_id": 1, "quantity": 1}
    with database.system() as connection:
        for back in (29, 30, 31, 400):
            connection.execute(insert(usage_record).values(row | {"day": TODAY - timedelta(days=back)}))
    METER.run(work(settings=Settings(usage=UsageSettings(keep_days=30))))
    assert {day for _, day, _ in recorded(database)} == {TODAY - timedelta(days=back) for back in (29, 30)}


def test_a_gap_of_years_is_counted_no_further_back_than_it_is_remembered(database, work, clock):
    discovered(database, host(), START)
    clock.forward(days=4000)
    METER.run(work(settings=Settings(usage=UsageSettings(keep_days=30))))
    days = {day for _, day, _ in recorded(database)}
    assert len(days) == 31
    assert sum(each.expected for each in recorded(database).values()) == pytest.approx(30 * 24)


def image():
    digest = "sha256:" + "a" * 64
    arn = f"arn:aws:ecr:{REGION}:{OURS}:repository/app/{digest}"
    details = EcrImage(repository="app", digest=digest, registry=OURS)
    return Resource(account=OURS, region=REGION, type="AWS_ECR_CONTAINER_IMAGE", id=arn, details=details)


@pytest.fixture
def advisories(tmp_path):
    """A file that says nothing."""
    compile_parts(tmp_path / "advisories.sqlite", [], {"built": "2026-03-01T00:00:00Z"})
    file = AdvisoryFile(tmp_path / "advisories.sqlite")
    yield file
    file.close()


def inventory(**values):
    return Inventory(target=Target(kind="image", name="app"), packages=(), **values)


def test_the_first_scan_of_an_image_and_those_after_it_are_counted(database, advisories):
    failed = inventory(status="failed", problems=(Problem(path="layer", reason="it is damaged"),))
    for seen, now in [
        (failed, START),  # nobody could look: that was no scan
        (inventory(), START + HOUR),
        (inventory(), START + 2 * HOUR),
        (failed, START + 3 * HOUR),
        (inventory(), START + 4 * HOUR),
        (inventory(), MIDNIGHT),
    ]:
        ingest(database, advisories, image(), seen, now)
    settle(database, image(), "archived", MIDNIGHT)
    scans = {(kind, (day - TODAY).days): count for (kind, day, _), count in recorded(database).items()}
    assert scans == {("ECR_INITIAL_SCAN", 0): 1, ("ECR_RESCAN", 0): 2, ("ECR_RESCAN", 1): 1}


def test_a_scan_that_was_overtaken_or_broken_off_is_not_counted(database, advisories, monkeypatch):
    def overtaken(*given):
        with database.system() as connection:
            estate.start_scan(connection, estate.enter(connection, image(), START), image(), "PACKAGE", START)
        return scan(*given)

    assert ingest(database, advisories, image(), inventory(), START, look=overtaken).superseded
    with monkeypatch.context() as patched, pytest.raises(ZeroDivisionError):
        patched.setattr(ingesting, "tell_coverage", lambda *_: 1 / 0)  # after it was counted
        ingest(database, advisories, image(), inventory(), START)
    assert recorded(database) == {}
    ingest(database, advisories, image(), inventory(), START)
    assert list(recorded(database).values()) == [1]


def test_scans_of_other_things_are_not_counted(database, advisories, work, clock):
    ingest(database, advisories, host(), inventory(), START)
    clock.forward(hours=1)
    METER.run(work())
    assert {kind for kind, _, _ in recorded(database)} == {"EC2_INSTANCE_HOURS"}


MINUTES = st.integers(min_value=0, max_value=3 * 24 * 60)
STEPS = st.lists(
    st.tuples(
        MINUTES,
        st.one_of(
            st.just(("tick",)),
            st.just(("broken tick",)),
            st.just(("two ticks",)),
            st.tuples(st.just("scanned"), st.integers(0, 2), st.sampled_from([None, "EC2_AGENTLESS"])),
            st.tuples(st.just("stopped"), st.integers(0, 2)),
        ),
    ),
    max_size=14,
)


class Model:
    """Hours by type and day, from the moments at which something changed alone."""

    def __init__(self, now):
        self.since = [(now, "EC2_INSTANCE_HOURS")] * 3
        self.hours = {}

    def become(self, number, now, kind):
        since, before = self.since[number]
        while before and since < now:
            end = min(now, datetime.combine(since.date() + DAY, datetime.min.time(), since.tzinfo))
            key = before, since.date(), number
            self.hours[key] = self.hours.get(key, 0) + (end - since) / HOUR
            since = end
        self.since[number] = now, kind

    def all(self, now):
        for number, (_, kind) in enumerate(self.since):
            self.become(number, now, kind)
        return self.hours


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_when_and_how_often_hours_are_counted_makes_no_difference(database, steps):
    with database.system() as connection:
        for table in ("usage_record", "coverage", "covered_period", "resource"):
            connection.execute(text(f"DELETE FROM {table}"))
    now, model = START, Model(START)
    hosts = [discovered(database, host(number), START) for number in range(3)]

    def tick(at):
        with database.system() as connection:
            count_hours(connection, at, after=0, most=100, days=3650)

    for minutes, (what, *rest) in steps:
        now += timedelta(minutes=minutes)
        match what, *rest:
            case "tick", *_:
                tick(now)
            case "broken tick", *_:
                with pytest.raises(KeyError), database.system() as connection:
                    count_hours(connection, now, after=0, most=100, days=3650)
                    raise KeyError
            case "two ticks", *_:
                tick(now)
                tick(now)
            case "scanned", number, mode:
                model.become(number, now, "EC2_AGENTLESS_INSTANCE_HOURS" if mode else "EC2_INSTANCE_HOURS")
                scanned(database, hosts[number], now, mode=mode)
            case "stopped", number:
                model.become(number, now, None)
                stands(database, hosts[number], "EC2_INSTANCE_STOPPED", now)
    expected = model.all(now)
    with database.transaction(OURS) as connection:
        said = {each.type: each.total for each in usage_of(connection, REGION, [OURS], now, days=3650)[OURS]}
    by_type = {}
    for (kind, _, _), hours in expected.items():
        by_type[kind] = by_type.get(kind, 0) + hours
    assert {kind: total for kind, total in said.items() if total} == pytest.approx(by_type)
    tick(now)
    numbers = {entered.id: number for number, entered in enumerate(hosts)}
    got = {(kind, day, numbers[id_]): hours.expected for (kind, day, id_), hours in recorded(database).items()}
    assert got == pytest.approx(expected)
    assert all(hours <= 24 + 1e-6 for hours in got.values())
    assert periods(database) == sum(kind is not None for _, kind in model.since)


def test_what_the_migration_finds_is_counted_from_then_on(postgres):
    from alembic import command
    from alembic.config import Config

    from openinspector.store import migrations

    postgres.make_database("before_usage")
    engine = create_engine(postgres.url(database="before_usage"))
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA openinspector")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql("SET LOCAL ROLE openinspector_system")
        connection.exec_driver_sql("SET LOCAL search_path = openinspector")
        for number, (kind, scan, mode, status) in enumerate(
            [
                ("AWS_EC2_INSTANCE", "PACKAGE", "", "ACTIVE"),
                ("AWS_EC2_INSTANCE", "PACKAGE", "EC2_AGENTLESS", "ACTIVE"),
                ("AWS_EC2_INSTANCE", "PACKAGE", "", "INACTIVE"),
                ("AWS_EC2_INSTANCE", "NETWORK", "", "ACTIVE"),
                ("AWS_LAMBDA_FUNCTION", "PACKAGE", "", "ACTIVE"),
                ("AWS_LAMBDA_FUNCTION", "CODE", "", "ACTIVE"),
                ("AWS_ECR_CONTAINER_IMAGE", "PACKAGE", "", "ACTIVE"),
            ]
        ):
            connection.exec_driver_sql(
                "INSERT INTO resource (id, account, region, type, external_id)"
                f" VALUES ({number}, '{OURS}', '{REGION}', '{kind}', '{number}')"
            )
            connection.exec_driver_sql(
                "INSERT INTO coverage (resource_id, scan_type, account, region, status, reason, scan_mode)"
                f" VALUES ({number}, '{scan}', '{OURS}', '{REGION}', '{status}', '', '{mode}')"
            )
        connection.exec_driver_sql("RESET ROLE")
        command.upgrade(config, "0002")
        connection.exec_driver_sql("SET LOCAL ROLE openinspector_system")
        found = connection.exec_driver_sql(
            "SELECT resource_id, type, counted_at = now(), ended_at FROM openinspector.covered_period ORDER BY 1"
        ).all()
    engine.dispose()
    assert found == [
        (0, "EC2_INSTANCE_HOURS", True, None),
        (1, "EC2_AGENTLESS_INSTANCE_HOURS", True, None),
        (4, "LAMBDA_FUNCTION_HOURS", True, None),
        (5, "LAMBDA_FUNCTION_CODE_HOURS", True, None),
    ]
