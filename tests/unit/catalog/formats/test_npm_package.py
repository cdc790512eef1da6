"""Installed Node.js packages."""

import json

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.npm_package import PLUGIN
from openinspector.errors import CatalogError


def read(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return PLUGIN.read(File(path="app/node_modules/a/package.json", data=data))


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("node_modules/a/package.json", True),
        ("app/node_modules/@babel/core/package.json", True),
        ("node_modules/@babel/core/package.json", True),
        ("app/node_modules/a/node_modules/b/package.json", True),
        ("app/node_modules/.pnpm/a@1.0.0/node_modules/a/package.json", True),
        ("usr/lib/node_modules/npm/package.json", True),
        ("usr/share/nodejs/semver/package.json", True),
        ("usr/share/nodejs/@types/node/package.json", True),
        ("package.json", False),
        ("app/package.json", False),
        ("app/nodejs/a/package.json", False),
        ("node_modules/a/dist/compiled/@b/c/package.json", True),
        ("app/not_node_modules/a/package.json", False),
    ],
)
def test_a_package_is_where_node_would_find_it_or_inside_of_another(path, wanted):
    assert PLUGIN.accepts(path) is wanted


@pytest.mark.parametrize(
    ("path", "manifest", "found"),
    [
        ("dist/compiled/@b/c", {"name": "@b/c", "version": "5.0.0"}, ["@b/c"]),
        ("dist/compiled/react-is", {"name": "react-is", "version": "18.2.0"}, ["react-is"]),
        ("dist/compiled/react-is", {"name": "react-is"}, []),
        ("dist/esm", {"type": "module"}, []),
        ("dist/esm", {"name": "a", "version": "1.0.0"}, []),
        ("bin", {"name": "bin", "version": "1.0.0", "private": True}, []),
        ("test/fixtures/b", {"name": "c", "version": "1.0.0"}, []),
        ("test/fixtures/b", {"name": ["b"], "version": 1}, []),
    ],
)
def test_a_copy_that_a_package_brought_along_is_named_after_its_folder(path, manifest, found):
    file = File(path=f"app/node_modules/a/{path}/package.json", data=json.dumps(manifest).encode())
    reading = PLUGIN.read(file)
    assert [each.name for each in reading.packages] == found
    assert not reading.problems


@pytest.mark.parametrize("path", ["node_modules/package.json", "node_modules/.cache/package.json"])
def test_manifests_of_node_modules_itself_are_no_packages(path):
    assert not PLUGIN.read(File(path=path, data=b'{"name": "cache", "version": "1.0.0"}')).packages


def test_a_broken_manifest_deep_inside_of_a_package_is_its_own_affair():
    assert PLUGIN.read(File(path="node_modules/a/test/package.json", data=b"{broken")).problems == ()
    with pytest.raises(CatalogError):
        PLUGIN.read(File(path="node_modules/a/package.json", data=b"{broken"))


def test_name_version_and_licence_are_read():
    package = read({"name": "@babel/core", "version": "7.0.0", "license": "MIT", "author": {"name": "x"}}).packages[0]
    assert (package.type, package.name, package.version, package.license) == ("npm", "@babel/core", "7.0.0", "MIT")
    assert package.location.path == "app/node_modules/a/package.json"


@pytest.mark.parametrize(
    ("fields", "license_"),
    [
        ({"license": {"type": "MIT", "url": "x"}}, "MIT"),
        ({"licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}]}, "MIT OR Apache-2.0"),
        ({"license": 3}, ""),
        ({"licenses": [[["MIT"]], {"type": ["x"]}, None]}, ""),
        ({}, ""),
    ],
)
def test_older_ways_to_state_a_licence(fields, license_):
    assert read({"name": "a", "version": "1.0.0"} | fields).packages[0].license == license_


def test_a_marker_without_name_and_version_is_no_package():
    reading = read({"type": "module"})
    assert (reading.packages, reading.problems) == ((), ())


@pytest.mark.parametrize(
    "value", [{"name": "a"}, {"version": "1.0.0"}, {"name": "a", "version": 1}, {"name": [], "version": "1"}]
)
def test_half_a_package_is_a_problem(value):
    reading = read(value)
    assert reading.packages == ()
    assert [(each.count, each.partial) for each in reading.problems] == [(1, False)]


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_a_byte_order_mark_and_latin_1_do_not_hide_the_package(mark):
    reading = read(mark + b'{"name": "a", "version": "1.0.0", "author": "J\xf6rg"}')
    assert [(each.name, each.version) for each in reading.packages] == [("a", "1.0.0")]


@pytest.mark.parametrize("data", [b"", b"[]", b'{"name": "a"', b"\xef\xbb\xbf{", b"\xff", b'{"a":' + b"[" * 200_000])
def test_what_is_no_json_object_is_refused(data):
    with pytest.raises(CatalogError):
        read(data)
