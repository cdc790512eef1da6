"""FriendsOfPHP."""

from io import BytesIO
from zipfile import ZipFile

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.friendsofphp import PLUGIN
from openinspector.model.advisory import Advisory, Range
from openinspector.model.problem import Problem

ARTAX = """title:     Cookie leakage
link:      https://example.org/v2.0.6
cve:       ~
branches:
    2.x:
        time:     2017-05-09 19:42:02
        versions: ['>=2', '<2.0.6']
    1.10:
        time:     ~
        versions: ['<1.0.6']
reference: composer://amphp/artax
"""


def parse(*texts):
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        archive.writestr("security-advisories-master/.github/x.yaml", "no: advisory")
        for number, text in enumerate(texts):
            archive.writestr(f"security-advisories-master/amphp/artax/{number}.yaml", text)
    return list(PLUGIN.parse(Document(path="friendsofphp/security-advisories.zip", stream=stream)))


def record(versions="['<1']", cve="~", reference="composer://a/b", link="https://example.org"):
    return f"link: {link}\ncve: {cve}\nbranches: {{1.x: {{versions: {versions}}}}}\nreference: {reference}\n"


def test_each_branch_is_a_range():
    (advisory,) = parse(ARTAX)
    (affected,) = advisory.affected
    assert (affected.namespace, affected.name) == ("composer", "amphp/artax")
    assert affected.ranges == (Range(introduced="2", fixed="2.0.6"), Range(fixed="1.0.6"))
    assert advisory.id == "amphp/artax/0"
    assert advisory.vulnerabilities == ()
    assert advisory.published == "2017-05-09T19:42:02Z"


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ("['>=1', '<2']", Range(introduced="1", fixed="2")),
        ("['>1', '<=2']", Range(after="1", last_affected="2")),
        ("['=1.5']", Range(introduced="1.5", last_affected="1.5")),
        ("['>= 1.0']", Range(introduced="1.0")),
    ],
)
def test_requirements_bound_a_range(versions, expected):
    (advisory,) = parse(record(versions))
    assert advisory.affected[0].ranges == (expected,)


@pytest.mark.parametrize(
    ("cve", "link", "flaws", "aliases"),
    [
        ("CVE-2023-1111", "https://example.org", ("CVE-2023-1111",), ()),
        ("~", "https://example.org", (), ()),
        ("~", "https://github.com/a/b/security/advisories/GHSA-2222-3333-4444", ("GHSA-2222-3333-4444",), ()),
        (
            "CVE-2023-1111",
            "https://github.com/advisories/GHSA-2222-3333-4444",
            ("CVE-2023-1111",),
            ("GHSA-2222-3333-4444",),
        ),
    ],
)
def test_a_link_to_github_names_the_flaw_too(cve, link, flaws, aliases):
    (advisory,) = parse(record(cve=cve, link=link))
    assert (advisory.vulnerabilities, advisory.aliases) == (flaws, aliases)


@pytest.mark.parametrize(
    "text",
    [
        record("['newest']"),
        record("['<1', '<2']"),
        record("['<1', '<=2']"),
        record("[]"),
        record("['<1 || >2']"),
        record(reference="pear://a/b"),
        "title: [",
        "- x",
        "reference: composer://a/b",
    ],
)
def test_a_record_that_makes_no_sense_is_a_problem_and_the_rest_goes_on(text):
    problem, advisory = parse(text, ARTAX)
    assert isinstance(problem, Problem)
    assert isinstance(advisory, Advisory)


def test_what_is_no_archive_is_an_error():
    with pytest.raises(FeedError):
        list(PLUGIN.parse(Document(path="x", stream=BytesIO(b"x"))))


@pytest.mark.feeds
def test_the_real_archive_is_read_whole(feeds_dir):
    with (feeds_dir / "friendsofphp/security-advisories.zip").open("rb") as stream:
        found = list(PLUGIN.parse(Document(path="friendsofphp/security-advisories.zip", stream=stream)))
    assert not [each for each in found if isinstance(each, Problem)]
    by_id = {each.id: each for each in found}
    assert len(by_id) == len(found) == 1_592
    assert sum(len(each.affected[0].ranges) for each in found) == 5_682
    zend = by_id["zendframework/zendxml/CVE-2015-5161"]
    assert zend.affected[0].ranges == (Range(introduced="1.0.0", fixed="1.0.1"),)
