"""Temporary credentials: whom they are for, how long, and that nobody else makes them."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openinspector.api.sessions import issue, read_token
from openinspector.errors import UsageError
from openinspector.store.keys import make_key
from openinspector.store.sealing import Sealer

NOW = datetime(2026, 1, 31, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
SEALER = Sealer([b"k" * 32])
ADMIN = make_key(SEALER, "123456789012", "admin", NOW).key
READER = make_key(SEALER, "123456789012", "reader", NOW).key


def test_a_token_says_who_and_until_when():
    issued = issue(SEALER, ADMIN, "reader", NOW, HOUR)
    session = read_token(SEALER, issued.session_token)
    assert (session.id, session.secret, session.expires_at) == (
        issued.access_key_id,
        issued.secret_access_key,
        issued.expires_at,
    )
    assert (session.account, session.role, session.key_id) == ("123456789012", "reader", ADMIN.id)
    assert session.expires_at == "2026-01-31T05:00:00.000000Z"
    assert session.id.startswith("OISK") and len(session.secret) == 40


def test_secrets_are_not_shown_by_accident():
    issued = issue(SEALER, ADMIN, "admin", NOW, HOUR)
    session = read_token(SEALER, issued.session_token)
    assert issued.secret_access_key not in repr(issued) + repr(session)
    assert issued.session_token not in repr(issued)
    assert issued.secret_access_key.encode() not in base64.urlsafe_b64decode(issued.session_token + "==")


@pytest.mark.parametrize("duration", [timedelta(minutes=14), timedelta(hours=37), timedelta(0), -HOUR])
def test_a_session_lasts_from_a_quarter_of_an_hour_to_a_day_and_a_half(duration):
    with pytest.raises(UsageError):
        issue(SEALER, ADMIN, "admin", NOW, duration)


def test_a_session_is_never_more_than_its_key():
    assert issue(SEALER, READER, "reader", NOW, HOUR)
    for role in ("admin", "ingest"):
        with pytest.raises(UsageError):
            issue(SEALER, READER, role, NOW, HOUR)


def test_a_session_ends_with_its_key():
    key = make_key(SEALER, "123456789012", "admin", NOW, lifetime=timedelta(minutes=30)).key
    assert issue(SEALER, key, "admin", NOW, HOUR).expires_at == key.expires_at
    with pytest.raises(UsageError):
        issue(SEALER, key, "admin", NOW + HOUR, HOUR)


@given(st.text(max_size=100))
def test_what_is_no_token_is_nobodys(text):
    assert read_token(SEALER, text) is None


def test_tokens_of_others_and_damaged_ones_are_nobodys():
    token = issue(SEALER, ADMIN, "admin", NOW, HOUR).session_token
    assert read_token(Sealer([b"x" * 32]), token) is None
    for other in (token[:-8], token[4:], token + "=AAAA", token + "AAAA", token.swapcase(), "x" * 5000, "ü" * 80):
        assert read_token(SEALER, other) is None
    # A sealed secret is no token, although it is sealed with the same key.
    assert read_token(SEALER, base64.urlsafe_b64encode(ADMIN.sealed_secret).decode()) is None
