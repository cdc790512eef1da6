"""Any process of the service is killed at any moment, again and again, and what is left is looked at from outside.

OPENINSPECTOR_KILLS says how often (12). Killed are the API's process, its worker, those who ingest, PostgreSQL's
postmaster, one of its backends, and its keeper.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.crash.ingester import ACCOUNT, FLAWS, read_journal, resources, vulnerable
from tests.edge.postgres import scratch
from tests.edge.service_process import tied

from openinspector.model.advisory import Advisory, Affected, Cvss, Range
from openinspector.store import outbox
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.database import connect_embedded
from openinspector.store.embedded import start
from openinspector.store.part import write_part

KILLS = int(os.environ.get("OPENINSPECTOR_KILLS", "12"))
SEED = int(os.environ.get("OPENINSPECTOR_KILL_SEED", "7"))
INGESTERS = 2
VICTIMS = ("service", "worker", "worker", "ingester", "ingester", "backend", "postmaster", "keeper")
VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
SETTINGS = """
[[sinks]]
kind = "file"
name = "all"
path = "{folder}/events.jsonl"
"""


@pytest.fixture
def folder():
    with scratch() as path:
        compile_advisories(path, FLAWS, 0)
        (path / "settings.toml").write_text(SETTINGS.format(folder=path))
        yield path


def processes():
    """Every process: its id, its parent's, its command."""
    for each in Path("/proc").iterdir():
        if each.name.isdecimal():
            try:
                words = (each / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                yield int(each.name), int((each / "stat").read_text().rpartition(")")[2].split()[1]), words
            except (OSError, IndexError, ValueError):
                continue


def compile_advisories(folder, flaws, number):
    """Puts the number-th generation of advisories in place, which speaks of these flaws."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        part, new = Path(name) / "osv.sqlite", Path(name) / "advisories.sqlite"
        write_part(
            part,
            [
                Advisory(
                    id=flaw,
                    affected=(Affected(namespace="pypi", name=f"demo-{flaw[-4:]}", ranges=(Range(fixed="2.0"),)),),
                    cvss=(Cvss(vector=VECTOR, source="NVD"),),
                )
                for flaw in flaws
            ],
        )
        state = FeedState(name="osv", revision=1, digest=f"{number}", fetched="", parts=(part,))
        compile_parts(new, [state], {"built": f"2030-03-01T{number // 60:02}:{number % 60:02}:00Z"})
        new.replace(folder / "advisories.sqlite")


class Stage:
    """The processes, and those who may be killed."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {
            **os.environ,
            "OPENINSPECTOR_DATA": str(folder / "data"),
            "OPENINSPECTOR_DB": str(folder / "advisories.sqlite"),
            "OPENINSPECTOR_CACHE": str(folder / "cache"),
            "OPENINSPECTOR_SETTINGS": str(folder / "settings.toml"),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        self.log = (folder / "log").open("ab")
        self.service = self.serve()
        self.ingesters = {number: self.ingest(number) for number in range(INGESTERS)}

    def serve(self):
        return self.run("-m", "openinspector", "serve", "--port", "0")

    def ingest(self, number):
        return self.run(str(Path(__file__).with_name("ingester.py")), str(self.folder), str(number))

    def run(self, *arguments):
        return subprocess.Popen(tied(*arguments), env=self.environment, stderr=self.log, stdout=self.log)

    def kill(self, what):
        """Kills one of a kind, if there is one now."""
        if what == "service":
            self.service.kill()
            self.service.wait()
            self.service = self.serve()
            return
        if what == "ingester":
            number = random.choice(list(self.ingesters))
            self.ingesters[number].kill()
            self.ingesters[number].wait()
            self.ingesters[number] = self.ingest(number)
            return
        victims = self.victims(what)
        if victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(random.choice(victims), signal.SIGKILL)

    def victims(self, what):
        """The ids of processes that are ours, by what they are."""
        if what == "backend":
            masters = set(self.victims("postmaster"))
            return [number for number, parent, _ in processes() if parent in masters]
        told = {
            "worker": lambda parent, words: parent == self.service.pid and "--role worker" in words,
            "keeper": lambda _, words: "keeper.py" in words and str(self.folder) in words,
            "postmaster": lambda _, words: "/postgres " in words and str(self.folder) in words,
        }[what]
        return [number for number, parent, words in processes() if told(parent, words)]

    def tend(self):
        """Starts again what gave up because the database was killed while it started, as a service manager does."""
        if self.service.poll() is not None:
            self.service = self.serve()
        for number, each in self.ingesters.items():
            if each.poll():  # who was told to stop, and did, has ended with 0
                self.ingesters[number] = self.ingest(number)

    def end(self):
        (self.folder / "stop").touch()
        for number in list(self.ingesters):
            while self.ingesters[number].wait(300) != 0:
                self.tend()


def eventually(claim, seconds=300):
    end = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.2)


