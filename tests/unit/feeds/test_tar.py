"""Tar archives of documents."""

import tarfile
from io import BytesIO

import pytest

from openinspector.feeds.tar import TarError, members

LONG = "d/" * 120 + "cve.json"


def archive(entries, kind=tarfile.PAX_FORMAT):
    stream = BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=kind) as opened:
        for name, data in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            opened.addfile(info, BytesIO(data))
    return stream.getvalue()


def read(data, max_size=10_000, max_members=100):
    return dict(members(BytesIO(data), ".json", max_size, max_members))


@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_are_read(kind):
    assert read(archive({LONG: b"1", "b.json": b"2", "ümlaut.json": b"3"}, kind)) == {
        LONG: b"1",
        "b.json": b"2",
        "ümlaut.json": b"3",
    }


def test_a_name_with_a_prefix_is_read():
    name = "a" * 90 + "/" + "b" * 90 + ".json"
    assert read(archive({name: b"1"}, tarfile.USTAR_FORMAT)) == {name: b"1"}


def test_the_size_of_an_extended_header_counts():
    data = bytearray(archive({"a.json": b"12345"}))
    with_size = archive({"x": b""}, tarfile.USTAR_FORMAT)[:512]
    header = bytearray(with_size)
    record = b"9 size=5\n"
    header[124:136] = b"%011o\0" % len(record)
    header[156:157] = b"x"
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 256 + sum(header[156:]))
    data[124:136] = b"%011o\0" % 0
    data[148:156] = b"%06o\0 " % (sum(data[:148]) + 256 + sum(data[156:512]))
    assert read(bytes(header) + record.ljust(512, b"\0") + bytes(data)) == {"a.json": b"12345"}


def test_links_and_directories_are_passed_over():
    stream = BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as opened:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo("a.json")
            info.type, info.linkname = kind, "/etc/passwd"
            opened.addfile(info)
    assert read(stream.getvalue()) == {}


def forged(kind, size):
    header = bytearray(archive({"a.json": b""}, tarfile.USTAR_FORMAT)[:512])
    header[156:157] = kind
    header[124:136] = b"\x80" + size.to_bytes(11, "big")
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 256 + sum(header[156:]))
    return bytes(header)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x" * 512,
        archive({"a.json": b"1"})[:700],
        archive({"a.json": b"1"})[:1024],
        archive({"a.json": b"x" * 10_001}),
        archive({f"{number}": b"" for number in range(101)}),
        forged(b"x", 1 << 60),
        forged(b"L", 1 << 60),
        forged(b"0", 1 << 60),
        forged(b"S", 1 << 60),
        forged(b"x", 512) + b"99999 path=x\n".ljust(512, b"\0"),
        forged(b"x", 512) + b"x".ljust(512, b"\0"),
        forged(b"x", 9) + b"9 size=x\n".ljust(512, b"\0") + forged(b"0", 0),
    ],
)
def test_broken_and_hostile_archives_end_in_an_error(data):
    with pytest.raises(TarError):
        read(data)


def test_a_flipped_bit_of_a_header_is_seen():
    data = bytearray(archive({"a.json": b"1"}))
    data[5] ^= 1
    with pytest.raises(TarError):
        read(bytes(data))
