"""Go build information and cargo-auditable lists in ELF, PE and Mach-O files."""

import mmap
import os
import random
import shutil
import struct
import subprocess
import zlib

import pytest
from tests.unit.catalog.binary_writers import (
    ADDRESS,
    MARK,
    audit,
    elf,
    fat,
    inline_blob,
    macho,
    modules,
    pe,
    pointer_blob,
    uvarint,
)

from openinspector.catalog.contract import File
from openinspector.catalog.formats.executable import PLUGIN

LINES = (
    "path\texample.org/tool/cmd/tool",
    "mod\texample.org/tool\tv1.2.3\th1:abc=",
    "dep\tgolang.org/x/net\tv0.17.0\th1:abc=",
    "dep\texample.org/old\tv1.0.0",
    "=>\texample.org/fork\tv1.0.1\th1:abc=",
    "dep\texample.org/staging\tv0.0.0",
    "=>\t./staging/api\t(devel)",
    "build\t-compiler=gc",
    "build\tGOARCH=arm64",
)
GO = inline_blob("go1.21.3", modules(*LINES))
EXPECTED = {
    ("stdlib", "1.21.3"),
    ("example.org/tool", "v1.2.3"),
    ("golang.org/x/net", "v0.17.0"),
    ("example.org/fork", "v1.0.1"),
    ("example.org/staging", "(devel)"),
}
RUST = audit(
    {"name": "tool", "version": "0.3.0", "source": "local", "root": True, "dependencies": [1]},
    {"name": "smallvec", "version": "1.6.0", "source": "crates.io"},
    {"name": "cc", "version": "1.0.79", "source": "crates.io", "kind": "build"},
)
DATA = 0xC0000040  # initialized data, readable and writable
TEXT = 0x60000020


def read(data, path="usr/local/bin/tool"):
    return PLUGIN.read(File(path=path, data=data))


def found(reading):
    assert not reading.problems, reading.problems
    return {(each.name, each.version) for each in reading.packages}


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("big_endian", [True, False])
def test_go_modules_are_found_in_every_kind_of_elf(wide, big_endian):
    data = elf({b".text": b"x" * 99, b".go.buildinfo": GO}, wide=wide, big_endian=big_endian)
    assert found(read(data)) == EXPECTED


@pytest.mark.parametrize("pointer_size", [4, 8])
@pytest.mark.parametrize("big_endian", [True, False])
def test_the_pointers_of_older_programs_are_followed(pointer_size, big_endian):
    blob = pointer_blob("go1.16.5", modules(*LINES), at=ADDRESS, pointer_size=pointer_size, big_endian=big_endian)
    data = elf({b".go.buildinfo": blob}, wide=pointer_size == 8, big_endian=big_endian)
    assert found(read(data)) == EXPECTED - {("stdlib", "1.21.3")} | {("stdlib", "1.16.5")}


def test_a_program_without_a_table_of_sections_is_searched_where_its_data_starts():
    assert found(read(elf({b".go.buildinfo": GO}, with_sections=False))) == EXPECTED


def test_windows_programs_keep_it_in_their_data():
    program = pe([(b".text", TEXT, b"x" * 64), (b".data", DATA, b"y" * 32 + GO)])
    assert found(read(program)) == EXPECTED
    blob = pointer_blob("go1.17", modules(*LINES), at=ADDRESS + 0x2000)
    program = pe([(b".text", TEXT, b"x" * 64), (b".data", DATA, blob)])
    assert ("stdlib", "1.17") in found(read(program))


@pytest.mark.parametrize("big_endian", [True, False])
def test_macos_programs_have_a_section_for_it(big_endian):
    assert found(read(macho({b"__data": b"z" * 8, b"__go_buildinfo": GO}, big_endian=big_endian))) == EXPECTED


def test_a_universal_program_lists_what_its_architectures_share_once():
    reading = read(fat(macho({b"__go_buildinfo": GO}), macho({b"__go_buildinfo": GO})))
    assert found(reading) == EXPECTED
    assert len(reading.packages) == len(EXPECTED)


def test_packages_say_where_they_are_from_and_the_main_module_for_which_architecture():
    packages = {each.name: each for each in read(elf({b".go.buildinfo": GO})).packages}
    assert packages["example.org/tool"].arch == "arm64"
    assert {each.format for each in packages.values()} == {"go.binary"}
    assert {each.type for each in packages.values()} == {"golang"}
    assert {each.location.path for each in packages.values()} == {"usr/local/bin/tool"}


def test_the_data_may_be_a_view_of_something_larger():
    data = b"--" + elf({b".go.buildinfo": GO}) + b"--"
    assert found(read(memoryview(data)[2:-2])) == EXPECTED


