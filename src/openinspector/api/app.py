"""The service as an ASGI application: Inspector's operations, reports, `/healthz` and `/readyz` for whoever runs it.

A body is read to its operation's limit and no further, and all bodies in flight together have a budget. One that isn't
small, or that is much work, is read when its caller has been looked at: strangers are refused, and one account has half
of the budget at most, and half of the threads for such work. That has threads of its own, so nobody else waits for it.
"""

import asyncio
from collections import Counter
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
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from openinspector.api.answer import Answer
from openinspector.api.cis_reports import cis_report_route
from openinspector.api.context import Request
from openinspector.api.errors import ApiError, Throttled, ValidationFailed
from openinspector.api.model import Operation
from openinspector.api.own_operations import INGEST
from openinspector.api.parse import MEBIBYTE, body_limit
from openinspector.api.service import Service
from openinspector.api.status import Ready, health_routes

THREADS: Final = 32  # requests that are worked on at a time
BODIES: Final = 256 * MEBIBYTE  # bytes of all bodies in flight
HEAVY: Final = frozenset({"ScanSbom", INGEST})  # whose documents are read by children (`pipeline/confined.py`)
SMALL: Final = 64 << 10  # bytes of a body that is read without asking whose it is: connections hold as many anyway
_LONGEST_LENGTH: Final = 12  # digits of a Content-Length
BODY_SECONDS: Final = 30.0  # a body that takes longer to arrive is given up
DRAIN_SECONDS: Final = 5.0  # that a stranger's body is read for and dropped: who is cut off may miss the answer


def create_app(service: Service, ready: Ready, *, threads: int = THREADS) -> ASGIApp:
    """The application. `ready` is asked by `/readyz`."""
    routes = [*health_routes(ready), cis_report_route(service.circumstances)]
    app = Starlette(routes=[*routes, Mount("/", _Operations(service, threads))])

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_ambiguous(scope):
            said = "The request says in two ways how long it is: Content-Length and Transfer-Encoding.\n"
            await PlainTextResponse(said, 400, {"connection": "close"})(scope, receive, send)
        else:
            await app(scope, receive, send)

    return answered


def _is_ambiguous(scope: Scope) -> bool:
    """Whether somebody on the way may take another part of the stream for the body (RFC 9112, 6.3)."""
    names = {name for name, _ in scope["headers"]}
    return b"content-length" in names and b"transfer-encoding" in names


