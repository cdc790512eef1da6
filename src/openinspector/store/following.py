"""The findings of some flaws follow new matches: all at once, for every resource that has one of the packages.

    turns = Following(connection, now)
    turns.gather(flaws, told)            # whose findings, and what was known of them: {group: observation}
    turns.switch(flaws, tellings)        # the matches and flaws themselves
    counts = turns.write()               # findings and events

What is observed of a flaw follows from the packages that have it and where they lie, and many inventories have the same
ones in the same places: those are one group, of which the observation is put together once. Between the groups before
and after, and the finding that each resource has, a join says what happens to each: the same as `find.reconcile` says
of one resource. Left to that are the odd ones (`turns.odd`): findings that hold something that doesn't follow from
matches, packages that nobody can judge any more, resources that nobody looks at.

All of it belongs in one transaction of the system, behind `rematching.exclude_scans`. The resources are locked against
whoever else changes findings of theirs.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Connection, Row, text

from openinspector.find.identity import finding_arn
from openinspector.find.reconcile import KEPT, REOPENING
from openinspector.find.suppress import Rule, hiding, rules
from openinspector.model.coverage import Reason
from openinspector.model.finding import SEVERITIES, Finding, Life, Observation
from openinspector.model.match import Vulnerability
from openinspector.model.moment import moment_text
from openinspector.model.resource import AccountId, Resource
from openinspector.store.bulk import as_json
from openinspector.store.estate import resource_of
from openinspector.store.finding_packages import SILENT
from openinspector.store.findings import Known, Written, known_of_flaws, observation_digest, row_of
from openinspector.store.matched import Matched, read_matched, store_flaws
from openinspector.store.observation import function_layers, observation_of
from openinspector.store.rows import FindingRow
from openinspector.store.suppressing import ruled_places, suppressing_filters

_TEMPORARY: Final = {
    "found": "resource_id bigint, inventory_id integer, flaw text, layers text",
    "carrier": "resource_id bigint, inventory_id integer, flaw text, layers text",
    "signed": "inventory_id integer, flaw text, signature text",
    "grouped": "number integer, flaw text, signature text, layers text, digest uuid",
    "turn": "resource_id bigint, inventory_id integer, flaw text, layers text, account text, region text, grp integer,"
    " finding_id uuid, status text, first_observed_at timestamptz, closed_at timestamptz, digest uuid,"
    " is_looked_at boolean, is_ruled boolean, is_odd boolean",
    "fresh": "number integer, severity smallint, score double precision, exploit boolean, vulnerability_source text,"
    " vendor_severity text, vector text, score_source text, fix text, title text, package_names text[], digest uuid",
    "move": "resource_id bigint, flaw text, account text, region text, finding_id uuid, first_observed_at timestamptz,"
    " was text, grp integer, fresh integer, change text, status text, suppressed_by text, is_ruled boolean",
    "ending": "grp integer, details jsonb",
}
_FRESH: Final = (
    *("severity", "score", "exploit", "vulnerability_source", "vendor_severity", "vector", "score_source"),
    *("fix", "title", "package_names", "digest"),
)
_ANYBODY: Final = Resource(account=AccountId("0" * 12), region="", type="AWS_EC2_INSTANCE", id="")
_EVER: Final = "1970-01-01T00:00:00.000000Z"  # a time that nobody reads


class Counts(Struct, kw_only=True):
    """What happened to findings, by change, as their events say: `Opened`, `Closed`, …"""

    changes: dict[str, int] = {}

    def add(self, change: str, count: int) -> None:
        """Counts some more."""
        if count:
            self.changes[change] = self.changes.get(change, 0) + count


class Odd(NamedTuple):
    """A resource and a flaw whose findings don't simply follow; `known` are those that it has, the oldest first."""

    resource_id: int
    inventory_id: int | None
    flaw: str
    resource: Resource
    known: list[Known]
    is_looked_at: bool


