"""Temporary credentials: a key for some minutes or hours, whose token says all that the service has to know.

A token is the sealed statement of who the session is (model/access.py, Session), so nothing is stored and any process
of the service can read any other's. It opens only with the service's sealing keys; it ends with its time, or as soon
as the key that it was made of is disabled.

Source: AWS STS API reference, GetSessionToken (durations).
"""

import base64
import binascii
from datetime import datetime, timedelta
from typing import Final

import msgspec

from openinspector.errors import StoreError, UsageError
from openinspector.model.access import AccessKey, Role, Session
from openinspector.model.moment import moment_text
from openinspector.store.keys import SESSION_PREFIX, new_id, new_secret
from openinspector.store.sealing import Sealer

SHORTEST: Final = timedelta(minutes=15)
LONGEST: Final = timedelta(hours=36)
LARGEST_TOKEN: Final = 4096  # characters

_BELONGS_TO: Final = "session"


class TemporaryCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """What a client has to know to sign with a session."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expires_at: str

    def __repr__(self) -> str:
        return f"TemporaryCredentials(access_key_id={self.access_key_id!r})"  # never a secret in a log


def issue(sealer: Sealer, key: AccessKey, role: Role, now: datetime, duration: timedelta) -> TemporaryCredentials:
    """A session of a key, in its role or (of an admin's key) in a lesser one.

    Raises:
        UsageError: The duration is too short or long, the role is more than the key's, or the key is not live.
    """
    if not SHORTEST <= duration <= LONGEST:
        raise UsageError(f"a session lasts from {SHORTEST} to {LONGEST}, not {duration}")
    if key.role not in (role, "admin"):
        raise UsageError(f"key {key.id} is of role {key.role}: its sessions can't be of role {role}")
    if not key.is_live(moment_text(now)):
        raise UsageError(f"key {key.id} is disabled or has expired: it makes no sessions")
    expires_at = moment_text(now + duration)
    session = Session(
        id=new_id(SESSION_PREFIX),
        account=key.account,
        role=role,
        key_id=key.id,
        secret=new_secret(),
        expires_at=min(expires_at, key.expires_at or expires_at),
    )
    sealed = sealer.seal(msgspec.json.encode(session), _BELONGS_TO)
    return TemporaryCredentials(
        access_key_id=session.id,
        secret_access_key=session.secret,
        session_token=base64.urlsafe_b64encode(sealed).decode().rstrip("="),
        expires_at=session.expires_at,
    )


def read_token(sealer: Sealer, token: str) -> Session | None:
    """The session that a token states, whether it is over or not; None for what this service never issued."""
    if len(token) > LARGEST_TOKEN:
        return None
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(sealer.open(sealed, _BELONGS_TO), type=Session)
    except (StoreError, binascii.Error, ValueError, msgspec.MsgspecError):
        return None
