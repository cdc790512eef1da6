"""The Node.js security working group."""

import json
from io import BytesIO
from zipfile import ZipFile

import pytest

from openinspector.feeds.contract import Document
from openinspector.feeds.sources.nodejs import PLUGIN
from openinspector.model.advisory import Advisory, Range
from openinspector.model.problem import Problem

CORE = {
    "cve": ["CVE-2022-43548"],
    "vulnerable": "14.x || 16.x",
    "patched": "^14.21.1 || ^16.18.1",
    "severity": "medium",
}
NPM = {
    "id": 96,
    "module_name": "airbrake",
    "cves": ["CVE-2014-4671A"],
    "vulnerable_versions": "<=0.3.8",
    "patched_versions": ">=0.4.0",
    "publish_date": "2016-03-28",
    "cvss_vector": "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N",
    "cvss_score": 5.3,
    "references": None,
}


def parse(files):
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        for path, record in files.items():
            archive.writestr(f"security-wg-main/vuln/{path}", record if isinstance(record, str) else json.dumps(record))
    return list(PLUGIN.parse(Document(path="nodejs/security-wg-vuln.zip", stream=stream)))


def test_the_runtime_is_affected_where_it_is_vulnerable_and_not_patched():
    (advisory,) = parse({"core/102.json": CORE})
    (affected,) = advisory.affected
    assert (affected.namespace, affected.name) == ("generic", "node")
    assert affected.ranges == (Range(introduced="14.0.0", fixed="14.21.1"), Range(introduced="16.0.0", fixed="16.18.1"))
    assert (advisory.id, advisory.vulnerabilities) == ("nodejs-core-102", ("CVE-2022-43548",))
    assert advisory.severity == "medium"


def test_a_package_of_npm_has_its_namespace():
    (advisory,) = parse({"npm/96.json": NPM})
    assert (advisory.affected[0].namespace, advisory.affected[0].name) == ("npm", "airbrake")
    assert advisory.affected[0].ranges == (Range(last_affected="0.3.8"),)
    assert advisory.id == "NSWG-ECO-96"
    assert advisory.vulnerabilities == ("CVE-2014-4671",)
    assert advisory.cvss[0].score == 5.3
    assert advisory.published == "2016-03-28T00:00:00Z"


@pytest.mark.parametrize(
    ("vulnerable", "patched", "expected"),
    [
        ("<=99.999.99999", "<0.0.0", (Range(introduced="0.0.0", last_affected="99.999.99999"),)),
        ("<=0.3.8", None, (Range(last_affected="0.3.8"),)),
        ("*", "", (Range(),)),
        (">=1.7.1 <=1.8.3", ">1.8.3", (Range(introduced="1.7.1", last_affected="1.8.3"),)),
    ],
)
def test_a_patch_is_taken_from_what_is_vulnerable(vulnerable, patched, expected):
    (advisory,) = parse({"npm/1.json": NPM | {"vulnerable_versions": vulnerable, "patched_versions": patched}})
    assert advisory.affected[0].ranges == expected


def test_collections_and_flaws_that_node_does_not_have_are_left_out():
    assert (
        parse(
            {"core/index.json": {"1": CORE}, "npm/index.json": {"1": NPM}, "deps/1.json": {"cve": ["CVE-2023-45853"]}}
        )
        == []
    )


@pytest.mark.parametrize("record", ["", "[]", {"cve": []}, CORE | {"vulnerable": "newest"}, CORE | {"patched": 7}])
def test_a_record_that_makes_no_sense_is_a_problem_and_the_rest_goes_on(record):
    problem, advisory = parse({"core/1.json": record, "core/2.json": CORE})
    assert isinstance(problem, Problem)
    assert isinstance(advisory, Advisory)


@pytest.mark.feeds
def test_the_real_archive_is_read_whole(feeds_dir):
    with (feeds_dir / "nodejs/security-wg-vuln.zip").open("rb") as stream:
        found = list(PLUGIN.parse(Document(path="nodejs/security-wg-vuln.zip", stream=stream)))
    assert not [each for each in found if isinstance(each, Problem)]
    assert len({each.id for each in found}) == len(found) == 638
    assert sum(each.affected[0].namespace == "generic" for each in found) == 171
    rapid_reset = next(each for each in found if "CVE-2023-44487" in each.vulnerabilities)
    assert rapid_reset.affected[0].name == "node"
