"""A small registry on loopback: the pull half of the distribution protocol, and the ways in which one can lie."""

import base64
import contextlib
import gzip
import hashlib
import io
import json
import ssl
import tarfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
USER, PASSWORD = "ann", "pass:word"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar_of(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


class RegistryServer:
    """Holds blobs and manifests; `asks` is how it wants a client to sign in: "", "basic" or "bearer"."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[str, bytes]] = {}
        self.asks = ""
        self.anonymous_tokens = True
        self.token = "token-1"
        self.realm = ""  # of the token challenge; "" is this server's own
        self.requests: list[tuple[str, dict[str, str]]] = []  # path, headers with lower-case names
        self.special: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}  # path -> who answers in place of us
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.answer(self)

            def do_POST(self) -> None:
                server.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        if tls is not None:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self.host = f"127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> "RegistryServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def paths(self, part: str = "") -> list[str]:
        return [path for path, _ in self.requests if part in path]

    def add_blob(self, data: bytes) -> str:
        self.blobs[digest_of(data)] = data
        return digest_of(data)

    def add_manifest(self, document: dict[str, Any], tag: str = "", kind: str = MANIFEST) -> dict[str, Any]:
        data = json.dumps({"schemaVersion": 2, "mediaType": kind, **document}).encode()
        self.manifests[digest_of(data)] = (kind, data)
        if tag:
            self.manifests[tag] = (kind, data)
        return {"mediaType": kind, "digest": digest_of(data), "size": len(data)}

    def add_image(
        self,
        layers: list[bytes],
        tag: str = "",
        architecture: str = "amd64",
        diff_ids: list[str] | None = None,
        pack: Callable[[bytes], bytes] = gzip.compress,
    ) -> dict[str, Any]:
        """Store an image of plain tar layers; gives its descriptor, and the layers' under `layers`."""
        config = {
            "architecture": architecture,
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": diff_ids or [digest_of(each) for each in layers]},
            "history": [{"created_by": f"COPY {at}"} for at in range(len(layers))],
        }
        data = json.dumps(config).encode()
        packed = [pack(each) for each in layers]
        described = [{"mediaType": "x", "digest": self.add_blob(each), "size": len(each)} for each in packed]
        document = {
            "config": {"mediaType": "x", "digest": self.add_blob(data), "size": len(data)},
            "layers": described,
        }
        return {**self.add_manifest(document, tag), "described": described, "config": digest_of(data)}

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        self.requests.append((handler.path, {name.lower(): value for name, value in handler.headers.items()}))
        if handler.path in self.special:
            self.special[handler.path](handler)
            return
        sent = handler.headers.get("Authorization", "")
        if url.path == "/token":
            self._token(handler, url.query, sent)
            return
        if (self.asks == "basic" and sent != BASIC) or (self.asks == "bearer" and sent != f"Bearer {self.token}"):
            realm = self.realm or f"http://{self.host}/token"
            challenge = 'Basic realm="here"' if self.asks == "basic" else f'Bearer realm="{realm}",service="test"'
            send(handler, 401, b"{}", {"WWW-Authenticate": challenge})
            return
        _, _, rest = url.path.partition("/v2/team/app/")
        kind, _, which = rest.partition("/")
        if kind == "blobs" and which in self.blobs:
            send(handler, 200, self.blobs[which])
        elif kind == "manifests" and which in self.manifests:
            media_type, data = self.manifests[which]
            send(handler, 200, data, {"Content-Type": media_type, "Docker-Content-Digest": digest_of(data)})
        else:
            send(handler, 404, b'{"errors": [{"code": "NAME_UNKNOWN", "message": "never heard of it"}]}')

    def _token(self, handler: BaseHTTPRequestHandler, query: str, sent: str) -> None:
        if handler.command == "POST":
            form = parse_qs(handler.rfile.read(int(handler.headers["Content-Length"])).decode())
            allowed = form.get("refresh_token") == ["identity"] and form.get("grant_type") == ["refresh_token"]
        else:
            form = parse_qs(query)
            allowed = sent == BASIC or (self.anonymous_tokens and not sent)
        if not allowed or form.get("scope") != ["repository:team/app:pull"] or form.get("service") != ["test"]:
            send(handler, 401, b'{"errors": [{"code": "UNAUTHORIZED", "message": "who are you"}]}')
            return
        send(handler, 200, json.dumps({"token": self.token}).encode())


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def redirect(location: str) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: send(handler, 307, b"", {"Location": location})


def truncated(data: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    """Promises all, sends half and hangs up."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        send(handler, 200, data[: len(data) // 2], {"Content-Length": str(len(data))})

    return answer


def dripping(data: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    """Sends a few bytes now and then, for as long as somebody listens."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        send(handler, 200, data[:600], {"Content-Length": str(len(data))})
        with contextlib.suppress(OSError):
            for at in range(600, len(data), 10):
                time.sleep(0.05)
                handler.wfile.write(data[at : at + 10])

    return answer


def failing(times: int, status: int, headers: dict[str, str], data: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    """Fails some times before it gives the data."""
    left = [times]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        left[0] -= 1
        if left[0] >= 0:
            send(handler, status, b"", headers)
        else:
            send(handler, 200, data)

    return answer
