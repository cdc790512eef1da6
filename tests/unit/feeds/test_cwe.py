"""Names of weaknesses."""

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.cwe import PLUGIN
from openinspector.model.enrichment import WeaknessName
from openinspector.model.problem import Problem

CATALOGUE = """<?xml version="1.0"?><Weakness_Catalog Name="CWE" Version="4.15" xmlns="http://cwe.mitre.org/cwe-7">
<Weaknesses><Weakness ID="79" Name="Cross-site Scripting"><Description>x<b/></Description></Weakness>{more}</Weaknesses>
<Categories><Category ID="310" Name="Cryptographic Issues"/></Categories><Views><View ID="1" Name="no"/>
</Views></Weakness_Catalog>"""


def parse(members):
    stream = BytesIO()
    with ZipFile(stream, "w", ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return list(PLUGIN.parse(Document(path="cwe/cwec.xml.zip", stream=stream)))


def test_weaknesses_and_categories_are_named():
    assert parse({"cwec_v4.15.xml": CATALOGUE.format(more="")}) == [
        WeaknessName(id="CWE-79", name="Cross-site Scripting"),
        WeaknessName(id="CWE-310", name="Cryptographic Issues"),
    ]


def test_a_weakness_without_number_or_name_is_a_problem():
    records = parse({"a.xml": CATALOGUE.format(more='<Weakness ID="x" Name="y"/><Weakness ID="1"/>')})
    assert sum(isinstance(each, Problem) for each in records) == 2


@pytest.mark.parametrize("members", [{}, {"a.txt": "x"}, {"a.xml": "<a/>"}, {"a.xml": "no"}])
def test_an_archive_without_catalogue_is_a_feed_error(members):
    with pytest.raises(FeedError):
        parse(members)


def test_entities_are_a_feed_error():
    bomb = '<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>' + CATALOGUE.partition("?>")[2].format(more="&b;")
    with pytest.raises(FeedError):
        parse({"a.xml": bomb})


@pytest.mark.feeds
def test_the_real_catalogue_is_read_whole(feeds_dir):
    with (feeds_dir / "cwe/cwec.xml.zip").open("rb") as stream:
        names = {each.id: each.name for each in PLUGIN.parse(Document(path="cwe/cwec.xml.zip", stream=stream))}
    assert len(names) == 1373
    assert names["CWE-22"].startswith("Improper Limitation of a Pathname")
    assert "CWE-399" in names
