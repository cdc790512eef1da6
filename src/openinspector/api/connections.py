"""Connections of the API: one on which nothing comes, or from which nothing is taken, is not kept open for its holder.

uvicorn closes a connection that is silent after an answer, but waits for ever for a request's first line and headers,
for the rest of a body that was answered without it, and for a client to read; so a stranger with a few thousand
sockets, of which it need not know anything, could take all that a process may have. Bodies are waited for by
`api/app.py`.
"""

import asyncio
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS: Final = 20.0  # that a request's first line and headers may take, from the connection's or their beginning
READ_SECONDS: Final = 60.0  # that a client may take to read what fills a socket's buffers


class PromptConnection(H11Protocol):
    """HTTP/1.1, closed where a request's head, the end of an answered one, or its reader takes too long."""

    _ends: asyncio.TimerHandle | None = None
    _aborts: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Waits for a first request (asyncio)."""
        super().connection_made(transport)  # type: ignore[arg-type]  # a server's are of this kind
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Takes what comes (asyncio)."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE or self._is_answered:
            self._wait()
        else:
            self._wait_no_more()

    def on_response_complete(self) -> None:
        """Goes on with what comes next (uvicorn)."""
        super().on_response_complete()
        if self._is_answered:
            self._wait()

    def pause_writing(self) -> None:
        """Waits for the client to read (asyncio)."""
        super().pause_writing()
        if self._aborts is None:
            self._aborts = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read (asyncio)."""
        super().resume_writing()
        self._abort_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends (asyncio)."""
        self._wait_no_more()
        self._abort_no_more()
        super().connection_lost(exc)

    @property
    def _is_answered(self) -> bool:
        """Whether a request has its answer, though its body isn't over."""
        return self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY

    def _wait(self) -> None:
        if self._ends is None:
            self._ends = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None

    def _abort_no_more(self) -> None:
        if self._aborts is not None:
            self._aborts.cancel()
            self._aborts = None
