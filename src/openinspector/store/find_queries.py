"""Lists of findings: filtered, sorted, and a page at a time.

A sort is a few *walks*, one after the other, each along an index (see walks.py). A page goes on in the walk and behind
the row where the last one ended, so no row is ever counted off, however far the page. Of several accounts each is
walked by itself, and the heads are merged: first a few of each, and then more of those alone that have all of these in
the page. Where the account comes first in the order, those at the front are asked first, and often nobody else is.

Findings that are equal in the sort field are ordered by account and id, as their ARNs are. Only where the field is one
of the resource's, or EPSS, the resource's or the flaw's own id comes between the two: that is what the index ends in.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Connection,
    FromClause,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.sql.visitors import iterate

from openinspector.model.criteria import Criteria
from openinspector.store.enablement import accessible
from openinspector.store.narrowing import Narrowing, accounts_meant
from openinspector.store.tables import WORD, finding, resource
from openinspector.store.walks import OF_FEW, Known, Walk, walks_of

Position = tuple[int, Known, str, str | None, bytes]  # walk, sort value, account, tie, id: a row and its place

_LOWEST_ID: Final = UUID(int=0)  # digests, so no finding has either of them
_HIGHEST_ID: Final = UUID(int=(1 << 128) - 1)
_BOUNDS: Final = (_LOWEST_ID, _HIGHEST_ID)
_FEW: Final = 8  # findings that each of many accounts is asked for at first
_LOWEST_TIE: Final = ""  # what has no id of its own isn't tied
_HIGHEST_TIE: Final = "\U0010ffff"


class FindingId(NamedTuple):
    """The primary key of a finding."""

    account: str
    region: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Sought:
    """Which findings, of which accounts of a region, and by what they are sorted.

    `sort` is one of `find.order.SORT_FIELDS`, "" for no order but a stable one.
    """

    accounts: Sequence[str]
    region: str
    criteria: Criteria
    sort: str = ""
    is_descending: bool = False


_WITH_RESOURCE: Final = finding.join(resource, finding.c.resource_id == resource.c.id)


def find_findings(
    connection: Connection, sought: Sought, size: int, after: Position | None = None
) -> tuple[list[FindingId], Position | None]:
    """A page of findings, and the position of its last one where more follow.

    `after` is the position that the page before gave, with the same `sought`.
    """
    sought = replace(sought, accounts=accounts_meant(sought.accounts, sought.criteria))
    narrowing = Narrowing(connection, sought.criteria, sought.region)
    is_of_few = after is not None and after[0] == OF_FEW
    if after is None and sought.sort == "SEVERITY":  # no other sort has a walk of a few
        is_of_few = narrowing.is_of_few(sought.accounts)
    walks = walks_of(sought.sort, sought.criteria, is_of_few=is_of_few)
    ahead = [number for number in walks if after is None or _is_ahead(number, after[0], sought)]
    met = [*narrowing.met, *accessible(connection, sought.accounts, sought.region)]
    rows: list[Position] = []
    for number in sorted(ahead, reverse=sought.is_descending):
        start = after if after is not None and after[0] == number else None
        found_here = _walked(connection, walks[number], sought, met, narrowing, size + 1 - len(rows), start)
        rows += [(number, row.value, row.account, row.tie, row.id.bytes) for row in found_here]
        if len(rows) > size:
            break
    page = rows[:size]
    found = [FindingId(account, sought.region, UUID(bytes=id_)) for _, _, account, _, id_ in page]
    return found, page[-1] if len(rows) > size else None


def flaws_of_findings(connection: Connection, ids: Collection[FindingId]) -> dict[FindingId, str]:
    """The vulnerability of each finding that is there and has one."""
    key = tuple_(finding.c.account, finding.c.region, finding.c.id)
    flaws = select(finding.c.account, finding.c.region, finding.c.id, finding.c.vulnerability_id)
    rows = connection.execute(flaws.where(key.in_(sorted(ids)), finding.c.vulnerability_id != ""))
    return {FindingId(row.account, row.region, row.id): row.vulnerability_id for row in rows}


def _is_ahead(number: int, current: int, sought: Sought) -> bool:
    return number <= current if sought.is_descending else number >= current


def _walked(
    connection: Connection,
    walk: Walk,
    sought: Sought,
    met: Sequence[Any],
    narrowing: Narrowing,
    limit: int,
    after: Position | None,
) -> list[Any]:
    """The next rows of a walk."""
    accounts = sorted(set(sought.accounts), reverse=sought.is_descending)
    if walk.value is None and walk.tie is None:
        rows: list[Any] = []
        for several in _growing(_from(accounts, after, sought)):
            concerned, also = narrowing.of_resources(several)
            if concerned:
                query = _query(walk, sought, concerned, [*met, *also], limit - len(rows), limit, after)
                rows += connection.execute(query)
            if len(rows) == limit:
                break
        return rows
    accounts, also = narrowing.of_resources(accounts)
    if not accounts:
        return []
    met = [*met, *also]
    few = max(_FEW, 2 * limit // len(accounts))
    heads = connection.execute(_query(walk, sought, accounts, met, limit, min(few, limit), after)).all()
    if few >= limit:
        return list(heads)
    # Who has fewer in the page than were asked of him has no other that belongs there.
    seen = Counter(row.account for row in heads)
    more = [account for account in accounts if seen[account] >= few]
    if not more:
        return list(heads)
    others = [row for row in heads if seen[row.account] < few]
    rest = connection.execute(_query(walk, sought, more, met, limit, limit, after)).all()
    both = sorted((*others, *rest), key=lambda row: _place(walk, row), reverse=sought.is_descending)
    return both[:limit]


def _from(accounts: Sequence[str], after: Position | None, sought: Sought) -> Sequence[str]:
    """The accounts from that of the last row on, in the order in which they are asked."""
    if after is None:
        return accounts
    return [each for each in accounts if (each <= after[2] if sought.is_descending else each >= after[2])]


def _growing(accounts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The first account, and then ever more of the others at a time."""
    start, count = 0, 1
    while start < len(accounts):
        yield accounts[start : start + count]
        start, count = start + count, count * 4


