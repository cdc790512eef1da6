"""An HTTP method and path become an operation and its labels.

Source: Smithy's HTTP bindings: a label is one segment of the path, percent-encoded, so an ARN's slashes come as `%2F`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from openinspector.api.errors import NoSuchOperation, ValidationFailed
from openinspector.api.model import Operation
from openinspector.errors import PluginError


@dataclass(frozen=True, slots=True)
class Route:
    """An operation, and what its path says: `{"resourceArn": "arn:aws:…"}`."""

    operation: Operation
    labels: Mapping[str, str] = field(default_factory=dict)


class Router:
    """Where every operation lives. Built once."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._plain: dict[str, dict[str, Operation]] = {}  # path → method → operation
        self._templates: dict[tuple[str, ...], dict[str, Operation]] = {}  # segments → method → operation
        for operation in operations:
            if "{" not in operation.path:
                methods = self._plain.setdefault(operation.path, {})
            elif "+}" in operation.path or "?" in operation.path:
                raise PluginError(f"{operation.name} lives at {operation.path}, a kind of path unknown to us")
            else:
                methods = self._templates.setdefault(tuple(operation.path.split("/")), {})
            if operation.method in methods:
                raise PluginError(f"{operation.name} lives at {operation.method} {operation.path}, as another does")
            methods[operation.method] = operation

    def route(self, method: str, path: str) -> Route:
        """The operation of a request. `path` is as sent, not decoded, without the query.

        Raises:
            NoSuchOperation: None lives there, or none by this method.
            ValidationFailed: A label is not UTF-8.
        """
        labels: dict[str, str] = {}
        methods = self._plain.get(path)
        if methods is None:
            methods, labels = self._by_template(path.split("/"))
        if not methods:
            raise NoSuchOperation("No operation of Amazon Inspector lives at this path.")
        if method not in methods:
            allow = tuple(sorted(methods))
            raise NoSuchOperation(f"The operation at this path goes by {' or '.join(allow)}.", allow=allow)
        return Route(methods[method], {name: _decoded(name, value) for name, value in labels.items()})

    def _by_template(self, given: list[str]) -> tuple[dict[str, Operation], dict[str, str]]:
        for segments, methods in self._templates.items():
            if len(segments) == len(given):
                labels: dict[str, str] = {}
                for segment, value in zip(segments, given, strict=True):
                    if segment.startswith("{") and value:
                        labels[segment[1:-1]] = value
                    elif segment != value:
                        break
                else:
                    return methods, labels
        return {}, {}


def _decoded(name: str, value: str) -> str:
    try:
        return unquote_to_bytes(value).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValidationFailed(f"The path's {name} is not UTF-8.", reason="CANNOT_PARSE") from error
