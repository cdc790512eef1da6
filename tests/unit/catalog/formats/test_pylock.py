"""Python's standard lock file."""

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.pylock import PLUGIN
from openinspector.errors import CatalogError

LOCK = b"""
lock-version = "1.0"
created-by = "a tool"
dependency-groups = ["dev", "default"]
default-groups = ["default"]

[[packages]]
name = "requests"
version = "2.31.0"
wheels = [{ name = "requests-2.31.0-py3-none-any.whl", url = "https://example.org/r.whl", hashes = { sha256 = "aa" } }]

[[packages]]
name = "pytest"
version = "8.0.0"
marker = "'dev' in dependency_groups"

[[packages]]
name = "both"
version = "1.0"
marker = "'dev' in dependency_groups or 'default' in dependency_groups"

[[packages]]
name = "extra"
version = "1.0"
marker = "'s3' in extras or 'dev' in dependency_groups"

[[packages]]
name = "platform"
version = "1.0"
marker = "sys_platform == 'win32' or 'dev' in dependency_groups"

[[packages]]
name = "archived"
archive = { url = "https://example.org/archived-3.1.tar.gz", hashes = { sha256 = "bb" } }

[[packages]]
name = "forked"
vcs = { type = "git", url = "https://example.org/forked.git", commit-id = "abc" }

[[packages]]
name = "own"
directory = { path = ".", editable = true }
"""


def read(data):
    return PLUGIN.read(File(path="pylock.toml", data=data))


@pytest.mark.parametrize(
    ("path", "wanted"),
    [("pylock.toml", True), ("a/pylock.dev.toml", True), ("a/pylock.a.b.toml", False), ("a/pyproject.toml", False)],
)
def test_files_are_known_by_the_name_that_the_standard_gives(path, wanted):
    assert PLUGIN.accepts(path) is wanted


def test_packages_and_what_is_only_for_groups_that_nobody_gets_by_default():
    assert [(each.name, each.version, each.dev) for each in read(LOCK).packages] == [
        ("requests", "2.31.0", False),
        ("pytest", "8.0.0", True),
        ("both", "1.0", False),
        ("extra", "1.0", False),
        ("platform", "1.0", False),
        ("archived", "3.1", False),
    ]


def test_a_package_from_a_repository_has_no_version_and_is_counted():
    reading = read(LOCK)
    assert [(each.count, "forked" in each.reason) for each in reading.problems] == [(1, True)]


def test_the_digest_is_that_of_the_only_archive():
    digests = {each.name: each.digest for each in read(LOCK).packages}
    assert (digests["requests"], digests["archived"], digests["pytest"]) == ("sha256:aa", "sha256:bb", "")


def test_an_unknown_major_version_makes_the_reading_partial():
    reading = read(LOCK.replace(b'lock-version = "1.0"', b'lock-version = "2.0"'))
    assert len(reading.packages) == 6
    assert any(each.partial for each in reading.problems)


def test_what_is_no_toml_is_refused():
    with pytest.raises(CatalogError):
        read(b"lock-version = ")
