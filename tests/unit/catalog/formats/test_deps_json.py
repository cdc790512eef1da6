"""What a built .NET application needs."""

import json

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.deps_json import PLUGIN
from openinspector.errors import CatalogError

TARGET = ".NETCoreApp,Version=v8.0/linux-x64"
DOCUMENT = {
    "runtimeTarget": {"name": TARGET, "signature": ""},
    "compilationOptions": {},
    "targets": {
        ".NETCoreApp,Version=v8.0": {"Serilog/3.1.1": {"compileOnly": True}},
        TARGET: {
            "App/1.0.0": {"dependencies": {"Serilog": "3.1.1"}},
            "Serilog/3.1.1": {"runtime": {"lib/net7.0/Serilog.dll": {"assemblyVersion": "2.0.0.0"}}},
            "Refs/1.0.0": {"compileOnly": True},
        },
    },
    "libraries": {
        "App/1.0.0": {"type": "project", "serviceable": False, "sha512": ""},
        "Serilog/3.1.1": {"type": "package", "serviceable": True, "sha512": "sha512-q83v", "path": "serilog/3.1.1"},
        "Refs/1.0.0": {"type": "package", "sha512": ""},
        "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1": {"type": "runtimepack", "sha512": ""},
        "System.Thing/4.0.0.0": {"type": "reference", "sha512": ""},
    },
}


def read(document):
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return PLUGIN.read(File(path="app/App.deps.json", data=data))


def test_packages_are_listed_and_projects_are_not():
    reading = read(DOCUMENT)
    assert [(each.name, each.version, each.dev, each.digest) for each in reading.packages] == [
        ("Serilog", "3.1.1", False, "sha512:abcdef"),
        ("Refs", "1.0.0", True, ""),
        ("Microsoft.NETCore.App.Runtime.linux-x64", "8.0.1", False, ""),
    ]
    assert {(each.type, each.format) for each in reading.packages} == {("nuget", "nuget.deps-json")}
    assert not reading.problems


def test_libraries_that_make_no_sense_are_counted_and_cost_nothing_else():
    libraries = {"a": {"type": "package"}, "b/1": {"sha512": ""}, "c/1": 5, "d/1": {"type": "package"}}
    reading = read({"libraries": libraries})
    assert [each.name for each in reading.packages] == ["d"]
    assert reading.problems[0].count == 3


def test_a_byte_order_mark_does_not_matter():
    assert len(read(b"\xef\xbb\xbf" + json.dumps(DOCUMENT).encode()).packages) == 3


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"libraries": []}', b'{"targets": ' + b"[" * 100_000])
def test_another_shape_is_an_error(data):
    with pytest.raises(CatalogError):
        read(data)
