"""Archive members that are more than a header and their bytes: sparse ones and hard links."""

import io
import tarfile

import pytest
from tests.unit.acquire.layers import docker_archive, status

from openinspector.acquire.contract import Reader
from openinspector.acquire.cursor import FileCursor, StreamCursor
from openinspector.acquire.limits import Limits, Meter
from openinspector.acquire.stream import StretchReader, opened, unpack
from openinspector.acquire.tar import read_tar
from openinspector.acquire.targets.archive import read_archive
from openinspector.catalog.harvest import Harvester
from openinspector.catalog.selector import Selector
from openinspector.pipeline.registry import formats

STATUS = status(openssl="3.0.7-1").encode()


def read(tmp_path, layer, how=""):
    return read_archive(Reader(formats(), Limits(), None), docker_archive(tmp_path / "i.tar", layer, how=how))


def versions(inventory):
    return {package.name: package.version for package in inventory.packages}


def octal(number, size):
    if number >= 1 << 3 * (size - 1):  # what octal digits can't say stands there in base 256
        return b"\x80" + number.to_bytes(size - 1, "big")
    return b"%0*o\0" % (size - 1, number)


def header(name, size, kind=b"0", extra=b""):
    """A ustar header; `extra` is what stands from byte 257 on."""
    head = bytearray(name.encode().ljust(100, b"\0"))
    head += octal(0o644, 8) + octal(0, 8) + octal(0, 8) + octal(size, 12) + octal(0, 12) + b" " * 8 + kind
    head += bytes(100) + (extra or b"ustar\x0000")
    head = head.ljust(512, b"\0")
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def padded(data):
    return data + bytes(-len(data) % 512)


def old_gnu_sparse(name, parts, real):
    """A member of type S: four parts in the header, further ones in blocks of 21; parts are (offset, bytes)."""
    pairs = [octal(offset, 12) + octal(len(data), 12) for offset, data in parts]
    stored = b"".join(data for _, data in parts)
    extra = bytearray(b"ustar  \0".ljust(386 - 257, b"\0"))
    extra += b"".join(pairs[:4]).ljust(96, b"\0")
    extra += (b"\1" if len(pairs) > 4 else b"\0") + octal(real, 12)
    more = b""
    rest = pairs[4:]
    while rest:
        more += (b"".join(rest[:21]).ljust(504, b"\0") + (b"\1" if len(rest) > 21 else b"\0")).ljust(512, b"\0")
        rest = rest[21:]
    return header(name, len(stored), b"S", bytes(extra)) + more + padded(stored)


def pax(name, records, data):
    """A member with a PAX header of (key, value) records before it."""
    lines = b""
    for key, value in records:
        body = f" {key}={value}\n".encode()
        length = len(body) + len(str(len(body)))
        length = len(body) + len(str(length))
        lines += str(length).encode() + body
    return header("pax", len(lines), b"x") + padded(lines) + header(name, len(data)) + padded(data)


def pax_sparse(version, name, parts, real):
    """The three ways in which PAX archives say where a member's holes are."""
    stored = b"".join(data for _, data in parts)
    if version == "0.0":
        pairs = [
            (f"GNU.sparse.{key}", value)
            for offset, data in parts
            for key, value in (("offset", offset), ("numbytes", len(data)))
        ]
        return pax(name, [("GNU.sparse.size", real), ("GNU.sparse.numblocks", len(parts)), *pairs], stored)
    numbers = [number for offset, data in parts for number in (offset, len(data))]
    if version == "0.1":
        listed = ",".join(map(str, numbers))
        records = [("GNU.sparse.name", name), ("GNU.sparse.size", real), ("GNU.sparse.map", listed)]
        return pax("GNUSparseFile.1/x", records, stored)
    lines = "".join(f"{number}\n" for number in (len(parts), *numbers)).encode()
    records = [
        ("GNU.sparse.major", 1),
        ("GNU.sparse.minor", 0),
        ("GNU.sparse.name", name),
        ("GNU.sparse.realsize", real),
    ]
    return pax("GNUSparseFile.1/x", records, padded(lines) + stored)


WAYS = {
    "old GNU": old_gnu_sparse,
    "PAX 0.0": lambda *member: pax_sparse("0.0", *member),
    "PAX 0.1": lambda *member: pax_sparse("0.1", *member),
    "PAX 1.0": lambda *member: pax_sparse("1.0", *member),
}
END = bytes(1024)


