"""What holds for any text in pypi, maven, gem, nuget and composer."""

from functools import cmp_to_key
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openinspector.errors import VersionError
from openinspector.versions.order import compare, scheme

SCHEMES = ("pypi", "maven", "gem", "nuget", "composer")

PIECES = {
    "pypi": ("0", "1", "10", "00", ".", ".", "-", "_", "+", "!", "v", "a", "b", "rc", "post", "dev", "pre", "x", " "),
    "maven": ("0", "1", "10", "0000000000", ".", ".", "-", "-", "a", "b", "m", "alpha", "rc", "ga", "sp", "x", "é"),
    "gem": ("0", "0", "1", "10", "00", ".", ".", ".", "-", "a", "b", "A", "rc", "pre", " "),
    "nuget": ("0", "1", "10", "2147483647", "2147483648", ".", ".", "-", "+", "a", "A", "beta", "Beta", " "),
    "composer": (
        "0",
        "1",
        "10",
        "2010",
        "01",
        ".",
        ".",
        "-",
        "v",
        "beta",
        "b",
        "RC",
        "p",
        "dev",
        "dev-",
        "x",
        "@dev",
        "+",
    ),
}


def texts(name: str) -> st.SearchStrategy[str]:
    """Any text, but mostly such as looks like a version of this scheme."""
    likely = st.lists(st.sampled_from(PIECES[name]), max_size=9).map("".join).map(lambda text: "1" + text)
    return st.one_of(likely, likely, st.text(st.characters(), max_size=12))


def key(name: str, version: str) -> bytes | None:
    """The key, or None where there is none; any exception but VersionError is a failure."""
    try:
        return scheme(name).key(version)
    except VersionError:
        return None


@pytest.mark.parametrize("name", SCHEMES)
@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_any_text_has_a_key_or_a_version_error(name, data):
    version = data.draw(texts(name))
    found = key(name, version)
    assert found is None or isinstance(found, bytes)
    assert found == key(name, version)
    if (odd := scheme(name).odd) is not None:
        assert odd(version) in (True, False)


@pytest.mark.parametrize("name", SCHEMES)
@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_two_versions_have_one_order_and_are_equal_when_their_keys_are(name, data):
    a, b = data.draw(texts(name)), data.draw(texts(name))
    key_a, key_b = key(name, a), key(name, b)
    if key_a is None or key_b is None:
        with pytest.raises(VersionError):
            compare(name, a, b)
        return
    assert compare(name, a, b) == -compare(name, b, a)
    assert compare(name, a, a) == 0
    assert (compare(name, a, b) == 0) == (key_a == key_b)


@pytest.mark.parametrize("name", SCHEMES)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_versions_without_contradictions_sort_into_one_line(name, data):
    rule = scheme(name)
    versions = [each for each in data.draw(st.lists(texts(name), max_size=6)) if key(name, each) is not None]
    if rule.odd is not None:
        versions = [each for each in versions if not rule.odd(each)]
    line = sorted(versions, key=rule.key)
    for index, a in enumerate(line):
        for b in line[index + 1 :]:
            assert compare(name, a, b) <= 0
            if rule.compare is not None:
                assert rule.compare(a, b) == compare(name, a, b)


@given(a=texts("maven"), b=texts("maven"))
@settings(max_examples=500, deadline=None)
def test_mavens_exact_order_is_the_order_of_keys_unless_one_is_odd(a, b):
    rule = scheme("maven")
    assert rule.compare is not None
    assert rule.odd is not None
    key_a, key_b = rule.key(a), rule.key(b)
    exact = rule.compare(a, b)
    assert (exact == 0) == (key_a == key_b)
    if not rule.odd(a) and not rule.odd(b):
        assert exact == (key_a > key_b) - (key_a < key_b)


DIGITS = st.tuples(st.sampled_from(("1", "9", "19", "90")), st.integers(1, 6000)).map(lambda drawn: drawn[0] * drawn[1])


@pytest.mark.parametrize("name", ["pypi", "maven", "gem"])
@given(a=DIGITS, b=DIGITS, zeros=st.integers(1, 5000))
@settings(max_examples=40, deadline=None)
def test_numbers_of_any_length_sort_by_value(name, a, b, zeros):
    expected = ((len(a), a) > (len(b), b)) - ((len(a), a) < (len(b), b))
    assert compare(name, f"1.{a}.1", f"1.{b}.1") == expected
    assert compare(name, f"1.{'0' * zeros}{a}", f"1.{a}") == 0


