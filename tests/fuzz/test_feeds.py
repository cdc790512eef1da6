"""Whatever a publisher or a mirror serves, a feed gives records or a `FeedError`, within bounds."""

from io import BytesIO

import msgspec
import pytest
from hypothesis import strategies as st
from tests.fuzz.drive import drive
from tests.fuzz.mutations import STEPS, damaged
from tests.fuzz.seeds.feeds import SEEDS

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.model.problem import Problem
from openinspector.pipeline.registry import feeds

CASES = [(name, at) for name in feeds() for at in range(max(len(SEEDS.get(name, ())), 1))]


def seed_of(name, at):
    if name not in SEEDS:
        pytest.fail(f"the feed {name} has no seed: add a small valid document of it to tests/fuzz/seeds/feeds.py")
    return SEEDS[name][at]


def parse(name, path, data):
    return list(feeds()[name].parse(Document(path=path, stream=BytesIO(data))))


@pytest.mark.parametrize(("name", "at"), CASES)
def test_a_seed_gives_a_record(name, at):
    seed = seed_of(name, at)
    records = parse(name, seed.path, seed.data)
    assert records
    assert not [each for each in records if isinstance(each, Problem)]


def test_no_seed_is_left_over():
    assert SEEDS.keys() <= feeds().keys()


@pytest.mark.parametrize(("name", "at"), CASES)
def test_nothing_but_records_or_our_error(name, at):
    seed = seed_of(name, at)

    def check(example):
        steps, inside = example
        data = seed.pack(damaged(seed.content, steps)) if inside else damaged(seed.data, steps)
        try:
            records = parse(name, seed.path, data)
        except FeedError as error:
            assert len(str(error)) < 2000
            return
        for each in records:
            msgspec.msgpack.encode(each)  # it is stored: text has to be text, numbers have to have an end

    drive(st.tuples(STEPS, st.booleans() if seed.pack is not bytes else st.just(True)), check)
