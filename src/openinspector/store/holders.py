"""Whose the lanes of sinks (outbox.py) and the reports (reports.py) are that are being worked at.

They are had under tokens that begin with a worker's number, so that all that a worker had can be given back when it
has certainly ended, and not only when its leases run out. Of one that has merely fallen silent nothing is given back:
it may be sending still.
"""

from collections.abc import Iterable
from secrets import randbits
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text

_HALF: Final = 64  # bits of a token that are the holder's number, and as many that are its own


def new_holder() -> int:
    """A number for a worker; no two have the same, and none has 0."""
    return randbits(_HALF) or 1


def new_token(holder: int) -> UUID:
    """A token that nobody had before."""
    return UUID(int=holder << _HALF | randbits(_HALF))


def give_back(connection: Connection, holders: Iterable[int]) -> int:
    """Makes anybody's what workers had that have ended; how many lanes and reports. `connection` is the system's."""
    freed = 0
    for each in holders:
        values = {"lowest": UUID(int=each << _HALF), "highest": UUID(int=(each + 1 << _HALF) - 1)}
        for statement in (_LANES, _REPORTS):
            freed += connection.execute(statement, values).rowcount
    return freed


_LANES: Final = text("UPDATE sink_lane SET lease = NULL, leased_until = NULL WHERE lease BETWEEN :lowest AND :highest")
_REPORTS: Final = text(
    "UPDATE report SET claim = NULL, claimed_until = NULL, is_closing = false"
    " WHERE status = 'IN_PROGRESS' AND claim BETWEEN :lowest AND :highest"
)