@pytest.mark.parametrize(
    ("stated", "version"),
    [
        ("go1.21.3", "1.21.3"),
        ("go1.20rc1", "1.20rc1"),
        ("go1.21.3 X:boringcrypto", "1.21.3"),
        ("go1.22.9 (Red Hat 1.22.9-2.el9_5)", "1.22.9"),
        ("devel go1.22-abcdef Tue Oct 10 10:00:00 2023", "devel go1.22-abcdef Tue Oct 10 10:00:00 2023"),
    ],
)  # fmt: skip
def test_the_standard_library_is_as_old_as_the_toolchain(stated, version):
    assert ("stdlib", version) in found(read(elf({b".go.buildinfo": inline_blob(stated, b"")})))


def test_the_go_command_is_a_toolchain_of_its_own():
    names = found(read(elf({b".go.buildinfo": inline_blob("go1.19.8", modules("path\tcmd/go"))})))
    assert names == {("stdlib", "1.19.8"), ("toolchain", "1.19.8")}


@pytest.mark.parametrize(
    ("flags", "version"),
    [
        ('-ldflags="-s -w -X main.version=1.4.0"', "v1.4.0"),
        ('-ldflags="-X=example.org/tool/internal/version.Version=v1.4.0-rc.1 -s"', "v1.4.0-rc.1"),
        ("-ldflags=\"-X 'main.version=1.4.0' -X main.commit=abc\"", "v1.4.0"),
        ('-ldflags="-X main.version=1.4.0 -X example.org/tool/v.Version=1.5.0"', "(devel)"),
        ('-ldflags="-X example.org/other.Version=9.9.9"', "(devel)"),
        ('-ldflags="-X main.version=dev"', "(devel)"),
        ("-tags=netgo", "(devel)"),
    ],
)
def test_a_build_script_may_have_told_the_version_of_the_main_module(flags, version):
    text = modules("path\texample.org/tool", "mod\texample.org/tool\t(devel)\t", f"build\t{flags}")
    assert ("example.org/tool", version) in found(read(elf({b".go.buildinfo": inline_blob("go1.21.3", text)})))


def test_crates_are_found_and_those_of_the_build_marked():
    for data in (
        elf({b".text": b"x", b".dep-v0": RUST}),
        elf({b".dep-v0": RUST}, wide=False),
        pe([(b".text", TEXT, b"x"), (b".dep-v0", 0x40000040, RUST)]),
        macho({b".dep-v0": RUST}),
    ):
        packages = read(data).packages
        assert [(each.name, each.version, each.dev) for each in packages] == [
            ("tool", "0.3.0", False),
            ("smallvec", "1.6.0", False),
            ("cc", "1.0.79", True),
        ]
        assert {(each.type, each.format) for each in packages} == {("cargo", "cargo.auditable")}


def test_go_and_rust_in_one_program_are_both_read():
    packages = read(elf({b".go.buildinfo": GO, b".dep-v0": RUST})).packages
    assert {each.type for each in packages} == {"golang", "cargo"}


@pytest.mark.parametrize(
    "data",
    [
        elf({b".text": b"x" * 100, b".data": b"y" * 100}),
        elf({b".text": b"x" * 100, b".data": MARK}),  # a section table without the section: nobody scans the content
        elf({b".text": b"x"}, with_sections=False),
        pe([(b".text", TEXT, b"x"), (b".data", DATA, b"y")]),
        macho({b"__data": b"z"}),
        b"\x7fELF",
        b"\x7fELF" + b"\xff" * 100,
        b"MZ" + b"\0" * 4096,
        b"MZ" + b"\xff" * 4096,
        b"\xca\xfe\xba\xbe" + struct.pack(">I", 2) + b"\xff" * 64,
        b"\xfe\xed\xfa\xce" + b"\xff" * 64,
    ],
)
def test_other_programs_say_nothing(data):
    reading = read(data)
    assert not reading.packages
    assert not reading.problems


def test_a_java_class_is_not_taken_for_a_universal_program():
    java = b"\xca\xfe\xba\xbe\x00\x00\x00\x34"
    assert not java.startswith(PLUGIN.wants.magic)
    assert fat(macho({}), macho({})).startswith(PLUGIN.wants.magic)


def test_a_go_program_that_says_nothing_is_a_doubt():
    reading = read(elf({b".note.go.buildid": b"id", b".data": b"x"}))
    assert [each.reason for each in reading.problems] == ["a Go program without build information"]


@pytest.mark.parametrize(
    ("path", "doubts"), [("github.com/cli/cli/v2/cmd/gh", 1), ("command-line-arguments", 0), ("cmd/go", 0), ("", 0)]
)
def test_a_go_program_built_without_modules_is_a_doubt(path, doubts):
    lines = [f"path\t{path}", "build\t-compiler=gc"]
    reading = PLUGIN.read(
        File(path="usr/bin/gh", data=elf({b".go.buildinfo": inline_blob("go1.19.6", modules(*lines))}))
    )
    assert ("stdlib", "1.19.6") in [(each.name, each.version) for each in reading.packages]
    assert [each.partial for each in reading.problems] == [False] * doubts


