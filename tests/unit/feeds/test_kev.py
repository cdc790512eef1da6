"""CISA's catalogue."""

import json
from io import BytesIO

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.kev import PLUGIN
from openinspector.model.enrichment import Kev
from openinspector.model.problem import Problem

PATH = "kev/known_exploited_vulnerabilities.json"


def entry(**changes):
    return {
        "cveID": "CVE-2021-44228",
        "vendorProject": "Apache",
        "vulnerabilityName": "Apache Log4j2 Remote Code Execution Vulnerability",
        "dateAdded": "2021-12-10",
        "requiredAction": "Apply updates.",
        "dueDate": "2021-12-24",
        "knownRansomwareCampaignUse": "Known",
        "notes": "https://a; https://b",
        "cwes": ["CWE-20", "CWE-400"],
        **changes,
    }


def parse(entries):
    data = entries if isinstance(entries, bytes) else json.dumps({"vulnerabilities": entries}).encode()
    return list(PLUGIN.parse(Document(path=PATH, stream=BytesIO(data))))


def test_an_entry_is_read():
    assert parse([entry()]) == [
        Kev(
            vulnerability="CVE-2021-44228",
            date_added="2021-12-10",
            due_date="2021-12-24",
            required_action="Apply updates.",
            name="Apache Log4j2 Remote Code Execution Vulnerability",
            ransomware=True,
            cwes=("CWE-20", "CWE-400"),
        )
    ]


def test_weaknesses_may_be_empty_and_ransomware_unknown():
    (kev,) = parse([entry(cwes=[], knownRansomwareCampaignUse="Unknown")])
    assert (kev.cwes, kev.ransomware) == ((), False)


@pytest.mark.parametrize("bad", [{}, entry(cveID="x" * 10_000), entry(cwes=None), 1])
def test_an_entry_that_makes_no_sense_is_a_problem_and_the_rest_goes_on(bad):
    problem, kev = parse([bad, entry()])
    assert isinstance(problem, Problem)
    assert len(problem.reason) < 500
    assert isinstance(kev, Kev)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"vulnerabilities": {}}'])
def test_a_document_that_makes_no_sense_is_a_feed_error(data):
    with pytest.raises(FeedError):
        parse(data)


@pytest.mark.feeds
def test_the_real_catalogue_is_read_whole(feeds_dir):
    records = parse((feeds_dir / PATH).read_bytes())
    assert len(records) == 1381
    assert sum(not each.cwes for each in records) == 148
    dates = {each.vulnerability: each.date_added for each in records}
    assert dates["CVE-2021-44228"] == "2021-12-10"
    assert dates["CVE-2014-0160"] == "2022-05-04"
    assert dates["CVE-2023-44487"] == "2023-10-10"
    assert "CVE-2024-3094" not in dates
