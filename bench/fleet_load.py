"""A fleet in the service's tables: what `ingest` would have written of each resource, put there by COPY.

    loaded = load(server, "openinspector", fleet, advisories)

Each distinct package is judged once, and each finding is put into its row once for all resources where it is about the
same packages in the same places; what is its own of a resource is its account, id and time. `tests/store/test_fleet.py`
holds the tables against those that `ingest` writes. Only the outbox stays empty: in a service that has run for a while
its events were sent.

Indexes are dropped before, made again afterwards, and the tables are analyzed: `Loaded` says how long each took.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
import psycopg
import zstandard
from msgspec.structs import replace

from fleet import Fleet, Key, Part
from openinspector.find.identity import finding_arn
from openinspector.match.engine import Judge
from openinspector.model.finding import Finding, Life, Observation
from openinspector.model.inventory import Inventory
from openinspector.model.match import Finding as Matched
from openinspector.model.moment import moment_text
from openinspector.model.package import Location, Package
from openinspector.model.resource import AccountId, EcrImage, LambdaFunction, Resource
from openinspector.pipeline.scan import Words, tell, to_finding
from openinspector.pipeline.scan import _order as report_order
from openinspector.render import inspector_words as words
from openinspector.render.moments import precise
from openinspector.store import matched, rows
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.bulk import as_json, clean_noun
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.database import Database, connect_embedded
from openinspector.store.embedded import EmbeddedPostgres
from openinspector.store.estate import storable
from openinspector.store.findings import Written, _to_row, observation_digest
from openinspector.store.layer_tallies import recount_layers
from openinspector.store.observation import observation_of
from openinspector.store.part import write_part
from openinspector.store.tallies import recount

FINDING_COLUMNS: Final = (
    *("account", "region", "id", "resource_id", "first_observed_at", "last_observed_at", "updated_at"),
    *("key", "type", "status", "severity", "score", "exploit", "vulnerability_id", "vulnerability_source"),
    *("vendor_severity", "vector", "score_source", "fix", "title", "package_names", "suppressed_by", "digest"),
)
_ANYBODY: Final = Resource(account=AccountId("0" * 12), region="", type="AWS_LAMBDA_FUNCTION", id="")
_OWN: Final = 7  # the first of them differ from one resource to the next
_TABLES: Final = (
    "package",
    "vulnerability",
    "enrichment",
    "package_vulnerability",
    "inventory",
    "inventory_package",
    "resource",
    "coverage",
    "finding",
    "resource_tally",
    "flaw_tally",
    "package_tally",
)
_INSTALLED: Final = (
    "inventory_id",
    "position",
    "package_id",
    "layer",
    "introduced",
    "is_judged",
    "path",
    "owner",
    "extra",
)
_INVENTORY: Final = (
    *("id", "digest", "kind", "status", "namespace", "platform", "running_kernel", "packages", "layers"),
    *("repositories", "distribution", "problems"),
)
_MATCH: Final = rows.Match.__struct_fields__
_FLAW: Final = ("id", "digest", "document", "severity", "score", "vector", "source", "published_at", "modified_at")
_ENRICHMENT: Final = (
    *("vulnerability_id", "epss", "percentile", "epss_date", "kev", "exploits", "is_exploitable"),
    "last_exploited_at",
)
_RESOURCE: Final = (
    *("id", "account", "region", "type", "external_id", "partition", "platform", "state", "tags", "details"),
    *("inventory_id", "pushed_at", "first_seen_at", "last_seen_at"),
)
_COVERAGE: Final = (
    *("resource_id", "scan_type", "account", "region", "status", "reason", "scan_mode", "last_scanned_at", "fence"),
    "updated_at",
)
_EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
_NOBODY: Final = Resource(account=AccountId("0" * 12), region="", type="AWS_EC2_INSTANCE", id="")
_FILTER: Final = "arn:aws:inspector2:eu-west-1:100000000000:owner/100000000000/filter/f"


_LOADED: Final = tuple(name for name in _TABLES if not name.endswith("_tally") and name != "coverage")


class Loaded(NamedTuple):
    """How much was loaded, and the seconds of each step."""

    resources: int
    inventories: int
    packages: int
    findings: int
    seconds: dict[str, float]


def compile_fleet(fleet: Fleet, folder: Path, touched: int = 0) -> AdvisoryFile:
    """The advisory file of a fleet, made in a folder; with so many sources touched, the one after it."""
    folder.mkdir(parents=True, exist_ok=True)
    states = []
    for name, records in fleet.records(touched).items():
        part = folder / f"{name}.sqlite"
        write_part(part, records)
        states.append(FeedState(name=name, revision=1, digest=f"{fleet.seed} {touched}", fetched="", parts=(part,)))
    compile_parts(folder / "advisories.sqlite", states, {"built": f"2026-01-0{5 if touched else 4}T00:00:00Z"})
    return AdvisoryFile(folder / "advisories.sqlite")


def load(
    server: EmbeddedPostgres,
    database: str,
    fleet: Fleet,
    advisories: AdvisoryFile,
    *,
    suppressed: Callable[[str], bool] = lambda flaw: False,
) -> Loaded:
    """Fill the tables of a database that is empty but for its schema.

    `suppressed` says of which flaws the findings are suppressed.
    """
    address = server.url(database=database).replace("+psycopg", "")
    with psycopg.connect(address) as connection, connect_embedded(server, database=database, pool=1) as whole:
        connection.execute("SET search_path = openinspector, pg_temp")
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute("SET synchronous_commit = off")
        return _Load(connection, whole, fleet, advisories, suppressed).run()


class _Load:
    def __init__(
        self,
        connection: psycopg.Connection,
        database: Database,
        fleet: Fleet,
        advisories: AdvisoryFile,
        suppressed: Callable[[str], bool],
    ) -> None:
        self.connection = connection
        self.database = database
        self.fleet = fleet
        self.advisories = advisories
        self.suppressed = suppressed
        self.seconds: dict[str, float] = {}
        self.told: dict[str, tuple[Any, Words]] = {}
        self.judged: dict[tuple[str, Package], tuple[Matched, ...]] = {}
        self.package_ids: dict[UUID, int] = {}
        self.package_rows: list[tuple[Any, ...]] = []
        self.inventories: dict[Key, int] = {}
        self.covered: list[tuple[Any, ...]] = []
        self.listed: dict[tuple[Part, ...], list[tuple[str, str]]] = {}
        self.tails = lru_cache(maxsize=8192)(self._tails)

    def run(self) -> Loaded:
        with self.timed("preparing"):
            self.generation()
            indexes = self.drop_indexes()
            self.connection.execute("ALTER TABLE finding DISABLE TRIGGER USER")
        with self.timed("inventories and packages"):
            self.write_inventories()
            self.write_packages()
        with self.timed("flaws and matches"):
            self.write_flaws()
        with self.timed("resources and findings"):
            resources, findings = self.write_resources()
        with self.timed("indexes"):
            for statement in indexes:
                self.connection.execute(statement)
            self.connection.execute("ALTER TABLE finding ENABLE TRIGGER USER")
        with self.timed("coverage"):
            self.connection.execute("ANALYZE resource")
            self.copy("coverage", _COVERAGE, self.covered)  # its triggers look at the resource of each
            self.connection.commit()
        with self.timed("tallies"), self.database.system() as connection:
            recount(connection)
            while recount_layers(connection, 2_000):
                pass
        with self.timed("VACUUM ANALYZE"):
            self.connection.autocommit = True
            for table in _TABLES:
                self.connection.execute(f"VACUUM (ANALYZE) {table}")
        return Loaded(resources, len(self.inventories), len(self.package_ids), findings, self.seconds)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[step] = time.perf_counter() - began

    def generation(self) -> None:
        self.connection.execute(
            "INSERT INTO generation (number, digest, state, built_at) VALUES (1, %s, 'in force', %s)",
            (self.advisories.meta["digest"], self.advisories.meta["built"]),
        )

    def drop_indexes(self) -> list[str]:
        """What makes them again. Those of constraints, too: they are wanted whole, not row by row."""
        made: list[str] = []
        constraints = self.connection.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype IN ('p', 'u') AND conrelid = ANY (%s::regclass[])",
            (list(_LOADED),),
        ).fetchall()
        indexes = self.connection.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index i"
            " WHERE indrelid = ANY (%s::regclass[])"
            " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)",
            (list(_LOADED),),
        ).fetchall()
        for table, name, definition in constraints:
            self.connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            made.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        for name, definition in indexes:
            self.connection.execute(f"DROP INDEX {name}")
            made.append(definition)
        return made

    # What is installed

    def write_inventories(self) -> None:
        """Each distinct inventory with its packages."""
        keys = dict.fromkeys(place.key for place in self.fleet.places())
        lines: list[str] = []
        told: list[tuple[Any, ...]] = []
        with self.copying("inventory_package", _INSTALLED) as copying:
            for number, key in enumerate(sorted(keys), 1):
                self.inventories[key] = number
                told.append(self.inventory_row(number, self.fleet.inventory(key)))
                tails = chain.from_iterable(self.tails(part) for part in self.fleet.parts_of(key))
                lines.extend(f"{number}\t{position}\t{tail}\n" for position, tail in enumerate(tails))
                if len(lines) > 50_000:
                    copying.write("".join(lines))
                    lines.clear()
            copying.write("".join(lines))
        self.copy("inventory", _INVENTORY, told)
        self.restart("inventory", len(told))

    def inventory_row(self, number: int, seen: Inventory) -> tuple[Any, ...]:
        distribution = seen.distribution
        return (
            number,
            rows._inventory_digest(seen, [True] * len(seen.packages)),
            seen.target.kind,
            seen.status,
            distribution.namespace if distribution else "",
            seen.target.platform,
            seen.target.running_kernel,
            len(seen.packages),
            [layer.diff_id for layer in seen.target.layers],
            list(seen.repositories),
            as_json(distribution or {}),
            as_json(seen.problems),
        )

    def _tails(self, part: Part) -> list[str]:
        """The rows of a part's packages, but for inventory and position."""
        return [
            "\t".join(
                map(
                    _copied,
                    (
                        *(self.package_id(each, part.namespace), part.position, part.position, True),
                        *(each.location.path, each.owner, as_json(extra) if (extra := rows._extra(each)) else None),
                    ),
                )
            )
            for each in self.fleet.packages_of(part)
        ]

    def package_id(self, each: Package, namespace: str) -> int:
        row = rows.package_row(each, namespace)
        number = self.package_ids.get(row[0])
        if number is None:
            number = self.package_ids[row[0]] = len(self.package_ids) + 1
            self.package_rows.append((number, *row, 1))
        return number

    def write_packages(self) -> None:
        self.copy("package", ("id", *rows._PACKAGE_COLUMNS, "matched_generation"), self.package_rows)
        self.restart("package", len(self.package_rows))
        self.package_rows.clear()
        self.tails.cache_clear()

    # What is known of it

    def write_flaws(self) -> None:
        """What each distinct package has, what is told of those flaws, and what the findings are of."""
        known: dict[tuple[int, str], tuple[Any, ...]] = {}
        flaws: dict[str, Matched] = {}
        for key in self.inventories:
            for group in self.groups_of(key):
                if group in self.listed:
                    continue
                found = self.of_group(key, group)
                self.listed[group] = self.of_findings(key, found)
                namespace = group[0].namespace
                for each in found:
                    flaws.setdefault(each.vulnerability.id, each)
                    place = self.package_id(each.match.package, namespace), each.vulnerability.id
                    if place not in known:
                        match = matched.to_row(each, place[0])
                        known[place] = tuple(getattr(match, name) for name in _MATCH)
        # Arrays are told as lists.
        ready = (
            tuple(list(each) if isinstance(each, tuple) else each for each in known[place]) for place in sorted(known)
        )
        self.copy("package_vulnerability", _MATCH, ready)
        self.copy("vulnerability", _FLAW, (self.flaw_row(flaws[name]) for name in sorted(flaws)))
        self.copy("enrichment", _ENRICHMENT, (self.enrichment_row(flaws[name]) for name in sorted(flaws)))
        self.judged.clear()

    def groups_of(self, key: Key) -> list[tuple[Part, ...]]:
        """The parts of an inventory that may have a flaw together; system and language packages never have."""
        parts = self.fleet.parts_of(key)
        return [parts] if key[0] == "function" else [(each,) for each in parts]

    def of_group(self, key: Key, group: tuple[Part, ...]) -> list[Matched]:
        """What a scan reports of some parts of an inventory."""
        judge = Judge(self.fleet.inventory(key), self.advisories)
        found = [
            finding
            for part in group
            for package in self.fleet.packages_of(part)
            for finding in self.judge(judge, part.namespace, package)
        ]
        found.sort(key=report_order)
        return found

    def judge(self, judge: Judge, namespace: str, package: Package) -> Iterator[Matched]:
        """The findings of a package, judged once wherever it lies."""
        bare = package
        if package.location.layer:
            bare = replace(package, location=Location(path=package.location.path))
        findings = self.judged.get((namespace, bare))
        if findings is None:
            matches, doubts = judge.package(bare)
            if doubts:
                raise ValueError(f"{bare.name} {bare.version} can't be judged: {doubts[0].reason}")
            for match in matches:
                if match.vulnerability not in self.told:
                    self.told[match.vulnerability] = tell(match.vulnerability, self.advisories)
            findings = tuple(to_finding(match, *self.told[match.vulnerability]) for match in matches)
            self.judged[namespace, bare] = findings
        for each in findings:
            yield each if bare is package else replace(each, match=replace(each.match, package=package))

    def flaw_row(self, found: Matched) -> tuple[Any, ...]:
        flaw = found.vulnerability
        record = msgspec.msgpack.encode(clean_noun(replace(flaw, epss=None, kev=None, exploits=())))
        rated = matched.rated(flaw)
        digest = UUID(bytes=sha256(record + repr(rated).encode()).digest()[:16])
        times = rows._moment(flaw.published), rows._moment(flaw.modified)
        return (flaw.id, digest, zstandard.ZstdCompressor(level=3).compress(record), *rated, *times)

    def enrichment_row(self, found: Matched) -> tuple[Any, ...]:
        about, epss = found.vulnerability, found.vulnerability.epss
        return (
            about.id,
            *((epss.score, epss.percentile, epss.date) if epss else (None, None, "")),
            as_json(about.kev) if about.kev else None,
            as_json(about.exploits) if about.exploits else None,
            words.exploit_available(found) == "YES",
            precise(words.last_exploited(found)),
        )

    # Who has it

    def of_findings(self, key: Key, found: Iterable[Matched]) -> list[tuple[str, str]]:
        """The key of each finding, and its row without what is the resource's own."""
        together: dict[str, list[Matched]] = {}
        for each in found:
            together.setdefault(each.vulnerability.id, []).append(each)
        about: Resource = _ANYBODY
        read: list[str] = []
        if key[0] == "function":
            layers = tuple(self.fleet.layer_arns(key[1]))
            about = replace(about, details=LambdaFunction(name="", runtime="", code_sha256="", layers=layers))
            read = [part.layer for part in self.fleet.parts_of(key)][: len(layers) + 1]
        return [self.tail(observation_of(findings, about, read)) for findings in together.values()]

    def tail(self, seen: Observation) -> tuple[str, str]:
        is_hidden = self.suppressed(seen.key)
        life = Life(
            status="SUPPRESSED" if is_hidden else "ACTIVE",
            suppressed_by=_FILTER if is_hidden else "",
            **dict.fromkeys(("first_observed_at", "last_observed_at", "updated_at"), moment_text(_EPOCH)),
        )
        finding = Finding(arn=f"/{'0' * 32}", observation=seen, life=life)
        written = Written(finding=finding, digest=observation_digest(seen))
        row, _ = _to_row(_NOBODY, 0, written)
        return seen.key, "\t".join(_copied(getattr(row, name)) for name in FINDING_COLUMNS[_OWN:])

    def write_resources(self) -> tuple[int, int]:
        """Each resource with its findings."""
        told: list[tuple[Any, ...]] = []
        lines: list[str] = []
        findings = 0
        with self.copying("finding", FINDING_COLUMNS) as copying:
            for number, place in enumerate(self.fleet.places(), 1):
                resource = storable(place.resource)
                told.append(_resource_row(number, resource, self.inventories[place.key], place.at))
                self.covered.append(_coverage_row(number, resource, place.at))
                at, first = place.at.isoformat(), moment_text(place.at)
                start = f"{resource.account}\t{resource.region}\t"
                middle = f"\t{number}\t{at}\t{at}\t{at}\t"
                for key, tail in chain.from_iterable(self.listed[each] for each in self.groups_of(place.key)):
                    arn = finding_arn(resource, key, first)
                    lines.append(f"{start}{arn[-32:]}{middle}{tail}\n")
                    findings += 1
                if len(lines) > 50_000:
                    copying.write("".join(lines))
                    lines.clear()
            copying.write("".join(lines))
        self.copy("resource", _RESOURCE, told)
        self.restart("resource", len(told))
        return len(told), findings

    # COPY

    def copying(self, table: str, columns: Iterable[str]) -> Any:
        return self.connection.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN")

    def copy(self, table: str, columns: Iterable[str], told: Iterable[tuple[Any, ...]]) -> None:
        with self.copying(table, columns) as copying:
            for row in told:
                copying.write_row(row)

    def restart(self, table: str, highest: int) -> None:
        self.connection.execute(f"ALTER TABLE {table} ALTER COLUMN id RESTART WITH {highest + 1}")


def _resource_row(number: int, told: Resource, inventory: int, at: datetime) -> tuple[Any, ...]:
    details = msgspec.to_builtins(told.details) if told.details is not None else {}
    pushed = told.details.pushed_at if isinstance(told.details, EcrImage) else ""
    return (
        *(number, told.account, told.region, told.type, told.id, told.partition, told.platform, "running"),
        *(as_json(told.tags), as_json({name: value for name, value in details.items() if name != "type"})),
        *(inventory, pushed or None, at, at),
    )


def _coverage_row(number: int, told: Resource, at: datetime) -> tuple[Any, ...]:
    return number, "PACKAGE", told.account, told.region, "ACTIVE", "SUCCESSFUL", "", at, 1, at


def _copied(value: Any) -> str:
    r"""A value as COPY's text has it; None is `\N`."""
    if value is None:
        return "\\N"
    if value is True or value is False:
        return "t" if value else "f"
    if isinstance(value, tuple):
        value = "{" + ",".join(json.dumps(each) for each in value) + "}"
    text = str(value)
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
