"""botocore's own idea of what goes over the wire, to hold ours against."""

import json
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import create_request_object, prepare_request_dict
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.session import Session

from openinspector.api.answer import Answer
from openinspector.api.model import Operation, operations
from openinspector.api.parse import parse
from openinspector.api.router import Router

OPERATIONS = sorted(operations().values(), key=lambda operation: operation.name)
ROUTER = Router(OPERATIONS)


@cache
def service_model(service: str) -> ServiceModel:
    return Session().get_service_model(service)


def operation_model(operation: Operation) -> OperationModel:
    return service_model(operation.service).operation_model(operation.name)


def sent(operation: Operation, params: dict[str, Any]) -> Any:
    """The HTTP request that a client would send, without its signature."""
    request = create_serializer("rest-json", include_validation=False).serialize_to_request(
        params, operation_model(operation)
    )
    prepare_request_dict(request, endpoint_url="http://127.0.0.1:1", user_agent="tests")
    return create_request_object(request).prepare()


def received(method: str, url: str, headers: Any, body: bytes) -> tuple[Operation, dict[str, Any]]:
    """What our side makes of a request."""
    parts = urlsplit(url)
    route = ROUTER.route(method, parts.path)
    pairs = tuple(
        (name.lower(), value.decode() if isinstance(value, bytes) else value) for name, value in headers.items()
    )
    given = parse(route.operation, labels=route.labels, query=parts.query, headers=pairs, body=body or b"")
    return route.operation, opened(given)


def opened(given: dict[str, Any]) -> dict[str, Any]:
    """What a handler gets, its documents read."""
    return {name: json.loads(bytes(value)) if isinstance(value, memoryview) else value for name, value in given.items()}


def understood(operation: Operation, answer: Answer) -> dict[str, Any]:
    """What a client makes of an answer."""
    model = operation_model(operation)
    response = {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.body}
    parsed: dict[str, Any] = create_parser("rest-json").parse(response, model.output_shape)
    return parsed
