import threading
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from tests.store.fleet import NOW, OURS, add_resource, finding_row

from openinspector.model.distro import Distribution
from openinspector.model.enrichment import Epss
from openinspector.model.inventory import Inventory, Layer, Target
from openinspector.model.match import Vulnerability
from openinspector.model.package import Location, Package, SourcePackage
from openinspector.model.problem import Problem
from openinspector.store.bulk import as_json, clean, copy, upsert
from openinspector.store.rows import (
    LONGEST_KEY,
    Match,
    flaw_of,
    package_row,
    store_findings,
    store_inventory,
    store_matches,
    store_packages,
    store_scores,
    store_vulnerabilities,
)
from openinspector.store.tables import (
    enrichment,
    finding,
    inventory,
    inventory_package,
    package,
    package_vulnerability,
    vulnerability,
)


def deb(name="libdemo", version="1.2-3", **values) -> Package:
    return Package(type="deb", name=name, version=version, location=Location(path="var/lib/dpkg/status"), **values)


def host(*packages, **values) -> Inventory:
    told = {
        "target": Target(kind="host", name="web-1"),
        "packages": packages,
        "distribution": Distribution(id="debian", version="12", family="debian", namespace="debian:12"),
    }
    return Inventory(**(told | values))


def always(_):
    return True


def count(connection, table):
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_package_is_kept_once_and_its_id_given_in_order(database):
    first, second = deb(), deb("libother", source=SourcePackage(name="other", version="1:2"))
    with database.system() as connection:
        a, b, again = store_packages(connection, [(first, "debian:12"), (second, "debian:12"), (first, "debian:12")])
        assert a == again != b
    with database.system() as connection:
        assert store_packages(connection, [(second, "debian:12"), (first, "debian:12")]) == [b, a]
        assert store_packages(connection, [(first, "debian:11")]) not in ([a], [b])
        assert store_packages(connection, []) == []
        assert count(connection, package) == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", "1.2-4"),
        ("arch", "arm64"),
        ("module", "nodejs:18"),
        ("repository", "extras"),
        ("source", SourcePackage(name="demo", version="1.2-3")),
    ],
)
def test_whatever_may_decide_about_a_package_tells_it_apart(name, value):
    assert package_row(deb(), "debian:12")[0] != package_row(replace(deb(), **{name: value}), "debian:12")[0]


def test_where_a_package_lies_does_not_tell_it_apart():
    elsewhere = replace(deb(), location=Location(path="b", layer="sha256:x"), license="MIT", owner="o", format="dpkg")
    assert package_row(deb(), "debian:12") == package_row(elsewhere, "debian:12")


def test_versions_are_ordered_by_their_keys(database):
    versions = ["1.0~rc1", "1.0", "1.0-1", "1.0-1+b1", "1.10", "2.0", "1:0.1"]
    with database.system() as connection:
        store_packages(connection, [(deb(version=each), "debian:12") for each in reversed(versions)])
        found = connection.execute(select(package.c.version).order_by(package.c.version_key)).scalars().all()
        assert found == versions


def test_language_packages_take_the_names_of_their_ecosystem():
    row = package_row(Package(type="pypi", name="Zope.Interface", version="5", location=Location(path="")), "debian:12")
    assert row[1:5] == ("pypi", "pypi", "Zope.Interface", "zope-interface")


@pytest.mark.parametrize(
    "package",
    [
        deb(version="not a version"),
        deb(version="1." + "1" * 5000),
        Package(type="conan-like", name="x", version="1", location=Location(path="")),
    ],
)
def test_a_version_without_a_key_is_kept_without_one(database, package):
    assert package_row(package, "debian:12")[-2] is None
    with database.system() as connection:
        store_packages(connection, [(package, "debian:12")])


def test_names_that_no_index_holds_are_kept_and_not_looked_up(database):
    long = "x" * (LONGEST_KEY + 1)
    with database.system() as connection:
        store_packages(connection, [(deb(long, source=SourcePackage(name=long, version="1")), "debian:12")])
        row = connection.execute(select(package)).one()
        assert (row.name, row.canonical, row.source_name, row.source_key) == (long, "", "", None)


HOSTILE = "a\0b\ud800c"


