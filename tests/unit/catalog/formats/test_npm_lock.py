"""npm's lock files."""

import base64
import hashlib
import json
import shutil
import subprocess

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.npm_lock import MAX_DEPTH, PLUGIN
from openinspector.errors import CatalogError

SHA512 = hashlib.sha512(b"a").digest()
INTEGRITY = "sha512-" + base64.b64encode(SHA512).decode()

V1 = {
    "name": "app",
    "version": "1.0.0",
    "lockfileVersion": 1,
    "requires": True,
    "dependencies": {
        "a": {
            "version": "1.0.0",
            "integrity": INTEGRITY,
            "requires": {"b": "^1.0.0"},
            "dependencies": {"b": {"version": "1.5.0", "dev": True}},
        },
        "alias": {"version": "npm:@real/name@2.0.0"},
        "tarball": {"version": "https://example.org/tarball/-/tarball-3.0.0.tgz"},
        "forked": {"version": "git+ssh://git@example.org/forked.git#abc", "from": "forked@git"},
        "own": {"version": "file:packages/own"},
        "maybe": {"version": "4.0.0", "optional": True},
    },
}
V3 = {
    "name": "app",
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "app", "version": "1.0.0", "workspaces": ["packages/*"]},
        "node_modules/a": {"version": "1.0.0", "integrity": INTEGRITY, "license": "MIT"},
        "node_modules/a/node_modules/@s/b": {"version": "1.5.0", "dev": True},
        "node_modules/alias": {"name": "@real/name", "version": "2.0.0"},
        "node_modules/both": {"version": "3.0.0", "devOptional": True},
        "node_modules/maybe": {"version": "4.0.0", "optional": True},
        "node_modules/peer": {"version": "5.0.0", "peer": True},
        "node_modules/own": {"resolved": "packages/own", "link": True},
        "packages/own": {"name": "own", "version": "0.1.0"},
        "packages/own/node_modules/c": {"version": "6.0.0"},
    },
}


def read(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return PLUGIN.read(File(path="app/package-lock.json", data=data))


def shown(reading):
    return {(each.name, each.version, each.dev) for each in reading.packages}


def test_the_hidden_lock_is_wanted_in_node_modules_only():
    assert PLUGIN.accepts("app/node_modules/.package-lock.json")
    assert PLUGIN.accepts("npm-shrinkwrap.json")
    assert not PLUGIN.accepts("app/.package-lock.json")


def test_version_1_is_read_with_its_nesting_aliases_and_tarballs():
    reading = read(V1)
    assert shown(reading) == {
        ("a", "1.0.0", False),
        ("b", "1.5.0", True),
        ("@real/name", "2.0.0", False),
        ("tarball", "3.0.0", False),
        ("maybe", "4.0.0", False),
    }
    assert [(each.count, "forked" in each.reason) for each in reading.problems] == [(1, True)]


@pytest.mark.parametrize("version", [2, 3])
def test_versions_2_and_3_are_read_without_the_project_and_its_workspaces(version):
    reading = read(V3 | {"lockfileVersion": version} | ({"dependencies": V1["dependencies"]} if version == 2 else {}))
    assert shown(reading) == {
        ("a", "1.0.0", False),
        ("@s/b", "1.5.0", True),
        ("@real/name", "2.0.0", False),
        ("both", "3.0.0", False),
        ("maybe", "4.0.0", False),
        ("peer", "5.0.0", False),
        ("c", "6.0.0", False),
    }
    assert reading.problems == ()


def test_integrity_is_the_digest_in_hex():
    package = next(each for each in read(V3).packages if each.name == "a")
    assert (package.digest, package.license) == (f"sha512:{SHA512.hex()}", "MIT")


def test_an_old_shrinkwrap_has_no_version_and_is_read():
    reading = read({"name": "app", "dependencies": {"a": {"version": "1.0.0", "from": "a@^1"}}})
    assert shown(reading) == {("a", "1.0.0", False)}
    assert reading.problems == ()


def test_a_project_without_dependencies_has_no_packages():
    reading = read({"name": "app", "lockfileVersion": 1})
    assert (reading.packages, reading.problems) == ((), ())


def test_a_newer_version_is_read_as_far_as_possible_and_partial():
    reading = read(V3 | {"lockfileVersion": 4})
    assert len(reading.packages) == 7
    assert [each.partial for each in reading.problems] == [True]


def test_an_entry_of_the_wrong_type_costs_itself_only():
    entries = {
        "node_modules/a": [],
        "node_modules/b": {"version": 2},
        "node_modules/c": {},
        "node_modules/d": {"version": "1"},
    }
    reading = read({"lockfileVersion": 3, "packages": entries})
    assert shown(reading) == {("d", "1", False)}
    assert [each.count for each in reading.problems] == [3]


def test_nesting_of_version_1_is_bounded():
    deep = {"version": "1.0.0"}
    for _ in range(MAX_DEPTH + 50):
        deep = {"version": "1.0.0", "dependencies": {"a": deep}}
    reading = read({"lockfileVersion": 1, "dependencies": {"a": deep}})
    assert len(reading.packages) == MAX_DEPTH
    assert "nested deeper" in reading.problems[0].reason


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"packages": []}',
        b'{"dependencies": 3}',
        b'{"packages": {"node_modules/a": {"version"',
        b'{"packages": {"node_modules/a": ' + b'{"a":' * 100_000,
        b'"' + b"a" * (1 << 20),
    ],
)
def test_what_is_no_lock_is_refused(data):
    with pytest.raises(CatalogError):
        read(data)


@pytest.mark.native
def test_what_npm_writes_is_what_we_read(tmp_path):
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")

    def run(*arguments, folder):
        subprocess.run(
            [npm, *arguments, "--offline", "--no-audit", "--no-fund"], cwd=folder, check=True, capture_output=True
        )

    for name in ("used", "tool", "extra"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "package.json").write_text(json.dumps({"name": name, "version": "1.0.0", "license": "MIT"}))
        run("pack", "--pack-destination", "..", folder=folder)
    app = tmp_path / "app"
    app.mkdir()
    manifest = {
        "name": "app",
        "version": "1.0.0",
        "dependencies": {"used": "file:../used-1.0.0.tgz"},
        "devDependencies": {"tool": "file:../tool-1.0.0.tgz"},
        "optionalDependencies": {"extra": "file:../extra-1.0.0.tgz"},
    }
    (app / "package.json").write_text(json.dumps(manifest))
    expected = {("used", "1.0.0", False), ("tool", "1.0.0", True), ("extra", "1.0.0", False)}
    for version in ("2", "3"):
        run("install", "--package-lock-only", f"--lockfile-version={version}", folder=app)
        reading = read((app / "package-lock.json").read_bytes())
        assert shown(reading) == expected
        assert reading.problems == ()
        archive = (tmp_path / "used-1.0.0.tgz").read_bytes()
        used = next(each for each in reading.packages if each.name == "used")
        assert used.digest == f"sha512:{hashlib.sha512(archive).hexdigest()}"
