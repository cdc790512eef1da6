"""Who opens a connection and asks for nothing, or takes no answer, is not kept waiting for."""

import contextlib
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


@pytest.mark.parametrize("framing", [b"Content-Length: 1000000000", b"Transfer-Encoding: chunked"])
def test_a_body_that_was_answered_without_it_is_not_waited_for_however_slowly_it_comes(framing, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    with serving() as address, socket.create_connection(address, 60) as stranger:
        stranger.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n")
        answer = b""
        while b'"ok"' not in answer:
            answer += stranger.recv(4096)
        with pytest.raises(OSError):
            for _ in range(1500):
                stranger.sendall(b"1\r\nx\r\n")
                time.sleep(0.02)


def test_one_whose_end_comes_late_leaves_the_connection_to_the_next_request(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 30.0)
    with serving() as address, socket.create_connection(address, 60) as client:
        for _ in range(2):
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n")
            answer = b""
            while b'"ok"' not in answer:
                answer += client.recv(4096)
            client.sendall(b"abc")


def test_who_asks_and_does_not_read_is_cut_off(monkeypatch):
    monkeypatch.setattr(connections, "READ_SECONDS", 0.2)
    with serving() as address, socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stranger.settimeout(30)  # and then it is no ConnectionError
        stranger.connect(address)
        with pytest.raises(ConnectionError):
            while True:
                stranger.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)


def exchanged(sent):
    """Everything that a server says to this, until it closes the connection."""
    with serving() as address, socket.create_connection(address, 60) as client:
        answer = b""
        with contextlib.suppress(ConnectionError):  # it is closed, whatever is still on its way
            client.sendall(sent)
            while piece := client.recv(65536):
                answer += piece
    return answer


NEXT = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "refused",
    [
        b"POST /findings/list HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n",
        b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n",
        b"POST /findings/list HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n",
        b"POST /findings/list HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /findings/list HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"POST /findings/list HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n",
        b"POST /findings/list HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
        b"POST /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_follows_a_refused_request_is_never_taken_for_another(refused):
    answer = exchanged(refused + NEXT)
    if len(refused) < 1000:  # else nobody waits for the end of what is refused, and the answer may be lost on its way
        assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501"))
    assert answer.count(b"HTTP/1.1") <= 1
    assert b'"ok"' not in answer
