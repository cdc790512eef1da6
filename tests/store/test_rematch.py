"""Advisories change while findings live: what a rematch makes of them is what evaluating every resource anew would."""

import threading
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from tests.store.pure import KEYS, Pure, same, stored, told
from tests.store.worlds import (
    FLAWS,
    FLEET,
    NOW,
    REDHAT,
    STREAM,
    VECTORS,
    host,
    image,
    inventory_of,
    package,
    records,
)

from openinspector.model.advisory import Advisory, Affected, Cvss, Range
from openinspector.model.criteria import Filter, parse_criteria
from openinspector.model.distro import Distribution
from openinspector.model.enrichment import Epss, Kev
from openinspector.model.inventory import Inventory, Target
from openinspector.model.moment import moment_text
from openinspector.pipeline import rematch as rematching_pipeline
from openinspector.pipeline.ingest import ingest, settle, sweep
from openinspector.pipeline.observe import observe
from openinspector.pipeline.rematch import rematch
from openinspector.pipeline.scan import scan
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.filters import add_filter, filter_arn
from openinspector.store.findings import findings_by_key
from openinspector.store.kept_generations import KeptGenerations
from openinspector.store.tables import finding, metadata

DAY = timedelta(days=1)


def empty(database):
    with database.system() as connection:
        for table in metadata.tables.values():
            if table.name not in ("audit", "chore"):
                connection.execute(text(f"DELETE FROM {table.name}"))  # noqa: S608  our own names


def matches(database):
    query = (
        "SELECT p.type, p.namespace, p.name, p.version, p.context, pv.vulnerability_id, pv.state, pv.fixed_version,"
        " pv.severity, pv.vendor_severity, pv.source, pv.related FROM package_vulnerability pv"
        " JOIN package p ON p.id = pv.package_id"
    )
    with database.system() as connection:
        return sorted((*row[:-1], tuple(row[-1])) for row in connection.execute(text(query)))