def test_a_packed_program_is_a_doubt():
    assert "UPX" in read(elf({b"x": b"UPX!" + b"x" * 64}, with_sections=False)).problems[0].reason


@pytest.mark.parametrize(
    "blob",
    [
        MARK,
        MARK + bytes([8, 2]),
        (MARK + bytes([8, 2])).ljust(32, b"\0") + b"\xff" * 12,
        (MARK + bytes([8, 2])).ljust(32, b"\0") + uvarint(1 << 40) + b"go1.21",
        (MARK + bytes([8, 2])).ljust(32, b"\0") + uvarint(6) + b"go1.21" + uvarint(1 << 60),
        (MARK + bytes([8, 2])).ljust(64, b"\0"),
        (MARK + bytes([3, 0])).ljust(64, b"\0"),
        (MARK + bytes([8, 0])) + struct.pack("<2Q", 0xDEAD0000, 1),
        (MARK + bytes([8, 0])) + struct.pack("<4Q", ADDRESS + 16, 0, ADDRESS, 1 << 62),
        b"no mark at all" * 4,
    ],
)
def test_build_information_that_lies_is_a_partial_problem(blob):
    reading = read(elf({b".go.buildinfo": blob}))
    assert not reading.packages
    assert [(each.format, each.partial) for each in reading.problems] == [("go.binary", True)]


@pytest.mark.parametrize(
    "section",
    [
        b"not zlib",
        RUST[:-6],
        zlib.compress(b"[]"),
        zlib.compress(b"{"),
        zlib.compress(b"[" * 100_000),
        zlib.compress(b'{"packages": [{"name": 1}]}'),
        zlib.compress(b" " * (20 << 20)),
    ],
)
def test_a_list_of_crates_that_lies_is_a_partial_problem(section):
    reading = read(elf({b".dep-v0": section}))
    assert not reading.packages
    assert [(each.format, each.partial) for each in reading.problems] == [("cargo.auditable", True)]


def test_a_section_beyond_the_end_is_a_partial_problem():
    data = bytearray(elf({b".go.buildinfo": GO}))
    (table,) = struct.unpack_from("<Q", data, 40)
    struct.pack_into("<Q", data, table + 64 + 32, 1 << 50)  # the size of the first real section
    assert read(bytes(data)).problems[0].partial


def test_lines_that_make_no_sense_are_counted():
    text = modules("path\tx", "=>\tnowhere\tv1", "what is this", "dep\texample.org/a\tv1.0.0")
    reading = read(elf({b".go.buildinfo": inline_blob("go1.21.3", text)}))
    assert [each.count for each in reading.problems] == [2]
    assert ("example.org/a", "v1.0.0") in {(each.name, each.version) for each in reading.packages}


@pytest.mark.parametrize(
    "whole",
    [
        elf({b".text": b"x" * 20, b".go.buildinfo": GO, b".dep-v0": RUST}),
        elf({b".go.buildinfo": pointer_blob("go1.16", modules(*LINES), at=ADDRESS)}, wide=False, big_endian=True),
        pe([(b".data", DATA, GO), (b".dep-v0", 0x40000040, RUST)]),
        fat(macho({b"__go_buildinfo": GO}), macho({b".dep-v0": RUST})),
    ],
)
def test_damaged_programs_never_crash_the_reader(whole):
    chance = random.Random(7)
    for _ in range(150):
        broken = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            broken[chance.randrange(min(len(broken), 600))] = chance.randrange(256)
        read(bytes(broken[: chance.randrange(4, len(broken) + 1)]))


@pytest.mark.native
def test_the_go_command_agrees(tmp_path):
    go = shutil.which("go")
    if go is None:
        pytest.skip("no go command to build and read a program with")
    (tmp_path / "main.go").write_text("package main\n\nfunc main() {}\n")
    (tmp_path / "go.mod").write_text("module example.org/hello\n\ngo 1.18\n")
    environment = {**os.environ, "GOCACHE": str(tmp_path / "cache"), "GOPROXY": "off", "GOFLAGS": "-mod=mod"}
    environment |= {"GOOS": "linux", "GOARCH": "amd64", "CGO_ENABLED": "0"}
    program = tmp_path / "hello"
    subprocess.run([go, "build", "-o", program, "."], cwd=tmp_path, env=environment, check=True)
    text = subprocess.run([go, "version", "-m", program], capture_output=True, text=True, check=True).stdout
    version = text.splitlines()[0].rpartition("go")[2]
    with program.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        packages = read(data).packages
    assert [(each.name, each.version, each.arch) for each in packages] == [
        ("stdlib", version, ""),
        ("example.org/hello", "(devel)", "amd64"),
    ]
