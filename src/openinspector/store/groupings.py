"""By what active findings are counted: the groupings of the aggregations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import FromClause, Table, and_, case, cast, func, select

from openinspector.store.finding_packages import finding_packages
from openinspector.store.tables import WORD, finding, flaw_tally, layer_tally, package_tally, resource, resource_tally


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


def _of_kind(kind: str) -> Grouping:
    return Grouping({}, (resource.c.type == kind,), is_of_resource=True, tally=resource_tally)


def _layers(kind: str, *, named: str) -> Grouping:
    """Of each resource of a kind, the layers with vulnerable packages whose names are like this."""
    place = finding_packages().c.place
    layer = select(place.label("place")).where(place.like(named)).distinct().lateral("layer")
    return Grouping(
        {"layer": layer.c.place},
        (resource.c.type == kind,),
        beside=layer,
        is_of_resource=True,
        tally=layer_tally,
        layers=named,
    )


_PACKAGE_NAMES: Final = func.unnest(finding.c.package_names).column_valued("package_name")
_NAMED: Final = select(cast(_PACKAGE_NAMES, WORD).label("name")).distinct().correlate(finding).lateral("named")
PACKAGE_NAME: Final = _NAMED.c.name
_ACCOUNT: Final = {"account": finding.c.account}
_PLACE: Final = {**_ACCOUNT, "partition": resource.c.partition}
_IS_IMAGE: Final = resource.c.type == "AWS_ECR_CONTAINER_IMAGE"
_IS_MACHINE: Final = resource.c.type == "MACHINE_IMAGE"
_AMI: Final = case((_IS_MACHINE, resource.c.external_id), else_=resource.c.details.op("->>")("image_id"))
_SCAN: Final = case((_IS_MACHINE, "MACHINE_IMAGE_SCAN"), else_="INSTANCE_SCAN")

GROUPINGS: Final[Mapping[str, Grouping]] = {
    "account": Grouping(_ACCOUNT, tally=resource_tally),
    "place": Grouping(_PLACE, tally=resource_tally),
    "package": Grouping({"name": PACKAGE_NAME, **_ACCOUNT}, (PACKAGE_NAME != "",), beside=_NAMED, tally=package_tally),
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
