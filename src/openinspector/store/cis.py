"""CIS benchmarks: configurations, and the sessions in which hosts report what a run found. Results: cis_results.py.

What is kept of a configuration is in the API's words (`schedule`, `targets`, `securityLevel`): the store only gives it
back. A run is opened by `open_scan`, which gives each of its instances a job; the plugin on the instance starts a
session for it with a token of its choice, and from then on that token alone is heard. Ids are UUIDs as text.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from msgspec import Struct
from sqlalchemy import Connection, Row, case, delete, exists, func, insert, not_, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from openinspector.store.account_tables import cis_result, cis_scan, cis_scan_configuration, cis_target
from openinspector.store.arn_tags import drop_tags, put_tags
from openinspector.store.bulk import clean
from openinspector.store.listing import Entries, page_of, tag_holds, text_holds

MOST_CONFIGURATIONS: Final = 500  # of an account in a region
SILENCE: Final = timedelta(hours=12)  # of a plugin, until its session has timed out; AWS publishes no number
IN_PROGRESS: Final = "SCAN_IN_PROGRESS"  # the reason of a target whose session runs

_configuration: Final = cis_scan_configuration


class CisTarget(Struct, frozen=True, kw_only=True):
    """An instance that a run is about. `tags` are each tag's values; `refusal` is why it can't be checked."""

    account: str
    resource: str
    platform: str = ""
    tags: dict[str, list[str]] = {}
    refusal: str = ""  # `UNSUPPORTED_OS`, `SSM_UNMANAGED`


class CisOutcome(Struct, frozen=True, kw_only=True):
    """What one check of a benchmark found on an instance: `PASSED`, `FAILED` or `SKIPPED`."""

    check_id: str
    status: str
    level: str = ""
    document: dict[str, str] = {}


def add_configuration(
    connection: Connection, account: str, region: str, values: Mapping[str, Any], *, arn: str, tags: Mapping[str, str]
) -> bool:
    """Keeps a new configuration; False where there may be no more. `values` are those of its columns."""
    _lock(connection, f"cis configurations of {account} in {region}")
    mine = select(func.count()).where(_configuration.c.account == account, _configuration.c.region == region)
    if connection.execute(mine).scalar_one() >= MOST_CONFIGURATIONS:
        return False
    connection.execute(insert(_configuration).values(account=account, region=region, **values))
    put_tags(connection, account, region, arn, tags)
    return True


def configuration(connection: Connection, account: str, region: str, key: str) -> Row[Any] | None:
    """A configuration, held until the transaction ends; None where the account has none of that id."""
    mine = select(_configuration).where(
        _configuration.c.account == account, _configuration.c.region == region, _configuration.c.id == key
    )
    return connection.execute(mine.with_for_update()).one_or_none()


def change_configuration(
    connection: Connection, account: str, region: str, key: str, values: Mapping[str, Any]
) -> None:
    """Gives columns of a configuration other values."""
    connection.execute(
        update(_configuration)
        .where(_configuration.c.account == account, _configuration.c.region == region, _configuration.c.id == key)
        .values(**values)
    )


def remove_configuration(connection: Connection, account: str, region: str, key: str, *, arn: str) -> bool:
    """Forgets a configuration with its tags, not its runs; False where the account has none of that id."""
    gone = connection.execute(
        delete(_configuration).where(
            _configuration.c.account == account, _configuration.c.region == region, _configuration.c.id == key
        )
    )
    drop_tags(connection, account, region, arn)
    return bool(gone.rowcount)


def configurations(
    connection: Connection,
    accounts: Sequence[str],
    region: str,
    *,
    names: Entries = (),
    arns: Entries = (),
    arn_start: str = "",
    tags: Entries = (),
    by_name: bool = False,
    order: str = "ASC",
    after: Sequence[Any] | None,
    size: int,
) -> Sequence[Row[Any]]:
    """A page of the configurations of accounts and one more, by name or by ARN. Each list of entries narrows it.

    `arn_start` is what ARNs have before the account; behind it stand owner, kind and id.
    """
    columns = _configuration.c
    rows = select(_configuration).where(columns.account.in_(accounts), columns.region == region)
    if names:
        rows = rows.where(text_holds(columns.name, names))
    if arns:
        arn = func.concat(arn_start, columns.account, ":owner/", columns.owner_id, "/cis-configuration/", columns.id)
        rows = rows.where(text_holds(arn, arns))
    if tags:
        rows = rows.where(tag_holds(columns.document["targets"]["targetResourceTags"], tags))
    keys = (columns.account, columns.owner_id, columns.id)
    return connection.execute(page_of(rows, (columns.name, *keys) if by_name else keys, after, size, order=order)).all()


def open_scan(
    connection: Connection,
    configuration: Row[Any],
    targets: Sequence[CisTarget],
    now: datetime,
) -> tuple[str, dict[str, str]]:
    """Begins a run of a configuration: its id, and the job of each instance that can be checked, by the instance's id.

    Where instances are of several accounts the transaction must see them all, as that of the system does.
    """
    scan_id = str(uuid4())
    document = {**configuration.document, "scanName": configuration.name, "scheduledBy": configuration.owner_id}
    connection.execute(
        insert(cis_scan).values(
            account=configuration.account,
            region=configuration.region,
            id=scan_id,
            document=document,
            configuration_id=configuration.id,
            status="IN_PROGRESS",
            created_at=now,
            scanned_at=now,
        )
    )
    jobs = {each.resource: uuid4() for each in targets if not each.refusal}
    rows = [
        {
            "account": each.account,
            "region": configuration.region,
            "scan_id": scan_id,
            "resource": each.resource,
            "platform": clean(each.platform),
            "status": "CANCELLED" if each.refusal else "",
            "reason": each.refusal or IN_PROGRESS,
            "job_id": jobs.get(each.resource),
            "tags": each.tags,
            "document": {"scan_account": configuration.account, "owner_id": configuration.owner_id},
        }
        for each in targets
    ]
    if rows:
        connection.execute(insert(cis_target), rows)
    return scan_id, {resource: str(job) for resource, job in jobs.items()}


def job(connection: Connection, account: str, region: str, job_id: str) -> Row[Any] | None:
    """The target of a job, held until the transaction ends; None where it is no job of the account's."""
    mine = select(cis_target).where(
        cis_target.c.job_id == UUID(job_id), cis_target.c.account == account, cis_target.c.region == region
    )
    return connection.execute(mine.with_for_update()).one_or_none()


