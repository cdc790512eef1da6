"""What the pure rules say of every resource by itself, in memory: what the database is to say of all at once."""

from msgspec.structs import replace
from sqlalchemy import select, text
from tests.store.worlds import without_epss

from openinspector.find import merge
from openinspector.find.changes import Deleted, Refreshed, Updated
from openinspector.find.reconcile import Evaluation, Facts, reconcile
from openinspector.find.suppress import rules
from openinspector.model.finding import Finding, NetworkReachability
from openinspector.model.moment import moment_text
from openinspector.pipeline.observe import expose, observe
from openinspector.pipeline.scan import scan
from openinspector.store.findings import findings_by_key, observation_digest
from openinspector.store.tables import finding

PACKAGES = ("PACKAGE_VULNERABILITY",)
NETWORK = ("NETWORK_REACHABILITY",)
KEYS = select(finding.c.account, finding.c.region, finding.c.id)


def stored(database):
    """Every finding, by ARN."""
    with database.system() as connection:
        return {each.arn: each for _, each in findings_by_key(connection, connection.execute(KEYS).all()).values()}


def told(database):
    """The changes that events tell of each finding, in their order."""
    found = {}
    with database.system() as connection:
        query = "SELECT finding_id, payload FROM event WHERE kind = 'finding' ORDER BY sequence"
        for row in connection.execute(text(query)):
            found.setdefault(row.finding_id.hex, []).append(row.payload)
    return found


class Pure:
    """What the pure rules say of every resource: each is evaluated by itself, in memory."""

    def __init__(self):
        self.findings = {}
        self.events = {}
        self.inventories = {}
        self.all = []
        self.states = {}
        self.postures = {}
        self.looked_at = set()
        self.filters = ()

    def placed(self, resource):
        """The resource as it stands in its network."""
        return replace(resource, posture=self.postures.get(resource.id))

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
            if not (whole and observation) or each.life.status == "CLOSED" or each.arn in changed:
                continue
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
        seen = list(observe(self.placed(resource), report))
        self.states[resource.id] = "running"
        if inventory.status == "whole":
            seen = self._with_doubts(resource, seen, report)
        self._apply(resource, seen, PACKAGES if inventory.status == "whole" else (), now)
        self.inventories[resource.id] = inventory
        self.all.append((resource, inventory))

    def settle(self, resource, state, now):
        self.states[resource.id] = state
        self._apply(resource, None, (), now, state)

    def look(self, machine, whole, advisories, now):
        """What a look at a network says of one instance."""
        resource = machine.resource
        known = self.known(resource)
        if machine.state == "terminated":
            if resource.id in self.states or resource.id in self.looked_at:
                self.end(resource, now)
            return
        self.looked_at.add(resource.id)
        self.states[resource.id] = machine.state
        if machine.state == "stopped":
            self._apply(resource, None, (), now, "stopped")
            return
        seen = {each.key: each for each in (expose(one.ports, one.severity) for one in machine.openings)}
        open_ = {each.observation.key: each.observation for each in known if each.life.status != "CLOSED"}
        for key, each in open_.items():
            if key not in seen and isinstance(each.details, NetworkReachability):
                ports = each.details
                if any(
                    ports.protocol == may.protocol
                    and ports.first_port <= may.last_port
                    and may.first_port <= ports.last_port
                    for may in machine.doubtful
                ):
                    seen[key] = each
        before = self.postures.get(resource.id)
        if whole:
            self.postures[resource.id] = resource.posture
        if self.postures.get(resource.id) != before and resource.id in self.inventories:
            report = scan(self.inventories[resource.id], advisories)
            again = observe(self.placed(resource), report)
            seen |= {each.key: each for each in again if each.key in open_}
        self._apply(resource, list(seen.values()), NETWORK if whole else (), now)

    def end(self, resource, now):
        """An instance is gone."""
        self.looked_at.discard(resource.id)
        self.settle(resource, "terminated", now)

    def rematch(self, fleet, advisories, now):
        for resource in fleet:
            if self.states.get(resource.id) != "running" or resource.id not in self.inventories:
                continue
            inventory = self.inventories[resource.id]
            report = scan(inventory, advisories)
            seen = self._with_doubts(resource, list(observe(self.placed(resource), report)), report)
            seen = self._with_kept(resource, inventory, seen, advisories)
            self._apply(resource, seen, PACKAGES, now)

    def _with_doubts(self, resource, seen, report):
        doubts = {(each.vulnerability, place(each.package)) for each in report.undecided}
        by_key = {each.key: each for each in seen}
        for each in self.known(resource):
            known = each.observation
            if each.life.status == "CLOSED" or not hasattr(known.details, "packages"):
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
            if each.life.status == "CLOSED" or not hasattr(known.details, "packages"):
                continue
            missed = [one for one in known.details.packages if whole_place(one.package) not in there]
            still, doubtful = [], False
            for one in missed:
                alone = scan(replace(inventory, packages=(one.package,)), advisories)
                found = [told for told in observe(self.placed(resource), alone) if told.key == known.key]
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
        assert mine == others
    assert len(kept(ours)) == len(kept(theirs))
