"""TOML from a stranger."""

import pytest

from openinspector.catalog import safe_toml
from openinspector.errors import CatalogError


@pytest.mark.parametrize("data", [b'a.b = "c"\n', b'\xef\xbb\xbfa.b = "c"\n', memoryview(b'a.b = "c"\n')])
def test_a_document_is_read(data):
    assert safe_toml.load(data) == {"a": {"b": "c"}}


@pytest.mark.parametrize(
    "data",
    [
        b"a = ",
        b"\xff",
        b"a = " + b"[" * 100_000,
        b"a = " + b"9" * 10_000,
        b"a." * 200_000 + b"a = 1",
        b"a . " * 100_000 + b"a = 1",
        b'"a".' * 100_000 + b"a = 1",
        b"'a' .\t" * 100_000 + b"a = 1",
        b"[" + b"a." * 100_000 + b"a]",
        b"#" * (safe_toml.MAX_SIZE + 1),
    ],
)
def test_what_is_hostile_or_broken_ends_in_our_error(data):
    with pytest.raises(CatalogError):
        safe_toml.load(data)


def test_long_words_and_many_dots_in_text_are_no_keys():
    assert len(safe_toml.load(b'a = "' + b"x" * (1 << 20) + b"." * 1000 + b'"')) == 1


def test_only_tables_of_an_array_are_given():
    assert safe_toml.tables([{"a": 1}, 2, "x"]) == [{"a": 1}]
    assert safe_toml.tables({"a": 1}) == []
    assert safe_toml.tables(None) == []
