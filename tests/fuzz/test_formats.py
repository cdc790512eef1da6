"""Whatever stands in a file, its format gives a reading or a `CatalogError`, within bounds."""

import contextlib

import msgspec
import pytest
from hypothesis import strategies as st
from tests.fuzz.drive import bounded, drive
from tests.fuzz.mutations import STEPS, damaged
from tests.fuzz.seeds.formats import SEEDS

from openinspector.catalog.contract import File, Reading
from openinspector.errors import CatalogError
from openinspector.pipeline.registry import formats

CASES = [(name, at) for name in formats() for at in range(max(len(SEEDS.get(name, ())), 1))]


def seed_of(name, at):
    if name not in SEEDS:
        pytest.fail(f"the format {name} has no seed: add a small valid file of it to tests/fuzz/seeds/formats.py")
    return SEEDS[name][at]


@pytest.mark.parametrize(("name", "at"), CASES)
def test_a_seed_is_read_without_doubt(name, at):
    seed = seed_of(name, at)
    reading = formats()[name].read(File(path=seed.path, data=seed.data, beside=seed.beside))
    assert reading.packages or reading.facts or reading.owned
    assert not [each for each in reading.problems if each.partial]


def test_no_seed_is_left_over():
    assert SEEDS.keys() <= formats().keys()


@pytest.mark.parametrize(("name", "at"), CASES)
def test_nothing_at_all_and_nothing_but_zeros(name, at):
    seed = seed_of(name, at)
    for data in (
        b"",
        b"\0",
        bytes(len(seed.data)),
        bytes(1 << 17),
        b"\n" * (1 << 17),
        b"[" * (1 << 17),
        b"<a>" * (1 << 15),
    ):
        with contextlib.suppress(CatalogError), bounded():
            formats()[name].read(File(path=seed.path, data=data, beside=dict.fromkeys(seed.beside, data)))


@pytest.mark.parametrize(("name", "at"), CASES)
def test_nothing_but_a_reading_or_our_error(name, at):
    seed, plugin = seed_of(name, at), formats()[name]
    where = st.sampled_from(("content", "file") if seed.pack is not bytes else ("file",))
    where = st.one_of(where, st.sampled_from(sorted(seed.beside))) if seed.beside else where

    def check(example):
        steps, which = example
        data, beside = seed.data, dict(seed.beside)
        if which == "content":
            data = seed.pack(damaged(seed.content, steps))
        elif which == "file":
            data = damaged(data, steps)
        else:
            beside[which] = damaged(beside[which], steps)
        try:
            reading = plugin.read(File(path=seed.path, data=memoryview(data), beside=beside))
        except CatalogError as error:
            assert len(str(error)) < 2000
            return
        assert isinstance(reading, Reading)
        msgspec.msgpack.encode(reading)  # it is kept, and shown: text has to be text

    drive(st.tuples(STEPS, where), check)
