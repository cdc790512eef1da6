"""Who opens a connection and asks for nothing is not kept waiting for."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn
from tests.unit.api.server import service_of

from openinspector.api import connections
from openinspector.api.app import create_app


@contextmanager
def serving(wait=60.0):
    """The address of a server whose connections are these."""
    config = uvicorn.Config(
        create_app(service_of({"ListFindings": lambda _context, _given: {"findings": []}}), lambda: ""),
        port=0,
        log_config=None,
        ws="none",
        http=connections.PromptConnection,
        timeout_keep_alive=wait,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        yield server.servers[0].sockets[0].getsockname()
    finally:
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("begun", [b"", b"POST /findings/list HT", b"POST / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n"])
def test_a_head_that_does_not_come_closes_the_connection(begun, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)
    with serving() as address, socket.create_connection(address, 60) as stranger:
        stranger.sendall(begun)
        assert stranger.recv(1) == b""


def test_neither_does_one_that_comes_a_letter_at_a_time(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)
    with serving() as address, socket.create_connection(address, 60) as stranger:
        stranger.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ")
        with pytest.raises(OSError):
            while True:
                stranger.sendall(b"x")
                time.sleep(0.005)


def test_a_second_head_has_as_long_and_a_body_is_another_matter(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1.0)
    head = b"POST /findings/list HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    with serving() as address, socket.create_connection(address, 60) as client:
        for _ in range(2):
            client.sendall(head)
            time.sleep(1.3)  # longer than a head may take
            client.sendall(b"{}")
            answer = b""
            while b'"findings"' not in answer:
                answer += client.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200")
        client.sendall(head[:20])
        assert client.recv(1) == b""