def test_texts_that_postgres_can_not_hold_are_replaced(database):
    assert clean(HOSTILE) == "a\ufffdb\ufffdc"
    assert clean("käse \U0001f9c0") == "käse \U0001f9c0"
    assert as_json({HOSTILE: [HOSTILE]}) == '{"a\ufffdb\ufffdc":["a\ufffdb\ufffdc"]}'
    one = Package(
        type="npm", name=HOSTILE, version=HOSTILE, location=Location(path=HOSTILE), owner=HOSTILE, license=HOSTILE
    )
    seen = host(one, problems=(Problem(path=HOSTILE, reason=HOSTILE),), repositories=(HOSTILE,))
    with database.system() as connection:
        store_inventory(connection, seen, always)
        row = connection.execute(select(inventory)).one()
        assert row.repositories == ["a\ufffdb\ufffdc"]
        assert row.problems == [{"path": "a\ufffdb\ufffdc", "reason": "a\ufffdb\ufffdc"}]
        row = connection.execute(select(inventory_package)).one()
        assert (row.path, row.owner, row.extra) == (
            "a\ufffdb\ufffdc",
            "a\ufffdb\ufffdc",
            {"license": "a\ufffdb\ufffdc"},
        )
        assert store_vulnerabilities(connection, [Vulnerability(id="CVE-1", description=HOSTILE)], {}) == 1


def test_an_inventory_is_kept_by_its_content(database):
    seen = host(deb(), deb("libother"))
    with database.system() as connection:
        first = store_inventory(connection, seen, always)
        elsewhere = replace(seen, target=replace(seen.target, name="web-2", digest="sha256:1", tags=("v1",)))
        assert store_inventory(connection, elsewhere, always) == first
        for other in (
            replace(seen, status="partial"),
            replace(seen, repositories=("eus:9.2",)),
            replace(seen, packages=seen.packages[::-1]),
            replace(seen, target=replace(seen.target, running_kernel="6.1.0")),
        ):
            assert store_inventory(connection, other, always) != first
        assert store_inventory(connection, seen, lambda each: each.name == "libdemo") != first
        assert count(connection, package) == 4  # two, and as they are judged where other repositories are enabled


def test_an_inventory_says_where_its_packages_are(database):
    layers = (Layer(diff_id="sha256:a"), Layer(diff_id="sha256:b"))
    lower = replace(deb(), location=Location(path="p", layer="sha256:b", introduced="sha256:a"))
    upper = Package(type="npm", name="x", version="1", location=Location(path="q"), owner="nodejs", dev=True)
    seen = host(lower, upper, target=Target(kind="image", name="i", layers=layers))
    with database.system() as connection:
        identity = store_inventory(connection, seen, lambda each: not each.owner)
        rows = connection.execute(
            select(inventory_package, package.c.name, package.c.namespace)
            .join(package, package.c.id == inventory_package.c.package_id)
            .order_by(inventory_package.c.position)
        ).all()
        assert [(row.inventory_id, row.position, row.name, row.namespace) for row in rows] == [
            (identity, 0, "libdemo", "debian:12"),
            (identity, 1, "x", "npm"),
        ]
        assert [(row.layer, row.introduced, row.is_judged, row.owner, row.extra) for row in rows] == [
            (1, 0, True, "", None),
            (None, None, False, "nodejs", {"dev": True}),
        ]


def test_processes_that_store_the_same_at_once_store_it_once(database):
    packages = [deb(f"lib{number}") for number in range(300)]
    given, errors = [], []

    def store(order):
        try:
            with database.system() as connection:
                given.append(store_inventory(connection, host(*packages), always))
                store_packages(connection, [(each, "debian:12") for each in packages[::order]])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=store, args=(order,)) for order in (1, -1, 1, -1)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert errors == []
    assert len(set(given)) == 1
    with database.system() as connection:
        assert (count(connection, package), count(connection, inventory_package)) == (300, 300)


def test_flaws_are_written_when_they_say_something_else(database):
    flaw = Vulnerability(id="CVE-2030-0001", title="t", published="2030-01-01T00:00:00Z", modified="yesterday")
    scored = {flaw.id: ("HIGH", 7.5, "CVSS:3.1/AV:N", "NVD")}
    with database.system() as connection:
        assert store_vulnerabilities(connection, [flaw, Vulnerability(id="CVE-2030-0002")], scored) == 2
        assert store_vulnerabilities(connection, [flaw], scored) == 0
        enriched = replace(flaw, epss=Epss(vulnerability=flaw.id, score=0.5))
        assert store_vulnerabilities(connection, [enriched], scored) == 0
        assert store_vulnerabilities(connection, [flaw], {flaw.id: ("LOW", 2.0, "v", "NVD")}) == 1
        assert store_vulnerabilities(connection, [replace(flaw, title="other")], {}) == 1
        row = connection.execute(select(vulnerability).where(vulnerability.c.id == flaw.id)).one()
        assert flaw_of(row.document) == replace(flaw, title="other")
        assert (row.severity, row.score, row.published_at.year, row.modified_at) == ("", None, 2030, None)


