"""Conan's lock files."""

import json

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.conan_lock import PLUGIN
from openinspector.errors import CatalogError

V2 = {
    "version": "0.5",
    "requires": ["zlib/1.2.13#e377bee636333ae348d51ca90874e353%1675278900.0", "openssl/3.1.2@acme/stable"],
    "build_requires": ["cmake/3.25.2#abc", "zlib/1.2.13#e377"],
    "python_requires": ["base/0.1@acme/testing#1"],
}
V1 = {
    "version": "0.4",
    "graph_lock": {
        "revisions_enabled": False,
        "nodes": {
            "0": {"ref": "app/1.0", "path": "conanfile.py", "requires": ["1"]},
            "1": {"ref": "zlib/1.2.11#0", "package_id": "ab", "context": "host"},
            "2": {"ref": "cmake/3.20.0", "context": "build"},
            "3": {"options": "x"},
        },
    },
}


def read(document):
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return PLUGIN.read(File(path="src/conan.lock", data=data))


def test_the_second_versions_references_are_listed_and_those_of_the_build_marked():
    reading = read(V2)
    assert [(each.name, each.version, each.dev, each.qualifiers) for each in reading.packages] == [
        ("zlib", "1.2.13", False, ()),
        ("openssl", "3.1.2", False, (("channel", "stable"), ("user", "acme"))),
        ("cmake", "3.25.2", True, ()),
        ("base", "0.1", True, (("channel", "testing"), ("user", "acme"))),
    ]
    assert {(each.type, each.format) for each in reading.packages} == {("conan", "conan.lock")}
    assert not reading.problems


def test_the_first_versions_graph_is_read_without_the_project_itself():
    reading = read(V1)
    assert [(each.name, each.version, each.dev) for each in reading.packages] == [
        ("zlib", "1.2.11", False),
        ("cmake", "3.20.0", True),
    ]
    assert not reading.problems


def test_references_that_make_no_sense_are_counted():
    reading = read({"requires": ["zlib", 5, "a/1", "b/1@x"], "graph_lock": {"nodes": {"1": {"ref": 7}}}})
    assert [each.name for each in reading.packages] == ["a"]
    assert reading.problems[0].count == 4


@pytest.mark.parametrize("data", [b"", b"[]", b'{"requires": 1}'])
def test_another_shape_is_an_error(data):
    with pytest.raises(CatalogError):
        read(data)
