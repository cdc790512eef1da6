"""What to look at first."""

import itertools

import pytest

from openinspector.model.enrichment import Epss, Exploit, Kev
from openinspector.model.environment import Environment, Exposure
from openinspector.score.environment import Judgement, rest_closed
from openinspector.score.priority import CLASSES, exposure_of, priority

KEV = Kev(vulnerability="CVE-1", date_added="2021-12-10")
EXPLOIT = Exploit(vulnerability="CVE-1", source="exploit-db", ids=("50592",))
THREATS = {  # least first
    "unlikely": (None, Epss(vulnerability="CVE-1", score=0.0099), ()),
    "possible": (None, Epss(vulnerability="CVE-1", score=0.01), ()),
    "unknown": (None, None, ()),
    "probable": (None, Epss(vulnerability="CVE-1", score=0.1), ()),
    "exploit": (None, Epss(vulnerability="CVE-1", score=0.0001), (EXPLOIT,)),
    "exploited": (KEV, None, ()),
}
VERDICTS = ("unreachable", "uncertain", "reachable")
FIXES = ("NO", None, "PARTIAL", "YES")


def of(threat, verdict="reachable", fix="YES", reason=""):
    kev, epss, exploits = THREATS[threat]
    return priority(kev=kev, epss=epss, exploits=exploits, exposure=Judgement(verdict, reason), fix=fix)


# As docs/scoring.md has it: with a fix, and without.
TABLE = {
    ("exploited", "reachable"): ("critical-now", "critical-now"),
    ("exploited", "uncertain"): ("critical-now", "critical-now"),
    ("exploited", "unreachable"): ("urgent", "urgent"),
    ("exploit", "reachable"): ("urgent", "urgent"),
    ("exploit", "uncertain"): ("urgent", "urgent"),
    ("exploit", "unreachable"): ("planned", "routine"),
    ("probable", "reachable"): ("urgent", "urgent"),
    ("probable", "uncertain"): ("urgent", "urgent"),
    ("probable", "unreachable"): ("planned", "routine"),
    ("possible", "reachable"): ("planned", "routine"),
    ("possible", "uncertain"): ("planned", "routine"),
    ("possible", "unreachable"): ("routine", "watch"),
    ("unknown", "reachable"): ("planned", "routine"),
    ("unknown", "uncertain"): ("planned", "routine"),
    ("unknown", "unreachable"): ("routine", "watch"),
    ("unlikely", "reachable"): ("routine", "watch"),
    ("unlikely", "uncertain"): ("routine", "watch"),
    ("unlikely", "unreachable"): ("watch", "watch"),
}


@pytest.mark.parametrize(("threat", "verdict"), list(itertools.product(THREATS, VERDICTS)))
def test_the_table(threat, verdict):
    with_fix, without = TABLE[threat, verdict]
    for fix in FIXES:
        assert of(threat, verdict, fix).name == (without if fix == "NO" else with_fix)


@pytest.mark.parametrize(("threat", "verdict", "fix"), list(itertools.product(THREATS, VERDICTS, FIXES)))
def test_knowing_worse_of_it_is_never_less_pressing(threat, verdict, fix):
    rank = of(threat, verdict, fix).rank
    threats = list(THREATS)
    for worse in threats[threats.index(threat) :]:
        assert of(worse, verdict, fix).rank <= rank
    for worse in VERDICTS[VERDICTS.index(verdict) :]:
        assert of(threat, worse, fix).rank <= rank
    for worse in FIXES[FIXES.index(fix) :]:
        assert of(threat, verdict, worse).rank <= rank


def test_every_class_says_why():
    assert of("exploited", "reachable", "NO", "igw-1 leads to port 443").reasons == (
        "CISA knows that it is exploited (listed 2021-12-10)",
        "it can be reached from the internet: igw-1 leads to port 443",
        "there is no fix: isolate it, or switch off what is attacked",
    )
    assert of("exploit", "unreachable", "NO").reasons == (
        "a public exploit is known (exploit-db); EPSS 0.0% within 30 days",
        "it can't be reached from the internet",
        "there is no fix to install yet",
    )
    assert of("unknown", "uncertain", None).reasons == (
        "no exploit is known, and EPSS has no figure",
        "it may be reachable from the internet",
        "it is not known whether there is a fix",
    )
    assert of("probable", fix="PARTIAL").reasons[0] == "no exploit is known; EPSS 10.0% within 30 days"
    assert of("probable", fix="PARTIAL").reasons[2] == "a fix is available for some of the packages"


def test_classes_sort_by_rank():
    assert [of("exploited").rank, of("probable").rank, of("possible").rank] == [0, 1, 2]
    assert CLASSES == ("critical-now", "urgent", "planned", "routine", "watch")


NETWORK = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
FETCHED = NETWORK.replace("UI:N", "UI:R")
LOCAL = NETWORK.replace("AV:N", "AV:L")
SHUT = rest_closed((), "internet", "no route")
OPENED = (Exposure(zone="internet", verdict="reachable", protocol="tcp", first_port=22, last_port=22),)


@pytest.mark.parametrize(
    ("vector", "exposures", "out", "runs", "verdict"),
    [
        (NETWORK, OPENED, "reachable", True, "reachable"),
        (NETWORK, SHUT, "reachable", True, "unreachable"),
        (NETWORK, SHUT, "reachable", None, "uncertain"),
        (NETWORK, (), "unreachable", True, "uncertain"),
        (FETCHED, SHUT, "reachable", True, "uncertain"),
        (FETCHED, SHUT, "unreachable", True, "unreachable"),
        (LOCAL, OPENED, "reachable", True, "unreachable"),
        ("AV:L/AC:L/Au:N/C:P/I:P/A:P", OPENED, "reachable", True, "unreachable"),
        ("nonsense", OPENED, "reachable", True, "reachable"),
        ("", (), "reachable", True, "uncertain"),
    ],
)
def test_the_exposure_of_a_flaw(vector, exposures, out, runs, verdict):
    environment = Environment(kind="instance", exposures=exposures, internet_access=out, runs=runs)
    assert exposure_of(vector, environment).verdict == verdict
