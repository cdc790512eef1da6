"""The cases of the table that are about judging: what a scan reports, and what it leaves alone.

Seen of Trivy 0.59.1 with a database that had an advisory for each of these packages, November 2026: nothing for the
systems that only os-release names and for Fedora, a warning and exit status 0; nothing at all where its Java database
is missing; no standard library for the program of the distribution. Syft judges nothing.
"""

import pytest
from tests.labels import artifacts

from openinspector.model.advisory import Advisory, Affected, Range
from openinspector.pipeline.build import build
from openinspector.pipeline.scan import Request, read_target, scan
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.part import write_part


def flaw(identity, namespace, name, kind="binary", **bounds):
    affected = Affected(namespace=namespace, name=name, kind=kind, ranges=(Range(**bounds),))
    return Advisory(id=identity, affected=(affected,))


# What Debian's tracker, Red Hat, Fedora, and the databases of Go and Python say; the two of 2099 are made up.
ADVISORIES = (
    flaw("CVE-2023-5363", "debian:12", "openssl", "source", fixed="3.0.11-1~deb12u2"),
    flaw("CVE-2024-5742", "debian:12", "nano", "source", fixed="7.2-1+deb12u1"),
    flaw("CVE-2024-22195", "debian:12", "jinja2", "source", fixed="3.1.2-1+deb12u1"),
    flaw("CVE-2022-3715", "redhat:9", "bash", fixed="0:5.1.8-6.el9_1"),
    flaw("CVE-2024-2398", "fedora:40", "curl", fixed="8.6.0-8.fc40"),
    flaw("CVE-2019-10906", "pypi", "jinja2", fixed="2.10.1"),
    flaw("CVE-2024-22195", "pypi", "jinja2", fixed="3.1.3"),
    flaw("CVE-2023-39326", "golang", "stdlib", fixed="1.21.5"),
    flaw("CVE-2023-44487", "golang", "golang.org/x/net", fixed="0.17.0"),
    flaw("CVE-2099-0001", "debian:12", "tool", "source", fixed="1.2.3-2"),
    flaw("CVE-2099-0002", "maven", "org.example:demo", fixed="1.1"),
)


@pytest.fixture(scope="module")
def advisories(tmp_path_factory):
    folder = tmp_path_factory.mktemp("advisories")
    write_part(folder / "part.sqlite", ADVISORIES)
    state = FeedState(name="osv", revision=1, digest="d", fetched="", parts=(folder / "part.sqlite",))
    compile_parts(folder / "advisories.sqlite", (state,), {"built": "2026-11-24T00:00:00Z"})
    file = AdvisoryFile(folder / "advisories.sqlite")
    yield file
    file.close()


def report_of(target, advisories):
    return scan(read_target(Request(target=str(target))), advisories)


def found(report):
    return sorted(
        (each.vulnerability.id, each.match.package.name, each.match.package.version, each.match.fixed_version)
        for each in report.findings
    )


def test_what_was_removed_is_not_judged(tmp_path, advisories):
    assert found(report_of(artifacts.removed_deb(tmp_path), advisories)) == []


def test_a_debian_that_only_os_release_names_is_judged(tmp_path, advisories):
    report = report_of(artifacts.debian_without_debian_version(tmp_path), advisories)
    assert report.inventory.distribution.namespace == "debian:12"
    assert found(report) == [("CVE-2023-5363", "openssl", "3.0.9-1", "3.0.11-1~deb12u2")]


def test_a_red_hat_system_that_only_os_release_names_is_judged(tmp_path, advisories):
    report = report_of(artifacts.redhat_without_redhat_release(tmp_path), advisories)
    assert report.inventory.distribution.namespace == "redhat:9"
    assert found(report) == [("CVE-2022-3715", "bash", "5.1.8-4.el9", "0:5.1.8-6.el9_1")]


def test_fedora_is_judged(tmp_path, advisories):
    report = report_of(artifacts.fedora(tmp_path), advisories)
    assert report.inventory.distribution.namespace == "fedora:40"
    assert found(report) == [("CVE-2024-2398", "curl", "8.6.0-1.fc40", "8.6.0-8.fc40")]


def test_a_language_package_that_an_os_package_owns_is_judged_by_the_distribution(tmp_path, advisories):
    """Debian put a fix into its 3.1.2, of which Python's database knows nothing; what pip installed is another copy."""
    report = report_of(artifacts.python_package_of_the_distribution(tmp_path), advisories)
    assert found(report) == [
        ("CVE-2019-10906", "Jinja2", "2.10", "2.10.1"),
        ("CVE-2024-22195", "Jinja2", "2.10", "3.1.3"),
    ]
    assert any("1 language packages belong to packages of the distribution" in note for note in report.notes)


def test_a_distributions_own_go_program_is_judged_by_its_package(tmp_path, advisories):
    report = report_of(artifacts.go_program_of_the_distribution(tmp_path), advisories)
    assert found(report) == [("CVE-2099-0001", "tool", "1.2.3-1", "1.2.3-2")]


def test_the_same_program_where_nobody_owns_it_is_judged_by_gos_database(tmp_path, advisories):
    report = report_of(artifacts.programs_without_executable_bit(tmp_path), advisories)
    assert found(report) == [("CVE-2023-39326", "stdlib", "1.21.3", "1.21.5")]


def test_an_owned_package_of_an_unknown_distribution_is_judged_by_its_own_database(tmp_path, advisories):
    """Nobody else would speak of it: better one that was perhaps patched than none."""
    target = artifacts.python_package_of_the_distribution(tmp_path)
    (target / "etc" / "os-release").write_text("ID=raspbian\nID_LIKE=debian\nVERSION_ID=12\n")
    report = report_of(target, advisories)
    assert ("CVE-2024-22195", "Jinja2", "3.1.2", "3.1.3") in found(report)
    assert [each.package.type for each in report.undecided] == ["deb"]


def test_a_package_database_that_cannot_be_read_leaves_the_rest_judged(tmp_path, advisories):
    report = report_of(artifacts.system_with_jar_and_broken_rpm_database(tmp_path), advisories)
    assert found(report) == [("CVE-2099-0002", "org.example:demo", "1.0", "1.1")]
    assert report.inventory.status == "partial"
    assert [each.path for each in report.inventory.problems if each.partial] == ["var/lib/rpm/rpmdb.sqlite"]


def test_a_feed_that_cannot_be_read_leaves_the_others_in_force(tmp_path):
    osv = (
        '{"id": "PYSEC-2018-28", "aliases": ["CVE-2018-18074"], "modified": "2023-01-01T00:00:00Z", "affected": ['
        '{"package": {"ecosystem": "PyPI", "name": "requests"}, "ranges": ['
        '{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.20.0"}]}]}]}'
    )
    feeds = artifacts.write(
        tmp_path / "feeds", {"osv/PyPI/PYSEC-2018-28.json": osv, "kev/known_exploited_vulnerabilities.json": "{torn"}
    )
    built = build(feeds, tmp_path / "advisories.sqlite", tmp_path / "cache", lambda *_: None)
    states = {each.name: each.status for each in built.feeds}
    assert states == {"kev": "failed", "osv": "current"}
    file = AdvisoryFile(built.output)
    try:
        target = artifacts.triple_equals(artifacts.write(tmp_path / "app", {}))
        assert found(report_of(target, file)) == [("CVE-2018-18074", "requests", "2.19.0", "2.20.0")]
    finally:
        file.close()
