"""Whatever lies in a target, reading it gives an inventory or one of our errors, within bounds."""

from pkgutil import iter_modules

import msgspec
import pytest
from hypothesis import strategies as st
from tests.fuzz.drive import drive
from tests.fuzz.mutations import STEPS, damaged
from tests.fuzz.seeds.targets import SEEDS, WITHOUT_FILE

from openinspector.acquire import targets
from openinspector.acquire.contract import Reader
from openinspector.acquire.detect import acquire, detect
from openinspector.acquire.limits import Limits
from openinspector.errors import AcquireError
from openinspector.pipeline.registry import formats

KINDS = [info.name for info in iter_modules(targets.__path__) if not info.name.startswith("_")]
CASES = [(name, at) for name in KINDS if name not in WITHOUT_FILE for at in range(max(len(SEEDS.get(name, ())), 1))]


def seed_of(name, at):
    if name not in SEEDS:
        pytest.fail(f"the target {name} has no seed: add a small valid one to tests/fuzz/seeds/targets.py")
    return SEEDS[name][at]


def read(folder, target, data):
    prefix, _, name = target.partition(":")
    (folder / name).write_bytes(data)
    reader = Reader(formats(), Limits(bytes_out=64 << 20, seconds=30), folder / "cache")
    return acquire(reader, detect(f"{prefix}:{folder / name}"))


@pytest.mark.parametrize(("name", "at"), CASES)
def test_a_seed_is_read_whole(tmp_path, name, at):
    seed = seed_of(name, at)
    inventory = read(tmp_path, seed.path, seed.data)
    assert inventory.packages
    assert inventory.status == "whole"


@pytest.mark.parametrize(("name", "at"), CASES)
def test_nothing_but_an_inventory_or_our_error(tmp_path, name, at):
    seed = seed_of(name, at)

    def check(example):
        steps, inside = example
        data = seed.pack(damaged(seed.content, steps)) if inside else damaged(seed.data, steps)
        try:
            inventory = read(tmp_path, seed.path, data)
        except AcquireError as error:
            assert len(str(error)) < 2000
            return
        assert inventory.status == "partial" or not [each for each in inventory.problems if each.partial]
        for each in inventory.packages:
            assert each.name
            assert each.version
        msgspec.json.encode(_without_surrogates(inventory))

    drive(st.tuples(STEPS, st.booleans() if seed.pack is not bytes else st.just(True)), check)


def _without_surrogates(value):
    """Names of files may hold any bytes; what shows them replaces these."""
    text = msgspec.to_builtins(value)
    return repr(text)