def rule(**criteria):
    return Filter(
        arn=filter_arn("eu-west-1", FLEET[0].account, FLEET[0].account, "0123456789abcdef"),
        owner=FLEET[0].account,
        name="hidden",
        action="SUPPRESS",
        criteria=parse_criteria(criteria),
        created_at=moment_text(NOW),
        updated_at=moment_text(NOW),
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_rematch_does_what_evaluating_every_resource_would(database, compiled, kept, seed):
    chance, now, pure = Random(seed), NOW, Pure()
    advisories = compiled(records(chance))
    if seed % 3 == 0:
        pure.filters = (rule(severity=[{"comparison": "EQUALS", "value": "HIGH"}]),)
        with database.transaction(FLEET[0].account) as connection:
            add_filter(connection, FLEET[0].account, FLEET[0].region, pure.filters[0])
    for each in FLEET:
        seen = inventory_of(each, chance)
        pure.ingest(each, seen, advisories, now)
        ingest(database, advisories, each, seen, now)
    same(database, pure, now)
    rematch(database, advisories, kept, lambda: now)
    for turn in range(7):
        now += chance.choice([timedelta(hours=1), 3 * DAY, 9 * DAY])
        for each in chance.sample(FLEET, 3):
            if chance.random() < 0.6:
                seen = inventory_of(each, chance)
                pure.ingest(each, seen, advisories, now)
                ingest(database, advisories, each, seen, now)
            elif each.type == "AWS_EC2_INSTANCE":
                state = chance.choice(("stopped", "running", "terminated"))
                pure.settle(each, state, now)
                settle(database, each, state, now)
        same(database, pure, now)
        now += timedelta(minutes=chance.choice([1, 60 * 24 * 8]))
        advisories = compiled(records(chance))
        at = now
        done = rematch(database, advisories, kept, lambda at=at: at, full=turn % 3 == 2)
        assert (done.is_in_force, done.way) == (True, "full" if turn % 3 == 2 else "diff")
        pure.rematch(FLEET, advisories, now)
        same(database, pure, now)
        assert matches(database) == pure.matches(advisories)
        events = {key: [each["change"] for each in several] for key, several in told(database).items()}
        assert events == pure.events
    sweep(database, now)
    same(database, pure, now)


# What may come in between


@pytest.fixture
def fleet(database, compiled, kept):
    """A fleet that was ingested, with what was found on it, and the advisories before and after a change."""
    chance = Random(4)
    before, after = compiled(records(chance)), compiled(records(chance))
    pure = Pure()
    for each in FLEET:
        seen = inventory_of(each, chance, "whole")
        ingest(database, before, each, seen, NOW)
        pure.inventories[each.id] = seen
    rematch(database, before, kept, lambda: NOW)
    return SimpleNamespace(before=before, after=after, inventories=pure.inventories)


def follows(database, fleet):
    """Every resource has the findings that follow from the advisories after the change, and the matches are theirs."""
    expected = {}
    for each in FLEET:
        for observation in observe(each, scan(fleet.inventories[each.id], fleet.after)):
            expected[each.id, observation.key] = replace(observation, epss=None)
    with database.system() as connection:
        keys = connection.execute(KEYS.where(finding.c.status != "CLOSED")).all()
        found = {}
        for about, each in findings_by_key(connection, keys).values():
            details = each.observation.details
            kept_packages = tuple(sorted(details.packages, key=repr))
            observation = replace(each.observation, epss=None, details=replace(details, packages=kept_packages))
            found[about.id, each.observation.key] = observation
    doubts = {
        (each.id, one.vulnerability)
        for each in FLEET
        for one in scan(fleet.inventories[each.id], fleet.after).undecided
    }
    for key, observation in expected.items():
        details = observation.details
        ordered = replace(details, packages=tuple(sorted(details.packages, key=repr)))
        if key not in doubts:
            assert found[key] == replace(observation, details=ordered)
    assert {key for key in found if key not in doubts} <= expected.keys()


def unfinished(database):
    with database.system() as connection:
        query = (
            "SELECT (SELECT count(*) FROM rematch) + (SELECT count(*) FROM rematch_package)"
            " + (SELECT count(*) FROM rematch_flaw) + (SELECT count(*) FROM rematch_match)"
            " + (SELECT count(*) FROM package WHERE matched_generation = 0)"
        )
        return connection.execute(text(query)).scalar_one()


class PulledPlugError(Exception):
    pass


class Breaking:
    """A database of which a transaction, counted from 0, is broken off, before or after it was committed."""

    def __init__(self, database, number, *, committed):
        self._database = database
        self._left = number
        self._committed = committed

    @contextmanager
    def system(self, **options):
        self._left -= 1
        with self._database.system(**options) as connection:
            yield connection
            if self._left < 0 and not self._committed:
                raise PulledPlugError
        if self._left < 0:
            raise PulledPlugError


def small_pieces(monkeypatch):
    monkeypatch.setattr(rematching_pipeline, "PACKAGES", 4)
    monkeypatch.setattr(rematching_pipeline, "FLAWS", 2)
    monkeypatch.setattr(rematching_pipeline, "FEWEST", 1)
    monkeypatch.setattr(rematching_pipeline, "MOST", 2)


def outcome(database):
    """What is left of a rematch: findings but for their times, their events, and matches."""
    with database.system() as connection:
        rows = connection.execute(
            text("SELECT resource_id, key, status, title, severity, fix, digest FROM finding ORDER BY 1, 2, 3")
        ).all()
    events = Counter()
    for payloads in told(database).values():
        events.update((each["key"], each["change"]) for each in payloads)
    return [tuple(each)[1:] for each in rows], events, matches(database)


@pytest.mark.parametrize("committed", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("full", [True, False], ids=["full", "diff"])
def test_a_rematch_that_is_broken_off_anywhere_goes_on(database, compiled, kept, monkeypatch, full, committed):
    small_pieces(monkeypatch)
    ends = []
    for broken in (False, True):
        chance = Random(4)
        before, after = compiled(records(chance), day=1), compiled(records(chance), day=2)
        for each in FLEET:
            ingest(database, before, each, inventory_of(each, chance, "whole"), NOW)
        rematch(database, before, kept, lambda: NOW)
        count = 0
        while True:
            whole = database if not broken else Breaking(database, count, committed=committed)
            try:
                done = rematch(whole, after, kept, lambda: NOW + DAY, full=full and count == 0)
            except PulledPlugError:
                count += 1  # each time a transaction later than the last
                assert count < 100
            else:
                break
        assert done.is_in_force
        assert unfinished(database) == 0
        ends.append(outcome(database))
        assert count > 5 or not broken
        empty(database)
    assert ends[0] == ends[1]


@pytest.mark.parametrize("which", ["before", "after"])
@pytest.mark.parametrize("full", [True, False], ids=["full", "diff"])
def test_scans_between_any_two_pieces_are_neither_lost_nor_overwritten(database, fleet, kept, monkeypatch, which, full):
    small_pieces(monkeypatch)
    chance, count = Random(5), 0

    class Busy:
        @contextmanager
        def system(self, **options):
            nonlocal count
            with database.system(**options) as connection:
                yield connection
            count += 1
            one = chance.choice(FLEET)
            fleet.inventories[one.id] = inventory_of(one, chance, "whole")
            ingest(database, getattr(fleet, which), one, fleet.inventories[one.id], NOW + DAY)

    done = rematch(Busy(), fleet.after, kept, lambda: NOW + DAY, full=full)
    assert done.is_in_force
    assert count > 10
    rematch(database, fleet.after, kept, lambda: NOW + DAY)  # what the last scan has brought with other advisories
    assert unfinished(database) == 0
    follows(database, fleet)


def test_two_workers_share_a_rematch_and_do_nothing_twice(database, fleet, kept, monkeypatch):
    small_pieces(monkeypatch)
    files = [AdvisoryFile(fleet.after.path) for _ in range(2)]
    results, errors = [], []

    def work(file):
        try:
            results.append(rematch(database, file, kept, lambda: NOW + DAY, full=not results))
        except Exception as error:  # noqa: BLE001  whatever it is, the test says so
            errors.append(error)

    threads = [threading.Thread(target=work, args=(each,)) for each in files]
    for each in threads:
        each.start()
    for each in threads:
        each.join(300)
    for each in files:
        each.close()
    assert errors == []
    assert any(each.is_in_force for each in results)
    assert unfinished(database) == 0
    follows(database, fleet)
    for changes in told(database).values():
        assert len([each for each in changes if each["updated_at"] == moment_text(NOW + DAY)]) <= 1


def test_scans_and_a_rematch_at_the_same_time_end_in_what_follows(database, fleet, kept, monkeypatch):
    small_pieces(monkeypatch)
    chance, errors, ended = Random(6), [], threading.Event()
    files = [AdvisoryFile(each.path) for each in (fleet.before, fleet.after)]

    def scan_on():
        try:
            number = 0
            while not ended.is_set() or number < 10:
                one = FLEET[number % len(FLEET)]
                fleet.inventories[one.id] = inventory_of(one, chance, "whole")
                ingest(database, files[number % 2], one, fleet.inventories[one.id], NOW + DAY)
                number += 1
        except Exception as error:  # noqa: BLE001  whatever it is, the test says so
            errors.append(error)

    thread = threading.Thread(target=scan_on)
    thread.start()
    for _ in range(3):
        rematch(database, fleet.after, kept, lambda: NOW + DAY, full=True)
    ended.set()
    thread.join(300)
    for each in files:
        each.close()
    assert errors == []
    rematch(database, fleet.after, kept, lambda: NOW + DAY)
    assert unfinished(database) == 0
    follows(database, fleet)


# Which generation


def states(database):
    with database.system() as connection:
        return dict(tuple(row) for row in connection.execute(text("SELECT digest, state FROM generation")))


def test_what_is_in_force_already_is_left_alone(database, fleet, kept):
    before = outcome(database)
    done = rematch(database, fleet.before, kept, lambda: NOW + DAY)
    assert (done.way, done.why, done.is_in_force, done.events) == ("nothing", "", True, 0)
    assert outcome(database) == before


def test_a_generation_takes_the_place_of_the_one_before(database, fleet, kept):
    rematch(database, fleet.after, kept, lambda: NOW + DAY)
    assert states(database) == {fleet.before.meta["digest"]: "replaced", fleet.after.meta["digest"]: "in force"}
    assert kept.path_of(fleet.after.meta["digest"]) is not None
    assert kept.path_of(fleet.before.meta["digest"]) is None


def test_an_older_file_on_another_machine_is_not_put_in_force_by_itself(database, fleet, compiled, kept, tmp_path):
    rematch(database, fleet.after, kept, lambda: NOW + DAY)
    before = outcome(database)
    elsewhere = KeptGenerations(tmp_path / "elsewhere")
    done = rematch(database, fleet.before, elsewhere, lambda: NOW + DAY)
    assert (done.way, done.is_in_force) == ("nothing", False)
    assert "replaced" in done.why
    unknown = compiled(records(Random(9)), day=0)
    assert "built before" in rematch(database, unknown, elsewhere, lambda: NOW + DAY).why
    assert outcome(database) == before
    back = rematch(database, fleet.before, elsewhere, lambda: NOW + DAY, forced=True)
    assert (back.way, back.is_in_force) == ("full", True)
    assert states(database)[fleet.before.meta["digest"]] == "in force"


def test_what_was_in_force_before_and_was_built_anew_is_so_again(database, compiled, kept):
    """As where a feed is switched off and on again: the same content has the same digest."""
    feeds, other = records(Random(1)), records(Random(2))
    digests = []
    for day, told_then in ((1, feeds), (2, other), (3, feeds)):
        file = compiled(told_then, day=day, name="same")
        if not digests:
            ingest(database, file, FLEET[0], inventory_of(FLEET[0], Random(3)), NOW)
        assert rematch(database, file, kept, lambda: NOW).is_in_force
        digests.append(file.meta["digest"])
    assert digests[0] == digests[2]
    assert states(database) == {digests[0]: "in force", digests[1]: "replaced"}


def test_a_newer_file_overtakes_one_that_is_half_in_force(database, fleet, compiled, kept, monkeypatch):
    small_pieces(monkeypatch)
    with pytest.raises(PulledPlugError):
        rematch(Breaking(database, 15, committed=True), fleet.after, kept, lambda: NOW + DAY)
    assert states(database)[fleet.before.meta["digest"]] == "in force"
    assert unfinished(database) > 0
    newest = compiled(records(Random(12)))
    done = rematch(database, newest, kept, lambda: NOW + DAY)
    assert (done.way, done.is_in_force) == ("full", True)
    assert unfinished(database) == 0
    fleet.after = newest
    follows(database, fleet)


def test_without_the_file_before_everything_is_matched_again(database, fleet, kept):
    kept.forget_others(frozenset())
    assert rematch(database, fleet.after, kept, lambda: NOW + DAY).way == "full"
    follows(database, fleet)


def test_a_damaged_copy_of_the_file_before_is_none(database, fleet, kept):
    path = kept.path_of(fleet.before.meta["digest"])
    path.unlink()
    path.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    assert rematch(database, fleet.after, kept, lambda: NOW + DAY).way == "full"
    follows(database, fleet)


# Scores


def versions_of_findings(database):
    with database.system() as connection:
        return connection.execute(text("SELECT id, xmin FROM finding ORDER BY id")).all()


def test_the_scores_of_a_day_rewrite_no_finding_and_are_seen(database, compiled, kept):
    chance = Random(1)
    feeds = records(chance)
    feeds["epss"] = [Epss(vulnerability=each, score=0.1, percentile=0.1, date="2030-01-01") for each in FLAWS]
    before = compiled(feeds)
    for each in FLEET:
        ingest(database, before, each, inventory_of(each, chance, "whole"), NOW)
    rows, events = versions_of_findings(database), told(database)
    after = {**feeds, "epss": [replace(each, score=0.7, date="2030-01-02") for each in feeds["epss"][1:]]}
    done = rematch(database, compiled(after), kept, lambda: NOW + DAY)
    with database.system() as connection:
        known = connection.execute(text("SELECT count(*) FROM vulnerability")).scalar_one()
    assert (done.scores, done.events) == (known, 0)
    assert versions_of_findings(database) == rows
    assert told(database) == events
    scores = {each.observation.key: each.observation.epss for each in stored(database).values()}
    assert scores == {key: None if key == FLAWS[0] else 0.7 for key in scores}
    assert len(scores) > 2


def test_an_exploit_that_becomes_known_is_news_of_the_findings_of_that_flaw_alone(database, compiled, kept):
    chance = Random(1)
    feeds = {**records(chance), "kev": []}
    feeds = {name: found for name, found in feeds.items() if found}
    before = compiled(feeds)
    for each in FLEET:
        ingest(database, before, each, inventory_of(each, chance, "whole"), NOW)
    about = Counter(each.observation.key for each in stored(database).values())
    flaw, count = about.most_common(1)[0]
    rows = dict(versions_of_findings(database))
    done = rematch(
        database,
        compiled({**feeds, "kev": [Kev(vulnerability=flaw, date_added="2030-02-03")]}),
        kept,
        lambda: NOW + DAY,
    )
    assert done.changes == {"Updated": count}
    with database.system() as connection:
        found = connection.execute(text("SELECT id, key, exploit, xmin FROM finding")).all()
    assert {row.key for row in found if row.exploit} == {flaw}
    assert {row.key for row in found if rows[row.id] != row.xmin} == {flaw}
    # Another word about what is exploited already changes nothing that findings tell.
    rows = versions_of_findings(database)
    told_otherwise = [Kev(vulnerability=flaw, date_added="2030-02-03", ransomware=True)]
    again = rematch(database, compiled({**feeds, "kev": told_otherwise}), kept, lambda: NOW + 2 * DAY)
    assert again.events == 0
    assert versions_of_findings(database) == rows
    with database.system() as connection:
        entry = connection.execute(text("SELECT kev FROM enrichment WHERE kev IS NOT NULL")).scalar_one()
    assert entry["ransomware"] is True


# A partial look


def demo(*versions, status="whole"):
    packages = tuple(package("deb", f"lib{at}", each, "var/lib/dpkg/status", source="demo") for at, each in versions)
    distribution = Distribution(id="debian", version="12", family="debian", namespace="debian:12")
    return Inventory(target=Target(kind="host", name="h"), packages=packages, distribution=distribution, status=status)


def flawed(**fixed):
    """Debian's word about the source of each name: the version that fixed its one flaw."""
    return {
        "debian_tracker": [
            Advisory(
                id=FLAWS[0],
                affected=tuple(
                    Affected(namespace="debian:12", name=name, kind="source", ranges=(Range(fixed=version),))
                    for name, version in fixed.items()
                ),
            )
        ]
    }


@pytest.mark.parametrize("status", ["whole", "partial"])
def test_a_withdrawn_advisory_closes_what_a_partial_look_has_found_too(database, compiled, kept, status):
    one = host(0)
    ingest(database, compiled(flawed(demo="2.0-1")), one, demo(("a", "1.0-1"), status=status), NOW)
    rematch(database, compiled(flawed(other="2.0-1")), kept, lambda: NOW + DAY)
    ((closed,),) = [list(stored(database).values())]
    assert closed.life.status == "CLOSED"
    assert [each.package.name for each in closed.observation.details.packages] == ["liba"]
    with database.system() as connection:
        assert connection.execute(text("SELECT close_reason FROM finding")).scalar_one() == "unseen"


def test_what_a_partial_look_has_missed_is_judged_by_itself(database, compiled, kept):
    one = host(0)
    first = compiled(flawed(demo="2.0-1"))
    ingest(database, first, one, demo(("a", "1.0-1"), ("b", "1.1-1")), NOW)
    ingest(database, first, one, demo(("b", "1.1-1"), status="partial"), NOW + DAY)  # liba wasn't seen this time
    rematch(database, first, kept, lambda: NOW + DAY)
    names = lambda: [  # noqa: E731  asked after each step
        [each.package.name for each in found.observation.details.packages] for found in stored(database).values()
    ]
    assert names() == [["liba", "libb"]]
    rematch(database, compiled(flawed(demo="1.1-1")), kept, lambda: NOW + 2 * DAY)  # libb is good, liba is not
    assert names() == [["liba"]]
    rematch(database, compiled(flawed(demo="1.0-1")), kept, lambda: NOW + 3 * DAY)
    assert [each.life.status for each in stored(database).values()] == ["CLOSED"]
    assert [each["change"] for each in next(iter(told(database).values()))] == ["Opened", "Updated", "Closed"]


# Who isn't looked at


def test_a_stopped_instance_keeps_its_findings_with_all_that_they_say(database, compiled, kept):
    one = host(0)
    ingest(database, compiled(flawed(demo="2.0-1")), one, demo(("a", "1.0-1")), NOW)
    settle(database, one, "stopped", NOW + DAY)
    before = stored(database)
    done = rematch(database, compiled(flawed(other="2.0-1")), kept, lambda: NOW + 2 * DAY)
    assert (done.events, stored(database)) == (0, before)


def test_an_image_that_is_scanned_on_push_only_is_left_alone(database, compiled, kept):
    one = image(1)
    ingest(database, compiled(flawed(other="2.0-1")), one, demo(("a", "1.0-1")), NOW)
    with database.system() as connection:
        connection.execute(text("UPDATE coverage SET reason = 'SCAN_FREQUENCY_SCAN_ON_PUSH', status = 'INACTIVE'"))
    assert rematch(database, compiled(flawed(demo="2.0-1")), kept, lambda: NOW + DAY).events == 0
    assert stored(database) == {}


# Repositories


def test_a_package_is_judged_by_the_repositories_of_each_that_has_it(database, compiled, kept):
    def redhat(*affected):
        return {"redhat-vex": [Advisory(id=FLAWS[0], affected=affected)]}

    base = Affected(namespace="redhat:9", name="demo", ranges=(Range(fixed="3.0-1.el9"),))
    stream = Affected(namespace="redhat:9", name="demo", ranges=(Range(fixed="1.5-1.el9"),), repository=STREAM)
    plain, extended = (each for each in FLEET if each.id in REDHAT)
    first = compiled(redhat(base))
    for one, enabled in ((plain, ()), (extended, (STREAM,))):
        seen = Inventory(
            target=Target(kind="host", name="r"),
            packages=(package("rpm", "demo", "2.0-1.el9", "var/lib/rpm/rpmdb.sqlite", arch="x86_64"),),
            distribution=Distribution(id="rhel", version="9.2", family="redhat", namespace="redhat:9"),
            repositories=enabled,
        )
        ingest(database, first, one, seen, NOW)
    assert {each.life.status for each in stored(database).values()} == {"ACTIVE"}
    rematch(database, first, kept, lambda: NOW)
    done = rematch(database, compiled(redhat(base, stream)), kept, lambda: NOW + DAY)
    assert done.changes == {"Closed": 1}  # there, the stream's own fix is installed
    with database.system() as connection:
        closed = connection.execute(
            text(
                "SELECT r.external_id FROM finding f JOIN resource r ON r.id = f.resource_id WHERE f.status = 'CLOSED'"
            )
        ).scalar_one()
    assert closed == extended.id


# What is told of flaws, where no range is another


def rated(vector, **more):
    nvd = Advisory(id=FLAWS[0], cvss=(Cvss(vector=vector, source="NVD"),), description="A flaw.", **more)
    return {
        "osv": [
            Advisory(
                id=FLAWS[0],
                affected=(Affected(namespace="pypi", name="flask", ranges=(Range(fixed="2.0"),)),),
            )
        ],
        "nvd": [nvd],
    }


@pytest.fixture
def flask(database, compiled, kept):
    """A host with a package whose flaw NVD calls high; and what a change of advisories does."""
    seen = Inventory(target=Target(kind="host", name="h"), packages=(package("pypi", "flask", "1.0", "srv/flask"),))
    ingest(database, compiled(rated(VECTORS[0])), host(0), seen, NOW)
    day = NOW

    def change(*told, **more):
        nonlocal day
        day += DAY
        return rematch(database, compiled(rated(*told, **more)), kept, lambda: day)

    rematch(database, compiled(rated(VECTORS[0])), kept, lambda: NOW)
    return change


def test_a_flaw_that_is_rated_otherwise_is_so_for_every_package(database, flask):
    done = flask(VECTORS[1])
    assert (done.way, done.packages, done.flaws, done.changes) == ("diff", 0, 1, {"Updated": 1})
    (one,) = stored(database).values()
    assert (one.observation.severity, one.observation.score) == ("CRITICAL", 9.8)
    assert [row[8] for row in matches(database)] == ["critical"]


def test_a_flaw_that_is_rejected_closes_and_comes_back_when_it_is_not(database, flask):
    done = flask(VECTORS[0], withdrawn="2030-01-02T00:00:00Z")
    assert done.changes == {"Closed": 1}
    assert matches(database) == []
    assert flask(VECTORS[0]).changes == {"Reopened": 1}
    assert len(matches(database)) == 1
