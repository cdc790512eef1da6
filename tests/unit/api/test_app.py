"""The HTTP side, without a socket: paths, bodies, health, and what nobody foresaw."""

import asyncio
import json
import logging
import threading

import httpx
import pytest
from tests.unit.api.server import service_of

from openinspector.api import app as app_module
from openinspector.api.app import create_app
from openinspector.api.errors import AccessDenied, NotAuthenticated, Throttled

ANSWERS = {"ListFindings": lambda _context, _given: {"findings": []}}


def ask(method, path, *, handlers=None, ready=lambda: "", service=None, **more) -> httpx.Response:
    """One request to an application made for it."""

    async def go():
        app = create_app(service or service_of(ANSWERS if handlers is None else handlers), ready)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inspector") as client:
            return await client.request(method, path, **more)

    return asyncio.run(go())


def test_an_answer_has_a_request_id_of_its_own():
    one, other = ask("POST", "/findings/list", json={}), ask("POST", "/findings/list", json={})
    assert (one.status_code, one.json()) == (200, {"findings": []})
    assert one.headers["content-type"] == "application/json"
    assert len(one.headers["x-amzn-requestid"]) == 36
    assert one.headers["x-amzn-requestid"] != other.headers["x-amzn-requestid"]


def test_a_path_that_nothing_lives_at():
    answer = ask("POST", "/nothing/here", json={})
    assert answer.status_code == 404
    assert answer.headers["x-amzn-errortype"] == "UnknownOperationException"
    assert "message" in answer.json()
    assert "x-amzn-requestid" in answer.headers


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PATCH", "BREW"])
def test_a_method_that_a_path_does_not_know(method):
    answer = ask(method, "/findings/list")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.headers["x-amzn-errortype"] == "UnknownOperationException"


def test_health_asks_nobody_and_readiness_asks_the_service():
    assert ask("GET", "/healthz").json() == {"status": "ok"}
    assert ask("GET", "/readyz").json() == {"status": "ok"}
    answer = ask("GET", "/readyz", ready=lambda: "the database is not there")
    assert (answer.status_code, answer.json()) == (503, {"status": "the database is not there"})


def test_readiness_is_looked_at_once_for_all_who_ask_meanwhile():
    asked, free = [], threading.Event()

    def ready():
        asked.append(1)
        assert free.wait(60)
        return ""

    async def go():
        app = create_app(service_of(ANSWERS), ready)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inspector") as client:
            many = [asyncio.create_task(client.get("/readyz")) for _ in range(100)]
            while not asked:
                await asyncio.sleep(0.001)
            many[0].cancel()  # who leaves takes nothing away from the others
            free.set()
            told = await asyncio.gather(*many[1:])
            return [each.status_code for each in told], (await client.get("/readyz")).status_code

    assert asyncio.run(go()) == ([200] * 99, 200)
    assert len(asked) == 2


def test_nobody_is_told_what_went_wrong_inside(caplog):
    def broken(_context, _given):
        raise RuntimeError("password is hunter2")

    with caplog.at_level(logging.INFO, "openinspector.api"):
        answer = ask("POST", "/findings/list", json={}, handlers={"ListFindings": broken})
    assert answer.status_code == 500
    assert answer.headers["x-amzn-errortype"] == "InternalServerException"
    assert "hunter2" not in answer.text
    assert answer.headers["x-amzn-requestid"] in answer.json()["message"]
    assert "hunter2" in caplog.text
    assert [record.message for record in caplog.records] == ["unforeseen", "request"]


@pytest.mark.parametrize(
    "output",
    [{"finding": []}, {"findings": [{"title": 7}]}, None, {"findings": [{"title": "\ud800"}]}, {"findings": [{}]}],
)
def test_an_output_that_the_model_has_no_place_for_is_our_fault(output):
    answer = ask("POST", "/findings/list", json={}, handlers={"ListFindings": lambda _context, _given: output})
    assert answer.status_code == 500
    assert answer.json().keys() == {"message"}


@pytest.mark.parametrize("error", [AccessDenied("\ud800"), Throttled("Slower.", retry_after=1.5)])
def test_an_error_that_can_not_be_said_is_our_fault(error, caplog):
    caplog.set_level(logging.CRITICAL, "openinspector.api")  # a test's report can't hold half a surrogate pair either

    def handle(_context, _given):
        raise error

    answer = ask("POST", "/findings/list", json={}, handlers={"ListFindings": handle})
    assert answer.status_code == 500
    assert "internal error" in answer.json()["message"]


def test_the_scanner_gives_a_reason_even_for_what_nobody_foresaw():
    answer = ask("POST", "/scan/sbom", json={"sbom": {}}, handlers={"ScanSbom": lambda _context, _given: 1 / 0})
    assert answer.status_code == 500
    assert answer.json()["reason"] == "OTHER"


