"""What a handler returns: what goes out, and what is a programming error."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from openinspector.api.errors import OutputError
from openinspector.api.model import operations
from openinspector.api.serialize import missing, serialize

OPERATIONS = operations()
MOMENT = datetime(2024, 5, 15, 21, 11, 8, 602000, tzinfo=UTC)


def written(name, value):
    return serialize(OPERATIONS[name].output, value)[1]


def test_none_is_left_out_and_emptiness_stays():
    assert written("ListFindings", {"findings": [], "nextToken": None}) == b'{"findings":[]}'
    assert written("DeleteConnector", {}) == b"{}"


def test_moments_are_epoch_seconds_in_any_zone():
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=-5)))
    assert written("GetMember", {"member": {"updatedAt": elsewhere}}) == b'{"member":{"updatedAt":1715807468.602}}'


def test_some_moments_are_text():
    output = {"startedAt": MOMENT.astimezone(timezone(timedelta(hours=2)))}
    assert written("GetOnDemandScanStatus", output) == b'{"startedAt":"2024-05-15T21:11:08.602Z"}'


def test_a_value_beyond_an_enum_goes_out():
    counts = {"countsByGroup": [{"count": 1, "groupKey": "AWS_LAMBDA_FUNCTION"}], "totalCounts": 1}
    assert b"AWS_LAMBDA_FUNCTION" in written("ListCoverageStatistics", counts)


def test_bytes_are_base64():
    shape = OPERATIONS["SendCisSessionTelemetry"].input  # the one shape with bytes goes in, not out
    output = {"messages": [{"cisRuleDetails": b"\x00\xff"}]}
    assert serialize(shape, output)[1] == b'{"messages":[{"cisRuleDetails":"AP8="}]}'


def test_a_document_goes_out_as_it_is():
    assert written("ScanSbom", {"sbom": {"a": [1, None, {"b": 1.5}]}}) == b'{"sbom":{"a":[1,null,{"b":1.5}]}}'


@pytest.mark.parametrize(
    ("name", "output", "message"),
    [
        ("ListFindings", {"finding": []}, "ListFindingsResponse has no member 'finding'"),
        ("ListFindings", {"findings": [{"Title": "a"}]}, "Finding has no member 'Title'"),
        ("ListFindings", {"findings": {}}, "findings is dict, not a list"),
        ("ListFindings", {"findings": [None]}, "findings is NoneType, not a dict"),
        ("ListFindings", {"findings": [{"title": 1}]}, "Finding.title is int, not a string"),
        ("ListFindings", {"findings": [{"inspectorScore": "9"}]}, "inspectorScore is str, not a finite number"),
        ("ListFindings", {"findings": [{"inspectorScore": True}]}, "inspectorScore is bool, not a finite number"),
        ("ListFindings", {"findings": [{"inspectorScore": float("nan")}]}, "inspectorScore is float, not a finite"),
        ("ListFindings", {"findings": [{"updatedAt": "2024"}]}, "updatedAt is str, not a datetime"),
        ("ListFindings", {"findings": [{"updatedAt": MOMENT.replace(tzinfo=None)}]}, "a datetime without a time zone"),
        ("ListCoverageStatistics", {"totalCounts": 1.0}, "totalCounts is float, not an integer"),
        ("ListCoverageStatistics", {"totalCounts": True}, "totalCounts is bool, not an integer"),
        ("ListTagsForResource", {"tags": []}, "tags is list, not a dict"),
        ("ListTagsForResource", {"tags": {1: "a"}}, "tags is int, not a string"),
        ("ListFindings", [], "ListFindingsResponse is list, not a dict"),
        ("DescribeOrganizationConfiguration", {"maxAccountLimitReached": 1}, "is int, not a boolean"),
        ("ListFindingAggregations", {"responses": [{}]}, "AggregationResponse is a union, and 0 of its members"),
    ],
)
def test_what_the_model_has_no_place_for_is_a_programming_error(name, output, message):
    with pytest.raises(OutputError, match=message.replace("(", r"\(")):
        written(name, output)


def test_bytes_must_be_bytes():
    with pytest.raises(OutputError, match="not bytes"):
        serialize(OPERATIONS["SendCisSessionTelemetry"].input, {"messages": [{"cisRuleDetails": "AP8="}]})


def test_missing_members_are_named_by_their_paths():
    shape = OPERATIONS["ListUsageTotals"].output
    assert missing(shape, {"totals": [{"accountId": "1"}]}) == []
    finding = {"findings": [{"title": None, "resources": [{}]}]}
    gone = missing(OPERATIONS["ListFindings"].output, finding)
    assert ".findings[0].findingArn" in gone
    assert ".findings[0].resources[0].id" in gone
    assert ".findings[0].title" not in gone  # not required
    member = OPERATIONS["ListFindingAggregations"].output
    assert missing(member, {"responses": []}) == [".aggregationType"]
    bare = {"tags": {"a": "b"}}
    assert missing(OPERATIONS["ListTagsForResource"].output, bare) == []
