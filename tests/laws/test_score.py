"""Laws of scores in an environment, on random vectors of every version of CVSS and random environments.

`plain_score` is the environmental score of CVSS 3.x once more, as the specifications write it; the two must agree.
"""

from decimal import ROUND_CEILING, Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from openinspector.model.environment import VERDICTS, ZONES, Environment, Exposure
from openinspector.score.adjust import adjust
from openinspector.score.environment import combined, judge
from openinspector.score.severity import base_score, version_of

BASE_2 = {"AV": "LAN", "AC": "HML", "Au": "MSN", "C": "NPC", "I": "NPC", "A": "NPC"}
MORE_2 = {
    "E": ["U", "POC", "F", "H", "ND"],
    "RL": ["OF", "TF", "W", "U", "ND"],
    "RC": ["UC", "UR", "C", "ND"],
    "CDP": ["N", "L", "LM", "MH", "H", "ND"],
    "TD": ["N", "L", "M", "H", "ND"],
    "CR": ["L", "M", "H", "ND"],
    "IR": ["L", "M", "H", "ND"],
    "AR": ["L", "M", "H", "ND"],
}
BASE_3 = {"AV": "NALP", "AC": "LH", "PR": "NLH", "UI": "NR", "S": "UC", "C": "HLN", "I": "HLN", "A": "HLN"}
TEMPORAL_3 = {"E": "XHFPU", "RL": "XUWTO", "RC": "XCRU"}
WEIGHTS = {"CR": "XHML", "IR": "XHML", "AR": "XHML"}
MORE_3 = TEMPORAL_3 | WEIGHTS | {"M" + name: "X" + values for name, values in BASE_3.items()}
BASE_4 = {"AV": "NALP", "AC": "LH", "AT": "NP", "PR": "NLH", "UI": "NPA"}
BASE_4 |= dict.fromkeys(("VC", "VI", "VA", "SC", "SI", "SA"), "HLN")
MORE_4 = (
    {"E": "XAPU"}
    | WEIGHTS
    | {"M" + name: "X" + ("S" if name in ("SI", "SA") else "") + values for name, values in BASE_4.items()}
    | {"S": "XNP", "AU": "XNY", "R": "XAUI", "V": "XDC", "RE": "XLMH"}
    | {"U": ["X", "Clear", "Green", "Amber", "Red"]}
)


def fields(base, more):
    """Metrics in the specification's order, the optional ones here and there."""
    mandatory = {name: st.sampled_from(list(values)) for name, values in base.items()}
    optional = {name: st.one_of(st.none(), st.none(), st.sampled_from(list(values))) for name, values in more.items()}
    return st.fixed_dictionaries(mandatory | optional).map(
        lambda metrics: [f"{name}:{metrics[name]}" for name in (*base, *more) if metrics[name] is not None]
    )


def prefixed(prefix):
    return lambda metrics: "/".join([prefix, *metrics] if prefix else metrics)


any_order = st.one_of(
    fields(BASE_2, MORE_2).map(prefixed("")),
    *(fields(BASE_3, MORE_3).flatmap(st.permutations).map(prefixed(f"CVSS:3.{minor}")) for minor in (0, 1)),
)
vectors = st.one_of(
    any_order,
    *(fields(BASE_3, {}).map(prefixed(f"CVSS:3.{minor}")) for minor in (0, 1)),
    fields(BASE_4, {}).map(prefixed("CVSS:4.0")),
    fields(BASE_4, MORE_4).map(prefixed("CVSS:4.0")),
)
modern = vectors.filter(lambda vector: version_of(vector) != "2.0")
only_base = st.one_of(
    *(fields(BASE_3, {}).map(prefixed(f"CVSS:3.{minor}")) for minor in (0, 1)),
    fields(BASE_4, {}).map(prefixed("CVSS:4.0")),
)

verdicts = st.sampled_from(VERDICTS)
mostly_closed = st.one_of(st.just("unreachable"), st.just("unreachable"), verdicts)
kinds = st.sampled_from(["instance", "image", "function"])


