"""The files of CIS reports: the results of a run as CSV, a page at a time, or as PDF, made before it is sent.

`accounts` are those whose results a report has; the caller has seen to it that they may be seen.
"""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, Final

from msgspec import Struct

from openinspector.api.context import Connect
from openinspector.render import cis_csv
from openinspector.store import cis_reports as store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from openinspector.render.cis_pdf import CisRun

PAGE: Final = 500  # results
PIECE: Final = 256 * 1024  # bytes


class Reported(Struct, frozen=True, kw_only=True):
    """What a report is of. `viewer` is the account that asked for it."""

    viewer: str
    accounts: Sequence[str]
    region: str
    scan_arn: str

    @property
    def scan_id(self) -> str:
        """The run's id, with which its ARN ends."""
        return self.scan_arn.rpartition("/")[2]


def csv_pieces(connect: Connect, of: Reported) -> Iterator[bytes]:
    """The report as CSV, a page at a time: nothing is held while the reader takes its time."""
    held: list[str] = []
    for line in cis_csv.lines(_results(connect, of)):
        held.append(line)
        if len(held) == PAGE:
            yield "".join(held).encode()
            held.clear()
    yield "".join(held).encode()


def pdf_file(connect: Connect, of: Reported, now: datetime) -> IO[bytes]:
    """The report as PDF, in a file without a name, at its start; who has it closes it.

    `now` is the report's date where neither the run nor any result is seen, whose dates it would be.
    """
    from openinspector.render import cis_pdf

    file = tempfile.TemporaryFile(prefix="openinspector-")  # noqa: SIM115 - it is given away
    try:
        with connect(of.viewer, *(each for each in of.accounts if each != of.viewer)) as connection:
            asked = (connection, of.accounts, of.region, of.scan_id)
            cis_pdf.write(
                file,
                _run(connection, of, now),
                (cis_pdf.CheckCounts(**row._mapping) for row in store.checks_of_scan(*asked)),
                (_target(row) for row in store.targets_of_scan(*asked)),
                (_told(of.scan_arn, row) for row in store.results_by_check(*asked)),
            )
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """A file's content; it is closed at the end."""
    with file:
        while piece := file.read(PIECE):
            yield piece


def _run(connection: "Connection", of: Reported, now: datetime) -> "CisRun":
    from openinspector.render.cis_pdf import CisRun

    run = store.run_of_scan(connection, of.region, of.scan_id)
    totals = store.totals_of_scan(connection, of.accounts, of.region, of.scan_id)
    told = store.benchmarks_of_scan(connection, of.accounts, of.region, of.scan_id)
    document = run.document if run else {}
    return CisRun(
        scan_arn=of.scan_arn,
        date=run.scanned_at if run else totals.first or now,
        starts=run is not None,
        accounts=of.accounts,
        name=document.get("scanName") or "",
        level=document.get("securityLevel") or "",
        scheduled_by=document.get("scheduledBy") or "",
        benchmarks=[" ".join(filter(None, each)) for each in told if any(each)],
        instances=totals.instances,
        checks=totals.checks,
        total=totals.total,
        passed=totals.passed,
        failed=totals.failed,
        skipped=totals.skipped,
    )


def _target(row: Any) -> Any:
    from openinspector.render.cis_pdf import TargetCounts

    return TargetCounts(
        account=row.account,
        resource=row.resource,
        platform=row.platform,
        benchmark=" ".join(filter(None, (row.profile, row.version))),
        status=row.status,
        reason=row.reason,
        passed=row.passed,
        failed=row.failed,
        skipped=row.skipped,
    )


def _results(connect: Connect, of: Reported) -> Iterator[dict[str, str]]:
    for account in of.accounts:
        after: tuple[str, str] | None = None
        while True:
            with connect(account) as connection:
                page = store.results_of_scan(connection, account, of.region, of.scan_id, PAGE, after)
            for row in page:
                yield _told(of.scan_arn, row)
            if len(page) < PAGE:
                break
            after = page[-1].resource, page[-1].check_id


def _told(scan_arn: str, row: Any) -> dict[str, str]:
    """A result, by the names of the CSV's columns."""
    return {
        "Scan ARN": scan_arn,
        "Account Id": row.account,
        "Target Resource Id": row.resource,
        "Platform": row.platform,
        "Check Id": row.check_id,
        "Title": row.document.get("title") or "",
        "Level": row.level,
        "Status": row.status,
        "Status Reason": row.document.get("reason") or "",
        "Check Description": row.document.get("description") or "",
        "Remediation": row.document.get("remediation") or "",
    }
