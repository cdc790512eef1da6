"""Coverage: the rows of a list, and how many rows there are of each kind.

Both see the rows of the transaction's accounts, in one region.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, Select, Text, func, literal, select, true, type_coerce

from openinspector.model.coverage import CodeRepository, Coverage, EcrRepository, ScanStatus
from openinspector.model.moment import moment_text
from openinspector.store.coverage_criteria import REPOSITORY_NAME, coverage_conditions
from openinspector.store.estate import resource_of
from openinspector.store.listing import Entries, page_of
from openinspector.store.tables import coverage, resource

Position = tuple[str, int, str]  # account, number of the resource, scan type
GroupBy = Literal[
    "SCAN_STATUS_CODE",
    "SCAN_STATUS_REASON",
    "ACCOUNT_ID",
    "RESOURCE_TYPE",
    "ECR_REPOSITORY_NAME",
    "PROVIDER",
    "PROVIDER_ACCOUNT_ID",
    "PROVIDER_REGION",
    "PROVIDER_ORG_ID",
]

_METADATA: Final[Mapping[str, type[EcrRepository | CodeRepository]]] = {
    "AWS_ECR_REPOSITORY": EcrRepository,
    "CODE_REPOSITORY": CodeRepository,
}
_RESOURCE: Final = "account region type external_id partition platform posture tags details".split()
_COVERAGE: Final = "resource_id scan_type status reason scan_mode last_scanned_at image_pulled_at metadata".split()
_COLUMNS: Final = (*(resource.c[name] for name in _RESOURCE), *(coverage.c[name] for name in _COVERAGE))
_GROUPS: Final[Mapping[GroupBy, Any]] = {
    "SCAN_STATUS_CODE": coverage.c.status,
    "SCAN_STATUS_REASON": coverage.c.reason,
    "ACCOUNT_ID": coverage.c.account,
    "RESOURCE_TYPE": resource.c.type,
    "ECR_REPOSITORY_NAME": REPOSITORY_NAME,
    "PROVIDER": type_coerce(literal("AWS"), Text),
    "PROVIDER_ACCOUNT_ID": coverage.c.account,
    "PROVIDER_REGION": coverage.c.region,
    "PROVIDER_ORG_ID": type_coerce(literal(""), Text),
}


class Counts(Struct, frozen=True, kw_only=True):
    """How many rows each group has, by its value in the order of values; what has no value is in no group.

    `total` is of all groups, whether they are among `groups` or not.
    """

    total: int
    groups: tuple[tuple[str, int], ...] = ()


def list_coverage(
    connection: Connection, region: str, criteria: Mapping[str, Entries], *, after: Position | None, size: int
) -> list[tuple[Position, Coverage]]:
    """At most `size` rows and one more, each with its place; the one too many says that there are more.

    Raises:
        UsageError: A field of the criteria is unknown.
    """
    asked = (
        select(*_COLUMNS)
        .join_from(coverage, resource, resource.c.id == coverage.c.resource_id)
        .where(coverage.c.region == region, *coverage_conditions(criteria))
    )
    keys = (coverage.c.account, coverage.c.resource_id, coverage.c.scan_type)
    rows = connection.execute(page_of(asked, keys, after, size)).all()
    return [((row.account, row.resource_id, row.scan_type), _noun(row)) for row in rows]


def count_coverage(
    connection: Connection,
    region: str,
    criteria: Mapping[str, Entries],
    *,
    by: GroupBy | None = None,
    after: str | None = None,
    size: int = 0,
) -> Counts:
    """How many rows there are in all and, with `by`, in at most `size` groups and one more, after a group's value.

    Raises:
        UsageError: A field of the criteria is unknown.
    """
    if by is None:
        total = connection.execute(_counted(region, criteria, func.count())).scalar_one()
        return Counts(total=int(total))
    value = _GROUPS[by].label("value")
    every = _counted(region, criteria, value, func.count().label("rows")).group_by(value).cte("every")
    # What has a value is counted once, for the total and for the page of groups alike.
    groups = select(every).where(every.c.value != "").cte("groups")
    total = select(func.coalesce(func.sum(groups.c.rows), 0).label("total")).subquery("total")
    key = groups.c.value.collate("C")
    page = page_of(select(groups), (key,), None if after is None else (after,), size).subquery("page")
    rows = connection.execute(
        select(total.c.total, page.c.value, page.c.rows)
        .select_from(total.outerjoin(page, true()))
        .order_by(page.c.value.collate("C"))
    ).all()
    found = tuple((row.value, row.rows) for row in rows if row.value is not None)
    return Counts(total=int(rows[0].total), groups=found)


def _counted(region: str, criteria: Mapping[str, Entries], *columns: Any) -> Select[Any]:
    # An outer join, which PostgreSQL leaves out where nothing asks for the resource.
    return (
        select(*columns)
        .select_from(coverage.outerjoin(resource, resource.c.id == coverage.c.resource_id))
        .where(coverage.c.region == region, *coverage_conditions(criteria))
    )


def _noun(row: Row[Any]) -> Coverage:
    metadata = _METADATA.get(row.type)
    return Coverage(
        resource=resource_of(row),
        scan_type=row.scan_type,
        status=ScanStatus(code=row.status, reason=row.reason),
        scan_mode=row.scan_mode or None,
        last_scanned_at=moment_text(row.last_scanned_at) if row.last_scanned_at else "",
        image_pulled_at=moment_text(row.image_pulled_at) if row.image_pulled_at else "",
        metadata=msgspec.convert(row.metadata, metadata) if metadata and row.metadata else None,
    )
