"""Laws of the version schemes: keys are an order, the published one, and unreadable text raises VersionError only."""

import re
from contextlib import suppress
from functools import cmp_to_key
from itertools import pairwise, zip_longest

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openinspector.errors import VersionError
from openinspector.versions.order import compare, scheme

NAMES = ["deb", "rpm", "apk", "npm", "cargo", "hex", "swift", "pub", "go", "gotoolchain"]

small = st.integers(0, 25).map(str)
run = st.one_of(small, st.sampled_from(["00", "01", "007", "0015", "002", "20240131", "9" * 30]))


def joined(*parts):
    return st.tuples(*parts).map("".join)


def maybe(part):
    return st.one_of(st.just(""), part)


def many(part, most=4):
    return st.lists(part, max_size=most).map("".join)


def words(text):
    return st.sampled_from(text.split())


identifiers = st.lists(st.one_of(words("a b rc A - x-y 0a -5 -0 -"), small), min_size=1, max_size=3).map(".".join)
semver = joined(small, st.just("."), small, st.just("."), small, maybe(joined(st.just("-"), identifiers)))
deb_part = st.one_of(run, words("~ + . a Z rc"))
VERSIONS = {
    "deb": joined(maybe(words("0: 1: 10:")), run, many(deb_part), maybe(joined(st.just("-"), run, many(deb_part)))),
    "rpm": joined(
        maybe(words("0: 1: 10:")),
        many(st.one_of(run, words("~ ^ . _ a Z rc"))),
        st.just("1"),
        maybe(words("- -1 -a -~ -^")),
    ),
    "apk": joined(
        run,
        many(joined(st.just("."), run), 3),
        maybe(words("a b z p1")),
        many(joined(words("_alpha _beta _pre _rc _cvs _svn _git _hg _p"), maybe(small)), 2),
        maybe(words("~a ~a1 ~b")),
        maybe(joined(st.just("-r"), small)),
    ),
    "pub": joined(semver, maybe(joined(st.just("+"), identifiers))),
    "gotoolchain": joined(
        words("1.9 1.19 1.20 1.21 1.22 go1.20 go1.21"), maybe(words(".0 .1 .10 rc1 rc2 beta1 .0-0 .1-0 .0-rc.1 -x"))
    ),
} | dict.fromkeys(["npm", "cargo", "hex", "swift", "go"], semver)


# --- the published rules once more, as plain comparisons of two versions


def sign(a, b):
    return (a > b) - (a < b)


def deb_component(a, b):
    def rank(character):
        return {"~": -1, "": 0}.get(character, ord(character) if character.isalpha() else ord(character or "\0") + 256)

    while a or b:
        text_a, text_b = re.match("[^0-9]*", a)[0], re.match("[^0-9]*", b)[0]
        for x, y in zip_longest(text_a, text_b, fillvalue=""):
            if rank(x) != rank(y):
                return sign(rank(x), rank(y))
        a, b = a[len(text_a) :], b[len(text_b) :]
        digits_a, digits_b = re.match("[0-9]*", a)[0], re.match("[0-9]*", b)[0]
        if int(digits_a or 0) != int(digits_b or 0):
            return sign(int(digits_a or 0), int(digits_b or 0))
        a, b = a[len(digits_a) :], b[len(digits_b) :]
    return 0


def deb(a, b):
    def parts(version):
        epoch, upstream, revision = re.fullmatch(r"(?:([0-9]+):)?(.*?)(?:-([^-]*))?", version).groups()
        return int(epoch or 0), upstream, revision or ""

    (epoch_a, *rest_a), (epoch_b, *rest_b) = parts(a), parts(b)
    order = sign(epoch_a, epoch_b)
    for x, y in zip(rest_a, rest_b, strict=True):
        order = order or deb_component(x, y)
    return order


def rpm_component(a, b):
    if a is None or b is None:
        return sign(a is not None, b is not None)
    kinds = [
        (re.compile("~"), 0),
        (re.compile("$"), 1),
        (re.compile(r"\^"), 2),
        (re.compile("[A-Za-z]+"), 3),
        (re.compile("[0-9]+"), 4),
    ]

    def ranks(text):
        for token in [*re.findall(r"~|\^|[A-Za-z]+|[0-9]+", text), ""]:
            kind = next(rank for shape, rank in kinds if shape.fullmatch(token))
            yield kind, int(token) if kind == 4 else token

    return sign(list(ranks(a)), list(ranks(b)))


def rpm(a, b):
    def parts(version):
        epoch, upstream, _, release = re.fullmatch(r"(?:([0-9]*):)?(.*?)(-([^-]*))?", version).groups()
        return int(epoch or 0), upstream, release

    (epoch_a, *rest_a), (epoch_b, *rest_b) = parts(a), parts(b)
    order = sign(epoch_a, epoch_b)
    for x, y in zip(rest_a, rest_b, strict=True):
        order = order or rpm_component(x, y)
    return order


APK_TOKENS = re.compile(
    r"(?P<initial>^[0-9]+)|\.(?P<component>[0-9]+)|(?P<letter>(?<!_)[a-z])(?P<digits>[0-9]*)"
    r"|_(?P<suffix>[a-z]+)(?P<count>[0-9]*)|~(?P<hash>[0-9a-f]+)|-r(?P<revision>[0-9]+)"
)
# What may stand at one place, upwards.
APK_KINDS = ["initial", "end", "revision", "hash", "count", "suffix", "letter", "component", "digits"]
APK_SUFFIXES = ["alpha", "beta", "pre", "rc", "none", "cvs", "svn", "git", "hg", "p"]


