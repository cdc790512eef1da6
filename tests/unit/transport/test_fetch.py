"""One document from a real server: conditional, resumed, bounded, verified."""

import hashlib
import time

import pytest
from tests.edge.document_server import DocumentServer

from openinspector.errors import FeedError
from openinspector.transport import fetch as module
from openinspector.transport.fetch import Budget, Got, Missing, Wanted, fetch
from openinspector.transport.http import Client

DATA = bytes(range(256)) * 1000
OTHER = DATA[::-1]


@pytest.fixture
def server():
    with DocumentServer() as running:
        running.documents["/doc"] = DATA
        yield running


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setattr(module, "_PAUSE", 0.0)
    with Client(FeedError, pause=lambda _: None) as made:
        yield made


@pytest.fixture
def wanted(server, tmp_path):
    def make(**more):
        return Wanted(
            url=f"{server.url}/doc", target=tmp_path / "in" / "doc", partial=tmp_path / "part" / "doc", **more
        )

    return make


def sha(data):
    return hashlib.sha256(data).hexdigest()


def once(monkeypatch):
    """One attempt only, as if the program had been ended after it."""
    monkeypatch.setattr(module, "_ATTEMPTS", 1)


def test_a_document_is_fetched_whole(server, client, wanted):
    got = fetch(client, wanted(), Budget(60))
    assert isinstance(got, Got)
    assert got.fresh
    assert (got.fingerprint.size, got.fingerprint.sha256) == (len(DATA), sha(DATA))
    assert wanted().target.read_bytes() == DATA
    assert list(wanted().partial.parent.iterdir()) == []


@pytest.mark.parametrize("validator", ["no_etags", "no_dates"])
def test_an_unchanged_one_is_not_sent_again(server, client, wanted, validator):
    setattr(server, validator, True)
    first = fetch(client, wanted(), Budget(60))
    again = fetch(client, wanted(known=first.fingerprint), Budget(60))
    assert server.statuses_of("/doc") == [200, 304]
    assert not again.fresh
    assert again.fingerprint == first.fingerprint


def test_the_same_bytes_without_validators_are_not_fresh(server, client, wanted):
    server.no_etags = server.no_dates = True
    first = fetch(client, wanted(), Budget(60))
    before = wanted().target.stat().st_mtime_ns
    again = fetch(client, wanted(known=first.fingerprint), Budget(60))
    assert server.statuses_of("/doc") == [200, 200]
    assert not again.fresh
    assert wanted().target.stat().st_mtime_ns == before


@pytest.mark.parametrize("validator", ["no_etags", "no_dates"])
def test_a_broken_transfer_is_gone_on_with(server, client, wanted, monkeypatch, validator):
    setattr(server, validator, True)
    server.breaks["/doc"] = 100_000
    once(monkeypatch)
    with pytest.raises(FeedError, match="bytes are kept to go on from"):
        fetch(client, wanted(), Budget(60))
    assert not wanted().target.exists()
    kept = wanted().partial.stat().st_size
    assert 0 < kept <= 100_000
    assert fetch(client, wanted(), Budget(60)).fresh
    assert server.statuses_of("/doc") == [200, 206]
    assert server.headers_of("/doc")["range"] == f"bytes={kept}-"
    assert wanted().target.read_bytes() == DATA


def test_a_broken_transfer_is_gone_on_with_at_once(server, client, wanted):
    server.breaks["/doc"] = 100_000
    assert fetch(client, wanted(), Budget(60)).fresh
    assert server.statuses_of("/doc") == [200, 206]
    assert wanted().target.read_bytes() == DATA


def test_a_document_that_changed_meanwhile_is_fetched_anew(server, client, wanted, monkeypatch):
    server.breaks["/doc"] = 100_000
    with monkeypatch.context() as patch:
        once(patch)
        with pytest.raises(FeedError):
            fetch(client, wanted(), Budget(60))
    server.documents["/doc"] = OTHER
    assert fetch(client, wanted(), Budget(60)).fresh
    assert server.statuses_of("/doc") == [200, 200]
    assert wanted().target.read_bytes() == OTHER


