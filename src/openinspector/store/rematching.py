"""What is left of matching everything with a new generation: claimed in pieces, done in any order, by any worker.

Three kinds of pieces, one after the other, each done in a transaction that also strikes it off: a package to judge
(`rematch_package`), a flaw of which something else may be told (`rematch_flaw`, step `tell`), and a flaw whose findings
are to follow (step `follow`). What a package's judgement says otherwise than before waits in `rematch_match` until its
flaw's findings follow, so that a finding changes once, however many of its packages do.

A piece is claimed by locking its row, so a worker that dies gives back what it had. All functions belong in a
transaction of the system.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, text

from openinspector.model.distro import SOURCE_NAMES
from openinspector.model.package import OS_TYPES
from openinspector.store.bulk import upsert
from openinspector.store.changed import Name, both_names
from openinspector.store.rows import Match
from openinspector.store.tables import rematch_flaw, rematch_match

_MATCH: Final = ("state", "fixed_version", "severity", "vendor_severity", "source", "related", "evidence")


class Generation(NamedTuple):
    """An advisory file as the table knows it; `built` is NULL where the file doesn't say."""

    number: int
    digest: str
    state: str
    built: datetime | None


class Standing(NamedTuple):
    """The generation in force, and the one that is about to replace it, if any."""

    in_force: Generation | None
    running: Generation | None
    is_full: bool = False


class Had(NamedTuple):
    """What the fleet has: the names of its packages in the advisory file, and its flaws."""

    names: frozenset[Name]
    flaws: frozenset[str]


class Verdict(NamedTuple):
    """What the new generation says of a package and a flaw: `affected` (then with the match), `clean`, `undecided`."""

    package_id: int
    vulnerability_id: str
    verdict: str
    match: Match | None = None


# Locks, and where it stands


def exclude_scans(connection: Connection) -> bool:
    """Keeps scans from writing until the end of the transaction; False, and nothing, where another one does that.

    One at a time follows flaws: most of it happens in the database, and on the same resources.
    """
    if not connection.execute(_ONE_AT_A_TIME, {"key": _FOLLOWING}).scalar_one():
        return False
    connection.execute(_EXCLUDE_SCANS)
    return True


def exclude_all(connection: Connection) -> None:
    """Keeps scans and those who follow flaws from writing until the end of the transaction."""
    connection.execute(_EXCLUDE_ALL)


def standing(connection: Connection) -> Standing:
    """Where it stands."""
    in_force = connection.execute(_IN_FORCE).one_or_none()
    running = connection.execute(_RUNNING).one_or_none()
    return Standing(
        _generation(in_force) if in_force is not None else None,
        _generation(running) if running is not None else None,
        bool(running is not None and running.is_full),
    )


def generation_of(connection: Connection, number: int) -> Generation:
    """A generation by its number."""
    return _generation(connection.execute(_BY_NUMBER, {"number": number}).one())


def _generation(row: Row[Any]) -> Generation:
    return Generation(row.number, row.digest, row.state, row.built_at)


def has_provisional(connection: Connection) -> bool:
    """Whether packages came while other advisories were in force than those they were matched with."""
    return bool(connection.execute(_HAS_PROVISIONAL).scalar_one())


def had(connection: Connection) -> Had:
    """What the fleet has that was matched."""
    names: set[Name] = set()
    for kind, namespace, canonical, source in connection.execute(_NAMES, {"os": sorted(OS_TYPES)}):
        own, of_source = both_names(namespace, canonical, source)
        names.add(own)
        if kind:
            names.add(of_source)
    return Had(frozenset(names), frozenset(connection.execute(_FLAWS).scalars()))


def stay(connection: Connection) -> None:
    """Keeps anybody from beginning anew, or ending, until the end of the transaction; scans may write."""
    connection.execute(_STAY)


# What is to be done


def begin(connection: Connection, generation: int, *, built: datetime | None, full: bool, now: datetime) -> None:
    """Notes that everything is being matched with a generation; what was left of another one is forgotten.

    `built` is when its file was built last.
    """
    for table in ("rematch", "rematch_package", "rematch_flaw", "rematch_match"):
        connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608  our own names
    connection.execute(_BEGIN, {"generation": generation, "full": full, "now": now})
    connection.execute(_MATCHING, {"number": generation, "built": built})
    connection.execute(_KEPT)


