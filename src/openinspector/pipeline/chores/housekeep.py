"""What is old, and what nobody has any more, is forgotten in small steps."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from openinspector.pipeline.contract import Chore, Work
from openinspector.store import housekeeping
from openinspector.store.cis_results import KEPT as CIS_KEPT
from openinspector.store.client_tokens import VALID as TOKEN_VALID

GONE_KEPT: Final = timedelta(days=30)  # a resource after its end, if it has no findings
INVENTORY_KEPT: Final = timedelta(days=1)  # after it was first read: whoever writes in several steps has so long

AT_ONCE: Final = 2_000  # rows that are deleted in one transaction
INVENTORIES_AT_ONCE: Final = 10  # each with hundreds or thousands of packages
FLAWS_LOOKED_FOR: Final = 20_000  # at most, each time
_PATIENCE: Final = 2_000  # milliseconds that whoever writes findings is waited for, and waits
_LOCK_TIMEOUT: Final = "55P03"

_Forget = Callable[[Connection, datetime, int], int]


def _housekeep(work: Work) -> int:
    now = work.clock()
    ages: list[tuple[_Forget, timedelta]] = [
        (housekeeping.forget_cis_results, CIS_KEPT),
        (housekeeping.forget_cis_targets, CIS_KEPT),
        (housekeeping.forget_cis_scans, CIS_KEPT),
        (housekeeping.forget_client_tokens, TOKEN_VALID),
        (housekeeping.forget_resources, GONE_KEPT),
    ]
    if work.settings.retention.audit_days:
        ages.append((housekeeping.forget_audit, timedelta(days=work.settings.retention.audit_days)))
    forgotten = sum(_forget(work, forget, now - age) for forget, age in ages)
    try:
        return forgotten + _forget_inventories(work, now - INVENTORY_KEPT) + _forget_flaws(work)
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_TIMEOUT:
            raise
        return forgotten  # there is too much going on; the rest keeps until the next time


def _forget(work: Work, forget: _Forget, before: datetime) -> int:
    forgotten = 0
    while not work.stopping():
        with work.database.system() as connection:
            count = forget(connection, before, AT_ONCE)
        forgotten += count
        if count < AT_ONCE:
            break
    return forgotten


def _forget_inventories(work: Work, before: datetime) -> int:
    forgotten = last = 0
    while not work.stopping():
        with work.database.system() as connection:
            ids = housekeeping.unused_inventories(connection, before, last, INVENTORIES_AT_ONCE)
        if not ids:
            break
        last = ids[-1]
        forgotten += _behind_closed_doors(work, partial(housekeeping.forget_inventories, inventories=ids))
    return forgotten


def _forget_flaws(work: Work) -> int:
    if work.stopping():
        return 0
    with work.database.system() as connection:
        flaws = housekeeping.unused_flaws(connection, FLAWS_LOOKED_FOR)
    forgotten = 0
    for start in range(0, len(flaws), AT_ONCE):
        if work.stopping():
            break
        some = flaws[start : start + AT_ONCE]
        forgotten += _behind_closed_doors(work, partial(housekeeping.forget_flaws, flaws=some))
    return forgotten


def _behind_closed_doors(work: Work, forget: Callable[[Connection], int]) -> int:
    with work.database.system() as connection:
        return forget(connection) if housekeeping.shut_out(connection, milliseconds=_PATIENCE) else 0


PLUGIN: Final = Chore(name="housekeep", every=timedelta(hours=6), run=_housekeep)
