"""Traces: none without a setting, and with one what a collector gets."""

import gzip
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from openinspector.transport.telemetry import span, start_traces, stop_traces

TRACE = "0af7651916cd43dd8448eb211c80319c"


@contextmanager
def collector():
    """A collector's address, and the spans that it has got."""
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            told = ExportTraceServiceRequest.FromString(body)
            got.extend(each for kind in told.resource_spans for scope in kind.scope_spans for each in scope.spans)
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", got
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def silent(monkeypatch):
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", raising=False)
    yield
    stop_traces()


def test_without_a_setting_there_are_no_traces():
    assert start_traces() is False
    with span("ListFindings", {}) as told:
        told(status=200)


def test_a_span_reaches_the_collector_with_its_parent_and_what_was_told():
    with collector() as (address, got):
        assert start_traces(address)
        headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        with span("ListFindings", headers) as told:
            told(rpc__method="ListFindings", http__response__status_code=400, error="ValidationException")
        with span("chore sweep") as told:
            told(done=3, error="")
        stop_traces()
    by_name = {each.name: each for each in got}
    request, chore = by_name["ListFindings"], by_name["chore sweep"]
    assert request.trace_id.hex() == TRACE
    assert request.kind == request.SPAN_KIND_SERVER
    assert {each.key: each.value.string_value or each.value.int_value for each in request.attributes} == {
        "rpc.method": "ListFindings",
        "http.response.status_code": 400,
    }
    assert (request.status.code, request.status.message) == (request.status.STATUS_CODE_ERROR, "ValidationException")
    assert chore.kind == chore.SPAN_KIND_INTERNAL
    assert chore.status.code == chore.status.STATUS_CODE_UNSET


def test_the_standard_variable_names_the_collector_too(monkeypatch):
    with collector() as (address, got):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        assert start_traces()
        with span("chore sweep"):
            pass
        stop_traces()
    assert [each.name for each in got] == ["chore sweep"]


@pytest.mark.parametrize("parent", ["", "00-zz", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "x" * 10_000])
def test_a_parent_that_makes_no_sense_is_none(parent):
    with collector() as (address, got):
        assert start_traces(address)
        with span("ListFindings", {"traceparent": parent}):
            pass
        stop_traces()
    assert not got[0].parent_span_id
