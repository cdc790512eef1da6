"""Wolfi's and Chainguard's secdb."""

import json
from io import BytesIO
from zipfile import ZipFile

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.wolfi import PLUGINS
from openinspector.model.advisory import Range

WOLFI, CHAINGUARD = PLUGINS


def parse(feed, data):
    return list(feed.parse(Document(path=f"{feed.name}/security.json", stream=BytesIO(data))))


@pytest.mark.parametrize(("feed", "reponame"), [(WOLFI, "os"), (CHAINGUARD, "chainguard")])
def test_a_rolling_distribution_has_one_namespace(feed, reponame):
    fixes = {"2.39-r1": ["CVE-2022-38126"], "0": ["CVE-2016-2781"], "2.40-r0": ["GHSA-2222-3333-4444"]}
    text = json.dumps({"reponame": reponame, "packages": [{"pkg": {"name": "binutils", "secfixes": fixes}}]})
    fixed, never, github = parse(feed, text.encode())
    assert fixed.id == f"CVE-2022-38126@{feed.name}/{reponame}"
    assert (fixed.affected[0].namespace, fixed.affected[0].kind) == (feed.name, "source")
    assert fixed.affected[0].ranges == (Range(fixed="2.39-r1"),)
    assert never.affected[0].state == "not_affected"
    assert github.vulnerabilities == ("GHSA-2222-3333-4444",)


def test_what_is_no_secdb_is_an_error():
    with pytest.raises(FeedError):
        parse(WOLFI, b"<html>")


@pytest.mark.feeds
@pytest.mark.parametrize(
    ("feed", "archive", "member", "advisories"),
    [
        (WOLFI, "vunnel", "wolfi/input/secdb/security.json", 59),
        (WOLFI, "vuls-data-update", "wolfi/secdb/happy/security.json", 84),
        (CHAINGUARD, "vunnel", "chainguard/input/secdb/security.json", 189),
        (CHAINGUARD, "vuls-data-update", "chainguard/secdb/happy/security.json", 40),
    ],
)
def test_the_fixtures_are_read(feeds_dir, feed, archive, member, advisories):
    with ZipFile(feeds_dir / "fixtures" / f"{archive}.zip") as fixtures:
        found = parse(feed, fixtures.read(member))
    assert len(found) == len({each.id for each in found}) == advisories
