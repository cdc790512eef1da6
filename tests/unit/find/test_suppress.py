"""Which filter hides a finding."""

import pytest

from openinspector.find.suppress import hiding, reason, rules
from openinspector.model.criteria import Filter, parse_criteria
from openinspector.model.finding import Finding, Life, NetworkReachability, Observation, PackageVulnerability
from openinspector.model.resource import Resource

ACCOUNT = "111122223333"
INSTANCE = Resource(
    account=ACCOUNT, region="eu-central-1", type="AWS_EC2_INSTANCE", id="i-0abc", tags={"stage": "prod"}
)
MOMENT = "2026-03-01T12:00:00.000000Z"


def finding(key="CVE-2026-1", severity="HIGH"):
    details = PackageVulnerability(id=key, source="NVD", packages=())
    observation = Observation(key=key, title=key, description="", severity=severity, details=details)
    life = Life(status="ACTIVE", first_observed_at=MOMENT, last_observed_at=MOMENT, updated_at=MOMENT)
    return Finding(arn=f"arn:{key}", observation=observation, life=life)


def named(name, criteria=None, **values):
    said = {"owner": ACCOUNT, "action": "SUPPRESS", "created_at": "2026-01-01", "updated_at": "2026-01-01"} | values
    return Filter(arn=f"arn:{name}", name=name, criteria=parse_criteria(criteria or {}), **said)


def text(field, value, comparison="EQUALS"):
    return {field: [{"comparison": comparison, "value": value}]}


def hides(*filters, about=None, organization=""):
    found = hiding(rules(filters), INSTANCE, organization)(about or finding())
    return found.name if found else ""


def test_without_a_rule_nothing_is_hidden():
    assert hides() == ""


def test_a_saved_view_hides_nothing():
    assert hides(named("view", action="NONE")) == ""


def test_the_oldest_that_matches_hides_whatever_it_names():
    old = named("old", text("severity", "LOW"), created_at="2025-01-01")
    middle = named("middle", text("vulnerabilityId", "CVE-2026-1"), created_at="2025-06-01")
    new = named("new", created_at="2026-01-01")
    assert hides(new, middle, old) == "middle"
    assert hides(new, middle, old, about=finding(severity="LOW")) == "old"
    assert hides(new, middle, old, about=finding("CVE-2026-2")) == "new"


def test_of_two_that_are_equally_old_the_arn_decides():
    assert hides(named("b"), named("a")) == hides(named("a"), named("b")) == "a"


@pytest.mark.parametrize(
    ("owner", "organization", "hidden"),
    [
        (ACCOUNT, "", True),
        (ACCOUNT, "o-1", True),
        ("444455556666", "", False),
        ("o-1", "o-1", True),
        ("o-2", "o-1", False),
        ("o-1", "", False),
        ("", "", False),
    ],
)
def test_rules_of_the_account_and_of_its_organization_count(owner, organization, hidden):
    assert bool(hides(named("rule", owner=owner), organization=organization)) is hidden


@pytest.mark.parametrize(
    ("criteria", "hidden"),
    [
        ({"resourceTags": [{"comparison": "EQUALS", "key": "stage", "value": "prod"}]}, True),
        ({"resourceTags": [{"comparison": "EQUALS", "key": "stage", "value": "test"}]}, False),
        (text("vulnerabilityId", "CVE-2026", "PREFIX"), True),
        (text("vulnerabilityId", "CVE-2026-1", "NOT_EQUALS"), False),
        (text("vulnerabilityId", "CVE-2026-2", "NOT_EQUALS"), True),
        ({"vulnerabilityId": [*text("vulnerabilityId", "CVE-2026-2")["vulnerabilityId"],
                              *text("vulnerabilityId", "CVE-2026-1", "PREFIX")["vulnerabilityId"]]}, True),
        ({"vulnerabilityId": [*text("vulnerabilityId", "CVE-2026-1")["vulnerabilityId"],
                              *text("vulnerabilityId", "CVE-2026-1", "NOT_EQUALS")["vulnerabilityId"]]}, False),
    ],
)  # fmt: skip
def test_a_rule_hides_what_its_criteria_match(criteria, hidden):
    assert bool(hides(named("rule", criteria))) is hidden


def test_a_rule_that_names_a_vulnerability_hides_no_path():
    details = NetworkReachability(first_port=22, last_port=22, protocol="TCP", path=())
    observation = Observation(key="CVE-2026-1", title="", description="", severity="HIGH", details=details)
    path = Finding(arn="arn:p", observation=observation, life=finding().life)
    assert hides(named("rule", text("vulnerabilityId", "CVE-2026-1")), about=path) == ""


def test_the_reason_is_a_sentence_for_people():
    assert reason(named("builds", reason="never deployed")) == (
        f'hidden by the filter "builds" of {ACCOUNT}: never deployed'
    )
    assert reason(named("builds")) == f'hidden by the filter "builds" of {ACCOUNT}'
