"""A vulnerability is told in the words of those who describe it, not of those who announce updates."""

from openinspector.match.describe import describe
from openinspector.model.advisory import Advisory, Cvss

VECTOR = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"


def test_the_flaws_own_records_tell_and_updates_do_not():
    record = Advisory(id="GHSA-1", title="The flaw", severity="MODERATE", cvss=(Cvss(vector=VECTOR, source="ghsa"),))
    update = Advisory(id="RHSA-1", title="An update for many things", severity="Critical")
    about = describe("CVE-1", (), [("osv", update), ("osv", record)])
    assert (about.title, about.severities) == ("The flaw", (("osv", "MODERATE"),))
    assert [each.vector for each in about.cvss] == [VECTOR]


def test_an_update_tells_where_nobody_else_does():
    about = describe("CVE-1", (), [("osv", Advisory(id="RHSA-1", title="An update"))])
    assert about.title == "An update"
