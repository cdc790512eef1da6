import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.bottlerocket import PLUGIN
from openinspector.errors import CatalogError

PATH = "usr/share/bottlerocket/application-inventory.json"


def read(data):
    return PLUGIN.read(File(path=PATH, data=data))


def test_records_are_rpm_packages():
    reading = read(
        b'{"Content": [{"Name": "bash", "Publisher": "Bottlerocket", "Version": "5.2.15", "Release": "1.br1",'
        b'"Epoch": "1", "Architecture": "x86_64", "Url": "", "Summary": "shell"},'
        b'{"Name": "a", "Version": "1", "Release": "2"},'
        b'{"Version": "1"}]}'
    )
    assert [(each.name, each.version, each.arch) for each in reading.packages] == [
        ("bash", "1:5.2.15-1.br1", "x86_64"),
        ("a", "1-2", ""),
    ]
    assert [(problem.count, problem.partial) for problem in reading.problems] == [(1, True)]


@pytest.mark.parametrize("data", [b"", b"[]", b'{"Content": 1}', b"[" * 100_000, b'{"Content": [{"Name": 1}]}'])
def test_what_is_no_inventory_is_an_error(data):
    with pytest.raises(CatalogError):
        read(data)
