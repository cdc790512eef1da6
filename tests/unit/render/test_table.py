"""The table: what is shown, what is counted, what is listed when asked for."""

from msgspec.structs import replace
from tests.unit.render.sample import REPORT, RULED

from openinspector.model.package import Location
from openinspector.render.table import render


def test_suppressed_findings_are_counted_and_not_listed():
    text = render(REPORT, width=200)
    assert "2 more are suppressed by VEX statements or ignore rules (--show-suppressed lists them)." in text
    assert "GHSA-xxxx-yyyy-zzzz" not in text


def test_suppressed_findings_are_listed_with_their_reason_when_asked_for():
    text = render(REPORT, width=200, show_suppressed=True)
    assert "GHSA-xxxx-yyyy-zzzz" in text
    assert "VEX: not affected, the vulnerable code is not in the execute path" in text
    assert "ignored: accepted for the demonstration (owner alice@example.org, until 2026-01-01)" in text


def test_what_is_known_and_what_is_stated_is_marked():
    text = render(RULED, width=200)
    assert "Known from the baseline: 1; new: 4." in text
    assert "Left open by VEX statements: 1" in text
    assert "known" in next(line for line in text.splitlines() if line.startswith("libssl3"))
    assert "\x1b" not in text


def test_a_package_that_lies_in_several_places_is_one_line():
    finding = next(each for each in REPORT.findings if not each.suppressed and each.match.package.type == "npm")
    placed = []
    for at in ("a/node_modules/x/package.json", "b/node_modules/x/package.json"):
        package = replace(finding.match.package, format="npm.package", location=Location(path=at))
        placed.append(replace(finding, match=replace(finding.match, package=package)))
    text = render(replace(REPORT, findings=tuple(placed)), width=200)
    lines = [line for line in text.splitlines() if finding.vulnerability.id in line]
    assert len(lines) == 1
    assert "2 places" in lines[0]
    assert "2 (" in text  # both are counted
