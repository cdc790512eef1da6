"""What NuGet's restore resolved."""

import json

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.project_assets import PLUGIN
from openinspector.errors import CatalogError

ASSETS = {
    "version": 3,
    "targets": {"net8.0": {"Serilog/3.1.1": {"type": "package", "compile": {"lib/net7.0/Serilog.dll": {}}}}},
    "libraries": {
        "Serilog/3.1.1": {"sha512": "q83v", "type": "package", "path": "serilog/3.1.1", "files": ["a", "b"]},
        "StyleCop.Analyzers/1.1.118": {"type": "package"},
        "Polyfill/1.0.0": {"type": "package"},
        "Other/1.0.0": {"type": "project", "path": "../Other/Other.csproj"},
    },
    "project": {
        "frameworks": {
            "net8.0": {
                "dependencies": {
                    "StyleCop.Analyzers": {"suppressParent": "All", "target": "Package"},
                    "Polyfill": {"suppressParent": "All"},
                    "Serilog": {"target": "Package", "version": "[3.1.1, )"},
                }
            },
            "net472": {"dependencies": {"Polyfill": {"version": "1"}}},
        }
    },
}


def read(document):
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return PLUGIN.read(File(path="src/obj/project.assets.json", data=data))


def test_packages_are_listed_and_those_private_to_the_build_in_every_framework_marked():
    reading = read(ASSETS)
    assert [(each.name, each.version, each.dev, each.digest) for each in reading.packages] == [
        ("Serilog", "3.1.1", False, "sha512:abcdef"),
        ("StyleCop.Analyzers", "1.1.118", True, ""),
        ("Polyfill", "1.0.0", False, ""),
    ]
    assert {(each.type, each.format) for each in reading.packages} == {("nuget", "nuget.assets")}


def test_libraries_that_make_no_sense_are_counted():
    reading = read({"libraries": {"x": {"type": "package"}, "y/1": []}})
    assert reading.problems[0].count == 2


@pytest.mark.parametrize("data", [b"", b"[]", b'{"libraries": 1}'])
def test_another_shape_is_an_error(data):
    with pytest.raises(CatalogError):
        read(data)
