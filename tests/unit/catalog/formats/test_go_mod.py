"""Go's module file."""

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.go_mod import PLUGIN

MOD = b"""module example.org/tool // the tool

go 1.21

toolchain go1.21.3

require golang.org/x/net v0.17.0

require (
\tgolang.org/x/text v0.13.0 // indirect
\t"example.org/quoted" v1.0.0
\texample.org/old v1.0.0
\texample.org/old/v2 v2.1.0+incompatible
)

replace (
\texample.org/old v1.0.0 => example.org/fork v1.0.1
\texample.org/other v9.9.9 => example.org/none v1.0.0
)

exclude golang.org/x/net v0.17.0
exclude (
\tgolang.org/x/net v0.16.0
)

retract [v1.0.0, v1.9.9] // broken
tool example.org/gen
godebug default=go1.21
"""


def read(data, sums=None):
    return PLUGIN.read(File(path="src/go.mod", data=data, beside={} if sums is None else {"go.sum": sums}))


def named(reading):
    return {(each.name, each.version) for each in reading.packages}


def test_required_modules_are_listed_replaced_and_never_dropped_by_an_exclude():
    reading = read(MOD)
    assert named(reading) == {
        ("golang.org/x/net", "v0.17.0"),
        ("golang.org/x/text", "v0.13.0"),
        ("example.org/quoted", "v1.0.0"),
        ("example.org/fork", "v1.0.1"),
        ("example.org/old/v2", "v2.1.0+incompatible"),
        ("stdlib", "1.21.3"),
    }
    assert not reading.problems
    assert {(each.type, each.format, each.dev) for each in reading.packages} == {("golang", "go.mod", False)}


def test_the_go_directive_is_a_minimum_and_not_what_is_used():
    assert named(read(b"module x\ngo 1.21.0\n")) == set()


def test_a_replacement_without_a_version_means_every_version():
    text = b"go 1.20\nrequire example.org/a v1.2.3\nreplace example.org/a => example.org/b v2.0.0\n"
    assert named(read(text)) == {("example.org/b", "v2.0.0")}


def test_a_module_replaced_by_a_folder_is_a_doubt():
    reading = read(b"go 1.20\nrequire example.org/a v0.0.0\nreplace example.org/a => ../a\n")
    assert not reading.packages
    assert "example.org/a => ../a" in reading.problems[0].reason


SUMS = b"""example.org/a v1.2.3 h1:x=
example.org/a v1.2.3/go.mod h1:x=
example.org/deep v0.1.0 h1:x=
example.org/deep v0.2.0 h1:x=
example.org/deep v0.2.0/go.mod h1:x=
example.org/unused v1.0.0/go.mod h1:x=
"""


def test_before_go_1_17_the_sums_name_the_modules_behind_the_first_ones():
    text = b"module x\ngo 1.16\nrequire example.org/a v1.2.3\n"
    assert named(read(text, SUMS)) == {("example.org/a", "v1.2.3"), ("example.org/deep", "v0.2.0")}
    assert "go.sum" in read(text).problems[0].reason
    assert named(read(text.replace(b"1.16", b"1.17"), SUMS)) == {("example.org/a", "v1.2.3")}


@pytest.mark.parametrize("line", ["require example.org/a", "require (a b c\n", "replace a b c", 'require "a', "go"])
def test_directives_that_make_no_sense_are_counted(line):
    reading = read(f"go 1.20\n{line}\nrequire example.org/b v1.0.0\n".encode())
    assert reading.problems
    assert ("example.org/b", "v1.0.0") in named(reading)


def test_hostile_text_ends():
    read(b'require "' + b'\\"' * 200_000)
    read(b"(" * 200_000)
    read(b"require (\n" + b"x\n" * 20_000)
    assert not read(b"\xff\xfe\x00").packages