@pytest.mark.parametrize("place", ["stream", "file"])
@pytest.mark.parametrize("count", [1, 4, 5, 30], ids=lambda count: f"{count} parts")
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_content_of_a_sparse_member_is_that_of_the_file(tmp_path, way, count, place):
    parts = [(at * 9000, b"ID_%d=debian\n" % at) for at in range(1, count + 1)]
    content = bytearray(count * 9000 + 700)
    for offset, data in parts:
        content[offset : offset + len(data)] = data
    layer = way("etc/os-release", parts, len(content)) + _requirements() + END
    seen = _taken(tmp_path, layer, place)
    assert seen == {"etc/os-release": content, "app/requirements.txt": b"flask==1.0"}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_sparse_program_is_known_by_its_first_bytes(tmp_path, way):
    program = b"\x7fELF" + bytes(60)
    seen = _taken(tmp_path, way("usr/bin/app", [(0, program), (8192, b"end")], 9000) + END, "stream")
    assert {path: data[:4] for path, data in seen.items()} == {"usr/bin/app": b"\x7fELF"}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_file_of_holes_that_nobody_wants_is_not_filled(tmp_path, way):
    layer = way("var/log/lastlog", [(300 << 30, b"x")], (300 << 30) + 1) + _requirements()
    inventory = read(tmp_path, layer + END)
    assert versions(inventory) == {"flask": "1.0"}
    assert inventory.status == "whole"


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_wanted_file_of_holes_is_told_and_not_filled(tmp_path, way):
    layer = way("var/lib/dpkg/status", [(0, STATUS)], 300 << 30) + _requirements()
    inventory = read(tmp_path, layer + END)
    assert versions(inventory) == {"flask": "1.0"}
    assert inventory.problems[0].path == "var/lib/dpkg/status"
    assert inventory.status == "partial"


@pytest.mark.parametrize("parts", [[(100, STATUS)], [(0, STATUS), (90, b"x" * 90)]], ids=["beyond", "too much"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_map_that_does_not_fit_its_file_is_a_doubt_about_that_file_alone(tmp_path, way, parts):
    inventory = read(tmp_path, way("var/lib/dpkg/status", parts, 100) + _requirements() + END)
    assert versions(inventory) == {"flask": "1.0"}
    assert [each.path for each in inventory.problems] == ["var/lib/dpkg/status"]
    assert inventory.status == "partial"


def _requirements():
    return header("app/requirements.txt", 10) + padded(b"flask==1.0")


def _taken(tmp_path, layer, place):
    """What a harvester is given of a layer."""
    seen = {}

    class Noticing(Harvester):
        def take(self, path, formats, data):
            seen[path] = bytes(data)

    (tmp_path / "layer").write_bytes(layer)
    every = formats().values()
    with opened(tmp_path / "layer") as file:
        stream = unpack(StretchReader(file), "", Meter(Limits()))
        cursor = StreamCursor(stream) if place == "stream" else FileCursor(file)
        read_tar(cursor, Selector(every), Noticing(every), Meter(Limits()))
        cursor.close()
    return seen


def linked(files, hard_links):
    """A layer of {path: content} and {path: first name of the same file}."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for path, target in hard_links.items():
            info = tarfile.TarInfo(path)
            info.type, info.linkname = tarfile.LNKTYPE, target
            archive.addfile(info)
    return buffer.getvalue()


@pytest.mark.parametrize("how", ["", "gzip", "zstd"])
def test_a_wanted_name_of_a_file_with_an_unwanted_first_name_is_read(tmp_path, how):
    layer = linked({"backup/copy-1": STATUS}, {"var/lib/dpkg/status": "backup/copy-1"})
    inventory = read(tmp_path, layer, how)
    assert [(each.name, each.location.path) for each in inventory.packages] == [("openssl", "var/lib/dpkg/status")]
    assert inventory.status == "whole"


def test_a_file_of_megabytes_behind_a_hard_link_is_read(tmp_path):
    large = STATUS + b"".join(
        b"Package: p%d\nStatus: install ok installed\nArchitecture: all\nVersion: 1\nDescription: %s\n\n"
        % (at, b"x" * 900)
        for at in range(3000)
    )
    inventory = read(tmp_path, linked({"backup/copy-1": large}, {"var/lib/dpkg/status": "backup/copy-1"}))
    assert len(inventory.packages) == 3001


def test_two_names_of_one_file_are_each_read(tmp_path):
    links = {"a/requirements.txt": "store/x", "b/requirements.txt": "store/x"}
    inventory = read(tmp_path, linked({"store/x": b"flask==1.0\n"}, links))
    assert sorted(each.location.path for each in inventory.packages) == sorted(links)


def test_a_file_with_two_wanted_names_is_listed_once(tmp_path):
    layer = linked({"a/requirements.txt": b"flask==1.0\n"}, {"b/requirements.txt": "a/requirements.txt"})
    assert [each.location.path for each in read(tmp_path, layer).packages] == ["a/requirements.txt"]


def test_a_hard_link_to_what_the_layer_does_not_have_is_told(tmp_path):
    inventory = read(tmp_path, linked({}, {"app/requirements.txt": "store/none"}))
    assert [each.path for each in inventory.problems] == ["app/requirements.txt"]
    assert inventory.status == "partial"


def test_a_layer_with_hard_links_is_read_from_the_cache_as_it_was_first(tmp_path):
    path = docker_archive(
        tmp_path / "i.tar", linked({"backup/x": STATUS}, {"var/lib/dpkg/status": "backup/x"}), how="gzip"
    )
    first = read_archive(Reader(formats(), Limits(), tmp_path / "cache"), path)
    assert read_archive(Reader(formats(), Limits(), tmp_path / "cache"), path) == first
    assert first.status == "whole"
