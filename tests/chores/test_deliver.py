"""Events reach every sink, under one id, in order, whatever happens on the way."""

import json
import random
from collections import Counter
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import delete, text
from sqlalchemy.exc import OperationalError
from tests.chores.outbox import World, ids, later, lines, settings, to_file, to_web
from tests.publish import messages
from tests.publish.receiver import Receiver
from tests.service.callers import REGION, START
from tests.store.fleet import OURS, THEIRS

from openinspector.errors import UsageError
from openinspector.pipeline import deliver as module
from openinspector.pipeline import messages as in_words
from openinspector.pipeline.chores.deliver import PLUGIN
from openinspector.pipeline.chores.forget_events import PLUGIN as FORGET
from openinspector.pipeline.deliver import deliver
from openinspector.publish.sinks import file
from openinspector.render.inspector2_events import Notice, finding_event
from openinspector.store import outbox
from openinspector.store.estate import describe, enter
from openinspector.store.events import Event, payload_of, write_events
from openinspector.store.findings import Written, finding_id, write_findings
from openinspector.store.tables import finding, resource

SUPPRESSED_UPDATE = {"change": "Updated", "status": "SUPPRESSED"}


@pytest.fixture
def world(database):
    return World(database)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "events.jsonl"


@pytest.fixture
def known(work, log):
    """Work with a file as its sink, which has been registered."""
    made = work(settings=settings(to_file(log)))
    deliver(made)
    return made


def is_drained(database):
    with database.system() as connection:
        return outbox.is_drained(connection)


# What is sent, and what isn't


def test_every_event_is_sent_once_under_its_own_id(world, known, log, database):
    told = world.many()
    assert deliver(known) == len(told) == 20
    assert sorted(ids(log)) == sorted(told)
    assert is_drained(database)
    assert deliver(known) == 0


def test_each_kind_of_event_is_put_into_words(world, known, log):
    host = world.resource()
    world.tell(host, world.finding(host))
    world.tell_of("scan", host, {"HIGH": 2, "LOW": 1})
    world.tell_of("coverage", host, {"scanType": "PACKAGE", "statusCode": "ACTIVE", "reason": "SUCCESSFUL"})
    deliver(known)
    found, scanned, covered = lines(log)
    assert [found["detail-type"], scanned["detail-type"], covered["detail-type"]] == [
        "Inspector2 Finding",
        "Inspector2 Scan",
        "Inspector2 Coverage",
    ]
    for each in (found, scanned, covered):
        assert (each["account"], each["region"], each["time"]) == (OURS, REGION, "2026-03-02T10:15:30Z")
        assert (each["source"], each["resources"], each["version"]) == ("aws.inspector2", ["i-0aaaabbbbccccdddd"], "0")
    assert scanned["detail"]["finding-severity-counts"] == {"CRITICAL": 0, "HIGH": 2, "MEDIUM": 0, "TOTAL": 2}
    assert covered["detail"]["scanStatus"] == {"reason": "SUCCESSFUL", "statusCodeValue": "ACTIVE"}


@pytest.mark.parametrize("known_finding", [messages.finding(), messages.network_finding()], ids=["package", "network"])
def test_a_finding_is_told_with_all_that_is_known_of_it(known, log, database, known_finding):
    about, number = messages.HOST, finding_id(known_finding.arn)
    with database.system() as connection:
        entered = enter(connection, about, START)
        describe(connection, entered, about, "running", START, None)
        write_findings(connection, about, entered.id, None, [Written(finding=known_finding, digest=None)])
        told = Event(
            account=about.account,
            region=about.region,
            kind="finding",
            resource_id=entered.id,
            at=START,
            finding_id=number,
            payload=payload_of("Opened", known_finding),
        )
        write_events(connection, [told])
    deliver(known)
    (sent,) = lines(log)
    notice = Notice(id=sent["id"], at="2026-03-02T10:15:30.000000Z")
    assert sent == json.loads(json.dumps(finding_event(notice, about, known_finding)))


