"""The life of a finding, row by row of what the service's guide promises."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from msgspec.structs import replace

from openinspector.find.changes import (
    Closed,
    Deleted,
    Opened,
    Refreshed,
    Reopened,
    Suppressed,
    Unsuppressed,
    Updated,
)
from openinspector.find.reconcile import Evaluation, Facts, reconcile
from openinspector.find.suppress import rules
from openinspector.model.criteria import Filter, parse_criteria
from openinspector.model.finding import (
    NetworkReachability,
    Observation,
    PackageVulnerability,
    Step,
    VulnerablePackage,
)
from openinspector.model.moment import moment_text
from openinspector.model.package import Location, Package
from openinspector.model.resource import Ec2Instance, Resource

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
INSTANCE = Resource(
    account="111122223333",
    region="eu-central-1",
    type="AWS_EC2_INSTANCE",
    id="i-0abc0abc0abc0abc0",
    tags={"stage": "prod"},
    details=Ec2Instance(vpc_id="vpc-1"),
)
PACKAGES = frozenset({"PACKAGE_VULNERABILITY"})
NETWORK = frozenset({"NETWORK_REACHABILITY"})
EVERYTHING = PACKAGES | NETWORK


def vulnerable(name="openssl", version="3.0.2-0", fixed="3.0.2-1", path="var/lib/dpkg/status"):
    package = Package(type="deb", name=name, version=version, arch="amd64", location=Location(path=path))
    return VulnerablePackage(package=package, fixed_version=fixed)


def flaw(key="CVE-2026-1", packages=None, references=(), related=(), **values):
    packages = (vulnerable(),) if packages is None else packages
    said = {
        "title": f"{key} - openssl",
        "description": "A flaw.",
        "severity": "HIGH",
        "score": 7.5,
        "fix": "YES",
    } | values
    details = PackageVulnerability(id=key, source="NVD", packages=packages, references=references, related=related)
    return Observation(key=key, details=details, **said)


def path(key="igw-1/TCP/eni-1/22-22", port=22, severity="MEDIUM"):
    details = NetworkReachability(
        first_port=port,
        last_port=port,
        protocol="TCP",
        path=(Step(component_id="igw-1", component_type="AWS::EC2::InternetGateway"),),
    )
    return Observation(key=key, title="Port 22", description="Open.", severity=severity, details=details)


def rule(criteria=None, **values):
    said = {"arn": "arn:aws:inspector2:::filter/1", "owner": "111122223333", "name": "quiet", "action": "SUPPRESS"}
    return Filter(created_at="1", updated_at="1", criteria=parse_criteria(criteria or {}), **(said | values))


class History:
    """The findings of one resource as evaluations and time change them."""

    def __init__(self, resource=INSTANCE):
        self.resource = resource
        self.known = {}
        self.now = T0

    def step(self, seen=None, after=timedelta(0), whole=EVERYTHING, filters=(), **facts):
        self.now += after
        evaluation = None if seen is None else Evaluation(seen=seen, whole=whole)
        facts = Facts(resource=self.resource, now=self.now, rules=rules(filters), **facts)
        changes = reconcile(self.known.values(), evaluation, facts)
        for change in changes:
            if isinstance(change, Deleted):
                del self.known[change.finding.arn]
            else:
                self.known[change.finding.arn] = change.finding
        return changes

    def only(self):
        (finding,) = self.known.values()
        return finding


def kinds(changes):
    return [type(each) for each in changes]


def at(after):
    return moment_text(T0 + after)


DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)


# first seen


def test_what_is_new_opens_as_active():
    history = History()
    (opened,) = history.step([flaw()])
    assert isinstance(opened, Opened)
    life = opened.finding.life
    assert (life.status, life.closed_at, life.delete_at) == ("ACTIVE", "", "")
    assert life.first_observed_at == life.last_observed_at == life.updated_at == at(timedelta(0))
    assert opened.finding.observation == flaw()


def test_what_is_new_and_matches_a_filter_opens_as_suppressed():
    history = History()
    (opened,) = history.step([flaw()], filters=[rule()])
    assert isinstance(opened, Opened)
    assert (opened.finding.life.status, opened.finding.life.suppressed_by) == ("SUPPRESSED", rule().arn)


def test_changes_are_ordered_by_key():
    changes = History().step([flaw("CVE-2026-3"), flaw("CVE-2026-1"), flaw("CVE-2026-2")])
    assert all(one.finding.observation.key < other.finding.observation.key for one, other in pairwise(changes))


def test_a_key_that_was_seen_twice_is_one_finding_with_all_packages():
    history = History()
    changes = history.step([flaw(packages=(vulnerable("a"),)), flaw(packages=(vulnerable("b"),))])
    assert kinds(changes) == [Opened]
    assert [each.package.name for each in history.only().observation.details.packages] == ["a", "b"]


# still seen


def test_seeing_the_same_again_writes_nothing():
    history = History()
    history.step([flaw(), path()])
    before = dict(history.known)
    assert history.step([flaw(), path()], after=DAY) == []
    assert history.known == before


def test_the_order_of_packages_references_and_related_ids_is_no_change():
    history = History()
    packages = (vulnerable("a"), vulnerable("b"))
    history.step([flaw(packages=packages, references=("x", "y"), related=("p", "q"))])
    assert history.step([flaw(packages=packages[::-1], references=("y", "x"), related=("q", "p"))], after=DAY) == []


@pytest.mark.parametrize(
    ("after", "changed"),
    [
        (flaw(severity="CRITICAL"), ("severity",)),
        (flaw(score=9.8), ("score",)),
        (flaw(score=9.8, vector="CVSS:3.1/…", severity="CRITICAL"), ("severity", "score")),
        (flaw(title="CVE-2026-1 - other"), ("title",)),
        (flaw(description="Worse than thought."), ("description",)),
        (flaw(fix="NO"), ("fix",)),
        (flaw(exploit=True, last_exploited_at="2026-03-01T00:00:00.000000Z"), ("exploits",)),
        (flaw(packages=(vulnerable(), vulnerable("libssl3"))), ("packages",)),
        (flaw(packages=(vulnerable(version="3.0.2-0.1"),)), ("packages",)),
        (flaw(packages=(vulnerable(fixed="3.0.2-2"),)), ("packages",)),
        (flaw(packages=()), ("packages",)),
        (flaw(references=("https://example.org/1",)), ("details",)),
        (flaw(epss=0.5, score=None), ("score",)),
    ],
)
def test_a_change_updates_in_place_and_moves_updated_and_last_observed(after, changed):
    history = History()
    history.step([flaw()])
    arn = history.only().arn
    (updated,) = history.step([after], after=DAY)
    assert isinstance(updated, Updated)
    assert updated.changed == changed
    finding = history.only()
    assert (finding.arn, finding.observation) == (arn, after)
    assert (finding.life.first_observed_at, finding.life.status) == (at(timedelta(0)), "ACTIVE")
    assert finding.life.last_observed_at == finding.life.updated_at == at(DAY)


def test_a_resource_tag_updates_every_open_finding():
    history = History()
    history.step([flaw(), path(), flaw("CVE-2026-2")])
    history.step([flaw(), path()], after=HOUR)
    history.resource = replace(INSTANCE, tags={"stage": "test"})
    changes = history.step(after=HOUR, tags_before=INSTANCE.tags)
    assert [(type(each), each.changed) for each in changes] == [(Updated, ("tags",))] * 2
    assert {each.finding.life.last_observed_at for each in changes} == {at(2 * HOUR)}
    assert history.step(after=HOUR, tags_before={"stage": "test"}) == []


def test_another_epss_value_alone_is_written_but_is_no_news():
    history = History()
    history.step([flaw(epss=0.1)])
    life = history.only().life
    assert kinds(history.step([flaw(epss=0.2)], after=DAY)) == [Refreshed]
    assert history.only().observation.epss == 0.2
    assert history.only().life == life


# suppression


def test_a_rule_that_comes_hides_and_one_that_goes_shows():
    history = History()
    history.step([flaw()])
    (hidden,) = history.step(after=DAY, filters=[rule()])
    assert (type(hidden), hidden.finding.life.suppressed_by) == (Suppressed, rule().arn)
    life = history.only().life
    assert (life.status, life.updated_at, life.last_observed_at) == ("SUPPRESSED", at(DAY), at(timedelta(0)))
    assert history.step(after=DAY, filters=[rule()]) == []
    assert kinds(history.step(after=DAY)) == [Unsuppressed]
    life = history.only().life
    assert (life.status, life.updated_at, life.last_observed_at) == ("ACTIVE", at(3 * DAY), at(timedelta(0)))


def test_a_finding_stays_hidden_while_another_rule_matches():
    history = History()
    one, other = rule(), rule({"severity": [{"comparison": "EQUALS", "value": "HIGH"}]}, arn="2")
    history.step([flaw()], filters=[one, other])
    before = history.only().life
    assert kinds(history.step(after=DAY, filters=[one if before.suppressed_by == other.arn else other])) == [Refreshed]
    after = history.only().life
    assert {before.suppressed_by, after.suppressed_by} == {one.arn, other.arn}
    assert after == replace(before, suppressed_by=after.suppressed_by)


def test_a_finding_that_is_shown_or_closed_names_no_rule():
    history = History()
    history.step([flaw(), flaw("CVE-2026-2")], filters=[rule()])
    history.step([flaw()], after=DAY, filters=[])
    assert {each.life.suppressed_by for each in history.known.values()} == {""}
    assert {each.life.status for each in history.known.values()} == {"ACTIVE", "CLOSED"}


def test_a_change_can_take_a_finding_out_of_a_rule():
    history = History()
    low = rule({"severity": [{"comparison": "EQUALS", "value": "LOW"}]})
    history.step([flaw(severity="LOW")], filters=[low])
    assert history.only().life.status == "SUPPRESSED"
    (shown,) = history.step([flaw(severity="HIGH")], after=DAY, filters=[low])
    assert (type(shown), shown.changed) == (Unsuppressed, ("severity",))
    assert shown.finding.life.last_observed_at == at(DAY)
    (hidden,) = history.step([flaw(severity="LOW")], after=DAY, filters=[low])
    assert (type(hidden), hidden.changed) == (Suppressed, ("severity",))


def test_a_hidden_finding_is_updated_all_the_same():
    history = History()
    history.step([flaw()], filters=[rule()])
    (updated,) = history.step([flaw(score=9.9)], after=DAY, filters=[rule()])
    assert (type(updated), updated.finding.life.status) == (Updated, "SUPPRESSED")


@pytest.mark.parametrize("status", ["ACTIVE", "SUPPRESSED"])
def test_a_rule_about_the_status_does_not_flicker(status):
    history = History()
    filters = [rule({"findingStatus": [{"comparison": "EQUALS", "value": status}]})]
    history.step([flaw()], filters=filters)
    assert history.only().life.status == ("SUPPRESSED" if status == "ACTIVE" else "ACTIVE")
    for _ in range(3):
        assert history.step([flaw()], after=DAY, filters=filters) == []


def test_a_rule_about_the_last_update_does_not_flicker():
    history = History()
    history.step([flaw()])
    filters = [rule({"updatedAt": [{"endInclusive": T0 + HOUR}]})]
    assert kinds(history.step(after=DAY, filters=filters)) == [Suppressed]
    assert history.step(after=DAY, filters=filters) == []


# closing


@pytest.mark.parametrize("filters", [[], [rule()]], ids=["active", "suppressed"])
def test_what_a_whole_evaluation_misses_closes_and_is_kept_for_30_days(filters):
    history = History()
    history.step([flaw()], filters=filters)
    (closed,) = history.step([], after=DAY, filters=filters)
    assert (type(closed), closed.reason) == (Closed, "unseen")
    life = closed.finding.life
    assert (life.status, life.closed_at, life.updated_at) == ("CLOSED", at(DAY), at(DAY))
    assert (life.last_observed_at, life.delete_at) == (at(timedelta(0)), at(31 * DAY))
    assert history.step([], after=30 * DAY - INSTANT, filters=filters) == []
    assert kinds(history.step(after=INSTANT, filters=filters)) == [Deleted]
    assert history.known == {}


def test_a_rule_does_not_change_what_is_closed():
    history = History()
    history.step([flaw()])
    history.step([], after=DAY)
    assert history.step([], after=DAY, filters=[rule()]) == []


def test_a_partial_evaluation_closes_nothing_and_still_opens_and_updates():
    history = History()
    history.step([flaw("CVE-2026-1"), flaw("CVE-2026-2")])
    changes = history.step([flaw("CVE-2026-2", score=1.0), flaw("CVE-2026-3")], after=DAY, whole=())
    assert [(type(each), each.finding.observation.key) for each in changes] == [
        (Updated, "CVE-2026-2"),
        (Opened, "CVE-2026-3"),
    ]


def test_an_evaluation_of_packages_closes_no_open_path():
    history = History()
    history.step([flaw(), path()])
    assert [each.finding.observation.key for each in history.step([], after=DAY, whole=PACKAGES)] == ["CVE-2026-1"]
    assert [type(each.finding.observation.details) for each in history.step([], after=DAY, whole=NETWORK)] == [
        NetworkReachability
    ]


def test_no_evaluation_closes_nothing():
    history = History()
    history.step([flaw(), path()])
    assert history.step(after=90 * DAY) == []


def test_packages_only_grow_in_a_partial_evaluation():
    history = History()
    history.step([flaw(packages=(vulnerable("a"), vulnerable("b", fixed="")), severity="HIGH", fix="PARTIAL")])
    history.step([flaw(packages=(vulnerable("c"),), severity="LOW", score=2.0)], after=DAY, whole=())
    seen = history.only().observation
    assert [each.package.name for each in seen.details.packages] == ["a", "b", "c"]
    assert (seen.severity, seen.score, seen.fix) == ("HIGH", 7.5, "PARTIAL")
    assert seen.title == "CVE-2026-1 - a, b and 1 more"
    history.step([flaw(packages=(vulnerable("c"),), severity="LOW", score=2.0)], after=DAY, whole=PACKAGES)
    seen = history.only().observation
    assert ([each.package.name for each in seen.details.packages], seen.severity) == (["c"], "LOW")


def test_a_partial_evaluation_that_saw_every_package_may_lower_the_severity():
    history = History()
    history.step([flaw()])
    history.step([flaw(severity="LOW", score=2.0)], after=DAY, whole=())
    assert history.only().observation.severity == "LOW"


# coming back


@pytest.mark.parametrize(
    ("away", "again"), [(INSTANT, True), (7 * DAY, True), (7 * DAY + INSTANT, False), (29 * DAY, False)]
)
def test_what_comes_back_within_7_days_is_the_same_finding(away, again):
    history = History()
    history.step([flaw()])
    arn = history.only().arn
    history.step([], after=DAY)
    (back,) = history.step([flaw(severity="CRITICAL")], after=away)
    life = back.finding.life
    assert (life.status, life.closed_at, life.delete_at) == ("ACTIVE", "", "")
    assert life.last_observed_at == life.updated_at == at(DAY + away)
    if again:
        assert (type(back), back.changed, back.finding.arn) == (Reopened, ("severity",), arn)
        assert life.first_observed_at == at(timedelta(0))
        assert len(history.known) == 1
    else:
        assert type(back) is Opened
        assert back.finding.arn != arn
        assert life.first_observed_at == at(DAY + away)
        assert history.known[arn].life.status == "CLOSED"


def test_the_old_finding_is_deleted_in_its_time_beside_the_new_one():
    history = History()
    history.step([flaw()])
    old = history.only().arn
    history.step([], after=DAY)
    history.step([flaw()], after=10 * DAY)
    (deleted,) = history.step([flaw()], after=20 * DAY)
    assert (type(deleted), deleted.finding.arn) == (Deleted, old)
    assert history.only().life.status == "ACTIVE"


def test_only_the_latest_of_a_key_closes_and_reopens():
    history = History()
    history.step([flaw()])
    history.step([], after=DAY)
    (second,) = history.step([flaw()], after=8 * DAY)
    (closed,) = history.step([], after=DAY)
    (reopened,) = history.step([flaw()], after=DAY)
    assert second.finding.arn == closed.finding.arn == reopened.finding.arn
    assert [type(closed), type(reopened)] == [Closed, Reopened]


def test_what_comes_back_hidden_reopens_hidden():
    history = History()
    history.step([flaw()])
    history.step([], after=DAY)
    (back,) = history.step([flaw()], after=DAY, filters=[rule()])
    assert (type(back), back.finding.life.status) == (Reopened, "SUPPRESSED")
    assert back.finding.life.suppressed_by == rule().arn


def test_a_partial_evaluation_reopens():
    history = History()
    history.step([flaw(packages=(vulnerable("a"),))])
    history.step([], after=DAY)
    (back,) = history.step([flaw(packages=(vulnerable("b"),))], after=DAY, whole=())
    assert (type(back), back.changed) == (Reopened, ("packages",))
    assert [each.package.name for each in back.finding.observation.details.packages] == ["b"]


# the resource goes


@pytest.mark.parametrize("state", ["terminated", "excluded", "archived", "expired"])
def test_a_resource_that_goes_closes_everything_which_is_deleted_after_3_days(state):
    history = History()
    history.step([flaw(), path(), flaw("CVE-2026-2")])
    history.step([flaw(), path()], after=DAY)  # CVE-2026-2 is closed for another reason before
    changes = history.step([flaw(), flaw("CVE-2026-3")], after=DAY, state=state)
    assert [(type(each), each.finding.observation.key) for each in changes] == [
        (Closed, "CVE-2026-1"),
        (Refreshed, "CVE-2026-2"),
        (Closed, "igw-1/TCP/eni-1/22-22"),
    ]
    assert {each.reason for each in changes if isinstance(each, Closed)} == {state}
    assert {each.finding.life.delete_at for each in changes} == {at(5 * DAY)}
    assert history.step(after=3 * DAY - INSTANT, state=state) == []
    assert kinds(history.step(after=INSTANT, state=state)) == [Deleted] * 3


def test_going_lengthens_no_life():
    history = History()
    history.step([flaw()])
    history.step([], after=DAY)
    assert history.step(after=28 * DAY, state="terminated") == []
    assert history.only().life.delete_at == at(31 * DAY)


def test_an_image_that_is_restored_in_time_has_its_findings_back():
    history = History()
    history.step([flaw()])
    arn = history.only().arn
    history.step(after=DAY, state="archived")
    assert kinds(history.step([flaw()], after=3 * DAY - INSTANT)) == [Reopened]
    assert history.only().arn == arn


def test_what_comes_back_after_it_was_deleted_is_new_even_within_7_days():
    history = History()
    history.step([flaw()])
    arn = history.only().arn
    history.step(after=DAY, state="archived")
    assert kinds(history.step([flaw()], after=4 * DAY)) == [Deleted, Opened]
    assert history.only().arn != arn


def test_a_stopped_instance_keeps_its_findings_and_is_not_judged():
    history = History()
    history.step([flaw()])
    assert history.step([], after=DAY, state="stopped") == []
    assert history.step([flaw("CVE-2026-2")], after=DAY, state="stopped") == []
    assert history.only().life.status == "ACTIVE"
    assert kinds(history.step(after=DAY, state="stopped", filters=[rule()])) == [Suppressed]


# the service goes


@pytest.mark.parametrize(("state", "kept"), [("disabled", 24 * HOUR), ("suspended", 90 * DAY)])
def test_findings_of_a_service_that_is_off_are_removed_in_time(state, kept):
    history = History()
    history.step([flaw(), path()], filters=[rule()])
    since = T0 + HOUR
    for after in (HOUR, kept - INSTANT):
        assert history.step([flaw("CVE-2026-9")], after=after, state=state, since=since, filters=[]) == []
    assert kinds(history.step(after=INSTANT, state=state, since=since)) == [Deleted, Deleted]
    assert history.known == {}


def test_a_service_that_is_on_again_in_time_goes_on_with_its_findings():
    history = History()
    history.step([flaw()])
    assert history.step(after=HOUR, state="disabled", since=T0) == []
    assert history.step([flaw()], after=HOUR) == []


def test_a_closed_finding_is_forgotten_in_its_time_while_the_account_is_suspended():
    history = History()
    history.step([flaw()])
    history.step([], after=DAY)
    assert kinds(history.step(after=30 * DAY, state="suspended", since=T0 + 2 * DAY)) == [Deleted]


def test_a_service_that_is_off_needs_to_know_since_when():
    with pytest.raises(ValueError, match="needs the moment"):
        History().step(state="disabled")
