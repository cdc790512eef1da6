"""Debian's lists of advisories."""

import gzip
from io import BytesIO

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.debian_dsa import PLUGIN
from openinspector.model.advisory import Advisory, Range
from openinspector.model.problem import Problem

PATH = "debian/security-tracker/data/DSA/list"


def parse(text):
    return list(PLUGIN.parse(Document(path=PATH, stream=BytesIO(text.encode()))))


def test_a_release_that_the_tracker_dropped_gets_its_fix_from_here():
    (advisory,) = parse(
        "[14 Jul 2019] DSA-4480-1 redis - security update\n"
        "\t{CVE-2019-10192 CVE-2019-10193}\n"
        "\t[stretch] - redis 3:3.2.6-3+deb9u3\n"
        "\t[buster] - redis 5:5.0.3-4+deb10u1\n"
        "\tNOTE: a note\n"
    )
    assert advisory.id == "DSA-4480-1"
    assert advisory.vulnerabilities == ("CVE-2019-10192", "CVE-2019-10193")
    assert advisory.title == "redis - security update"
    assert advisory.published == "2019-07-14T00:00:00Z"
    assert [(each.namespace, each.name, each.kind, each.ranges) for each in advisory.affected] == [
        ("debian:9", "redis", "source", (Range(fixed="3:3.2.6-3+deb9u3"),)),
        ("debian:10", "redis", "source", (Range(fixed="5:5.0.3-4+deb10u1"),)),
    ]


def test_a_release_that_the_tracker_follows_is_left_to_it():
    (advisory,) = parse(
        "[29 Mar 2023] DSA-5380-1 xorg-server - security update\n\t{CVE-2023-1393}\n"
        "\t[bullseye] - xorg-server 2:1.20.11-1+deb11u6\n"
    )
    assert advisory.vulnerabilities == ("CVE-2023-1393",)
    assert advisory.affected == ()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("\t[wheezy] - curl  7.26.0-1+wheezy5", ("debian:7", "affected", (Range(fixed="7.26.0-1+wheezy5"),))),
        ("        [squeeze] - curl 1.2-3", ("debian:6", "affected", (Range(fixed="1.2-3"),))),
        ("\t[jessie] - curl <end-of-life>", ("debian:8", "end_of_life", ())),
        ("\t[jessie] - curl <unfixed>", ("debian:8", "affected", ())),
        ("\t[woody] - curl 1.2-3 ", ("debian:3.0", "affected", (Range(fixed="1.2-3"),))),
    ],
)
def test_a_line_states_a_release(line, expected):
    (advisory,) = parse(f"[01 Jan 2015] DSA-1-1 curl - security update\n\t{{CVE-2015-0001}}\n{line}\n")
    assert [(each.namespace, each.state, each.ranges) for each in advisory.affected] == [expected]


def test_not_affected_states_nothing():
    (advisory,) = parse(
        "[01 Jan 2009] DSA-1-1 vlc - x\n\t{CVE-2009-0001}\n\t[lenny] - vlc <not-affected> (Code not present)\n"
    )
    assert advisory.affected == ()


def test_announcements_and_repairs_are_no_advisories():
    found = parse(
        "[18 Apr 2018] DSA-4205-1 jessie end-of-life\n\tNOTE: end of security support for jessie\n"
        "[17 Mar 2023] DSA-5356-2 sox - regression update\n\t{CVE-2019-13590}\n\t[buster] - sox 14.4.2\n"
        "[02 Jul 2002] DSA-135 libapache-mod-ssl -- buffer overflow / DoS\n\t{CVE-2002-0653}\n\t[woody] - a 2.8.9-2\n"
    )
    assert [each.id for each in found] == ["DSA-135"]


def test_what_makes_no_sense_is_counted_and_not_taken_for_the_entry_before():
    advisory, problem = parse(
        "[19 Jul 2021] DLA-2711-1 thunderbird - security update\n\t{CVE-2021-29969}\n\t[stretch] - thunderbird 1:78\n"
        "\t[nonesuch] - thunderbird 1:78\n\tgibberish\n"
        "[19 Jul 2021] MALFORMED HEADER\n\t{CVE-2021-30547}\n\t[stretch] - other 1\n"
    )
    assert advisory.vulnerabilities == ("CVE-2021-29969",)
    assert len(advisory.affected) == 1
    assert isinstance(problem, Problem)
    assert problem.count == 5


@pytest.mark.parametrize("text", ["", "<html>", "[broken"])
def test_what_is_no_list_is_an_error(text):
    with pytest.raises(FeedError):
        parse(text)


@pytest.mark.feeds
@pytest.mark.parametrize(("kind", "advisories", "entries"), [("DSA", 5_298, 6_422), ("DLA", 3_385, 3_390)])
def test_the_real_lists_are_read_whole(feeds_dir, kind, advisories, entries):
    path = f"debian/security-tracker/data/{kind}/list.gz"
    with (feeds_dir / path).open("rb") as stream:
        found = list(PLUGIN.parse(Document(path=path, stream=stream)))
    assert not [each for each in found if isinstance(each, Problem)]
    assert len({each.id for each in found}) == len(found) == advisories
    assert sum(len(each.affected) for each in found) == entries


@pytest.mark.feeds
def test_the_real_list_has_the_spot_checked_flaws(feeds_dir):
    with gzip.open(feeds_dir / f"{PATH}.gz") as stream:
        found = [each for each in PLUGIN.parse(Document(path=PATH, stream=stream)) if isinstance(each, Advisory)]
    heartbleed = next(each for each in found if each.id == "DSA-2896-1")
    assert heartbleed.vulnerabilities == ("CVE-2014-0160",)
    assert [(each.namespace, each.ranges[0].fixed) for each in heartbleed.affected] == [("debian:7", "1.0.1e-2+deb7u5")]
