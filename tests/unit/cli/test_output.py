"""Reports are written whole, and never in the place of something that is no file."""

import os
import subprocess
import sys
import threading

import pytest

from openinspector.cli.output import write
from openinspector.errors import UsageError


def test_a_report_replaces_the_last_one(tmp_path):
    (tmp_path / "report").write_text("before")
    write("after", str(tmp_path / "report"))
    assert (tmp_path / "report").read_text() == "after"
    assert os.listdir(tmp_path) == ["report"]


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    read = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()
    write("words", str(tmp_path / "pipe"))
    reader.join(10)
    assert read == ["words"]
    assert (tmp_path / "pipe").is_fifo()


def test_a_link_is_followed_to_the_file_that_it_names(tmp_path):
    (tmp_path / "real").write_text("before")
    (tmp_path / "link").symlink_to("real")
    write("after", str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "after"


def test_standard_output_can_be_named_also_where_it_is_a_pipe():
    program = "from openinspector.cli.output import write; write('words', '/dev/stdout')"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "words"


def test_a_folder_that_is_not_there_is_a_clear_error(tmp_path):
    with pytest.raises(UsageError, match="can't be written"):
        write("words", str(tmp_path / "none" / "report"))
