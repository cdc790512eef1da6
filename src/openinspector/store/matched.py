"""What a scan found out about packages and flaws, whoever has them: written for all, and read back for a resource.

Written are the inventory, its packages, the flaws with what others say of them, and which package has which flaw. Read
back they are matches again, as the scan had them.

A scan writes the matches of packages that nobody has matched before, and what is said of flaws that nobody knew. Those
that are known it leaves as they are: whoever has them has findings that follow from them, and a new generation of
advisories changes both at once (see pipeline/rematch.py). So the matches that are known are always those of the
generation in force, and where a scan was made with another one they count, not the scan's own.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
import zstandard
from sqlalchemy import Connection, text

from openinspector.match.remedy import remedy
from openinspector.model.finding import Observation
from openinspector.model.match import Evidence, Finding, Report, Vulnerability
from openinspector.model.match import Match as Found
from openinspector.model.package import Location, Package, SourcePackage
from openinspector.model.resource import Resource
from openinspector.render import inspector_words as words
from openinspector.render.moments import precise
from openinspector.score.severity import band, choose_vector
from openinspector.store.bulk import clean_noun, upsert
from openinspector.store.finding_packages import SILENT
from openinspector.store.flaws import read_flaws
from openinspector.store.observation import observation_of
from openinspector.store.rows import Match, store_matches, store_vulnerabilities
from openinspector.store.tables import enrichment

# What is read of a resource's inventory about a flaw: the layers as the scan called them, and the matches.
Matched = tuple[tuple[str, ...], list[Finding]]
_NO_MATCH: Final = Found(
    vulnerability="", package=Package(type="", name="", version="", location=Location(path="")), evidence=()
)
_LARGEST_EVIDENCE: Final = 4 << 20
_SEVERITIES: Final = {word: number for number, word in enumerate(words.SEVERITY)}


def store_generation(connection: Connection, meta: Mapping[str, str]) -> int:
    """The number of an advisory file, by its digest; one that isn't known yet gets the next one.

    It is in force if none is yet; that it replaces another one is for whoever has matched all packages with it.
    """
    values = {"digest": meta.get("digest", ""), "built": precise(meta.get("built", "")) or None}
    known = connection.execute(_GENERATION, values).scalar_one_or_none()
    if known is None:
        connection.execute(_ONE_AT_A_TIME)
        connection.execute(_ADD_GENERATION, values)
        known = connection.execute(_GENERATION, values).scalar_one()
    return int(known)


def keep_rematch_out(connection: Connection) -> None:
    """Keeps findings from following new matches until the end of the transaction, which is to write some itself.

    Before anything else in it is locked: whoever follows new matches holds the lock against it, and then locks the
    same resources.
    """
    connection.execute(_KEEP_OUT)


def is_settled(connection: Connection, generation: int) -> bool:
    """Whether a generation is in force, and none is about to replace it."""
    return bool(connection.execute(_SETTLED, {"generation": generation}).scalar_one())


def store_matched(connection: Connection, report: Report, inventory_id: int, generation: int, *, settled: bool) -> None:
    """Writes what a scan says of those packages of an inventory that are new, and of flaws that are.

    `settled` says whether the scan was made with the generation in force; else the packages are judged again by it.
    """
    rows = connection.execute(_PACKAGES, {"inventory": inventory_id}).all()
    new = sorted({row.package_id for row in rows if row.is_judged and row.matched_generation is None})
    if not new:
        return
    by_position = {row.position: row.package_id for row in rows}
    ids = {package: by_position[position] for position, package in enumerate(report.inventory.packages)}
    wanted = set(new)
    found = [each for each in report.findings if ids[each.match.package] in wanted]
    flaws = {each.vulnerability.id: each.vulnerability for each in found}
    for name in connection.execute(_KNOWN_FLAWS, {"flaws": sorted(flaws)}).scalars():
        del flaws[name]
    store_flaws(connection, flaws.values())
    matches = {
        (row.package_id, row.vulnerability_id): row for row in (to_row(each, ids[each.match.package]) for each in found)
    }
    store_matches(connection, new, matches.values(), generation if settled else 0)


def store_flaws(connection: Connection, flaws: Collection[Vulnerability]) -> None:
    """Writes what is said of flaws, and what others say of them."""
    store_vulnerabilities(connection, flaws, {flaw.id: rated(flaw) for flaw in flaws})
    write_enrichments(connection, flaws)


def write_enrichments(connection: Connection, flaws: Collection[Vulnerability]) -> int:
    """Writes what others say of flaws, where that is something else; how many."""
    return upsert(connection, enrichment, ENRICHMENT_COLUMNS, map(enrichment_row, flaws), key=("vulnerability_id",))


def read_matched(connection: Connection, wanted: Collection[tuple[int, str]]) -> dict[tuple[int, str], Matched]:
    """The matches that call for attention, of inventories and flaws: by what is `wanted`, where there are any."""
    if not wanted:
        return {}
    inventories, named = [number for number, _ in wanted], [name for _, name in wanted]
    flaws = read_flaws(connection, set(named))
    unpack = zstandard.ZstdDecompressor()
    evidence = msgspec.msgpack.Decoder(tuple[Evidence, ...])
    layers: dict[int, tuple[str, ...]] = {}
    found: dict[tuple[int, str], list[Finding]] = {}
    values = {"inventories": inventories, "flaws": named, "silent": list(SILENT)}
    for row in connection.execute(_MATCHES, values).all():
        if row.vulnerability_id not in flaws:
            continue
        names = layers.setdefault(row.inventory_id, tuple(row.layers))
        told = unpack.decompress(row.evidence, max_output_size=_LARGEST_EVIDENCE) if row.evidence else b"\x90"
        finding = _from_row(row, flaws[row.vulnerability_id], names, evidence.decode(told))
        found.setdefault((row.inventory_id, row.vulnerability_id), []).append(finding)
    for each in found.values():
        each.sort(key=_order)
    return {key: (layers[key[0]], each) for key, each in found.items()}


def observations_of(connection: Connection, about: Resource, inventory_id: int) -> list[Observation]:
    """What follows for a resource from the matches that are known of the packages of an inventory."""
    flaws = connection.execute(_FLAWS_OF, {"inventory": inventory_id, "silent": list(SILENT)}).scalars().all()
    matched = read_matched(connection, [(inventory_id, name) for name in flaws])
    return [observation_of(found, about, layers) for layers, found in matched.values()]


def _order(finding: Finding) -> tuple[Any, ...]:
    """As a scan lists those of one flaw."""
    package = finding.match.package
    severity = _SEVERITIES.get(finding.severity, len(_SEVERITIES))
    return severity, package.type, package.name, package.version, package.location.path


def to_row(finding: Finding, package_id: int) -> Match:
    """A match as `package_vulnerability` has it.

    It holds wherever the package is: what else decides, enabled repositories, is what packages are told apart by.
    """
    match = finding.match
    return Match(
        package_id=package_id,
        vulnerability_id=finding.vulnerability.id,
        state=match.state,
        fixed_version=match.fixed_version,
        severity=finding.severity,
        vendor_severity=match.vendor_severity,
        source=finding.severity_source,
        related=match.related,
        evidence=zstandard.ZstdCompressor().compress(
            msgspec.msgpack.encode(tuple(clean_noun(each) for each in match.evidence))
        ),
    )


def _from_row(row: Any, flaw: Vulnerability, layers: Sequence[str], evidence: tuple[Evidence, ...]) -> Finding:
    # Hundreds of rows make a page, and names of columns are looked up slowly.
    _, _, layer, introduced, path, owner, more, *of_package, _, state, fixed, severity, word, source, related, _ = row
    kind, name, version, arch, module, repository, source_name, source_version = of_package
    extra = dict(more or {})
    qualifiers = tuple((extra.pop("qualifiers", None) or {}).items())
    package = Package(
        type=kind,
        name=name,
        version=version,
        location=Location(path=path, layer=_layer(layers, layer), introduced=_layer(layers, introduced)),
        arch=arch,
        source=SourcePackage(name=source_name, version=source_version) if source_name else None,
        module=module,
        repository=repository,
        owner=owner,
        **extra,
        qualifiers=qualifiers,
    )
    match = Found(
        vulnerability=flaw.id,
        package=package,
        evidence=evidence,
        fixed_version=fixed,
        state=state,
        vendor_severity=word,
        related=tuple(related),
    )
    return Finding(
        match=match,
        vulnerability=flaw,
        severity=severity,
        severity_source=source,
        remediation=remedy(match) if evidence else "",
    )


def _layer(layers: Sequence[str], position: int | None) -> str:
    return layers[position] if position is not None and position < len(layers) else ""


def rated(flaw: Vulnerability) -> tuple[str, float | None, str, str]:
    """How bad a flaw is by itself, wherever it is."""
    score, vector, source = choose_vector(flaw)
    return (words.SEVERITY[band(score)] if score is not None else "", score, vector, words.scorer(source))


ENRICHMENT_COLUMNS: Final = (
    *("vulnerability_id", "epss", "percentile", "epss_date", "kev", "exploits"),
    *("is_exploitable", "last_exploited_at"),
)


def enrichment_row(flaw: Vulnerability) -> tuple[Any, ...]:
    """What others say of a flaw, in the order of `ENRICHMENT_COLUMNS`."""
    epss, about = flaw.epss, Finding(match=_NO_MATCH, vulnerability=flaw, severity="unknown")
    return (
        flaw.id,
        epss.score if epss else None,
        epss.percentile if epss else None,
        epss.date if epss else "",
        msgspec.to_builtins(flaw.kev) if flaw.kev else None,
        msgspec.to_builtins(flaw.exploits) if flaw.exploits else None,
        words.exploit_available(about) == "YES",
        precise(words.last_exploited(about)),
    )


_GENERATION: Final = text("SELECT number FROM generation WHERE digest = :digest")
_ONE_AT_A_TIME: Final = text("LOCK TABLE generation IN SHARE ROW EXCLUSIVE MODE")
_ADD_GENERATION: Final = text(
    "INSERT INTO generation (number, digest, state, built_at)"
    " SELECT coalesce(max(number), 0) + 1, :digest,"
    " CASE WHEN bool_or(state = 'in force') THEN 'matching' ELSE 'in force' END, CAST(:built AS timestamptz)"
    " FROM generation ON CONFLICT (digest) DO NOTHING"
)
_PACKAGES: Final = text(
    "SELECT ip.position, ip.package_id, ip.is_judged, p.matched_generation FROM inventory_package ip"
    " JOIN package p ON p.id = ip.package_id WHERE ip.inventory_id = :inventory"
)
_KNOWN_FLAWS: Final = text("SELECT id FROM vulnerability WHERE id = ANY (:flaws)")
_KEEP_OUT: Final = text("LOCK TABLE rematch IN ROW EXCLUSIVE MODE")
_SETTLED: Final = text(
    "SELECT EXISTS (SELECT FROM generation WHERE number = :generation AND state = 'in force')"
    " AND NOT EXISTS (SELECT FROM rematch)"
)
_FLAWS_OF: Final = text(
    "SELECT DISTINCT pv.vulnerability_id FROM inventory i JOIN inventory_package ip ON ip.inventory_id = i.id"
    " AND ip.is_judged JOIN package_vulnerability pv ON pv.package_id = ip.package_id WHERE i.id = :inventory"
    " AND (pv.repository = '' OR pv.repository = ANY (i.repositories)) AND pv.state <> ALL (:silent) ORDER BY 1"
)
_MATCHES: Final = text(
    "SELECT i.id AS inventory_id, i.layers, ip.layer, ip.introduced, ip.path, ip.owner, ip.extra, p.type, p.name,"
    " p.version, p.arch, p.module, p.repository AS package_repository, p.source_name, p.source_version,"
    " pv.vulnerability_id, pv.state, pv.fixed_version, pv.severity, pv.vendor_severity, pv.source, pv.related,"
    " pv.evidence FROM unnest(CAST(:inventories AS integer[]), CAST(:flaws AS text[])) AS w (inventory_id, flaw)"
    " JOIN inventory i ON i.id = w.inventory_id JOIN inventory_package ip ON ip.inventory_id = i.id AND ip.is_judged"
    " JOIN package p ON p.id = ip.package_id"
    " JOIN package_vulnerability pv ON pv.package_id = ip.package_id AND pv.vulnerability_id = w.flaw"
    " WHERE (pv.repository = '' OR pv.repository = ANY (i.repositories)) AND pv.state <> ALL (:silent)"
    " ORDER BY ip.position"
)
