"""How many active findings there are, by account, package, resource and other groups; a page of groups at a time.

Where nothing is asked that only a finding itself knows, the numbers come from the tallies (see tallies.py); else from
the findings, and so for the layers of resources whose tallies are out of date. Both give the same groups with the same
numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Table,
    Text,
    and_,
    cast,
    func,
    literal_column,
    select,
    true,
    tuple_,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.sql.visitors import replacement_traverse

from openinspector.model.criteria import Criteria
from openinspector.model.finding import SEVERITIES
from openinspector.store.criteria import conditions
from openinspector.store.enablement import accessible
from openinspector.store.finding_packages import in_layers
from openinspector.store.groupings import GROUPINGS, PACKAGE_NAME, Grouping
from openinspector.store.listing import Entries, text_holds
from openinspector.store.tables import (
    WORD,
    finding,
    layer_recount,
    layer_tally,
    resource,
    resource_tally,
)
from openinspector.store.tallies import COUNTS

Sort = Literal["CRITICAL", "HIGH", "ALL", "NETWORK", "RESOURCES"]
Position = tuple[int, str | int]  # the number sorted by, and what tells the group apart


@dataclass(frozen=True, slots=True)
class About:
    """The resource that a group is about; `details` are those of its kind."""

    id: str
    account: str
    partition: str
    platform: str
    tags: Mapping[str, str]
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one group. `told` is what they have in common, by the names of the grouping's columns."""

    told: Mapping[str, str]
    all: int
    severities: Mapping[str, int]
    exploitable: int
    fixable: int
    network: int
    resources: int
    about: About | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which findings are counted, by what, and how the groups are sorted.

    `by` is one of `GROUPINGS`. `texts` are comparisons of its columns, and of the resource's `platform` and
    `partition`, which criteria don't have.
    """

    by: str
    accounts: Sequence[str]
    region: str
    criteria: Criteria
    texts: Mapping[str, Entries] = field(default_factory=dict)
    sort: Sort = "CRITICAL"
    is_descending: bool = True


def count_findings(
    connection: Connection, asked: Asked, size: int, after: Position | None = None
) -> tuple[list[Group], Position | None]:
    """A page of groups, and the position of its last one where more follow."""
    grouping = GROUPINGS[asked.by]
    at_hand = accessible(connection, asked.accounts, asked.region)
    rows: Sequence[Mapping[Any, Any]]
    if not is_tallied(grouping, asked):
        rows = connection.execute(_query(grouping, asked, at_hand, size + 1, after)).mappings().all()
    elif grouping.tally in _OF_RESOURCES:
        is_behind = grouping.tally is layer_tally and bool(
            connection.execute(select(_marked(asked).exists())).scalar_one()
        )
        query = _of_resources(grouping, asked, at_hand, size + 1, after, is_behind=is_behind)
        rows = connection.execute(query).mappings().all()
    else:
        rows = _of_account(connection, grouping, asked, at_hand, size + 1, after)
    page = [_group(grouping, row) for row in rows[:size]]
    return page, (rows[size - 1]["number"], rows[size - 1]["tie"]) if len(rows) > size else None


def is_tallied(grouping: Grouping, asked: Asked) -> bool:
    """Whether a tally knows all that is asked."""
    told = {name for name in asked.criteria.__struct_fields__ if getattr(asked.criteria, name)}
    if grouping.tally is None:
        return False
    if grouping.tally in _OF_RESOURCES:
        return not told & _OF_FINDING
    return told <= _OF_TALLY[grouping.tally.name] and not asked.texts.keys() - grouping.columns.keys()


def _query(grouping: Grouping, asked: Asked, at_hand: Sequence[Any], limit: int, after: Position | None) -> Any:
    counted = (
        _in_layers(grouping, asked, at_hand) if "layer" in grouping.columns else _counted(grouping, asked, at_hand)
    ).subquery("counted")
    return _grouped(grouping, asked, counted, _with_resources(grouping, counted, numbers_of(counted)), limit, after)


def counted_in_layers(by: str, account: str, region: str, resources: Sequence[int]) -> Any:
    """A row for each active finding of these resources in each of the layers that it is in."""
    asked = Asked(by, (account,), region, Criteria())
    return _in_layers(GROUPINGS[by], asked, (), (resource.c.id.in_(resources),))


def _marked(asked: Asked) -> Any:
    """The resources whose layers are to be counted anew."""
    return select(layer_recount.c.resource_id).where(
        layer_recount.c.account.in_(sorted(set(asked.accounts))), layer_recount.c.region == asked.region
    )


def _of_resources(
    grouping: Grouping,
    asked: Asked,
    at_hand: Sequence[Any],
    limit: int,
    after: Position | None,
    *,
    is_behind: bool,
) -> Any:
    """The same from the tallies of resources; where these are behind, what they don't know is counted besides."""
    tally = grouping.tally
    assert tally is not None
    named = {
        name: tally.c.layer if name == "layer" else _told_by(tally, each) for name, each in grouping.columns.items()
    }
    compared = {"platform": resource.c.platform, "partition": resource.c.partition, **named}
    met = [_told_by(tally, each) for each in (*grouping.where, *conditions(asked.criteria), *at_hand)]
    met += [text_holds(compared[name], entries) for name, entries in asked.texts.items() if entries]
    columns = ("resource_id", "type", *COUNTS)
    marked = _marked(asked)
    tallied = (
        select(*(each.label(name) for name, each in named.items()), *(tally.c[name] for name in columns))
        .select_from(tally.join(resource, tally.c.resource_id == resource.c.id))
        .where(
            tally.c.account.in_(sorted(set(asked.accounts))),
            tally.c.region == asked.region,
            tally.c.total > 0,
            *met,
            *((tally.c.resource_id.not_in(marked),) if is_behind else ()),
        )
    )
    rows: Any = tallied
    if is_behind:
        now = _in_layers(grouping, asked, at_hand, (resource.c.id.in_(marked),)).subquery("now")
        one = _counts_of_one(now)
        rows = union_all(
            tallied, select(*(now.c[name] for name in grouping.columns), now.c.resource_id, now.c.type, *one)
        )
    counted = rows.subquery("counted")
    return _grouped(grouping, asked, counted, _with_resources(grouping, counted, _sums(counted)), limit, after)


