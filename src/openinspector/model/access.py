"""Who calls and what they did: access keys, callers, and the record of what changed something.

Times are texts of model/moment.py, so they sort as times do.
"""

from typing import Literal

from msgspec import Struct

from openinspector.model.resource import AccountId

Role = Literal["admin", "reader", "ingest"]
ROLES: tuple[Role, ...] = ("admin", "reader", "ingest")


class AccessKey(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A lasting access key as it is kept. Its secret is sealed (store/sealing.py); `expires_at` "" means never."""

    id: str  # `OIAK…`, 20 characters
    account: AccountId
    role: Role
    sealed_secret: bytes
    created_at: str
    expires_at: str = ""
    disabled_at: str = ""
    last_used_at: str = ""
    note: str = ""  # whose it is, in its maker's words

    def is_live(self, moment: str) -> bool:
        """Whether it may sign at that moment."""
        return not self.disabled_at and (not self.expires_at or moment < self.expires_at)


class Session(Struct, frozen=True, kw_only=True):
    """A temporary key, as its token says. It ends with the key that it was made of, or before."""

    id: str  # `OISK…`, 20 characters
    account: AccountId
    role: Role
    key_id: str  # whose session it is
    secret: str
    expires_at: str

    def __repr__(self) -> str:
        return f"Session(id={self.id!r}, key_id={self.key_id!r})"  # never a secret in a log


class Caller(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who a request is from. `session_id` is "" where a lasting key signed it."""

    account: AccountId
    role: Role
    key_id: str
    region: str
    session_id: str = ""


class AuditEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call that changed something, or was meant to. Entries are only ever added."""

    at: str
    account: AccountId
    region: str
    key_id: str
    role: Role
    service: str  # `inspector2`
    operation: str  # `CreateFilter`
    request_id: str
    outcome: Literal["done", "refused", "failed"]  # refused: the caller's fault; failed: ours
    error: str = ""  # `AccessDeniedException`
    parameters: str = "{}"  # JSON without secrets, cut to a bounded size
    session_id: str = ""
    source: str = ""  # address of the peer
    agent: str = ""  # its User-Agent