def add_everything(connection: Connection) -> None:
    """All packages are to be judged, and all flaws told, again."""
    connection.execute(_ALL_PACKAGES)
    connection.execute(_ALL_FLAWS)


def add_named(connection: Connection, names: Collection[Name], flaws: Collection[str]) -> None:
    """The packages of these names are to be judged again, and these flaws told."""
    sources = [(space.removesuffix(SOURCE_NAMES), name) for space, name in names if space.endswith(SOURCE_NAMES)]
    for condition, wanted in (
        ("p.canonical = w.name", [each for each in names if not each[0].endswith(SOURCE_NAMES)]),
        ("p.source_name = w.name AND p.source_name <> ''", sources),
        # Without a source of its own a package is looked up among the sources under its own name.
        ("p.canonical = w.name AND p.source_name = ''", sources),
    ):
        values = {"spaces": [space for space, _ in wanted], "names": [name for _, name in wanted]}
        connection.execute(text(_NAMED.format(condition)), values)
    connection.execute(_NAMED_FLAWS, {"flaws": sorted(flaws)})


def add_provisional(connection: Connection) -> int:
    """The packages are to be judged that were matched with another generation when they came; how many."""
    return connection.execute(_ADD_PROVISIONAL).rowcount


# Judging packages


def claim_packages(connection: Connection, most: int) -> Sequence[Row[Any]]:
    """Strikes off at most so many packages, and gives their rows; the others' claims are passed over."""
    return connection.execute(_CLAIM_PACKAGES, {"most": most}).all()


def matches_of(connection: Connection, packages: Collection[int]) -> dict[int, dict[str, Match]]:
    """What is known of packages, by package and flaw."""
    known: dict[int, dict[str, Match]] = {}
    for row in connection.execute(_OF_PACKAGES, {"ids": sorted(packages)}):
        known.setdefault(row.package_id, {})[row.vulnerability_id] = _match(row)
    return known


def note_judged(connection: Connection, packages: Collection[int], generation: int) -> None:
    """Packages that came with other advisories are judged by those of this generation now."""
    connection.execute(_JUDGED, {"ids": sorted(packages), "generation": generation})


def stage(connection: Connection, verdicts: Iterable[Verdict], *, overwrite: bool) -> int:
    """Notes what is said otherwise than before, and that findings are to follow; how many verdicts.

    `overwrite` says whether that counts more than what was noted of the same package and flaw.
    """
    told = {(each.vulnerability_id, each.package_id): each for each in verdicts}
    bare = Match(package_id=0, vulnerability_id="")
    rows = [
        (flaw, package, each.verdict, *(getattr(each.match or bare, name) for name in _MATCH))
        for (flaw, package), each in told.items()
    ]
    if not rows:
        return 0
    columns = ("vulnerability_id", "package_id", "verdict", *_MATCH)
    keep: tuple[str, ...] = () if overwrite else columns
    upsert(connection, rematch_match, columns, rows, key=("vulnerability_id", "package_id"), keep=keep)
    flaws = sorted({flaw for flaw, _ in told})
    names = ("vulnerability_id", "step")
    upsert(connection, rematch_flaw, names, [(each, "follow") for each in flaws], key=("vulnerability_id",), keep=names)
    return len(rows)


# Telling flaws


def claim_flaws(connection: Connection, step: str, most: int) -> list[tuple[str, bool]]:
    """At most so many flaws at a step, with whether all of their findings are to follow."""
    rows = connection.execute(_CLAIM_FLAWS, {"step": step, "most": most})
    return [(row.vulnerability_id, row.is_told) for row in rows]


def flaws_as_known(connection: Connection, flaws: Collection[str]) -> dict[str, Row[Any]]:
    """The digest of each flaw, and what others say of it."""
    return {row.id: row for row in connection.execute(_AS_KNOWN, {"flaws": sorted(flaws)})}


def installed_with(connection: Connection, flaws: Collection[str]) -> Sequence[Row[Any]]:
    """The matches of flaws, each with its package."""
    return connection.execute(_INSTALLED, {"flaws": sorted(flaws)}).all()


def note_told(connection: Connection, flaws: Collection[str], changed: Collection[str]) -> None:
    """Flaws were told: the findings of those that `changed` are to follow, and of those whose packages' matches did."""
    values = {"flaws": sorted(flaws), "changed": sorted(changed)}
    connection.execute(_TOLD_CHANGED, values)
    connection.execute(_TOLD_FOLLOW, values)
    connection.execute(_TOLD_SAME, values)


