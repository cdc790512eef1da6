"""NVD 2.0."""

import gzip
import json
from io import BytesIO
from zipfile import ZipFile

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.nvd import PLUGIN
from openinspector.model.advisory import Advisory, Cvss
from openinspector.model.problem import Problem

V2, V3, V4 = (
    "AV:N/AC:L/Au:N/C:P/I:N/A:N",
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
    "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N",
)


def metric(vector, score, source="nvd@nist.gov", kind="Primary"):
    return {"source": source, "type": kind, "cvssData": {"version": "x", "vectorString": vector, "baseScore": score}}


def cve(**changes):
    return {
        "cve": {
            "id": "CVE-2014-0160",
            "sourceIdentifier": "secalert@redhat.com",
            "published": "2014-04-07T22:55:03.893",
            "lastModified": "2024-07-02T16:52:42.143",
            "vulnStatus": "Analyzed",
            "descriptions": [{"lang": "es", "value": "No"}, {"lang": "en", "value": " Heartbleed. "}],
            "metrics": {},
            "weaknesses": [],
            "references": [],
            **changes,
        }
    }


def parse(entries, path="nvd/nvdcve-2.0-2014.json.gz"):
    data = entries if isinstance(entries, bytes) else gzip.compress(json.dumps({"vulnerabilities": entries}).encode())
    return list(PLUGIN.parse(Document(path=path, stream=BytesIO(data))))


def only(**changes):
    (advisory,) = parse([cve(**changes)])
    assert isinstance(advisory, Advisory)
    return advisory


def test_a_record_tells_about_the_flaw_and_of_no_package():
    advisory = only()
    assert advisory.id == "CVE-2014-0160"
    assert advisory.description == "Heartbleed."
    assert advisory.affected == ()
    assert (advisory.published, advisory.modified) == ("2014-04-07T22:55:03Z", "2024-07-02T16:52:42Z")
    assert advisory.url == "https://nvd.nist.gov/vuln/detail/CVE-2014-0160"


def test_every_version_of_cvss_is_kept_with_who_assigned_it():
    metrics = {
        "cvssMetricV2": [metric(f"({V2})", 5.0)],
        "cvssMetricV31": [metric(V3, 7.4, "security-advisories@github.com", "Secondary"), metric(V3, 7.5)],
        "cvssMetricV40": [metric(V4, 8.7, "134c704f-9b21-4f2e-91b3-4a467353bcc0", "Secondary")],
    }
    assert only(metrics=metrics).cvss == (
        Cvss(vector=V3, source="NVD", score=7.5),
        Cvss(vector=V2, source="NVD", score=5.0),
        Cvss(vector=V4, source="CISA-ADP", score=8.7),
        Cvss(vector=V3, source="CNA:security-advisories@github.com", score=7.4),
    )


def test_a_vector_that_is_none_and_a_score_out_of_range_are_not_taken():
    metrics = {"cvssMetricV31": [metric("", 7.5), metric("nonsense", 7.5), metric(V3, 11)]}
    assert only(metrics=metrics).cvss == (Cvss(vector=V3, source="NVD"),)


def test_weaknesses_without_a_number_are_left_out():
    names = ("NVD-CWE-noinfo", "CWE-125", "NVD-CWE-Other", "CWE-125")
    weaknesses = [{"source": "x", "description": [{"lang": "en", "value": name}]} for name in names]
    assert only(weaknesses=weaknesses).cwes == ("CWE-125",)


def test_references_are_at_most_twenty():
    references = [{"url": f"https://a/{number}"} for number in range(50)]
    assert len(only(references=[*references, *references]).references) == 20


@pytest.mark.parametrize(
    ("status", "withdrawn"),
    [("Rejected", "2024-07-02T16:52:42Z"), ("Awaiting Analysis", ""), ("Received", ""), ("Modified", "")],
)
def test_a_rejected_record_is_withdrawn(status, withdrawn):
    assert only(vulnStatus=status).withdrawn == withdrawn


@pytest.mark.parametrize("bad", [{}, {"cve": {}}, cve(id="CVE-x"), cve(descriptions="text"), 1, None])
def test_a_record_that_makes_no_sense_is_a_problem_and_the_rest_goes_on(bad):
    problem, advisory = parse([bad, cve()])
    assert isinstance(problem, Problem)
    assert isinstance(advisory, Advisory)


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"[]", b"{}", b'{"CVE_Items": []}', b'{"vulnerabilities":' + b"[" * 100_000]
)
def test_a_document_that_makes_no_sense_is_a_feed_error(data):
    with pytest.raises(FeedError):
        parse(data)


def test_an_empty_page_of_the_api_has_no_records():
    assert parse([], "nvd/api/0.json") == []


@pytest.mark.feeds
@pytest.mark.parametrize(
    ("name", "records", "rejected"),
    [("2014", 8008, 80), ("2015", 6595, 101), ("2016", 6517, 68), ("modified", 2393, 12)],
)
def test_real_files_are_read_whole(feeds_dir, name, records, rejected):
    path = f"nvd/nvdcve-2.0-{name}.json.gz"
    advisories = parse((feeds_dir / path).read_bytes(), path)
    assert len(advisories) == records
    assert sum(bool(each.withdrawn) for each in advisories) == rejected
    assert all(len(each.description) <= 2000 and len(each.references) <= 20 for each in advisories)
    ids = {each.id for each in advisories}
    assert ("CVE-2014-0160" in ids) == (name == "2014")
    # The real year files hold the ids of a year; these were split by the day of publication.
    assert ("CVE-2001-1593" in ids) == (name == "2014")


@pytest.mark.feeds
def test_a_real_page_of_the_api_is_read(feeds_dir):
    with ZipFile(feeds_dir / "fixtures/vuls-data-update.zip") as archive:
        (advisory,) = parse(archive.read("nvd/api/cve/1_item/0-1.json"), "nvd/api/0-1.json")
        assert parse(archive.read("nvd/api/cve/empty/0-1.json"), "nvd/api/0-1.json") == []
    assert {each.source for each in advisory.cvss} == {"CNA:cna@vuldb.com"}
    assert len(advisory.cvss) == 3
