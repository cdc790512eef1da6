"""Whose word counts where several feeds speak of one package, and which edition of one record."""

import pytest

from openinspector.model.advisory import Advisory, Affected, Range
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.diff import diff
from openinspector.store.part import write_part
from openinspector.versions.order import scheme

KEY = {"deb": scheme("deb").key, "rpm": scheme("rpm").key}


def generation(tmp_path, name="a.sqlite", **feeds):
    """A file from feed → list of documents, each a list of records; `osv__replace` has editions."""
    states = []
    for feed, documents in feeds.items():
        parts = []
        for at, records in enumerate(documents):
            parts.append(tmp_path / f"{name}-{feed}-{at}.part")
            write_part(parts[-1], records)
        title, _, replaces = feed.partition("__")
        state = FeedState(
            name=title.replace("_vex", "-vex"), revision=1, digest=f"{name}{feed}", fetched="",
            parts=tuple(parts), replaces=bool(replaces),
        )  # fmt: skip
        states.append(state)
    compile_parts(tmp_path / name, states, {})
    return AdvisoryFile(tmp_path / name)


def debian(identity, fixed="", state="affected", name="curl", about=None, **more):
    ranges = (Range(fixed=fixed),) if fixed else ()
    entry = Affected(namespace="debian:12", name=name, kind="source", ranges=ranges, state=state)
    return Advisory(id=identity, vulnerabilities=about or (identity,), affected=(entry,), **more)


def reported(file, version, namespace="debian:12#src", name="curl", rule="deb"):
    return sorted(
        (each.feed, vulnerability)
        for each in file.candidates(namespace, name, KEY[rule](version))
        for vulnerability in each.vulnerabilities
    )


def test_the_tracker_overrules_what_the_export_says_of_the_same_flaw(tmp_path):
    file = generation(
        tmp_path,
        debian_tracker=[[debian("CVE-2024-1", "1.2-1")]],
        osv=[[debian("DEBIAN-CVE-2024-1", "1.3-1", about=("CVE-2024-1",)), debian("CVE-2024-2", "1.3-1")]],
    )
    assert reported(file, "1.1-1") == [("debian_tracker", "CVE-2024-1"), ("osv", "CVE-2024-2")]
    assert reported(file, "1.2-1") == [("osv", "CVE-2024-2")]


def test_the_authority_says_not_affected(tmp_path):
    tracker = debian("CVE-2024-1", state="not_affected")
    file = generation(tmp_path, debian_tracker=[[tracker]], osv=[[debian("CVE-2024-1", "9")]])
    assert reported(file, "1") == []
    (overruled,) = file.overruled_ranges("debian:12#src", "curl")
    assert (overruled.feed, overruled.vulnerabilities) == ("osv", ("CVE-2024-1",))
    (unaffected,) = file.unaffected("debian:12#src", "curl")
    assert (unaffected.feed, unaffected.state) == ("debian_tracker", "not_affected")


def test_an_authority_that_still_looks_overrules_nothing(tmp_path):
    tracker = debian("CVE-2024-1", state="under_investigation")
    file = generation(tmp_path, debian_tracker=[[tracker]], osv=[[debian("CVE-2024-1", "9")]])
    assert ("osv", "CVE-2024-1") in reported(file, "1")


def test_an_announcement_of_several_flaws_is_overruled_for_those_that_the_authority_knows(tmp_path):
    announced = debian("DSA-1-1", "1.5-1", about=("CVE-2024-1", "CVE-2024-2"))
    file = generation(tmp_path, debian_tracker=[[debian("CVE-2024-1", "1.2-1")]], osv=[[announced]])
    assert reported(file, "1.4-1") == [("osv", "CVE-2024-2")]
    (overruled,) = file.overruled_ranges("debian:12#src", "curl")
    assert overruled.vulnerabilities == ("CVE-2024-1",)


