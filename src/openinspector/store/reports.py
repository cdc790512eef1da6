"""Findings reports and SBOM exports: asked for by requests, done by workers.

A worker has a report under a claim, a token of its own (holders.py), and renews it while it is at it. One whose worker
died is anybody's again when the claim has run out. Whatever a worker writes of a report it writes under its claim, so
one that has lost it writes nothing more.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from openinspector.model.report import Destination, ErrorCode, Kind, Report, Status
from openinspector.store.account_tables import report
from openinspector.store.documents import kept

MOST_EXPORTS: Final = 20  # SBOM exports of an account in a region that may be in progress; AWS publishes no number
CLAIMED: Final = timedelta(minutes=5)  # longer than any single call to a destination may take

_columns: Final = report.c


class Claimed(Struct, frozen=True, kw_only=True):
    """A report that a worker has. `attempts` counts this one too; `upload` is what the one before may have left."""

    report: Report
    claim: UUID
    created_at: datetime
    attempts: int
    upload: dict[str, str]


def add_findings_report(connection: Connection, asked: Report, now: datetime) -> bool:
    """Keeps a report to be made; False where the account has one in progress already."""
    new = insert_or(report).values(_values(asked, now)).on_conflict_do_nothing().returning(_columns.id)
    return connection.execute(new).one_or_none() is not None


def add_sbom_export(connection: Connection, asked: Report, now: datetime) -> bool:
    """Keeps an export to be made; False where the account has `MOST_EXPORTS` in progress already."""
    name = f"exports of {asked.account} in {asked.region}"
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    mine = select(func.count()).where(*_of(asked.account, asked.region, "SBOM"), _columns.status == "IN_PROGRESS")
    if connection.execute(mine).scalar_one() >= MOST_EXPORTS:
        return False
    connection.execute(insert(report).values(_values(asked, now)))
    return True


def read_report(connection: Connection, account: str, region: str, kind: Kind, key: str | None) -> Row[Any] | None:
    """A report; the newest one where no id is given, None where there is none."""
    mine = select(report).where(*_of(account, region, kind))
    if key is not None:
        return connection.execute(mine.where(_columns.id == key)).one_or_none()
    return connection.execute(mine.order_by(_columns.created_at.desc(), _columns.id).limit(1)).one_or_none()


def asked_of(row: Row[Any]) -> Report:
    """What was asked for, from a row of the table."""
    return Report(
        account=row.account,
        region=row.region,
        id=row.id,
        kind=row.kind,
        format=row.format,
        destination=msgspec.convert(row.destination, Destination),
        criteria=row.criteria,
    )


def cancel(connection: Connection, account: str, region: str, kind: Kind, key: str, now: datetime) -> bool:
    """Ends a report that is in progress; False where there is nothing any more that could be stopped."""
    ended = connection.execute(
        update(report)
        .where(
            *_of(account, region, kind),
            _columns.id == key,
            _columns.status == "IN_PROGRESS",
            _columns.is_closing.is_(False),
        )
        .values(status="CANCELLED", finished_at=now)
    )
    return bool(ended.rowcount)


def claim_next(connection: Connection, region: str, claim: UUID, now: datetime) -> Claimed | None:
    """The oldest report that nobody is at; None where there is none. `connection` is the system's."""
    values = {"region": region, "claim": claim, "now": now, "until": now + CLAIMED}
    row = connection.execute(_CLAIM, values).one_or_none()
    if row is None:
        return None
    return Claimed(
        report=asked_of(row), claim=claim, created_at=row.created_at, attempts=row.attempts, upload=row.upload
    )


def renew(connection: Connection, held: Claimed, now: datetime) -> bool:
    """Keeps a claim; False where it is lost, or the report was cancelled."""
    return _change(connection, held, claimed_until=now + CLAIMED)


def begin_closing(connection: Connection, held: Claimed, now: datetime) -> bool:
    """Keeps a claim, and the report from being cancelled; False where it is lost, or the report was cancelled."""
    return _change(connection, held, claimed_until=now + CLAIMED, is_closing=True)


def note_upload(connection: Connection, held: Claimed, upload: Mapping[str, str]) -> bool:
    """Writes down what lies half-written if the worker dies; False where the claim is lost."""
    return _change(connection, held, upload=dict(upload))


def release(connection: Connection, held: Claimed, until: datetime, *, attempts: int) -> None:
    """Gives a report back: from `until` on it is anybody's again."""
    _change(connection, held, claim=None, claimed_until=until, attempts=attempts, is_closing=False)


def finish(
    connection: Connection, held: Claimed, status: Status, now: datetime, *, code: ErrorCode | None, message: str
) -> bool:
    """Writes how a report has ended; False where the claim is lost, or it was cancelled."""
    told = {"error_code": code or "", "error_message": kept(message), "upload": {}}
    return _change(connection, held, status=status, finished_at=now, claim=None, claimed_until=None, **told)


def forget_finished(connection: Connection, before: datetime, most: int) -> int:
    """Deletes what is remembered of reports that ended before a moment, at most so many; how many."""
    return connection.execute(_FORGET, {"before": before, "most": most}).rowcount


def _of(account: str, region: str, kind: Kind) -> tuple[Any, ...]:
    return _columns.account == account, _columns.region == region, _columns.kind == kind


def _values(asked: Report, now: datetime) -> dict[str, Any]:
    return {
        "account": asked.account,
        "region": asked.region,
        "id": asked.id,
        "kind": asked.kind,
        "format": asked.format,
        "status": "IN_PROGRESS",
        "destination": kept(asked.destination),
        "criteria": kept(asked.criteria),
        "created_at": now,
    }


def _change(connection: Connection, held: Claimed, **values: Any) -> bool:
    done = connection.execute(
        update(report)
        .where(
            *_of(held.report.account, held.report.region, held.report.kind),
            _columns.id == held.report.id,
            _columns.claim == held.claim,
            _columns.status == "IN_PROGRESS",
        )
        .values(**values)
    )
    return bool(done.rowcount)


_CLAIM: Final = text(
    "UPDATE report SET claim = :claim, claimed_until = :until, attempts = attempts + 1, is_closing = false"
    " WHERE (account, region, id) = (SELECT account, region, id FROM report WHERE region = :region"
    " AND status = 'IN_PROGRESS' AND (claimed_until IS NULL OR claimed_until <= :now)"
    " ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *"
)
_FORGET: Final = text(
    "DELETE FROM report r USING (SELECT account, region, id FROM report WHERE finished_at < :before"
    " ORDER BY finished_at LIMIT :most FOR UPDATE SKIP LOCKED) AS old"
    " WHERE r.account = old.account AND r.region = old.region AND r.id = old.id"
)