@pytest.mark.parametrize("advisories", ["stay", "change"])
def test_nothing_is_lost_or_doubled_whatever_is_killed(folder, advisories):
    """Where the advisories change, findings are opened and closed by those who match again as well."""
    random.seed(SEED)
    flaws, generation = FLAWS, 0
    stage = Stage(folder)
    killed = defaultdict(int)
    try:
        # A database that was never made loses nothing: whoever makes it may have to be started again.
        eventually(lambda: all(read_journal(folder / f"journal-{number}") for number in range(INGESTERS)))
        while sum(killed.values()) < KILLS:
            time.sleep(random.expovariate(2.5))
            what = random.choice(VICTIMS)
            stage.kill(what)
            stage.tend()
            killed[what] += 1
            if advisories == "change" and random.random() < 0.5:
                flaws, generation = sorted(random.sample(FLAWS, 8)), generation + 1
                compile_advisories(folder, flaws, generation)
        stage.end()
        with start(folder / "data") as server, connect_embedded(server, pool=1) as database:
            stage.tend()
            eventually(lambda: is_in_force(folder, database))
            eventually(lambda: is_drained(database))
            stage.service.terminate()
            assert stage.service.wait(300) is not None
            look(folder, database, frozenset(flaws), exactly=advisories == "stay")
    finally:
        for each in (stage.service, *stage.ingesters.values()):
            each.kill()
            each.wait()
        stage.log.close()


def is_in_force(folder, database):
    with contextlib.closing(AdvisoryFile(folder / "advisories.sqlite")) as newest:
        digest = newest.meta["digest"]
    asked = (
        "SELECT 1 FROM generation WHERE state = 'in force' AND digest = :digest AND NOT EXISTS (SELECT FROM rematch)"
    )
    return bool(rows(database, asked, digest=digest))


def is_drained(database):
    with database.system() as connection:
        return outbox.is_drained(connection)


def rows(database, query, **values):
    with database.system() as connection:
        return connection.execute(text(query), values).all()


def look(folder, database, flaws, *, exactly):
    """What must be true, whatever happened, where the advisories in force speak of these flaws."""
    versions = {}
    for number in range(INGESTERS):
        versions |= read_journal(folder / f"journal-{number}")
    assert set(versions) == {name for number in range(INGESTERS) for name in resources(number)}
    assert all(begun == done for begun, done in versions.values())

    # No finding is lost, none is there twice, and none is there that should not be.
    found = rows(
        database,
        "SELECT r.external_id AS name, f.vulnerability_id AS flaw, f.status, replace(f.id::text, '-', '') AS id"
        " FROM finding f JOIN resource r ON r.id = f.resource_id",
    )
    active = defaultdict(list)
    for each in found:
        if each.status == "ACTIVE":
            active[each.name].append(each.flaw)
    assert {name: sorted(flaws) for name, flaws in active.items()} == {
        name: sorted(vulnerable(name, done) & flaws)
        for name, (_, done) in versions.items()
        if vulnerable(name, done) & flaws
    }
    assert len({each.id for each in found}) == len(found)

    # Each change of a finding has one event, and they follow one another as a life does.
    events = rows(
        database,
        "SELECT id::text AS id, replace(finding_id::text, '-', '') AS finding, payload ->> 'change' AS change"
        " FROM event WHERE kind = 'finding' ORDER BY sequence",
    )
    lives = defaultdict(list)
    for each in events:
        lives[each.finding].append(each.change)
    status = {each.id: each.status for each in found}
    for identity, changes in lives.items():
        turns = [change for change in changes if change in ("Opened", "Reopened", "Closed")]
        assert turns[0] == "Opened"
        for former, later in zip(turns, turns[1:], strict=False):
            assert (former == "Closed") == (later != "Closed"), (identity, turns)
        assert (turns[-1] == "Closed") == (status[identity] == "CLOSED"), (identity, turns)
    assert set(status) == set(lives)

    # There are exactly the changes that follow from what was handed in, where nothing else made any.
    changed = defaultdict(int)
    for name, (_, done) in versions.items():
        before = frozenset()
        for version in range(1, done + 1):
            now = vulnerable(name, version)
            changed[name] += len(now ^ before)
            before = now
    told = defaultdict(int)
    names = {each.id: each.name for each in found}
    for identity, changes in lives.items():
        told[names[identity]] += sum(change in ("Opened", "Reopened", "Closed") for change in changes)
    assert told == changed or not exactly

    # The sink has every event, under its one id.
    assert rows(database, "SELECT reason FROM delivery WHERE dead_at IS NOT NULL") == []
    sent = defaultdict(set)
    for line in (folder / "events.jsonl").read_text().splitlines():
        event = json.loads(line)
        sent[event["id"]].add(json.dumps(event["resources"]) + event["detail-type"])
        assert event["account"] == ACCOUNT
    told = {
        each.id: tuple(each)
        for each in rows(database, "SELECT id::text AS id, kind, created_at, handed_at, payload FROM event")
    }
    assert [each for number, each in told.items() if number not in sent] == []
    assert set(sent) == set(told)
    assert all(len(each) == 1 for each in sent.values())
