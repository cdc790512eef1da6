"""Events as lines of a file."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.publish.messages import REGION, kinds, message

from openinspector.errors import PublishError, UsageError
from openinspector.pipeline.sinks import read_sinks
from openinspector.publish.sinks import file as module
from openinspector.transport.aws import Endpoint

REPOSITORY = Path(__file__).resolve().parents[2]


def sink_at(path, **more):
    (sink,) = read_sinks([{"kind": "file", "name": "f", "path": str(path), **more}])
    return sink.kind.open(sink.settings, Endpoint(region=REGION))


def ids(path):
    return [json.loads(each)["id"] for each in path.read_text().splitlines()]


def test_each_event_is_a_line(tmp_path):
    path = tmp_path / "events.jsonl"
    told = [message(number) for number in (1, 2, 3)]
    sink = sink_at(path)
    assert kinds(sink.send(told[:2])) == ["sent", "sent"]
    assert kinds(sink.send(told[2:])) == ["sent"]
    assert [json.loads(each) for each in path.read_text().splitlines()] == [each.event for each in told]


def test_nobody_else_can_read_it(tmp_path):
    path = tmp_path / "events.jsonl"
    list(sink_at(path).send([message()]))
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_is_on_the_disk_before_it_counts_as_sent(tmp_path, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: (synced.append(os.fstat(number).st_size), real(number)))
    path = tmp_path / "events.jsonl"
    outcomes = sink_at(path).send([message()])
    next(outcomes)
    assert path.stat().st_size in synced


@pytest.mark.parametrize("left", [b'{"id": "unfin', b"x" * 200_000])
def test_a_line_that_was_left_unfinished_is_taken_off(tmp_path, left):
    path = tmp_path / "events.jsonl"
    list(sink_at(path).send([message(1)]))
    with path.open("ab") as stream:
        stream.write(left)
    list(sink_at(path).send([message(2)]))
    assert ids(path) == [message(1).id, message(2).id]


def test_a_file_of_nothing_but_an_unfinished_line_begins_anew(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"x" * 70_000)
    list(sink_at(path).send([message(1)]))
    assert ids(path) == [message(1).id]


def test_a_large_file_is_put_aside_and_the_oldest_goes(tmp_path):
    path = tmp_path / "events.jsonl"
    sink = sink_at(path, largest=1, keep=2)
    for number in (1, 2, 3):
        list(sink.send([message(number)]))
    assert not path.exists()
    assert ids(tmp_path / "events.jsonl.1") == [message(3).id]
    assert ids(tmp_path / "events.jsonl.2") == [message(2).id]
    assert not (tmp_path / "events.jsonl.3").exists()


def test_without_files_to_keep_it_is_left_to_others(tmp_path):
    path = tmp_path / "events.jsonl"
    sink = sink_at(path, largest=1, keep=0)
    list(sink.send([message(1)]))
    list(sink.send([message(2)]))
    assert len(ids(path)) == 2


def test_a_file_that_others_moved_away_is_begun_anew(tmp_path):
    path = tmp_path / "events.jsonl"
    sink = sink_at(path)
    list(sink.send([message(1)]))
    path.rename(tmp_path / "away")
    list(sink.send([message(2)]))
    assert ids(path) == [message(2).id]


WRITE_SOME = """
from tests.publish.test_file import kinds, message, sink_at
sink = sink_at({path!r}, largest=20_000, keep=1000)
for number in range({first}, {first} + 20):
    assert kinds(sink.send([message(number)])) == ["sent"]
"""


def test_several_processes_write_whole_lines_and_lose_none(tmp_path):
    path = tmp_path / "events.jsonl"
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITE_SOME.format(path=str(path), first=first)], env=environment)
        for first in (0, 100, 200)
    ]
    assert [each.wait() for each in processes] == [0, 0, 0]
    seen = [name for each in tmp_path.glob("events.jsonl*") if each.suffix != ".lock" for name in ids(each)]
    wanted = [message(first + number).id for first in (0, 100, 200) for number in range(20)]
    assert sorted(seen) == sorted(wanted)


def test_a_file_that_can_not_be_written_is_a_trouble_of_the_sink(tmp_path):
    with pytest.raises(PublishError, match="can't be written: No such file or directory"):
        list(sink_at(tmp_path / "nowhere" / "events.jsonl").send([message()]))


def test_a_lock_that_never_comes_free_is_a_trouble_of_the_sink(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_LOCK_SECONDS", 0.0)
    path = tmp_path / "events.jsonl"
    with open(f"{path}.lock", "w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(PublishError, match="another process"):
            list(sink_at(path).send([message()]))


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"path": "events.jsonl"}, "should begin with /"),
        ({"path": "/a", "largest": 0}, "number of bytes"),
        ({"path": "/a", "keep": -1}, "number of bytes"),
    ],
)
def test_settings_that_make_no_sense_are_said_when_they_are_read(more, reason):
    with pytest.raises(UsageError, match=reason):
        read_sinks([{"kind": "file", "name": "f", **more}])