def _of_account(
    connection: Connection,
    grouping: Grouping,
    asked: Asked,
    at_hand: Sequence[Any],
    limit: int,
    after: Position | None,
) -> Sequence[Mapping[Any, Any]]:
    """The same from the tallies of accounts, whose groups are told by a digest.

    Often there are as many groups with the number that is sorted by as are asked for: then nothing is looked at that
    has none of it.
    """
    tally = grouping.tally
    assert tally is not None
    met = [
        tally.c.account.in_(sorted(set(asked.accounts))),
        tally.c.region == asked.region,
        *(_told_by(tally, each) for each in (*conditions(asked.criteria), *at_hand)),
        *(_told_by(tally, text_holds(grouping.columns[name], each)) for name, each in asked.texts.items() if each),
    ]
    if asked.is_descending and asked.sort == "CRITICAL" and (after is None or after[0] > 0):
        page = _page_of_account(grouping, asked, met, tally.c.critical != 0, limit, after)
        rows = connection.execute(page).mappings().all()
        if len(rows) == limit:
            return rows
    return connection.execute(_page_of_account(grouping, asked, met, true(), limit, after)).mappings().all()


def _page_of_account(
    grouping: Grouping, asked: Asked, met: Sequence[Any], at_first: Any, limit: int, after: Position | None
) -> Any:
    """Which groups are in the page, by one number; and then the others of those."""
    tally = grouping.tally
    assert tally is not None
    number = _sums(tally)[_NUMBER[asked.sort]]
    chosen = select(tally.c.account, tally.c.region, tally.c.digest, number.label("number")).where(*met, at_first)
    chosen = chosen.group_by(tally.c.account, tally.c.region, tally.c.digest).having(func.sum(tally.c.total) > 0)
    if after is not None:
        here, there = tuple_(number, tally.c.digest), tuple_(after[0], cast(str(after[1]), UUID()))
        chosen = chosen.having(here < there if asked.is_descending else here > there)
    page = chosen.order_by(*_directed(asked, number, tally.c.digest)).limit(limit).cte("page")
    same = and_(*(tally.c[name] == page.c[name] for name in ("account", "region", "digest")))
    tie = cast(page.c.digest, Text).label("tie")
    told = (_told_by(tally, each).label(name) for name, each in grouping.columns.items())
    return (
        select(*(func.min(each).label(each.name) for each in told), page.c.number, tie)
        .add_columns(*(each.label(name) for name, each in _sums(tally).items()))
        .select_from(page.join(tally, same))
        .where(*met)
        .group_by(page.c.number, page.c.digest)
        .order_by(*_directed(asked, page.c.number, page.c.digest))
    )


