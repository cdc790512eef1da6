"""VEX documents, the ignore file and the baseline, as people and pipelines give them to the command."""

import json
import os
import subprocess
import sys

import pytest

IMPORTANT, LESSER, OTHER = "CVE-2019-10906", "CVE-2020-28493", "CVE-2024-22195"
OPENVEX = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://example.org/1",
    "author": "Acme",
    "timestamp": "2024-01-01T00:00:00Z",
    "version": 1,
    "statements": [
        {"vulnerability": {"name": IMPORTANT}, "products": [{"@id": "pkg:pypi/Jinja2"}], "status": "not_affected",
         "justification": "vulnerable_code_not_in_execute_path"},
        {"vulnerability": {"name": OTHER}, "status": "under_investigation",
         "products": [{"@id": "pkg:pypi/jinja2@2.10"}]},
        {"vulnerability": {"name": LESSER}, "products": [{"@id": "pkg:pypi/jinja2"}], "status": "not_affected"},
        {"vulnerability": {"name": "CVE-1"}, "products": [{"@id": "pkg:pypi/other"}], "status": "fixed"},
    ],
}  # fmt: skip
ENTRY = """
[[ignore]]
vulnerability = "{}"
package = "jinja2"
owner = "alice@example.org"
reason = "templates are ours"
expires = {}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    (folder / "app").mkdir()
    (folder / "app" / "requirements.txt").write_text("jinja2==2.10\n")
    (folder / "acme.json").write_text(json.dumps(OPENVEX))
    (folder / "risks.toml").write_text(ENTRY.format(LESSER, "2999-12-31") + ENTRY.format(OTHER, "2020-01-01"))
    assert run(folder, "db", "starter").returncode == 0
    return folder


def run(home, *arguments, where=None):
    environment = {**os.environ, "OPENINSPECTOR_DB": str(home / "a.sqlite"), "OPENINSPECTOR_CACHE": str(home / "cache")}
    command = [sys.executable, "-m", "openinspector", *arguments]
    return subprocess.run(
        command, env=environment, cwd=where or home, capture_output=True, text=True, check=False, timeout=300
    )


def report(home, *arguments, where=None):
    done = run(home, "scan", "app", "--format", "json", *arguments, where=where)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def found(document):
    return {each["vulnerability"]: each for each in document["findings"]}


def test_a_vex_document_suppresses_and_what_it_leaves_open_is_shown(home):
    document = report(home, "--vex", "acme.json")
    findings = found(document)
    assert findings[IMPORTANT]["suppression"]["justification"] == "vulnerable_code_not_in_execute_path"
    assert findings[OTHER]["suppression"] is None
    assert findings[OTHER]["vex"][0]["status"] == "under_investigation"
    assert findings[LESSER]["suppression"] is None  # its statement gives no reason: invalid
    (given,) = document["given"]
    assert (given["format"], given["entries"], given["matched"], given["hidden"]) == ("OpenVEX", 3, 2, 1)
    assert given["unmatched"] == ["CVE-1 of pkg:pypi/other"]
    assert "is not applied" in given["problems"][0]["reason"]
    assert any("1 of them matched nothing: CVE-1 of pkg:pypi/other" in each for each in document["notes"])


def test_each_format_is_found_out_from_its_content(home):
    cyclonedx = {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "components": [{"bom-ref": "j", "name": "jinja2", "version": "2.10", "purl": "pkg:pypi/jinja2@2.10"}],
        "vulnerabilities": [{"id": LESSER, "analysis": {"state": "resolved"}, "affects": [{"ref": "j"}]}],
    }  # fmt: skip
    csaf = {
        "document": {"category": "csaf_vex", "publisher": {"name": "Acme"},
                     "tracking": {"id": "1", "current_release_date": "2024-02-01"}},
        "product_tree": {"full_product_names": [
            {"product_id": "p", "name": "Jinja", "product_identification_helper": {"purl": "pkg:pypi/jinja2"}}]},
        "vulnerabilities": [{"cve": OTHER, "product_status": {"known_not_affected": ["p"]},
                             "flags": [{"label": "component_not_present", "product_ids": ["p"]}]}],
    }  # fmt: skip
    (home / "bom.json").write_text(json.dumps(cyclonedx))
    (home / "advisory.json").write_text(json.dumps(csaf))
    findings = found(report(home, "--vex", "bom.json", "--vex", "advisory.json", "--vex", "acme.json"))
    assert {name for name, each in findings.items() if each["suppressed"]} == {IMPORTANT, LESSER, OTHER}


def test_our_own_cyclonedx_is_a_vex_document_for_the_next_scan(home):
    assert (
        run(home, "scan", "app", "--vex", "acme.json", "--format", "cyclonedx", "--output", "own.json").returncode == 0
    )
    findings = found(report(home, "--vex", "own.json"))
    assert findings[IMPORTANT]["suppression"]["justification"] == "code_not_reachable"
    assert findings[OTHER]["vex"][0]["status"] == "under_investigation"


def test_an_ignore_file_suppresses_until_it_expires(home):
    document = report(home, "--ignore-file", "risks.toml")
    findings = found(document)
    assert findings[LESSER]["suppression"]["owner"] == "alice@example.org"
    assert findings[OTHER]["suppression"] is None
    assert any("1 entry of risks.toml expired, no longer in force" in each for each in document["notes"])


def test_the_ignore_file_of_the_working_directory_is_used_and_that_is_said(home, tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "requirements.txt").write_text("jinja2==2.10\n")
    (tmp_path / ".openinspector-ignore.toml").write_text(ENTRY.format(LESSER, "2999-12-31"))
    document = report(home, where=tmp_path)
    assert found(document)[LESSER]["suppression"]["source"] == ".openinspector-ignore.toml"
    assert any("was found in the working directory" in each for each in document["notes"])
    assert not any(each["suppressed"] for each in report(home, "--ignore-file", os.devnull, where=tmp_path)["findings"])


def test_the_gate_counts_neither_the_suppressed_nor_the_known(home):
    assert run(home, "scan", "app", "--fail-on", "high").returncode == 1
    assert run(home, "scan", "app", "--format", "json", "--output", "last.json").returncode == 0
    done = run(home, "scan", "app", "--fail-on", "any", "--baseline", "last.json")
    assert done.returncode == 0
    assert "; new: 0." in done.stdout
    everything = ENTRY.format("*", "2999-12-31")
    (home / "all.toml").write_text(everything)
    assert run(home, "scan", "app", "--fail-on", "any", "--ignore-file", "all.toml").returncode == 0


def test_what_was_only_suppressed_before_is_new_when_that_ends(home):
    (home / "all.toml").write_text(ENTRY.format("*", "2999-12-31"))
    arguments = ("--format", "json", "--output", "hidden.json", "--ignore-file", "all.toml")
    assert run(home, "scan", "app", *arguments).returncode == 0
    assert run(home, "scan", "app", "--fail-on", "any", "--baseline", "hidden.json").returncode == 1


def test_suppressed_findings_are_listed_when_asked_for(home):
    hidden = run(home, "scan", "app", "--vex", "acme.json").stdout
    assert IMPORTANT not in hidden
    assert "1 more are suppressed" in hidden
    assert "VEX: not affected" in run(home, "scan", "app", "--vex", "acme.json", "--show-suppressed").stdout


def test_explain_says_what_suppresses_a_finding(home):
    said = run(home, "explain", IMPORTANT, "app", "--vex", "acme.json").stdout
    assert "suppressed for jinja2 2.10 in requirements.txt: VEX: not affected" in said
    assert "1 of 1 affected packages is suppressed" in said
    assert "stated of jinja2" in run(home, "explain", OTHER, "app", "--vex", "acme.json").stdout
    ignored = run(home, "explain", LESSER, "app", "--ignore-file", "risks.toml", "--format", "json").stdout
    assert json.loads(ignored)["said"][0]["suppressed"]["owner"] == "alice@example.org"


@pytest.mark.parametrize(
    ("name", "data", "arguments", "status", "message"),
    [
        ("no.json", None, ("--vex", "no.json"), 2, "no.json can't be read"),
        ("bad.json", "{", ("--vex", "bad.json"), 3, "bad.json can't be read as VEX"),
        ("odd.json", "{}", ("--vex", "odd.json"), 3, "odd.json is no VEX document"),
        ("deep.json", '{"a": ' * 100_000, ("--vex", "deep.json"), 3, "deep.json can't be read as VEX"),
        ("no.toml", None, ("--ignore-file", "no.toml"), 2, "no.toml can't be read"),
        ("bad.toml", "[[ignore]\n", ("--ignore-file", "bad.toml"), 2, "bad.toml is no ignore file"),
        ("for-ever.toml", ENTRY.replace("expires = {}", "").format("CVE-1"), ("--ignore-file", "for-ever.toml"), 2,
         "entry 1 (CVE-1) has no expires"),
        ("base.json", "{}", ("--baseline", "base.json"), 2, "base.json is no report of ours"),
    ],
    ids=lambda each: each if isinstance(each, str) and each.endswith(("json", "toml")) else "",
)  # fmt: skip
def test_what_can_not_be_read_ends_the_scan(home, name, data, arguments, status, message):
    if data is not None:
        (home / name).write_text(data)
    done = run(home, "scan", "app", *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
