"""Node.js and mruby, by what is compiled into them."""

import mmap
import shutil
import subprocess

import pytest
from tests.unit.catalog.binary_writers import elf

from openinspector.catalog.contract import File
from openinspector.catalog.formats.runtime_program import PLUGIN

NODE = b"\0" * 50 + b"GET\0/json\0node.js/v18.19.0\0(delegate_) != nullptr\0"
RELEASE = b"\0https://nodejs.org/download/release/v20.11.1/node-v20.11.1-headers.tar.gz\0"
MRUBY = b"\0mruby - \0mruby 3.1.0 (2022-05-12)\0"


def read(constants, path="usr/local/bin/node"):
    return PLUGIN.read(File(path=path, data=elf({b".rodata": constants})))


def versions(reading):
    return [(each.type, each.name, each.version) for each in reading.packages]


@pytest.mark.parametrize(
    ("path", "constants", "version"),
    [
        ("usr/local/bin/node", NODE, "18.19.0"),
        ("nodejs/bin/node", RELEASE, "20.11.1"),
        ("usr/bin/nodejs", NODE, "18.19.0"),
        ("usr/bin/node-18", NODE, "18.19.0"),
        ("usr/bin/node", b"node.js/v21.0.0-nightly2023\0", "21.0.0-nightly2023"),
        ("usr/bin/node", b"node.js/vx\0node.js/v18.19.0\0", "18.19.0"),
        ("usr/bin/node", b"x" * ((1 << 20) - 12) + NODE[50:], "18.19.0"),
    ],
)
def test_node_is_found_by_what_it_says_of_itself(path, constants, version):
    assert versions(read(constants, path)) == [("generic", "node", version)]


def test_mruby_is_found_by_its_banner():
    assert versions(read(MRUBY, "usr/local/bin/mruby")) == [("generic", "mruby", "3.1.0")]


@pytest.mark.parametrize("path", ["usr/bin/nodelet", "usr/bin/ruby", "usr/lib/libnode.so.108", "usr/bin/mruby-config"])
def test_programs_of_other_names_are_not_searched(path):
    reading = read(NODE + MRUBY, path)
    assert (reading.packages, reading.problems) == ((), ())


def test_another_program_called_node_is_nothing():
    reading = read(b"some other node, v18.19.0")
    assert (reading.packages, reading.problems) == ((), ())


def test_a_node_that_does_not_say_its_version_is_told():
    reading = read(b"\0NODE_OPTIONS\0node.js/vNEXT\0")
    assert reading.packages == ()
    assert reading.problems[0].reason == "a node program that does not say its version"


def test_a_program_without_a_table_of_sections_is_searched_as_a_whole():
    assert versions(PLUGIN.read(File(path="bin/node", data=b"\x7fELF" + bytes(100) + NODE))) == [
        ("generic", "node", "18.19.0")
    ]


@pytest.mark.parametrize("size", [4, 20, 63, 64, 100])
def test_a_program_that_is_cut_off_does_no_harm(size):
    assert PLUGIN.read(File(path="bin/node", data=elf({b".rodata": NODE})[:size])).packages == ()


@pytest.mark.native
def test_it_says_what_node_says():
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    with open(node, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        view = memoryview(data)
        reading = PLUGIN.read(File(path=node, data=view))
        view.release()
    if not reading.packages:
        pytest.skip("node is a launcher of a shared library here")
    assert versions(reading) == [("generic", "node", said.removeprefix("v"))]
