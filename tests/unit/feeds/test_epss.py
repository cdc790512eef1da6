"""EPSS."""

import gzip
from io import BytesIO
from zipfile import ZipFile

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.epss import PLUGIN
from openinspector.model.enrichment import Epss
from openinspector.model.problem import Problem

COMMENT = "#model_version:v2023.03.01,score_date:2023-03-07T00:00:00+0000\n"
HEADER = "cve,epss,percentile\n"


def parse(text, path="epss/epss_scores-2021-04-14.csv.gz"):
    data = text if isinstance(text, bytes) else gzip.compress(text.encode())
    return list(PLUGIN.parse(Document(path=path, stream=BytesIO(data))))


@pytest.mark.parametrize(
    ("text", "percentile", "date"),
    [
        (f"{COMMENT}{HEADER}CVE-2020-5902,0.97567,0.99995\n", 0.99995, "2023-03-07"),
        (f"{HEADER}CVE-2020-5902,0.97567,0.9981063485700858\n", 0.9981063485700858, "2021-04-14"),
        ("cve,epss\nCVE-2020-5902,0.97567\n", None, "2021-04-14"),
        (f"#model_version:v1\r\n{HEADER}CVE-2020-5902,0.97567,1.0\r\n", 1.0, "2021-04-14"),
    ],
)
def test_every_form_of_the_header_is_read(text, percentile, date):
    assert parse(text) == [Epss(vulnerability="CVE-2020-5902", score=0.97567, percentile=percentile, date=date)]


def test_the_date_is_unknown_where_neither_comment_nor_name_says_it():
    (epss,) = parse(f"{HEADER}CVE-2020-5902,1.0,1.0", "epss/epss_scores-current.csv.gz")
    assert epss.date == ""


def test_lines_that_are_no_score_are_counted():
    lines = [
        "",
        "CVE-2020-1,x,0.1",
        "CVE-2020-1",
        "GHSA-1,0.1,0.1",
        "CVE-2020-1,1.5,0.1",
        "CVE-2020-1,nan,0.1",
        "CVE-2020-1,0.1,-1",
        "CVE-é,0.1,0.1",
    ]
    (problem,) = parse(HEADER + "\n".join(lines))
    assert isinstance(problem, Problem)
    assert problem.count == 7


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"invalid,header,format\nCVE-2024-6775,0.1,0.1\n", b"#only a comment", b"\x1f\x8b"]
)
def test_a_document_that_makes_no_sense_is_a_feed_error(data):
    with pytest.raises(FeedError):
        parse(data)


@pytest.mark.feeds
def test_the_real_file_is_read_whole(feeds_dir):
    path = "epss/epss_scores-2026-07-19.csv.gz"
    records = parse((feeds_dir / path).read_bytes(), path)
    assert len(records) == 349190
    scores = {each.vulnerability: each.score for each in records}
    assert scores["CVE-2021-44228"] == 0.99999
    assert scores["CVE-2019-10906"] == 0.03603
    assert {each.date for each in records} == {"2026-07-19"}


@pytest.mark.feeds
@pytest.mark.parametrize("day", ["2021-04-14", "2021-09-01", "2022-02-04", "2023-03-07"])
def test_real_files_of_all_times_are_read(feeds_dir, day):
    with ZipFile(feeds_dir / "fixtures/vuls-data-update.zip") as archive:
        records = parse(archive.read(f"epss/epss_scores-{day}.csv.gz"), f"epss/epss_scores-{day}.csv.gz")
    assert [each.vulnerability for each in records] == ["CVE-2020-5902", "CVE-2018-19571"]
    assert {each.date for each in records} == {day}
