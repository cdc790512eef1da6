"""Criteria with as much of everything as the API lets a caller write: they are answered, and hold nobody up."""

import pytest
from tests.service.callers import START, clients

from openinspector.api.model import operations
from openinspector.api.operations import coverage, findings
from openinspector.api.shapes import Boolean, Decimal, Integer, ListOf, Structure, Text, Timestamp

OURS = "111122223333"
ODD = ("%", "_", "\\", "\\%", "'", '"', "$1", ":x", "{", "\U0010ffff")


def most_of(shape, number, prefixes):
    """The largest value of a shape; `number` tells the entries of a list apart."""
    match shape:
        case Structure():
            return {name: most_of(each.shape, number, prefixes) for name, each in shape.members.items()}
        case ListOf():
            return [most_of(shape.element, each, prefixes) for each in range(shape.maximum or 10)]
        case Text():
            if shape.choices:
                wanted = "PREFIX" if prefixes else "NOT_EQUALS"
                return wanted if wanted in shape.choices else shape.choices[number % len(shape.choices)]
            return (ODD[number % len(ODD)] + "x" * 1000)[: min(shape.maximum or 200, 200)]
        case Integer() | Decimal():
            return number
        case Timestamp():
            return START
        case Boolean():
            return True
    raise AssertionError(shape)


@pytest.fixture
def client(database, clock):
    with clients((coverage, findings), database, clock) as of:
        yield of(OURS)


@pytest.mark.parametrize("prefixes", [True, False])
@pytest.mark.parametrize(("operation", "call"), [("ListFindings", "list_findings"), ("ListCoverage", "list_coverage")])
def test_the_most_that_can_be_asked_is_answered(client, operation, call, prefixes):
    criteria = most_of(operations()[operation].input.members["filterCriteria"].shape, 0, prefixes)
    assert sum(map(len, criteria.values())) > 100
    try:
        answer = getattr(client, call)(filterCriteria=criteria)
    except client.exceptions.ValidationException as error:
        pytest.fail(str(error)[:2000])
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