def test_scores_are_written_when_they_move(database):
    def scored(score, date):
        return [Epss(vulnerability=f"CVE-2030-000{number}", score=score, percentile=0.9, date=date) for number in "12"]

    with database.system() as connection:
        assert store_scores(connection, scored(0.1, "2030-01-01")) == 2
        connection.execute(enrichment.update().values(kev={"date_added": "2030-01-01"}))
        assert store_scores(connection, scored(0.1, "2030-01-02")) == 0
        assert store_scores(connection, scored(0.2, "2030-01-03")) == 2
        assert set(connection.execute(select(enrichment.c.epss, enrichment.c.epss_date))) == {(0.2, "2030-01-03")}
        assert connection.execute(select(enrichment.c.kev)).scalars().first() == {"date_added": "2030-01-01"}


def test_matches_replace_those_of_the_packages_that_were_judged(database):
    with database.system() as connection:
        one, two = store_packages(connection, [(deb("one"), "debian:12"), (deb("two"), "debian:12")])
        old = [
            Match(package_id=one, vulnerability_id="CVE-1", fixed_version="2"),
            Match(package_id=one, vulnerability_id="CVE-2", related=("DSA-1",)),
            Match(package_id=two, vulnerability_id="CVE-1"),
        ]
        assert store_matches(connection, [one, two], old, generation=1) == 3
        assert store_matches(connection, [one, two], old, generation=2) == 0
        new = [Match(package_id=one, vulnerability_id="CVE-1", fixed_version="3")]
        assert store_matches(connection, [one], new, generation=3) == 2
        table = package_vulnerability.c
        left = connection.execute(select(table.package_id, table.vulnerability_id, table.fixed_version))
        assert set(left) == {(one, "CVE-1", "3"), (two, "CVE-1", "")}
        generations = connection.execute(select(package.c.id, package.c.matched_generation))
        assert {row.id: row.matched_generation for row in generations} == {one: 3, two: 2}
        assert store_matches(connection, [two], [], generation=3) == 1


def test_findings_are_written_when_they_change(database):
    with database.system() as connection:
        number = add_resource(connection, OURS)
        rows = [finding_row(OURS, number, f"CVE-2030-{each:04}", details={"b": HOSTILE}) for each in range(50)]
        assert store_findings(connection, rows) == 50
    with database.system() as connection:
        assert store_findings(connection, rows) == 0
        later = NOW + timedelta(days=1)
        moved = replace(rows[0], severity=5, updated_at=later, first_observed_at=later, package_names=("a", "b"))
        assert store_findings(connection, [moved, *rows[1:]]) == 1
        row = connection.execute(select(finding).where(finding.c.id == moved.id)).one()
        assert (row.severity, row.updated_at, row.first_observed_at) == (5, later, NOW)
        assert (row.package_names, row.details) == (["a", "b"], {"b": "a\ufffdb\ufffdc"})


def test_one_finding_of_a_flaw_is_open_at_a_time(database):
    with database.system() as connection:
        number = add_resource(connection, OURS)
        closed = finding_row(OURS, number, status="CLOSED", closed_at=NOW)
        assert store_findings(connection, [closed, finding_row(OURS, number)]) == 2
    with pytest.raises(IntegrityError, match="finding_resource_id_key_closed_at"), database.system() as connection:
        store_findings(connection, [finding_row(OURS, number)])


def test_a_batch_that_fails_writes_nothing(database):
    with database.system() as connection:
        number = add_resource(connection, OURS)
    twice = finding_row(OURS, number)
    with pytest.raises(IntegrityError), database.system() as connection:
        store_findings(connection, [finding_row(OURS, number, "CVE-2"), twice, replace(twice, id=UUID(int=7))])
    with database.system() as connection:
        assert count(connection, finding) == 0
        assert store_findings(connection, [twice]) == 1  # and the connection is as good as new


def test_two_batches_in_a_transaction_do_not_mix(database):
    key = ("package_id", "vulnerability_id", "repository")
    with database.system() as connection:
        assert copy(connection, package_vulnerability, key, [(1, "a", ""), (2, "b", "")]) == 2
        assert upsert(connection, package_vulnerability, key, [(2, "b", ""), (3, "c", "")], key=key) == 1
        assert count(connection, package_vulnerability) == 3


NO_WALKS = ("finding_to_delete", "finding_by_title", "finding_with_kept_packages")


def test_the_columns_of_region_and_account_are_in_every_walk():
    walks = [index for index in finding.indexes if index.name not in NO_WALKS]
    for index in walks:
        names = [getattr(each, "name", "") for each in index.expressions]
        assert names[:2] == ["account", "region"], index.name
        assert names[-1] == "id"
