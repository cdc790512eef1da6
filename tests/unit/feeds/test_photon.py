"""Photon OS."""

import json
from io import BytesIO
from zipfile import ZipFile

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.photon import PLUGIN
from openinspector.model.advisory import Advisory, Range
from openinspector.model.problem import Problem


def row(
    cve="CVE-2023-38545", pkg="curl", aff="all versions before 7.88.1-4.ph4 are vulnerable", res="7.88.1-4.ph4", **more
):
    return {"cve_id": cve, "pkg": pkg, "cve_score": 9.8, "aff_ver": aff, "res_ver": res, **more}


def parse(rows, path="photon/cve_data_photon4.0.json"):
    data = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
    return list(PLUGIN.parse(Document(path=path, stream=BytesIO(data))))


def test_a_row_is_said_of_the_source_and_the_binary_package():
    (advisory,) = parse([row(status="Fixed")])
    assert advisory.vulnerabilities == ("CVE-2023-38545",)
    assert {(each.namespace, each.kind, each.name, each.ranges) for each in advisory.affected} == {
        ("photon:4.0", "source", "curl", (Range(fixed="7.88.1-4.ph4"),)),
        ("photon:4.0", "binary", "curl", (Range(fixed="7.88.1-4.ph4"),)),
    }


def test_the_same_cve_has_an_advisory_in_each_release():
    ids = [parse([row()], f"photon/cve_data_photon{release}.json")[0].id for release in ("4.0", "5.0")]
    assert ids == ["PHOTON-4.0-CVE-2023-38545", "PHOTON-5.0-CVE-2023-38545"]


def test_rows_of_one_cve_are_one_advisory():
    (advisory,) = parse([row(), row(pkg="curl-libs"), row()])
    assert len(advisory.affected) == 4


@pytest.mark.parametrize(
    ("more", "state", "ranges"),
    [
        ({"aff": "NA", "res": "NA", "status": "Not Affected"}, "not_affected", ()),
        ({"aff": "all versions are vulnerable", "res": "NA"}, "affected", ()),
        ({"res": "1:2-1.ph4"}, "affected", (Range(fixed="1:2-1.ph4"),)),
    ],
)
def test_what_a_row_says(more, state, ranges):
    (advisory,) = parse([row(**more)])
    assert {(each.state, each.ranges) for each in advisory.affected} == {(state, ranges)}


@pytest.mark.parametrize(
    "bad",
    [
        row(cve="UNK-1"),
        row(cve=""),
        row(cve="CVE-2019-3828-0001"),
        row(pkg=""),
        row(aff="NA", res="NA"),
        {"pkg": "a"},
        1,
    ],
)
def test_a_row_that_makes_no_sense_is_a_problem_and_the_rest_goes_on(bad):
    problem, advisory = parse([bad, row()])
    assert isinstance(problem, Problem)
    assert isinstance(advisory, Advisory)


@pytest.mark.parametrize("data", [b"", b"{invalid}", b'{"a": 1}', b"[" * 100_000])
def test_a_document_that_makes_no_sense_is_a_feed_error(data):
    with pytest.raises(FeedError):
        parse(data)


@pytest.mark.parametrize("path", ["photon/cve_data_photon.json", "photon/photon_versions.json"])
def test_a_name_without_release_is_a_feed_error(path):
    with pytest.raises(FeedError):
        parse([row()], path)


@pytest.mark.feeds
def test_real_documents_are_read(feeds_dir):
    with ZipFile(feeds_dir / "fixtures/vuln-list-update.zip") as archive:
        records = parse(archive.read("photon/cve_data_photon3.0.json"), "photon/cve_data_photon3.0.json")
        broken = archive.read("photon/cve_data_photon_invalid_format.json")
    assert sum(isinstance(record, Advisory) for record in records) == 5
    assert sum(isinstance(record, Problem) for record in records) == 1
    with pytest.raises(FeedError):
        parse(broken)
