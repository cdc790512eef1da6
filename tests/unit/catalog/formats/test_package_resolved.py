"""Swift's lock file."""

import json

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.package_resolved import PLUGIN
from openinspector.errors import CatalogError

V1 = {
    "object": {
        "pins": [
            {
                "package": "swift-nio",
                "repositoryURL": "https://github.com/apple/swift-nio.git",
                "state": {"branch": None, "revision": "cf28", "version": "2.58.0"},
            }
        ]
    },
    "version": 1,
}
V2 = {
    "pins": [
        {
            "identity": "swift-nio",
            "kind": "remoteSourceControl",
            "location": "https://github.com/apple/swift-nio",
            "state": {"revision": "cf28", "version": "2.58.0"},
        },
        {"identity": "acme.tool", "kind": "registry", "location": "", "state": {"version": "1.2.3"}},
        {
            "identity": "main-one",
            "kind": "remoteSourceControl",
            "location": "git@example.org:a/main-one.git",
            "state": {"branch": "main", "revision": "0123"},
        },
    ],
    "version": 2,
}


def read(document):
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return PLUGIN.read(File(path="App/Package.resolved", data=data))


def named(reading):
    return [(each.name, each.version) for each in reading.packages]


def test_pins_are_listed_by_the_address_of_their_repository():
    assert named(read(V1)) == [("github.com/apple/swift-nio", "2.58.0")]
    assert named(read(V2)) == [("github.com/apple/swift-nio", "2.58.0"), ("acme.tool", "1.2.3")]
    assert named(read(V2 | {"version": 3, "originHash": "ab"})) == named(read(V2))
    assert {(each.type, each.format) for each in read(V2).packages} == {("swift", "swift.resolved")}


def test_a_pin_to_a_branch_is_said_to_have_no_version():
    (problem,) = read(V2).problems
    assert "example.org/a/main-one at main" in problem.reason


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/a/b",
        "https://example.org/a/b.git",
        "https://example.org/a/b/",
        "https://user:secret@example.org/a/b.git",
        "ssh://git@example.org:22/a/b.git",
        "git@example.org:a/b.git",
    ],
)
def test_every_way_to_write_an_address_means_the_same_package(address):
    assert named(read({"pins": [{"location": address, "state": {"version": "1.0.0"}}]})) == [
        ("example.org/a/b", "1.0.0")
    ]


def test_pins_that_make_no_sense_are_counted():
    assert read({"pins": [{}, 1, {"state": {"version": "1"}}]}).problems[0].count == 3


@pytest.mark.parametrize("data", [b"", b"[]", b'{"pins": 1}'])
def test_another_shape_is_an_error(data):
    with pytest.raises(CatalogError):
        read(data)