@given(a=DIGITS)
@settings(max_examples=40, deadline=None)
def test_numbers_stop_at_63_bits_in_composer_and_at_31_in_nuget(a):
    limit = str(2**63 - 1)
    beyond = len(a) > len(limit) or int(a) > int(limit)
    assert compare("composer", f"1.{a}", f"1.{limit}") == (0 if beyond else -1)
    assert (key("nuget", f"1.{a}") is None) == (len(a) > 10 or int(a) >= 2**31)


def nuget_labels(a: str, b: str) -> int:
    """NuGet's documented order of two pre-releases of one version, read plainly."""

    def number(label: str) -> int | None:
        digits = label[1:] if label.startswith("-") else label
        return int(label) if digits.isdigit() and -(2**31) <= int(label) < 2**31 else None

    left, right = a.split("."), b.split(".")
    for one, other in zip(left, right, strict=False):
        x, y = number(one), number(other)
        if x is not None and y is not None:
            order = (x > y) - (x < y)
        elif x is None and y is None:
            order = (one.upper() > other.upper()) - (one.upper() < other.upper())
        else:
            order = -1 if x is not None else 1
        if order:
            return order
    return (len(left) > len(right)) - (len(left) < len(right))


LABELS = st.lists(
    st.from_regex(r"\A(?:0|-?[1-9][0-9]{0,10}|[0-9]{0,2}[A-Ca-c-][0-9A-Ca-c-]{0,3})\Z"), min_size=1, max_size=4
).map(".".join)


@given(found=st.lists(LABELS, min_size=2, max_size=5))
@settings(max_examples=300, deadline=None)
def test_nuget_labels_follow_the_documented_order(found):
    line = sorted(found, key=cmp_to_key(nuget_labels))
    for a, b in pairwise(line):
        assert compare("nuget", f"1.0-{a}", f"1.0.0-{b}") == nuget_labels(a, b)
        assert compare("nuget", f"1.0-{a}", "1.0") == -1


LONGEST = 2**18
LONG = 2**16  # in this size too, quadratic time or a stack a level would not pass unseen


def repeated(piece: str, length: int = LONG) -> str:
    return piece * (length // len(piece))


HOSTILE = (
    *(repeated(each) for each in ("1", "0", "a", ".", "-", " ", "\n", "\0", "é", "\ud800", "+", "@dev")),
    *("1" + repeated(each) for each in (".1", ".0", "-1", "-a", ".a", "a1", "0a", "-.", "..", "1.x")),
    *("1" + repeated(each) + "~" for each in ("1", "0", ".1", ".0", "-a", " ", "dev", "\n")),
    *("1.0" + repeated(each) for each in ("a", "-", "-0", "+a", "rc1", ".dev", "-beta.1", "\nd", " as ")),
    *("1.0-beta" + repeated(each) + end for each in ("1", ".1", "-1") for end in ("", "!")),
    "2010" + repeated("-01"),
    "1.0+" + repeated("a.b"),
    "1!" + repeated("1"),
    "1" + repeated("\n") + "1.x-dev",
    "dev-" + repeated("x"),
    repeated("1") + " as 1",
    "1.0-" + repeated("0"),
    "1.0--" + repeated("0"),
    "1" * LONGEST,
    "1." + "0" * LONGEST,
    repeated("1.", LONGEST) + "1",
    "1" + repeated("-", LONGEST),
    "1" + repeated("a1", LONGEST),
    "1" + " " * LONGEST,
    "\n" * LONGEST + "?",
    "1.0-" + "a" * LONGEST,
    "~" * LONGEST,
)


@pytest.mark.parametrize("name", SCHEMES)
def test_a_long_hostile_version_ends_soon(name):
    rule = scheme(name)
    for version in HOSTILE:
        key(name, version)
        if rule.odd is not None:
            rule.odd(version)
    if rule.compare is not None:
        assert rule.compare("1" + repeated("-1"), "1" + repeated("-1")) == 0
