"""Advisories change while findings live: what a rematch makes of them is what evaluating every resource anew would."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from msgspec.structs import replace
from sqlalchemy import select, text
from tests.store.worlds import FLEET, NOW, function, host, inventory_of, records, without_epss

from openinspector.find import merge
from openinspector.find.changes import Closed, Deleted, Refreshed, Updated
from openinspector.find.reconcile import Evaluation, Facts, reconcile
from openinspector.find.suppress import rules
from openinspector.model.criteria import Filter, parse_criteria
from openinspector.model.finding import Finding
from openinspector.model.moment import moment_text
from openinspector.pipeline.ingest import ingest, settle, sweep
from openinspector.pipeline.observe import observe
from openinspector.pipeline.rematch import rematch
from openinspector.pipeline.scan import scan
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.database import connect_embedded
from openinspector.store.filters import add_filter, filter_arn
from openinspector.store.findings import finding_rows, observation_digest
from openinspector.store.kept_generations import KeptGenerations
from openinspector.store.part import write_part
from openinspector.store.tables import finding, metadata

DAY = timedelta(days=1)
PACKAGES = ("PACKAGE_VULNERABILITY",)


@pytest.fixture(scope="module")
def shared(postgres, template):
    postgres.make_database("rematch", template)
    with connect_embedded(postgres, database="rematch", pool=2) as made:
        yield made


@pytest.fixture
def database(shared):
    """One database for all tests here, emptied after each."""
    yield shared
    with shared.system() as connection:
        for table in metadata.tables.values():
            if table.name != "audit":
                connection.execute(text(f"DELETE FROM {table.name}"))  # noqa: S608  our own names


@pytest.fixture
def compiled(tmp_path):
    """Makes an advisory file of feeds with records; each is newer than the one before."""
    opened = []

    def make(feeds, day=None):
        number = len(opened)
        folder = tmp_path / f"advisories-{number}"
        folder.mkdir()
        states = []
        for name, told in feeds.items():
            part = folder / f"{name}.sqlite"
            write_part(part, told)
            states.append(FeedState(name=name, revision=1, digest=f"d{number}{told}", fetched="", parts=(part,)))
        built = f"2026-03-{(number if day is None else day) + 1:02}T00:00:00Z"
        compile_parts(folder / "advisories.sqlite", states, {"built": built})
        opened.append(AdvisoryFile(folder / "advisories.sqlite"))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def kept(tmp_path):
    return KeptGenerations(tmp_path / "generations")


def stored(database):
    """Every finding, by ARN."""
    with database.system() as connection:
        ids = connection.execute(select(finding.c.id)).scalars().all()
        return {each.arn: each for _, each in finding_rows(connection, [one.hex for one in ids])}


def told(database):
    """The changes that events tell of each finding, in their order."""
    found = {}
    with database.system() as connection:
        query = "SELECT finding_id, payload FROM event WHERE kind = 'finding' ORDER BY sequence"
        for row in connection.execute(text(query)):
            found.setdefault(row.finding_id.hex, []).append(row.payload)
    return found


def matches(database):
    query = (
        "SELECT p.type, p.namespace, p.name, p.version, p.context, pv.vulnerability_id, pv.state, pv.fixed_version,"
        " pv.severity, pv.vendor_severity, pv.source, pv.related FROM package_vulnerability pv"
        " JOIN package p ON p.id = pv.package_id"
    )
    with database.system() as connection:
        return sorted((*row[:-1], tuple(row[-1])) for row in connection.execute(text(query)))


class Pure:
    """What the pure rules say of every resource: each is evaluated by itself, in memory."""

    def __init__(self):
        self.findings = {}
        self.events = {}
        self.inventories = {}
        self.all = []
        self.states = {}
        self.filters = ()

    def known(self, resource):
        return list(self.findings.setdefault(resource.id, {}).values())

    def _apply(self, resource, seen, whole, now, state="running"):
        facts = Facts(resource=resource, now=now, state=state, rules=rules(self.filters))
        looked = Evaluation(seen=seen, whole=whole) if seen is not None else None
        known = self.known(resource)
        changes = reconcile(known, looked, facts)
        changed = {each.finding.arn for each in changes}
        by_key = {each.key: each for each in seen or ()}
        for each in known:
            observation = by_key.get(each.observation.key)
            if whole and observation and each.life.status != "CLOSED" and each.arn not in changed:
                if observation_digest(each.observation) != observation_digest(observation):
                    life = replace(each.life, last_observed_at=moment_text(now), updated_at=moment_text(now))
                    changes.append(Updated(Finding(arn=each.arn, observation=observation, life=life), ("details",)))
        mine = self.findings[resource.id]
        for change in changes:
            mine[change.finding.arn] = change.finding
            if isinstance(change, Deleted):
                del mine[change.finding.arn]
            elif not isinstance(change, Refreshed):
                self.events.setdefault(change.finding.arn[-32:], []).append(type(change).__name__)

    def ingest(self, resource, inventory, advisories, now):
        report = scan(inventory, advisories)
        seen = list(observe(resource, report))
        self.states[resource.id] = "running"
        if inventory.status == "whole":
            seen = self._with_doubts(resource, seen, report)
        self._apply(resource, seen, PACKAGES if inventory.status == "whole" else (), now)
        self.inventories[resource.id] = inventory
        self.all.append((resource, inventory))

    def settle(self, resource, state, now):
        self.states[resource.id] = state
        self._apply(resource, None, (), now, state)

    def rematch(self, fleet, advisories, now):
        for resource in fleet:
            if self.states.get(resource.id) != "running":
                continue
            inventory = self.inventories[resource.id]
            report = scan(inventory, advisories)
            seen = self._with_doubts(resource, list(observe(resource, report)), report)
            seen = self._with_kept(resource, inventory, seen, advisories)
            self._apply(resource, seen, PACKAGES, now)

    def _with_doubts(self, resource, seen, report):
        doubts = {(each.vulnerability, place(each.package)) for each in report.undecided}
        by_key = {each.key: each for each in seen}
        for each in self.known(resource):
            known = each.observation
            if each.life.status == "CLOSED":
                continue
            places = [place(one.package) for one in known.details.packages]
            if any((about, one) in doubts for about in ("", known.key) for one in places):
                now = by_key.get(known.key)
                by_key[known.key] = merge.together(known, now) if now is not None else known
        return list(by_key.values())

    def _with_kept(self, resource, inventory, seen, advisories):
        """What is known of packages that the last look has missed, each judged as if it were there alone."""
        by_key = {each.key: each for each in seen}
        there = {whole_place(each) for each in inventory.packages}
        for each in self.known(resource):
            known = each.observation
            if each.life.status == "CLOSED":
                continue
            missed = [one for one in known.details.packages if whole_place(one.package) not in there]
            still, doubtful = [], False
            for one in missed:
                alone = scan(replace(inventory, packages=(one.package,)), advisories)
                found = [told for told in observe(resource, alone) if told.key == known.key]
                if any(doubt.vulnerability in ("", known.key) for doubt in alone.undecided):
                    still, doubtful = [*still, one], True
                elif found:
                    (again,) = found[0].details.packages
                    still.append(replace(again, package=one.package))
            now = by_key.get(known.key)
            if doubtful:
                by_key[known.key] = merge.together(known, now) if now is not None else known
            elif still:
                narrow = merge.narrowed(known, tuple(still))
                by_key[known.key] = merge.together(narrow, now) if now is not None else narrow
        return list(by_key.values())

    def matches(self, advisories):
        """What each package that was ever seen has, as the table says it."""
        found = set()
        for _, inventory in self.all:
            for each in scan(inventory, advisories).findings:
                package = each.match.package
                is_os = package.type in ("deb", "rpm")
                found.add(
                    (
                        package.type,
                        inventory.distribution.namespace if is_os else package.type,
                        package.name,
                        package.version,
                        "\n".join(inventory.repositories) if is_os else "",
                        each.vulnerability.id,
                        each.match.state,
                        each.match.fixed_version,
                        each.severity,
                        each.match.vendor_severity,
                        each.severity_source,
                        each.match.related,
                    )
                )
        return sorted(found)


def place(package):
    return package.type, package.name, package.location.path


def whole_place(package):
    return package.type, package.name, package.version, package.arch, package.location.path


def same(database, pure, now):
    """Both say the same of every finding that isn't about to be forgotten."""
    at = moment_text(now)
    ours = {each.arn: each for mine in pure.findings.values() for each in mine.values()}
    theirs = stored(database)

    def kept(found):
        return sorted(
            (without_epss(each) for each in found.values() if not each.life.delete_at or each.life.delete_at > at),
            key=lambda each: each[0],
        )

    for mine, others in zip(kept(ours), kept(theirs), strict=False):
        if mine != others:
            print("MINE", mine, "OTHERS", others)
        assert mine == others
    assert len(kept(ours)) == len(kept(theirs))