def test_an_event_says_how_the_finding_stood_when_it_changed(world, known, log, database):
    host = world.resource()
    about = world.finding(host, severity=2)
    at = "2026-03-02T09:00:00.000000Z"
    stood = {"status": "ACTIVE", "severity": "CRITICAL", "updated_at": at}
    world.tell(host, about, **stood)
    world.tell(host, about, change="Closed", status="CLOSED", severity="LOW")
    with database.system() as connection:
        connection.execute(text("UPDATE finding SET status = 'CLOSED', closed_at = now()"))
    deliver(known)
    first, second = (each["detail"] for each in lines(log))
    assert (first["status"], first["severity"]) == ("ACTIVE", "CRITICAL")
    assert first["updatedAt"] == "Mon Mar 02 09:00:00.000 UTC 2026"
    assert (second["status"], second["severity"]) == ("CLOSED", "LOW")


def test_what_an_event_does_not_hold_follows_from_what_happened_and_when(world, known, log):
    host = world.resource()
    about = world.finding(host)
    for change in ("Suppressed", "Unsuppressed", "Closed"):
        world.tell(host, about, change=change, at=START + timedelta(days=1))
    deliver(known)
    told = [each["detail"] for each in lines(log)]
    assert [each["status"] for each in told] == ["SUPPRESSED", "ACTIVE", "CLOSED"]
    assert {each["updatedAt"] for each in told} == {"Tue Mar 03 10:15:30.000 UTC 2026"}


@pytest.mark.parametrize(
    ("kind", "key", "details"),
    [
        ("PACKAGE_VULNERABILITY", "CVE-2030-0001", {"packageVulnerabilityDetails": "CVE-2030-0001"}),
        ("NETWORK_REACHABILITY", "igw-01/TCP/eni-01/22-23", {"networkReachabilityDetails": (22, 23, "TCP")}),
    ],
)
def test_a_finding_that_is_forgotten_meanwhile_is_told_from_its_event(world, known, log, database, kind, key, details):
    host = world.resource()
    about = world.finding(host)
    stood = {"change": "Closed", "type": kind, "key": key, "title": "its title", "severity": "HIGH"}
    at = "2026-03-02T09:00:00.000000Z"
    times = {"first_observed_at": at, "last_observed_at": at, "updated_at": at}
    world.tell(host, about, status="CLOSED", **stood, **times)
    with database.system() as connection:
        connection.execute(delete(finding))
    deliver(known)
    (told,) = (each["detail"] for each in lines(log))
    assert told["findingArn"] == f"arn:aws:inspector2:{REGION}:{OURS}:finding/{about.hex}"
    assert (told["status"], told["severity"], told["title"]) == ("CLOSED", "HIGH", "its title")
    assert told["firstObservedAt"] == "Mon Mar 02 09:00:00.000 UTC 2026"
    if "packageVulnerabilityDetails" in details:
        assert told["packageVulnerabilityDetails"]["vulnerabilityId"] == key
    else:
        reached = told["networkReachabilityDetails"]
        assert (*reached["openPortRange"].values(), reached["protocol"]) == details["networkReachabilityDetails"]


def test_what_can_not_be_told_any_more_is_a_dead_letter_and_keeps_back_nothing(world, known, log, database):
    host, gone = world.resource(), world.resource("i-0bbbbccccddddeeee")
    forgotten = world.finding(host)
    world.tell(host, forgotten)
    world.tell_of("scan", gone, {"HIGH": 1})
    world.tell_of("scan", host, "no counts")
    (fine,) = world.tell(host, world.finding(host, key="CVE-2030-0002"))
    with database.system() as connection:
        connection.execute(delete(finding).where(finding.c.id == forgotten))
        connection.execute(delete(resource).where(resource.c.id == gone))
    deliver(known)
    assert ids(log) == [fine]
    with database.system() as connection:
        reasons = sorted(each.reason[:30] for each in outbox.dead_letters(connection, "log", 10))
    assert reasons == [
        "it can't be put into words: Va",
        "nothing is known of its resour",
        "the finding has been forgotten",
    ]


