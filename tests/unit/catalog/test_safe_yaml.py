"""YAML from a stranger."""

import pytest
import yaml

from openinspector.catalog import safe_yaml
from openinspector.errors import CatalogError

PLAIN = b"""
name: a
list:
- 1
- [x, {y: z}, []]
- nested:
    deep: "quoted: 1"
    empty: {}
text: |
  two
  lines
folded: >-
  one
  line
'1.10': 'it''s'
"""


def test_text_is_what_pyyaml_s_own_plain_loader_gives():
    assert safe_yaml.load_text(PLAIN) == yaml.load(PLAIN, yaml.BaseLoader)


def test_values_are_those_of_the_core_schema_and_dates_stay_text():
    data = b'a: 1\nb: -1.5e3\nc: true\nd: ~\ne: "1"\nf: 2020-01-01\ng: yes\nh:\ni: 1.10.0\nj: .5\nk: 0x10\n'
    assert safe_yaml.load(data) == {
        "a": 1,
        "b": -1500.0,
        "c": True,
        "d": None,
        "e": "1",
        "f": "2020-01-01",
        "g": "yes",
        "h": None,
        "i": "1.10.0",
        "j": 0.5,
        "k": "0x10",
    }


def test_a_version_stays_as_written_where_text_is_asked_for():
    assert safe_yaml.load_text(b"version: 1.10\n1.0: true\n") == {"version": "1.10", "1.0": "true"}


def test_several_documents_come_as_a_list_or_are_refused():
    assert safe_yaml.load_texts(b"a: b\n---\n- c\n") == [{"a": "b"}, ["c"]]
    with pytest.raises(CatalogError, match="several"):
        safe_yaml.load(b"a: b\n---\n- c\n")


@pytest.mark.parametrize("data", [b"", b"# nothing\n", b"---\n"])
def test_an_empty_document_is_none_or_empty(data):
    assert not safe_yaml.load(data)


@pytest.mark.parametrize("data", ["a: b\n".encode("utf-16"), b"\xef\xbb\xbfa: b\n", memoryview(b"a: b\n")])
def test_marks_and_views_are_understood(data):
    assert safe_yaml.load_text(data) == {"a": "b"}


def test_a_few_aliases_are_followed():
    assert safe_yaml.load(b"a: &x [1]\nb: *x\nc: &y text\nd: *y\n") == {"a": [1], "b": [1], "c": "text", "d": "text"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"a: &a [*a]", "alias"),
        (b"a: *a", "alias"),
        (b"a: &a b\n*a : c", "alias"),
        (b"a: &a [x]\nb: [" + b"*a," * 11 + b"]", "aliases"),
        (b"? [a]\n: b", "key"),
        (b"[" * 1_000_000, "nested"),
        (b"- " * 500_000, "nested"),
        (b"{a: " * 200_000, "nested"),
        (b"a: [", "not the YAML"),
        (b"a: b: c", "not the YAML"),
        (b"\x00", "not the YAML"),
        (b"\xff\xfe\x00", "not the YAML"),
        (b"\xc3\x28: a", "not the YAML"),
        (b'"' + b"a" * (1 << 20), "not the YAML"),
        (b"--- a\n" * 500, "documents"),
    ],
)
def test_what_is_hostile_or_broken_ends_in_our_error(data, reason):
    with pytest.raises(CatalogError, match=reason):
        safe_yaml.load_texts(data)


def test_a_tag_builds_nothing():
    assert safe_yaml.load(b"a: !!python/object/apply:os.system [x]") == {"a": ["x"]}


def test_without_libyaml_the_values_are_the_same(monkeypatch):
    expected = safe_yaml.load(PLAIN)
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert safe_yaml.load(PLAIN) == expected
    with pytest.raises(CatalogError, match="nested"):
        safe_yaml.load(b"[" * 10_000)
