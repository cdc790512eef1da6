"""NuGet's lock file."""

import json

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.packages_lock_json import PLUGIN
from openinspector.errors import CatalogError

LOCK = {
    "version": 2,
    "dependencies": {
        "net6.0": {
            "Newtonsoft.Json": {
                "type": "Direct",
                "requested": "[13.0.1, )",
                "resolved": "13.0.1",
                "contentHash": "q83v",
            },
            "System.Memory": {"type": "Transitive", "resolved": "4.5.5"},
            "other": {"type": "Project", "dependencies": {"System.Memory": "4.5.5"}},
        },
        "net8.0": {
            "Newtonsoft.Json": {
                "type": "Direct",
                "requested": "[13.0.1, )",
                "resolved": "13.0.1",
                "contentHash": "q83v",
            },
            "System.Memory": {"type": "CentralTransitive", "resolved": "4.5.4"},
        },
    },
}


def read(document):
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return PLUGIN.read(File(path="src/packages.lock.json", data=data))


def test_each_version_is_listed_once_over_all_frameworks():
    reading = read(LOCK)
    assert [(each.name, each.version, each.digest) for each in reading.packages] == [
        ("Newtonsoft.Json", "13.0.1", "sha512:abcdef"),
        ("System.Memory", "4.5.5", ""),
        ("System.Memory", "4.5.4", ""),
    ]
    assert {(each.type, each.format) for each in reading.packages} == {("nuget", "nuget.packages-lock")}


def test_packages_without_a_version_are_counted():
    reading = read(
        {"dependencies": {"net8.0": {"a": {"type": "Direct"}, "b": 1, "c": {"type": "Direct", "resolved": "1"}}}}
    )
    assert [each.name for each in reading.packages] == ["c"]
    assert reading.problems[0].count == 2


@pytest.mark.parametrize("data", [b"", b"[]", b'{"dependencies": 1}'])
def test_another_shape_is_an_error(data):
    with pytest.raises(CatalogError):
        read(data)
