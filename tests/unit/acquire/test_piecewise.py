"""Formats that look at a few places of a large file are given it unread."""

from tests.unit.acquire.layers import docker_archive, layer
from tests.unit.acquire.test_stream import scan_while_it_shrinks

from openinspector.acquire.contract import Reader
from openinspector.acquire.limits import Limits
from openinspector.acquire.stream import Stretch
from openinspector.acquire.targets.archive import read_archive
from openinspector.acquire.targets.directory import read_directory
from openinspector.pipeline.registry import formats


def elf(size):
    """A program without sections of interest; its table of sections lies at its end, as a linker puts it."""
    program = bytearray(size)
    program[:6] = b"\x7fELF\2\1"
    program[40:48] = (size - 64).to_bytes(8, "little")
    program[58:64] = b"\x40\0\1\0\0\0"
    return bytes(program)


def bytes_read(monkeypatch, read, target):
    """How many bytes of files a scan reads by position."""
    count = 0
    original = Stretch.read

    def counted(self, at, size):
        nonlocal count
        data = original(self, at, size)
        count += len(data)
        return data

    monkeypatch.setattr(Stretch, "read", counted)
    assert read(Reader(formats(), Limits(), None), target).status == "whole"
    return count


def test_of_a_large_program_little_is_read(tmp_path, monkeypatch):
    (tmp_path / "app").write_bytes(elf(4 << 20))
    assert bytes_read(monkeypatch, read_directory, tmp_path) < 4096


def test_of_a_large_program_in_a_plain_layer_little_is_read(tmp_path, monkeypatch):
    image = docker_archive(tmp_path / "i.tar", layer({"usr/bin/app": elf(4 << 20)}))
    assert bytes_read(monkeypatch, read_archive, image) < 1 << 18


def test_a_program_that_is_shortened_while_it_is_read_gives_a_partial_scan(tmp_path):
    (tmp_path / "app").write_bytes(elf(4 << 20))
    said = scan_while_it_shrinks(tmp_path, tmp_path / "app")
    assert said.startswith("partial 0 ")
    assert "became shorter" in said
