"""The folder of operations is the list."""

import sys
from types import ModuleType

import pytest

from openinspector.api.handlers import NEWER, discover
from openinspector.errors import PluginError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A package of operations, to write modules into."""
    package = tmp_path / "some_operations"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "some_operations"]:
        monkeypatch.delitem(sys.modules, name)

    def write(**modules: str) -> ModuleType:
        from importlib import import_module, invalidate_caches

        for name, text in modules.items():
            (package / f"{name}.py").write_text(text)
        invalidate_caches()
        return import_module("some_operations")

    yield write
    for name in [name for name in sys.modules if name.partition(".")[0] == "some_operations"]:
        del sys.modules[name]


def test_modules_offer_handlers_and_reasons(folder):
    offer = discover(
        folder(
            tags="OPERATIONS = {'TagResource': lambda context, given: {}}\nDECLINED = {'UntagResource': 'No need.'}",
            later="DECLINED = {'Enable': 'Not yet.'}",
            _helper="raise RuntimeError",
        )
    )
    assert offer.answered.keys() == {"TagResource"}
    assert offer.declined == {"UntagResource": "No need.", "Enable": "Not yet."}
    assert offer.reason("Enable") == "Not yet."
    assert offer.reason("SomethingOfNextYear") == NEWER


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ({"a": ""}, "some_operations.a: offers neither OPERATIONS nor DECLINED"),
        ({"a": "import not_there_at_all"}, "some_operations.a: can't be imported: No module named 'not_there_at_all'"),
        (
            {"a": "OPERATIONS = {'Enable': len}", "b": "OPERATIONS = {'Enable': len}"},
            "some_operations.b: Enable is answered or declined already",
        ),
        (
            {"a": "OPERATIONS = {'Enable': len}", "b": "DECLINED = {'Enable': 'Not yet.'}"},
            "some_operations.b: Enable is answered or declined already",
        ),
    ],
)
def test_a_folder_that_breaks_its_rules_is_an_error_at_start(folder, modules, message):
    with pytest.raises(PluginError, match=message):
        discover(folder(**modules))


def test_a_module_may_not_answer_and_decline_the_same(folder):
    with pytest.raises(PluginError, match="Enable is answered or declined already"):
        discover(folder(a="OPERATIONS = {'Enable': len}\nDECLINED = {'Enable': 'Not yet.'}"))
