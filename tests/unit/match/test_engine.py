"""Matching: what is affected, what is not, and what nobody can tell."""

import pytest

from openinspector.match.contract import Candidate
from openinspector.match.engine import match
from openinspector.model.distro import Distribution
from openinspector.model.inventory import Inventory, Target
from openinspector.model.package import Location, Package, SourcePackage
from openinspector.versions.order import compare


class Shelf:
    """An index in memory: {(namespace, name): candidates}."""

    def __init__(self, **entries):
        self.entries = {}
        for at, (bound, more) in enumerate(entries.pop("rows", [])):
            key = more.pop("at")
            self.entries.setdefault(key, []).append(candidate(f"A{at}", bound, **more))

    def has_namespace(self, namespace):
        return any(key[0].removesuffix("#src") == namespace for key in self.entries)

    def candidates(self, namespace, name, key):
        from openinspector.model.ecosystem import scheme_of
        from openinspector.versions.order import scheme

        rule = scheme(scheme_of(namespace.removesuffix("#src"), name))
        every = self.entries.get((namespace, name), ())
        return [each for each in every if each.unreadable or not each.bound or key < rule.key(each.bound)]

    def all_ranges(self, namespace, name):
        return self.entries.get((namespace, name), ())


def candidate(name, bound, **more):
    given = {
        "feed": "f", "advisory": name, "vulnerabilities": (f"CVE-{name}",), "introduced": "", "bound": bound,
        "upper_inclusive": False, "lower_exclusive": False, "unreadable": False, "exact": False, "state": "affected",
        "module": "", "arches": (), "repository": "", "severity": "", "note": "",
    }  # fmt: skip
    return Candidate(**{**given, **more})


def package(name, version, type_="deb", **more):
    return Package(type=type_, name=name, version=version, location=Location(path="p"), **more)


def run(shelf, *packages, namespace="debian:12", kind="image", **more):
    system = Distribution(id="x", namespace=namespace, reason="it is unknown" if not namespace else "")
    target = Target(kind=kind, name="t", running_kernel=more.pop("kernel", ""))
    return match(Inventory(target=target, packages=packages, distribution=system, **more), shelf)


def test_a_debian_package_is_judged_by_its_source_package():
    shelf = Shelf(rows=[("2.0-1", {"at": ("debian:12#src", "openssl")})])
    libssl = package("libssl3", "1:1.0-1+b1", source=SourcePackage(name="openssl", version="1.0-1"))
    (found,) = run(shelf, libssl).matches
    assert (found.vulnerability, found.fixed_version, found.evidence[0].compared) == ("CVE-A0", "2.0-1", "1.0-1")


def test_a_release_without_advisories_is_undecided_not_clean():
    outcome = run(Shelf(), package("bash", "5"), namespace="debian:99")
    assert not outcome.matches
    assert outcome.undecided[0].reason == "the advisory file has nothing for debian:99"


def test_an_unknown_distribution_is_undecided_and_languages_are_still_judged():
    shelf = Shelf(rows=[("2", {"at": ("pypi", "jinja2")})])
    outcome = run(shelf, package("bash", "5"), package("Jinja2", "1", "pypi"), namespace="")
    assert [each.package.name for each in outcome.matches] == ["Jinja2"]
    assert [each.reason for each in outcome.undecided] == ["it is unknown"]


def test_a_version_that_cannot_be_read_is_undecided():
    shelf = Shelf(rows=[("2", {"at": ("pypi", "jinja2")})])
    outcome = run(shelf, package("jinja2", "not a version", "pypi"))
    assert not outcome.matches
    assert outcome.undecided[0].vulnerability == "CVE-A0"


def test_a_range_that_cannot_be_read_is_undecided():
    shelf = Shelf(rows=[("?", {"at": ("pypi", "jinja2"), "unreadable": True})])
    assert run(shelf, package("jinja2", "1", "pypi")).undecided[0].vulnerability == "CVE-A0"


def test_a_language_package_of_the_distribution_is_judged_with_its_owner():
    shelf = Shelf(rows=[("9", {"at": ("pypi", "jinja2")}), ("0", {"at": ("debian:12#src", "x")})])
    outcome = run(shelf, package("jinja2", "1", "pypi", owner="python3-jinja2"))
    assert (outcome.matches, outcome.owned) == ((), 1)


@pytest.mark.parametrize(
    ("installed", "advised", "hit"),
    [("nodejs:18:8090:x", "nodejs:18", True), ("nodejs:16:8090:x", "nodejs:18", False), ("", "nodejs:18", False),
     ("nodejs:18:8090:x", "", False), ("", "", True)],
)  # fmt: skip
def test_a_module_stream_is_part_of_the_comparison(installed, advised, hit):
    shelf = Shelf(rows=[("9", {"at": ("redhat:9", "nodejs"), "module": advised})])
    outcome = run(shelf, package("nodejs", "1-1", "rpm", module=installed), namespace="redhat:9")
    assert bool(outcome.matches) is hit