def _place(walk: Walk, row: Any) -> tuple[Any, ...]:
    """Where a row stands in the order of a walk, as `_order` has it; what is missing is less than all that is there."""
    value = (row.value is not None, row.value) if row.value is not None else (False,)
    return (*value, row.account, row.tie or "", row.id.bytes)


def _query(
    walk: Walk,
    sought: Sought,
    accounts: Sequence[str],
    met: Sequence[Any],
    limit: int,
    of_each: int,
    after: Position | None,
) -> Any:
    """The next rows of a walk: at most so many of each account, merged."""
    scope = _scope(walk, accounts, after)
    rows = (
        _rows(walk, sought, met, scope, after)
        if walk.ranked is None
        else _ranked_rows(walk, sought, met, scope, after, of_each)
    )
    each = rows.limit(of_each).lateral("found")
    merged = _order(walk, each.c.key, each.c.tie, account=each.c.account, id_=each.c.id)
    return (
        select(each.c.value, each.c.tie, each.c.account, each.c.id)
        .select_from(scope.join(each, true()))
        .order_by(*_directed(sought, merged))
        .limit(limit)
    )


def _rows(walk: Walk, sought: Sought, met: Sequence[Any], scope: Any, after: Position | None) -> Any:
    """The rows of an account, in the order of the walk's index."""
    nothing: Any = literal_column("NULL")
    key, value = (walk.value.key, walk.value.column) if walk.value is not None else (nothing, nothing)
    tie = walk.tie if walk.tie is not None else nothing
    of_account = [finding.c.account == scope.c.account, finding.c.region == sought.region]
    if tie is resource.c.external_id:  # it says nothing new, but of this table's index
        of_account += [resource.c.account == scope.c.account, resource.c.region == sought.region]
    return (
        select(key.label("key"), value.label("value"), tie.label("tie"), finding.c.account, finding.c.id)
        .select_from(_with_resource(walk, met))
        .where(*of_account, *walk.where, *met, *_behind(walk, sought, scope, after))
        .order_by(*_directed(sought, _order(walk, key, tie)))
    )


