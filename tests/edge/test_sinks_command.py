"""`openinspector sinks`, over a real database."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import insert, update
from tests.chores.outbox import World, settings, to_web
from tests.publish.receiver import Receiver
from tests.service.callers import REGION, Clock

from openinspector.cli.main import main
from openinspector.pipeline.contract import Work
from openinspector.pipeline.deliver import deliver
from openinspector.store.database import connect_embedded
from openinspector.store.sealing import Sealer
from openinspector.store.tables import chore, sink


def none():
    raise AssertionError("there are no advisories")


@pytest.fixture
def sent(postgres, template, tmp_path):
    """Sends to a server that refuses one of three events: the address, the work, and the ids of the events."""
    postgres.make_database("sinks", template)
    refused = []
    with (
        connect_embedded(postgres, database="sinks", pool=2) as database,
        Receiver(lambda headers, _: (422 if headers["webhook-id"] in refused else 204, {})) as receiver,
    ):
        work = Work(
            database=database,
            region=REGION,
            data=tmp_path,
            settings=settings(to_web(receiver.url, "chat"), to_web("http://127.0.0.1:9/", "dead")),
            advisories=none,
            sealer=Sealer([b"s" * 32]),
            clock=Clock(),
        )
        deliver(work)
        told = World(database).many(1, 3)
        refused.append(told[0])
        deliver(work)
        refused.clear()
        address = postgres.url(database="sinks").replace("postgresql+psycopg", "postgresql")
        yield address, work, told, receiver


def _left_out_for(work, name, minutes):
    """Workers have been sending until now, and none has named the sink."""
    with work.database.system() as connection:
        connection.execute(insert(chore).values(name="deliver", due_at=work.clock(), last_ended_at=work.clock()))
        seen = work.clock() - timedelta(minutes=minutes)
        connection.execute(update(sink).where(sink.c.name == name).values(seen_at=seen))


def said(capsys, address, *arguments, status=0):
    assert main(["sinks", *arguments, "--database-url", address]) == status
    return capsys.readouterr()


def test_sinks_are_listed_and_what_they_refused_is_sent_again(capsys, sent):
    address, work, told, receiver = sent
    chat, dead = json.loads(said(capsys, address, "list", "--format", "json").out)
    assert (chat["name"], chat["waiting"], chat["dead"], chat["failures"]) == ("chat", 0, 1, 0)
    assert (dead["name"], dead["waiting"], dead["dead"], dead["failures"]) == ("dead", 3, 0, 1)
    people = said(capsys, address, "list").out.splitlines()
    assert people[1].split() == ["chat", "webhook", "0", "1", "2026-03-02", "10:15:30", "fine"]
    assert "takes nothing, once: http://127.0.0.1:9/:" in people[2]

    (letter,) = json.loads(said(capsys, address, "dead", "chat", "--format", "json").out)
    assert letter["id"] == told[0]
    assert "the server answers 422" in letter["reason"]
    assert "dontshow" not in letter["reason"]
    assert told[0] in said(capsys, address, "dead", "chat").out

    assert said(capsys, address, "retry", "chat").out == "1 event is sent to chat again\n"
    deliver(work)
    assert receiver.ids[-1] == told[0]

    _left_out_for(work, "dead", minutes=4)
    chat, dead = said(capsys, address, "list").out.splitlines()[1:]
    assert chat.endswith("fine")
    assert dead.endswith("no worker's settings have named it since 2026-03-02 10:11:30")

    assert "there is no sink 'fax' (there are: chat, dead)" in said(capsys, address, "dead", "fax", status=2).err
