"""Findings with all that belongs to them, put together from the tables, and written so that they can be.

Of an open finding only what is its own is written: its life, how bad it is, its title. Its packages and what is told of
its flaw follow from the inventory of its resource and what is known of the packages in it. `details` holds what does
not follow from there, by field: the path of an open port, all that a closed finding was about (its resource has another
inventory by now), a package that only an earlier look has seen.
"""

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import BigInteger, Connection, and_, any_, cast, column, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from openinspector.model.finding import (
    SEVERITIES,
    Finding,
    Life,
    NetworkReachability,
    Observation,
    PackageVulnerability,
)
from openinspector.model.moment import moment_text, read_moment
from openinspector.model.resource import Resource
from openinspector.store.estate import resource_of
from openinspector.store.matched import Matched, read_matched
from openinspector.store.observation import observation_of
from openinspector.store.rows import FindingRow, store_findings
from openinspector.store.tables import WORD, finding, resource

_OWN: Final = frozenset(Observation.__struct_fields__)  # the other names in `details` are fields of its details


class Known(Struct, frozen=True, kw_only=True):
    """A finding as it was written last."""

    row: FindingRow
    finding: Finding


class Written(Struct, frozen=True, kw_only=True):
    """A finding to be written; `close_reason` is why it was closed."""

    finding: Finding
    digest: UUID | None
    close_reason: str = ""


def findings_by_key(
    connection: Connection, keys: Collection[tuple[str, str, UUID]]
) -> dict[tuple[str, str, UUID], tuple[Resource, Finding]]:
    """Findings with their resources by account, region and id, those that there are."""
    if not keys:
        return {}
    values = [ARRAY(kind) for kind in (WORD, WORD, PG_UUID())]
    columns = [cast(list(each), kind) for each, kind in zip(zip(*keys, strict=True), values, strict=True)]
    names = (column("account", WORD), column("region", WORD), column("id", PG_UUID()))
    asked = func.unnest(*columns).table_valued(*names).render_derived("asked")
    is_asked = and_(*(finding.c[each] == asked.c[each] for each in ("account", "region", "id")))
    rows = connection.execute(select(finding).join(asked, is_asked)).all()
    found = _assemble(connection, rows)
    return {(each.row.account, each.row.region, each.row.id): (about, each.finding) for about, each in found}


def known_findings(connection: Connection, resource_id: int) -> list[Known]:
    """All findings of a resource, closed ones too, from the oldest on."""
    mine = select(finding).where(finding.c.resource_id == resource_id)
    rows = connection.execute(mine.order_by(finding.c.first_observed_at, finding.c.id)).all()
    return [known for _, known in _assemble(connection, rows)]


def write_findings(
    connection: Connection, about: Resource, resource_id: int, inventory_id: int | None, findings: Iterable[Written]
) -> int:
    """Writes findings of a resource that has this inventory now; how many are new or have changed."""
    bare = [_to_row(about, resource_id, each) for each in findings]
    matched: dict[tuple[int, str], Matched] = {}
    if inventory_id is not None:
        matched = read_matched(connection, {(inventory_id, row.vulnerability_id) for row, _ in bare if _follows(row)})
    rows = []
    for row, observation in bare:
        found = matched.get((inventory_id, row.vulnerability_id)) if inventory_id is not None else None
        rows.append(_with_details(row, about, observation, found))
    return store_findings(connection, rows)


def row_of(about: Resource, resource_id: int, written: Written, matched: Matched | None) -> FindingRow:
    """A finding as the table has it, where its resource's inventory has these matches of its flaw."""
    row, observation = _to_row(about, resource_id, written)
    return _with_details(row, about, observation, matched if _follows(row) else None)


def _with_details(row: FindingRow, about: Resource, told: Observation, matched: Matched | None) -> FindingRow:
    follows, said = _flat(_following(row, about, matched)), _flat(told)
    apart = {name: msgspec.to_builtins(said[name]) for name in said if said[name] != follows[name]}
    return replace(row, details=apart or None)


