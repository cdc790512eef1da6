"""The two service models, as read from botocore's data."""

import pytest
from tests.unit.api.wire import service_model

from openinspector.api import operations as folder
from openinspector.api.handlers import discover
from openinspector.api.model import _Shapes, operations
from openinspector.api.own_operations import all_operations
from openinspector.api.patterns import compiled
from openinspector.api.shapes import Document, ListOf, MapOf, Shape, Structure, Text, Timestamp
from openinspector.errors import PluginError

OPERATIONS = operations()


def below(shape: Shape) -> list[Shape]:
    match shape:
        case Structure():
            return [shape, *(found for member in shape.members.values() for found in below(member.shape))]
        case ListOf():
            return [shape, *below(shape.element)]
        case MapOf():
            return [shape, *below(shape.key), *below(shape.value)]
        case _:
            return [shape]


def test_all_operations_of_both_services_are_there():
    names = {name for service in ("inspector2", "inspector-scan") for name in service_model(service).operation_names}
    assert OPERATIONS.keys() == names
    assert OPERATIONS["ScanSbom"].service == "inspector-scan"
    assert {operation.service for name, operation in OPERATIONS.items() if name != "ScanSbom"} == {"inspector2"}


def test_every_operation_is_answered_or_declined_in_writing():
    offer = discover(folder)
    assert offer.answered.keys() | offer.declined.keys() == all_operations().keys()
    assert not offer.answered.keys() & offer.declined.keys()
    assert all(len(reason) > 10 for reason in offer.declined.values())


def test_every_expression_of_the_models_can_be_said_in_python():
    patterns = {
        shape.pattern
        for operation in OPERATIONS.values()
        for structure in (operation.input, operation.output, *(e.structure for e in operation.errors.values()))
        for shape in below(structure)
        if isinstance(shape, Text) and shape.pattern
    }
    assert len(patterns) > 40
    assert [pattern for pattern in patterns if compiled(pattern) is None] == []


def test_statuses_and_errors_come_from_the_model():
    assert OPERATIONS["StartOnDemandScan"].status == 202
    assert OPERATIONS["Enable"].status == 200
    errors = OPERATIONS["CreateFilter"].errors
    assert {code: shape.status for code, shape in errors.items()} == {
        "AccessDeniedException": 403,
        "BadRequestException": 400,
        "ConflictException": 409,
        "InternalServerException": 500,
        "ResourceNotFoundException": 404,
        "ServiceQuotaExceededException": 402,
        "ThrottlingException": 429,
        "ValidationException": 400,
    }
    assert "AccessDeniedException" not in OPERATIONS["ListFindings"].modelled
    assert "AccessDeniedException" in OPERATIONS["CreateFilter"].modelled


def test_moments_of_connectors_are_text_and_an_sbom_is_any_json():
    item = OPERATIONS["ListOnDemandScans"].output.members["items"].shape
    assert isinstance(item, ListOf)
    assert isinstance(item.element, Structure)
    started = item.element.members["startedAt"].shape
    assert isinstance(started, Timestamp)
    assert started.format == "iso8601"
    assert isinstance(OPERATIONS["ScanSbom"].input.members["sbom"].shape, Document)


def test_machine_images_can_be_enabled_though_the_sdks_do_not_list_them():
    types = OPERATIONS["Enable"].input.members["resourceTypes"].shape
    assert isinstance(types, ListOf)
    assert isinstance(types.element, Text)
    assert types.element.choices[-1] == "MACHINE_IMAGE"


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"A": {"type": "structure", "members": {"a": {"shape": "A"}}}}, "A contains itself"),
        ({"A": {"type": "structure", "members": {}, "payload": "a"}}, "A has a payload of its own"),
        ({"A": {"type": "structure", "members": {"a": {"shape": "B", "location": "headers"}}}, "B": {}}, "A.a travels"),
        ({"A": {"type": "structure", "members": {"a": {"shape": "B", "jsonvalue": True}}}, "B": {}}, "A.a travels"),
        ({"A": {"type": "bigDecimal"}}, "A is of an unknown type, bigDecimal"),
        ({"A": {"type": "timestamp", "timestampFormat": "rfc822"}}, "A is a moment in a form unknown"),
        ({"A": {"type": "string"}}, "A is no structure"),
        (
            {"A": {"type": "map", "key": {"shape": "B"}, "value": {"shape": "B"}}, "B": {"type": "integer"}},
            "A has keys that are no strings",
        ),
    ],
)
def test_what_a_model_may_not_hold_is_refused_at_start(shapes, message):
    with pytest.raises(PluginError, match=message):
        _Shapes(shapes).structure("A")
