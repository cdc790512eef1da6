"""Filter criteria as the API has them."""

from datetime import UTC, datetime, timedelta, timezone

import botocore.session
import msgspec
import pytest

from openinspector.errors import UsageError
from openinspector.model import criteria as nouns
from openinspector.model.criteria import Criteria, api_criteria, parse_criteria

MODEL = botocore.session.get_session().get_service_model("inspector2")
T = datetime(2026, 3, 1, tzinfo=UTC)

SHAPES = {
    "FilterCriteria": nouns.Criteria,
    "StringFilter": nouns.StringFilter,
    "DateFilter": nouns.DateFilter,
    "NumberFilter": nouns.NumberFilter,
    "MapFilter": nouns.MapFilter,
    "PortRangeFilter": nouns.PortRangeFilter,
    "PackageFilter": nouns.PackageFilter,
    "RuntimeReachabilityFilter": nouns.ReachabilityFilter,
    "RuntimeReachabilityReasonFilter": nouns.ReachabilityReasonFilter,
    "PurlQualifierFilter": nouns.PurlQualifierFilter,
}


def members(type_):
    """The structs that a field's type is made of."""
    return {each for each in (type_, *getattr(type_, "__args__", ())) if each in SHAPES.values()} | {
        inner for each in getattr(type_, "__args__", ()) for inner in members(each)
    }


@pytest.mark.parametrize("name", SHAPES)
def test_every_field_of_the_models_shape_is_ours_and_of_its_kind(name):
    shape, noun = MODEL.shape_for(name), SHAPES[name]
    fields = {each.encode_name: each for each in msgspec.structs.fields(noun)}
    assert fields.keys() == shape.members.keys()
    for field, member in shape.members.items():
        target = member.member if member.type_name == "list" else member
        assert members(fields[field].type) == ({SHAPES[target.name]} if target.type_name == "structure" else set())
        assert fields[field].required is (field in shape.required_members)


@pytest.mark.parametrize(
    ("shape", "noun", "field"),
    [
        ("StringComparison", nouns.StringFilter, "comparison"),
        ("MapComparison", nouns.MapFilter, "comparison"),
        ("RuntimeReachabilityComparison", nouns.ReachabilityFilter, "comparison"),
        ("RuntimeReachability", nouns.ReachabilityFilter, "value"),
        ("RuntimeReachabilityReason", nouns.ReachabilityReasonFilter, "value"),
        ("PurlQualifierKey", nouns.PurlQualifierFilter, "key"),
        ("FilterAction", nouns.Filter, "action"),
    ],
)
def test_every_word_of_the_model_is_ours(shape, noun, field):
    (found,) = (each for each in msgspec.structs.fields(noun) if each.name == field)
    assert set(found.type.__args__) == set(MODEL.shape_for(shape).enum)


def test_criteria_read_typed_and_write_back():
    parsed = {
        "severity": [{"comparison": "EQUALS", "value": "HIGH"}],
        "ec2InstanceVpcId": [{"comparison": "PREFIX", "value": "vpc-"}],
        "updatedAt": [{"startInclusive": T}, {"endInclusive": T}],
        "inspectorScore": [{"lowerInclusive": 7.0, "upperInclusive": 10.0}],
        "resourceTags": [{"comparison": "EQUALS", "key": "a", "value": ""}, {"comparison": "EQUALS", "key": "b"}],
        "portRange": [{"beginInclusive": 0, "endInclusive": 65535}],
        "vulnerablePackages": [
            {
                "name": {"comparison": "EQUALS", "value": "a"},
                "epoch": {"lowerInclusive": 1.0},
                "filePath": {"comparison": "PREFIX", "value": "app"},
            }
        ],
    }
    criteria = parse_criteria(parsed)
    assert criteria.severity[0] == nouns.StringFilter(comparison="EQUALS", value="HIGH")
    assert [each.value for each in criteria.resource_tags] == ["", None]
    assert criteria.vulnerable_packages[0].epoch == nouns.NumberFilter(lower_inclusive=1.0)
    assert api_criteria(criteria) == parsed
    assert msgspec.json.decode(msgspec.json.encode(criteria), type=Criteria) == criteria


def test_no_criteria_ask_nothing():
    assert parse_criteria({}) == Criteria()
    assert api_criteria(Criteria()) == {}


def test_a_moment_keeps_its_zone():
    moment = datetime(2026, 3, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    assert parse_criteria({"updatedAt": [{"startInclusive": moment}]}).updated_at[0].start_inclusive == moment


@pytest.mark.parametrize(
    ("parsed", "where"),
    [
        ({"colour": [{"comparison": "EQUALS", "value": "red"}]}, "colour"),
        ({"severity": [{"comparison": "LIKE", "value": "HIGH"}]}, r"severity\[0\].comparison"),
        ({"severity": [{"comparison": "EQUALS"}]}, r"severity\[0\]"),
        ({"severity": [{"comparison": "EQUALS", "value": ""}]}, "value"),
        ({"severity": [{"comparison": "EQUALS", "value": "x" * 1025}]}, "value"),
        ({"severity": [{"comparison": "EQUALS", "value": "HIGH"}] * 11}, "severity"),
        ({"severity": {"comparison": "EQUALS", "value": "HIGH"}}, "severity"),
        ({"updatedAt": [{"startInclusive": datetime(2026, 3, 1)}]}, "startInclusive"),  # noqa: DTZ001
        ({"updatedAt": [{"startInclusive": "soon"}]}, "startInclusive"),
        ({"portRange": [{"beginInclusive": 65536}]}, "beginInclusive"),
        ({"portRange": [{"beginInclusive": -1}]}, "beginInclusive"),
        ({"resourceTags": [{"comparison": "PREFIX", "key": "a"}]}, "comparison"),
        ({"resourceTags": [{"comparison": "EQUALS", "key": ""}]}, "key"),
        ({"vulnerablePackages": [{"colour": {}}]}, "colour"),
        ({"vulnerablePackages": [{"purlQualifier": {"comparison": "EQUALS", "key": "colour"}}]}, "key"),
        ({"severity": None}, "severity"),
        ({1: []}, "str"),
        ([], "object"),
    ],
)
def test_criteria_that_the_model_does_not_have_are_refused_with_their_place(parsed, where):
    with pytest.raises(UsageError, match=where):
        parse_criteria(parsed)
