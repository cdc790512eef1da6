"""Advisory files are replaced under a running service: by somebody's hand, and by its own schedule."""

import logging
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from tests.store.worlds import FLAWS, VECTORS, host, package

from openinspector.errors import FeedError, StoreError
from openinspector.model.advisory import Advisory, Affected, Cvss, Range
from openinspector.model.inventory import Inventory, Target
from openinspector.pipeline import update as update_module
from openinspector.pipeline.build import Built
from openinspector.pipeline.chores import rematch as rematching
from openinspector.pipeline.chores import update_advisories as updating
from openinspector.pipeline.in_force import InForce
from openinspector.pipeline.ingest import ingest
from openinspector.pipeline.settings import ScheduleSettings, Settings
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.part import write_part
from openinspector.store.tables import event, finding

HOST = host(0)
SEEN = Inventory(target=Target(kind="host", name="h"), packages=(package("pypi", "flask", "1.5", "srv/flask"),))
RUN = rematching.PLUGIN.run


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENINSPECTOR_DB", str(tmp_path / "advisories.sqlite"))
    return tmp_path / "advisories.sqlite"


@pytest.fixture
def replace_file(path, tmp_path):
    """Puts another file in place, in which a version of flask fixes the one flaw."""
    days = iter(range(1, 30))

    def put(fixed, day=None):
        day = day or next(days)
        told = Advisory(id=FLAWS[0], affected=(Affected(namespace="pypi", name="flask", ranges=(Range(fixed=fixed),)),))
        nvd = Advisory(id=FLAWS[0], cvss=(Cvss(vector=VECTORS[0], source="NVD"),), description="A flaw.")
        states = []
        for name, records in (("osv", [told]), ("nvd", [nvd])):
            part = tmp_path / f"{name}-{day}-{fixed}.sqlite"
            write_part(part, records)
            states.append(FeedState(name=name, revision=1, digest=f"{day} {fixed}", fetched="", parts=(part,)))
        compile_parts(path, states, {"built": f"2026-03-{day:02}T00:00:00Z"})

    return put


@pytest.fixture
def service(database, work, path, replace_file, clock):
    """The circumstances of a service with a host that has no flaw yet."""
    replace_file("1.0")
    made = work(advisories=InForce())
    file = AdvisoryFile(path)
    ingest(database, file, HOST, SEEN, clock())
    file.close()
    assert RUN(made) == 0
    return made


def statuses(database):
    with database.system() as connection:
        return connection.execute(select(finding.c.status)).scalars().all()


def test_a_replaced_file_opens_and_closes_findings_without_a_scan(database, service, replace_file, poked):
    assert statuses(database) == []
    replace_file("2.0")
    assert RUN(service) == 2  # one package, one event
    assert statuses(database) == ["ACTIVE"]
    assert poked == ["deliver"]
    replace_file("1.2")
    RUN(service)
    assert statuses(database) == ["CLOSED"]
    with database.system() as connection:
        changes = connection.execute(select(event.c.payload).where(event.c.kind == "finding")).scalars().all()
    assert [each["change"] for each in changes] == ["Opened", "Closed"]
    assert changes[1]["status"] == "CLOSED"


def test_what_is_in_force_costs_a_look(database, service):
    with database.system() as connection:
        before = connection.execute(text("SELECT pg_current_xact_id()")).scalar_one()
    assert RUN(service) == 0
    with database.system() as connection:
        after = connection.execute(text("SELECT pg_current_xact_id()")).scalar_one()
    assert int(after) - int(before) == 1  # nothing was written: only those two have taken a number


def test_a_file_that_is_none_leaves_what_is_in_force_and_says_so(database, service, path, replace_file):
    replace_file("2.0")
    RUN(service)
    path.unlink()
    path.write_bytes(b"no database")
    with pytest.raises(StoreError, match="not an advisory file"):
        RUN(service)
    assert statuses(database) == ["ACTIVE"]
    path.unlink()
    replace_file("1.2")
    RUN(service)
    assert statuses(database) == ["CLOSED"]


def test_an_older_file_is_left_alone(database, service, replace_file):
    replace_file("2.0", day=20)
    RUN(service)
    replace_file("1.2", day=19)
    assert RUN(service) == 0
    assert statuses(database) == ["ACTIVE"]


def test_a_worker_that_is_to_stop_leaves_the_rest_to_the_next(database, service, replace_file, work):
    replace_file("2.0")
    stopped = work(advisories=InForce(), stopping=lambda: True)
    assert RUN(stopped) == 0
    assert statuses(database) == []
    RUN(service)
    assert statuses(database) == ["ACTIVE"]


# By schedule

UPDATE = updating.PLUGIN.run


@pytest.fixture
def updates(monkeypatch, replace_file, path):
    """What was asked for, in place of fetching it from publishers; each update makes another file."""
    asked = []

    def update(request, progress):
        progress("fetch", 0, 1)
        asked.append(request)
        replace_file("2.0")
        failed = FeedState(name="osv", revision=1, digest="", fetched="", parts=(), status="failed", reason="why")
        built = Built(output=path, digest="sha256:0", feeds=(failed,), unclaimed=())
        return update_module.Updated(built=built, fresh=3, unchanged=0, received=0, version=0, notes=("a note",))

    monkeypatch.setattr(update_module, "update", update)
    return asked


def scheduled(text):
    return Settings(schedule=ScheduleSettings(update=text))


def test_nothing_is_fetched_unless_it_is_wished(work, updates):
    assert UPDATE(work()) == 0
    assert updates == []


def test_the_file_is_brought_up_to_date_every_so_often(work, updates, clock, poked, path, caplog):
    service = work(settings=scheduled("6h"))
    with caplog.at_level(logging.WARNING):
        assert UPDATE(service) == 3
    assert [each.message for each in caplog.records] == ["advisories: a note", "advisories: feed osv is failed: why"]
    assert updates[0].output == path
    assert poked == ["rematch"]
    clock.now += timedelta(hours=5, minutes=59)
    assert UPDATE(service) == 0
    clock.now += timedelta(minutes=1)
    assert UPDATE(service) == 3
    assert len(updates) == 2


def test_publishers_that_cannot_be_reached_are_not_asked_all_the_time(work, clock, monkeypatch, path):
    asked = []

    def fail(request, progress):
        asked.append(request)
        raise FeedError("no document could be fetched")

    monkeypatch.setattr(update_module, "update", fail)
    service = work(settings=scheduled("1d"))
    with pytest.raises(FeedError):
        UPDATE(service)
    assert UPDATE(service) == 0
    clock.now += timedelta(days=1)
    with pytest.raises(FeedError):
        UPDATE(service)
    assert len(asked) == 2


def test_an_update_that_is_broken_off_by_a_stop_is_due_again(work, updates):
    assert UPDATE(work(settings=scheduled("1d"), stopping=lambda: True)) == 0
    assert updates == []
    assert UPDATE(work(settings=scheduled("1d"))) == 3


def test_a_mirror_of_the_settings_is_asked(work, updates, monkeypatch):
    monkeypatch.setenv("OPENINSPECTOR_MIRROR", "/media/feeds")
    monkeypatch.delenv("OPENINSPECTOR_MIRROR_KEY", raising=False)
    UPDATE(work(settings=scheduled("10m")))
    assert updates[0].mirror.where == "/media/feeds"