def test_what_is_hidden_is_told_when_it_is_hidden_and_no_more_while_it_is(world, known, log):
    host = world.resource()
    about = world.finding(host)
    (hidden,) = world.tell(host, about, change="Suppressed", status="SUPPRESSED")
    world.tell(host, about, **SUPPRESSED_UPDATE)
    (shown,) = world.tell(host, about, change="Unsuppressed", status="ACTIVE")
    deliver(known)
    assert ids(log) == [hidden, shown]


@pytest.mark.parametrize(
    ("only", "wanted"),
    [
        ({"accounts": [THEIRS]}, "theirs"),
        ({"events": ["scan"]}, "scan"),
        ({"severities": ["LOW"], "events": ["finding"], "accounts": [OURS]}, "low"),
    ],
)
def test_a_sink_gets_what_it_asks_for(world, work, log, database, only, wanted):
    made = work(settings=settings(to_file(log, **only)))
    deliver(made)
    host, other = world.resource(), world.resource(account=THEIRS)
    told = {
        "high": world.tell(host, world.finding(host)),
        "low": world.tell(host, world.finding(host, key="CVE-2030-0002", severity=2)),
        "theirs": world.tell(other, world.finding(other, account=THEIRS), account=THEIRS),
        "scan": world.tell_of("scan", host, {}),
    }
    deliver(made)
    assert ids(log) == told[wanted]
    assert is_drained(database)


def test_the_source_is_what_the_settings_say(world, work, log):
    made = work(settings=settings(to_file(log, source="ours")))
    deliver(made)
    world.many(1, 1)
    deliver(made)
    assert [each["source"] for each in lines(log)] == ["ours"]


# Who is sent what


def test_a_sink_that_is_added_starts_from_then(world, work, log, tmp_path):
    deliver(work())
    before = world.many(1, 2)
    deliver(work())
    made = work(settings=settings(to_file(log)))
    deliver(made)
    after = world.tell_of("scan", world.resource(), {})
    deliver(made)
    assert (ids(log), len(before)) == (after, 2)


def test_a_sink_that_is_left_out_for_a_while_is_sent_all_of_it_later(world, work, known, log, clock):
    told = world.many(1, 2)
    deliver(work())  # by a worker that doesn't know the sink
    assert ids(log) == []
    later(clock, days=2)
    deliver(known)
    assert sorted(ids(log)) == sorted(told)


def test_a_sink_that_no_settings_name_for_days_is_forgotten_with_what_waits_for_it(world, work, known, log, clock):
    world.many(1, 2)
    deliver(work())
    later(clock, days=3, minutes=1)
    deliver(work())
    assert world.deliveries() == []
    deliver(known)
    assert ids(log) == []


def test_a_sink_that_makes_no_sense_is_an_error_that_says_which(work):
    with pytest.raises(UsageError, match=r"\[\[sinks\]\] number 1 \('x'\): kind is one of eventbridge, file"):
        deliver(work(settings=settings({"kind": "fax", "name": "x"})))


def test_several_sinks_are_each_sent_everything(world, work, tmp_path):
    paths = [tmp_path / f"{number}.jsonl" for number in range(3)]
    made = work(settings=settings(*(to_file(each, each.stem) for each in paths)))
    deliver(made)
    told = world.many()
    assert deliver(made) == 3 * len(told)
    assert [sorted(ids(each)) for each in paths] == [sorted(told)] * 3


def test_a_dead_sink_holds_back_no_other(world, work, log, clock, database):
    dead = to_web("http://127.0.0.1:9/hook", "dead", timeout=1)
    made = work(settings=settings(dead, to_file(log)))
    deliver(made)
    told = world.many()
    deliver(made)
    assert sorted(ids(log)) == sorted(told)
    state = world.sink("dead")
    assert state.failures == 1
    assert state.retry_at == clock() + timedelta(seconds=5)
    assert "127.0.0.1:9" in state.reason
    assert len(world.deliveries()) == len(told)
    assert {each.attempts for each in world.deliveries()} == {0}


