"""An output or an error becomes status, headers and body, as the model has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from openinspector.api.errors import METHOD_NOT_ALLOWED, NOT_FOUND, ApiError, NoSuchOperation
from openinspector.api.model import Operation
from openinspector.api.serialize import serialize


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. `error` is the code that it carries, "" for none."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    error: str = ""


def success(operation: Operation, output: Mapping[str, Any]) -> Answer:
    """A handler's output.

    Raises:
        OutputError: The model has no place for it.
    """
    headers, body = serialize(operation.output, output)
    return Answer(operation.status, headers, body)


def failure(error: ApiError, operation: Operation | None) -> Answer:
    """An error. Where the service's model has it, the model gives status and members; of what is said, those count."""
    kind = ("x-amzn-errortype", error.code)
    shape = operation.errors.get(error.code) if operation is not None else None
    if shape is not None:
        known = {name: value for name, value in error.members().items() if name in shape.structure.members}
        headers, body = serialize(shape.structure, known)
        return Answer(shape.status, (kind, *headers), body, error.code)
    body = msgspec.json.encode({"message": error.message})
    if not isinstance(error, NoSuchOperation):
        return Answer(error.status, (kind,), body, error.code)
    if error.allow:
        return Answer(METHOD_NOT_ALLOWED, (kind, ("allow", ", ".join(error.allow))), body, error.code)
    return Answer(NOT_FOUND, (kind,), body, error.code)
