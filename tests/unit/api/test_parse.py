"""Requests that somebody else made: strict types, hostile bodies, and what the caller is told."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from openinspector.api.errors import ValidationFailed
from openinspector.api.model import operations
from openinspector.api.parse import BODY_LIMIT, MOST_QUERY_FIELDS, body_limit, parse
from openinspector.api.validate import MOST_PROBLEMS

OPERATIONS = operations()
JSON = (("content-type", "application/json"),)


def parsed(name, body=b"", *, query="", labels=None, headers=JSON):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse(OPERATIONS[name], labels=labels or {}, query=query, headers=headers, body=data)


def refused(name, body=b"", **more) -> ValidationFailed:
    with pytest.raises(ValidationFailed) as raised:
        parsed(name, body, **more)
    return raised.value


def told(error: ValidationFailed) -> list[str]:
    return [field.name for field in error.fields]


# What is no JSON object


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b"{} {}",
        b"[]",
        b'"text"',
        b"null",
        b"7",
        b'{"maxResults":NaN}',
        b'{"maxResults":Infinity}',
        b'{"maxResults":1e999}',
        b'{"maxResults":01}',
        b'{"maxResults":1,}',
        b"{'maxResults':1}",
        b'{"nextToken":"\xff\xfe"}',
        b'{"nextToken":"\xed\xa0\x80"}',
        b'{"nextToken":"\\ud800"}',
        b'{"nextToken":"\x01"}',
        b"\xef\xbb\xbf{}",
        b"{}\0",
        "{}".encode("utf-16"),
        b"[" * 500_000,
        b'{"a":' * 100_000,
        b'{"filterCriteria":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_body_that_is_no_json_object_can_not_be_parsed(body):
    error = refused("ListFindings", body)
    assert error.reason == "CANNOT_PARSE"
    assert error.fields == ()


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/json2", ""])
def test_a_body_of_another_content_type_can_not_be_parsed(kind):
    error = refused("ListFindings", {}, headers=(("content-type", kind),))
    assert error.reason == "CANNOT_PARSE"
    assert "Content-Type" in error.message


@pytest.mark.parametrize(
    "headers", [(), JSON, (("content-type", "Application/JSON; charset=utf-8"),), (("content-encoding", "identity"),)]
)
def test_a_body_of_json_may_say_so_or_nothing(headers):
    assert parsed("ListFindings", {}, headers=headers) == {}


def test_an_empty_body_is_an_empty_object():
    assert parsed("ListFindings", b"", headers=(("content-type", "text/plain"),)) == {}
    assert told(refused("GetMember", b"")) == ["accountId"]


def test_a_compressed_body_is_refused():
    assert refused("ListFindings", {}, headers=(*JSON, ("content-encoding", "gzip"))).reason == "CANNOT_PARSE"


def test_an_operation_without_body_members_does_not_look_at_its_body():
    assert parsed("ListTagsForResource", b"{", labels={"resourceArn": "arn:a"}) == {"resourceArn": "arn:a"}


def test_of_a_member_given_twice_the_last_counts():
    assert parsed("ListFindings", b'{"maxResults":1,"maxResults":2}') == {"maxResults": 2}


def test_scan_sbom_takes_more_than_the_others():
    assert body_limit(OPERATIONS["ScanSbom"]) == 10 * BODY_LIMIT
    assert body_limit(OPERATIONS["ListFindings"]) == BODY_LIMIT == 1 << 20


# Numbers, text, moments


@pytest.mark.parametrize("wrong", ["1", True, 1.0, 1e2, [], {}, 2**31, 10**300, -(10**300)])
def test_a_page_size_is_a_whole_number_of_32_bits(wrong):
    error = refused("ListFindings", {"maxResults": wrong})
    assert told(error) == ["maxResults"]
    assert len(error.message) < 300


def test_a_number_of_a_million_digits_costs_nothing():
    assert refused("ListFindings", b'{"maxResults":' + b"9" * 1_000_000 + b"}").reason in (
        "CANNOT_PARSE",
        "FIELD_VALIDATION_FAILED",
    )


def score(value):
    return {"filterCriteria": {"inspectorScore": [{"lowerInclusive": value}]}}


def test_a_whole_number_is_a_number():
    given = parsed("ListFindings", score(7))["filterCriteria"]["inspectorScore"][0]["lowerInclusive"]
    assert given == 7.0
    assert isinstance(given, float)


@pytest.mark.parametrize("wrong", ["7", True, "NaN", "Infinity", 10**400])
def test_a_score_is_a_finite_number(wrong):
    assert told(refused("ListFindings", score(wrong))) == ["filterCriteria.inspectorScore.1.member.lowerInclusive"]


def since(value):
    return {"filterCriteria": {"updatedAt": [{"startInclusive": value}]}}


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (1715807468, datetime(2024, 5, 15, 21, 11, 8, tzinfo=UTC)),
        (1715807468.602, datetime(2024, 5, 15, 21, 11, 8, 602000, tzinfo=UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2024-05-15T21:11:08Z", datetime(2024, 5, 15, 21, 11, 8, tzinfo=UTC)),
        ("2024-05-15T21:11:08.602Z", datetime(2024, 5, 15, 21, 11, 8, 602000, tzinfo=UTC)),
        ("2024-05-15T23:11:08+02:00", datetime(2024, 5, 15, 23, 11, 8, tzinfo=timezone(timedelta(hours=2)))),
        ("2024-05-15", datetime(2024, 5, 15, tzinfo=UTC)),
    ],
)
def test_a_moment_is_epoch_seconds_or_iso_text(value, moment):
    given = parsed("ListFindings", since(value))["filterCriteria"]["updatedAt"][0]["startInclusive"]
    assert given == moment
    assert given.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "wrong",
    ["", "now", "1715807468", "2024-13-01T00:00:00Z", True, 1e300, -1e300, 10**400, [], "0001-01-01T00:00:00+14:00"]
    + ["9999-12-31T23:59:59-14:00", "2" * 10_000],
)
def test_a_moment_that_is_none(wrong):
    assert told(refused("ListFindings", since(wrong))) == ["filterCriteria.updatedAt.1.member.startInclusive"]


def test_text_may_not_hold_what_the_database_can_not():
    error = refused("CreateFilter", {"name": "a\0b", "action": "NONE", "filterCriteria": {}})
    assert told(error) == ["name"]
    error = refused("TagResource", {"tags": {"a\0": "b", "c": "d\0"}}, labels={"resourceArn": "arn:a"})
    assert told(error) == ["tags", "tags.c.member"]


def test_surrogate_pairs_are_one_character():
    given = parsed("CreateFilter", b'{"name":"\\ud83d\\ude00","action":"NONE","filterCriteria":{}}')
    assert given["name"] == "😀"


# Outside the body


def test_pages_of_code_security_travel_in_the_query():
    assert parsed("ListCodeSecurityIntegrations", query="maxResults=7&nextToken=a%2Bb%20c&other=1") == {
        "maxResults": 7,
        "nextToken": "a+b c",
    }


@pytest.mark.parametrize("wrong", ["0", "101", "x", "", "1.5", "9" * 100, "٧", "0x7", "true"])
def test_a_page_size_in_the_query(wrong):
    from urllib.parse import quote

    assert told(refused("ListCodeSecurityIntegrations", query=f"maxResults={quote(wrong)}")) == ["maxResults"]


def test_required_members_of_the_query():
    assert told(refused("GetEncryptionKey")) == ["scanType", "resourceType"]
    assert told(refused("GetEncryptionKey", query="scanType=CODE&resourceType=TOASTER")) == ["resourceType"]
    assert parsed("GetEncryptionKey", query="scanType=CODE&resourceType=AWS_LAMBDA_FUNCTION") == {
        "scanType": "CODE",
        "resourceType": "AWS_LAMBDA_FUNCTION",
    }


def test_tag_keys_are_as_many_as_there_are_fields_of_that_name():
    labels = {"resourceArn": "arn:a"}
    query = "tagKeys=a&tagKeys=b%2Fc&X-Amz-Signature=0"
    assert parsed("UntagResource", query=query, labels=labels)["tagKeys"] == ["a", "b/c"]
    assert told(refused("UntagResource", query="tagKeys=a&tagKeys=aws:b", labels=labels)) == ["tagKeys.2.member"]
    assert told(refused("UntagResource", query="&".join(["tagKeys=a"] * 51), labels=labels)) == ["tagKeys"]


@pytest.mark.parametrize("query", ["tagKeys=%ff", "&".join(["tagKeys=a"] * (MOST_QUERY_FIELDS + 1))])
def test_a_query_that_can_not_be_read(query):
    assert refused("UntagResource", query=query, labels={"resourceArn": "arn:a"}).reason == "CANNOT_PARSE"


def test_the_label_of_a_path_is_checked_as_any_member():
    assert told(refused("ListTagsForResource", labels={"resourceArn": "a" * 1012})) == ["resourceArn"]


# Documents


@pytest.mark.parametrize("text", ['{"a": [1.5, true, "\\u0000"], "a": {}}', "[" * 900 + "]" * 900, '"text"', "7"])
def test_a_document_is_handed_on_as_it_was_sent(text):
    body = f'{{"other": [1], "sbom":  {text} , "outputFormat": "INSPECTOR"}}'.encode()
    given = parse(OPERATIONS["ScanSbom"], labels={}, query="", headers=(), body=body)
    assert bytes(given["sbom"]) == text.encode()
    assert given["outputFormat"] == "INSPECTOR"


def test_a_document_is_not_nested_without_end():
    error = refused("ScanSbom", body=b'{"sbom": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    assert error.reason == "CANNOT_PARSE"


def test_what_is_said_beside_a_document_is_as_short_as_any_body():
    long = json.dumps({"sbom": {}, "outputFormat": "x" * BODY_LIMIT}).encode()
    error = refused("ScanSbom", body=long)
    assert (error.reason, "beside its document" in error.message) == ("CANNOT_PARSE", True)
    assert parsed("ScanSbom", {"sbom": {}, "unknown": "x" * BODY_LIMIT})


def test_no_document_is_a_missing_member():
    assert told(refused("ScanSbom", {"sbom": None})) == ["sbom"]
    assert told(refused("ScanSbom", {})) == ["sbom"]


# What the caller is told


def test_one_problem_is_told_in_the_words_of_the_service():
    error = refused("ListFindings", {"filterCriteria": {"severity": [{"comparison": "LIKE", "value": "HIGH"}]}})
    constraint = "Member must satisfy enum value set: [EQUALS, PREFIX, NOT_EQUALS]"
    place = "filterCriteria.severity.1.member.comparison"
    assert error.message == (
        f"1 validation error detected: Value 'LIKE' at '{place}' failed to satisfy constraint: {constraint}"
    )
    assert error.members() == {
        "message": error.message,
        "reason": "FIELD_VALIDATION_FAILED",
        "fields": [{"name": place, "message": constraint}],
    }


def test_all_problems_are_told_at_once():
    error = refused("CreateFilter", {"name": "", "action": "HIDE", "tags": {"a": 1}})
    assert told(error) == ["action", "filterCriteria", "name", "tags.a.member"]
    assert error.message.startswith("4 validation errors detected: Value 'HIDE' at 'action' failed")
    assert "Value null at 'filterCriteria' failed to satisfy constraint: Member must not be null" in error.message


def test_a_request_full_of_problems_is_read_no_further():
    error = refused("ListFilters", {"arns": [1] * 100_000})
    assert len(error.fields) == MOST_PROBLEMS
    assert len(error.message) < 10_000


def test_long_values_and_names_are_told_in_short():
    error = refused("CreateFilter", {"name": "n" * 100_000, "action": "NONE", "filterCriteria": {}})
    assert len(error.message) < 400
    error = refused("TagResource", {"tags": {"k" * 128: "v" * 257}}, labels={"resourceArn": "arn:a"})
    assert told(error) == [f"tags.{'k' * 128}.member"]


def test_secrets_are_not_repeated():
    error = refused("ListConnectors", {"nextToken": "s3cret" * 1000})
    assert told(error) == ["nextToken"]
    assert "s3cret" not in error.message
    assert "Value at 'nextToken' failed" in error.message
