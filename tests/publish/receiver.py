"""A web server on loopback that takes events, or doesn't."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """`answer` is asked for each request, with its headers and body: a status, and headers.

    `taken` are the headers (names in lower case) and bodies of what was answered with 2xx, in order; `asked` of all.
    """

    def __init__(self, answer=lambda headers, body: (204, {})):
        self.answer = answer
        self.asked = []
        self.taken = []
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, more = receiver.answer(headers, body)
                with receiver._lock:
                    receiver.asked.append((self.path, headers, body))
                    if 200 <= status < 300:
                        receiver.taken.append((headers, body))
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self.send_response(status)
                    for name, value in more.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def handle(self):
                with contextlib.suppress(ConnectionResetError):
                    super().handle()

            def log_message(self, *_):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/hook?token=dontshow"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def ids(self):
        """The ids of the events that were taken, in order."""
        return [headers["webhook-id"] for headers, _ in self.taken]

    @property
    def events(self):
        return [json.loads(body) for _, body in self.taken]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