# The end


def strike_off(connection: Connection, flaws: Collection[str]) -> None:
    """The findings of flaws have followed."""
    connection.execute(text("DELETE FROM rematch_match WHERE vulnerability_id = ANY (:flaws)"), {"flaws": list(flaws)})
    connection.execute(text("DELETE FROM rematch_flaw WHERE vulnerability_id = ANY (:flaws)"), {"flaws": list(flaws)})


def has_left(connection: Connection, *steps: str) -> bool:
    """Whether there are pieces, claimed or not, of any of the steps: `judge`, `tell`, `follow`."""
    values = {"steps": list(steps), "judge": "judge" in steps}
    return bool(connection.execute(_LEFT, values).scalar_one())


def await_others(connection: Connection) -> None:
    """Waits for one who has claimed a piece, if anybody has."""
    connection.execute(_AWAIT_PACKAGE)
    connection.execute(_AWAIT_FLAW)
    connection.execute(_AWAIT_FOLLOWING, {"key": _FOLLOWING})


def put_in_force(connection: Connection, generation: int, now: datetime) -> None:
    """The generation is in force; nothing is left to be done."""
    connection.execute(_REPLACED, {"number": generation})
    connection.execute(_PUT_IN_FORCE, {"number": generation, "now": now})
    connection.execute(text("DELETE FROM rematch"))


def _match(row: Row[Any]) -> Match:
    values = {name: getattr(row, name) for name in Match.__struct_fields__}
    return Match(**{**values, "related": tuple(row.related)})


_FOLLOWING: Final = 0x666F6C6C6F77  # "follow"
_ONE_AT_A_TIME: Final = text("SELECT pg_try_advisory_xact_lock(:key)")
_AWAIT_FOLLOWING: Final = text("SELECT pg_advisory_xact_lock(:key)")
_EXCLUDE_SCANS: Final = text("LOCK TABLE rematch IN SHARE MODE")
_STAY: Final = text("LOCK TABLE rematch IN ROW SHARE MODE")
_EXCLUDE_ALL: Final = text("LOCK TABLE rematch IN EXCLUSIVE MODE")
_IN_FORCE: Final = text("SELECT number, digest, state, built_at FROM generation WHERE state = 'in force'")
_BY_NUMBER: Final = text("SELECT number, digest, state, built_at FROM generation WHERE number = :number")
_RUNNING: Final = text(
    "SELECT g.number, g.digest, g.state, g.built_at, r.is_full FROM rematch r JOIN generation g"
    " ON g.number = r.generation"
)
_HAS_PROVISIONAL: Final = text("SELECT EXISTS (SELECT FROM package WHERE matched_generation = 0)")
_NAMES: Final = text(
    "SELECT DISTINCT type = ANY (:os), namespace, canonical, source_name FROM package"
    " WHERE matched_generation IS NOT NULL AND namespace <> ''"
)
_FLAWS: Final = text("SELECT id FROM vulnerability")