def test_who_is_asked_before_what():
    class Nobody:
        def authenticate(self, request):
            assert request.operation.name == "ListFindings"
            raise AccessDenied("Not you.")

    answer = ask("POST", "/findings/list", content=b"{broken", service=service_of(ANSWERS, Nobody()))
    assert (answer.status_code, answer.json()) == (403, {"message": "Not you."})


def test_a_signature_sees_what_was_sent():
    seen = []

    class Reader:
        def authenticate(self, request):
            seen.append(request)
            raise AccessDenied("No.")

    ask(
        "DELETE",
        "/tags/arn%3Aaws%3a%2Fx?tagKeys=a%20b&tagKeys=c+d",
        headers=[("X-Amz-Date", "20240515T211108Z"), ("X-Twice", "1"), ("x-twice", "2")],
        service=service_of({}, Reader()),
    )
    (request,) = seen
    assert request.path == "/tags/arn%3Aaws%3a%2Fx"
    assert request.query == "tagKeys=a%20b&tagKeys=c+d"
    assert request.labels == {"resourceArn": "arn:aws:/x"}
    assert request.header("x-amz-date") == "20240515T211108Z"
    assert request.header("x-none") is None
    assert [value for name, value in request.headers if name == "x-twice"] == ["1", "2"]
    assert request.body == b""


def test_throttling_says_how_long_to_wait():
    class Full:
        def authenticate(self, _request):
            raise Throttled("Slower.", retry_after=9)

    answer = ask("POST", "/findings/list", json={}, service=service_of(ANSWERS, Full()))
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "9"
    assert answer.json() == {"message": "Slower."}


# Bodies


async def endless(count):
    for _ in range(count):
        yield b" " * 65536


def test_a_body_is_read_to_its_limit_and_no_further(caplog):
    with caplog.at_level(logging.INFO, "openinspector.api"):
        answer = ask("POST", "/findings/list", content=endless(1000), headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.headers["connection"] == "close"
    assert answer.json()["reason"] == "CANNOT_PARSE"
    assert caplog.records[-1].request["error"] == "ValidationException"


@pytest.mark.parametrize("length", ["1048577", "9" * 5000])
def test_a_body_that_announces_too_much_is_not_read(length):
    answer = ask("POST", "/findings/list", content=b"{}", headers={"content-length": length})
    assert answer.json()["reason"] == "CANNOT_PARSE"


@pytest.mark.parametrize("length", ["-1", "x", "", "٣"])
def test_an_announcement_that_is_no_number_announces_nothing(length):
    headers = [(b"content-length", length.encode()), (b"content-type", b"application/json")]
    assert ask("POST", "/findings/list", content=b"{}", headers=headers).status_code == 200


def nobody(request):
    """Whom the service doesn't know; it looks before there is a body."""
    assert request.body == b""
    raise NotAuthenticated("UnrecognizedClientException", "Who are you?")


LARGE = str(app_module.SMALL + 1).encode()


@pytest.mark.parametrize("announced", [[(b"content-length", LARGE)], [(b"transfer-encoding", b"chunked")]])
def test_a_strangers_body_is_not_kept(announced, monkeypatch):
    monkeypatch.setattr(app_module, "BODIES", 10)  # bytes: each that is kept would be one too many
    service = service_of(ANSWERS, admit=nobody)
    left = 40

    async def receive():
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": b" " * 1000, "more_body": left > 0}

    start, _ = drive(receive, announced, service)
    assert (start["status"], dict(start["headers"])[b"connection"]) == (403, b"close")
    assert left == 0  # but read to its end, so that the answer arrives


def test_a_stranger_who_asks_first_is_answered_at_once():
    async def never():
        raise AssertionError("who asked whether to send its body hasn't sent it")

    headers = [(b"content-length", LARGE), (b"expect", b"100-continue")]
    start, _ = drive(never, headers, service_of(ANSWERS, admit=nobody))
    assert start["status"] == 403


def test_a_strangers_body_that_does_not_come_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(app_module, "DRAIN_SECONDS", 0.05)

    async def never():
        await asyncio.Event().wait()

    start, _ = drive(never, [(b"content-length", LARGE)], service_of(ANSWERS, admit=nobody))
    assert start["status"] == 403


def test_a_small_body_is_read_without_asking():
    service = service_of(ANSWERS, admit=nobody)
    assert ask("POST", "/findings/list", json={}, service=service).status_code == 200


def test_what_goes_wrong_when_the_key_is_looked_up_is_told_to_the_log_alone(caplog):
    def broken(_request):
        raise RuntimeError("password is hunter2")

    with caplog.at_level(logging.INFO, "openinspector.api"):
        answer = ask("POST", "/findings/list", content=endless(2), service=service_of(ANSWERS, admit=broken))
    assert (answer.status_code, "hunter2" in answer.text, "hunter2" in caplog.text) == (500, False, True)


def test_an_account_has_half_of_the_budget_at_most():
    budget = app_module._Budget(100)
    with budget.claim() as one, budget.claim() as two, budget.claim() as other, budget.claim() as unknown:
        one.account = two.account = "1"
        other.account = "2"
        one(30)
        two(20)
        with pytest.raises(Throttled):
            two(1)
        other(20)
        unknown(30)
        with pytest.raises(Throttled):
            other(1)
    with budget.claim() as one, budget.claim() as other:  # all is given back
        one.account, other.account = "1", "2"
        one(50)
        other(50)
    assert budget._held == {}


def test_much_work_of_one_account_keeps_neither_others_nor_other_work_waiting():
    """Of four threads an account has two; what is asked for while they are busy is answered."""
    busy, free = threading.Semaphore(0), threading.Event()

    def scan(_context, given):
        if given["sbom"] == b"slow":
            busy.release()
            assert free.wait(60)
        return {"sbom": {}}

    def who(request):
        return request.header("x-account")

    async def go():
        handlers = {**ANSWERS, "ScanSbom": lambda context, given: scan(context, {"sbom": bytes(given["sbom"])[1:-1]})}
        app = create_app(service_of(handlers, admit=who), lambda: "", threads=4)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inspector") as client:

            def scanned(account, word):
                return client.post("/scan/sbom", json={"sbom": word}, headers={"x-account": account})

            slow = [asyncio.create_task(scanned("1", "slow")) for _ in range(12)]
            for _ in range(2):
                await asyncio.to_thread(busy.acquire)
            try:
                assert (await scanned("2", "quick")).status_code == 200
                assert (await client.post("/findings/list", json={})).status_code == 200
                assert not busy.acquire(blocking=False)
            finally:
                free.set()
            return [(await each).status_code for each in slow]

    assert asyncio.run(go()) == [200] * 12


def drive(receive, headers=(), service=None) -> list[dict]:
    """What is sent in answer to a request whose body comes from `receive`."""
    sent = []
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/findings/list",
        "raw_path": b"/findings/list",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": list(headers),
        "client": None,
        "server": ("inspector", 80),
    }

    async def send(message):
        sent.append(message)

    asyncio.run(create_app(service or service_of(ANSWERS), lambda: "")(scope, receive, send))
    return sent


