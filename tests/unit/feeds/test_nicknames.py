"""Names of famous flaws."""

import json
from io import BytesIO

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.nicknames import PLUGIN
from openinspector.model.enrichment import Nickname
from openinspector.model.problem import Problem

PATH = "cve-aliases/cve-aliases.json"


def parse(data):
    return list(PLUGIN.parse(Document(path=PATH, stream=BytesIO(data))))


def test_a_name_may_stand_for_several_cves():
    data = json.dumps({"aliases": [{"name": "ShellShock", "cves": ["CVE-2014-6271", "CVE-2014-7169", "x"]}]}).encode()
    first, second, problem = parse(data)
    assert first == Nickname(vulnerability="CVE-2014-6271", name="ShellShock")
    assert second == Nickname(vulnerability="CVE-2014-7169", name="ShellShock")
    assert isinstance(problem, Problem)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"aliases": [1]}'])
def test_a_document_that_makes_no_sense_is_a_feed_error(data):
    with pytest.raises(FeedError):
        parse(data)


@pytest.mark.feeds
def test_the_real_names_are_read(feeds_dir):
    names = {each.vulnerability: each.name for each in parse((feeds_dir / PATH).read_bytes())}
    assert names["CVE-2014-0160"] == "Heartbleed"
    assert names["CVE-2021-44228"] == "Log4Shell"
