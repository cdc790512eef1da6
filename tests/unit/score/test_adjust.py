"""Scores that know where a resource stands."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from openinspector.model.advisory import Cvss
from openinspector.model.environment import ZONES, Environment, Exposure
from openinspector.model.finding import Finding, Life, NetworkReachability, Observation, PackageVulnerability
from openinspector.model.resource import Resource
from openinspector.render.adjusted_cvss import adjusted_cvss
from openinspector.render.inspector2 import finding
from openinspector.score.adjust import adjust, attacked_over_network, in_environment
from openinspector.score.environment import rest_closed

WORST = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
WORST_4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
WHY = {
    "internet": "subnet-1 has no route to an internet gateway",
    "connected": "nothing is connected to vpc-1",
    "neighbours": "sg-1 lets nothing in",
}


def standing(closed=ZONES, out="unreachable", kind="instance", runs=True, exposures=()):
    for zone in closed:
        exposures = rest_closed(exposures, zone, WHY[zone])
    return Environment(kind=kind, exposures=exposures, internet_access=out, private_subnet=True, runs=runs)


SEALED = standing()  # nothing gets in from anywhere, nothing gets out
GUARDED = standing(closed=("internet", "connected"))  # the neighbours in the VPC may
SSH = Exposure(
    zone="internet", verdict="reachable", protocol="tcp", first_port=22, last_port=22, reason="igw-1 leads to port 22"
)
OPEN = standing(exposures=(SSH,))
UNKNOWN = Environment(kind="instance", runs=True)


def test_an_instance_that_nobody_can_get_to_scores_lower_and_says_why():
    found = adjust(WORST, SEALED)
    assert (found.score, found.vector) == (8.4, WORST + "/MAV:L")
    [change] = found.changes
    assert (change.metric, change.modified, change.before, change.after) == ("Attack Vector", "MAV", "N", "L")
    assert change.reason == (
        "no port can be reached from anywhere, its own VPC included (subnet-1 has no route to an internet gateway;"
        " nothing is connected to vpc-1; sg-1 lets nothing in), it is in a private subnet, it has no internet access"
    )
    assert not found.extension


def test_with_an_open_path_the_score_stays_and_the_note_names_the_path():
    found = adjust(WORST, OPEN)
    assert (found.score, found.vector, found.changes) == (9.8, WORST, ())
    assert found.note == "the internet can get to it (igw-1 leads to port 22)"


@pytest.mark.parametrize(
    ("environment", "score", "modified"),
    [
        (SEALED, 8.4, "L"),
        (GUARDED, 8.8, "A"),
        (standing(closed=("internet", "neighbours")), 8.8, "A"),
        (standing(out="reachable"), 8.8, "A"),
        (standing(out="uncertain"), 8.8, "A"),
        (standing(closed=("connected", "neighbours")), 9.8, ""),
        (standing(runs=None), 9.8, ""),
        (standing(runs=False), 9.8, ""),
        (OPEN, 9.8, ""),
        (UNKNOWN, 9.8, ""),
    ],
)
def test_the_vector_is_as_remote_as_the_most_remote_attacker(environment, score, modified):
    found = adjust(WORST, environment)
    assert (found.score, "".join(each.after for each in found.changes)) == (score, modified)


def test_doubt_about_one_port_leaves_the_score():
    firewall = Exposure(zone="internet", verdict="uncertain", protocol="udp", first_port=53, last_port=53)
    assert adjust(WORST, standing(exposures=(firewall,))).score == 9.8


# Base scores as FIRST's examples of CVSS 3.1 publish them; the adjusted ones by its formula of the environmental score.
@pytest.mark.parametrize(
    ("vector", "base", "guarded", "sealed"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4, 5.4, 5.2),  # CVE-2013-0375
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1, 2.6, 2.5),  # CVE-2014-3566
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 9.9, 9.1, 8.8),  # CVE-2012-1516
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5, 6.5, 6.2),  # CVE-2014-0160
        (WORST, 9.8, 8.8, 8.4),  # CVE-2014-6271
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:N/I:H/A:N", 6.8, 6.1, 5.9),  # CVE-2008-1447
        ("CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 8.8, 8.8, 8.4),  # CVE-2011-1265
        ("CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", 7.8, 7.8, 7.8),  # CVE-2009-0658
        ("CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", 4.6, 4.6, 4.6),  # CVE-2014-2019
    ],
)
def test_the_published_examples(vector, base, guarded, sealed):
    assert [adjust(vector, each).score for each in (OPEN, GUARDED, SEALED)] == [base, guarded, sealed]


@pytest.mark.parametrize(
    ("vector", "scores"),
    [
        (WORST.replace("3.1", "3.0"), [9.8, 8.8, 8.4]),
        (WORST_4, [9.3, 8.7, 8.6]),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", [10.0, 9.7, 9.4]),
    ],
)
def test_every_version_that_has_a_modified_attack_vector(vector, scores):
    assert [adjust(vector, each).score for each in (OPEN, GUARDED, SEALED)] == scores


def test_cvss_2_has_nothing_for_reachability_so_its_score_stays():
    found = adjust("AV:N/AC:L/Au:N/C:N/I:N/A:C", SEALED)  # FIRST's example CVE-2002-0392
    assert (found.score, found.changes) == (7.8, ())
    assert found.note == "CVSS 2.0 has no metric for who can get to a system, so nothing was adjusted"
    known = adjust("AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:H", SEALED)
    assert (known.score, known.changes) == (7.8, ())


@pytest.mark.parametrize("asks", ["CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", WORST_4.replace("UI:N", "UI:P")])
def test_what_somebody_inside_has_to_fetch_is_lowered_only_where_nothing_can_be_fetched(asks):
    base = adjust(asks, UNKNOWN).score
    for out in ("reachable", "uncertain"):
        found = adjust(asks, standing(out=out))
        assert (found.score, found.changes) == (base, ())
        assert "somebody who comes to it" in found.note
    assert adjust(asks, SEALED).score < base


@pytest.mark.parametrize(
    "vector",
    ["", "nonsense", "CVSS:3.1/AV:Q", WORST + "/", WORST + "/AV:N", "CVSS:5.0/AV:N", WORST + "/E:X" * 500, "CVSS:3.1"],
)
def test_a_vector_that_cannot_be_read_is_left_and_says_so(vector):
    found = adjust(vector, SEALED)
    assert (found.vector, found.score, found.changes) == (vector, None, ())
    assert found.note == "the vector can't be read, so nothing was adjusted"


def test_environmental_metrics_of_the_vector_are_kept_and_named():
    found = adjust(WORST + "/CR:L/MAC:H/MUI:X", SEALED)
    assert found.vector == WORST + "/CR:L/MAV:L/MAC:H"
    assert [(each.modified, each.before, each.after) for each in found.changes] == [
        ("MAV", "N", "L"),
        ("CR", "M", "L"),
        ("MAC", "L", "H"),
    ]
    assert [each.reason for each in found.changes[1:]] == ["the vector has it already"] * 2


def test_a_modified_attack_vector_that_is_there_is_never_replaced():
    stays = adjust(WORST + "/MAV:N", SEALED)
    assert (stays.score, stays.vector, stays.changes) == (9.8, WORST + "/MAV:N", ())
    physical = adjust(WORST + "/MAV:P", GUARDED)
    assert (physical.vector, physical.changes[0].after) == (WORST + "/MAV:P", "P")
    assert physical.changes[0].reason.startswith("the vector has it already, and no port")
    assert adjust(WORST + "/MAV:P", OPEN).score == 9.8


def test_a_metric_that_is_not_defined_is_set():
    assert adjust(WORST + "/MAV:X", SEALED).vector == WORST + "/MAV:L"


def test_temporal_metrics_lower_nothing():
    found = adjust(WORST + "/E:U/RL:O/RC:U", SEALED)
    assert (found.score, found.vector) == (8.4, WORST + "/MAV:L")
    assert adjust(WORST + "/E:U/RL:O/RC:U", OPEN).vector == WORST + "/E:U/RL:O/RC:U"


def test_the_threat_metric_of_cvss_4_counts_before_and_after():
    reported = WORST_4 + "/E:U"
    assert adjust(reported, OPEN).score == 8.1
    found = adjust(reported, SEALED)
    assert found.vector == WORST_4 + "/E:U/MAV:L"
    assert found.score < 8.1


def test_weights_that_would_raise_the_score_leave_it_as_published():
    found = adjust("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N/CR:H/MC:H", SEALED)
    assert (found.score, found.changes) == (5.3, ())
    assert "scores no lower" in found.note


@pytest.mark.parametrize("kind", ["image", "function"])
def test_what_inspector_would_leave_alone_is_marked_as_ours(kind):
    found = adjust(WORST, standing(kind=kind))
    assert (found.score, found.extension) == (8.4, True)
    assert found.changes[0].reason.endswith(
        "(openinspector's own adjustment: Inspector adjusts scores of EC2 instances only)"
    )
    assert adjust(WORST, standing(kind=kind, runs=None)).score == 9.8


def test_reasons_from_outside_are_bounded():
    long = standing(closed=())
    long = replace(long, exposures=rest_closed((), "internet", "x" * 100_000))
    assert len(adjust(WORST, long).changes[0].reason) <= 1000


def observed(vector=WORST, score=9.8, severity="CRITICAL"):
    details = PackageVulnerability(
        id="CVE-1", source="NVD", packages=(), cvss=(Cvss(vector=vector, source="NVD", score=score),)
    )
    return Observation(
        key="CVE-1", title="CVE-1", description="d", severity=severity, details=details, score=score, vector=vector,
        score_source="NVD",
    )  # fmt: skip


def test_an_observation_takes_the_adjusted_score_and_keeps_the_published_vector_among_the_others():
    found = in_environment(observed(), SEALED, severity_follows=True)
    assert (found.score, found.vector, found.severity) == (8.4, WORST + "/MAV:L", "HIGH")
    assert [each.metric for each in found.adjustments] == ["Attack Vector"]
    assert found.details == observed().details


def test_a_distributions_own_word_is_not_touched():
    assert in_environment(observed(severity="MEDIUM"), SEALED, severity_follows=False).severity == "MEDIUM"


@pytest.mark.parametrize(
    "observation",
    [
        observed(vector="nonsense"),
        observed(score=8.0),
        replace(observed(), score=None, vector=""),
        Observation(
            key="igw-1/TCP/eni-1/22-22", title="t", description="d", severity="MEDIUM", score=9.8, vector=WORST,
            details=NetworkReachability(first_port=22, last_port=22, protocol="TCP", path=()),
        ),
    ],
)  # fmt: skip
def test_an_observation_that_has_nothing_to_lower_is_the_same(observation):
    assert in_environment(observation, SEALED, severity_follows=True) is observation


def test_an_adjusted_observation_is_not_adjusted_again():
    once = in_environment(observed(), SEALED, severity_follows=True)
    with pytest.raises(ValueError, match="CVE-1 is adjusted already"):
        in_environment(once, OPEN, severity_follows=True)


def rendered(observation):
    moment = "2026-03-01T00:00:00.000000Z"
    life = Life(status="ACTIVE", first_observed_at=moment, last_observed_at=moment, updated_at=moment)
    resource = Resource(account="111122223333", region="eu-central-1", type="AWS_EC2_INSTANCE", id="i-0abc")
    return finding(resource, Finding(arn="arn", observation=observation, life=life))["inspectorScoreDetails"]


@pytest.mark.parametrize("environment", [SEALED, GUARDED, OPEN])
def test_the_api_says_what_was_adjusted(environment):
    said = adjusted_cvss(adjust(WORST, environment), "NVD")
    assert said == rendered(in_environment(observed(), environment, severity_follows=True))


def test_inspector_score_details():
    adjusted = adjust(WORST, SEALED)
    assert adjusted_cvss(adjusted, "NVD", "REDHAT_CVE") == {
        "adjustedCvss": {
            "scoreSource": "NVD",
            "cvssSource": "REDHAT_CVE",
            "version": "3.1",
            "score": 8.4,
            "scoringVector": WORST + "/MAV:L",
            "adjustments": [{"metric": "Attack Vector", "reason": adjusted.changes[0].reason}],
        }
    }
    assert adjusted_cvss(adjust(WORST, OPEN), "NVD")["adjustedCvss"]["adjustments"] == []
    assert adjusted_cvss(adjust("nonsense", SEALED), "NVD") is None
    assert adjusted_cvss(adjusted, "") is None


@pytest.mark.parametrize(
    ("vector", "said"),
    [
        (WORST, True),
        (WORST_4.replace("AV:N", "AV:L"), False),
        ("CVSS:3.0/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", True),
        ("AC:L/AV:L/Au:N/C:P/I:P/A:P", False),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P", True),
        ("nonsense", None),
    ],
)
def test_whether_a_flaw_is_attacked_over_a_network(vector, said):
    assert attacked_over_network(vector) is said


PLACES = {
    "an internet gateway leads to port 22": OPEN,
    "nobody looked": UNKNOWN,
    "out by a NAT gateway": standing(out="reachable"),
    "the VPC may get in": GUARDED,
    "no port open to anybody": SEALED,
}
EXAMPLES = [
    WORST,
    WORST.replace("UI:N", "UI:R"),
    WORST.replace("S:U", "S:C"),
    WORST_4,
    "AV:N/AC:L/Au:N/C:P/I:P/A:P",
]


@pytest.mark.parametrize("place", PLACES)
def test_the_examples_of_the_page_about_scoring_come_out_as_written(place):
    page = (Path(__file__).parents[3] / "docs/scoring.md").read_text()
    [row] = [line for line in page.splitlines() if line.startswith("|") and place in line.split("|")[1]]
    found = [adjust(vector, PLACES[place]) for vector in EXAMPLES]
    written = [f"{each.score}{f' (MAV:{each.changes[0].after})' if each.changes else ''}" for each in found]
    assert [cell.strip() for cell in row.split("|")[2:-1]] == written
