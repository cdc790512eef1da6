"""Lists of changed documents, and where a repository has its update information."""

from datetime import UTC, datetime

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.changes import csaf_changes, osv_changes
from openinspector.feeds.repomd import repositories, update_information

SINCE = datetime(2026, 1, 2, tzinfo=UTC)

CSAF = b"""\
"2026/cve-2026-0003.json","2026-01-03T00:00:00+00:00"
"2026/cve-2026-0002.json","2026-01-02T00:30:00+01:00"
"suse-su-2026_1-1.json","2026-01-02T00:00:01Z"
"../../etc/passwd.json","2026-01-03T00:00:00+00:00"
"2026/cve-2026-0003.json","2026-01-04T00:00:00+00:00"
2026/cve-2026-0004.json,2026-02-30T00:00:00Z
"""


def test_documents_newer_than_a_moment_are_listed_once():
    found = csaf_changes(CSAF, "changes.csv", SINCE)
    assert found.newer == {
        "2026/cve-2026-0003.json": "2026-01-04T00:00:00+00:00",
        "suse-su-2026_1-1.json": "2026-01-02T00:00:01Z",
    }
    assert found.unread == 2  # a name that leads elsewhere, a day that is none


def test_osv_has_them_the_other_way_round():
    data = b"""\
2026-01-03T01:02:03.123456789Z,GHSA-c429-5p7v-vgjp
2026-01-03T01:02:03Z,RHSA-2026:1234
2025-01-01T00:00:00Z,OLD-1
"""
    assert sorted(osv_changes(data, "modified_id.csv", SINCE).newer) == [
        "GHSA-c429-5p7v-vgjp.json",
        "RHSA-2026:1234.json",
    ]


@pytest.mark.parametrize("read", [csaf_changes, osv_changes])
def test_a_page_in_place_of_a_list_is_refused(read):
    with pytest.raises(FeedError, match="no list of changes"):
        read(b"<html>\n<p>Sorry</p>\n</html>\n", "changes.csv", SINCE)
    assert read(b"", "changes.csv", SINCE).newer == {}


def repomd(href, kind="updateinfo"):
    return (
        '<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision>'
        '<data type="primary"><location href="repodata/primary.xml.gz"/></data>'
        f'<data type="{kind}"><checksum type="sha256">{"ab" * 32}</checksum>'
        '<open-checksum type="sha256">00</open-checksum>'
        f'<location href="{href}"/><size>123</size></data></repomd>'
    ).encode()


def test_the_update_information_is_where_the_repository_says():
    found = update_information(repomd("repodata/0a-updateinfo.xml.gz"), "repomd.xml")
    assert (found.href, found.size, found.sha256) == ("repodata/0a-updateinfo.xml.gz", 123, "ab" * 32)
    assert update_information(repomd("x", "group"), "repomd.xml") is None


@pytest.mark.parametrize(
    "href", ["../../x", "/etc/passwd", "http://other.example/x", "//other.example/x", "", "a?b", "a/../b"]
)
def test_it_is_not_looked_for_elsewhere(href):
    with pytest.raises(FeedError, match="is said to be at"):
        update_information(repomd(href), "repomd.xml")


def test_mirrors_over_tls_come_first():
    data = b"# comment\nhttp://a.example/x/\nhttps://b.example/$basearch\nftp://c.example\n\n"
    assert repositories(data, "mirror.list") == ["https://b.example/x86_64", "http://a.example/x"]
    with pytest.raises(FeedError, match="no mirrors"):
        repositories(b"<html>", "mirror.list")
