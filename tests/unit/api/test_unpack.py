"""Bodies that were compressed."""

import gzip
import zlib

import pytest

from openinspector.api.errors import Throttled, ValidationFailed
from openinspector.api.unpack import unclaimed, unzipped

BODY = b'{"a": "' + bytes(range(32, 127)) * 50_000 + b'"}'


def refused(body, limit=1 << 30):
    with pytest.raises(ValidationFailed) as raised:
        unzipped(body, limit, unclaimed)
    assert raised.value.reason == "CANNOT_PARSE"
    return raised.value.message


def test_it_is_what_it_was_and_each_byte_is_claimed():
    claimed = []
    assert unzipped(gzip.compress(BODY), len(BODY), claimed.append) == BODY
    assert sum(claimed) == len(BODY)
    assert max(claimed) <= 1 << 20
    assert unzipped(gzip.compress(b""), 0, unclaimed) == b""


def test_what_would_be_too_long_is_not_unpacked_to_its_end():
    claimed = []
    bomb = gzip.compress(b"\0" * (64 << 20))
    with pytest.raises(ValidationFailed, match="longer than 8388608 bytes when it is unpacked"):
        unzipped(bomb, 8 << 20, claimed.append)
    assert sum(claimed) <= 8 << 20


def test_who_finds_no_memory_is_told_to_come_again():
    def none(_count):
        raise Throttled("Try again.")

    with pytest.raises(Throttled):
        unzipped(gzip.compress(BODY), 1 << 30, none)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "breaks off"),
        (b"{}", "no gzip"),
        (zlib.compress(b"{}"), "no gzip"),
        (gzip.compress(BODY)[:-9], "breaks off"),
        (gzip.compress(BODY)[:-4] + b"\0\0\0\0", "no gzip"),
        (gzip.compress(b"{}", mtime=0) + b"more", "goes on"),
        (gzip.compress(b"{}", mtime=0) * 2, "goes on"),
    ],
)
def test_what_is_no_gzip_is_refused(body, said):
    assert said in refused(body)