class _Group(NamedTuple):
    number: int
    flaw: str
    about: Resource
    matched: Matched
    observation: Observation
    digest: UUID


class Following:
    """The findings of some flaws in one transaction, in which each step is done once, in order."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._before: dict[int, _Group] = {}
        self._rules: dict[tuple[str, str], tuple[tuple[Rule, ...], str]] = {}
        self.odd: list[Odd] = []
        for name, columns in _TEMPORARY.items():
            connection.exec_driver_sql(
                f"CREATE TEMPORARY TABLE IF NOT EXISTS following_{name} ({_collated(columns)}) ON COMMIT DELETE ROWS"
            )
            self._clear(name)

    # Before

    def gather(self, flaws: Collection[str], told: Collection[str], most: int) -> int:
        """Finds the resources whose findings of the flaws may be otherwise, and how they stand; how many there are.

        Of the flaws that are `told` otherwise these are all that have them. Where there are more than `most` it leaves
        it at that, says so by a greater number, and may be asked again about fewer flaws.
        """
        values = {"flaws": sorted(flaws), "told": sorted(told), "most": most + 1}
        self._clear("found")
        found = self._connection.execute(_FIND, values).rowcount
        if found > most:
            return found
        count = self._connection.execute(_CARRIERS).rowcount
        count += self._connection.execute(_KEEPERS, values).rowcount
        self._analyze("carrier")
        if count:
            self._connection.execute(_LOCK)
            self._sign()
            self._before = self._groups()
            self._take_turns(values)
        return count

    def _take_turns(self, values: dict[str, Any]) -> None:
        self._connection.execute(_TURNS, {"now": self._now, "aside": list(_LEFT_ALONE)})
        if self._connection.execute(_HAS_UNDECIDED, values).scalar_one():
            self._connection.execute(_UNDECIDED)
        self._analyze("turn")
        self._find_rules()
        odd = self._connection.execute(_ODD).all()
        known = known_of_flaws(self._connection, [(row.resource_id, row.flaw) for row in odd])
        for row in odd:
            about, findings = known[row.resource_id, row.flaw]
            self.odd.append(Odd(row.resource_id, row.inventory_id, row.flaw, about, findings, row.is_looked_at))

    def _find_rules(self) -> None:
        """Which turns have to be asked about rules: those of accounts that have any about the flaw."""
        places = [(row.account, row.region) for row in self._connection.execute(_PLACES)]
        for account, region in ruled_places(self._connection, places):
            found = suppressing_filters(self._connection, account, region)
            self._rules[account, region] = rules(found.filters), found.organization
        asked = []
        flaws = self._connection.execute(text("SELECT DISTINCT flaw FROM pg_temp.following_turn")).scalars().all()
        for (account, region), (ready, _) in self._rules.items():
            about = {name for rule in ready for name in rule.vulnerabilities}
            general = any(not rule.vulnerabilities for rule in ready)
            asked += [(account, region, flaw) for flaw in flaws if general or flaw in about]
        self._connection.execute(
            _RULED,
            {
                "accounts": [each[0] for each in asked],
                "regions": [each[1] for each in asked],
                "flaws": [each[2] for each in asked],
            },
        )

    def rules_of(self, account: str, region: str) -> tuple[tuple[Rule, ...], str]:
        """The rules that may hide findings of an account, and the organization that it is in."""
        return self._rules.get((account, region), ((), ""))

    # The matches themselves

    def switch(self, flaws: Collection[str], tellings: Collection[Vulnerability]) -> None:
        """Writes what the new generation says: of flaws, and of packages."""
        store_flaws(self._connection, tellings)
        values = {"flaws": sorted(flaws)}
        self._connection.execute(_DROP_MATCHES, values)
        self._connection.execute(_PUT_MATCHES, values)

    # After

    def write(self) -> Counts:
        """Findings are opened, updated, reopened and closed, each with its event; how many of each."""
        counts = Counts()
        self._clear("signed")
        self._clear("grouped")
        self._sign()
        after = self._groups()
        self._stage_fresh(after.values())
        self._connection.execute(_MOVES, {"reopening": self._now - REOPENING})
        self._ask_rules(after)
        self._end()
        self._analyze("move")
        values = {"now": self._now, "at": moment_text(self._now), "delete_at": self._now + KEPT}
        for statement in (_OPEN, _CONTINUE, _CLOSE):
            for change, count in self._connection.execute(statement, values).all():
                counts.add(change, count)
        return counts

    def _stage_fresh(self, groups: Iterable[_Group]) -> None:
        rows = []
        for group in groups:
            row = _row(group, Life(status="ACTIVE", first_observed_at=_EVER, last_observed_at=_EVER, updated_at=_EVER))
            rows.append((group.number, *(getattr(row, name) for name in _FRESH)))
        self._copy("fresh", ("number", *_FRESH), rows)

    def _ask_rules(self, after: dict[int, _Group]) -> None:
        """Which of the findings that change are hidden, where rules may say so or one was."""
        hides: dict[int, Any] = {}
        told = []
        for row in self._connection.execute(_TO_ASK):
            if row.id not in hides:
                ready, organization = self.rules_of(row.account, row.region)
                hides[row.id] = hiding(ready, resource_of(row), organization)
            by = hides[row.id](self._as_it_will_be(row, after[row.fresh].observation))
            status = "SUPPRESSED" if by is not None else "ACTIVE"
            change = row.change
            if change == "Updated" and row.was != status:
                change = "Suppressed" if by is not None else "Unsuppressed"
            told.append((row.id, row.flaw, change, status, by.arn if by is not None else ""))
        if told:
            names = ("resources", "flaws", "changes", "statuses", "filters")
            self._connection.execute(_ASKED, dict(zip(names, map(list, zip(*told, strict=True)), strict=True)))

    def _as_it_will_be(self, row: Row[Any], observation: Observation) -> Finding:
        """A finding as rules are asked about it."""
        about, at = resource_of(row), moment_text(self._now)
        if row.change == "Opened":
            arn, first = finding_arn(about, observation.key, at), at
        else:
            arn = f"arn:{about.partition}:inspector2:{about.region}:{about.account}:finding/{row.finding_id.hex}"
            first = moment_text(row.first_observed_at)
        life = Life(status="ACTIVE", first_observed_at=first, last_observed_at=at, updated_at=at)
        return Finding(arn=arn, observation=observation, life=life)

    def _end(self) -> None:
        """What a closed finding was about, which follows from nothing any more."""
        rows = []
        for number in self._connection.execute(_ENDING).scalars():
            group = self._before[number]
            closed = Life(status="CLOSED", first_observed_at=_EVER, last_observed_at=_EVER, updated_at=_EVER)
            rows.append((number, as_json(_row(group, closed).details or {})))
        self._copy("ending", ("grp", "details"), rows)

    # Both

    def _sign(self) -> None:
        """Of each inventory and flaw, what the observation follows from, as a digest."""
        self._connection.execute(_SIGN, {"silent": list(SILENT)})
        self._analyze("signed")

    def _groups(self) -> dict[int, _Group]:
        """The groups, and one observation of each."""
        rows = self._connection.execute(_GROUPS).all()
        matched = read_matched(self._connection, {(row.inventory_id, row.flaw) for row in rows})
        layered = [row.resource_id for row in rows if row.layers]
        nouns = {}
        if layered:
            query = text("SELECT * FROM resource WHERE id = ANY (:ids)")
            nouns = {row.id: resource_of(row) for row in self._connection.execute(query, {"ids": layered})}
        found = {}
        told = []
        for number, row in enumerate(rows):
            here = matched.get((row.inventory_id, row.flaw))
            if here is None:  # a flaw that nobody knows
                continue
            about = nouns[row.resource_id] if row.layers else _ANYBODY
            layers, findings = here
            observation = observation_of(findings, function_layers(about, layers))
            found[number] = _Group(number, row.flaw, about, here, observation, observation_digest(observation))
            told.append((number, row.flaw, row.signature, row.layers, found[number].digest))
        self._copy("grouped", ("number", "flaw", "signature", "layers", "digest"), told)
        self._analyze("grouped")
        return found

    def _copy(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        statement = f"COPY pg_temp.following_{name} ({', '.join(columns)}) FROM STDIN"
        with self._connection.connection.cursor().copy(statement) as copying:
            for row in rows:
                copying.write_row([list(each) if isinstance(each, tuple) else each for each in row])

    def _analyze(self, name: str) -> None:
        self._connection.exec_driver_sql(f"ANALYZE pg_temp.following_{name}")

    def _clear(self, name: str) -> None:
        self._connection.exec_driver_sql(f"DELETE FROM pg_temp.following_{name}")  # noqa: S608  our own names


def _collated(columns: str) -> str:
    """Texts that compare as those of our tables do."""
    return re.sub(r" text(?=,|\[|$)", ' text COLLATE "C"', columns).replace('text COLLATE "C"[]', 'text[] COLLATE "C"')


def _row(group: _Group, life: Life) -> FindingRow:
    """A finding of a group, but for what is its resource's."""
    finding = Finding(arn=_NO_ARN, observation=group.observation, life=life)
    return row_of(group.about, 0, Written(finding=finding, digest=group.digest), group.matched)


