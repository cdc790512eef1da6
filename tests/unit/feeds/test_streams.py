"""Packed documents with bounds."""

import bz2
import gzip
import lzma
import tarfile
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import zstandard

from openinspector.errors import FeedError
from openinspector.feeds import streams
from openinspector.feeds.contract import Document
from openinspector.feeds.streams import content, tar_members, zip_members

TEXT = b"a publisher's words\n" * 1000


def document(data):
    return Document(path="x/y.gz", stream=BytesIO(data))


def packed_zip(members):
    stream = BytesIO()
    with ZipFile(stream, "w", ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def packed_tar(members):
    stream = BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, BytesIO(data))
        link = tarfile.TarInfo("link.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return stream.getvalue()


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.ZstdCompressor().compress, bytes]
)
def test_compression_is_known_by_the_bytes(pack):
    assert content(document(pack(TEXT))) == TEXT


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_broken_bytes_are_a_feed_error(pack):
    data = pack(TEXT)
    with pytest.raises(FeedError, match="x/y.gz"):
        content(document(data[: len(data) // 2]))
    with pytest.raises(FeedError, match="x/y.gz"):
        content(document(data[:20] + b"\x00\xff\x00" + data[23:]))


def test_a_wrong_check_sum_is_a_feed_error():
    data = bytearray(gzip.compress(TEXT))
    data[-8] ^= 1
    with pytest.raises(FeedError):
        content(document(bytes(data)))


def test_a_bomb_ends_at_the_bound():
    with pytest.raises(FeedError, match="more than we read"):
        content(document(gzip.compress(b"\0" * 10_000_000)), limit=1_000_000)


def test_zip_members_come_by_suffix():
    data = packed_zip({"a.json": b"1", "b.txt": b"2", "d/c.json": b"3", "../e.json": b"4"})
    assert list(zip_members(document(data), ".json")) == [("a.json", b"1"), ("d/c.json", b"3"), ("../e.json", b"4")]


def test_a_member_beyond_the_bound_is_a_feed_error(monkeypatch):
    monkeypatch.setattr(streams, "MAX_MEMBER", 100)
    with pytest.raises(FeedError):
        list(zip_members(document(packed_zip({"a.json": b"x" * 101})), ".json"))
    with pytest.raises(FeedError):
        list(tar_members(document(packed_tar({"a.json": b"x" * 101})), ".json"))


def test_too_many_members_are_a_feed_error(monkeypatch):
    monkeypatch.setattr(streams, "MAX_MEMBERS", 2)
    members = {f"{number}.json": b"" for number in range(5)}
    with pytest.raises(FeedError):
        list(zip_members(document(packed_zip(members)), ".json"))
    with pytest.raises(FeedError):
        list(tar_members(document(packed_tar(members)), ".json"))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no archive at all", packed_zip({"a.json": TEXT})[:-30]])
def test_what_is_no_archive_is_a_feed_error(data):
    with pytest.raises(FeedError):
        list(zip_members(document(data), ".json"))
    with pytest.raises(FeedError):
        list(tar_members(document(data or b"x"), ".json"))


@pytest.mark.parametrize("pack", [bz2.compress, zstandard.ZstdCompressor().compress, bytes])
def test_a_tar_gives_regular_files_only(pack):
    data = pack(packed_tar({"a.json": b"1", "b.txt": b"2", "d/c.json": b"3"}))
    assert list(tar_members(document(data), ".json")) == [("a.json", b"1"), ("d/c.json", b"3")]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.ZstdCompressor().compress])
def test_what_unpacks_to_hundreds_of_times_its_size_is_a_bomb(monkeypatch, pack):
    monkeypatch.setattr(streams, "_RATIO_FROM", 1 << 20)
    with pytest.raises(FeedError, match="unpacks to more than we read"):
        content(document(pack(bytes(8 << 20))))
    with pytest.raises(FeedError, match="unpacks to more than we read"):
        list(zip_members(document(packed_zip({"a.json": bytes(8 << 20)})), ".json"))
