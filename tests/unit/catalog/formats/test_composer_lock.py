"""Composer's lock file."""

import json

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.composer_lock import PLUGIN
from openinspector.errors import CatalogError

LOCK = {
    "_readme": ["This file locks the dependencies of your project to a known state"],
    "content-hash": "ab",
    "packages": [
        {
            "name": "monolog/monolog",
            "version": "3.4.0",
            "source": {"type": "git", "reference": "e2"},
            "dist": {"type": "zip", "shasum": "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
            "license": ["MIT"],
        },
        {"name": "symfony/polyfill", "version": "v1.2.0", "dist": {"shasum": ""}, "license": ["MIT", "GPL-2.0-only"]},
        {"name": "own/branch", "version": "dev-master"},
    ],
    "packages-dev": [{"name": "phpunit/phpunit", "version": "10.2.6", "license": []}],
}


def read(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return PLUGIN.read(File(path="app/composer.lock", data=data))


def test_packages_are_as_written_and_those_for_development_marked():
    packages = read(LOCK).packages
    assert [(each.name, each.version, each.dev, each.license) for each in packages] == [
        ("monolog/monolog", "3.4.0", False, "MIT"),
        ("symfony/polyfill", "v1.2.0", False, "MIT OR GPL-2.0-only"),
        ("own/branch", "dev-master", False, ""),
        ("phpunit/phpunit", "10.2.6", True, ""),
    ]
    assert packages[0].digest == "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709"
    assert packages[1].digest == ""


def test_a_lock_without_development_says_null():
    assert len(read(LOCK | {"packages-dev": None}).packages) == 3


def test_a_package_of_the_wrong_type_costs_itself_only():
    reading = read({"packages": [3, {"name": "a/a"}, {"name": "b/b", "version": 1}, {"name": "c/c", "version": "1"}]})
    assert [each.name for each in reading.packages] == ["c/c"]
    assert [(each.count, each.partial) for each in reading.problems] == [(3, False)]


@pytest.mark.parametrize("data", [b"", b"[]", b'{"packages": {}}', b'{"packages": [', b'{"packages":' + b"[" * 200_000])
def test_what_is_no_lock_is_refused(data):
    with pytest.raises(CatalogError):
        read(data)