def apk(a, b):
    def tokens(version):
        found = [pair for match in APK_TOKENS.finditer(version) for pair in match.groupdict().items() if pair[1]]
        return [*found, ("end", "")]

    def pre_release(kind, text):
        return kind == "suffix" and APK_SUFFIXES.index(text) < APK_SUFFIXES.index("none")

    for (kind_a, x), (kind_b, y) in zip(tokens(a), tokens(b), strict=False):
        if kind_a != kind_b:
            below = sign(pre_release(kind_b, y), pre_release(kind_a, x))
            return below or sign(APK_KINDS.index(kind_a), APK_KINDS.index(kind_b))
        if kind_a == "suffix":
            order = sign(APK_SUFFIXES.index(x), APK_SUFFIXES.index(y))
        elif kind_a in ("letter", "hash", "end") or (kind_a == "component" and "0" in (x[0], y[0])):
            order = sign(x, y)
        else:
            order = sign(int(x), int(y))
        if order:
            return order
    return 0


def semver_lists(a, b, number):
    for x, y in zip_longest(a, b):
        if x is None or y is None:
            return sign(x is not None, y is not None)
        ranks = [(0, number(text), "") if number(text) is not None else (1, 0, text) for text in (x, y)]
        if ranks[0] != ranks[1]:
            return sign(*ranks)
    return 0


def semver_order(number, counts_build):
    def order(a, b):
        def parts(version):
            core, pre, build = re.fullmatch(r"([0-9.]+)(?:-([^+]*))?(?:\+(.*))?", version).groups()
            return [int(n) for n in core.split(".")], pre, build

        (core_a, pre_a, build_a), (core_b, pre_b, build_b) = parts(a), parts(b)
        said = sign(core_a, core_b) or sign(pre_a is None, pre_b is None)
        said = said or semver_lists((pre_a or "").split("."), (pre_b or "").split("."), number)
        if said or not counts_build:
            return said
        return sign(build_a is not None, build_b is not None) or semver_lists(
            (build_a or "").split("."), (build_b or "").split("."), number
        )

    return order


def plain_number(text):
    return int(text) if text.isdecimal() else None


def dart_number(text):
    return int(text) if re.fullmatch("-?[0-9]+", text) and -(2**63) <= int(text) < 2**63 else None


RULES = {"deb": deb, "rpm": rpm, "apk": apk, "pub": semver_order(dart_number, True)} | dict.fromkeys(
    ["npm", "cargo", "hex", "swift", "go"], semver_order(plain_number, False)
)


@pytest.mark.parametrize("name", RULES)
def test_keys_order_as_the_published_rule_compares(name):
    @given(VERSIONS[name], VERSIONS[name])
    @settings(max_examples=150, deadline=None)
    def law(a, b):
        assert compare(name, a, b) == RULES[name](a, b)

    law()


@pytest.mark.parametrize("name", ["deb", "rpm"])
def test_near_neighbours_order_as_the_published_rule_compares(name):
    """Two versions that share their beginning: what Hypothesis seldom draws by itself."""
    key = scheme(name).key

    @given(VERSIONS[name], VERSIONS[name], st.integers(0, 20), st.integers(0, 20))
    @settings(max_examples=150, deadline=None)
    def law(a, b, cut_a, cut_b):
        c = a[:cut_a] + b[cut_b:]
        try:
            key(c)
        except VersionError:
            return
        assert compare(name, a, c) == RULES[name](a, c)

    law()


@pytest.mark.parametrize("name", NAMES)
def test_the_order_is_total_and_transitive(name):
    key = scheme(name).key

    @given(st.lists(VERSIONS[name], min_size=3, max_size=6))
    @settings(max_examples=50, deadline=None)
    def law(versions):
        by_compare = sorted(versions, key=cmp_to_key(lambda a, b: compare(name, a, b)))
        assert [key(v) for v in by_compare] == sorted(key(v) for v in versions)
        for a, b in pairwise(by_compare):
            assert compare(name, a, b) == -compare(name, b, a) <= 0
            assert (compare(name, a, b) == 0) == (key(a) == key(b))
            assert compare(name, by_compare[0], b) <= 0

    law()


@pytest.mark.parametrize("name", NAMES)
def test_no_text_raises_anything_but_version_error(name):
    key = scheme(name).key
    pieces = st.sampled_from(
        ["1", "0", ".", "-", "~", "+", ":", "_", "^", "v", "go", "rc", "alpha", "r", " ", "\0", "²", "é", "\ud800", "٣"]
    )

    @given(st.one_of(st.text(max_size=30), many(pieces, 12)))
    @settings(max_examples=150, deadline=None)
    def law(text):
        with suppress(VersionError):
            assert isinstance(key(text), bytes)

    law()


PREFIXES = {"gotoolchain": "go1.", "deb": "1.", "rpm": "1.", "apk": "1."}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [1, 20, 125, 126, 127, 128, 255, 256, 4301, 70_000])
def test_digit_runs_of_any_length_order_by_value(name, size):
    before = PREFIXES.get(name, "1.0.")
    lower, higher = before + "9" * size, before + "1" + "0" * size
    assert compare(name, lower, higher) == -1
    assert compare(name, before + "8" * size, lower) == -1
    assert compare(name, before + "10", higher) == (size > 1) * -1
    if name in ("deb", "rpm", "npm", "pub"):
        assert compare(name, before + "0" * size + "7", before + "7") == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("unit", ["1", "0", "1.", "a", "a1", "-", "~", ":", "_p1", "-1", " "])
def test_a_megabyte_is_read_or_refused_in_bounded_time(name, unit):
    """No time is measured: an expression that backtracks without bound would never come back."""
    bulk = unit * (1_000_000 // len(unit))
    for version in (bulk, f"1.0.0-{bulk}?", f"go1.21{bulk}?"):
        try:
            assert len(scheme(name).key(version)) < 20_000_000
        except VersionError as error:
            assert len(str(error)) < 1_500
