"""Parts of files that are read by position, also while somebody shortens the file."""

import os
import subprocess
import sys
import textwrap

import pytest
from tests.unit.acquire.layers import docker_archive, layer, packed, status

from openinspector.acquire.limits import Limits, Meter
from openinspector.acquire.stream import StretchReader, compression_of, opened, unpack
from openinspector.errors import AcquireError


def test_a_slice_of_a_stretch_is_a_stretch_of_the_same_file(tmp_path):
    (tmp_path / "f").write_bytes(b"0123456789")
    with opened(tmp_path / "f") as file:
        part = file[2:8]
        assert (len(part), bytes(part), bytes(part[1:3]), bytes(part[4:99])) == (6, b"234567", b"34", b"67")
        assert (bytes(part[7:]), bytes(part[3:1]), part.read(4, 9)) == (b"", b"", b"67")
        assert part.key != file.key
        assert part.key.startswith(file.key.rpartition(":")[0].rpartition(":")[0])


def test_reading_in_order_ends_at_the_end_of_the_stretch(tmp_path):
    (tmp_path / "f").write_bytes(b"0123456789")
    with opened(tmp_path / "f") as file:
        reader = StretchReader(file[1:6])
        assert [reader.read(3), reader.read(3), reader.read(3)] == [b"123", b"45", b""]
        assert StretchReader(file[1:6]).read() == b"12345"


def test_a_file_that_became_shorter_is_an_error_and_no_signal(tmp_path):
    (tmp_path / "f").write_bytes(bytes(100_000))
    with opened(tmp_path / "f") as file:
        os.truncate(tmp_path / "f", 10_000)
        assert file.read(0, 10_000) == bytes(10_000)
        for read in (lambda: bytes(file), lambda: file.read(9_999, 2), lambda: bytes(file[50_000:50_008])):
            with pytest.raises(AcquireError, match="became shorter"):
                read()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_refused_without_waiting(tmp_path, make):
    make(tmp_path / "f")
    with pytest.raises(AcquireError, match="not a file"), opened(tmp_path / "f"):
        pass


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_a_broken_stream_says_which_kind_it_is(tmp_path, how):
    data = bytearray(packed(os.urandom(1 << 16).hex().encode(), how))
    data[4:] = b"\xff" * (1 << 15)
    (tmp_path / "f").write_bytes(data)
    with opened(tmp_path / "f") as file:
        source = unpack(StretchReader(file), compression_of(file.read(0, 6)), Meter(Limits()))
        with pytest.raises(AcquireError, match=f"the {how} stream is broken"):
            while source.piece():
                pass
        source.close()


SHORTENED = """
    import os, sys
    from pathlib import Path
    from openinspector.acquire import tar
    from openinspector.acquire.contract import Reader
    from openinspector.acquire.limits import Limits
    from openinspector.acquire.targets.archive import read_archive
    from openinspector.acquire.targets.directory import read_directory
    from openinspector.catalog.harvest import Harvester
    from openinspector.pipeline.registry import formats

    target, shortened = Path(sys.argv[1]), Path(sys.argv[2])
    take = Harvester.take

    def shorten_then_take(self, path, wanting, data):
        os.truncate(shortened, 5000)  # while the scan is at work: its size is known, its head is read
        return take(self, path, wanting, data)

    Harvester.take = shorten_then_take
    read = read_directory if target.is_dir() else read_archive
    inventory = read(Reader(formats(), Limits(), None), target)
    print(inventory.status, len(inventory.packages), "; ".join(each.reason for each in inventory.problems))
"""


def scan_while_it_shrinks(target, shortened):
    """What a process says that scans a target and whose file is shortened under it."""
    command = [sys.executable, "-c", textwrap.dedent(SHORTENED), str(target), str(shortened)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    return done.stdout


@pytest.mark.parametrize("how", ["", "gzip", "zstd"])
def test_an_image_that_is_shortened_while_it_is_read_gives_a_partial_scan(tmp_path, how):
    files = {"app/requirements.txt": "flask==1.0\n", "var/lib/dpkg/status": status(bash="5")}
    more = {f"opt/{at}": os.urandom(1 << 20) for at in range(12)}
    path = docker_archive(
        tmp_path / "i.tar", layer({**files, **more, "later/requirements.txt": "jinja2==2\n"}), how=how
    )
    said = scan_while_it_shrinks(path, path)
    assert said.startswith("partial 2 ")
    assert "became shorter" in said
