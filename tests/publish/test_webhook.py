"""Events as POSTs to a server of our own."""

import base64
import hashlib
import hmac
import json
import logging
import socket
from threading import Event, Thread

import pytest
from tests.publish.messages import REGION, kinds, message
from tests.publish.receiver import Receiver

from openinspector.errors import PublishError, UsageError
from openinspector.pipeline.sinks import read_sinks
from openinspector.transport.aws import Endpoint

SECRET = "a secret of ours"


@pytest.fixture
def to():
    """Opens a sink: to(url, …settings)."""
    opened = []

    def make(url, **more):
        (sink,) = read_sinks([{"kind": "webhook", "name": "w", "url": url, **more}])
        opened.append(sink.kind.open(sink.settings, Endpoint(region=REGION)))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def answering(status, **headers):
    return Receiver(lambda *_: (status, {name.replace("_", "-"): value for name, value in headers.items()}))


def test_each_event_is_posted_as_it_is_under_its_id(to):
    told = [message(number) for number in (1, 2, 3)]
    with Receiver() as receiver:
        assert kinds(to(receiver.url).send(told)) == ["sent"] * 3
    assert receiver.ids == [each.id for each in told]
    for each, (headers, body) in zip(told, receiver.taken, strict=True):
        assert json.loads(body) == each.event
        assert headers["content-type"] == "application/json"
        assert headers["user-agent"].startswith("openinspector/")
        assert "webhook-signature" not in headers


@pytest.mark.parametrize("told", [SECRET, "whsec_" + base64.b64encode(SECRET.encode()).decode()])
def test_a_receiver_can_check_the_signature(to, tmp_path, told):
    key = tmp_path / "key"
    key.write_text(told + "\n")
    with Receiver() as receiver:
        list(to(receiver.url, secret_file=str(key)).send([message()]))
    ((headers, body),) = receiver.taken
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(SECRET.encode(), signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_secrets_come_from_the_environment_too(to, monkeypatch):
    monkeypatch.setenv("HOOK_KEY", SECRET)
    monkeypatch.setenv("HOOK_AUTHORIZATION", "Bearer abc")
    with Receiver() as receiver:
        list(to(receiver.url, secret_env="HOOK_KEY", authorization_env="HOOK_AUTHORIZATION").send([message()]))
    ((headers, _),) = receiver.taken
    assert headers["authorization"] == "Bearer abc"
    assert headers["webhook-signature"].startswith("v1,")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"secret_env": "THERE_IS_NONE"}, "secret_env = 'THERE_IS_NONE' names no secret"),
        ({"secret_file": "/nowhere/key"}, "secret_file = '/nowhere/key' can't be read: No such file"),
        ({"authorization_file": "/nowhere/key"}, "authorization_file = '/nowhere/key' can't be read"),
        ({"ca_file": "/nowhere/ca"}, "ca_file = '/nowhere/ca' holds no certificates"),
    ],
)
def test_a_secret_that_is_not_there_is_said(to, more, reason):
    with pytest.raises(PublishError, match=reason):
        to("http://127.0.0.1:9/", **more)


def test_a_secret_of_several_lines_is_no_header(to, tmp_path):
    key = tmp_path / "key"
    key.write_text("Bearer a\r\nX-Evil: 1")
    with pytest.raises(PublishError, match="no value of a header") as error:
        to("http://127.0.0.1:9/", authorization_file=str(key))
    assert "Evil" not in str(error.value)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_two_hundreds_mean_that_it_was_taken(to, status):
    with answering(status) as receiver:
        assert kinds(to(receiver.url).send([message()])) == ["sent"]


@pytest.mark.parametrize("status", [400, 409, 413, 415, 418, 422])
def test_what_a_receiver_will_never_take_is_refused(to, status):
    with answering(status) as receiver:
        assert kinds(to(receiver.url).send([message(1), message(2)])) == ["refused", "refused"]


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504])
def test_what_a_receiver_does_not_take_now_is_for_later(to, status):
    with answering(status) as receiver:
        assert kinds(to(receiver.url).send([message(1), message(2)])) == ["later", "later"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "wants other credentials"),
        (403, "does not let us in"),
        (404, "nothing at this address"),
        (405, "takes no POST"),
        (410, "gone for good"),
        (429, "sent too much"),
        (302, "isn't followed"),
    ],
)
def test_where_nothing_is_taken_nothing_more_is_sent(to, status, reason):
    with answering(status, Location="http://127.0.0.1:9/") as receiver:
        with pytest.raises(PublishError, match=f"the server answers {status}.*{reason}") as error:
            list(to(receiver.url).send([message(1), message(2)]))
        assert len(receiver.asked) == 1
    assert "dontshow" not in str(error.value)