_BEGIN: Final = text("INSERT INTO rematch (generation, is_full, started_at) VALUES (:generation, :full, :now)")
_MATCHING: Final = text(
    "UPDATE generation SET built_at = CAST(:built AS timestamptz),"
    " state = CASE WHEN state = 'in force' THEN state ELSE 'matching' END WHERE number = :number"
)
# Packages that a finding keeps from an earlier look are in no inventory: they are judged when it follows.
_KEPT: Final = text(
    "INSERT INTO rematch_flaw (vulnerability_id, step) SELECT DISTINCT vulnerability_id, 'follow' FROM finding"
    " WHERE status <> 'CLOSED' AND details ? 'packages' AND vulnerability_id <> ''"
)
_ALL_PACKAGES: Final = text(
    "INSERT INTO rematch_package SELECT id FROM package WHERE matched_generation IS NOT NULL ON CONFLICT DO NOTHING"
)
_ALL_FLAWS: Final = text(
    "INSERT INTO rematch_flaw (vulnerability_id, step) SELECT id, 'tell' FROM vulnerability"
    " ON CONFLICT (vulnerability_id) DO UPDATE SET step = 'tell'"
)
_NAMED: Final = (
    "INSERT INTO rematch_package SELECT DISTINCT p.id"
    " FROM unnest(CAST(:spaces AS text[]), CAST(:names AS text[])) AS w (space, name)"
    " JOIN package p ON p.namespace = w.space AND p.matched_generation IS NOT NULL AND {} ON CONFLICT DO NOTHING"
)
_NAMED_FLAWS: Final = text(
    "INSERT INTO rematch_flaw (vulnerability_id, step) SELECT name, 'tell' FROM unnest(CAST(:flaws AS text[])) AS name"
    " ON CONFLICT (vulnerability_id) DO UPDATE SET step = 'tell'"
)
_ADD_PROVISIONAL: Final = text(
    "INSERT INTO rematch_package SELECT id FROM package WHERE matched_generation = 0 ON CONFLICT DO NOTHING"
)
_CLAIM_PACKAGES: Final = text(
    "WITH mine AS (DELETE FROM rematch_package WHERE package_id IN (SELECT package_id FROM rematch_package"
    " ORDER BY package_id LIMIT :most FOR UPDATE SKIP LOCKED) RETURNING package_id)"
    " SELECT p.* FROM mine JOIN package p ON p.id = mine.package_id ORDER BY p.id"
)
_OF_PACKAGES: Final = text("SELECT * FROM package_vulnerability WHERE package_id = ANY (:ids)")
_JUDGED: Final = text(
    "UPDATE package SET matched_generation = :generation WHERE id = ANY (:ids) AND matched_generation = 0"
)
_CLAIM_FLAWS: Final = text(
    "SELECT vulnerability_id, is_told FROM rematch_flaw WHERE step = :step ORDER BY vulnerability_id LIMIT :most"
    " FOR UPDATE SKIP LOCKED"
)
_AS_KNOWN: Final = text(
    "SELECT v.id, v.digest, e.epss, e.percentile, e.kev, e.exploits, coalesce(e.is_exploitable, false)"
    " AS is_exploitable, coalesce(e.last_exploited_at, '') AS last_exploited_at FROM vulnerability v"
    " LEFT JOIN enrichment e ON e.vulnerability_id = v.id WHERE v.id = ANY (:flaws)"
)
_INSTALLED: Final = text(
    "SELECT pv.package_id, pv.vulnerability_id, pv.repository, pv.state, pv.fixed_version, pv.severity,"
    " pv.vendor_severity, pv.source, pv.related, pv.evidence, p.type, p.name, p.version, p.arch, p.module,"
    " p.repository AS package_repository, p.source_name, p.source_version FROM package_vulnerability pv"
    " JOIN package p ON p.id = pv.package_id WHERE pv.vulnerability_id = ANY (:flaws)"
)
_TOLD_CHANGED: Final = text(
    "UPDATE rematch_flaw SET step = 'follow', is_told = true WHERE vulnerability_id = ANY (:changed)"
)
_TOLD_FOLLOW: Final = text(
    "UPDATE rematch_flaw f SET step = 'follow' WHERE f.vulnerability_id = ANY (:flaws) AND f.step = 'tell' AND ("
    "EXISTS (SELECT FROM rematch_match m WHERE m.vulnerability_id = f.vulnerability_id) OR"
    " EXISTS (SELECT FROM finding k WHERE k.vulnerability_id = f.vulnerability_id AND k.status <> 'CLOSED'"
    " AND k.details ? 'packages'))"
)
_TOLD_SAME: Final = text("DELETE FROM rematch_flaw WHERE vulnerability_id = ANY (:flaws) AND step = 'tell'")
_LEFT: Final = text(
    "SELECT (:judge AND EXISTS (SELECT FROM rematch_package))"
    " OR EXISTS (SELECT FROM rematch_flaw WHERE step = ANY (:steps))"
)
_AWAIT_PACKAGE: Final = text("SELECT package_id FROM rematch_package ORDER BY package_id LIMIT 1 FOR UPDATE")
_AWAIT_FLAW: Final = text("SELECT vulnerability_id FROM rematch_flaw ORDER BY vulnerability_id LIMIT 1 FOR UPDATE")
# Those that were known before, and didn't get so far, too.
_REPLACED: Final = text(
    "UPDATE generation g SET state = 'replaced' FROM generation n WHERE n.number = :number AND g.number <> n.number"
    " AND (g.state = 'in force' OR (g.state = 'matching' AND g.built_at < n.built_at))"
)
_PUT_IN_FORCE: Final = text("UPDATE generation SET state = 'in force', matched_at = :now WHERE number = :number")
