"""uv's lock file."""

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.uv_lock import PLUGIN
from openinspector.errors import CatalogError

LOCK = b"""
version = 1
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0.1.0"
source = { editable = "." }
dependencies = [
    { name = "requests", extra = ["socks"] },
]

[package.optional-dependencies]
s3 = [
    { name = "boto3" },
]

[package.dev-dependencies]
dev = [
    { name = "pytest" },
    { name = "numpy", version = "2.0.0", source = { registry = "https://example.org/simple" } },
]

[package.metadata]
requires-dist = [{ name = "requests" }]

[[package]]
name = "boto3"
version = "1.34.0"
source = { registry = "https://example.org/simple" }

[[package]]
name = "numpy"
version = "1.26.0"
source = { registry = "https://example.org/simple" }

[[package]]
name = "numpy"
version = "2.0.0"
source = { registry = "https://example.org/simple" }

[[package]]
name = "requests"
version = "2.31.0"
source = { registry = "https://example.org/simple" }
dependencies = [
    { name = "numpy", version = "1.26.0", source = { registry = "https://example.org/simple" }, marker = "a" },
]
sdist = { url = "https://example.org/requests-2.31.0.tar.gz", hash = "sha256:aa", size = 1 }

[package.optional-dependencies]
socks = [
    { name = "pysocks" },
]

[[package]]
name = "pysocks"
version = "1.7.1"
source = { git = "https://example.org/pysocks?rev=1#abc" }
wheels = [
    { url = "https://example.org/a.whl", hash = "sha256:bb", size = 1 },
    { url = "https://example.org/b.whl", hash = "sha256:cc", size = 1 },
]

[[package]]
name = "pytest"
version = "8.0.0"
source = { registry = "https://example.org/simple" }
dependencies = [
    { name = "requests" },
    { name = "iniconfig" },
]

[[package]]
name = "iniconfig"
version = "2.0.0"
source = { registry = "https://example.org/simple" }
"""


def read(data):
    return PLUGIN.read(File(path="app/uv.lock", data=data))


def test_the_graph_tells_what_is_for_development_and_the_project_is_left_out():
    assert [(each.name, each.version, each.dev) for each in read(LOCK).packages] == [
        ("boto3", "1.34.0", False),
        ("numpy", "1.26.0", False),
        ("numpy", "2.0.0", True),
        ("requests", "2.31.0", False),
        ("pysocks", "1.7.1", False),
        ("pytest", "8.0.0", True),
        ("iniconfig", "2.0.0", True),
    ]


def test_the_digest_is_that_of_the_only_archive():
    digests = {each.name: each.digest for each in read(LOCK).packages}
    assert (digests["requests"], digests["pysocks"], digests["pytest"]) == ("sha256:aa", "", "")


def test_a_package_without_version_is_counted():
    reading = read(b'version = 1\n[[package]]\nname = "a"\nsource = { registry = "x" }\n')
    assert reading.packages == ()
    assert reading.problems[0].count == 1


def test_a_circle_of_dependencies_ends():
    lock = (
        b'[[package]]\nname = "app"\nsource = { virtual = "." }\n[package.dev-dependencies]\ndev = [{ name = "a" }]\n'
    )
    for name, other in ((b"a", b"b"), (b"b", b"a")):
        lock += b'[[package]]\nname = "%b"\nversion = "1"\ndependencies = [{ name = "%b" }]\n' % (name, other)
    assert [each.dev for each in read(lock).packages] == [True, True]


@pytest.mark.parametrize("data", [b"[[package", b"x = 1\nx = 2", b"a = " + b"{a=" * 50_000, b"a = " + b"9" * 5000])
def test_what_is_no_toml_is_refused(data):
    with pytest.raises(CatalogError):
        read(data)


def test_fields_of_the_wrong_type_do_no_harm():
    lock = b'package = [1, {name = "a", version = "1", dependencies = [1, {}], wheels = 3, sdist = [], source = ""}]'
    assert [each.name for each in read(lock).packages] == ["a"]
