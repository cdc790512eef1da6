"""Laws of the life of findings, on random histories of one resource.

`Plain` is the life once more, as the guide tells it, on dictionaries and hours; the two must agree after every step.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from openinspector.find.changes import Closed, Deleted, Opened, Reopened, Suppressed, Unsuppressed, Updated
from openinspector.find.identity import finding_arn
from openinspector.find.merge import differences
from openinspector.find.reconcile import Evaluation, Facts, reconcile
from openinspector.find.suppress import rules
from openinspector.model.criteria import Filter, parse_criteria
from openinspector.model.finding import (
    SEVERITIES,
    Finding,
    NetworkReachability,
    Observation,
    PackageVulnerability,
    VulnerablePackage,
)
from openinspector.model.moment import moment_text
from openinspector.model.package import Location, Package
from openinspector.model.resource import Resource
from openinspector.model.spelling import package_title

T0 = datetime(2026, 3, 1, tzinfo=UTC)
DAY = 24
INSTANCE = Resource(account="111122223333", region="eu-central-1", type="AWS_EC2_INSTANCE", id="i-0abc")
PACKAGES, NETWORK = "PACKAGE_VULNERABILITY", "NETWORK_REACHABILITY"
FLAWS, PATHS = ("CVE-1", "CVE-2"), ("igw/TCP/22-22",)
GONE = ("terminated", "excluded", "archived", "expired")


class Step(NamedTuple):
    """Something that happens to the resource, `after` hours after what happened before."""

    after: int
    seen: dict | None  # key → (severity, packages)
    whole: frozenset
    state: str
    rules: frozenset
    tag: str


def keep_mostly(value, others):
    return st.one_of(st.just(value), st.just(value), st.just(value), others)


severity = st.sampled_from(SEVERITIES[2:5])
seen = st.fixed_dictionaries(
    {},
    optional={
        **{key: st.tuples(severity, st.frozensets(st.sampled_from("abc"), min_size=1)) for key in FLAWS},
        **{key: st.tuples(severity, st.just(frozenset())) for key in PATHS},
    },
)
steps = st.builds(
    Step,
    after=st.sampled_from([0, 1, 20, DAY, 3 * DAY - 1, 3 * DAY, 7 * DAY - 1, 7 * DAY, 7 * DAY + 1, 30 * DAY, 61]),
    seen=st.one_of(st.none(), seen, seen, seen),
    whole=st.sampled_from(
        [frozenset({PACKAGES, NETWORK})] * 3 + [frozenset({PACKAGES}), frozenset({NETWORK}), frozenset()]
    ),
    state=keep_mostly("running", st.sampled_from([*GONE, "stopped", "disabled"])),
    rules=st.frozensets(st.sampled_from(["LOW", "CVE-1", "active", "old"])),
    tag=keep_mostly("a", st.just("b")),
)
histories = st.lists(steps, min_size=1, max_size=12)

CRITERIA = {
    "LOW": {"severity": [{"comparison": "EQUALS", "value": "LOW"}]},
    "CVE-1": {"vulnerabilityId": [{"comparison": "EQUALS", "value": "CVE-1"}]},
    "active": {
        "findingStatus": [{"comparison": "EQUALS", "value": "ACTIVE"}],
        "severity": [{"comparison": "EQUALS", "value": "MEDIUM"}],
    },
    "old": {"updatedAt": [{"endInclusive": T0 + timedelta(days=2)}]},
}
FILTERS = {
    name: Filter(
        arn=name,
        owner=INSTANCE.account,
        name=name,
        action="SUPPRESS",
        criteria=parse_criteria(criteria),
        created_at="",
        updated_at="",
    )
    for name, criteria in CRITERIA.items()
}


def observation(key, word, names):
    if key in PATHS:
        details = NetworkReachability(first_port=22, last_port=22, protocol="TCP", path=())
    else:
        packages = (
            Package(type="npm", name=name, version="1", location=Location(path=f"app/{name}")) for name in sorted(names)
        )
        details = PackageVulnerability(
            id=key, source="NVD", packages=tuple(VulnerablePackage(package=each) for each in packages)
        )
    fix = None if key in PATHS else "NO"
    title = package_title(key, sorted(names))
    return Observation(key=key, title=title, description="", severity=word, details=details, fix=fix)


class Service:
    """The findings as the real thing keeps them."""

    def __init__(self):
        self.known = {}
        self.now = T0
        self.tag = "a"
        self.since = None

    def take(self, step):
        self.now += timedelta(hours=step.after)
        self.since = (self.since or self.now) if step.state == "disabled" else None
        changes = self.again(step, tags_before={"tag": self.tag})
        if step.state in ("running", "stopped"):
            self.tag = step.tag
        self.apply(changes)
        return changes

    def again(self, step, tags_before=None):
        """What the same step would change now."""
        evaluation = None
        if step.seen is not None:
            observations = [observation(key, *value) for key, value in step.seen.items()]
            evaluation = Evaluation(seen=observations, whole=step.whole)
        facts = Facts(
            resource=replace(INSTANCE, tags={"tag": step.tag}),
            now=self.now,
            state=step.state,
            since=self.since,
            tags_before=tags_before,
            rules=rules(FILTERS[name] for name in step.rules),
        )
        return reconcile(self.known.values(), evaluation, facts)

    def apply(self, changes):
        for change in changes:
            if isinstance(change, Deleted):
                del self.known[change.finding.arn]
            else:
                self.known[change.finding.arn] = change.finding

    def plain(self):
        return sorted(
            (
                each.observation.key,
                each.life.status,
                each.life.first_observed_at,
                each.life.last_observed_at,
                each.life.updated_at,
                each.life.closed_at,
                each.life.delete_at,
                each.observation.severity,
                packages(each),
            )
            for each in self.known.values()
        )


def packages(finding):
    details = finding.observation.details
    return "".join(sorted(each.package.name for each in getattr(details, "packages", ())))


class Plain:
    """The same life in hours since the beginning; `None` is never."""

    def __init__(self):
        self.all = []
        self.now = 0
        self.tag = "a"
        self.since = None

    def take(self, step):
        self.now += step.after
        self.all = [each for each in self.all if each["delete"] is None or each["delete"] > self.now]
        if step.state == "disabled":
            self.since = self.now if self.since is None else self.since
            if self.now >= self.since + 24:
                self.all = []
            return
        self.since = None
        if step.state in GONE:
            for each in self.all:
                if each["status"] != "CLOSED":
                    self.close(each, 3)
                each["delete"] = min(each["delete"], self.now + 3 * DAY)
            return
        touched = [each for each in self.all if each["status"] != "CLOSED"] if step.tag != self.tag else []
        self.tag = step.tag
        if step.state == "running" and step.seen is not None:
            touched = self.look(step, touched)
        for each in touched:
            each["last"] = each["updated"] = self.now
        for each in self.all:
            if each["status"] != "CLOSED":
                status = "SUPPRESSED" if self.hidden(each, step.rules) else "ACTIVE"
                if status != each["status"]:
                    # A finding that came hidden was never shown: that is its first status, and no change.
                    each["updated"] = self.now
                    each["status"] = status

    def look(self, step, touched):
        touched = list(touched)
        for key, (word, names) in step.seen.items():
            mine = [each for each in self.all if each["key"] == key]
            latest = max(mine, key=lambda each: each["first"], default=None)
            if latest is None or (latest["closed"] is not None and self.now - latest["closed"] > 7 * DAY):
                latest = {"key": key, "first": self.now, "severity": word, "packages": names}
                self.all.append(latest)
            elif latest["closed"] is None:
                kept_word, kept = word, names
                if self.kind(key) not in step.whole:
                    kept = latest["packages"] | names
                    if not latest["packages"] <= names:
                        kept_word = max(latest["severity"], word, key=SEVERITIES.index)
                if (latest["severity"], latest["packages"]) != (kept_word, kept):
                    latest |= {"severity": kept_word, "packages": kept}
                    touched.append(latest)
                continue
            latest |= {"severity": word, "packages": names, "status": "ACTIVE", "closed": None, "delete": None}
            touched.append(latest)
        for each in self.all:
            if each["status"] != "CLOSED" and each["key"] not in step.seen and self.kind(each["key"]) in step.whole:
                self.close(each, 30)
        return [each for each in touched if each["status"] != "CLOSED"]

    def close(self, each, days):
        each |= {"status": "CLOSED", "closed": self.now, "updated": self.now, "delete": self.now + days * DAY}

    @staticmethod
    def kind(key):
        return NETWORK if key in PATHS else PACKAGES

    @staticmethod
    def hidden(each, names):
        return (
            ("LOW" in names and each["severity"] == "LOW")
            or ("CVE-1" in names and each["key"] == "CVE-1")
            or ("active" in names and each["severity"] == "MEDIUM")
            or ("old" in names and each["last"] <= 2 * DAY)
        )

    def plain(self):
        def text(hours):
            return "" if hours is None else moment_text(T0 + timedelta(hours=hours))

        return sorted(
            (
                each["key"],
                each["status"],
                *(text(each[name]) for name in ("first", "last", "updated", "closed", "delete")),
                each["severity"],
                "".join(sorted(each["packages"])),
            )
            for each in self.all
        )


@settings(max_examples=400)
@given(histories)
def test_every_history_ends_as_the_guide_tells_it(history):
    service, plain = Service(), Plain()
    for step in history:
        service.take(step)
        plain.take(step)
        assert service.plain() == plain.plain()


@settings(max_examples=200)
@given(histories)
def test_what_was_taken_in_changes_nothing_when_it_comes_again(history):
    service = Service()
    for step in history:
        service.take(step)
        assert (
            service.again(step, tags_before={"tag": service.tag} if step.state in ("running", "stopped") else None)
            == []
        )


@settings(max_examples=200)
@given(histories, steps)
def test_a_later_look_that_sees_the_same_writes_nothing(history, last):
    service = Service()
    for step in history:
        service.take(step)
    service.take(last._replace(state="running", rules=frozenset()))
    before = dict(service.known)
    changes = service.take(last._replace(state="running", rules=frozenset(), after=1))
    assert all(isinstance(each, Deleted) for each in changes)
    for arn, finding in service.known.items():
        assert finding == before[arn]


@settings(max_examples=200)
@given(histories, steps)
def test_a_partial_look_closes_nothing_and_takes_no_package(history, last):
    service = Service()
    for step in history:
        service.take(step)
    before = dict(service.known)
    changes = service.take(last._replace(state="running", whole=frozenset()))
    assert not any(isinstance(each, Closed) for each in changes)
    for each in changes:
        known = before.get(each.finding.arn)
        if known and isinstance(each, Updated | Suppressed | Unsuppressed):
            assert set(packages(known)) <= set(packages(each.finding))


@settings(max_examples=300)
@given(histories, seen, st.frozensets(st.sampled_from(["LOW", "CVE-1"])), st.integers(0, 40 * DAY))
def test_a_whole_look_decides_whatever_was_before(history, last, names, after):
    service = Service()
    for step in history:
        service.take(step)
    service.take(Step(after, last, frozenset({PACKAGES, NETWORK}), "running", names, "a"))
    is_open = [each for each in service.known.values() if each.life.status != "CLOSED"]
    assert sorted(each.observation.key for each in is_open) == sorted(last)
    for each in is_open:
        key, (word, packages) = each.observation.key, last[each.observation.key]
        assert not differences(each.observation, observation(key, word, packages))
        hides = ("LOW" in names and word == "LOW") or ("CVE-1" in names and key == "CVE-1")
        assert each.life.status == ("SUPPRESSED" if hides else "ACTIVE")


@settings(max_examples=200)
@given(histories)
def test_an_arn_is_unique_and_stable(history):
    service = Service()
    owner = {}  # ARN → what it was about
    deleted = set()
    for step in history:
        for change in service.take(step):
            finding = change.finding
            about = (finding.observation.key, finding.life.first_observed_at)
            assert owner.setdefault(finding.arn, about) == about
            assert finding.arn not in deleted
            assert finding.arn == finding_arn(INSTANCE, *about)
            if isinstance(change, Deleted):
                deleted.add(finding.arn)
    assert len(set(owner.values())) == len(owner)


@settings(max_examples=200)
@given(histories)
def test_a_life_makes_sense(history):
    service = Service()
    for step in history:
        before = dict(service.known)
        for change in service.take(step):
            finding, life = change.finding, change.finding.life
            known = before.get(finding.arn)
            assert life.first_observed_at <= life.last_observed_at <= life.updated_at <= moment_text(service.now)
            assert (life.status == "CLOSED") == bool(life.closed_at) == bool(life.delete_at)
            assert (known is None) == isinstance(change, Opened)
            if isinstance(change, Reopened):
                assert known.life.status == "CLOSED"
            if isinstance(change, Deleted):
                assert known == finding
            elif step.after or getattr(change, "changed", ()) != ("tags",):  # tags are the resource's
                assert known != finding
        keys = [each.observation.key for each in service.known.values() if each.life.status != "CLOSED"]
        assert len(keys) == len(set(keys))


@settings(max_examples=50)
@given(histories)
def test_findings_that_were_stored_and_read_are_the_same(history):
    service = Service()
    for step in history:
        service.take(step)
    stored = msgspec.json.encode(list(service.known.values()))
    assert msgspec.json.decode(stored, type=list[Finding]) == list(service.known.values())
