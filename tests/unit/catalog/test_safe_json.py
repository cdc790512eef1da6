"""JSON from a stranger."""

import pytest
from msgspec import Raw, Struct
from msgspec.json import Decoder

from openinspector.catalog import safe_json
from openinspector.errors import CatalogError


class Named(Struct):
    name: str = ""


NAMED = Decoder(Named)


@pytest.mark.parametrize(
    "data",
    [
        b'{"name": "a"}',
        b'\xef\xbb\xbf{"name": "a"}',
        b'{"name": "a", "author": "J\xf6rg"}',
        b'{"author": "J\xf6rg", "name": "a"}',
        memoryview(b'{"name": "a"}'),
    ],
)
def test_marks_and_latin_1_elsewhere_do_no_harm(data):
    assert safe_json.document(data, NAMED).name == "a"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"name": 3}',
        b'{"x": ' + b"[" * 500_000,
        b'{"name": "\xff',
        b"\xef\xbb\xbf{",
        b'{"name": "\\ud800"}',
    ],
)
def test_everything_else_ends_in_our_error(data):
    with pytest.raises(CatalogError):
        safe_json.document(data, NAMED)


def test_a_record_of_another_shape_is_none():
    raw = [("a", Raw(b'{"name": "a"}')), ("b", Raw(b"[]")), ("c", Raw(b'{"x":' + b"[" * 100_000))]
    found = [(key, record.name if record else None) for key, record in safe_json.records(raw, NAMED)]
    assert found == [("a", "a"), ("b", None), ("c", None)]
