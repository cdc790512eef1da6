"""The estate and what is known about it, written in bulk. Each function belongs in a transaction of the system.

Writing the same again changes nothing. Nobody's rows are waited for longer than their transaction lasts, and rows are
locked in the order of their keys, so that two writers don't stop each other for good.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import msgspec
import zstandard
from msgspec import Struct
from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from openinspector.errors import VersionError
from openinspector.model.ecosystem import canonical_name, scheme_of
from openinspector.model.enrichment import Epss
from openinspector.model.inventory import Inventory
from openinspector.model.match import Vulnerability
from openinspector.model.moment import read_moment
from openinspector.model.package import OS_TYPES, Package
from openinspector.store.bulk import clean, clean_json, clean_noun, copy, stage, upsert
from openinspector.store.tables import (
    enrichment,
    finding,
    inventory,
    inventory_package,
    package,
    package_vulnerability,
    vulnerability,
)
from openinspector.versions.order import scheme as load_scheme

LONGEST_KEY: Final = 1000  # bytes of a name or a version's key: an index holds a third of a page

_LONGEST_REMEMBERED: Final = 500  # characters of a package that is remembered between inventories

_PACKAGE_COLUMNS: Final = (
    *("digest", "type", "namespace", "name", "canonical", "version", "arch", "module", "repository"),
    *("source_name", "source_version", "context", "scheme", "version_key", "source_key"),
)


class Match(Struct, frozen=True, kw_only=True):
    """A flaw of a distinct package, as `package_vulnerability` has it."""

    package_id: int
    vulnerability_id: str
    repository: str = ""
    state: str = ""
    fixed_version: str = ""
    severity: str = ""
    vendor_severity: str = ""
    source: str = ""
    related: tuple[str, ...] = ()
    evidence: bytes | None = None


class FindingRow(Struct, frozen=True, kw_only=True):
    """A finding as the table has it. `details` is a value of JSON."""

    account: str
    region: str
    id: UUID
    resource_id: int
    key: str
    type: str
    status: str
    severity: int
    first_observed_at: datetime
    last_observed_at: datetime
    updated_at: datetime
    score: float | None = None
    exploit: bool | None = None
    closed_at: datetime | None = None
    delete_at: datetime | None = None
    vulnerability_id: str = ""
    vulnerability_source: str = ""
    vendor_severity: str = ""
    vector: str = ""
    score_source: str = ""
    fix: str = ""
    title: str = ""
    protocol: str = ""
    component_type: str = ""
    first_port: int | None = None
    last_port: int | None = None
    package_names: tuple[str, ...] = ()
    suppressed_by: str = ""
    close_reason: str = ""
    digest: UUID | None = None
    details: Any = None


def store_packages(
    connection: Connection, packages: Sequence[tuple[Package, str]], repositories: Iterable[str] = ()
) -> list[int]:
    """The ids of packages, in their order; those that are new are added.

    Each comes with the namespace of its distribution (`debian:12`), which only an OS package takes, as it does the
    `repositories` that are enabled where it is installed.
    """
    context = "\n".join(sorted(set(repositories)))
    rows = [package_row(each, namespace, context) for each, namespace in packages]
    distinct = {row[0]: row for row in rows}
    known = _package_ids(connection, distinct)
    new = [row for digest, row in distinct.items() if digest not in known]
    if new:
        # An identity is spent for each row that is tried: those that are there aren't.
        upsert(connection, package, _PACKAGE_COLUMNS, new, key=("digest",), keep=_PACKAGE_COLUMNS)
        known |= _package_ids(connection, [row[0] for row in new])
    return [known[row[0]] for row in rows]


def _package_ids(connection: Connection, digests: Iterable[UUID]) -> dict[UUID, int]:
    wanted = list(digests)
    if not wanted:
        return {}
    found = connection.exec_driver_sql(
        "SELECT digest, id FROM package WHERE digest = ANY (%(digests)s)", {"digests": wanted}
    )
    return {row.digest: row.id for row in found}


def package_row(each: Package, namespace: str, context: str = "") -> tuple[Any, ...]:
    """A package as `package` has it, its digest first. `context` are enabled repositories, sorted, one a line.

    A version that its scheme can't read has no key, nor has one that no index would hold; neither is judged by range.
    """
    space = namespace if each.type in OS_TYPES else each.type
    name, version = (each.source.name, each.source.version) if each.source is not None else ("", "")
    around = context if each.type in OS_TYPES else ""
    told = (each.type, space, each.name, each.version, each.arch, each.module, each.repository, name, version, around)
    return _remembered_row(told) if sum(map(len, told)) < _LONGEST_REMEMBERED else _row(told)


def _row(told: tuple[str, ...]) -> tuple[Any, ...]:
    kind, space, own, release, arch, module, repository, source, built, context = map(clean, told)
    canonical = clean(canonical_name(kind, own))
    if len(canonical.encode()) > LONGEST_KEY:
        canonical = ""  # no advisory speaks of it
    if len(source.encode()) > LONGEST_KEY:
        source = ""
    scheme = scheme_of(space, canonical) if space else ""
    parts = (kind, space, own, release, arch, module, repository, source, built, *([context] if context else ()))
    digest = UUID(bytes=hashlib.sha256(msgspec.msgpack.encode(parts)).digest()[:16])
    keys = _sort_key(scheme, release), _sort_key(scheme, built) if source else None
    named = (digest, kind, space, own, canonical, release, arch, module, repository, source, built)
    return (*named, context, scheme, *keys)


_remembered_row = lru_cache(maxsize=1 << 16)(_row)  # the hosts of a fleet resemble one another


def _sort_key(scheme: str, version: str) -> bytes | None:
    if not scheme:
        return None
    try:
        key = load_scheme(scheme).key(version)
    except VersionError:
        return None
    return key if len(key) <= LONGEST_KEY else None


def store_inventory(connection: Connection, seen: Inventory, is_judged: Callable[[Package], bool]) -> int:
    """The id of an inventory; one with the same content is there already, and nothing is written.

    `is_judged` says of a package whether it is matched, or only listed.
    """
    seen = clean_noun(seen)
    judged = [is_judged(each) for each in seen.packages]
    digest = _inventory_digest(seen, judged)
    known = connection.execute(select(inventory.c.id).where(inventory.c.digest == digest)).scalar_one_or_none()
    if known is not None:
        return int(known)
    distribution = seen.distribution
    namespace = distribution.namespace if distribution is not None else ""
    layers = {clean(layer.diff_id): position for position, layer in enumerate(seen.target.layers)}
    told = insert(inventory).values(
        digest=digest,
        kind=seen.target.kind,
        status=seen.status,
        namespace=namespace,
        platform=clean(seen.target.platform),
        running_kernel=clean(seen.target.running_kernel),
        packages=len(seen.packages),
        layers=list(layers),
        repositories=[clean(each) for each in seen.repositories],
        distribution=clean_json(distribution or {}),
        problems=clean_json(seen.problems),
    )
    added = connection.execute(told.on_conflict_do_nothing(index_elements=["digest"]).returning(inventory.c.id))
    identity = added.scalar_one_or_none()
    if identity is None:  # another transaction was first, and is over now
        return int(connection.execute(select(inventory.c.id).where(inventory.c.digest == digest)).scalar_one())
    packages = store_packages(connection, [(each, namespace) for each in seen.packages], seen.repositories)
    copy(
        connection,
        inventory_package,
        ("inventory_id", "position", "package_id", "layer", "introduced", "is_judged", "path", "owner", "extra"),
        (
            (
                *(identity, position, number, layers.get(each.location.layer), layers.get(each.location.introduced)),
                *(judge, each.location.path, each.owner, _extra(each)),
            )
            for position, (each, number, judge) in enumerate(zip(seen.packages, packages, judged, strict=True))
        ),
    )
    return int(identity)


def _inventory_digest(seen: Inventory, judged: Sequence[bool]) -> bytes:
    """The SHA-256 of all that is stored of it; whose it is, is no part of that."""
    target = seen.target
    layers = [layer.diff_id for layer in target.layers]
    told = (target.kind, target.platform, target.running_kernel, layers, seen.repositories, seen.status)
    parts = (told, seen.distribution, seen.problems, seen.packages, judged)
    return hashlib.sha256(msgspec.msgpack.encode(parts)).digest()


def _extra(each: Package) -> dict[str, Any] | None:
    """What only an SBOM tells; None, as for most packages, where there is none of it."""
    told = {
        "format": each.format,
        "vendor": each.vendor,
        "license": each.license,
        "dev": each.dev,
        "digest": each.digest,
        "qualifiers": dict(each.qualifiers),
    }
    return {name: value for name, value in told.items() if value} or None


def store_vulnerabilities(
    connection: Connection, flaws: Iterable[Vulnerability], rated: Mapping[str, tuple[str, float | None, str, str]]
) -> int:
    """Writes flaws that are new or say something else than before; how many.

    `rated` gives severity, score, vector and whose they are, by id. Enrichments are left out: matched.py writes them.
    """

    def row(flaw: Vulnerability) -> tuple[Any, ...]:
        return vulnerability_row(flaw, rated.get(flaw.id, ("", None, "", "")))

    names = ("id", "digest", "document", "severity", "score", "vector", "source", "published_at", "modified_at")
    staged = stage(connection, vulnerability, names, map(row, flaws))
    columns = ", ".join(names)
    changes = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
    return connection.exec_driver_sql(
        f"INSERT INTO vulnerability ({columns}) SELECT {columns} FROM {staged} ORDER BY id"  # noqa: S608  our own names
        f" ON CONFLICT (id) DO UPDATE SET {changes} WHERE vulnerability.digest <> excluded.digest"
    ).rowcount


def vulnerability_row(flaw: Vulnerability, rating: tuple[str, float | None, str, str]) -> tuple[Any, ...]:
    """A flaw as `vulnerability` has it, its id and digest first."""
    record = msgspec.msgpack.encode(clean_noun(msgspec.structs.replace(flaw, epss=None, kev=None, exploits=())))
    digest = UUID(bytes=hashlib.sha256(record + repr(rating).encode()).digest()[:16])
    document = zstandard.ZstdCompressor(level=3).compress(record)
    return (flaw.id, digest, document, *rating, _moment(flaw.published), _moment(flaw.modified))


def flaw_of(document: bytes) -> Vulnerability:
    """A flaw from its stored form, without enrichments."""
    return msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(document), type=Vulnerability)


def store_scores(connection: Connection, scores: Iterable[Epss]) -> int:
    """Writes the EPSS values that have changed; how many. Nothing else of an enrichment is touched."""
    rows = ((each.vulnerability, each.score, each.percentile, each.date) for each in scores)
    staged = stage(connection, enrichment, ("vulnerability_id", "epss", "percentile", "epss_date"), rows)
    # The date alone is no change: it moves every day, for all of them.
    return connection.execute(
        text(
            "INSERT INTO enrichment AS e (vulnerability_id, epss, percentile, epss_date)"  # noqa: S608  our own name
            f" SELECT vulnerability_id, epss, percentile, epss_date FROM {staged} ORDER BY vulnerability_id"
            " ON CONFLICT (vulnerability_id) DO UPDATE"
            " SET epss = excluded.epss, percentile = excluded.percentile, epss_date = excluded.epss_date"
            " WHERE (e.epss, e.percentile) IS DISTINCT FROM (excluded.epss, excluded.percentile)"
        )
    ).rowcount


def store_matches(connection: Connection, judged: Sequence[int], matches: Iterable[Match], generation: int) -> int:
    """Replaces all that is known of the flaws of the packages `judged`; how many rows changed.

    Rows that say the same stay untouched. The packages count as matched by `generation`.
    """
    names = Match.__struct_fields__
    written = upsert(
        connection,
        package_vulnerability,
        names,
        (tuple(getattr(each, name) for name in names) for each in matches),
        key=("package_id", "vulnerability_id", "repository"),
    )
    ids = list(judged)
    gone = connection.execute(
        text(
            "DELETE FROM package_vulnerability p WHERE p.package_id = ANY (:ids) AND NOT EXISTS ("
            "SELECT FROM pg_temp.incoming_package_vulnerability s WHERE s.package_id = p.package_id"
            " AND s.vulnerability_id = p.vulnerability_id AND s.repository = p.repository)"
        ),
        {"ids": ids},
    ).rowcount
    connection.execute(
        text(
            "UPDATE package SET matched_generation = :generation"
            " WHERE id = ANY (:ids) AND matched_generation IS DISTINCT FROM :generation"
        ),
        {"ids": ids, "generation": generation},
    )
    return written + gone


def store_findings(connection: Connection, findings: Iterable[FindingRow]) -> int:
    """Writes findings that are new or have changed; how many. When one was first observed never changes."""
    names = FindingRow.__struct_fields__
    return upsert(
        connection,
        finding,
        names,
        (tuple(getattr(each, name) for name in names) for each in findings),
        key=("account", "region", "id"),
        keep=("first_observed_at", "resource_id", "key", "type"),
    )


def _moment(told: str) -> datetime | None:
    """A publisher's date; None for one that is none."""
    try:
        return read_moment(told) if told else None
    except (ValueError, OverflowError):
        return None
