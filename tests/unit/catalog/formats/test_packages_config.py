"""The packages of an older .NET project."""

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.packages_config import PLUGIN
from openinspector.errors import CatalogError

CONFIG = """<?xml version="1.0" encoding="utf-8"?>
<packages>
  <package id="Newtonsoft.Json" version="12.0.3" targetFramework="net472" />
  <package id="StyleCop.Analyzers" version="1.1.118" developmentDependency="true" />
</packages>
"""


def read(data):
    return PLUGIN.read(File(path="src/packages.config", data=data))


@pytest.mark.parametrize("data", [CONFIG.encode(), CONFIG.replace("utf-8", "utf-16").encode("utf-16")])
def test_packages_are_listed_and_those_for_development_marked(data):
    reading = read(data)
    assert [(each.name, each.version, each.dev) for each in reading.packages] == [
        ("Newtonsoft.Json", "12.0.3", False),
        ("StyleCop.Analyzers", "1.1.118", True),
    ]
    assert {(each.type, each.format) for each in reading.packages} == {("nuget", "nuget.packages-config")}


def test_packages_without_a_version_are_counted():
    reading = read(b"<packages><package id='a'/><package id='b' version='1'/></packages>")
    assert [each.name for each in reading.packages] == ["b"]
    assert reading.problems[0].count == 1


@pytest.mark.parametrize(
    "data", [b"", b"<packages>", b"<configuration/>", b'<!DOCTYPE p [<!ENTITY a "b">]><packages>&a;</packages>']
)
def test_something_else_is_an_error(data):
    with pytest.raises(CatalogError):
        read(data)