def test_a_receiver_may_say_when_it_wants_more(to):
    with answering(503, Retry_After="77") as receiver, pytest.raises(PublishError) as error:
        list(to(receiver.url).send([message()]))
    assert error.value.seconds == 77


def test_what_is_gone_is_asked_again_in_an_hour(to):
    with answering(410) as receiver, pytest.raises(PublishError) as error:
        list(to(receiver.url).send([message()]))
    assert error.value.seconds == 3600


def test_what_was_taken_before_the_receiver_died_is_known(to):
    with Receiver() as receiver:
        outcomes = to(receiver.url, connections=1).send([message(1), message(2)])
        assert kinds([next(outcomes)]) == ["sent"]
        receiver.answer = lambda *_: (429, {})
        with pytest.raises(PublishError):
            next(outcomes)


def test_nobody_there_is_a_trouble_of_the_sink(to):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(PublishError, match="127.0.0.1"):
            list(to(f"http://127.0.0.1:{free.getsockname()[1]}/").send([message()]))


def test_a_receiver_that_does_not_answer_is_not_waited_for(to):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcomes = list(to(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout=0.2).send([message()]))
    assert kinds(outcomes) == ["later"]
    assert "no answer in time" in outcomes[0].reason


def test_a_long_answer_is_not_read_to_its_end(to):
    """The server would go on for ever."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sent = []

        def talk():
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 20)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
                try:
                    while True:
                        sent.append(connection.send(b"x" * 10_000))
                except OSError:
                    pass

        thread = Thread(target=talk)
        thread.start()
        assert kinds(to(f"http://127.0.0.1:{server.getsockname()[1]}/").send([message()])) == ["sent"]
        thread.join()
    assert sum(sent) < 100_000_000


def test_an_answer_that_comes_a_byte_at_a_time_is_not_waited_for(to):
    """The server would go on for ever, and never leave a pause in which a read could time out."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        cut = Event()

        def talk():
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 20)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
                try:
                    while not cut.wait(0.02):
                        connection.send(b"x")
                except OSError:
                    cut.set()

        thread = Thread(target=talk)
        thread.start()
        assert kinds(to(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout=0.3).send([message()])) == ["sent"]
        assert cut.wait(60)  # the connection was given up
        thread.join()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"url": "http://hooks.example/"}, "isn't encrypted"),
        ({"url": "ftp://hooks.example/"}, "should begin with https"),
        ({"url": "https://"}, "should begin with https"),
        ({"url": "https://user:hidden@hooks.example/"}, "holds a password"),
        ({"url": "https://h/", "secret_file": "/a", "secret_env": "B"}, "one will do"),
        ({"url": "https://h/", "connections": 0}, "connections is a number"),
        ({"url": "https://h/", "timeout": 31}, "timeout is a number"),
        ({"url": "https://h/", "secret": "hidden"}, "unknown field `secret`"),
        ({}, "missing required field `url`"),
    ],
)
def test_settings_that_make_no_sense_are_said_when_they_are_read(settings, reason):
    with pytest.raises(UsageError, match=reason) as error:
        read_sinks([{"kind": "webhook", "name": "w", **settings}])
    assert "hidden" not in str(error.value)


def test_the_service_logs_no_addresses(to, caplog, monkeypatch):
    from openinspector.cli import logs

    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    before = root.level
    try:
        logs.log_as_json()
        root.addHandler(caplog.handler)
        with Receiver() as receiver:
            list(to(receiver.url).send([message()]))
    finally:
        root.setLevel(before)
    assert "dontshow" not in caplog.text


def test_neither_logs_nor_reasons_have_more_of_the_address_than_the_host(to, caplog):
    told = []
    with answering(400) as refusing:
        sink = to(refusing.url.replace("/hook", "/T000/B000/dontshow"))
        told += [each.reason for each in sink.send([message()])]
    for receiver in (answering(404), answering(302, location="https://elsewhere.example/")):
        with receiver, pytest.raises(PublishError) as error:
            list(to(receiver.url.replace("/hook", "/dontshow")).send([message()]))
        told.append(str(error.value))
    with pytest.raises(PublishError) as error:
        list(to("http://127.0.0.1:1/dontshow").send([message()]))
    told.append(str(error.value))
    assert all(each.startswith("http://127.0.0.1:") for each in told)
    assert "dontshow" not in "".join(told) + caplog.text


def test_a_redirect_takes_neither_the_event_nor_the_credentials_along(to, monkeypatch):
    monkeypatch.setenv("HOOK_AUTHORIZATION", "Bearer abc")
    for status in (301, 302, 303, 307, 308):
        with Receiver() as elsewhere, answering(status, location=elsewhere.url) as receiver:
            with pytest.raises(PublishError, match="isn't followed"):
                list(to(receiver.url, authorization_env="HOOK_AUTHORIZATION").send([message()]))
            assert (len(receiver.asked), elsewhere.asked) == (1, [])
