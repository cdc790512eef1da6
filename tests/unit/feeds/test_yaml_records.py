"""YAML records."""

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.yaml_records import MAX_RECORD, text_or_nothing, yaml_record


def test_every_scalar_is_text():
    text = b"a: 1.10\nb: 2017-05-09 19:42:02\nc: ~\nd: yes\n4.2: [1, no]\n2019-01-01: x\n"
    assert yaml_record(text) == {
        "a": "1.10",
        "b": "2017-05-09 19:42:02",
        "c": "~",
        "d": "yes",
        "4.2": ["1", "no"],
        "2019-01-01": "x",
    }


def test_an_asterisk_in_a_text_is_no_alias():
    assert yaml_record(b"a: 'x * y'\nb: |\n  * one\n  * two\n") == {"a": "x * y", "b": "* one\n* two\n"}


@pytest.mark.parametrize(
    "text",
    [
        b"a: &x [1]\nb: *x\n",
        b"a: &a [x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n",
        b"a: [",
        b"\xff\xfe\x00",
        b"a: \x07",
        b"[" * 100_000,
        b"[" * 100 + b"]" * 100,
        b"- " * 10_000,
        b"a: 1\n---\nb: 2\n",
        b"? [a]\n: b\n",
        b"",
        b"#" * (MAX_RECORD + 1),
    ],
)
def test_aliases_nonsense_and_excess_are_errors(text):
    with pytest.raises(FeedError):
        yaml_record(text)


def test_a_tag_makes_nothing_but_text():
    assert yaml_record(b"a: !!python/object/apply:os.system ['x']\n") == {"a": ["x"]}


@pytest.mark.parametrize(("value", "text"), [(None, ""), ("~", ""), ("null", ""), ("", ""), (" CVE-1 ", "CVE-1")])
def test_null_is_nothing_in_each_spelling(value, text):
    assert text_or_nothing(value) == text