@pytest.mark.parametrize(
    ("version", "module", "bound", "advised", "hits", "doubts"),
    [
        ("1-1.el8", "", "1-9.module+el8+1", "", 0, 0),  # a plain build is not that of a module
        ("1-1.module+el8+1", "nodejs:18", "1-9.module+el8+1", "", 0, 1),  # of which stream? nobody says
        ("1-1.module+el8+1", "", "1-9.module+el8+1", "nodejs:18", 0, 1),
        ("1-1.module+el8+1", "nodejs:18", "1-9.module+el8+1", "nodejs:18", 1, 0),
        ("1-1.module+el8+1", "nodejs:18", "1-9.el8", "", 0, 0),
    ],
)
def test_a_build_of_a_module_whose_stream_is_not_said_is_undecided(version, module, bound, advised, hits, doubts):
    shelf = Shelf(rows=[(bound, {"at": ("redhat:8", "nodejs"), "module": advised})])
    outcome = run(shelf, package("nodejs", version, "rpm", module=module), namespace="redhat:8")
    assert (len(outcome.matches), len(outcome.undecided)) == (hits, doubts)


@pytest.mark.parametrize(
    ("version", "repository", "hit"),
    [("1-2ubuntu3", "esm-infra", True), ("1-2ubuntu3", "fips", False), ("1-2ubuntu3.fips.1", "fips", True)],
)
def test_validated_builds_of_ubuntu_have_advisories_of_their_own(version, repository, hit):
    shelf = Shelf(rows=[("9", {"at": ("ubuntu:20.04#src", "x"), "repository": repository})])
    assert bool(run(shelf, package("x", version), namespace="ubuntu:20.04").matches) is hit


@pytest.mark.parametrize(
    ("version", "enabled", "fixed"),
    [
        ("1-1.el9", (), "3-1.el9"),  # not on extended updates: the base repository's word
        ("1-1.el9", ("eus:9.2",), "1-2.el9_2"),
        ("1-2.el9_2", ("eus:9.2",), None),  # fixed there, with a lower version than the base repository's fix
        ("1-1.el9", ("eus:9.4",), "3-1.el9"),
    ],
)
def test_a_system_on_extended_updates_is_judged_by_them(version, enabled, fixed):
    row = {"at": ("redhat:9", "x"), "vulnerabilities": ("CVE-1",)}
    shelf = Shelf(rows=[("3-1.el9", dict(row)), ("1-2.el9_2", {**row, "repository": "eus:9.2"})])
    outcome = run(shelf, package("x", version, "rpm"), namespace="redhat:9", repositories=enabled)
    assert [each.fixed_version for each in outcome.matches] == ([fixed] if fixed else [])


@pytest.mark.parametrize(("arch", "hit"), [("x86_64", True), ("aarch64", False), ("noarch", True)])
def test_the_architecture_is_part_of_the_comparison(arch, hit):
    shelf = Shelf(rows=[("9", {"at": ("amazon:2", "x"), "arches": ("x86_64",)})])
    assert bool(run(shelf, package("x", "1-1", "rpm", arch=arch), namespace="amazon:2").matches) is hit


@pytest.mark.parametrize("state", ["not_affected", "unimportant", "under_investigation"])
def test_what_the_publisher_does_not_count_is_not_reported(state):
    shelf = Shelf(rows=[("", {"at": ("debian:12#src", "x"), "state": state})])
    assert not run(shelf, package("x", "1")).matches


def test_an_unfixed_flaw_is_reported_with_its_state():
    shelf = Shelf(rows=[("", {"at": ("debian:12#src", "x"), "state": "will_not_fix"})])
    (found,) = run(shelf, package("x", "1")).matches
    assert (found.fixed_version, found.state) == ("", "will_not_fix")


def test_in_an_image_the_kernel_is_the_hosts_business():
    shelf = Shelf(rows=[("9", {"at": ("debian:12#src", "linux")})])
    kernel = package("linux-image-6.1.0-1-amd64", "6.1.1-1", source=SourcePackage(name="linux", version="6.1.1-1"))
    outcome = run(shelf, kernel)
    assert (outcome.matches, len(outcome.kernels)) == ((), 1)


def test_on_a_host_the_running_kernel_is_judged_and_others_are_not():
    shelf = Shelf(rows=[("9", {"at": ("debian:12#src", "linux")})])
    kernels = [
        package(f"linux-image-{release}", "6.1.1-1", source=SourcePackage(name="linux", version="6.1.1-1"))
        for release in ("6.1.0-1-amd64", "6.1.0-2-amd64")
    ]
    outcome = run(shelf, *kernels, kind="host", kernel="6.1.0-2-amd64")
    assert [each.package.name for each in outcome.matches] == ["linux-image-6.1.0-2-amd64"]


def test_of_several_fixes_the_newest_counts():
    rows = [("1.2", {"at": ("pypi", "x"), "vulnerabilities": ("CVE-1",)}),
            ("1.10", {"at": ("pypi", "x"), "vulnerabilities": ("CVE-1",)})]  # fmt: skip
    (found,) = run(Shelf(rows=rows), package("x", "1.0", "pypi")).matches
    assert found.fixed_version == "1.10"
    assert compare("pypi", "1.2", "1.10") < 0
