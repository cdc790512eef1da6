"""PDM's lock file."""

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.pdm_lock import PLUGIN
from openinspector.errors import CatalogError

LOCK = b"""
[metadata]
groups = ["default", "dev", "s3"]
lock_version = "4.4.1"

[[package]]
name = "requests"
version = "2.31.0"
groups = ["default"]
dependencies = ["idna<4,>=2.5"]
files = [
    {file = "requests-2.31.0-py3-none-any.whl", hash = "sha256:aa"},
]

[[package]]
name = "requests"
version = "2.31.0"
extras = ["socks"]
groups = ["dev"]
dependencies = ["requests==2.31.0"]

[[package]]
name = "boto3"
version = "1.34.0"
groups = ["s3"]

[[package]]
name = "pytest"
version = "8.0.0"
groups = ["dev"]

[[package]]
name = "checker"
version = "1.0"
groups = ["quality"]

[[package]]
name = "own"
version = "0.1.0"
path = "./own"
"""
OLD = b"""
[[package]]
name = "requests"
version = "2.28.0"
dependencies = ["Idna<4,>=2.5"]

[[package]]
name = "idna"
version = "3.4"

[[package]]
name = "pytest"
version = "7.0.0"
"""
PYPROJECT = b"""
[project]
dependencies = ["requests>=2"]
optional-dependencies = { s3 = ["boto3"] }

[tool.pdm.dev-dependencies]
dev = ["pytest"]
quality = ["checker"]
"""


def read(data, pyproject=None):
    beside = {"pyproject.toml": pyproject} if pyproject else {}
    return PLUGIN.read(File(path="pdm.lock", data=data, beside=beside))


def dev_of(reading):
    return {each.name: each.dev for each in reading.packages}


def test_groups_for_development_are_those_of_pyproject():
    expected = {"requests": False, "boto3": False, "pytest": True, "checker": True}
    assert dev_of(read(LOCK, PYPROJECT)) == expected


def test_without_pyproject_the_name_of_a_group_must_do():
    assert dev_of(read(LOCK)) == {"requests": False, "boto3": False, "pytest": True, "checker": False}


def test_a_package_with_an_extra_is_the_same_package():
    packages = [each for each in read(LOCK).packages if each.name == "requests"]
    assert [(each.version, each.dev, each.digest) for each in packages] == [("2.31.0", False, "sha256:aa")]


def test_an_older_lock_is_judged_by_its_graph():
    assert dev_of(read(OLD, PYPROJECT)) == {"requests": False, "idna": False, "pytest": True}


def test_a_broken_pyproject_is_a_problem_and_not_the_end():
    reading = read(OLD, b"=")
    assert len(reading.packages) == 3
    assert len(reading.problems) == 1


def test_a_package_without_version_is_counted():
    assert read(b'[[package]]\nname = "a"\n').problems[0].count == 1


def test_what_is_no_toml_is_refused():
    with pytest.raises(CatalogError):
        read(b"[[package]\n")