# Who isn't looked at any more, though there may be findings of what was.
_LEFT_ALONE: Final[tuple[Reason, ...]] = (
    "SCAN_FREQUENCY_MANUAL",
    "SCAN_FREQUENCY_SCAN_ON_PUSH",
    "SCAN_ELIGIBILITY_EXPIRED",
    "EXCLUDED_BY_TAG",
    "IMAGE_ARCHIVED",
)
_NO_ARN: Final = f"arn:aws:inspector2:::finding/{0:032x}"
_LAYERS: Final = (
    "CASE WHEN r.type = 'AWS_LAMBDA_FUNCTION' AND r.details -> 'layers' <> '[]'"
    " THEN (r.details ->> 'layers') || CAST(i.layers AS text) ELSE '' END"
)
_FIND: Final = text(
    "INSERT INTO pg_temp.following_found SELECT r.id, r.inventory_id, c.flaw, "  # noqa: S608  our own names
    f"{_LAYERS} FROM (SELECT m.package_id, m.vulnerability_id AS flaw FROM rematch_match m"
    " WHERE m.vulnerability_id = ANY (:flaws) UNION SELECT pv.package_id, pv.vulnerability_id"
    " FROM package_vulnerability pv WHERE pv.vulnerability_id = ANY (:told)) AS c"
    " JOIN inventory_package ip ON ip.package_id = c.package_id AND ip.is_judged"
    " JOIN inventory i ON i.id = ip.inventory_id JOIN resource r ON r.inventory_id = i.id LIMIT :most"
)
_CARRIERS: Final = text(
    "INSERT INTO pg_temp.following_carrier SELECT DISTINCT resource_id, inventory_id, flaw, layers"
    " FROM pg_temp.following_found"
)
_KEEPERS: Final = text(
    "INSERT INTO pg_temp.following_carrier SELECT f.resource_id, r.inventory_id, f.vulnerability_id, '' FROM finding f"
    " JOIN resource r ON r.id = f.resource_id WHERE f.status <> 'CLOSED' AND f.details ? 'packages'"
    " AND f.vulnerability_id = ANY (:flaws) AND NOT EXISTS (SELECT FROM pg_temp.following_carrier c"
    " WHERE c.resource_id = f.resource_id AND c.flaw = f.vulnerability_id)"
)
_LOCK: Final = text(
    "SELECT count(*) FROM (SELECT r.id FROM resource r WHERE r.id IN (SELECT resource_id FROM"
    " pg_temp.following_carrier) ORDER BY r.id FOR NO KEY UPDATE) AS locked"
)
_SIGN: Final = text(
    "INSERT INTO pg_temp.following_signed SELECT i.id, t.flaw, md5(string_agg(CAST(ROW(ip.package_id, ip.path,"
    " ip.owner, i.layers[ip.layer + 1], i.layers[ip.introduced + 1], ip.extra) AS text), ',' ORDER BY ip.position))"
    " FROM (SELECT DISTINCT inventory_id, flaw FROM pg_temp.following_carrier) AS t"
    " JOIN package_vulnerability pv ON pv.vulnerability_id = t.flaw AND pv.state <> ALL (:silent)"
    " JOIN inventory_package ip ON ip.inventory_id = t.inventory_id AND ip.package_id = pv.package_id"
    " AND ip.is_judged JOIN inventory i ON i.id = t.inventory_id"
    " WHERE pv.repository = '' OR pv.repository = ANY (i.repositories) GROUP BY i.id, t.flaw"
)
_GROUPS: Final = text(
    "SELECT s.flaw, s.signature, c.layers, min(c.inventory_id) AS inventory_id, min(c.resource_id) AS resource_id"
    " FROM pg_temp.following_carrier c JOIN pg_temp.following_signed s"
    " ON s.inventory_id = c.inventory_id AND s.flaw = c.flaw GROUP BY s.flaw, s.signature, c.layers"
    " ORDER BY s.flaw, s.signature, c.layers"
)
_IN_GROUP: Final = (
    " LEFT JOIN pg_temp.following_signed s ON s.inventory_id = {0}.inventory_id AND s.flaw = {0}.flaw"
    " LEFT JOIN pg_temp.following_grouped g ON g.flaw = s.flaw AND g.signature = s.signature AND g.layers = {0}.layers"
)
_TURNS: Final = text(
    "INSERT INTO pg_temp.following_turn SELECT t.resource_id, t.inventory_id, t.flaw, t.layers, t.account, t.region,"
    " t.number, t.id, t.status, t.first_observed_at, t.closed_at, t.digest, t.is_looked_at, t.is_ruled,"
    " coalesce(t.status, 'CLOSED') <> 'CLOSED'"
    " AND (NOT t.is_looked_at OR t.has_details OR t.digest IS DISTINCT FROM t.expected) FROM ("
    "SELECT c.resource_id, c.inventory_id, c.flaw, c.layers, r.account, r.region, g.number, f.id, f.status,"
    " f.first_observed_at, f.closed_at, f.digest, r.state IN ('', 'running')"
    " AND coalesce(v.reason, '') <> ALL (:aside) AS is_looked_at, false AS is_ruled,"
    " f.details IS NOT NULL AS has_details, g.digest AS expected FROM pg_temp.following_carrier c"
    " JOIN resource r ON r.id = c.resource_id"
    + _IN_GROUP.format("c")
    + " LEFT JOIN coverage v ON v.resource_id = c.resource_id AND v.scan_type = 'PACKAGE'"
    " LEFT JOIN LATERAL (SELECT o.* FROM finding o WHERE o.resource_id = c.resource_id AND o.key = c.flaw"
    " AND (o.delete_at IS NULL OR o.delete_at > :now) ORDER BY o.first_observed_at DESC LIMIT 1) AS f ON true) AS t"
)
_HAS_UNDECIDED: Final = text(
    "SELECT EXISTS (SELECT FROM rematch_match WHERE vulnerability_id = ANY (:flaws) AND verdict = 'undecided')"
)
_UNDECIDED: Final = text(
    "UPDATE pg_temp.following_turn t SET is_odd = true WHERE t.status <> 'CLOSED' AND EXISTS ("
    "SELECT FROM rematch_match m JOIN inventory_package ip ON ip.package_id = m.package_id"
    " AND ip.inventory_id = t.inventory_id AND ip.is_judged WHERE m.vulnerability_id = t.flaw"
    " AND m.verdict = 'undecided')"
)
_PLACES: Final = text("SELECT DISTINCT account, region FROM pg_temp.following_turn ORDER BY account, region")
_RULED: Final = text(
    "UPDATE pg_temp.following_turn t SET is_ruled = true FROM unnest(CAST(:accounts AS text[]),"
    " CAST(:regions AS text[]), CAST(:flaws AS text[])) AS a (account, region, flaw)"
    " WHERE t.account = a.account AND t.region = a.region AND t.flaw = a.flaw"
)
_ODD: Final = text(
    "SELECT resource_id, inventory_id, flaw, is_looked_at FROM pg_temp.following_turn WHERE is_odd"
    " ORDER BY resource_id, flaw"
)
_DROP_MATCHES: Final = text(
    "DELETE FROM package_vulnerability pv USING rematch_match m WHERE m.vulnerability_id = ANY (:flaws)"
    " AND m.verdict <> 'affected' AND pv.vulnerability_id = m.vulnerability_id AND pv.package_id = m.package_id"
)
_PUT_MATCHES: Final = text(
    "INSERT INTO package_vulnerability AS pv (package_id, vulnerability_id, state, fixed_version, severity,"
    " vendor_severity, source, related, evidence) SELECT package_id, vulnerability_id, state, fixed_version, severity,"
    " vendor_severity, source, related, evidence FROM rematch_match WHERE vulnerability_id = ANY (:flaws)"
    " AND verdict = 'affected' ORDER BY package_id, vulnerability_id"
    " ON CONFLICT (package_id, vulnerability_id, repository) DO UPDATE SET state = excluded.state,"
    " fixed_version = excluded.fixed_version, severity = excluded.severity,"
    " vendor_severity = excluded.vendor_severity, source = excluded.source, related = excluded.related,"
    " evidence = excluded.evidence"
)
_MOVES: Final = text(
    "INSERT INTO pg_temp.following_move SELECT * FROM (SELECT t.resource_id, t.flaw, t.account, t.region,"
    " t.finding_id, t.first_observed_at, t.status AS was, t.grp, g.number,"
    " CASE WHEN t.status <> 'CLOSED' THEN CASE WHEN g.number IS NULL THEN 'Closed'"
    " WHEN g.digest IS DISTINCT FROM t.digest THEN 'Updated' END"
    " WHEN g.number IS NULL THEN NULL WHEN t.closed_at >= :reopening THEN 'Reopened' ELSE 'Opened' END AS change,"
    " 'ACTIVE', '', t.is_ruled FROM pg_temp.following_turn t"
    + _IN_GROUP.format("t")
    + " WHERE t.is_looked_at AND NOT t.is_odd) AS m WHERE m.change IS NOT NULL"
)
_TO_ASK: Final = text(
    "SELECT r.*, m.flaw, m.change, m.was, m.fresh, m.finding_id, m.first_observed_at FROM pg_temp.following_move m"
    " JOIN resource r ON r.id = m.resource_id WHERE m.change <> 'Closed' AND (m.is_ruled OR m.was = 'SUPPRESSED')"
)
_ASKED: Final = text(
    "UPDATE pg_temp.following_move m SET change = a.change, status = a.status, suppressed_by = a.filter"
    " FROM unnest(CAST(:resources AS bigint[]), CAST(:flaws AS text[]), CAST(:changes AS text[]),"
    " CAST(:statuses AS text[]), CAST(:filters AS text[])) AS a (resource_id, flaw, change, status, filter)"
    " WHERE m.resource_id = a.resource_id AND m.flaw = a.flaw"
)
_ENDING: Final = text("SELECT DISTINCT grp FROM pg_temp.following_move WHERE change = 'Closed'")


