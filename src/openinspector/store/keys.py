"""Access keys: how one is made, what keeps them, how a secret is had back.

An id is `OIAK` (a lasting key) or `OISK` (a session) and 16 random characters; a secret is 40 characters of base64, as
clients of AWS expect. A secret is shown once, when it is made, and kept sealed.
"""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from msgspec import Struct

from openinspector.model.access import AccessKey, Role
from openinspector.model.moment import moment_text
from openinspector.model.resource import AccountId
from openinspector.store.sealing import Sealer

KEY_PREFIX: Final = "OIAK"
SESSION_PREFIX: Final = "OISK"
USE_NOTED_EVERY: Final = timedelta(minutes=15)  # last use is that exact, so that reading writes little

_BELONGS_TO: Final = "access key"


class NewKey(Struct, frozen=True, kw_only=True):
    """A key with its secret, for the one time that it is shown."""

    key: AccessKey
    secret: str

    def __repr__(self) -> str:
        return f"NewKey(key={self.key!r})"  # never a secret in a log


class KeyRing(Protocol):
    """Where access keys are kept. Implementations build keys with `make_key` and store them whole."""

    def create(
        self, account: AccountId, role: Role, now: datetime, *, lifetime: timedelta | None = None, note: str = ""
    ) -> NewKey:
        """A new key of an account, kept."""
        ...

    def lookup(self, key_id: str) -> AccessKey | None:
        """A key by its id, whether it is live or not. Takes as long for an id that does not exist."""
        ...

    def of_account(self, account: AccountId) -> Sequence[AccessKey]:
        """Every key of an account, oldest first."""
        ...

    def disable(self, key_id: str, now: datetime) -> bool:
        """Ends a key for good; False where there is none. One that was ended before keeps its time."""
        ...

    def used(self, key_id: str, now: datetime) -> None:
        """Notes that a key signed a request. Called once in `USE_NOTED_EVERY` or so, not at every request."""
        ...

    def reseal(self, key_id: str, was: bytes, sealed: bytes) -> bool:
        """Puts a secret sealed anew in the place of `was`; False where another process was first."""
        ...


def make_key(
    sealer: Sealer, account: AccountId, role: Role, now: datetime, *, lifetime: timedelta | None = None, note: str = ""
) -> NewKey:
    """A new key, kept by nobody yet. `now` has a time zone."""
    key_id, secret = new_id(KEY_PREFIX), new_secret()
    key = AccessKey(
        id=key_id,
        account=account,
        role=role,
        sealed_secret=sealer.seal(secret.encode(), _BELONGS_TO, key_id, account),
        created_at=moment_text(now),
        expires_at="" if lifetime is None else moment_text(now + lifetime),
        note=note,
    )
    return NewKey(key=key, secret=secret)


def secret_of(sealer: Sealer, key: AccessKey) -> bytes:
    """The secret of a key.

    Raises:
        StoreError: It does not open: another sealing key, a damaged row, a row of somebody else's.
    """
    return sealer.open(key.sealed_secret, _BELONGS_TO, key.id, key.account)


def resealed(sealer: Sealer, key: AccessKey) -> bytes:
    """The secret of a key, sealed with the newest sealing key.

    Raises:
        StoreError: It does not open.
    """
    return sealer.seal(secret_of(sealer, key), _BELONGS_TO, key.id, key.account)


def new_id(prefix: str) -> str:
    """An id of a key: its prefix and 80 random bits in base32."""
    return prefix + base64.b32encode(secrets.token_bytes(10)).decode()


def new_secret() -> str:
    """40 characters that nobody guesses: 240 random bits in base64."""
    return base64.b64encode(secrets.token_bytes(30)).decode()
