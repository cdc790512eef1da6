"""What lists have in common: a page of rows after a key, and the comparisons of texts, numbers and tags.

How texts mix is as for findings: equal to one of the EQUALS entries or beginning with one of the PREFIX entries, if
there are any such, *and* different from every NOT_EQUALS entry. Of numbers and tags one entry has to hold.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, cast, func, or_, true, tuple_
from sqlalchemy.dialects.postgresql import JSONB

from openinspector.store.bulk import clean

Entries = Sequence[Mapping[str, Any]]


def page_of(
    rows: Select[Any], keys: Sequence[ColumnElement[Any]], after: Sequence[Any] | None, size: int, *, order: str = "ASC"
) -> Select[Any]:
    """At most `size` rows and one more, by `keys` (the last of which tells all rows apart), after a row's keys.

    The row too many says that there are more. `order` is `ASC` or `DESC`, of all keys alike; no key is NULL.
    """
    if after is not None:
        here, there = tuple_(*keys), tuple_(*after)
        rows = rows.where(here < there if order == "DESC" else here > there)
    return rows.order_by(*((key.desc() if order == "DESC" else key) for key in keys)).limit(size + 1)


def text_holds(column: ColumnElement[Any], entries: Entries) -> ColumnElement[bool]:
    """Whether a text is as the entries `{comparison, value}` have it."""
    values: dict[str, list[str]] = {"EQUALS": [], "PREFIX": [], "NOT_EQUALS": []}
    for each in entries:
        values[each["comparison"]].append(clean(each["value"]))
    wanted = [column.startswith(prefix, autoescape=True) for prefix in values["PREFIX"]]
    if values["EQUALS"]:
        wanted.append(column.in_(values["EQUALS"]))
    refused = column.notin_(values["NOT_EQUALS"]) if values["NOT_EQUALS"] else true()
    return and_(or_(*wanted) if wanted else true(), refused)


def number_holds(column: ColumnElement[Any], entries: Entries) -> ColumnElement[bool]:
    """Whether a number is within one of the entries `{lowerInclusive, upperInclusive}`."""
    return or_(*(_within(column, each.get("lowerInclusive"), each.get("upperInclusive")) for each in entries))


def moment_holds(column: ColumnElement[Any], entries: Entries) -> ColumnElement[bool]:
    """Whether a moment is within one of the entries `{earliestScanStartTime, latestScanStartTime}`."""
    return or_(
        *(_within(column, each.get("earliestScanStartTime"), each.get("latestScanStartTime")) for each in entries)
    )


def tag_holds(column: ColumnElement[Any], entries: Entries) -> ColumnElement[bool]:
    """Whether one of the entries `{key, value}` is among tags, a JSON object of lists of values."""
    return or_(*(column.contains(cast(func.jsonb_build_object(*_pair(each)), JSONB)) for each in entries))


def _pair(entry: Mapping[str, Any]) -> tuple[str, Any]:
    return clean(entry["key"]), func.jsonb_build_array(clean(entry["value"]))


def _within(column: ColumnElement[Any], lower: Any, upper: Any) -> ColumnElement[bool]:
    return and_(true() if lower is None else column >= lower, true() if upper is None else column <= upper)
