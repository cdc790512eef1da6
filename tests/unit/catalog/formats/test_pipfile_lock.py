"""Pipenv's lock file."""

import json

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.pipfile_lock import PLUGIN
from openinspector.errors import CatalogError

LOCK = {
    "_meta": {"hash": {"sha256": "ab"}, "pipfile-spec": 6, "sources": []},
    "default": {
        "requests": {"hashes": ["sha256:aa"], "index": "pypi", "version": "==2.31.0"},
        "idna": {"hashes": ["sha256:aa", "sha256:bb"], "markers": "python_version >= '3.5'", "version": "==3.4"},
        "own": {"editable": True, "path": "."},
        "forked": {"git": "https://example.org/forked.git", "ref": "abc"},
    },
    "develop": {"pytest": {"version": "==7.4.0"}, "idna": {"version": "==3.4"}},
    "worker": {"celery": {"version": "==5.3.1"}},
}


def read(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return PLUGIN.read(File(path="Pipfile.lock", data=data))


def test_every_category_is_read_and_develop_is_for_development():
    packages = read(LOCK).packages
    assert [(each.name, each.version, each.dev) for each in packages] == [
        ("requests", "2.31.0", False),
        ("idna", "3.4", False),
        ("pytest", "7.4.0", True),
        ("celery", "5.3.1", False),
    ]
    assert [each.digest for each in packages[:2]] == ["sha256:aa", ""]


def test_what_has_no_version_is_counted():
    assert [(each.count, each.partial) for each in read(LOCK).problems] == [(2, False)]


def test_a_package_needed_by_both_is_not_for_development():
    lock = {"develop": {"a": {"version": "==1"}}, "default": {"a": {"version": "==1"}}}
    assert [each.dev for each in read(lock).packages] == [False]


def test_an_entry_of_the_wrong_type_costs_itself_only():
    reading = read({"default": {"a": [], "b": {"version": 1}, "c": {"version": "==3"}}})
    assert [each.name for each in reading.packages] == ["c"]
    assert reading.problems[0].count == 2


@pytest.mark.parametrize("data", [b"", b"[]", b'{"default": [', b'{"default": []}', b'{"a":' * 100_000])
def test_what_is_no_lock_is_refused(data):
    with pytest.raises(CatalogError):
        read(data)
