"""A report that was asked for is made: findings or SBOMs, page by page, into a bucket or a folder.

    while do_next(work): …

A worker takes the oldest report under a claim, renews it between two pages, and leaves off where it has lost it, or the
report was cancelled. A report whose worker died, or that failed for a reason which may pass, is made again from its
beginning, under the same name; after `MOST_ATTEMPTS` it has failed. Never more than a page is held: a page of findings
and what is on its way to the destination.

Source: Inspector's user guide, "Exporting findings reports" and "Exporting SBOMs"; API reference,
GetFindingsReportStatus (error codes).
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from openinspector.errors import DestinationError, OpenInspectorError
from openinspector.model.criteria import parse_criteria
from openinspector.model.moment import moment_text
from openinspector.model.report import Destination as Place
from openinspector.model.report import ErrorCode, Report, key_below, unfit_destination, unfit_folder
from openinspector.pipeline.contract import Work
from openinspector.pipeline.settings import Settings
from openinspector.render import findings_csv, findings_json, inspector2, sbom_export
from openinspector.store import reports
from openinspector.store.estate import resource_of
from openinspector.store.find_queries import Position, Sought, find_findings
from openinspector.store.findings import findings_by_key
from openinspector.store.holders import new_token
from openinspector.store.inventories import monitored_resources, read_inventory
from openinspector.store.organizations import member_ids
from openinspector.store.reports import Claimed

if TYPE_CHECKING:
    from sqlalchemy import Row

    from openinspector.transport.destination import Destination

LONGEST: Final = timedelta(hours=12)  # from when it was asked for
MOST_ATTEMPTS: Final = 5
AGAIN: Final = timedelta(minutes=1)  # after a failure that may pass
FINDINGS_PAGE: Final = 500
RESOURCES_PAGE: Final = 100
PAGE_SECONDS: Final = 120.0  # of a statement
FORGOTTEN_AT_ONCE: Final = 1000

LOG: Final = logging.getLogger("openinspector.reports")


class _Failed(OpenInspectorError):
    """A report that can't be made, now or later."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class _GivenUp(OpenInspectorError):
    """A report that isn't ours any more: it was cancelled, or another worker has it."""


class _Stopping(OpenInspectorError):
    """The worker is to stop: the report goes on elsewhere."""


def unfit(settings: Settings, region: str, place: Place) -> tuple[str, str] | None:
    """The member of a destination that won't do with these settings, and why; None where all will."""
    return unfit_folder(place) if settings.reports.directory else unfit_destination(place, region)


def do_next(work: Work) -> bool:
    """Makes the report that has waited longest, or a part of it; False where there is none."""
    with work.database.system() as connection:
        held = reports.claim_next(connection, work.region, new_token(work.holder), work.clock())
    if held is None:
        return False
    _Making(work, held).run()
    return True


def forget(work: Work) -> int:
    """Deletes what is remembered of reports whose time is over; how many."""
    before = work.clock() - timedelta(days=work.settings.reports.retention_days)
    with work.database.system() as connection:
        return reports.forget_finished(connection, before, FORGOTTEN_AT_ONCE)