def _with_resources(grouping: Grouping, counted: Any, numbers: dict[str, Any]) -> dict[str, Any]:
    if not grouping.counts_resources:
        return numbers
    return numbers | {"resources": func.count(counted.c.resource_id.distinct())}


def _sums(tally: Any) -> dict[str, Any]:
    """The numbers of a group, from rows that have those of `COUNTS`."""

    def total(column: Any) -> Any:
        return cast(func.sum(column), BigInteger)

    is_network = tally.c.type == "NETWORK_REACHABILITY"
    return {
        "all": total(tally.c.total),
        **{word: total(tally.c[word.lower()]) for word in SEVERITIES},
        "exploitable": total(tally.c.exploitable),
        "fixable": total(tally.c.fixable),
        "network": func.coalesce(cast(func.sum(tally.c.total).filter(is_network), BigInteger), 0),
        "resources": literal_column("0"),
    }


def _told_by(tally: Table, expression: Any) -> Any:
    """What is said of findings, said of a tally; of resources too where the tally has no such table beside it."""

    def replaced(element: Any, **_: Any) -> Any:
        table = getattr(element, "table", None)
        if table is finding:
            return tally.c[element.name]
        if table is resource and tally not in _OF_RESOURCES:
            return tally.c[_OF_RESOURCE[element.name]]
        return tally.c.name if element is PACKAGE_NAME else None

    return replacement_traverse(expression, {}, replaced)


def _grouped(
    grouping: Grouping,
    asked: Asked,
    counted: Any,
    numbers: Mapping[str, Any],
    limit: int,
    after: Position | None,
) -> Any:
    keys = [counted.c[name] for name in grouping.columns]
    if grouping.is_of_resource:
        keys.append(counted.c.resource_id)
    number, tie = numbers[_NUMBER[asked.sort]], _tie(keys)
    groups = select(*keys, *(each.label(name) for name, each in numbers.items()), number.label("number"), tie)
    groups = groups.group_by(*keys).order_by(*_directed(asked, number, tie)).limit(limit)
    if after is not None:
        here, there = tuple_(number, tie), tuple_(*after)
        groups = groups.having(here < there if asked.is_descending else here > there)
    if not grouping.is_of_resource:
        return groups
    page = groups.subquery("page")
    columns = ("external_id", "account", "partition", "platform", "tags", "details")
    return (
        select(page, *(resource.c[name] for name in columns))
        .join_from(page, resource, resource.c.id == page.c.resource_id)
        .order_by(*_directed(asked, page.c.number, page.c.tie))
    )


def _counted(grouping: Grouping, asked: Asked, at_hand: Sequence[Any]) -> Any:
    """A row for each finding that counts, or for each of its parts."""
    source: FromClause = finding.join(resource, finding.c.resource_id == resource.c.id)
    if grouping.beside is not None:
        source = source.join(grouping.beside, true())
    compared = {"platform": resource.c.platform, "partition": resource.c.partition, **grouping.columns}
    return (
        select(
            *(each.label(name) for name, each in grouping.columns.items()),
            *(finding.c[name] for name in ("resource_id", "severity", "exploit", "fix", "type")),
        )
        .select_from(source)
        .where(
            finding.c.account.in_(sorted(set(asked.accounts))),
            finding.c.region == asked.region,
            finding.c.status == "ACTIVE",
            *grouping.where,
            *conditions(asked.criteria),
            *at_hand,
            *(text_holds(compared[name], entries) for name, entries in asked.texts.items() if entries),
        )
    )


