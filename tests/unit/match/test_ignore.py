"""The ignore file: what an entry needs, what it matches, when it ends."""

from datetime import UTC, date, datetime

import pytest

from openinspector.errors import UsageError
from openinspector.match.ignore import Entries, read_entries
from openinspector.model.package import Location, Package

TODAY = date(2025, 6, 15)
LODASH = Package(type="npm", name="lodash", version="4.17.20", location=Location(path="srv/tool/node_modules/lodash"))
ZOPE = Package(type="pypi", name="zope.interface", version="1", location=Location(path="x"))


def entry(**more):
    given = {"vulnerability": "CVE-2021-1", "owner": "alice", "reason": "fine", "expires": date(2025, 12, 31)}
    return {key: value for key, value in {**given, **more}.items() if value is not None}


def read(*tables):
    return read_entries({"ignore": list(tables)}, "i.toml")


def entries(*tables):
    return Entries(read(*tables), "i.toml", TODAY)


def hides(found=LODASH, names=("CVE-2021-1", "GHSA-1"), **more):
    return entries(entry(**more)).suppression(names, found, None) is not None


def test_an_entry_says_who_why_and_until_when():
    found = entries(entry()).suppression(("CVE-2021-1",), LODASH, None)
    assert (found.kind, found.owner, found.reason, found.expires) == ("ignore", "alice", "fine", "2025-12-31")
    assert found.source == "i.toml"
    assert str(found) == "ignored: fine (owner alice, until 2025-12-31)"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CVE-2021-1", True),
        ("cve-2021-1", True),
        ("GHSA-1", True),
        ("CVE-2021-*", True),
        ("ghsa-?", True),
        ("*", True),
        ("CVE-2021-", False),
        ("CVE-2022-*", False),
    ],
)
def test_a_vulnerability_is_any_of_its_names_or_a_pattern(name, expected):
    assert hides(vulnerability=name) is expected


@pytest.mark.parametrize(
    ("package", "found", "expected"),
    [
        ("lodash", LODASH, True),
        ("lod*", LODASH, True),
        ("lodash.*", LODASH, False),
        ("Zope_Interface", ZOPE, True),
        ("pkg:npm/lodash", LODASH, True),
        ("pkg:npm/lodash@4.17.20", LODASH, True),
        ("pkg:npm/lodash@4.*", LODASH, True),
        ("pkg:npm/lodash@5.*", LODASH, False),
        ("pkg:npm/lod*", LODASH, True),
        ("pkg:pypi/lodash", LODASH, False),
    ],
)
def test_a_package_is_a_name_or_a_package_url_or_a_pattern(package, found, expected):
    assert hides(found, package=package) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("srv/tool/**", True),
        ("**/lodash", True),
        ("**/node_modules/*", True),
        ("/srv/*/node_modules/lodash", True),
        ("srv/**/lodash", True),
        ("**", True),
        ("srv/*", False),
        ("srv/tool", False),
        ("srv/app/**", False),
        ("**/lodash/**/x", False),
    ],
)
def test_a_path_is_a_pattern_of_the_whole_path(path, expected):
    assert hides(path=path) is expected


def test_a_hostile_pattern_ends():
    deep = Package(type="npm", name="a", version="1", location=Location(path="/".join("a" * 2000)))
    assert not hides(deep, path="/".join(["**", "a"] * 99 + ["b"]))
    assert not hides(deep, vulnerability="*" + "C*" * 200 + "!", names=("C" * 200,))


def test_an_entry_applies_through_its_last_day_and_no_longer():
    assert hides(expires=TODAY)
    assert not hides(expires=date(2025, 6, 14))
    assert hides(expires="2025-12-31")
    assert hides(expires=datetime(2025, 6, 15, 0, 0, tzinfo=UTC))


def test_an_expired_entry_hides_nothing_and_is_remembered():
    found = entries(entry(expires=date(2020, 1, 1)), entry(vulnerability="CVE-9"))
    assert found.suppression(("CVE-2021-1",), LODASH, None) is None
    assert (found.expired, found.matched) == ({0}, {0})


def test_of_several_entries_the_one_that_lasts_longest_is_named():
    found = entries(entry(), entry(owner="bob", expires=date(2026, 1, 1)), entry(expires=date(2020, 1, 1)))
    assert found.suppression(("CVE-2021-1",), LODASH, None).owner == "bob"
    assert found.matched == {0, 1, 2}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (entry(owner=None), r"entry 1 \(CVE-2021-1\) has no owner"),
        (entry(reason=" "), r"entry 1 \(CVE-2021-1\) has no reason"),
        (entry(expires=None), r"entry 1 \(CVE-2021-1\) has no expires"),
        (entry(vulnerability=None), "entry 1 has no vulnerability"),
        (entry(expires="soon"), "expires is no day"),
        (entry(expires=20251231), "expires is no day"),
        (entry(owner=5), "owner is no text"),
        (entry(package="pkg:"), "no package URL"),
        (entry(path="x" * 501), "path is longer than 500"),
        (entry(packge="x"), "not 'packge'"),
        ("CVE-1", "entry 1 is no table"),
    ],
)
def test_an_entry_that_lacks_something_is_named(table, message):
    with pytest.raises(UsageError, match=message):
        read(table)


@pytest.mark.parametrize("document", [{"ignores": []}, {"ignore": {}}, {"ignore": [entry()] * 10_001}])
def test_a_file_of_another_shape_is_the_callers_mistake(document):
    with pytest.raises(UsageError, match="i.toml"):
        read_entries(document, "i.toml")


def test_an_empty_file_ignores_nothing():
    assert read_entries({}, "i.toml") == ()
