"""Calls with an idempotency token: what they were answered the first time, they are answered again.

A token is good for `VALID` from its first call on; AWS says for none of these calls how long it is, and 8 to 24 hours
where it says so for other services.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from openinspector.store.account_tables import client_token

VALID: Final = timedelta(hours=24)


class Once(Struct, frozen=True, kw_only=True):
    """A call that is to happen once: an operation of an account with a token. `request` is all else that it asks."""

    account: str
    region: str
    operation: str
    token: str
    request: Mapping[str, Any]


class Earlier(Struct, frozen=True, kw_only=True):
    """What a token's first call was answered, and whether it asked for the same."""

    answer: dict[str, Any]
    is_same: bool


def earlier(connection: Connection, call: Once, now: datetime) -> Earlier | None:
    """The token's first call, if there was one while it is good. Calls with the same token wait here for each other."""
    name = "\n".join((call.account, call.region, call.operation, call.token))
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    columns = client_token.c
    first = select(columns.request, columns.answer).where(
        columns.account == call.account,
        columns.region == call.region,
        columns.operation == call.operation,
        columns.token == call.token,
        columns.created_at > now - VALID,
    )
    row = connection.execute(first).one_or_none()
    return None if row is None else Earlier(answer=row.answer, is_same=bytes(row.request) == _digest(call))


def remember(connection: Connection, call: Once, answer: Mapping[str, Any], now: datetime) -> None:
    """Keeps what a token's first call is answered, in place of one that is too long ago."""
    told = {"request": _digest(call), "answer": answer, "created_at": now}
    key = {"account": call.account, "region": call.region, "operation": call.operation, "token": call.token}
    statement = insert(client_token).values(key | told)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=told))


def _digest(call: Once) -> bytes:
    return sha256(msgspec.json.encode(call.request, order="sorted")).digest()
