"""Where something may be handed in, and who signs."""

import pytest

from openinspector.errors import RefusedError, UsageError
from openinspector.transport.hand_in import check_endpoint, hand_in


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("https://inspector.example", "https://inspector.example"),
        ("https://inspector.example:8443/behind/", "https://inspector.example:8443/behind"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_address_is_taken(given, taken):
    assert check_endpoint(given, plain_http=False) == taken


def test_another_machine_is_spoken_to_in_the_clear_only_when_told_to():
    assert check_endpoint("http://inspector:8080", plain_http=True) == "http://inspector:8080"
    with pytest.raises(UsageError, match="--plain-http"):
        check_endpoint("http://inspector:8080", plain_http=False)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "inspector.example",
        "ftp://x",
        "https://",
        "https://x:y",
        "https://u:p@x",
        "https://x?q",
        "https://x#f",
        "https://[x",
    ],
)
def test_what_is_no_address_is_refused(given):
    with pytest.raises(UsageError, match="is no address"):
        check_endpoint(given, plain_http=True)


def test_who_does_not_answer_is_asked_again_with_longer_and_longer_pauses(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "OIAKX")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    pauses = []
    with pytest.raises(RefusedError, match="does not answer.*tried 5 times"):
        hand_in("http://127.0.0.1:1", "us-east-1", b"{}", pause=pauses.append)
    assert pauses == [1, 2, 4, 8]


def test_a_profile_that_is_not_there_is_told(monkeypatch):
    with pytest.raises(UsageError, match="nobody"):
        hand_in("http://127.0.0.1:1", "us-east-1", b"{}", profile="nobody")