def test_a_sink_that_comes_back_is_sent_what_it_missed_in_order(world, work, clock):
    status = 503
    with Receiver(lambda headers, body: (status, {})) as receiver:
        made = work(settings=settings(to_web(receiver.url)))
        deliver(made)
        host = world.resource()
        about = world.finding(host)
        told = [world.tell(host, about, change=f"Change {number}")[0] for number in range(8)]
        for _ in range(3):
            deliver(made)
            later(clock, hours=1)
        assert receiver.taken == []
        assert world.sink("web").failures == 0  # one finding that isn't taken says nothing of the sink
        status = 200
        deliver(made)
        later(clock, hours=1)
        deliver(made)
        assert receiver.ids == told


def test_a_sink_that_takes_nothing_is_asked_less_and_less_often(world, work, clock):
    with Receiver(lambda headers, body: (503, {})) as receiver:
        made = work(settings=settings(to_web(receiver.url, connections=1)))
        deliver(made)
        world.many(1, 10)
        pauses = []
        for _ in range(4):
            deliver(made)
            asked = len(receiver.asked)
            deliver(made)
            assert len(receiver.asked) == asked  # left alone
            pauses.append((world.sink("web").retry_at - clock()).total_seconds())
            clock.now = world.sink("web").retry_at
    assert pauses == [5, 10, 20, 40]


def test_a_sink_may_ask_to_be_left_alone(world, work, clock):
    with Receiver(lambda headers, body: (429, {"Retry-After": "120"})) as receiver:
        made = work(settings=settings(to_web(receiver.url)))
        deliver(made)
        world.many(1, 1)
        deliver(made)
    assert world.sink("web").retry_at == clock() + timedelta(seconds=120)


def test_an_event_that_alone_is_not_taken_holds_back_its_own_finding_only(world, work, clock):
    host = world.resource()
    bad, good = world.finding(host), world.finding(host, key="CVE-2030-0002")
    poison = []
    with Receiver(lambda headers, body: (500 if headers["webhook-id"] in poison else 200, {})) as receiver:
        made = work(settings=settings(to_web(receiver.url)))
        deliver(made)
        first, second = world.tell(host, bad, good)
        third, fourth = world.tell(host, bad, good, change="Updated")
        poison.append(first)
        deliver(made)
        assert receiver.ids == [second, fourth]
        poison.clear()
        deliver(made)
        assert receiver.ids == [second, fourth]  # not yet
        later(clock, seconds=5)
        deliver(made)
        assert receiver.ids == [second, fourth, first, third]


def test_an_event_that_is_refused_is_a_dead_letter_with_the_reason(world, work, database):
    refused = []
    with Receiver(lambda headers, body: (422 if headers["webhook-id"] in refused else 200, {})) as receiver:
        made = work(settings=settings(to_web(receiver.url)))
        deliver(made)
        told = world.many(1, 3)
        refused.append(told[0])
        deliver(made)
        assert receiver.ids == told[1:]
        with database.system() as connection:
            (letter,) = outbox.dead_letters(connection, "web", 10)
            (state,) = outbox.sink_states(connection)
        assert str(letter.id) == told[0]
        assert "the server answers 422" in letter.reason
        assert "dontshow" not in letter.reason
        assert (state.dead, state.waiting, state.failures) == (1, 0, 0)
        refused.clear()
        with database.system() as connection:
            assert outbox.revive(connection, "web") == 1
        deliver(made)
        assert receiver.ids == [*told[1:], told[0]]


def test_what_a_dead_sink_did_not_take_for_days_becomes_dead_letters(world, work, clock, database):
    made = work(settings=settings(to_web("http://127.0.0.1:9/", "dead", give_up_hours=24)))
    deliver(made)
    told = world.many(2, 2)
    deliver(made)
    later(clock, hours=23)
    deliver(made)
    assert {each.dead_at for each in world.deliveries()} == {None}
    later(clock, hours=2)
    deliver(made)
    with database.system() as connection:
        letters = outbox.dead_letters(connection, "dead", 10)
    assert sorted(str(each.id) for each in letters) == sorted(told)
    assert {each.reason.partition(":")[0] for each in letters} == {"given up"}