def test_without_a_validator_nothing_is_kept_of_a_broken_transfer(server, client, wanted, monkeypatch):
    server.no_etags = server.no_dates = True
    server.breaks["/doc"] = 100_000
    once(monkeypatch)
    with pytest.raises(FeedError):
        fetch(client, wanted(), Budget(60))
    assert list(wanted().partial.parent.iterdir()) == []


def test_a_digest_that_is_vouched_for_takes_the_place_of_a_validator(server, client, wanted, monkeypatch):
    server.no_etags = server.no_dates = True
    server.breaks["/doc"] = 100_000
    vouched = wanted(size=len(DATA), sha256=sha(DATA))
    assert fetch(client, vouched, Budget(60)).fresh
    assert server.statuses_of("/doc") == [200, 206]
    assert vouched.target.read_bytes() == DATA


@pytest.mark.parametrize(
    ("vouched", "reason"),
    [
        ({"sha256": sha(OTHER)}, "not what was vouched for"),
        ({"size": len(DATA) + 1}, "vouched for"),
        ({"largest": len(DATA) - 1}, "more than the .* that are allowed"),
    ],
)
def test_what_is_not_as_it_should_be_takes_no_place(server, client, wanted, vouched, reason):
    wanted().target.parent.mkdir()
    wanted().target.write_bytes(b"before")
    with pytest.raises(FeedError, match=reason):
        fetch(client, wanted(**vouched), Budget(60))
    assert wanted().target.read_bytes() == b"before"
    assert list(wanted().partial.parent.iterdir()) == []


def test_a_kept_part_of_other_bytes_is_found_out(server, client, wanted, monkeypatch):
    server.breaks["/doc"] = 100_000
    vouched = wanted(size=len(DATA), sha256=sha(DATA))
    with monkeypatch.context() as patch:
        once(patch)
        with pytest.raises(FeedError):
            fetch(client, vouched, Budget(60))
    vouched.partial.write_bytes(b"x" * vouched.partial.stat().st_size)
    with pytest.raises(FeedError, match="not what was vouched for"):
        fetch(client, vouched, Budget(60))
    assert fetch(client, vouched, Budget(60)).fresh
    assert vouched.target.read_bytes() == DATA


def test_a_missing_document_is_a_value(server, client, wanted):
    del server.documents["/doc"]
    got = fetch(client, wanted(), Budget(60))
    assert isinstance(got, Missing)
    assert "404" in got.reason


def test_another_status_is_an_error(server, client, wanted):
    server.statuses["/doc"] = 401
    with pytest.raises(FeedError, match="answers 401"):
        fetch(client, wanted(), Budget(60))


def test_a_redirect_to_a_metadata_address_is_refused(server, client, wanted):
    server.redirects["/doc"] = "http://169.254.169.254/latest/meta-data/"
    with pytest.raises(FeedError, match=r"plain HTTP is not allowed|metadata address"):
        fetch(client, wanted(), Budget(60))
    with (
        Client(FeedError, lambda _: True, pause=lambda _: None) as careless,
        pytest.raises(FeedError, match="metadata address"),
    ):
        fetch(careless, wanted(), Budget(60))


def test_the_time_of_all_is_bounded(server, client, wanted):
    with pytest.raises(FeedError, match="are over"):
        fetch(client, wanted(), Budget(0))
    assert not wanted().target.exists()


def test_who_stops_is_not_kept_waiting(server, client, wanted):
    budget = Budget(60)
    budget.stop()
    began = time.monotonic()
    budget.pause(60)
    assert time.monotonic() - began < 30
    with pytest.raises(FeedError, match="stopped"):
        fetch(client, wanted(), budget)


def test_a_host_that_is_down_is_not_asked_for_ever(tmp_path):
    with Client(FeedError, pause=lambda _: None, patience=1) as impatient:
        for expected in ("tried 4 times", "not asked again"):
            wanted = Wanted(url="http://127.0.0.1:9/doc", target=tmp_path / "doc", partial=tmp_path / "part")
            with pytest.raises(FeedError, match=expected):
                fetch(impatient, wanted, Budget(60))
