"""Connections of the API: one on which no request comes is not kept open for whoever holds it.

uvicorn closes a connection that is silent after an answer, but waits for ever for a request's first line and headers;
so a stranger with a few thousand sockets, of which it need not know anything, could take all that a process may have.
Bodies are waited for by `api/app.py`.
"""

import asyncio
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS: Final = 20.0  # that a request's first line and headers may take, from the connection's or their beginning


class PromptConnection(H11Protocol):
    """HTTP/1.1, closed where a request's head takes too long."""

    _ends: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Waits for a first request (asyncio)."""
        super().connection_made(transport)  # type: ignore[arg-type]  # a server's are of this kind
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Takes what comes (asyncio)."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._wait_no_more()
        elif self._ends is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends (asyncio)."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._ends = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None