def test_a_body_that_does_not_arrive_is_given_up(monkeypatch):
    monkeypatch.setattr(app_module, "BODY_SECONDS", 0.01)

    async def receive():
        await asyncio.sleep(60)

    start, body = drive(receive)
    assert start["status"] == 400
    assert b"did not arrive in time" in body["body"]


def test_a_caller_who_goes_away_is_sent_nothing():
    async def receive():
        return {"type": "http.disconnect"}

    assert drive(receive) == []


def test_all_bodies_together_have_a_budget(monkeypatch):
    monkeypatch.setattr(app_module, "BODIES", 5)
    held, free = threading.Event(), threading.Event()

    def wait(_context, _given):
        held.set()
        free.wait(10)
        return {"findings": []}

    async def go():
        app = create_app(service_of({"ListFindings": wait}), lambda: "")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inspector") as client:
            first = asyncio.create_task(client.post("/findings/list", json={}))
            await asyncio.to_thread(held.wait, 10)
            second = await client.post("/findings/list", content=b'{"a":1}')
            free.set()
            return [await first, second, await client.post("/findings/list", json={})]

    answers = asyncio.run(go())
    assert [answer.status_code for answer in answers] == [200, 429, 200]


# The log


def test_a_request_is_one_line_that_says_who_and_how_but_not_what(caplog):
    with caplog.at_level(logging.INFO, "openinspector.api"):
        answer = ask("POST", "/findings/list", json={"nextToken": ""})
    (record,) = caplog.records
    assert record.message == "request"
    milliseconds = record.request.pop("milliseconds")
    assert milliseconds > 0
    assert record.request == {
        "request_id": answer.headers["x-amzn-requestid"],
        "operation": "ListFindings",
        "client": "127.0.0.1",
        "status": 200,
        "error": "",
        "bytes_out": len(answer.content),
        "account_id": "111122223333",
        "key_id": "AKIATEST",
        "bytes_in": len(json.dumps({"nextToken": ""}, separators=(",", ":"))),
    }


def test_a_request_to_nowhere_is_logged_too(caplog):
    with caplog.at_level(logging.INFO, "openinspector.api"):
        ask("GET", "/.env")
    (record,) = caplog.records
    assert record.request["error"] == "UnknownOperationException"
    assert record.request["operation"] == ""


def test_operations_that_botocore_does_not_know_yet_are_noted(caplog):
    with caplog.at_level(logging.WARNING, "openinspector.api"):
        service_of({"FindEverything": lambda _context, _given: {}})
    assert caplog.records[0].operations == ["FindEverything"]