def _told(changed: str) -> str:
    """The events of findings that a statement gives back in `changed`, in their order, and how many of each kind."""
    words = ", ".join(f"'{each}'" for each in SEVERITIES)
    spelt = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    moments = "".join(
        f", '{name}', {spelt.format('d.' + name)}" for name in ("first_observed_at", "last_observed_at", "updated_at")
    )
    return (
        f"WITH done AS ({changed}), told AS (INSERT INTO event"  # noqa: S608  our own names
        " (account, region, kind, resource_id, created_at, finding_id, payload)"
        " SELECT d.account, d.region, 'finding', d.resource_id, :now, d.id,"
        " jsonb_build_object('change', d.change, 'type', d.type, 'key', d.key, 'title', d.title,"
        f" 'severity', (ARRAY[{words}])[d.severity + 1], 'status', d.status{moments})"
        " FROM done d ORDER BY d.resource_id, d.key RETURNING payload ->> 'change' AS change)"
        " SELECT change, count(*) FROM told GROUP BY change"
    )


_BACK: Final = (
    " RETURNING {0}account, {0}region, {0}id, {0}resource_id, {0}key, {0}type, {0}title, {0}severity, {0}status,"
    " {0}first_observed_at, {0}last_observed_at, {0}updated_at, {1} AS change"
)
_SPELT: Final = " || ".join(
    f"length({part}) || ':' || {part}"
    for part in ("r.partition", "r.region", "r.account", "r.external_id", "m.flaw", "CAST(:at AS text)")
)
_OPEN: Final = text(
    _told(
        "INSERT INTO finding AS f (account, region, id, resource_id, key, type, status, first_observed_at,"
        f" last_observed_at, updated_at, vulnerability_id, suppressed_by, {', '.join(_FRESH)})"  # noqa: S608
        " SELECT m.account, m.region, CAST(encode(substr(sha256(convert_to("
        + _SPELT
        + ", 'UTF8')), 1, 16), 'hex') AS uuid), m.resource_id, m.flaw, 'PACKAGE_VULNERABILITY', m.status, :now, :now,"
        f" :now, m.flaw, m.suppressed_by, {', '.join('n.' + name for name in _FRESH)} FROM pg_temp.following_move m"
        " JOIN resource r ON r.id = m.resource_id JOIN pg_temp.following_fresh n ON n.number = m.fresh"
        " WHERE m.change = 'Opened' ORDER BY 1, 2, 3"  # as the indexes have them: neighbours come after each other
         + _BACK.format("f.", "'Opened'")
    )
)
_CONTINUE: Final = text(
    _told(
        "UPDATE finding f SET status = m.status, suppressed_by = m.suppressed_by, last_observed_at = :now,"
        " updated_at = :now, closed_at = NULL, delete_at = NULL, close_reason = '', details = NULL, "
        + ", ".join(f"{name} = n.{name}" for name in _FRESH)
        + " FROM pg_temp.following_move m JOIN pg_temp.following_fresh n ON n.number = m.fresh"
        " WHERE f.account = m.account AND f.region = m.region AND f.id = m.finding_id"
        " AND m.change NOT IN ('Opened', 'Closed')" + _BACK.format("f.", "m.change")
    )
)
_CLOSE: Final = text(
    _told(
        "UPDATE finding f SET status = 'CLOSED', suppressed_by = '', updated_at = :now, closed_at = :now,"
        " delete_at = :delete_at, close_reason = 'unseen', details = e.details"
        " FROM pg_temp.following_move m JOIN pg_temp.following_ending e ON e.grp = m.grp"
        " WHERE f.account = m.account AND f.region = m.region AND f.id = m.finding_id AND m.change = 'Closed'"
        + _BACK.format("f.", "m.change")
    )
)