def built(kind, zones, out, runs, private):
    exposures = tuple(
        Exposure(zone=zone, verdict=verdict, protocol=protocol, reason=f"{zone} is {verdict}")
        for zone, verdict in zip(ZONES, zones, strict=True)
        for protocol in ("tcp", "udp")
    )
    return Environment(kind=kind, exposures=exposures, internet_access=out, runs=runs, private_subnet=private)


environments = st.builds(
    built,
    kinds,
    st.tuples(*[mostly_closed] * 3),
    mostly_closed,
    st.sampled_from([True, True, True, None, False]),
    st.sampled_from([True, False, None]),
)
spans = st.builds(
    lambda zone, verdict, protocol, one, other: Exposure(
        zone=zone, verdict=verdict, protocol=protocol, first_port=min(one, other), last_port=max(one, other)
    ),
    st.sampled_from(ZONES),
    mostly_closed,
    st.sampled_from(["tcp", "udp"]),
    st.integers(0, 65535),
    st.integers(0, 65535),
)
SEALED = built("instance", ["unreachable"] * 3, "unreachable", True, True)


@given(vectors)
def test_every_valid_vector_is_read(vector):
    assert adjust(vector, SEALED).score is not None


def base_of(vector):
    """The base score; in CVSS 4.0, which has none beside threat and environment, that without the environment."""
    if version_of(vector) != "4.0":
        return base_score(vector)
    kept = [each for each in vector.split("/") if each[:1] != "M" and each[:3] not in ("CR:", "IR:", "AR:")]
    return base_score("/".join(kept))


@given(vectors, environments)
def test_a_score_is_never_above_the_base_score_and_within_the_scale(vector, environment):
    assert 0.0 <= adjust(vector, environment).score <= base_of(vector)


@given(vectors, environments, st.sampled_from(["reachable", "uncertain"]))
def test_what_the_internet_can_or_may_get_to_has_the_base_score_and_its_own_vector(vector, environment, verdict):
    opened = Exposure(zone="internet", verdict=verdict, protocol="udp", first_port=53, last_port=53)
    found = adjust(vector, replace(environment, exposures=(*environment.exposures, opened)))
    assert (found.score, found.vector, found.changes) == (base_of(vector), vector, ())
    assert found.note


@given(vectors, environments)
def test_every_lowered_score_names_its_reasons_and_every_other_says_why_not(vector, environment):
    found = adjust(vector, environment)
    assert (found.score < base_of(vector)) == bool(found.changes)
    assert bool(found.note) != bool(found.changes)
    assert all(each.metric and each.reason and each.before != each.after for each in found.changes)
    if found.changes:
        assert found.changes[0].modified == "MAV"
        assert f"MAV:{found.changes[0].after}" in found.vector.split("/")
        assert found.extension == (environment.kind != "instance")


@given(vectors, environments)
def test_adjusting_twice_is_adjusting_once(vector, environment):
    once = adjust(vector, environment)
    assert replace(adjust(once.vector, environment), note=once.note) == once


def opened_further(environment, zone, out):
    """The same place, with more that may get in, or out."""
    exposures = environment.exposures
    if zone:
        exposures = (*exposures, Exposure(zone=zone, verdict="reachable", protocol="tcp"))
    return replace(
        environment, exposures=exposures, internet_access="reachable" if out else environment.internet_access
    )


@given(vectors, environments, st.sampled_from([*ZONES, ""]), st.booleans())
def test_less_that_gets_in_or_out_never_scores_higher(vector, environment, zone, out):
    assert adjust(vector, environment).score <= adjust(vector, opened_further(environment, zone, out)).score


@given(vectors, environments, st.sampled_from(ZONES))
def test_saying_less_never_scores_lower(vector, environment, zone):
    silent = replace(environment, exposures=tuple(each for each in environment.exposures if each.zone != zone))
    assert adjust(vector, silent).score >= adjust(vector, environment).score
    assert adjust(vector, replace(environment, runs=None)).score >= adjust(vector, environment).score


