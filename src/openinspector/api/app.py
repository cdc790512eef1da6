"""The service as an ASGI application: Inspector's operations, reports, `/healthz` and `/readyz` for whoever runs it.

A body is read to its operation's limit and no further, and all bodies in flight together have a budget, so that no
number of callers fills the memory before anybody has looked at their signatures.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Final
from uuid import uuid4

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from openinspector.api.answer import Answer
from openinspector.api.cis_reports import cis_report_route
from openinspector.api.context import Request
from openinspector.api.errors import ApiError, Throttled, ValidationFailed
from openinspector.api.model import Operation
from openinspector.api.parse import MEBIBYTE, body_limit
from openinspector.api.service import Service
from openinspector.api.status import Ready, health_routes

THREADS: Final = 32  # requests that are worked on at a time
BODIES: Final = 256 * MEBIBYTE  # bytes of all bodies in flight
_LONGEST_LENGTH: Final = 12  # digits of a Content-Length
BODY_SECONDS: Final = 30.0  # a body that takes longer to arrive is given up


def create_app(service: Service, ready: Ready, *, threads: int = THREADS) -> ASGIApp:
    """The application. `ready` is asked by `/readyz`."""
    routes = [*health_routes(ready), cis_report_route(service.circumstances)]
    return Starlette(routes=[*routes, Mount("/", _Operations(service, threads))])


class _Budget:
    """How many bytes of body may yet be in flight. Safe to use from several threads."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._lock = Lock()

    @contextmanager
    def claim(self) -> Iterator[Callable[[int], None]]:
        """Takes bytes, again and again; all are given back at the end.

        Raises:
            Throttled: There are none left.
        """
        taken = 0

        def take(count: int) -> None:
            nonlocal taken
            with self._lock:
                if count > self._free:
                    raise Throttled("Too many requests are being received. Try again.")
                self._free -= count
                taken += count

        try:
            yield take
        finally:
            with self._lock:
                self._free += taken


class _Operations:
    """Everything that is an operation, or claims to be."""

    def __init__(self, service: Service, threads: int) -> None:
        self._service = service
        self._limiter = CapacityLimiter(threads)
        self._budget = _Budget(BODIES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        http = HttpRequest(scope, receive)
        request_id = str(uuid4())
        try:
            with self._budget.claim() as take:
                answer = await self._answer(http, request_id, take)
        except ClientDisconnect:
            return
        await _response(answer, request_id)(scope, receive, send)

    async def _answer(self, http: HttpRequest, request_id: str, take: Callable[[int], None]) -> Answer:
        path = http.scope["raw_path"].decode("latin-1")
        client = http.client.host if http.client else ""
        operation: Operation | None = None
        try:
            route = self._service.route(http.method, path)
            operation = route.operation
            body = await _body(http, body_limit(operation), take)
        except ApiError as error:
            answer = self._service.refuse(error, operation, request_id=request_id, client=client)
            # Whatever of the body is still to come is not waited for.
            return replace(answer, headers=(*answer.headers, ("connection", "close")))
        request = Request(
            operation=operation,
            labels=route.labels,
            method=http.method,
            path=path,
            query=http.scope["query_string"].decode("latin-1"),
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in http.headers.raw),
            body=body,
            request_id=request_id,
            client=client,
            scheme=http.url.scheme,
            claim=take,
        )
        return await to_thread.run_sync(self._service.answer, request, limiter=self._limiter)


async def _body(http: HttpRequest, limit: int, take: Callable[[int], None]) -> bytes:
    """A request's whole body.

    Raises:
        ValidationFailed: It is longer than its operation allows, or takes too long to arrive.
        Throttled: All bodies together are too many.
    """
    too_long = ValidationFailed(f"The body of the request is longer than {limit} bytes.", reason="CANNOT_PARSE")
    declared = http.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > _LONGEST_LENGTH or int(declared) > limit):
        raise too_long
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in http.stream():
                size += len(chunk)
                if size > limit:
                    raise too_long
                take(len(chunk))
                chunks.append(chunk)
    except TimeoutError as error:
        raise ValidationFailed("The body of the request did not arrive in time.", reason="CANNOT_PARSE") from error
    return b"".join(chunks)


def _response(answer: Answer, request_id: str) -> Response:
    response = Response(answer.body, answer.status, media_type="application/json")
    response.headers["x-amzn-requestid"] = request_id
    for name, value in answer.headers:
        response.headers[name] = value
    return response