def is_over(target: Row[Any]) -> bool:
    """Whether a target's session has ended."""
    return bool(target.status)


def is_token(target: Row[Any], token: str) -> bool:
    """Whether a token is the one that the session was started with."""
    return target.token_digest is not None and bytes(target.token_digest) == _digest(token)


def start_session(connection: Connection, target: Row[Any], token: str, now: datetime) -> None:
    """Begins a job's session: from now on its token alone is heard."""
    _change_target(connection, target, token_digest=_digest(token), heard_at=now)


def heard(connection: Connection, target: Row[Any], now: datetime) -> None:
    """Notes that a session is alive."""
    _change_target(connection, target, heard_at=now)


def add_outcomes(connection: Connection, target: Row[Any], outcomes: Sequence[CisOutcome], now: datetime) -> None:
    """Keeps what checks found. One that is told again replaces what was told before."""
    latest = {each.check_id: each for each in outcomes}
    rows = [
        {
            "account": target.account,
            "region": target.region,
            "scan_id": target.scan_id,
            "resource": target.resource,
            "check_id": check_id,
            "status": each.status,
            "level": each.level,
            "platform": target.platform,
            "document": each.document,
            "created_at": now,
        }
        for check_id, each in sorted(latest.items())
    ]
    if not rows:
        return
    new = insert_or(cis_result)
    told = {name: new.excluded[name] for name in ("status", "level", "platform", "document", "created_at")}
    connection.execute(new.on_conflict_do_update(index_elements=list(cis_result.primary_key), set_=told), rows)
    heard(connection, target, now)


def stop_session(
    connection: Connection,
    target: Row[Any],
    now: datetime,
    *,
    status: str,
    reason: str,
    platform: str,
    document: Mapping[str, Any],
) -> None:
    """Ends a session. `platform` is "" where the plugin doesn't tell it."""
    told = platform or target.platform
    _change_target(
        connection,
        target,
        status=status,
        reason=reason,
        heard_at=now,
        platform=told,
        document={**target.document, **document},
    )
    if told != target.platform:
        connection.execute(
            update(cis_result)
            .where(
                cis_result.c.account == target.account,
                cis_result.c.region == target.region,
                cis_result.c.scan_id == target.scan_id,
                cis_result.c.resource == target.resource,
            )
            .values(platform=told)
        )


def settle_scans(connection: Connection, region: str, now: datetime) -> None:
    """Counts the checks of the runs that go on anew, and ends those of which no session is left.

    Sessions that nobody has heard of for `SILENCE` have timed out.

    The transaction must see all instances of the runs that it sees: that of an administrator its members' too. (That
    of a member sees nothing of its administrator's runs, so the end of a session can't settle them.)
    """
    results, targets = cis_result.c, cis_target.c
    connection.execute(
        update(cis_target)
        .where(
            targets.scan_id == cis_scan.c.id,
            targets.status == "",
            cis_scan.c.region == region,
            cis_scan.c.status == "IN_PROGRESS",
            func.coalesce(targets.heard_at, cis_scan.c.scanned_at) < now - SILENCE,
        )
        .values(status="TIMED_OUT", reason="")
    )
    of_run = select(func.count()).where(results.scan_id == cis_scan.c.id).correlate(cis_scan)
    total = of_run.scalar_subquery()
    failed = of_run.where(results.status == "FAILED").scalar_subquery()
    has = {
        status: exists().where(targets.scan_id == cis_scan.c.id, targets.status == status)
        for status in ("", "COMPLETED")
    }
    status = case((has[""], "IN_PROGRESS"), (has["COMPLETED"], "COMPLETED"), else_="FAILED")
    connection.execute(
        update(cis_scan)
        .where(
            cis_scan.c.region == region,
            cis_scan.c.status == "IN_PROGRESS",
            or_(not_(has[""]), cis_scan.c.total_checks != total, cis_scan.c.failed_checks != failed),
        )
        .values(total_checks=total, failed_checks=failed, status=status, updated_at=now)
    )


def _change_target(connection: Connection, target: Row[Any], **values: Any) -> None:
    columns = cis_target.c
    connection.execute(
        update(cis_target)
        .where(
            columns.account == target.account,
            columns.region == target.region,
            columns.scan_id == target.scan_id,
            columns.resource == target.resource,
        )
        .values(**values)
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _lock(connection: Connection, what: str) -> None:
    """Of those who count the same thing before they add to it, one at a time."""
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(what, 0))))
