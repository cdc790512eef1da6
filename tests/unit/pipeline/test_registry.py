"""Formats are imported when their first file is met, and what is noted of them never gets stale."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.acquire.layers import OS_RELEASE, docker_archive, layer, status

import openinspector
from openinspector.acquire.cache import readers_revision
from openinspector.catalog.selector import Selector
from openinspector.pipeline.registry import formats

SOURCE = Path(openinspector.__file__).parent
REPORT = """
import json, sys
from pathlib import Path
from openinspector.acquire.contract import Reader
from openinspector.acquire.limits import Limits
from openinspector.acquire.targets.archive import read_archive
from openinspector.acquire.cache import readers_revision
from openinspector.pipeline.registry import formats

cache = Path(sys.argv[1])
known = formats(cache)
names = [each.name for each in known.values()]
if len(sys.argv) > 2:
    read_archive(Reader(known, Limits(), cache), Path(sys.argv[2]))
start = "openinspector.catalog.formats."
imported = sorted(name.removeprefix(start) for name in sys.modules if name.startswith(start))
print(json.dumps([names, readers_revision(known.values()), imported]))
"""


def run(cache, *arguments, source=SOURCE.parent, compiles=False):
    """(names, revision, imported modules) of the formats in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "" if compiles else "1"}
    command = [sys.executable, "-c", REPORT, str(cache), *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def copy(tmp_path):
    """The package in a folder where its files can be changed."""
    source = tmp_path / "source"
    shutil.copytree(SOURCE, source / "openinspector", ignore=shutil.ignore_patterns("__pycache__"))
    return source


def test_notes_say_what_the_formats_say(tmp_path):
    plain = formats()
    for noted in (formats(tmp_path / "cache"), formats.__wrapped__(tmp_path / "cache")):
        assert list(noted) == list(plain)
        assert readers_revision(noted.values()) == readers_revision(plain.values())
        for name, each in plain.items():
            other = noted[name]
            assert (other.name, other.title, other.type, other.wants) == (each.name, each.title, each.type, each.wants)


def test_a_scan_imports_the_formats_whose_files_are_there_and_a_second_one_none(tmp_path):
    image = docker_archive(
        tmp_path / "i.tar", layer({"etc/os-release": OS_RELEASE, "var/lib/dpkg/status": status(bash="5")})
    )
    cache = tmp_path / "cache"
    run(cache)
    assert run(cache, image)[2] == ["dpkg", "os_release"]
    assert run(cache, image)[2] == []


def test_where_modules_are_compiled_the_notes_lie_with_them_and_no_cache_is_needed(tmp_path, copy):
    names = run(tmp_path / "none", source=copy, compiles=True)[0]
    assert not (tmp_path / "none").exists()
    assert run(tmp_path / "other", source=copy, compiles=True)[::2] == [names, []]
    with (copy / "openinspector/catalog/relevance.py").open("a") as module:
        module.write("\n")
    assert len(run(tmp_path / "other", source=copy, compiles=True)[2]) > 30


NEW = """
from openinspector.catalog.contract import Reading, Wants

class New:
    name, title, type, revision, wants = "new", "New", "", 1, Wants(names=("new.lock",))

    def accepts(self, path):
        return True

    def read(self, file):
        return Reading()

PLUGIN = New()
"""


def test_a_new_format_needs_nothing_but_its_module(tmp_path, copy):
    before, revision, _ = run(tmp_path / "cache", source=copy)
    (copy / "openinspector/catalog/formats/zz_new.py").write_text(NEW)
    after, other, _ = run(tmp_path / "cache", source=copy)
    assert set(after) - set(before) == {"new"}
    assert revision != other
    (copy / "openinspector/catalog/formats/zz_new.py").unlink()
    assert run(tmp_path / "cache", source=copy)[:2] == [before, revision]


def test_a_raised_revision_is_seen_though_the_file_has_the_same_size(tmp_path, copy):
    module = copy / "openinspector/catalog/formats/dpkg.py"
    text = module.read_text()
    _, before, _ = run(tmp_path / "cache", source=copy)
    module.write_text(re.sub(r"    revision = \d", "    revision = 0", text))
    assert module.stat().st_size == len(text.encode())
    _, after, _ = run(tmp_path / "cache", source=copy)
    assert before != after


def test_a_change_in_what_formats_share_is_seen(tmp_path, copy):
    run(tmp_path / "cache", source=copy)
    kept = (tmp_path / "cache/formats").read_bytes()
    with (copy / "openinspector/catalog/relevance.py").open("a") as module:
        module.write("\n")
    assert len(run(tmp_path / "cache", source=copy)[2]) > 30
    assert (tmp_path / "cache/formats").read_bytes() != kept


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x82"], ids=repr)
def test_damaged_notes_are_written_anew(tmp_path, content):
    names = run(tmp_path / "cache")[0]
    (tmp_path / "cache/formats").write_bytes(content)
    assert run(tmp_path / "cache")[0] == names
    assert run(tmp_path / "cache")[2] == []


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert run(tmp_path / "cache")[0] == list(formats())


def test_a_format_may_refuse_a_path_also_for_its_first_bytes():
    selector = Selector([_Called()])
    assert [each.name for each in selector.by_magic(b"usr/bin/node", b"\x7fELF", 5000)] == ["called"]
    assert selector.by_magic(b"usr/bin/other", b"\x7fELF", 5000) == []


class _Called:
    name = "called"

    def __init__(self):
        from openinspector.catalog.contract import Wants

        self.wants = Wants(magic=(b"\x7fELF",))

    def accepts(self, path):
        return path.endswith("node")
