"""Calls with an idempotency token: what they were answered the first time, they are answered again."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, func, insert, select

from openinspector.store.account_tables import client_token


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


def earlier(connection: Connection, call: Once) -> Earlier | None:
    """The token's first call, if there was one. Calls with the same token wait here for each other."""
    name = "\n".join((call.account, call.region, call.operation, call.token))
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    columns = client_token.c
    first = select(columns.request, columns.answer).where(
        columns.account == call.account,
        columns.region == call.region,
        columns.operation == call.operation,
        columns.token == call.token,
    )
    row = connection.execute(first).one_or_none()
    return None if row is None else Earlier(answer=row.answer, is_same=bytes(row.request) == _digest(call))


def remember(connection: Connection, call: Once, answer: Mapping[str, Any]) -> None:
    """Keeps what a token's first call is answered."""
    connection.execute(
        insert(client_token).values(
            account=call.account,
            region=call.region,
            operation=call.operation,
            token=call.token,
            request=_digest(call),
            answer=answer,
        )
    )


def _digest(call: Once) -> bytes:
    return sha256(msgspec.json.encode(call.request, order="sorted")).digest()
