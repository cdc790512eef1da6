"""What is kept of layers between scans."""

import pytest

from openinspector.acquire.cache import LayerCache, readers_revision
from openinspector.catalog.harvest import Harvest
from openinspector.model.problem import Problem
from openinspector.pipeline.registry import formats

KEY = "diff:sha256:" + "a1" * 32
HARVEST = Harvest(covers=["usr/bin/app"], entries=7)


def test_what_was_put_is_given_back(tmp_path):
    LayerCache(tmp_path, "1: a=1").put(KEY, HARVEST)
    assert LayerCache(tmp_path, "1: a=1").get(KEY) == HARVEST


def test_what_other_readers_said_is_not_given_and_replaced(tmp_path):
    LayerCache(tmp_path, "1: a=1").put(KEY, HARVEST)
    newer = LayerCache(tmp_path, "1: a=2")
    assert newer.get(KEY) is None
    newer.put(KEY, Harvest(entries=8))
    assert newer.get(KEY) == Harvest(entries=8)
    assert len(list((tmp_path / "layers").iterdir())) == 1


def test_the_revision_changes_with_every_readers():
    class Changed:
        def __init__(self, other):
            self.name, self.revision = other.name, other.revision + 1

    every = list(formats().values())
    said = {readers_revision([*every[:at], Changed(each), *every[at + 1 :]]) for at, each in enumerate(every)}
    assert len(said | {readers_revision(every)}) == len(every) + 1


@pytest.mark.parametrize("key", ["", "diff:../../x", "diff:a/b", "diff:" + "a" * 300, "diff:\0", "diff:ü", "diff:."])
def test_a_key_that_a_document_made_up_names_no_file(tmp_path, key):
    cache = LayerCache(tmp_path / "cache", "1: a=1")
    cache.put(key, HARVEST)
    assert cache.get(key) is None
    assert list(tmp_path.rglob("*")) == []


def test_nothing_is_kept_of_a_layer_that_was_not_read_whole(tmp_path):
    cache = LayerCache(tmp_path, "1: a=1")
    cache.put(KEY, Harvest(problems=[Problem(path="x", reason="broken", partial=True)]))
    assert cache.get(KEY) is None


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x28\xb5\x2f\xfd" + bytes(20)], ids=repr)
def test_a_damaged_file_is_as_good_as_none(tmp_path, content):
    cache = LayerCache(tmp_path, "1: a=1")
    cache.put(KEY, HARVEST)
    (file,) = (tmp_path / "layers").iterdir()
    file.write_bytes(content)
    assert cache.get(KEY) is None


def test_without_a_folder_nothing_is_kept():
    cache = LayerCache(None, "1: a=1")
    cache.put(KEY, HARVEST)
    assert cache.get(KEY) is None
