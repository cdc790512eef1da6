"""Tar headers that lie; tests/hostile has them end to end."""

import pytest
from tests.hostile.makers import APPLICATION, entry, pax, tar

from openinspector.acquire.cursor import StreamCursor
from openinspector.acquire.limits import Limits, Meter
from openinspector.acquire.tar import entries, read_tar
from openinspector.catalog.harvest import Harvester
from openinspector.catalog.selector import Selector
from openinspector.errors import AcquireError
from openinspector.pipeline.registry import formats


class Whole:
    """A stream that comes in one piece."""

    def __init__(self, data):
        self.pieces = [data]

    def piece(self):
        return self.pieces.pop() if self.pieces else b""

    def close(self):
        pass


def cursor(data):
    return StreamCursor(Whole(data))


def read(data, **limits):
    harvester = Harvester(formats().values())
    read_tar(cursor(data), Selector(formats().values()), harvester, Meter(Limits(**limits)), frozenset())
    return harvester


@pytest.mark.parametrize("size", [b"-0000000010\0", b"0o000000012\0", b"000000_0012\0", b"+0000000012\0"])
def test_a_size_has_octal_digits_and_nothing_else(size):
    with pytest.raises(AcquireError, match="the size is not a number"):
        list(entries(cursor(entry("a", size=size))))


def test_an_extended_record_longer_than_its_header_is_broken():
    with pytest.raises(AcquireError, match="an extended header is broken"):
        list(entries(cursor(entry("x", b"30 path=a", kind=b"x") + entry("b"))))


def test_a_long_name_is_told_and_not_kept():
    harvester = read(tar(pax("x", b"", (("path", "a/" * 30 + "requirements.txt"),)), APPLICATION), path=50)
    assert [each.reason for each in harvester.harvest.problems] == [
        "its name has more than 50 bytes (OPENINSPECTOR_LIMIT_PATH)"
    ]
    assert list(harvester.finish().readings) == ["app/requirements.txt"]


def test_the_target_of_a_hard_link_that_climbs_out_is_remembered_as_missed():
    harvester = read(tar(entry("app/poetry.lock", kind=b"1", link="../../etc/shadow")))
    assert harvester.missed == {"app/poetry.lock": "../../etc/shadow"}