def _ranked_rows(
    walk: Walk, sought: Sought, met: Sequence[Any], scope: Any, after: Position | None, of_each: int
) -> Any:
    """The same for flaws that are ranked: from the first on, the findings that the account has of each.

    Left to choose, the planner would read all findings of the account and sort them.
    """
    assert walk.ranked is not None
    assert walk.value is not None
    behind = _behind(walk, sought, scope, after)
    own = (
        select(finding.c.account, finding.c.id)
        .select_from(_with_resource(walk, met))
        .where(finding.c.account == scope.c.account, finding.c.region == sought.region)
        .where(finding.c.vulnerability_id == walk.tie, *met, *behind[1:])
        .order_by(*_directed(sought, [finding.c.id]))
        .limit(of_each)
        .correlate(scope, walk.ranked)
        .lateral("own")
    )
    key = walk.value.key
    return (
        select(key.label("key"), walk.value.column.label("value"), walk.tie.label("tie"), own.c.account, own.c.id)
        .select_from(walk.ranked.join(own, true()))
        .where(*walk.where, *behind[:1])
        .order_by(*_directed(sought, _order(walk, key, walk.tie, id_=own.c.id)))
    )


def _with_resource(walk: Walk, met: Sequence[Any]) -> FromClause:
    """What is walked; the resource beside it only where something asks for it: most indexes say all by themselves."""
    asking = (walk.tie, walk.value and walk.value.column, *met)
    return _WITH_RESOURCE if any(map(_asks_resource, asking)) else finding


def _asks_resource(expression: Any) -> bool:
    if expression is None:
        return False
    return any(isinstance(each, TextClause) or getattr(each, "table", None) is resource for each in iterate(expression))


def _order(walk: Walk, key: Any, tie: Any, account: Any = None, id_: Any = None) -> list[Any]:
    """What rows are ordered by; those of one account don't need it."""
    order = [key] if walk.value is not None else []
    order += [account] if account is not None else []
    order += [tie] if walk.tie is not None else []
    return [*order, finding.c.id if id_ is None else id_]


def _directed(sought: Sought, order: Sequence[Any]) -> list[Any]:
    return [each.desc() if sought.is_descending else each.asc() for each in order]


def _scope(walk: Walk, accounts: Sequence[str], after: Position | None) -> Any:
    """The accounts as a table, each with the tie and id that its rows of the last sort value are behind.

    Of an account before that of the last row (in ascending order) all of those rows have been seen, so they are behind
    the highest; of one after it none has, so they are behind the lowest. Read backwards, the same numbers are right.
    """
    ids = sorted(set(accounts))
    arrays: list[tuple[str, Any, list[Any]]] = [("account", WORD, list(ids))]
    if after is not None:
        _, _, account, last_tie, last = after
        last_id = UUID(bytes=last)
        arrays.append(("id", postgresql.UUID(), [_placed(each, account, last_id, _BOUNDS) for each in ids]))
        if walk.tie is not None:
            ties = [_placed(each, account, last_tie, (_LOWEST_TIE, _HIGHEST_TIE)) for each in ids]
            arrays.append(("tie", WORD, ties))
    if len(ids) == 1:  # a value, so that the planner knows how much this account has
        return select(
            *(cast(bindparam(None, each[0], type_=kind), kind).label(name) for name, kind, each in arrays)
        ).subquery("scope")
    values = [cast(bindparam(None, each, type_=_array(kind)), _array(kind)) for _, kind, each in arrays]
    return func.unnest(*values).table_valued(*(column(name, kind) for name, kind, _ in arrays)).render_derived("scope")


def _array(kind: Any) -> Any:
    return postgresql.ARRAY(Text() if kind is WORD else kind)


def _placed(each: str, account: str, last: Any, bounds: tuple[Any, Any]) -> Any:
    lowest, highest = bounds
    return last if each == account else highest if each < account else lowest


def _behind(walk: Walk, sought: Sought, scope: Any, after: Position | None) -> tuple[Any, ...]:
    """Rows behind the last one. A comparison of rows is one range of the index."""
    if after is None:
        return ()
    here, there = [], []
    if walk.value is not None:
        here.append(walk.value.key)
        there.append(walk.value.of(after[1]))
    if walk.tie is not None:
        here.append(walk.tie)
        there.append(scope.c.tie)
    if len(here) == 2:  # the last row of the other table may have more findings
        rows, last = tuple_(*here), tuple_(*there)
        rest = or_(here[1] != there[1], _beyond(sought, finding.c.id, scope.c.id))
        return (rows <= last if sought.is_descending else rows >= last, rest)
    return (_beyond(sought, tuple_(*here, finding.c.id), tuple_(*there, scope.c.id)),)


def _beyond(sought: Sought, left: Any, right: Any) -> Any:
    return left < right if sought.is_descending else left > right
