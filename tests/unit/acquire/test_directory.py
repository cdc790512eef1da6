"""Directories: what is below the root, and nothing else."""

import os

import pytest

from openinspector.acquire.contract import Reader
from openinspector.acquire.limits import Limits
from openinspector.acquire.targets.directory import read_directory
from openinspector.errors import AcquireError
from openinspector.pipeline.registry import formats


def read(folder, **limits):
    return read_directory(Reader(formats(), Limits(**limits), None), folder)


def names(inventory):
    return sorted(package.name for package in inventory.packages)


def test_files_below_the_root_are_read(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "requirements.txt").write_text("jinja2==2.10\n")
    assert names(read(tmp_path)) == ["jinja2"]


def test_links_out_of_the_root_are_not_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "requirements.txt").write_text("jinja2==2.10\n")
    (outside / "status").write_text("Package: x\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n")
    root = tmp_path / "root"
    (root / "var/lib").mkdir(parents=True)
    (root / "linked").symlink_to(outside)
    (root / "requirements.txt").symlink_to(outside / "requirements.txt")
    (root / "var/lib/dpkg").symlink_to(outside)
    assert names(read(root)) == []


def test_a_database_behind_a_link_inside_the_root_is_read(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "status").write_text(
        "Package: x\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n"
    )
    (tmp_path / "var/lib").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg").symlink_to("../../data")
    assert names(read(tmp_path)) == ["x"]


def test_loops_and_pipes_do_no_harm(tmp_path):
    (tmp_path / "loop").symlink_to(".")
    os.mkfifo(tmp_path / "requirements.txt")
    assert read(tmp_path).status == "whole"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_makes_the_scan_partial(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o000)
    assert read(tmp_path).status == "partial"


def test_too_many_files_end_in_a_partial_scan(tmp_path):
    for at in range(3000):
        (tmp_path / f"f{at}").touch()
    inventory = read(tmp_path, entries=2000)
    assert inventory.status == "partial"


def test_too_deep_folders_end_in_a_partial_scan(tmp_path):
    (tmp_path / "/".join("d" * 30)).mkdir(parents=True)
    assert read(tmp_path, depth=10).status == "partial"


def test_a_missing_root_is_an_error(tmp_path):
    with pytest.raises(AcquireError, match="can't be read"):
        read(tmp_path / "none")