def known_of_flaws(
    connection: Connection, wanted: Collection[tuple[int, str]]
) -> dict[tuple[int, str], tuple[Resource, list[Known]]]:
    """The findings of resources and flaws, closed ones too, from the oldest on."""
    numbers, flaws = [number for number, _ in wanted], [flaw for _, flaw in wanted]
    rows = connection.execute(_OF_FLAWS, {"resources": numbers, "flaws": flaws}).all() if wanted else []
    found: dict[tuple[int, str], tuple[Resource, list[Known]]] = {}
    for about, known in _assemble(connection, rows):
        found.setdefault((known.row.resource_id, known.row.key), (about, []))[1].append(known)
    return found


def delete_findings(connection: Connection, about: Resource, arns: Iterable[str]) -> None:
    """Forgets findings of a resource."""
    ids = [finding_id(each) for each in arns]
    connection.execute(_DELETE, {"account": about.account, "region": about.region, "ids": ids})


def delete_expired(connection: Connection, now: datetime, most: int) -> int:
    """Forgets closed findings whose time has come, at most so many; how many. Those that are being written wait."""
    return connection.execute(_EXPIRE, {"now": now, "most": most}).rowcount


def finding_id(arn: str) -> UUID:
    """The id of a finding in the tables."""
    return UUID(arn.rpartition("/")[2])


def observation_digest(observation: Observation) -> UUID:
    """Of all that was observed but for EPSS; in which order packages were seen makes no difference."""
    details = observation.details
    if isinstance(details, PackageVulnerability):
        details = replace(details, packages=tuple(sorted(details.packages, key=msgspec.msgpack.encode)))
    told = msgspec.msgpack.encode(replace(observation, epss=None, details=details))
    return UUID(bytes=hashlib.sha256(told).digest()[:16])


def _assemble(connection: Connection, rows: Collection[Any]) -> Iterable[tuple[Resource, Known]]:
    """The findings of rows of the table, in their order."""
    found = [_from_row(row) for row in rows]
    numbers = cast(sorted({each.resource_id for each in found}), ARRAY(BigInteger))
    mine = select(resource).where(resource.c.id == any_(numbers))
    resources = {row.id: row for row in connection.execute(mine).all()}
    wanted = {
        (resources[each.resource_id].inventory_id, each.vulnerability_id)
        for each in found
        if _follows(each) and each.resource_id in resources
    }
    matched = read_matched(connection, {(number, name) for number, name in wanted if number is not None})
    nouns = {number: resource_of(row) for number, row in resources.items()}
    for each in found:
        if each.resource_id not in nouns:
            continue
        about = nouns[each.resource_id]
        here = matched.get((resources[each.resource_id].inventory_id, each.vulnerability_id))
        observation = _overlaid(_following(each, about, here), each.details or {})
        arn = f"arn:{about.partition}:inspector2:{each.region}:{each.account}:finding/{each.id.hex}"
        yield about, Known(row=each, finding=Finding(arn=arn, observation=observation, life=_life(each)))


def _follows(row: FindingRow) -> bool:
    """Whether something of a finding follows from matches."""
    return row.status != "CLOSED" and row.vulnerability_id != ""


def _following(row: FindingRow, about: Resource, matched: Matched | None) -> Observation:
    """What follows from the columns of a finding and, while it is open, from the matches of its flaw."""
    if row.type == "NETWORK_REACHABILITY":
        ports: Any = {"first_port": row.first_port, "last_port": row.last_port, "protocol": row.protocol}
        return _with_columns(row, "", NetworkReachability(**ports, path=()))
    if matched is None or row.status == "CLOSED":
        bare = PackageVulnerability(id=row.vulnerability_id, source=row.vulnerability_source, packages=())
        return _with_columns(row, "", replace(bare, vendor_severity=row.vendor_severity))
    layers, findings = matched
    seen = observation_of(findings, about, layers)
    details = replace(seen.details, source=row.vulnerability_source, vendor_severity=row.vendor_severity)
    own = _with_columns(row, seen.description, details)
    adjustments = seen.adjustments if row.vector == seen.vector else ()
    return replace(own, adjustments=adjustments, last_exploited_at=seen.last_exploited_at, epss=seen.epss)


def _with_columns(
    row: FindingRow, description: str, details: PackageVulnerability | NetworkReachability
) -> Observation:
    fix: Any = row.fix or None
    return Observation(
        key=row.key,
        title=row.title,
        description=description,
        severity=SEVERITIES[row.severity],
        details=details,
        score=row.score,
        vector=row.vector,
        score_source=row.score_source,
        fix=fix,
        exploit=row.exploit,
    )