def test_what_waits_behind_a_sink_that_works_is_never_given_up(world, known, log, clock):
    told = world.many(1, 2)
    later(clock, days=30)
    deliver(known)
    assert sorted(ids(log)) == sorted(told)


# Dying on the way


class Died(BaseException):
    """A process that was killed."""


def test_what_was_acknowledged_but_not_written_down_is_sent_again_under_the_same_id(
    world, work, log, database, monkeypatch
):
    made = work(settings=settings(to_file(log)))
    deliver(made)
    told = world.many(1, 3)

    def die(self):
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(module._Lane, "write_down", die)
        patched.setattr(module._Run, "_release", lambda self, lease: None)
        with pytest.raises(Died):
            deliver(made)
    assert ids(log) == told
    deliver(made)
    assert ids(log) == told  # the lane is still leased
    end_leases(database)
    deliver(made)
    assert ids(log) == told * 2
    assert is_drained(database)


def end_leases(database):
    with database.system() as connection:
        connection.execute(text("UPDATE sink_lane SET leased_until = now() - interval '1 second'"))


def test_a_database_that_dies_while_findings_are_read_makes_no_dead_letters(world, known, log, database, monkeypatch):
    told = world.many(4, 2)

    def die(connection, keys):
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with monkeypatch.context() as patched:
        patched.setattr(in_words, "findings_by_key", die)
        with pytest.raises(OperationalError):
            deliver(known)
    assert not log.exists()
    deliver(known)
    with database.system() as connection:
        assert outbox.dead_letters(connection, "log", 10) == []
    assert Counter(ids(log)) == Counter(told)
    assert is_drained(database)


def test_who_has_lost_the_lane_sends_no_more_of_it(world, work, log, database, monkeypatch):
    monkeypatch.setattr(module, "_READ_AT_ONCE", 1)
    made = work(settings=settings(to_file(log)))
    deliver(made)
    told = world.many(1, 3)
    write_down = module._Lane.write_down

    def lose(self):
        with database.system() as connection:
            connection.execute(text("UPDATE sink_lane SET lease = gen_random_uuid() WHERE lane = 0 OR lane > 0"))
        return write_down(self)

    with monkeypatch.context() as patched:
        patched.setattr(module._Lane, "write_down", lose)
        deliver(made)
    assert ids(log) == told[:1]
    end_leases(database)
    deliver(made)
    assert ids(log) == told


