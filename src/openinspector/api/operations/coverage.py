"""ListCoverage and ListCoverageStatistics: which resources are watched, how, and how many. Administrators see members.

Source: Inspector's API reference. Statistics come five groups a page, which is all that the model's CountsList holds.
"""

from collections.abc import Mapping
from typing import Any, Final

from openinspector.api.context import Context, Handler
from openinspector.api.errors import ValidationFailed, field_failed
from openinspector.api.operations._view import accounts_in_view
from openinspector.errors import UsageError
from openinspector.render.inspector2_resources import covered_resource
from openinspector.store.coverage import count_coverage, list_coverage

_MOST_GROUPS: Final = 5


def list_covered(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """A row for each resource and kind of scan."""
    page = context.page(given)
    criteria = given.get("filterCriteria") or {}
    place: Any = page.after
    try:
        with context.connect(*accounts_in_view(context)) as connection:
            rows = list_coverage(connection, context.region, criteria, after=place, size=page.size)
    except UsageError as error:
        raise _refused(error) from error
    shown = rows[: page.size]
    output: dict[str, Any] = {"coveredResources": [covered_resource(each) for _, each in shown]}
    if len(rows) > page.size:
        output["nextToken"] = page.token(shown[-1][0])
    return output


def list_statistics(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """How many rows there are, in all and by group."""
    page = context.page(given)
    criteria = given.get("filterCriteria") or {}
    size = min(page.size, _MOST_GROUPS)
    place: Any = page.after[0] if page.after else None
    try:
        with context.connect(*accounts_in_view(context)) as connection:
            counts = count_coverage(
                connection, context.region, criteria, by=given.get("groupBy"), after=place, size=size
            )
    except UsageError as error:
        raise _refused(error) from error
    shown = counts.groups[:size]
    output: dict[str, Any] = {"totalCounts": counts.total}
    if shown:
        output["countsByGroup"] = [{"groupKey": value, "count": count} for value, count in shown]
    if len(counts.groups) > size:
        output["nextToken"] = page.token((shown[-1][0],))
    return output


def _refused(error: UsageError) -> ValidationFailed:
    return field_failed("filterCriteria", str(error))


OPERATIONS: Final[Mapping[str, Handler]] = {
    "ListCoverage": list_covered,
    "ListCoverageStatistics": list_statistics,
}
