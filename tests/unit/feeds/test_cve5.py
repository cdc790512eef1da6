"""CVE records with CISA's additions."""

import json
from io import BytesIO
from zipfile import ZipFile

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.cve5 import PLUGIN
from openinspector.model.advisory import Advisory, Cvss
from openinspector.model.enrichment import Exploit
from openinspector.model.problem import Problem

V31 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
V30 = "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


def ssvc(word, key="Exploitation"):
    content = {"timestamp": "2024-04-02T04:00:23.138684Z", "options": [{key: word}, {"Automatable": "no"}]}
    return {"other": {"type": "ssvc", "content": content}}


def record(*, adp=(), state="PUBLISHED", identifier="CVE-2024-3094", **cna):
    return {
        "dataType": "CVE_RECORD",
        "dataVersion": "5.1",
        "cveMetadata": {
            "cveId": identifier,
            "state": state,
            "assignerShortName": "GitHub_M",
            "datePublished": "2024-03-29T16:51:12.588Z",
            "dateUpdated": "2025-11-20T07:17:48.594Z",
        },
        "containers": {
            "cna": {
                "title": "A title",
                "providerMetadata": {"orgId": "x", "shortName": "GitHub_M"},
                "descriptions": [{"lang": "fr", "value": "Non"}, {"lang": "en-US", "value": "A flaw."}],
                **cna,
            },
            "adp": [{"providerMetadata": {"shortName": "CISA-ADP"}, **each} for each in adp],
        },
    }


def parse(document, path="vulnrichment/2024/3xxx/CVE-2024-3094.json"):
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return list(PLUGIN.parse(Document(path=path, stream=BytesIO(data))))


def test_a_record_tells_about_the_flaw():
    (advisory,) = parse(
        record(references=[{"url": "https://a"}], problemTypes=[{"descriptions": [{"cweId": "CWE-506"}, {}]}])
    )
    assert advisory.id == "CVE-2024-3094"
    assert (advisory.title, advisory.description) == ("A title", "A flaw.")
    assert advisory.cwes == ("CWE-506",)
    assert advisory.references == ("https://a",)
    assert (advisory.published, advisory.modified) == ("2024-03-29T16:51:12Z", "2025-11-20T07:17:48Z")
    assert advisory.affected == ()


def test_cna_and_cisa_assign_vectors_of_their_own():
    cna = [{"cvssV3_1": {"vectorString": V31, "baseScore": 9.8}}, {"other": {"type": "x", "content": {}}}]
    adp = {
        "metrics": [{"cvssV3_0": {"vectorString": V30, "baseScore": 9.8}}],
        "problemTypes": [{"descriptions": [{"cweId": "CWE-79"}]}],
    }
    (advisory,) = parse(record(adp=[adp], metrics=cna))
    assert advisory.cvss == (
        Cvss(vector=V31, source="CNA:github_m", score=9.8),
        Cvss(vector=V30, source="CISA-ADP", score=9.8),
    )
    assert advisory.cwes == ("CWE-79",)


@pytest.mark.parametrize("word", ["poc", "PoC", "active", "ACTIVE"])
def test_an_exploit_is_known_whatever_the_letter_case(word):
    _, exploit = parse(record(adp=[{"metrics": [ssvc(word)]}]))
    assert exploit == Exploit(
        vulnerability="CVE-2024-3094", source="cisa-ssvc", ids=(word.lower(),), date="2024-04-02T04:00:23Z"
    )


@pytest.mark.parametrize(
    "metric", [ssvc("none"), ssvc("poc", "Automatable"), {"other": {"type": "kev", "content": {}}}]
)
def test_no_exploit_is_known_otherwise(metric):
    assert len(parse(record(adp=[{"metrics": [metric]}]))) == 1


def test_an_unreadable_judgement_is_a_problem_and_the_record_stays():
    advisory, problem = parse(record(adp=[{"metrics": [{"other": {"type": "ssvc", "content": {"options": 1}}}]}]))
    assert isinstance(advisory, Advisory)
    assert isinstance(problem, Problem)


def test_a_rejected_record_is_withdrawn():
    (advisory,) = parse(
        record(state="REJECTED", descriptions=[], rejectedReasons=[{"lang": "en", "value": "Duplicate."}])
    )
    assert advisory.withdrawn == "2025-11-20T07:17:48Z"
    assert advisory.description == "Duplicate."


def test_an_archive_holds_records_and_other_files():
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        archive.writestr("develop/2024/3xxx/CVE-2024-3094.json", json.dumps(record()))
        archive.writestr("develop/2024/3xxx/CVE-2024-3095.json", "{")
        archive.writestr("develop/delta.json", "[]")
        archive.writestr("develop/2024/3xxx/CVE-2024-3096.json", json.dumps(record(identifier="CVE-x")))
    records = parse(stream.getvalue(), "vulnrichment/develop.zip")
    assert [type(each) for each in records] == [Advisory, Problem, Problem]
    assert records[1].path == "vulnrichment/develop.zip!develop/2024/3xxx/CVE-2024-3095.json"


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"containers":' * 50_000])
def test_a_single_record_that_makes_no_sense_is_a_feed_error(data):
    with pytest.raises(FeedError):
        parse(data)


@pytest.mark.feeds
def test_the_real_archive_is_read_whole(feeds_dir):
    path = "vulnrichment/vulnrichment-exploitation.zip"
    records = parse((feeds_dir / path).read_bytes(), path)
    exploits = [each for each in records if isinstance(each, Exploit)]
    assert sum(isinstance(each, Advisory) for each in records) == 7858
    assert sum(each.ids == ("poc",) for each in exploits) == 7643
    assert sum(each.ids == ("active",) for each in exploits) == 214
    assert not any(isinstance(each, Problem) for each in records)
    assert {"CVE-2024-3094", "CVE-2023-44487", "CVE-2023-38545"} <= {
        each.id for each in records if isinstance(each, Advisory)
    }