def test_two_workers_at_once_send_each_event_once_to_each_sink_and_in_order(world, work, tmp_path):
    log = tmp_path / "events.jsonl"
    with Receiver() as receiver:
        made = work(settings=settings(to_file(log), to_web(receiver.url)))
        deliver(made)
        told = []
        hosts = [world.resource(f"i-{number:017x}") for number in range(12)]
        findings = [(host, world.finding(host)) for host in hosts]
        for number in range(6):
            for host, about in findings:
                told += world.tell(host, about, change=f"Change {number}")
        start = Barrier(2)
        failures = []

        def one():
            start.wait()
            try:
                deliver(made)
            except BaseException as error:
                failures.append(error)

        threads = [Thread(target=one) for _ in range(2)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert failures == []
        deliver(made)
        assert Counter(receiver.ids) == Counter(ids(log)) == Counter(told)
        for seen in (receiver.ids, ids(log)):
            for first in range(12):
                mine = told[first::12]
                assert [each for each in seen if each in mine] == mine


@pytest.mark.parametrize("seed", range(4))
def test_whatever_fails_every_event_is_sent_in_order_and_under_no_other_id(
    seed, world, work, clock, database, tmp_path
):
    """Sinks that fail, hang up or refuse for a time, workers that die between sending and writing down."""
    chance = random.Random(seed)
    log = tmp_path / "events.jsonl"
    trouble = [True]

    def answer(headers, body):
        return (chance.choice((200, 200, 200, 500, 503, 408, 404, 429)) if trouble[0] else 200, {})

    with Receiver(answer) as receiver:
        made = work(settings=settings(to_file(log, largest=1), to_web(receiver.url)))
        deliver(made)
        hosts = [world.resource(f"i-{number:017x}") for number in range(4)]
        findings = [(host, world.finding(host, key=f"CVE-2030-{key}")) for host in hosts for key in range(3)]
        told = []
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(file._File, "_append", perhaps(chance, file._File._append, OSError(28, "full"), trouble))
            patched.setattr(file._File, "_put_aside", lambda self: None)
            patched.setattr(module._Lane, "write_down", perhaps(chance, module._Lane.write_down, Died(), trouble))
            for step in range(30):
                trouble[0] = step < 25
                if step < 20:
                    for host, about in chance.sample(findings, 5):
                        told += [(each, about) for each in world.tell(host, about, change=f"Step {step}")]
                try:
                    deliver(made)
                except Died:
                    end_leases(database)
                later(clock, seconds=chance.choice((1, 10, 1000)))
            trouble[0] = False
            later(clock, hours=1)
            deliver(made)
            later(clock, hours=1)
            deliver(made)
    assert is_drained(database)
    names = [each for each, _ in told]
    for seen in (receiver.ids, ids(log)):
        assert set(seen) == set(names)  # none lost, none under another id
        for _, about in findings:
            mine = [each for each, of in told if of == about]
            assert in_order(seen, mine)


def perhaps(chance, real, error, trouble):
    def call(self, *arguments):
        fails = trouble[0] and chance.random() < 0.2
        if fails and chance.random() < 0.5:
            raise error
        done = real(self, *arguments)
        if fails:
            raise error
        return done

    return call


def in_order(seen, mine):
    """Whether the first time that each was seen is in order; what is sent again may come later."""
    firsts = [seen.index(each) for each in mine]
    return firsts == sorted(firsts)


# Afterwards


def test_events_are_forgotten_some_days_after_they_were_sent(world, work, known, log, clock, database):
    world.many(1, 2)
    deliver(known)
    later(clock, days=6)
    assert FORGET.run(known) == 0
    later(clock, days=2)
    assert FORGET.run(known) == 2
    assert world.events() == []


def test_without_a_sink_events_are_forgotten_too(world, work, clock):
    world.many(1, 2)
    made = work()
    deliver(made)
    later(clock, days=8)
    assert FORGET.run(made) == 2


def test_what_a_sink_has_not_got_is_not_forgotten(world, work, clock):
    made = work(settings=settings(to_web("http://127.0.0.1:9/", "dead", give_up_hours=24 * 60)))
    deliver(made)
    world.many(1, 2)
    deliver(made)
    later(clock, days=20)
    assert FORGET.run(made) == 0
    later(clock, days=50)
    deliver(made)
    assert FORGET.run(made) == 0  # dead letters, which are kept for a while
    later(clock, days=31)
    assert FORGET.run(made) == 4  # two letters, two events


def test_a_worker_that_is_to_stop_sends_nothing_new(world, work, log):
    made = work(settings=settings(to_file(log)), stopping=lambda: True)
    deliver(work(settings=made.settings))
    world.many(1, 2)
    assert deliver(made) == 0
    assert ids(log) == []


def test_a_fault_in_a_sink_is_its_own_trouble(world, work, log, tmp_path, monkeypatch):
    other = tmp_path / "other.jsonl"
    made = work(settings=settings(to_file(log), to_web("http://127.0.0.1:9/", "web")))
    deliver(made)
    world.many(1, 2)

    def fault(self, data):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(file._File, "_append", fault)
    deliver(made)
    assert world.sink("log").reason == "ZeroDivisionError: division by zero"
    assert world.sink("web").failures == 1
    assert not other.exists()


def test_the_chore_is_done_by_several_at_once():
    assert PLUGIN.name == "deliver"
    assert PLUGIN.side_by_side > 1


def test_an_overtaken_event_is_impossible_while_another_hands_out(world, database, known):
    world.many(1, 2)
    with database.system() as one:
        assert outbox.hand_out(one, known.clock(), 1) == 1
        with database.system() as other:
            assert outbox.hand_out(other, known.clock(), 10) == 0
    with database.system() as connection:
        assert outbox.hand_out(connection, known.clock(), 10) == 1
