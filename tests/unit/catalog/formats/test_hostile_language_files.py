"""Hostile input for the readers of Python, Node.js, PHP and Ruby files: each ends in a reading or in our error."""

from importlib import import_module

import pytest

from openinspector.catalog.contract import File, Reading
from openinspector.errors import CatalogError

MODULES = (
    "bun_lock composer_installed composer_lock conda_meta gemfile_lock gemspec npm_lock npm_package pdm_lock "
    "pipfile_lock pnpm_lock poetry_lock pylock pypi_egg pypi_metadata requirements uv_lock yarn_lock"
).split()
HEADS = (
    b"",
    b"lockfileVersion: 9\npackages:\n  ",
    b'{"packages": {"node_modules/a": ',
    b'{"lockfileVersion": 1, "dependencies": {"a": ',
    b'[[package]]\nname = "a"\nversion = "',
    b"GEM\n  specs:\n    a (",
)
UNITS = (
    *(b"[", b"{", b'{"a":', b"- ", b"? ", b'"', b"'", b'\\"', b"/*", b", ", b" ", b"\n", b"a.", b'"a".', b" #"),
    *(b"a: &a\n", b"*a ", b"a:\n", b"a==1\n", b"\\\n", b'a@1:\n  version "1"\n', b"s.name = '", b"# stub: ", b"Name: "),
    *(b"[[package]]\n", b"wheels = [\n    {a}\n", b"a={a=", b"1", b"PK\x05\x06", b"\xff\xfe", b"\x00", b"\xed\xa0\x80"),
)
SIZE = 16 * 1024
BESIDE = {"package.json": b'{"dependencies": {"a": "1"}}', "pyproject.toml": b'[project]\ndependencies = ["a"]\n'}


@pytest.mark.parametrize("module", MODULES)
def test_nothing_but_a_reading_or_our_error(module):
    plugin = import_module(f"openinspector.catalog.formats.{module}").PLUGIN
    for head in HEADS:
        for unit in UNITS:
            data = head + (unit * SIZE)[:SIZE]
            try:
                reading = plugin.read(File(path="specifications/a-1.gemspec", data=memoryview(data), beside=BESIDE))
            except CatalogError:
                continue
            assert isinstance(reading, Reading)


@pytest.mark.parametrize("module", MODULES)
def test_what_stands_beside_may_be_broken_too(module):
    plugin = import_module(f"openinspector.catalog.formats.{module}").PLUGIN
    for beside in (b"", b"[" * SIZE, b"\xff" * 10, b"3"):
        try:
            plugin.read(File(path="x", data=b'a@1:\n  version "1"\n', beside=dict.fromkeys(BESIDE, beside)))
        except CatalogError:
            continue
