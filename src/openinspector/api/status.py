"""What a process tells whoever runs it, on a port of its own: that it lives, that it is ready, and its metrics.

No signature is asked for here, and the metrics name accounts' numbers of resources: the port is for the inside.
"""

import asyncio
from collections.abc import Callable

from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from openinspector.api.metrics import CONTENT_TYPE, Metrics

Ready = Callable[[], str]
"""Why the process can't do its work now, or "". Runs in a thread."""


def create_status_app(ready: Ready, metrics: Metrics) -> ASGIApp:
    """The application: `/healthz`, `/readyz`, `/metrics`."""

    async def measured(_request: Request) -> Response:
        return Response(await to_thread.run_sync(metrics.text), headers={"content-type": CONTENT_TYPE})

    return Starlette(routes=[*health_routes(ready), Route("/metrics", measured)])


def health_routes(ready: Ready) -> list[Route]:
    """`/healthz` and `/readyz`.

    Anybody may ask: `ready` is asked by one at a time, and whoever comes meanwhile gets that answer.
    """
    asked: asyncio.Task[str] | None = None

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        nonlocal asked
        if asked is None or asked.done():
            asked = asyncio.create_task(to_thread.run_sync(ready))
        reason = await asyncio.shield(asked)
        return JSONResponse({"status": reason or "ok"}, status_code=503 if reason else 200)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]
