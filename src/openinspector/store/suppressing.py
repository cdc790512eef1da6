"""The filters that can hide findings of an account: its own, and those of the organization that it is in."""

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

    Raises:
        UsageError: The criteria of one can't be read. Left out, it would bring findings out of hiding.
    """
    filters = filters_of(connection, account, region, size=MOST, action="SUPPRESS")
    above = connection.execute(_ADMINISTRATOR, {"account": account, "region": region}).one_or_none()
    if above is None:
        return Suppressing(filters=tuple(filters))
    if above.account != account:
        theirs = filters_of(connection, above.account, region, size=MOST, action="SUPPRESS")
        filters += [each for each in theirs if each.owner == above.organization_id]
    return Suppressing(filters=tuple(filters), organization=above.organization_id)


# The administrator itself is in its organization as well.
_ADMINISTRATOR: Final = text(
    "SELECT d.account, d.organization_id FROM delegated_admin d WHERE d.region = :region AND d.status = 'ENABLED'"
    " AND (d.account = :account OR EXISTS (SELECT FROM member m WHERE m.account = d.account AND m.region = d.region"
    " AND m.member = :account AND m.status IN ('ENABLED', 'ACCOUNT_SUSPENDED'))) ORDER BY d.account LIMIT 1"
)