def _in_layers(grouping: Grouping, asked: Asked, at_hand: Sequence[Any], of_resource: Sequence[Any] = ()) -> Any:
    """The same of layers: what is in an inventory is gone through once, and not again for each finding.

    `of_resource` says of which resources alone.
    """
    told = {name for name in asked.criteria.__struct_fields__ if getattr(asked.criteria, name)}
    which = [] if told & {*_OF_FINDING, "finding_type"} else conditions(asked.criteria)
    concerned = resource.alias("concerned")
    of_accounts = resource.c.account.in_(sorted(set(asked.accounts))), resource.c.region == asked.region
    met = (_moved(resource, concerned, each) for each in (*of_accounts, *grouping.where, *which, *of_resource))
    # What compares layers comes last.
    texts = {name: entries for name, entries in asked.texts.items() if name != "layer"}
    whole = replace(grouping, columns={}, beside=None)
    at_hand = (*at_hand, *of_resource)
    findings = _counted(whole, replace(asked, texts=texts), at_hand).add_columns(finding.c.id)
    matched = in_layers(findings, select(concerned.c.inventory_id).where(*met)).subquery("matched")
    kept = _counted(grouping, asked, at_hand).add_columns(finding.c.id)
    kept = kept.where(finding.c.details.has_key("packages"))
    compared = asked.texts.get("layer")
    named: list[ColumnElement[bool]] = [matched.c.layer.like(grouping.layers)]
    named += [text_holds(matched.c.layer, compared)] if compared else []
    columns = [each.name for each in kept.selected_columns]
    return union(select(*(matched.c[name] for name in columns)).where(*named), kept)


def _moved(table: Table, alias: Any, expression: Any) -> Any:
    """What is said of a table, said of an alias of it."""

    def replaced(element: Any, **_: Any) -> Any:
        if getattr(element, "table", None) is table:
            return alias.c[element.name]
        return alias.c.account if element is finding.c.account else None

    return replacement_traverse(expression, {}, replaced)


def _counts_of_one(found: Any) -> list[Any]:
    """What a finding adds to each of `COUNTS`."""
    ranks = [cast(found.c.severity == rank, Integer) for rank in range(len(SEVERITIES))]
    is_exploitable = cast(func.coalesce(found.c.exploit, False), Integer)
    return [literal_column("1"), *ranks, is_exploitable, cast(found.c.fix == "YES", Integer)]


def numbers_of(found: Any) -> dict[str, Any]:
    """The numbers of a group of findings: of all, by severity, and so on."""

    def those(condition: Any) -> Any:
        return func.count().filter(condition)

    return {
        "all": func.count(),
        **{word: those(found.c.severity == rank) for rank, word in enumerate(SEVERITIES)},
        "exploitable": those(found.c.exploit),
        "fixable": those(found.c.fix == "YES"),
        "network": those(found.c.type == "NETWORK_REACHABILITY"),
        "resources": literal_column("0"),
    }


_NUMBER: Final[Mapping[Sort, str]] = {
    "CRITICAL": "CRITICAL",
    "HIGH": "HIGH",
    "ALL": "all",
    "NETWORK": "network",
    "RESOURCES": "resources",
}


def _tie(keys: Sequence[Any]) -> Any:
    """What orders groups with equal numbers: short, however long a title is, for it goes into a page's token."""
    if len(keys) == 1:
        return keys[0].label("tie")
    return cast(func.md5(cast(func.jsonb_build_array(*keys), Text)), WORD).label("tie")


def _directed(asked: Asked, *order: Any) -> list[Any]:
    return [each.desc() if asked.is_descending else each.asc() for each in order]


def _group(grouping: Grouping, row: Mapping[Any, Any]) -> Group:
    return Group(
        told={name: row[name] for name in grouping.columns},
        all=row["all"],
        severities={word: row[word] for word in SEVERITIES},
        exploitable=row["exploitable"],
        fixable=row["fixable"],
        network=row["network"],
        resources=row["resources"],
        about=About(
            id=row["external_id"],
            account=row["account"],
            partition=row["partition"],
            platform=row["platform"],
            tags=row["tags"],
            details=row["details"],
        )
        if grouping.is_of_resource
        else None,
    )


# Criteria that only a finding itself can meet, and those that the tallies of accounts know.
_OF_FINDING: Final = frozenset(
    {
        *("finding_arn", "severity", "first_observed_at", "last_observed_at", "updated_at", "finding_status", "title"),
        *("inspector_score", "epss_score", "fix_available", "exploit_available", "vulnerability_id"),
        *("vulnerability_source", "vendor_severity", "related_vulnerabilities", "vulnerable_packages", "port_range"),
        *("network_protocol", "component_id", "component_type"),
    }
)
_OF_TALLY: Final[Mapping[str, frozenset[str]]] = {
    "flaw_tally": frozenset({"aws_account_id", "finding_type", "resource_type", "title", "vulnerability_id"}),
    "package_tally": frozenset({"aws_account_id", "finding_type", "resource_type"}),
}
_OF_RESOURCES: Final = (resource_tally, layer_tally)
_OF_RESOURCE: Final = {"type": "resource_type", "account": "account", "region": "region"}
