"""Azure Linux and CBL-Mariner."""

from io import BytesIO
from zipfile import ZipFile

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.azurelinux import PLUGIN
from openinspector.model.advisory import Range
from openinspector.model.problem import Problem

PATH = "azurelinux/azurelinux-3.0-oval.xml"


def definition(bounds, *, number="1", patchable="true", cve="CVE-2023-29404"):
    tests = "".join(f'<criterion comment="x" test_ref="tst{number}.{index}"/>' for index in range(len(bounds)))
    return f"""<definition class="vulnerability" id="oval:com.microsoft.azurelinux:def:{number}" version="1"><metadata>
<title>{cve} affecting package golang</title>
<affected family="unix"><platform>Azure Linux</platform></affected>
<reference ref_id="{cve}" ref_url="https://nvd.nist.gov/vuln/detail/{cve}" source="CVE"/>
<patchable>{patchable}</patchable>
<advisory_date>2024-04-17T22:02:46Z</advisory_date><advisory_id>{number}-1</advisory_id><severity>Critical</severity>
<description>A patched version is available.</description></metadata>
<criteria operator="AND">{tests}</criteria></definition>"""


def oval(bounds, *, more="", **kind):
    indexes = range(len(bounds))
    tests = "".join(
        f'<l:rpminfo_test id="tst1.{i}"><l:object object_ref="obj"/><l:state state_ref="ste{i}"/></l:rpminfo_test>'
        for i in indexes
    )
    states = "".join(
        f'<l:rpminfo_state id="ste{i}">'
        f'<l:evr datatype="evr_string" operation="{bounds[i][0]}">{bounds[i][1]}</l:evr></l:rpminfo_state>'
        for i in indexes
    )
    return f"""<oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5"
 xmlns:l="http://oval.mitre.org/XMLSchema/oval-definitions-5#linux">
<definitions>{definition(bounds, **kind)}{more}</definitions>
<tests>{tests}</tests><objects><l:rpminfo_object id="obj"><l:name>golang</l:name></l:rpminfo_object></objects>
<states>{states}</states></oval_definitions>""".encode()


def parse(data, path=PATH):
    return list(PLUGIN.parse(Document(path=path, stream=BytesIO(data))))


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ([("less than", "0:1.20.7-1.azl3")], Range(fixed="1.20.7-1.azl3")),
        ([("less than or equal", "0:1.20.7-1.azl3")], Range(last_affected="1.20.7-1.azl3")),
        (
            [("less than", "0:1.20.7-1.azl3"), ("greater than", "0:1.19.0.azl3")],
            Range(after="1.19.0.azl3", fixed="1.20.7-1.azl3"),
        ),
        (
            [("greater than or equal", "1:1-1"), ("less than", "1:2-1")],
            Range(introduced="1:1-1", fixed="1:2-1"),
        ),
    ],
)
def test_bounds_are_an_interval_of_the_source_package(bounds, expected):
    (advisory,) = parse(oval(bounds))
    (entry,) = advisory.affected
    assert (entry.namespace, entry.name, entry.kind, entry.state) == ("azurelinux:3.0", "golang", "source", "affected")
    assert entry.ranges == (expected,)


def test_a_definition_keeps_its_id_and_word():
    (advisory,) = parse(oval([("less than", "0:1-1")]))
    assert advisory.id == "oval:com.microsoft.azurelinux:def:1"
    assert advisory.vulnerabilities == ("CVE-2023-29404",)
    assert advisory.severity == "Critical"
    assert advisory.published == "2024-04-17T22:02:46Z"


def test_what_is_not_applicable_is_not_affected():
    (advisory,) = parse(oval([("less than or equal", "0:2.35-4.cm2")], patchable="Not Applicable"))
    assert [(each.state, each.ranges) for each in advisory.affected] == [("not_affected", ())]


@pytest.mark.parametrize(
    ("path", "namespace"),
    [
        ("azurelinux/azurelinux-3.0-oval.xml", "azurelinux:3.0"),
        ("azurelinux/cbl-mariner-2.0-oval.xml", "mariner:2.0"),
        ("azurelinux/mariner-2.0-oval.xml", "mariner:2.0"),
        ("azurelinux/cbl-mariner-1.0-oval.xml.gz", "mariner:1.0"),
    ],
)
def test_the_name_says_the_release(path, namespace):
    (advisory,) = parse(oval([("less than", "0:1-1")]), path)
    assert advisory.affected[0].namespace == namespace


@pytest.mark.parametrize("path", ["azurelinux/other-3.0-oval.xml", "azurelinux/azurelinux-oval.xml", "x"])
def test_a_name_without_release_is_a_feed_error(path):
    with pytest.raises(FeedError):
        parse(oval([("less than", "0:1-1")]), path)


def test_a_definition_that_makes_no_sense_is_a_problem_and_the_rest_goes_on():
    more = definition([], number="2", cve="no CVE") + definition([1], number="3")
    records = parse(oval([("less than", "0:1-1")], more=more))
    assert [isinstance(record, Problem) for record in records] == [False, True, True]


@pytest.mark.parametrize(
    "bounds",
    [[("equals", "0:1-1")], [("less than", "0:1-1"), ("less than or equal", "0:1-1")], [("less than", "0:1-1")] * 2],
)
def test_bounds_that_are_no_interval_are_reported(bounds):
    with pytest.raises(FeedError):
        parse(oval(bounds))


@pytest.mark.feeds
@pytest.mark.parametrize(
    ("archive", "member", "advisories"),
    [
        ("vuln-list-update", "mariner/happy/azurelinux-3.0-oval.xml", 2),
        ("vuln-list-update", "mariner/happy/cbl-mariner-1.0-oval.xml", 3),
        ("vuln-list-update", "mariner/happy/cbl-mariner-2.0-preview-oval.xml", 5),
        ("vunnel", "mariner/azure-linux-truncated-3.0-oval.xml", 3),
        ("vunnel", "mariner/mariner-truncated-2.0-oval.xml", 5),
    ],
)
def test_real_documents_are_read_whole(feeds_dir, archive, member, advisories):
    with ZipFile(feeds_dir / f"fixtures/{archive}.zip") as opened:
        records = parse(opened.read(member), "azurelinux/" + member.rpartition("/")[2])
    assert len(records) == advisories
    assert not any(isinstance(record, Problem) for record in records)
