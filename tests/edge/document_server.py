"""A small web server on loopback that serves documents as publishers do, and breaks off as networks do."""

import contextlib
import hashlib
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

LONG_AGO = 1_700_000_000


class DocumentServer:
    """`documents` are served with validators and ranges; what is set in the other dictionaries happens besides."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}
        self.breaks: dict[str, int] = {}  # path → after how many bytes the next transfer of it breaks off
        self.statuses: dict[str, int] = {}
        self.redirects: dict[str, str] = {}
        self.no_etags = False
        self.no_dates = False
        self.modified = LONG_AGO
        self.requests: list[tuple[str, dict[str, str], int]] = []  # path, headers in lower case, status
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    server.answer(self)

            def handle(self) -> None:
                with contextlib.suppress(ConnectionResetError):  # whoever has seen enough may go
                    super().handle()

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> "DocumentServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def statuses_of(self, path: str) -> list[int]:
        return [status for asked, _, status in self.requests if asked == path]

    def headers_of(self, path: str) -> dict[str, str]:
        return [headers for asked, headers, _ in self.requests if asked == path][-1]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = unquote(urlsplit(handler.path).path)
        asked = {name.lower(): value for name, value in handler.headers.items()}
        if path in self.redirects:
            return self._send(handler, path, asked, 302, {"Location": self.redirects[path]}, b"")
        if path in self.statuses or path not in self.documents:
            return self._send(handler, path, asked, self.statuses.get(path, 404), {}, b"nothing")
        data = self.documents[path]
        etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        modified = formatdate(self.modified, usegmt=True)
        headers = {}
        if not self.no_etags:
            headers["ETag"] = etag
        if not self.no_dates:
            headers["Last-Modified"] = modified
        unchanged = asked.get("if-none-match") == etag or (
            "if-none-match" not in asked and asked.get("if-modified-since") == modified
        )
        if headers and unchanged:
            return self._send(handler, path, asked, 304, headers, b"")
        status = 200
        if "range" in asked and asked.get("if-range", etag) in (etag, modified):
            first = int(asked["range"].removeprefix("bytes=").rstrip("-"))
            if first >= len(data):
                return self._send(handler, path, asked, 416, headers, b"")
            headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
            status, data = 206, data[first:]
        return self._send(handler, path, asked, status, headers, data)

    def _send(self, handler, path, asked, status, headers, data):
        self.requests.append((path, asked, status))
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        cut = self.breaks.pop(path, None)
        handler.wfile.write(data if cut is None else data[:cut])
        if cut is not None:
            handler.wfile.flush()
            handler.close_connection = True
            handler.connection.close()
