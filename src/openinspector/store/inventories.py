"""Inventories read back: what was found on a resource, and which of its packages have which flaws.

And the resources whose inventories are exported: those that are monitored, which is to say that a kind of scan sees
them now, and that something was read from.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, exists, select, text, tuple_

from openinspector.model.distro import Distribution
from openinspector.model.inventory import Inventory, Layer, Target
from openinspector.model.package import Location, Package, SourcePackage
from openinspector.model.problem import Problem
from openinspector.store.coverage_criteria import coverage_conditions
from openinspector.store.finding_packages import SILENT
from openinspector.store.listing import Entries
from openinspector.store.tables import coverage, inventory, resource


def monitored_resources(
    connection: Connection,
    account: str,
    region: str,
    criteria: Mapping[str, Entries],
    size: int,
    after: tuple[str, int] | None = None,
) -> Sequence[Row[Any]]:
    """A page of an account's monitored resources that have an inventory, after one's type and id.

    `criteria` are the API's `ResourceFilterCriteria`.

    Raises:
        UsageError: A field that we don't know.
    """
    seen = exists().where(
        coverage.c.resource_id == resource.c.id, coverage.c.status == "ACTIVE", *coverage_conditions(criteria)
    )
    rows = select(resource).where(
        resource.c.account == account,
        resource.c.region == region,
        resource.c.inventory_id.is_not(None),
        resource.c.gone_at.is_(None),
        seen.correlate(resource),
    )
    if after is not None:
        rows = rows.where(tuple_(resource.c.type, resource.c.id) > tuple_(*after))
    return connection.execute(rows.order_by(resource.c.type, resource.c.id).limit(size)).all()


def read_inventory(
    connection: Connection, inventory_id: int
) -> tuple[Inventory, dict[Package, tuple[str, ...]]] | None:
    """An inventory, and the ids of the flaws of those of its packages that have any; None where it isn't seen."""
    row = connection.execute(select(inventory).where(inventory.c.id == inventory_id)).one_or_none()
    if row is None:
        return None
    layers = tuple(row.layers)
    placed = {each.position: _package(each, layers) for each in connection.execute(_PACKAGES, {"id": inventory_id})}
    flaws: dict[Package, tuple[str, ...]] = {}
    for each in connection.execute(_FLAWS, {"id": inventory_id, "silent": list(SILENT)}):
        package = placed[each.position]
        flaws[package] = (*flaws.get(package, ()), *each.flaws)
    target = Target(
        kind=row.kind,
        name="",
        platform=row.platform,
        running_kernel=row.running_kernel,
        layers=tuple(Layer(diff_id=each) for each in layers),
    )
    read = Inventory(
        target=target,
        packages=tuple(placed.values()),
        distribution=msgspec.convert(row.distribution, Distribution) if row.distribution else None,
        problems=msgspec.convert(row.problems, tuple[Problem, ...]),
        repositories=tuple(row.repositories),
        status=row.status,
    )
    return read, flaws


def surroundings(connection: Connection, inventories: Collection[int]) -> dict[int, tuple[str, str]]:
    """The namespace of the distribution of each inventory, and the repositories that are enabled, one a line."""
    rows = connection.execute(_SURROUNDINGS, {"ids": sorted(inventories)})
    return {row.id: (row.namespace, "\n".join(sorted(set(row.repositories)))) for row in rows}


def _package(row: Any, layers: Sequence[str]) -> Package:
    extra = row.extra or {}
    return Package(
        type=row.type,
        name=row.name,
        version=row.version,
        location=Location(path=row.path, layer=_layer(layers, row.layer), introduced=_layer(layers, row.introduced)),
        arch=row.arch,
        source=SourcePackage(name=row.source_name, version=row.source_version) if row.source_name else None,
        module=row.module,
        repository=row.repository,
        owner=row.owner,
        **{name: value for name, value in extra.items() if name != "qualifiers"},
        qualifiers=tuple((extra.get("qualifiers") or {}).items()),
    )


def _layer(layers: Sequence[str], position: int | None) -> str:
    return layers[position] if position is not None and position < len(layers) else ""


_SURROUNDINGS: Final = text("SELECT id, namespace, repositories FROM inventory WHERE id = ANY (:ids)")
_PACKAGES: Final = text(
    "SELECT ip.position, ip.layer, ip.introduced, ip.path, ip.owner, ip.extra, p.type, p.name, p.version, p.arch,"
    " p.module, p.repository, p.source_name, p.source_version FROM inventory_package ip"
    " JOIN package p ON p.id = ip.package_id WHERE ip.inventory_id = :id ORDER BY ip.position"
)
_FLAWS: Final = text(
    "SELECT ip.position, array_agg(DISTINCT pv.vulnerability_id ORDER BY pv.vulnerability_id) AS flaws"
    " FROM inventory i JOIN inventory_package ip ON ip.inventory_id = i.id AND ip.is_judged"
    " JOIN package_vulnerability pv ON pv.package_id = ip.package_id"
    " WHERE i.id = :id AND (pv.repository = '' OR pv.repository = ANY (i.repositories))"
    " AND pv.state <> ALL (:silent) GROUP BY ip.position ORDER BY ip.position"
)