def _flat(observation: Observation) -> dict[str, Any]:
    """Every field of an observation and of its details; no name is in both."""
    own = {name: getattr(observation, name) for name in _OWN - {"details"}}
    return own | {name: getattr(observation.details, name) for name in observation.details.__struct_fields__}


def _overlaid(follows: Observation, apart: dict[str, Any]) -> Observation:
    if not apart:
        return follows
    whole = msgspec.to_builtins(follows)
    for name, value in apart.items():
        (whole if name in _OWN else whole["details"])[name] = value
    return msgspec.convert(whole, Observation)


def _life(row: FindingRow) -> Life:
    status: Any = row.status
    return Life(
        status=status,
        first_observed_at=moment_text(row.first_observed_at),
        last_observed_at=moment_text(row.last_observed_at),
        updated_at=moment_text(row.updated_at),
        closed_at=moment_text(row.closed_at) if row.closed_at else "",
        delete_at=moment_text(row.delete_at) if row.delete_at else "",
        suppressed_by=row.suppressed_by,
    )


def _from_row(row: Any) -> FindingRow:
    """From a row with the columns of the table, in their order."""
    *values, package_names = _FIELDS(row)
    return FindingRow(**dict(zip(_NAMES, values, strict=True)), package_names=tuple(package_names))


def _to_row(about: Resource, resource_id: int, written: Written) -> tuple[FindingRow, Observation]:
    """A finding as the table has it, but for its `details`."""
    seen, life = written.finding.observation, written.finding.life
    kind = "PACKAGE_VULNERABILITY" if isinstance(seen.details, PackageVulnerability) else "NETWORK_REACHABILITY"
    row = FindingRow(
        account=about.account,
        region=about.region,
        id=finding_id(written.finding.arn),
        resource_id=resource_id,
        key=seen.key,
        type=kind,
        status=life.status,
        severity=SEVERITIES.index(seen.severity),
        first_observed_at=read_moment(life.first_observed_at),
        last_observed_at=read_moment(life.last_observed_at),
        updated_at=read_moment(life.updated_at),
        closed_at=read_moment(life.closed_at) if life.closed_at else None,
        delete_at=read_moment(life.delete_at) if life.delete_at else None,
        score=seen.score,
        exploit=seen.exploit,
        vector=seen.vector,
        score_source=seen.score_source,
        fix=seen.fix or "",
        title=seen.title,
        suppressed_by=life.suppressed_by,
        close_reason=written.close_reason,
        digest=written.digest,
    )
    if isinstance(seen.details, PackageVulnerability):
        names = dict.fromkeys(each.package.name for each in seen.details.packages)
        row = replace(
            row,
            vulnerability_id=seen.details.id,
            vulnerability_source=seen.details.source,
            vendor_severity=seen.details.vendor_severity,
            package_names=tuple(names),
        )
    else:
        row = replace(
            row,
            protocol=seen.details.protocol,
            component_type=seen.details.path[0].component_type if seen.details.path else "",
            first_port=seen.details.first_port,
            last_port=seen.details.last_port,
        )
    return row, seen


_NAMES: Final = tuple(name for name in FindingRow.__struct_fields__ if name != "package_names")
_FIELDS: Final = itemgetter(*map(finding.c.keys().index, (*_NAMES, "package_names")))
_OF_FLAWS: Final = text(
    f"SELECT {', '.join(f'f.{each.name}' for each in finding.c)} FROM"  # noqa: S608  our own names
    " unnest(CAST(:resources AS bigint[]), CAST(:flaws AS text[])) AS w (resource_id, flaw)"
    " JOIN finding f ON f.resource_id = w.resource_id AND f.key = w.flaw ORDER BY f.first_observed_at, f.id"
)
_DELETE: Final = text("DELETE FROM finding WHERE account = :account AND region = :region AND id = ANY (:ids)")
_EXPIRE: Final = text(
    "DELETE FROM finding f USING (SELECT account, region, id FROM finding WHERE delete_at <= :now"
    " ORDER BY delete_at LIMIT :most FOR UPDATE SKIP LOCKED) AS due"
    " WHERE f.account = due.account AND f.region = due.region AND f.id = due.id"
)