class _Budget:
    """How many bytes of body may yet be in flight. Safe to use from several threads."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._most_of_one = most // 2
        self._held: dict[str, int] = {}  # bytes by account
        self._lock = Lock()

    @contextmanager
    def claim(self) -> Iterator["_Claim"]:
        """What bytes are taken by, again and again; all are given back at the end."""
        claim = _Claim(self)
        try:
            yield claim
        finally:
            self._give(claim.account, claim.taken)

    def take(self, account: str, count: int) -> None:
        """Takes bytes, for an account where it is known.

        Raises:
            Throttled: There are none left, or none for this account.
        """
        with self._lock:
            held = self._held.get(account, 0) + count
            if count > self._free or (account and held > self._most_of_one):
                raise Throttled("Too many requests are being received. Try again.")
            self._free -= count
            self._held[account] = held

    def _give(self, account: str, count: int) -> None:
        with self._lock:
            self._free += count
            held = self._held.pop(account, 0) - count
            if held:
                self._held[account] = held


class _Claim:
    """What one request has taken of the budget. Used by one thread at a time."""

    def __init__(self, budget: _Budget) -> None:
        self._budget = budget
        self.account = ""  # set before anything is taken
        self.taken = 0

    def __call__(self, count: int) -> None:
        """Takes bytes. Raises as `_Budget.take` does."""
        self._budget.take(self.account, count)
        self.taken += count


class _Operations:
    """Everything that is an operation, or claims to be."""

    def __init__(self, service: Service, threads: int) -> None:
        self._service = service
        self._limiter = CapacityLimiter(threads)
        self._heavy = CapacityLimiter(threads)
        self._most_of_one = max(1, threads // 2)
        self._turns: dict[str, CapacityLimiter] = {}  # of accounts with heavy requests
        self._heavy_requests = Counter[str]()  # of these
        self._budget = _Budget(BODIES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        http = HttpRequest(scope, receive)
        request_id = str(uuid4())
        try:
            with self._budget.claim() as claim:
                answer = await self._answer(http, request_id, claim)
        except ClientDisconnect:
            return
        await _response(answer, request_id)(scope, receive, send)

    async def _answer(self, http: HttpRequest, request_id: str, claim: _Claim) -> Answer:
        path = http.scope["raw_path"].decode("latin-1")
        client = http.client.host if http.client else ""
        operation: Operation | None = None
        try:
            route = self._service.route(http.method, path)
            operation = route.operation
            _check_length(http, body_limit(operation))
            request = Request(
                operation=operation,
                labels=route.labels,
                method=http.method,
                path=path,
                query=http.scope["query_string"].decode("latin-1"),
                headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in http.headers.raw),
                body=b"",
                request_id=request_id,
                client=client,
                scheme=http.url.scheme,
                claim=claim,
            )
            heavy = operation.name in HEAVY
            if heavy or not _is_small(http):
                claim.account = await self._admit(http, request)
            request = replace(request, body=await _body(http, body_limit(operation), claim))
        except ApiError as error:
            answer = self._service.refuse(error, operation, request_id=request_id, client=client)
            # Whatever of the body is still to come is not waited for.
            return replace(answer, headers=(*answer.headers, ("connection", "close")))
        if heavy:
            return await self._in_turn(claim.account, request)
        return await to_thread.run_sync(self._service.answer, request, limiter=self._limiter)

    async def _in_turn(self, account: str, request: Request) -> Answer:
        """The answer to what is much work: an account has so many threads, and its others wait without one."""
        turns = self._turns.setdefault(account, CapacityLimiter(self._most_of_one))
        self._heavy_requests[account] += 1
        try:
            async with turns:
                return await to_thread.run_sync(self._service.answer, request, limiter=self._heavy)
        finally:
            self._heavy_requests[account] -= 1
            if not self._heavy_requests[account]:
                del self._turns[account], self._heavy_requests[account]

    async def _admit(self, http: HttpRequest, request: Request) -> str:
        """Whose account a request is said to be of.

        Raises:
            NotAuthenticated: Nobody whose body is worth reading. It was dropped.
        """
        try:
            return await to_thread.run_sync(self._service.admit, request, limiter=self._limiter)
        except ApiError:
            if http.headers.get("expect") is None:  # who asks first doesn't send it
                await _dropped(http, body_limit(request.operation))
            raise


def _check_length(http: HttpRequest, limit: int) -> None:
    declared = http.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > _LONGEST_LENGTH or int(declared) > limit):
        raise _too_long(limit)


def _is_small(http: HttpRequest) -> bool:
    """Whether there will be a few bytes at most."""
    if "transfer-encoding" in http.headers:
        return False
    declared = http.headers.get("content-length", "0")
    return declared.isdecimal() and int(declared) <= SMALL


async def _dropped(http: HttpRequest, limit: int) -> None:
    """Reads what a body has, and keeps nothing of it."""
    size = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            async for chunk in http.stream():
                size += len(chunk)
                if size > limit:
                    return
    except TimeoutError:
        return


async def _body(http: HttpRequest, limit: int, take: Callable[[int], None]) -> bytes:
    """A request's whole body.

    Raises:
        ValidationFailed: It is longer than its operation allows, or takes too long to arrive.
        Throttled: All bodies together are too many.
    """
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in http.stream():
                size += len(chunk)
                if size > limit:
                    raise _too_long(limit)
                take(len(chunk))
                chunks.append(chunk)
    except TimeoutError as error:
        raise ValidationFailed("The body of the request did not arrive in time.", reason="CANNOT_PARSE") from error
    return b"".join(chunks)


def _too_long(limit: int) -> ValidationFailed:
    return ValidationFailed(f"The body of the request is longer than {limit} bytes.", reason="CANNOT_PARSE")


def _response(answer: Answer, request_id: str) -> Response:
    response = Response(answer.body, answer.status, media_type="application/json")
    response.headers["x-amzn-requestid"] = request_id
    for name, value in answer.headers:
        response.headers[name] = value
    return response
