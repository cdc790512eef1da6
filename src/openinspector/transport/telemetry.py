"""Traces by OpenTelemetry, where a setting asks for them; otherwise nothing of it is imported and nothing costs.

    start_traces("http://collector:4318")                     # or OTEL_EXPORTER_OTLP_ENDPOINT
    with span("ListFindings", headers) as told:
        told(status=200)

Names and attributes follow OpenTelemetry's semantic conventions where they have one. Nothing of a request's content is
told.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from openinspector.errors import UsageError

ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_ENDPOINTS: Final = (ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

Tell = Callable[..., None]
"""Adds attributes to a span, by name: `told(status=200)`."""


class _Traces:
    """The tracer of this process; None where there are no traces."""

    tracer: Any = None
    provider: Any = None


def start_traces(endpoint: str = "", service: str = "openinspector") -> bool:
    """Begins to send traces to a collector (OTLP over HTTP), at its base address; whether there are any.

    "" takes what OpenTelemetry's own variables name.

    Raises:
        UsageError: Traces are asked for, and the libraries for them aren't installed.
    """
    if not endpoint and not any(os.environ.get(name) for name in _ENDPOINTS):
        return False
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise UsageError("traces are asked for, and need: pip install 'openinspector[traces]'") from error
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces") if endpoint else OTLPSpanExporter()
    _Traces.provider = TracerProvider(resource=Resource.create({"service.name": service}))
    _Traces.provider.add_span_processor(BatchSpanProcessor(exporter))
    _Traces.tracer = _Traces.provider.get_tracer("openinspector")
    return True


def stop_traces() -> None:
    """Sends what hasn't been sent yet, and ends."""
    if _Traces.provider is not None:
        _Traces.provider.shutdown()
    _Traces.tracer = _Traces.provider = None


@contextmanager
def span(name: str, headers: Mapping[str, str] | None = None) -> Iterator[Tell]:
    """A span around what is done in it; `headers` may name its parent (`traceparent`)."""
    if _Traces.tracer is None:
        yield _tell_nobody
        return
    from opentelemetry.trace import SpanKind, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    parent = TraceContextTextMapPropagator().extract(headers) if headers else None
    kind = SpanKind.INTERNAL if headers is None else SpanKind.SERVER
    with _Traces.tracer.start_as_current_span(name, context=parent, kind=kind) as current:

        def tell(**attributes: Any) -> None:
            for key, value in attributes.items():
                if key == "error":
                    if value:
                        current.set_status(Status(StatusCode.ERROR, str(value)[:300]))
                    continue
                current.set_attribute(key.replace("__", "."), value)

        yield tell


def _tell_nobody(**_attributes: Any) -> None:
    """Where there are no traces."""
