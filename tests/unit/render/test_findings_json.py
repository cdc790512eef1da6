"""The findings report as JSON."""

import json
import tracemalloc

from tests.unit.render.findings import code_finding, network_finding, package_finding

from openinspector.render.findings_json import parts


def read(*findings):
    return json.loads("".join(parts(findings)))


def test_the_document_is_an_object_with_the_findings():
    assert read() == {"findings": []}
    made = read(package_finding(), network_finding(), code_finding())
    assert [each["type"] for each in made["findings"]] == [
        "PACKAGE_VULNERABILITY",
        "NETWORK_REACHABILITY",
        "CODE_VULNERABILITY",
    ]


def test_times_are_iso_8601_and_everything_else_is_as_the_api_has_it():
    (made,) = read(package_finding())["findings"]
    assert made["firstObservedAt"] == "2026-01-02T03:04:05.678000Z"
    assert made["exploitabilityDetails"]["lastKnownExploitAt"] == "2026-01-02T03:04:05.678000Z"
    assert made["packageVulnerabilityDetails"]["cvss"][0]["baseScore"] == 7.5
    assert made["description"] == 'Keys of a "wrong" length,\nand IVs.'


def test_half_a_character_does_not_break_the_report():
    text = "".join(parts([package_finding(title="\ud800x")]))
    assert json.loads(text.encode())["findings"][0]["title"] == "\ufffdx"


def test_memory_stays_flat_however_many_findings_there_are():
    def peak(count):
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        assert sum(len(each) for each in parts(package_finding() for _ in range(count))) > count * 1000
        return tracemalloc.get_traced_memory()[1] - before

    tracemalloc.start()
    try:
        peak(100)
        few, many = peak(100), peak(10_000)
    finally:
        tracemalloc.stop()
    assert many < few + (1 << 16)
