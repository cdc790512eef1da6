"""The walks of each sort: parts of it, one after the other, each along an index (see tables.py).

Where one value is nearly all there is, it has a walk of its own, and so has what an attribute is missing of. Of a
severity there are six values, and one walk each: of many accounts, those at the front have enough of the first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import FromClause, bindparam, cast, exists, func, literal_column, not_, select

from openinspector.find.criteria import compared
from openinspector.model.criteria import Criteria
from openinspector.model.finding import SEVERITIES
from openinspector.store.tables import enrichment, finding, resource

OF_FEW: Final = len(SEVERITIES)  # the number of the walk of a few findings by severity
Known = str | int | float | datetime | None  # a value that findings are sorted by


@dataclass(frozen=True, slots=True)
class Value:
    """What a walk is sorted by. `absent` is the SQL literal that counts where it is missing, "" where it never is."""

    column: Any
    absent: str = ""

    @property
    def key(self) -> Any:
        """As the index has it."""
        return self._known(self.column)

    def of(self, value: Known) -> Any:
        """The key of a value."""
        return self._known(cast(bindparam(None, value, type_=self.column.type), self.column.type))

    def _known(self, expression: Any) -> Any:
        return func.coalesce(expression, literal_column(self.absent)) if self.absent else expression


@dataclass(frozen=True, slots=True)
class Walk:
    """A part of a sort: findings in the order of value, tie (a text) and id.

    With both value and tie, these are of another table: of their resources, or of flaws, which are `ranked`. Its rows
    are walked, and the findings of each.
    """

    ranked: FromClause | None = None
    where: tuple[Any, ...] = ()
    value: Value | None = None
    tie: Any = None


def walks_of(sort: str, criteria: Criteria, *, is_of_few: bool) -> Mapping[int, Walk]:
    """The walks of a sort, in ascending order, by their numbers.

    `is_of_few` says that few findings meet the criteria: those are all read and sorted, in one walk.
    """
    if sort != "SEVERITY":
        return dict(enumerate(_SORTS[sort]))
    if is_of_few:
        # As an expression, lest the planner go through all that an account has for the sake of the order.
        return {OF_FEW: Walk(value=Value(finding.c.severity + 0))}
    holds = compared(criteria.severity or ())
    return {rank: _BY_RANK[rank] for rank, word in enumerate(SEVERITIES) if holds((word,))}


def _plain(sorted_by: Any, absent: str = "") -> tuple[Walk, ...]:
    return (Walk(value=Value(sorted_by, absent)),)


def _apart(sorted_by: Any, common: str, *, is_lowest: bool) -> tuple[Walk, ...]:
    """A walk of the one value that nearly all have, and one of the others, of which alone there is an index."""
    # Literals: the planner has to see that the condition is the partial index's.
    literal: Any = literal_column(f"'{common}'")
    most, others = Walk(where=(sorted_by == literal,)), Walk(where=(sorted_by != literal,), value=Value(sorted_by))
    return (most, others) if is_lowest else (others, most)


def _by_resource(sorted_by: Any, absent: str = "") -> tuple[Walk, ...]:
    return (Walk(value=Value(sorted_by, absent), tie=resource.c.external_id),)


def _by_epss() -> tuple[Walk, ...]:
    """Flaws without a score come first, and what has no flaw; then the others by their scores."""
    ranked = enrichment.alias("ranked")
    has_score = ranked.c.epss.is_not(None)
    linked = ranked.c.vulnerability_id == finding.c.vulnerability_id
    unknown = not_(exists(select(1).select_from(ranked).where(linked, has_score).correlate(finding)))
    return (
        Walk(where=(unknown,), tie=finding.c.vulnerability_id),
        Walk(ranked, where=(has_score,), value=Value(ranked.c.epss, "-1"), tie=ranked.c.vulnerability_id),
    )


def _by_rank() -> tuple[Walk, ...]:
    ranks: list[Any] = [literal_column(str(rank)) for rank in range(len(SEVERITIES))]
    return tuple(Walk(where=(finding.c.severity == rank,)) for rank in ranks)


_UNSORTED: Final = (Walk(),)
_SORTS: Final[Mapping[str, tuple[Walk, ...]]] = {
    "": _UNSORTED,
    "AWS_ACCOUNT_ID": _UNSORTED,
    "FINDING_TYPE": _apart(finding.c.type, "PACKAGE_VULNERABILITY", is_lowest=False),
    "FIRST_OBSERVED_AT": _plain(finding.c.first_observed_at),
    "LAST_OBSERVED_AT": _plain(finding.c.last_observed_at),
    "FINDING_STATUS": _apart(finding.c.status, "ACTIVE", is_lowest=True),
    "RESOURCE_TYPE": _by_resource(resource.c.type),
    "ECR_IMAGE_PUSHED_AT": _by_resource(resource.c.pushed_at, "'-infinity'"),
    "ECR_IMAGE_REPOSITORY_NAME": _by_resource(resource.c.repository),
    "ECR_IMAGE_REGISTRY": _by_resource(resource.c.registry),
    "NETWORK_PROTOCOL": _apart(finding.c.protocol, "", is_lowest=True),
    "COMPONENT_TYPE": _apart(finding.c.component_type, "", is_lowest=True),
    "VULNERABILITY_ID": _plain(finding.c.vulnerability_id),
    "VULNERABILITY_SOURCE": _plain(finding.c.vulnerability_source),
    "INSPECTOR_SCORE": _plain(finding.c.score, "-1"),
    "VENDOR_SEVERITY": _plain(finding.c.vendor_severity),
    "EPSS_SCORE": _by_epss(),
}
_BY_RANK: Final = _by_rank()