@given(vectors, st.lists(environments, min_size=1, max_size=4))
def test_where_it_runs_in_several_places_it_scores_no_lower_than_in_any(vector, places):
    together = adjust(vector, combined(places, "image", whole=True)).score
    assert all(together >= adjust(vector, each).score for each in places)


@given(only_base)
def test_base_metrics_of_an_adjusted_vector_are_the_published_ones(vector):
    found = adjust(vector, SEALED)
    assert found.vector in (vector, vector + "/MAV:L")


@given(st.lists(spans, max_size=12), st.sampled_from(ZONES), st.integers(1, 65535), st.sampled_from(["tcp", "udp"]))
def test_a_zone_is_unreachable_only_where_each_port_is(exposures, zone, port, protocol):
    found = judge(Environment(kind="instance", exposures=tuple(exposures)), zone)
    said = [each for each in exposures if each.zone == zone]
    here = {each.verdict for each in said if each.protocol == protocol and each.first_port <= port <= each.last_port}
    if found.verdict == "unreachable":
        assert here == {"unreachable"}
    assert (found.verdict == "reachable") == any(each.verdict == "reachable" for each in said)


@given(st.text(max_size=60))
def test_any_text_is_read_or_left_with_a_reason(text):
    for vector in (text, "CVSS:3.1/" + text, "CVSS:4.0/" + text):
        found = adjust(vector, SEALED)
        assert found.score is not None or (found.vector == vector and found.note)


NUMBERS = {
    "AV": {"N": "0.85", "A": "0.62", "L": "0.55", "P": "0.2"},
    "AC": {"L": "0.77", "H": "0.44"},
    "PR": {"N": "0.85", "L": "0.62", "H": "0.27"},
    "UI": {"N": "0.85", "R": "0.62"},
    "impact": {"H": "0.56", "L": "0.22", "N": "0"},
    "weight": {"X": "1", "H": "1.5", "M": "1", "L": "0.5"},
}


def plain_score(vector):
    """The environmental score of CVSS 3.0 and 3.1 without temporal metrics (section 8.3, and 7.3 of version 3.1)."""
    given_ = dict(each.split(":") for each in vector.split("/")[1:])

    def of(name, table=None):
        value = given_.get("M" + name, "X")
        return Decimal(NUMBERS[table or name][given_[name] if value == "X" else value])

    def weight(name):
        return Decimal(NUMBERS["weight"][given_.get(name, "X")])

    changed = (given_["S"] if given_.get("MS", "X") == "X" else given_["MS"]) == "C"
    privileges = of("PR")
    if changed:
        privileges = {"0.62": Decimal("0.68"), "0.27": Decimal("0.5")}.get(str(privileges), privileges)
    lost = Decimal(1)
    for name in "CIA":
        lost *= 1 - of(name, "impact") * weight(name + "R")
    base = min(1 - lost, Decimal("0.915"))
    if not changed:
        impact = Decimal("6.42") * base
    elif vector.startswith("CVSS:3.0/"):
        impact = Decimal("7.52") * (base - Decimal("0.029")) - Decimal("3.25") * (base - Decimal("0.02")) ** 15
    else:
        bent = base * Decimal("0.9731") - Decimal("0.02")
        impact = Decimal("7.52") * (base - Decimal("0.029")) - Decimal("3.25") * bent**13
    if impact <= 0:
        return 0.0
    ease = Decimal("8.22") * of("AV") * of("AC") * privileges * of("UI")
    whole = min((impact + ease) * (Decimal("1.08") if changed else 1), Decimal(10))
    return float(whole.quantize(Decimal("0.1"), rounding=ROUND_CEILING))


@given(modern.filter(lambda vector: version_of(vector) != "4.0"), environments)
def test_a_lowered_score_is_the_environmental_score_of_its_vector_by_the_specifications_formula(vector, environment):
    found = adjust(vector, environment)
    if found.changes:
        assert found.score == plain_score(found.vector)
