"""The filters that can hide findings of an account: its own, and those of the organization that it is in."""

from collections.abc import Collection
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, text

from openinspector.model.criteria import Filter
from openinspector.store.filters import MOST, filters_of


class Suppressing(Struct, frozen=True, kw_only=True):
    """`organization` is `o-…`, "" for an account that is in none."""

    filters: tuple[Filter, ...]
    organization: str = ""


def suppressing_filters(connection: Connection, account: str, region: str) -> Suppressing:
    """The filters that count for an account in a region; for a transaction of the system.

    Whoever writes findings by them is waited for by who applies a rule that has changed (`await_readers`).

    Raises:
        UsageError: The criteria of one can't be read. Left out, it would bring findings out of hiding.
    """
    connection.execute(_READING, {"name": _lock_name(account, region)})
    filters = filters_of(connection, account, region, size=MOST, action="SUPPRESS")
    above = connection.execute(_ADMINISTRATOR, {"account": account, "region": region}).one_or_none()
    if above is None:
        return Suppressing(filters=tuple(filters))
    if above.account != account:
        theirs = filters_of(connection, above.account, region, size=MOST, action="SUPPRESS")
        filters += [each for each in theirs if each.owner == above.organization_id]
    return Suppressing(filters=tuple(filters), organization=above.organization_id)


def ruled_places(connection: Connection, places: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of the accounts and regions whose findings any filter may hide; who applies a rule waits for this, too."""
    named = sorted({_lock_name(account, region) for account, region in places})
    connection.execute(_READING_ALL, {"names": named})
    values = {"accounts": [account for account, _ in places], "regions": [region for _, region in places]}
    return [(row.account, row.region) for row in connection.execute(_RULED, values)]


def await_readers(connection: Connection, account: str, region: str) -> None:
    """Waits for the transactions that have read the filters of an account, and may not have seen the latest of them."""
    connection.execute(_AWAITING, {"name": _lock_name(account, region)})


def _lock_name(account: str, region: str) -> str:
    return f"rules of {account} in {region}"


_READING: Final = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:name, 0))")
_AWAITING: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
# The administrator itself is in its organization as well.
_ADMINISTRATOR: Final = text(
    "SELECT d.account, d.organization_id FROM delegated_admin d WHERE d.region = :region AND d.status = 'ENABLED'"
    " AND (d.account = :account OR EXISTS (SELECT FROM member m WHERE m.account = d.account AND m.region = d.region"
    " AND m.member = :account AND m.status IN ('ENABLED', 'ACCOUNT_SUSPENDED'))) ORDER BY d.account LIMIT 1"
)
_READING_ALL: Final = text(
    "SELECT count(pg_advisory_xact_lock_shared(hashtextextended(name, 0))) FROM unnest(CAST(:names AS text[])) AS name"
)
_RULED: Final = text(
    "SELECT p.account, p.region FROM unnest(CAST(:accounts AS text[]), CAST(:regions AS text[]))"
    " AS p (account, region) WHERE EXISTS (SELECT FROM filter f WHERE f.region = p.region AND f.action = 'SUPPRESS'"
    " AND (f.account = p.account OR EXISTS (SELECT FROM member m WHERE m.account = f.account AND m.region = f.region"
    " AND m.member = p.account)))"
)