def test_a_feed_that_no_family_names_comes_last(tmp_path):
    file = generation(tmp_path, osv=[[debian("CVE-2024-1", "1")]], mine=[[debian("CVE-2024-1", "2")]])
    assert reported(file, "1") == []


def test_a_language_ecosystem_has_no_authority(tmp_path):
    def gem(identity, fixed):
        entry = Affected(namespace="gem", name="rack", ranges=(Range(fixed=fixed),))
        return Advisory(id=identity, vulnerabilities=("CVE-2024-1",), affected=(entry,))

    file = generation(tmp_path, osv=[[gem("GHSA-1", "2")]], rubysec=[[gem("CVE-2024-1", "3")]])
    found = file.candidates("gem", "rack", scheme("gem").key("2.5"))
    assert [each.feed for each in found] == ["rubysec"]


def rpm(identity, fixed="", module="", repository="", state="affected"):
    ranges = (Range(fixed=fixed),) if fixed else ()
    entry = Affected(
        namespace="redhat:9", name="nodejs", ranges=ranges, module=module, repository=repository, state=state
    )
    return Advisory(id=identity, vulnerabilities=("CVE-2024-1",), affected=(entry,))


@pytest.mark.parametrize(
    ("module", "repository", "left"),
    [("nodejs:18", "", []), ("nodejs:20", "", ["osv"]), ("nodejs:18", "eus:9.2", ["osv"])],
)
def test_a_word_counts_for_its_own_module_stream_and_repository(tmp_path, module, repository, left):
    file = generation(
        tmp_path,
        redhat_vex=[[rpm("REDHAT-CVE-2024-1", module="nodejs:18", state="not_affected")]],
        osv=[[rpm("RHSA-1", "9", module, repository)]],
    )
    assert [feed for feed, _ in reported(file, "1-1", "redhat:9", "nodejs", "rpm")] == left


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_editions_of_a_record_the_one_last_modified_is_in_force(tmp_path, order):
    editions = [[debian("CVE-2024-1", "1", modified="2024-01-01T00:00:00Z")],
                [debian("CVE-2024-1", "2", modified="2024-02-01T00:00:00Z")]]  # fmt: skip
    file = generation(tmp_path, osv__replace=[editions[at] for at in order])
    (candidate,) = file.all_ranges("debian:12#src", "curl")
    assert candidate.bound == "2"
    assert file.feeds()[0]["advisories"] == 1


@pytest.mark.parametrize(("day", "left"), [("2024-03-01T00:00:00Z", 0), ("2023-12-01T00:00:00Z", 1)])
def test_a_withdrawal_ends_the_editions_before_it(tmp_path, day, left):
    alive = debian("CVE-2024-1", "2", modified="2024-02-01T00:00:00Z")
    file = generation(tmp_path, osv__replace=[[alive], [Advisory(id="CVE-2024-1", withdrawn=day)]])
    assert len(file.all_ranges("debian:12#src", "curl")) == left


def test_a_feed_whose_documents_share_an_advisory_adds_them_up(tmp_path):
    file = generation(tmp_path, osv=[[debian("DSA-1", "1")], [debian("DSA-1", "1", name="wget")]])
    assert file.all_ranges("debian:12#src", "curl")
    assert file.all_ranges("debian:12#src", "wget")


def test_a_change_of_whose_word_counts_is_a_difference(tmp_path):
    announced = debian("DSA-1-1", "1.5-1", about=("CVE-2024-1", "CVE-2024-2"))
    before = generation(tmp_path, "before", osv=[[announced]], debian_tracker=[[debian("CVE-2024-3", "1")]])
    silent = debian("CVE-2024-1", state="not_affected")
    tracker = [[debian("CVE-2024-3", "1"), silent]]
    after = generation(tmp_path, "after", osv=[[announced]], debian_tracker=tracker)
    assert diff(before.path, after.path) == [("debian:12", "curl", "source")]
