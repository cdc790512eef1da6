"""What an environment says of a zone as a whole."""

import pytest

from openinspector.model.environment import ZONES, Environment, Exposure
from openinspector.score.environment import combined, judge, rest_closed


def closed(protocol, first=0, last=65535, zone="internet", reason="sg-1 lets nothing in"):
    return Exposure(
        zone=zone, verdict="unreachable", protocol=protocol, first_port=first, last_port=last, reason=reason
    )


def exposed(verdict, protocol="tcp", first=443, last=443, zone="internet", reason=""):
    return Exposure(zone=zone, verdict=verdict, protocol=protocol, first_port=first, last_port=last, reason=reason)


def instance(*exposures, **more):
    return Environment(kind="instance", exposures=exposures, **more)


@pytest.mark.parametrize("zone", ZONES)
def test_what_nobody_looked_at_is_uncertain(zone):
    assert judge(instance(), zone).verdict == "uncertain"


def test_a_zone_is_unreachable_where_every_port_of_both_protocols_is():
    assert judge(instance(closed("tcp"), closed("udp")), "internet") == ("unreachable", "sg-1 lets nothing in")


@pytest.mark.parametrize(
    ("exposures", "missing"),
    [
        ([closed("tcp")], "UDP"),
        ([closed("udp"), closed("tcp", 0, 442), closed("tcp", 444)], "TCP"),
        ([closed("tcp", 2), closed("udp", 0, 65534)], "TCP and UDP"),
        ([closed("tcp", zone="neighbours"), closed("udp", zone="neighbours")], "TCP and UDP"),
        ([closed("tcp", 65535, 0), closed("udp")], "TCP"),
        ([closed("other"), closed("udp")], "TCP"),
    ],
)
def test_a_port_that_nobody_judged_leaves_the_zone_uncertain(exposures, missing):
    found = judge(instance(*exposures), "internet")
    assert found == ("uncertain", f"not every {missing} port was judged as seen from the internet")


def test_ranges_that_overlap_and_come_in_any_order_cover_together():
    pieces = [closed("tcp", 40000), closed("tcp", 100, 50000), closed("tcp", 1, 99), closed("tcp", 0, 9), closed("udp")]
    assert judge(instance(*pieces), "internet").verdict == "unreachable"


def test_one_open_port_opens_the_zone_and_comes_before_doubt_about_others():
    whole = (closed("tcp"), closed("udp"))
    assert judge(instance(*whole, exposed("uncertain", reason="a firewall")), "internet") == ("uncertain", "a firewall")
    found = judge(instance(*whole, exposed("uncertain"), exposed("reachable")), "internet")
    assert found == ("reachable", "TCP 443 is open to the internet")
    assert judge(instance(*whole, exposed("reachable", "other")), "internet").verdict == "reachable"


def test_the_rest_of_an_answer_that_is_whole_is_closed():
    found = rest_closed([exposed("reachable", first=22, last=22)], "internet", "nothing else is open")
    assert [(each.protocol, each.first_port, each.last_port) for each in found[1:]] == [
        ("tcp", 1, 21),
        ("tcp", 23, 65535),
        ("udp", 1, 65535),
    ]
    assert judge(instance(*found), "internet") == ("reachable", "TCP 22 is open to the internet")
    assert judge(instance(*rest_closed((), "internet", "no route")), "internet") == ("unreachable", "no route")


def everywhere(verdict, **more):
    exposures = tuple(
        Exposure(zone=zone, verdict=verdict, protocol=protocol, reason=f"{verdict} here")
        for zone in ZONES
        for protocol in ("tcp", "udp")
    )
    return Environment(kind="instance", exposures=exposures, **more)


CLOSED = everywhere("unreachable", internet_access="unreachable", runs=True, private_subnet=True)


def test_several_places_are_as_open_as_the_most_open():
    opened = everywhere("reachable", internet_access="reachable", runs=True, private_subnet=False)
    both = combined([CLOSED, opened], "image", whole=True)
    assert [judge(both, zone).verdict for zone in ZONES] == ["reachable"] * 3
    assert (both.kind, both.internet_access, both.runs, both.private_subnet) == ("image", "reachable", True, None)
    same = combined([CLOSED, CLOSED], "function", whole=True)
    assert [judge(same, zone) for zone in ZONES] == [("unreachable", "unreachable here")] * 3
    assert (same.internet_access, same.runs, same.private_subnet) == ("unreachable", True, True)


def test_one_place_does_not_vouch_for_the_ports_of_another():
    half = instance(closed("tcp"), runs=True)
    assert judge(combined([CLOSED, half], "image", whole=True), "internet").verdict == "uncertain"
    assert combined([CLOSED, instance()], "image", whole=True).runs is None


def test_of_places_that_are_none_or_not_all_nothing_is_known():
    assert combined([], "image", whole=True) == Environment(kind="image")
    assert combined([CLOSED], "image", whole=False) == Environment(kind="image")
