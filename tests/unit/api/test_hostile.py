"""Any JSON to any operation: a value that fits, or one error that says why."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.api.wire import OPERATIONS, sent, understood

from openinspector.api.answer import failure
from openinspector.api.errors import ValidationFailed
from openinspector.api.parse import parse
from openinspector.api.patterns import LONGEST, fits
from openinspector.api.shapes import ListOf, MapOf, Shape, Structure, Text

NAMES = sorted({name for operation in OPERATIONS for name in operation.input.members} | {"comparison", "value", "key"})
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["EC2", "EQUALS", "1"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=4),
    max_leaves=12,
)
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)


@settings(max_examples=300)
@given(st.sampled_from(OPERATIONS), BODIES, st.text(max_size=40), st.text(max_size=40))
def test_any_json_is_read_or_refused(operation, body, label, query):
    labels = {member.wire_name: label for member in operation.input.members.values() if member.location == "uri"}
    data = json.dumps(body).encode()
    try:
        value = parse(operation, labels=labels, query=query, headers=(), body=data)
    except ValidationFailed as error:
        answer = failure(error, operation)
        assert answer.status == 400
        assert understood(operation, answer)["Error"]["Code"] == "ValidationException"
    else:
        assert value.keys() <= operation.input.members.keys()
        assert value.keys() >= set(operation.input.required)
        # A document stays the text that it came as.
        plain = {
            name: json.loads(bytes(each)) if isinstance(each, memoryview) else each for name, each in value.items()
        }
        assert sent(operation, plain)


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    operation = next(operation for operation in OPERATIONS if operation.name == "ListFindings")
    try:
        parse(operation, labels={}, query="", headers=(), body=data)
    except ValidationFailed as error:
        assert error.reason in ("CANNOT_PARSE", "FIELD_VALIDATION_FAILED")


LIST = next(operation for operation in OPERATIONS if operation.name == "ListFindings")


@pytest.mark.parametrize(
    "body",
    [
        b'{"maxResults": 1e999}',
        b'{"maxResults": NaN}',
        b'{"maxResults": Infinity}',
        b'{"maxResults": 1' + b"0" * 400 + b"}",
        b'{"maxResults": ' + b"9" * 100_000 + b"}",
        b'{"maxResults": 1.5}',
        b'{"filterCriteria": ' + b"[" * 500_000 + b"]" * 500_000 + b"}",
        b'{"unknown": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
        b'{"nextToken": "' + b"a" * 1_000_001 + b'"}',
        b'{"nextToken": "\\ud800"}',
        b'{"filterCriteria": {"inspectorScore": [{"lowerInclusive": -1e309}]}}',
        b"\xef\xbb\xbf{}",
        b"[]",
        b"null",
        b"{} {}",
    ],
)
def test_what_json_may_hold_and_we_do_not_want_is_refused(body):
    with pytest.raises(ValidationFailed):
        parse(LIST, labels={}, query="", headers=(), body=body)


def test_of_two_members_of_a_name_the_last_counts_for_everybody():
    """For the token, the audit and the handler alike: there is one value after this."""
    assert parse(LIST, labels={}, query="", headers=(), body=b'{"maxResults": 1, "maxResults": 2}')["maxResults"] == 2


def texts(shape: Shape) -> list[Text]:
    match shape:
        case Structure():
            return [found for member in shape.members.values() for found in texts(member.shape)]
        case ListOf():
            return texts(shape.element)
        case MapOf():
            return [shape.key, *texts(shape.value)]
        case Text():
            return [shape]
        case _:
            return []


PATTERNS = sorted({t.pattern for operation in OPERATIONS for t in texts(operation.input) if t.pattern})
# What makes a careless expression try every way of cutting a text up.
TEDIOUS = ("a", "/", "-", "1", "/a.b ", "a-", "arn:", ":ecr:123456789012:repository/", "C:\\", "-a1", ".", "\x00")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_expression_takes_forever(pattern):
    for piece in TEDIOUS:
        for head in ("", "arn:aws", "/", "https://", "arn:aws:ecr:us-east-1:111122223333:repository/"):
            text = (head + piece * LONGEST)[: LONGEST - 1] + "\n"
            assert not fits(pattern, text) or pattern == "[\\s\\S]*"
