"""The findings of some flaws follow new matches: all at once, for every resource that has one of the packages.

    turns = Following(connection, now)
    turns.gather(flaws, told)            # whose findings, and what was known of them: {group: observation}
    turns.switch(flaws, tellings)        # the matches and flaws themselves
    counts = turns.write()               # findings and events

What is observed of a flaw follows from the packages that have it and where they lie, and from who can get to the
resource. Many have the same packages in the same places, within the same reach: those are one group, of which the
observation is put together once. Between the groups before
and after, and the finding that each resource has, a join says what happens to each: the same as `find.reconcile` says
of one resource. Left to that are the odd ones (`turns.odd`): findings that hold something that doesn't follow from
matches, packages that nobody can judge any more, resources that nobody looks at.

All of it belongs in one transaction of the system, behind `rematching.exclude_scans`. The resources are locked against
whoever else changes findings of theirs.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Connection, Row, text

from openinspector.find.identity import finding_arn
from openinspector.find.reconcile import KEPT, REOPENING
from openinspector.find.suppress import Rule, hiding, rules
from openinspector.model.finding import Finding, Life, Observation
from openinspector.model.match import Vulnerability
from openinspector.model.moment import moment_text
from openinspector.model.resource import AccountId, Resource
from openinspector.store import following_sql as sql
from openinspector.store.bulk import as_json
from openinspector.store.estate import resource_of
from openinspector.store.finding_packages import SILENT
from openinspector.store.findings import Known, Written, known_of_flaws, observation_digest, row_of
from openinspector.store.matched import Matched, read_matched, store_flaws
from openinspector.store.observation import observation_of
from openinspector.store.rows import FindingRow
from openinspector.store.suppressing import ruled_places, suppressing_filters

_ANYBODY: Final = Resource(account=AccountId("0" * 12), region="", type="AWS_EC2_INSTANCE", id="")
_NO_ARN: Final = f"arn:aws:inspector2:::finding/{0:032x}"
_EVER: Final = "1970-01-01T00:00:00.000000Z"  # a time that nobody reads


class Counts(Struct, kw_only=True):
    """What happened to findings: how many of each change, `Opened`, `Closed`, as their events say it."""

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
        for name, columns in sql.TEMPORARY.items():
            connection.exec_driver_sql(
                f"CREATE TEMPORARY TABLE IF NOT EXISTS following_{name} ({columns}) ON COMMIT DELETE ROWS"
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
        found = self._connection.execute(sql.FIND, values).rowcount
        if found > most:
            return found
        count = self._connection.execute(sql.CARRIERS).rowcount
        count += self._connection.execute(sql.KEEPERS, values).rowcount
        self._analyze("carrier")
        if count:
            self._connection.execute(sql.LOCK)
            self._sign()
            self._before = self._groups()
            self._take_turns(values)
        return count

    def _take_turns(self, values: dict[str, Any]) -> None:
        self._connection.execute(sql.TURNS, {"now": self._now, "aside": list(sql.LEFT_ALONE)})
        if self._connection.execute(sql.HAS_UNDECIDED, values).scalar_one():
            self._connection.execute(sql.UNDECIDED)
        self._analyze("turn")
        self._find_rules()
        odd = self._connection.execute(sql.ODD).all()
        known = known_of_flaws(self._connection, [(row.resource_id, row.flaw) for row in odd])
        for row in odd:
            about, findings = known[row.resource_id, row.flaw]
            self.odd.append(Odd(row.resource_id, row.inventory_id, row.flaw, about, findings, row.is_looked_at))

    def _find_rules(self) -> None:
        """Which turns have to be asked about rules: those of accounts that have any about the flaw."""
        places = [(row.account, row.region) for row in self._connection.execute(sql.PLACES)]
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
            sql.RULED,
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
        self._connection.execute(sql.DROP_MATCHES, values)
        self._connection.execute(sql.PUT_MATCHES, values)

    # After

    def write(self) -> Counts:
        """Findings are opened, updated, reopened and closed, each with its event; how many of each."""
        counts = Counts()
        self._clear("signed")
        self._clear("grouped")
        self._sign()
        after = self._groups()
        self._stage_fresh(after.values())
        self._connection.execute(sql.MOVES, {"reopening": self._now - REOPENING})
        self._ask_rules(after)
        self._end()
        self._analyze("move")
        values = {"now": self._now, "at": moment_text(self._now), "delete_at": self._now + KEPT}
        for statement in (sql.OPEN, sql.CONTINUE, sql.CLOSE):
            for change, count in self._connection.execute(statement, values).all():
                counts.add(change, count)
        return counts

    def _stage_fresh(self, groups: Iterable[_Group]) -> None:
        rows = []
        for group in groups:
            row = _row(group, Life(status="ACTIVE", first_observed_at=_EVER, last_observed_at=_EVER, updated_at=_EVER))
            rows.append((group.number, *(getattr(row, name) for name in sql.FRESH)))
        self._copy("fresh", ("number", *sql.FRESH), rows)

    def _ask_rules(self, after: dict[int, _Group]) -> None:
        """Which of the findings that change are hidden, where rules may say so or one was."""
        hides: dict[int, Any] = {}
        told = []
        for row in self._connection.execute(sql.TO_ASK):
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
            self._connection.execute(sql.ASKED, dict(zip(names, map(list, zip(*told, strict=True)), strict=True)))

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
        for number in self._connection.execute(sql.ENDING).scalars():
            group = self._before[number]
            closed = Life(status="CLOSED", first_observed_at=_EVER, last_observed_at=_EVER, updated_at=_EVER)
            rows.append((number, as_json(_row(group, closed).details or {})))
        self._copy("ending", ("grp", "details"), rows)

    # Both

    def _sign(self) -> None:
        """Of each inventory and flaw, what the observation follows from, as a digest."""
        self._connection.execute(sql.SIGN, {"silent": list(SILENT)})
        self._analyze("signed")

    def _groups(self) -> dict[int, _Group]:
        """The groups, and one observation of each."""
        rows = self._connection.execute(sql.GROUPS).all()
        matched = read_matched(self._connection, {(row.inventory_id, row.flaw) for row in rows})
        own = [row.resource_id for row in rows if row.place]
        nouns = {}
        if own:
            query = text("SELECT * FROM resource WHERE id = ANY (:ids)")
            nouns = {row.id: resource_of(row) for row in self._connection.execute(query, {"ids": own})}
        found = {}
        told = []
        for number, row in enumerate(rows):
            here = matched.get((row.inventory_id, row.flaw))
            if here is None:  # a flaw that nobody knows
                continue
            about = nouns[row.resource_id] if row.place else _ANYBODY
            layers, findings = here
            observation = observation_of(findings, about, layers)
            found[number] = _Group(number, row.flaw, about, here, observation, observation_digest(observation))
            told.append((number, row.flaw, row.signature, row.place, found[number].digest))
        self._copy("grouped", ("number", "flaw", "signature", "place", "digest"), told)
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


def _row(group: _Group, life: Life) -> FindingRow:
    """A finding of a group, but for what is its resource's."""
    finding = Finding(arn=_NO_ARN, observation=group.observation, life=life)
    return row_of(group.about, 0, Written(finding=finding, digest=group.digest), group.matched)
