"""Bun's text lock file."""

import base64
import hashlib

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.bun_lock import PLUGIN
from openinspector.errors import CatalogError

SHA512 = hashlib.sha512(b"a").digest()
INTEGRITY = "sha512-" + base64.b64encode(SHA512).decode()
LOCK = f"""{{
  // a comment, with "quotes", and a comma,
  "lockfileVersion": 1,
  "workspaces": {{
    "": {{
      "name": "app",
      "dependencies": {{ "a": "^1.0.0", "own": "workspace:*", }},
      "devDependencies": {{ "tool": "^2.0.0", }}, /* the last, */
    }},
    "packages/own": {{
      "name": "own",
      "version": "0.1.0",
      "optionalDependencies": {{ "leaf": "^2.0.0" }},
    }},
  }},
  "packages": {{
    "a": ["a@1.0.0", "", {{ "dependencies": {{ "@s/leaf": "^1.0.0" }} }}, "{INTEGRITY}"],
    "@s/leaf": ["@s/leaf@1.5.0", "", {{}}, "{INTEGRITY}"],
    "tool": ["tool@2.0.0", "", {{ "dependencies": {{ "@s/leaf": "2", "only-dev": "*", "a": "1" }} }}, "{INTEGRITY}"],
    "tool/@s/leaf": ["@s/leaf@2.0.0", "", {{}}, "{INTEGRITY}"],
    "only-dev": ["only-dev@1.0.0", "", {{ "dependencies": {{ "only-dev": "*" }} }}, "{INTEGRITY}"],
    "leaf": ["leaf@1.0.0", "", {{}}, "{INTEGRITY}"],
    "own/leaf": ["leaf@2.0.0", "", {{ "os": [ "linux", ], }}, "{INTEGRITY}"],
    "own": ["own@workspace:packages/own"],
    "alias": ["@real/name@3.0.1", "", {{}}, "{INTEGRITY}"],
    "tarball": ["tarball@https://example.org/tarball-4.0.0.tgz", {{}}],
    "forked": ["forked@github:owner/forked#abc", {{}}, "owner-forked-abc"],
  }},
}}
""".encode()


def read(data):
    return PLUGIN.read(File(path="app/bun.lock", data=data))


def test_packages_are_read_and_the_graph_tells_what_is_for_development():
    assert [(each.name, each.version, each.dev) for each in read(LOCK).packages] == [
        ("a", "1.0.0", False),
        ("@s/leaf", "1.5.0", False),
        ("tool", "2.0.0", True),
        ("@s/leaf", "2.0.0", True),
        ("only-dev", "1.0.0", True),
        ("leaf", "1.0.0", False),
        ("leaf", "2.0.0", False),
        ("@real/name", "3.0.1", False),
        ("tarball", "4.0.0", False),
    ]
    assert read(LOCK).packages[0].digest == f"sha512:{SHA512.hex()}"


def test_a_repository_has_no_version_and_is_counted():
    assert [(each.count, "forked" in each.reason) for each in read(LOCK).problems] == [(1, True)]


def test_what_looks_like_a_comment_or_comma_in_text_is_left_alone():
    reading = read(b'{"lockfileVersion": 0, "packages": {"a": ["a@1.0.0-//x,", "", {"x": "/* , } \\" ,]"}, "",],},}')
    assert [each.version for each in reading.packages] == ["1.0.0-//x,"]


def test_an_unknown_version_is_partial():
    reading = read(LOCK.replace(b'"lockfileVersion": 1', b'"lockfileVersion": 7'))
    assert len(reading.packages) == 9
    assert any(each.partial for each in reading.problems)


def test_entries_of_the_wrong_type_cost_themselves_only():
    reading = read(
        b'{"lockfileVersion": 1, "workspaces": {"": 3}, "packages": {"a": {}, "b": [], "c": [1], "d": ["d@1"]}}'
    )
    assert [each.name for each in reading.packages] == ["d"]
    assert reading.problems[0].count == 3


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"packages": []}',
        b'{"packages": {',
        b"[" * 100_000,
        b"/*" * 500_000,
        b'\\"' * 500_000,
        b"," * 1_000_000,
        b", /**/" * 150_000,
        b'"' + b"\\" * 1_000_001,
    ],
)
def test_what_is_no_lock_is_refused_in_one_pass(data):
    with pytest.raises(CatalogError):
        read(data)
