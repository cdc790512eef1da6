"""Every operation of both models, in and out, against botocore's own serializer and parser."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.api.shape_values import MOMENT, maximal, minimal, spoiled, violations
from tests.unit.api.wire import OPERATIONS, received, sent, understood

from openinspector.api.answer import success
from openinspector.api.errors import ValidationFailed
from openinspector.api.model import Operation
from openinspector.api.shapes import Structure

MOST_VARIANTS = 15  # members of the largest union

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


def variants(structure: Structure) -> list[dict]:
    """The least, and one large value for each member of the unions in it."""
    least = minimal(structure)
    for name, value in least.items():
        if value == [] and structure.members[name].location == "querystring":
            least[name] = ["a"]  # a query can't tell an empty list from none
    found = [least]
    for pick in range(MOST_VARIANTS):
        value = maximal(structure, pick)
        if value not in found:
            found.append(value)
    return found


@every_operation
def test_what_a_client_sends_is_what_a_handler_gets(operation: Operation):
    for params in variants(operation.input):
        request = sent(operation, params)
        routed, given = received(request.method, request.url, request.headers, request.body)
        assert routed is operation
        assert given == params


@every_operation
def test_what_a_handler_returns_is_what_a_client_gets(operation: Operation):
    for output in variants(operation.output):
        answer = success(operation, output)
        parsed = understood(operation, answer)
        del parsed["ResponseMetadata"]
        assert parsed == output
        assert answer.status == operation.status


@every_operation
def test_members_unknown_or_null_are_as_if_not_there(operation: Operation):
    params = variants(operation.input)[0]
    request = sent(operation, params)
    if operation.method not in ("GET", "DELETE"):
        body = json.loads(request.body or b"{}")
        body["__notAMember"] = {"a": [1, None]}
        optional = [name for name in operation.input.members if name not in operation.input.required]
        body |= dict.fromkeys(optional)
        _, given = received(request.method, request.url, request.headers, json.dumps(body).encode())
        assert given == params


def spoiled_requests() -> Iterator[tuple[str, Any, bytes, str]]:
    """Every constraint of every input, violated once: what, the request, its body now, the field to be named."""
    seen = set()
    for operation in OPERATIONS:
        for params in variants(operation.input)[1:]:
            request = sent(operation, params)
            body = json.loads(request.body) if request.body else {}
            for what, steps, wrong, field in violations(operation.input, body):
                if (what, steps[-3:]) not in seen:
                    seen.add((what, steps[-3:]))
                    yield f"{operation.name}, {what}", request, json.dumps(spoiled(body, steps, wrong)).encode(), field


def test_every_constraint_is_checked_and_the_field_named():
    count = 0
    for what, request, data, field in spoiled_requests():
        with pytest.raises(ValidationFailed) as raised:
            received(request.method, request.url, request.headers, data)
        error = raised.value
        assert error.reason == "FIELD_VALIDATION_FAILED", what
        assert [part.name for part in error.fields] == [field], (what, error.message[:300])
        count += 1
    assert count > 7000


def test_fractions_of_a_second_survive():
    operation = next(o for o in OPERATIONS if o.name == "GetMember")
    moment = MOMENT + timedelta(milliseconds=602)
    answer = success(operation, {"member": {"updatedAt": moment}})
    assert answer.body == b'{"member":{"updatedAt":1715807468.602}}'
    assert understood(operation, answer)["member"]["updatedAt"] == moment