def rule(**criteria):
    return Filter(
        arn=filter_arn("eu-west-1", FLEET[0].account, FLEET[0].account, "0123456789abcdef"),
        owner=FLEET[0].account,
        name="hidden",
        action="SUPPRESS",
        criteria=parse_criteria(criteria),
        created_at=moment_text(NOW),
        updated_at=moment_text(NOW),
    )


@pytest.mark.parametrize("seed", range(10))
def test_a_rematch_does_what_evaluating_every_resource_would(database, compiled, kept, seed):
    chance, now, pure = Random(seed), NOW, Pure()
    advisories = compiled(records(chance))
    if seed % 3 == 0:
        pure.filters = (rule(severity=[{"comparison": "EQUALS", "value": "HIGH"}]),)
        with database.transaction(FLEET[0].account) as connection:
            add_filter(connection, FLEET[0].account, FLEET[0].region, pure.filters[0])
    for each in FLEET:
        seen = inventory_of(each, chance)
        pure.ingest(each, seen, advisories, now)
        ingest(database, advisories, each, seen, now)
    same(database, pure, now)
    rematch(database, advisories, kept, lambda: now)
    for turn in range(7):
        now += chance.choice([timedelta(hours=1), 3 * DAY, 9 * DAY])
        for each in chance.sample(FLEET, 3):
            if chance.random() < 0.6:
                seen = inventory_of(each, chance)
                pure.ingest(each, seen, advisories, now)
                ingest(database, advisories, each, seen, now)
            elif each.type == "AWS_EC2_INSTANCE":
                state = chance.choice(("stopped", "running", "terminated"))
                pure.settle(each, state, now)
                settle(database, each, state, now)
        same(database, pure, now)
        now += timedelta(minutes=chance.choice([1, 60 * 24 * 8]))
        advisories = compiled(records(chance))
        at = now
        done = rematch(database, advisories, kept, lambda: at, full=turn % 3 == 2)
        assert (done.is_in_force, done.way) == (True, "full" if turn % 3 == 2 else "diff")
        pure.rematch(FLEET, advisories, now)
        same(database, pure, now)
        assert matches(database) == pure.matches(advisories)
        events = {key: [each["change"] for each in several] for key, several in told(database).items()}
        assert events == pure.events
    sweep(database, now)
    same(database, pure, now)