class _Making:
    """One report under a claim."""

    def __init__(self, work: Work, held: Claimed) -> None:
        self._work = work
        self._held = held
        self._report = held.report

    def run(self) -> None:
        """Makes it, and writes down what became of it."""
        if self._held.attempts > MOST_ATTEMPTS:  # whoever was at it died of it
            self._finish("INTERNAL_ERROR", f"The report could not be made in {MOST_ATTEMPTS} attempts.")
            return
        account, bucket = self._report.account, self._report.destination.bucket_name
        if not self._work.settings.reports.let(account, bucket):
            self._finish("INVALID_PERMISSIONS", f"Nothing may be written into {bucket} for account {account}.")
            return
        try:
            with _destination(self._work, self._report.destination) as destination:
                self._discard(destination)
                destination.check()
                self._make(destination)
        except _GivenUp:
            LOG.info("report %s was cancelled or is made elsewhere", self._report.id)
        except _Stopping:
            self._release(self._work.clock(), self._held.attempts - 1)
        except _Failed as error:
            self._finish(error.code, str(error))
        except DestinationError as error:
            if error.code == "INTERNAL_ERROR":
                self._again(str(error))
            else:
                self._finish(cast(ErrorCode, error.code), str(error))
        except Exception:
            # What the caller is told names nothing of ours; the log has it.
            LOG.exception("report %s can't be made", self._report.id)
            self._again("An internal error occurred.")

    def _make(self, destination: "Destination") -> None:
        if self._report.kind == "FINDINGS":
            key = findings_key(self._report)
            kind = "text/csv; charset=utf-8" if self._report.format == "CSV" else "application/json"
            self._write(destination, key, kind, self._closing(self._findings()))
        else:
            count = self._export(destination)
            self._check()
            if not count:
                raise _Failed("NO_FINDINGS_FOUND", "No monitored resource with an inventory meets the criteria.")
        with self._work.database.system() as connection:
            done = reports.finish(connection, self._held, "SUCCEEDED", self._work.clock(), code=None, message="")
        if not done:
            raise _GivenUp(self._report.id)

    def _findings(self) -> Iterator[bytes]:
        """The findings report, piece by piece."""
        pages = self._finding_pages()
        first = next(pages, None)
        if first is None:
            raise _Failed("NO_FINDINGS_FOUND", "No finding meets the criteria.")
        found = chain(first, chain.from_iterable(pages))
        if self._report.format == "CSV":
            return map(str.encode, findings_csv.lines(found, self._work.clock()))
        return map(str.encode, findings_json.parts(found))

    def _finding_pages(self) -> Iterator[list[dict[str, Any]]]:
        """The findings of each account, ordered as their ARNs are; no page is empty."""
        asked = self._report.criteria
        if not asked.get("findingStatus"):
            asked = asked | {"findingStatus": [{"comparison": "EQUALS", "value": "ACTIVE"}]}
        criteria = parse_criteria(asked)
        for account in self._accounts():
            sought = Sought((account,), self._work.region, criteria)
            after: Position | None = None
            while True:
                self._check()
                with self._work.database.transaction(account, seconds=PAGE_SECONDS) as connection:
                    ids, after = find_findings(connection, sought, FINDINGS_PAGE, after)
                    rows = findings_by_key(connection, ids)
                if rows:
                    yield [inspector2.finding(*rows[each]) for each in ids if each in rows]
                if after is None:
                    break

    def _export(self, destination: "Destination") -> int:
        """Writes an SBOM for each resource; how many."""
        count = 0
        report_format = cast(sbom_export.ReportFormat, self._report.format)
        prefix = self._report.destination.key_prefix
        for row in self._resources():
            self._check()
            with self._work.database.transaction(row.account, seconds=PAGE_SECONDS) as connection:
                read = read_inventory(connection, row.inventory_id)
            if read is None:  # it went, or has another inventory, since the page was read
                continue
            inventory, flaws = read
            about = resource_of(row)
            content = sbom_export.Content(
                resource=about, inventory=inventory, flaws=flaws, exported_at=moment_text(self._work.clock())
            )
            key = sbom_export.object_key(prefix, report_format, self._report.id, about)
            document = sbom_export.render(content, report_format).encode()
            self._write(destination, key, "application/json", (document,))
            count += 1
        return count

    def _resources(self) -> "Iterator[Row[Any]]":
        for account in self._accounts():
            after: tuple[str, int] | None = None
            while True:
                self._check()
                with self._work.database.transaction(account, seconds=PAGE_SECONDS) as connection:
                    page = monitored_resources(
                        connection, account, self._work.region, self._report.criteria, RESOURCES_PAGE, after
                    )
                yield from page
                if len(page) < RESOURCES_PAGE:
                    break
                after = page[-1].type, page[-1].id

    def _accounts(self) -> list[str]:
        """The account that asked, and those that it administers."""
        own = self._report.account
        with self._work.database.transaction(own) as connection:
            return sorted({own, *member_ids(connection, self._work.region, own)})

    def _write(self, destination: "Destination", key: str, content_type: str, parts: Iterable[bytes]) -> None:
        def begun(name: str) -> None:
            with self._work.database.system() as connection:
                reports.note_upload(connection, self._held, {"key": key, "name": name})

        destination.write(key, content_type, parts, begun)

    def _closing(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """The parts; after the last one the report can't be cancelled any more, for its object is about to be seen."""
        yield from parts
        self._keep(reports.begin_closing)

    def _check(self) -> None:
        """Whether to go on.

        Raises:
            _Stopping, _Failed, _GivenUp: The worker is to stop; the time is over; the report isn't ours any more.
        """
        if self._work.stopping():
            raise _Stopping(self._report.id)
        if self._work.clock() >= self._held.created_at + LONGEST:
            raise _Failed("INTERNAL_ERROR", f"The report was not finished in {LONGEST // timedelta(hours=1)} hours.")
        self._keep(reports.renew)

    def _keep(self, keep: "Callable[[Any, Claimed, datetime], bool]") -> None:
        with self._work.database.system() as connection:
            kept = keep(connection, self._held, self._work.clock())
        if not kept:
            raise _GivenUp(self._report.id)

    def _discard(self, destination: "Destination") -> None:
        """What a worker that died may have left half-written."""
        left = self._held.upload
        if left:
            destination.discard(left["key"], left["name"])

    def _again(self, message: str) -> None:
        """Has it made another time, if it has not been tried often enough."""
        if self._held.attempts >= MOST_ATTEMPTS:
            self._finish("INTERNAL_ERROR", message)
            return
        LOG.warning("report %s, attempt %d: %s", self._report.id, self._held.attempts, message)
        self._release(self._work.clock() + AGAIN, self._held.attempts)

    def _finish(self, code: ErrorCode, message: str) -> None:
        LOG.warning("report %s failed: %s: %s", self._report.id, code, message)
        with self._work.database.system() as connection:
            reports.finish(connection, self._held, "FAILED", self._work.clock(), code=code, message=message)

    def _release(self, until: datetime, attempts: int) -> None:
        with self._work.database.system() as connection:
            reports.release(connection, self._held, until, attempts=attempts)


def findings_key(asked: Report) -> str:
    """The key of a findings report: `<prefix>/<id>.csv`."""
    return key_below(asked.destination.key_prefix, f"{asked.id}.{asked.format.lower()}")


@contextmanager
def _destination(work: Work, place: Place) -> "Iterator[Destination]":
    """Where a report is written to."""
    made: Destination
    if work.settings.reports.directory:
        from openinspector.transport.folder import Folder

        made = Folder(Path(work.settings.reports.directory), place.bucket_name)
    else:
        from openinspector.transport.aws import Endpoint
        from openinspector.transport.s3 import Bucket

        endpoint = Endpoint(region=work.region, url=work.settings.aws.endpoint_url)
        made = Bucket(endpoint, place.bucket_name, place.kms_key_arn, place.expected_bucket_owner)
    try:
        yield made
    finally:
        made.close()
