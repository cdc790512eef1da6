"""Access keys: their form, and what is kept of them."""

import base64
import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from openinspector.errors import StoreError
from openinspector.store.keys import make_key, resealed, secret_of
from openinspector.store.sealing import Sealer

NOW = datetime(2026, 1, 31, 4, tzinfo=UTC)
SEALER = Sealer([b"k" * 32])


def test_an_id_and_a_secret_look_as_clients_expect():
    made = [make_key(SEALER, "123456789012", "reader", NOW) for _ in range(50)]
    assert len({new.key.id for new in made}) == len({new.secret for new in made}) == 50
    for new in made:
        assert re.fullmatch(r"OIAK[A-Z2-7]{16}", new.key.id)
        assert len(new.secret) == 40 and len(base64.b64decode(new.secret, validate=True)) == 30


def test_the_secret_is_kept_sealed_only():
    new = make_key(SEALER, "123456789012", "admin", NOW, note="CI")
    assert new.secret.encode() not in msgspec.msgpack.encode(new.key)
    assert new.secret not in repr(new)
    assert secret_of(SEALER, new.key) == new.secret.encode()
    assert (new.key.account, new.key.role, new.key.note) == ("123456789012", "admin", "CI")
    assert new.key.created_at == "2026-01-31T04:00:00.000000Z"


def test_a_secret_moved_to_another_key_or_account_does_not_open():
    one, other = (make_key(SEALER, account, "admin", NOW).key for account in ("111111111111", "222222222222"))
    for swapped in (
        msgspec.structs.replace(other, sealed_secret=one.sealed_secret),
        msgspec.structs.replace(one, account="222222222222"),
        msgspec.structs.replace(one, id=other.id),
    ):
        with pytest.raises(StoreError):
            secret_of(SEALER, swapped)


def test_a_key_lives_until_it_expires_or_is_disabled():
    forever = make_key(SEALER, "123456789012", "admin", NOW).key
    assert forever.is_live("2999-01-01T00:00:00.000000Z")
    assert not msgspec.structs.replace(forever, disabled_at="2026-01-31T04:00:00.000000Z").is_live("2026")
    brief = make_key(SEALER, "123456789012", "admin", NOW, lifetime=timedelta(hours=1)).key
    assert brief.is_live("2026-01-31T04:59:59.999999Z")
    assert not brief.is_live("2026-01-31T05:00:00.000000Z")


def test_a_secret_is_sealed_anew_with_the_newest_key():
    new = make_key(SEALER, "123456789012", "admin", NOW)
    both = Sealer([b"k" * 32, b"n" * 32])
    again = msgspec.structs.replace(new.key, sealed_secret=resealed(both, new.key))
    assert both.is_current(again.sealed_secret) and not both.is_current(new.key.sealed_secret)
    assert secret_of(Sealer([b"n" * 32]), again) == new.secret.encode()
