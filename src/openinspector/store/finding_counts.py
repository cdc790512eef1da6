"""How many active findings there are, by account, package, resource and other groups; a page of groups at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sqlalchemy import Connection, FromClause, Text, and_, case, cast, func, literal_column, select, true, tuple_

from openinspector.model.criteria import Criteria
from openinspector.model.finding import SEVERITIES
from openinspector.store.criteria import conditions
from openinspector.store.finding_packages import finding_packages
from openinspector.store.listing import Entries, text_holds
from openinspector.store.tables import WORD, finding, resource

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


def count_findings(
    connection: Connection, asked: Asked, size: int, after: Position | None = None
) -> tuple[list[Group], Position | None]:
    """A page of groups, and the position of its last one where more follow."""
    grouping = GROUPINGS[asked.by]
    rows = connection.execute(_query(grouping, asked, size + 1, after)).mappings().all()
    page = [_group(grouping, row) for row in rows[:size]]
    return page, (rows[size - 1]["number"], rows[size - 1]["tie"]) if len(rows) > size else None


def _query(grouping: Grouping, asked: Asked, limit: int, after: Position | None) -> Any:
    counted = _counted(grouping, asked)
    keys = [counted.c[name] for name in grouping.columns]
    if grouping.is_of_resource:
        keys.append(counted.c.resource_id)
    numbers = _numbers(counted, grouping)
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


def _counted(grouping: Grouping, asked: Asked) -> Any:
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
            *(text_holds(compared[name], entries) for name, entries in asked.texts.items() if entries),
        )
        .subquery("counted")
    )


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
    return Grouping({}, (resource.c.type == kind,), is_of_resource=True)


def _layers(kind: str, *, named: str) -> Grouping:
    """Of each resource of a kind, the layers with vulnerable packages whose names are like this."""
    place = finding_packages().c.place
    layer = select(place.label("place")).where(place.like(named)).distinct().lateral("layer")
    return Grouping({"layer": layer.c.place}, (resource.c.type == kind,), beside=layer, is_of_resource=True)


def _packages() -> Grouping:
    names = func.unnest(finding.c.package_names).column_valued("package_name")
    each = select(cast(names, WORD).label("name")).distinct().correlate(finding).lateral("named")
    return Grouping({"name": each.c.name, "account": finding.c.account}, (each.c.name != "",), beside=each)


_ACCOUNT: Final = {"account": finding.c.account}
_PLACE: Final = {**_ACCOUNT, "partition": resource.c.partition}
_IS_IMAGE: Final = resource.c.type == "AWS_ECR_CONTAINER_IMAGE"
_IS_MACHINE: Final = resource.c.type == "MACHINE_IMAGE"
_AMI: Final = case((_IS_MACHINE, resource.c.external_id), else_=resource.c.details.op("->>")("image_id"))
_SCAN: Final = case((_IS_MACHINE, "MACHINE_IMAGE_SCAN"), else_="INSTANCE_SCAN")

GROUPINGS: Final[Mapping[str, Grouping]] = {
    "account": Grouping(_ACCOUNT),
    "place": Grouping(_PLACE),
    "package": _packages(),
    "title": Grouping({"title": finding.c.title, "vulnerability": finding.c.vulnerability_id, **_ACCOUNT}),
    "repository": Grouping(
        {"repository": resource.c.repository, **_PLACE},
        (_IS_IMAGE, resource.c.repository != ""),
        counts_resources=True,
    ),
    "ami": Grouping(
        {"ami": _AMI, "scan": _SCAN, **_PLACE},
        (and_(resource.c.type.in_(("AWS_EC2_INSTANCE", "MACHINE_IMAGE")), _AMI != ""),),
        counts_resources=True,
    ),
    "instance": _of_kind("AWS_EC2_INSTANCE"),
    "image": _of_kind("AWS_ECR_CONTAINER_IMAGE"),
    "function": _of_kind("AWS_LAMBDA_FUNCTION"),
    "code repository": _of_kind("CODE_REPOSITORY"),
    "image layer": _layers("AWS_ECR_CONTAINER_IMAGE", named="sha256:%"),
    "function layer": _layers("AWS_LAMBDA_FUNCTION", named="arn:%"),
}
