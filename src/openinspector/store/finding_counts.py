"""How many active findings there are, by account, package, resource and other groups; a page of groups at a time.

Where nothing is asked that only a finding itself knows, the numbers come from the tallies (see tallies.py); else, and
for layers, from the findings. Both give the same groups with the same numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Table,
    Text,
    and_,
    case,
    cast,
    func,
    literal_column,
    select,
    true,
    tuple_,
    union,
)
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.sql.visitors import replacement_traverse

from openinspector.model.criteria import Criteria
from openinspector.model.finding import SEVERITIES
from openinspector.store.criteria import conditions
from openinspector.store.enablement import accessible
from openinspector.store.finding_packages import finding_packages, in_layers
from openinspector.store.listing import Entries, text_holds
from openinspector.store.tables import WORD, finding, flaw_tally, package_tally, resource, resource_tally
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


@dataclass(frozen=True, slots=True)
class Grouping:
    """What groups findings. With `is_of_resource`, each group is of one resource, and maybe of a part of it."""

    columns: Mapping[str, Any]
    where: tuple[Any, ...] = ()
    beside: FromClause | None = None  # a table of the parts of the finding at hand, in each of which it counts
    is_of_resource: bool = False
    counts_resources: bool = False
    tally: Table | None = None
    layers: str = ""  # what the names of layers are like


def count_findings(
    connection: Connection, asked: Asked, size: int, after: Position | None = None
) -> tuple[list[Group], Position | None]:
    """A page of groups, and the position of its last one where more follow."""
    grouping = GROUPINGS[asked.by]
    at_hand = accessible(connection, asked.accounts, asked.region)
    rows: Sequence[Mapping[Any, Any]]
    if not is_tallied(grouping, asked):
        rows = connection.execute(_query(grouping, asked, at_hand, size + 1, after)).mappings().all()
    elif grouping.tally is resource_tally:
        rows = connection.execute(_of_resources(grouping, asked, at_hand, size + 1, after)).mappings().all()
    else:
        rows = _of_account(connection, grouping, asked, at_hand, size + 1, after)
    page = [_group(grouping, row) for row in rows[:size]]
    return page, (rows[size - 1]["number"], rows[size - 1]["tie"]) if len(rows) > size else None


def is_tallied(grouping: Grouping, asked: Asked) -> bool:
    """Whether a tally knows all that is asked."""
    told = {name for name in asked.criteria.__struct_fields__ if getattr(asked.criteria, name)}
    if grouping.tally is None:
        return False
    if grouping.tally is resource_tally:
        return not told & _OF_FINDING
    return told <= _OF_TALLY[grouping.tally.name] and not asked.texts.keys() - grouping.columns.keys()


def _query(grouping: Grouping, asked: Asked, at_hand: Sequence[Any], limit: int, after: Position | None) -> Any:
    counted = (
        _in_layers(grouping, asked, at_hand) if "layer" in grouping.columns else _counted(grouping, asked, at_hand)
    ).subquery("counted")
    return _grouped(grouping, asked, counted, _numbers(counted, grouping), limit, after)


def _of_resources(grouping: Grouping, asked: Asked, at_hand: Sequence[Any], limit: int, after: Position | None) -> Any:
    """The same from the tallies of resources."""
    tally = resource_tally
    compared = {"platform": resource.c.platform, "partition": resource.c.partition, **grouping.columns}
    met = [*grouping.where, *conditions(asked.criteria), *at_hand]
    met += [text_holds(compared[name], entries) for name, entries in asked.texts.items() if entries]
    counted = (
        select(
            *(_told_by(tally, each).label(name) for name, each in grouping.columns.items()),
            *(tally.c[name] for name in ("resource_id", "type", *COUNTS)),
        )
        .select_from(tally.join(resource, tally.c.resource_id == resource.c.id))
        .where(
            tally.c.account.in_(sorted(set(asked.accounts))),
            tally.c.region == asked.region,
            tally.c.total > 0,
            *(_told_by(tally, each) for each in met),
        )
        .subquery("counted")
    )
    numbers = _sums(counted)
    if grouping.counts_resources:
        numbers["resources"] = func.count(counted.c.resource_id.distinct())
    return _grouped(grouping, asked, counted, numbers, limit, after)


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


def _sums(tally: Any) -> dict[str, Any]:
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
    """What is said of findings, said of a tally; of resources too where the tally has no other table beside it."""

    def replaced(element: Any, **_: Any) -> Any:
        table = getattr(element, "table", None)
        if table is finding:
            return tally.c[element.name]
        if table is resource and tally is not resource_tally:
            return tally.c[_OF_RESOURCE[element.name]]
        return tally.c.name if element is _PACKAGE_NAME else None

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


def _in_layers(grouping: Grouping, asked: Asked, at_hand: Sequence[Any]) -> Any:
    """The same of layers: what is in an inventory is gone through once, and not again for each finding."""
    told = {name for name in asked.criteria.__struct_fields__ if getattr(asked.criteria, name)}
    which = [] if told & _OF_FINDING else conditions(asked.criteria)
    concerned = resource.alias("concerned")
    of_accounts = resource.c.account.in_(sorted(set(asked.accounts))), resource.c.region == asked.region
    met = (_moved(resource, concerned, each) for each in (*of_accounts, *grouping.where, *which))
    # What compares layers comes last.
    texts = {name: entries for name, entries in asked.texts.items() if name != "layer"}
    whole = replace(grouping, columns={}, beside=None)
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


def _numbers(counted: Any, grouping: Grouping) -> dict[str, Any]:
    def those(condition: Any) -> Any:
        return func.count().filter(condition)

    return {
        "all": func.count(),
        **{word: those(counted.c.severity == rank) for rank, word in enumerate(SEVERITIES)},
        "exploitable": those(counted.c.exploit),
        "fixable": those(counted.c.fix == "YES"),
        "network": those(counted.c.type == "NETWORK_REACHABILITY"),
        "resources": func.count(counted.c.resource_id.distinct()) if grouping.counts_resources else literal_column("0"),
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


def _of_kind(kind: str) -> Grouping:
    return Grouping({}, (resource.c.type == kind,), is_of_resource=True, tally=resource_tally)


def _layers(kind: str, *, named: str) -> Grouping:
    """Of each resource of a kind, the layers with vulnerable packages whose names are like this."""
    place = finding_packages().c.place
    layer = select(place.label("place")).where(place.like(named)).distinct().lateral("layer")
    return Grouping(
        {"layer": layer.c.place}, (resource.c.type == kind,), beside=layer, is_of_resource=True, layers=named
    )


_PACKAGE_NAMES: Final = func.unnest(finding.c.package_names).column_valued("package_name")
_NAMED: Final = select(cast(_PACKAGE_NAMES, WORD).label("name")).distinct().correlate(finding).lateral("named")
_PACKAGE_NAME: Final = _NAMED.c.name
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
_OF_RESOURCE: Final = {"type": "resource_type", "account": "account", "region": "region"}
_ACCOUNT: Final = {"account": finding.c.account}
_PLACE: Final = {**_ACCOUNT, "partition": resource.c.partition}
_IS_IMAGE: Final = resource.c.type == "AWS_ECR_CONTAINER_IMAGE"
_IS_MACHINE: Final = resource.c.type == "MACHINE_IMAGE"
_AMI: Final = case((_IS_MACHINE, resource.c.external_id), else_=resource.c.details.op("->>")("image_id"))
_SCAN: Final = case((_IS_MACHINE, "MACHINE_IMAGE_SCAN"), else_="INSTANCE_SCAN")

GROUPINGS: Final[Mapping[str, Grouping]] = {
    "account": Grouping(_ACCOUNT, tally=resource_tally),
    "place": Grouping(_PLACE, tally=resource_tally),
    "package": Grouping(
        {"name": _PACKAGE_NAME, **_ACCOUNT}, (_PACKAGE_NAME != "",), beside=_NAMED, tally=package_tally
    ),
    "title": Grouping(
        {"title": finding.c.title, "vulnerability": finding.c.vulnerability_id, **_ACCOUNT}, tally=flaw_tally
    ),
    "repository": Grouping(
        {"repository": resource.c.repository, **_PLACE},
        (_IS_IMAGE, resource.c.repository != ""),
        counts_resources=True,
        tally=resource_tally,
    ),
    "ami": Grouping(
        {"ami": _AMI, "scan": _SCAN, **_PLACE},
        (and_(resource.c.type.in_(("AWS_EC2_INSTANCE", "MACHINE_IMAGE")), _AMI != ""),),
        counts_resources=True,
        tally=resource_tally,
    ),
    "instance": _of_kind("AWS_EC2_INSTANCE"),
    "image": _of_kind("AWS_ECR_CONTAINER_IMAGE"),
    "function": _of_kind("AWS_LAMBDA_FUNCTION"),
    "code repository": _of_kind("CODE_REPOSITORY"),
    "image layer": _layers("AWS_ECR_CONTAINER_IMAGE", named="sha256:%"),
    "function layer": _layers("AWS_LAMBDA_FUNCTION", named="arn:%"),
}
