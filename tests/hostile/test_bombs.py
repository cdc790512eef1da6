"""What unpacks to far more than it is: refused at a limit, with what was read until there."""

import bz2
import gzip
import lzma

import pytest
import zstandard
from tests.hostile.makers import (
    APPLICATION,
    MEGABYTE,
    deflated_zeros,
    entry,
    gzip_bomb,
    huge,
    image,
    tar,
    zip_of,
    zstd_bomb,
)

APP = APPLICATION
TERABYTE = entry("app/big", size=huge(1 << 40))


@pytest.mark.parametrize("make", [gzip_bomb, zstd_bomb])
def test_a_layer_that_unpacks_to_gigabytes_ends_at_the_ratio_and_keeps_what_came_before(sandbox, make):
    layer = make(APP + TERABYTE, 3)
    outcome = sandbox.partial(image(sandbox.target / "i.tar", layer), "0.tar", "more than 200 times its size")
    assert [each["vulnerability"] for each in outcome.report["findings"]] == ["CVE-2021-44228"]


@pytest.mark.parametrize("make", [gzip_bomb, zstd_bomb])
def test_an_archive_that_is_a_bomb_as_a_whole_is_refused_and_leaves_no_file(sandbox, make):
    bomb = sandbox.target / "i.tar.x"
    bomb.write_bytes(make(tar(APP), 3))
    sandbox.failed(bomb, "more than 200 times its size")
    assert [each.name for each in sandbox.cache.rglob("*") if each.is_file()] in ([], ["formats"])


def test_an_archive_for_which_there_is_no_room_is_refused(sandbox):
    packed = sandbox.target / "i.tar.gz"
    packed.write_bytes(gzip.compress(tar(APP, entry("x", bytes(8 * MEGABYTE)))))
    sandbox.failed(packed, "no room to unpack the archive", file_size=4 * MEGABYTE)


PACKERS = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}


@pytest.mark.parametrize("how", PACKERS)
def test_the_bytes_that_come_out_are_limited_whatever_the_compression(sandbox, how):
    sandbox.environment["OPENINSPECTOR_LIMIT_BYTES_OUT"] = str(4 * MEGABYTE)
    layer = PACKERS[how](APP + TERABYTE + bytes(8 * MEGABYTE))
    where = image(sandbox.target / "i.tar", layer)
    assert sandbox.partial(where, "0.tar", "more than 4,194,304 bytes").packages == 1


def test_a_zstd_stream_that_asks_for_a_huge_window_is_refused(sandbox):
    # 0xa0: a window of 2 GB; a decompressor would have to hold as much
    layer = b"\x28\xb5\x2f\xfd\x00\xa8" + b"\x01\x00\x00"
    sandbox.partial(image(sandbox.target / "i.tar", layer), "0.tar", "zstd stream is broken")


@pytest.mark.parametrize("name", ["requirements.txt", "app.war", "node_modules/b/package.json"])
def test_a_member_of_a_function_that_is_a_bomb_is_told_and_the_rest_is_read(sandbox, name):
    bomb = deflated_zeros(600 * MEGABYTE)
    code = sandbox.target / "f.zip"
    code.write_bytes(zip_of((f"a/{name}", bomb, 8, 600 * MEGABYTE), ("b/requirements.txt", b"victim==1\n", 0, 10)))
    outcome = sandbox.partial(code, f"var/task/a/{name}", r"more than (200 times its size|the [\d,]+ that)")
    assert outcome.packages == 1


def test_a_header_that_says_less_than_comes_out_is_not_believed(sandbox):
    code = sandbox.target / "f.zip"
    code.write_bytes(zip_of(("requirements.txt", deflated_zeros(600 * MEGABYTE), 8, 100)))
    sandbox.partial(code, "var/task/requirements.txt", "")


@pytest.mark.parametrize("size", [600 * MEGABYTE, 100], ids=["honest", "lying"])
def test_a_jar_with_a_bomb_inside_is_told(sandbox, size):
    jar = zip_of(("lib/inner.jar", deflated_zeros(600 * MEGABYTE), 8, size))
    (sandbox.target / "outer.jar").write_bytes(jar)
    sandbox.partial(sandbox.target, "outer.jar!lib/inner.jar", "")


def test_a_manifest_that_is_a_bomb_costs_no_more_than_a_manifest(sandbox):
    bomb = deflated_zeros(600 * MEGABYTE)
    jar = zip_of(("META-INF/MANIFEST.MF", bomb, 8, 600 * MEGABYTE), ("A.class", b"", 0, 0))
    (sandbox.target / "outer-1.0.jar").write_bytes(jar)
    assert sandbox.scan(sandbox.target, peak=150 * MEGABYTE).report["problems"]


def test_an_egg_that_is_a_bomb(sandbox):
    egg = zip_of(("EGG-INFO/PKG-INFO", deflated_zeros(600 * MEGABYTE), 8, 600 * MEGABYTE))
    (sandbox.target / "a-1.0.egg").write_bytes(egg)
    sandbox.partial(sandbox.target, "a-1.0.egg", "")


def test_entries_that_share_their_bytes_unpack_once_or_not_at_all(sandbox):
    """A thousand jars inside a jar, all of them the same bytes: quadratic for whoever opens each."""
    inner = zip_of(("META-INF/MANIFEST.MF", deflated_zeros(8 * MEGABYTE), 8, 8 * MEGABYTE))
    names = [(f"lib/{at}.jar", inner, 0, len(inner)) for at in range(1000)]
    (sandbox.target / "outer.jar").write_bytes(zip_of(*names, overlap=True))
    sandbox.partial(sandbox.target, r"outer.jar!lib/\d+.jar", "overlaps|there is no entry")


def test_a_function_whose_entries_share_their_bytes(sandbox):
    bomb = deflated_zeros(7 * MEGABYTE)
    names = [(f"{at}/requirements.txt", bomb, 8, 7 * MEGABYTE) for at in range(2000)]
    code = sandbox.target / "f.zip"
    code.write_bytes(zip_of(*names, overlap=True))
    sandbox.partial(code, "", "overlap")


@pytest.mark.parametrize(
    "name", ["../requirements.txt", "a/../../requirements.txt", "..\\requirements.txt", "a/" * 3000 + "x"]
)
def test_a_name_of_a_function_that_climbs_out_or_has_no_end_is_told(sandbox, name):
    code = sandbox.target / "f.zip"
    code.write_bytes(zip_of((name, b"victim==2\n", 0, 10), ("b/requirements.txt", b"victim==1\n", 0, 10)))
    assert sandbox.partial(code, r"\.\.|^a/a/", "climbs out|more than 4,095 bytes").packages == 1
