"""What a look that missed something leaves of what was known."""

import pytest
from msgspec.structs import replace

from openinspector.find.merge import differences, together
from openinspector.model.finding import (
    Adjustment,
    NetworkReachability,
    Observation,
    PackageVulnerability,
    Step,
    VulnerablePackage,
)
from openinspector.model.package import Location, Package


def vulnerable(name, version="1", fixed="2"):
    package = Package(type="npm", name=name, version=version, location=Location(path=f"app/{name}/package.json"))
    return VulnerablePackage(package=package, fixed_version=fixed)


def flaw(*packages, vendor_severity="", **values):
    details = PackageVulnerability(id="CVE-2026-1", source="NVD", packages=packages, vendor_severity=vendor_severity)
    said = {"title": "CVE-2026-1 - a", "description": "A flaw.", "severity": "HIGH"} | values
    return Observation(key="CVE-2026-1", details=details, **said)


PATH = Observation(
    key="p",
    title="Port 22",
    description="",
    severity="LOW",
    details=NetworkReachability(
        first_port=22, last_port=22, protocol="TCP", path=(Step(component_id="i", component_type="t"),)
    ),
)


def names(observation):
    return [f"{each.package.name}@{each.package.version}" for each in observation.details.packages]


def test_a_version_that_was_not_seen_again_stays_beside_the_new_one():
    assert names(together(flaw(vulnerable("a", "1")), flaw(vulnerable("a", "2")))) == ["a@1", "a@2"]


def test_what_is_newly_known_about_a_package_counts():
    merged = together(flaw(vulnerable("a", fixed=""), vulnerable("b")), flaw(vulnerable("a", fixed="9")))
    assert [each.fixed_version for each in merged.details.packages] == ["9", "2"]


def test_a_title_that_still_holds_is_kept():
    known = flaw(vulnerable("a"), vulnerable("b"), title="as somebody wrote it")
    assert together(known, flaw(vulnerable("a"))).title == "as somebody wrote it"


@pytest.mark.parametrize(
    ("known", "seen", "kept"),
    [
        (("HIGH", 7.5), ("LOW", 2.0), ("HIGH", 7.5)),
        (("LOW", 2.0), ("HIGH", 7.5), ("HIGH", 7.5)),
        (("HIGH", 7.5), ("HIGH", 7.5), ("HIGH", 7.5)),
        (("HIGH", 7.5), ("HIGH", 8.0), ("HIGH", 8.0)),
        (("HIGH", 8.0), ("HIGH", 7.5), ("HIGH", 8.0)),
        (("UNTRIAGED", None), ("INFORMATIONAL", 0.0), ("INFORMATIONAL", 0.0)),
        (("MEDIUM", None), ("MEDIUM", 5.0), ("MEDIUM", 5.0)),
    ],
)
def test_it_is_rated_by_the_worse_of_both(known, seen, kept):
    def rated(name, rating):
        word, score = rating
        source = f"by {name}"
        adjusted = (Adjustment(metric="Attack Vector", reason=source),)
        return flaw(
            vulnerable(name),
            severity=word,
            score=score,
            score_source=source,
            vector=source,
            adjustments=adjusted,
            vendor_severity=source,
        )

    merged = together(rated("a", known), rated("b", seen))
    assert (merged.severity, merged.score) == kept
    by = "by a" if kept == known else "by b"
    assert (merged.score_source, merged.vector, merged.details.vendor_severity) == (by, by, by)
    assert merged.adjustments[0].reason == by


@pytest.mark.parametrize(("one", "other", "fix"), [("2", "2", "YES"), ("", "", "NO"), ("2", "", "PARTIAL")])
def test_a_fix_is_there_for_all_some_or_no_packages(one, other, fix):
    assert together(flaw(vulnerable("a", fixed=one)), flaw(vulnerable("b", fixed=other))).fix == fix


def test_a_path_is_what_was_seen_last():
    again = replace(PATH, severity="HIGH")
    assert together(PATH, again) is again
    assert differences(PATH, again) == ("severity",)
    assert differences(PATH, replace(PATH, details=replace(PATH.details, last_port=23))) == ("details",)


def test_adding_the_same_twice_adds_nothing():
    known, seen = flaw(vulnerable("a"), severity="LOW"), flaw(vulnerable("b"), score=8.1)
    once = together(known, seen)
    assert differences(once, together(once, seen)) == ()
