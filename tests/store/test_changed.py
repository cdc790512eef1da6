"""Two generations of advisories are compared by what a fleet has, and copies of them are kept."""

import os
from random import Random

import pytest
from msgspec.structs import replace
from tests.store.worlds import FLAWS, records

from openinspector.errors import StoreError
from openinspector.model.distro import SOURCE_NAMES
from openinspector.model.enrichment import Kev
from openinspector.store.changed import both_names, changed_flaws, changed_names
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.diff import diff
from openinspector.store.kept_generations import KeptGenerations
from openinspector.store.part import write_part

NAMES = [
    each
    for namespace, names in (("debian:12", ("demo", "other", "third")), ("redhat:9", ("demo",)), ("pypi", ("flask",)))
    for name in names
    for each in both_names(namespace, name, "")
]


@pytest.fixture
def file(tmp_path):
    """Makes an advisory file of feeds with records."""
    made = []

    def make(feeds):
        folder = tmp_path / f"file-{len(made)}"
        folder.mkdir()
        made.append(folder)
        states = []
        for name, told in feeds.items():
            write_part(folder / f"{name}.sqlite", told)
            states.append(FeedState(name=name, revision=1, digest="", fetched="", parts=(folder / f"{name}.sqlite",)))
        compile_parts(folder / "advisories.sqlite", states, {})
        return folder / "advisories.sqlite"

    return make


@pytest.mark.parametrize("seed", range(8))
def test_names_of_which_something_else_is_said_are_those_that_the_whole_comparison_lists(file, seed):
    chance = Random(seed)
    feeds = records(chance)
    other = {**records(chance), "nvd": feeds["nvd"]}  # what is rejected brings more names back, and is asked for below
    before, after = file(feeds), file(other)
    listed = {(space + (SOURCE_NAMES if kind == "source" else ""), name) for space, name, kind in diff(before, after)}
    assert changed_names(before, after, NAMES) == listed & set(NAMES)
    assert changed_names(before, after, NAMES[:2]) == listed & set(NAMES[:2])
    assert changed_names(before, file(feeds), NAMES) == set()


def test_names_of_a_flaw_that_is_rejected_no_longer_are_looked_up_again(file):
    feeds = records(Random(3))
    rejected = [replace(each, withdrawn="2030-01-02T00:00:00Z") for each in feeds["nvd"]]
    before, after = file({**feeds, "nvd": rejected}), file({**feeds, "nvd": [*rejected[1:], feeds["nvd"][0]]})
    about = {
        (each.namespace + (SOURCE_NAMES if each.kind == "source" else ""), each.name)
        for feed in ("debian_tracker", "redhat-vex", "osv")
        for advisory in feeds.get(feed, ())
        for each in advisory.affected
        if advisory.id == feeds["nvd"][0].id
    }
    assert about
    assert changed_names(before, after, NAMES) & about == about & set(NAMES)


@pytest.mark.parametrize("what", ["nvd", "kev"])
def test_flaws_of_which_something_else_is_said_are_named(file, what):
    feeds = {**records(Random(5)), "kev": []}
    first = feeds["nvd"][0]
    other = {
        "nvd": {**feeds, "nvd": [replace(first, description="In other words."), *feeds["nvd"][1:]]},
        "kev": {**feeds, "kev": [Kev(vulnerability=first.id, date_added="2030-01-01")]},
    }[what]
    before, after = file(feeds), file(other)
    assert changed_flaws(before, after, FLAWS) == {first.id}
    assert changed_flaws(before, after, [each for each in FLAWS if each != first.id]) == set()


def test_scores_are_no_news_of_a_flaw(file):
    feeds = records(Random(5))
    assert changed_flaws(file(feeds), file({**feeds, "epss": []}), FLAWS) == set()


def test_what_is_no_advisory_file_is_refused(file, tmp_path):
    (tmp_path / "other").write_bytes(b"something else")
    with pytest.raises(StoreError, match="not an advisory file"):
        changed_names(tmp_path / "other", file(records(Random(1))), NAMES)


# Copies


def test_a_copy_outlives_the_file_that_took_its_place(tmp_path):
    kept = KeptGenerations(tmp_path / "data")
    place = tmp_path / "advisories.sqlite"
    place.write_text("first")
    kept.keep(place, "sha256:1")
    assert kept.path_of("sha256:1").stat().st_ino == place.stat().st_ino  # it costs nothing
    (tmp_path / "new").write_text("second")
    os.replace(tmp_path / "new", place)
    assert kept.path_of("sha256:1").read_text() == "first"
    assert kept.path_of("sha256:2") is None


def test_only_what_is_wanted_is_kept(tmp_path):
    kept = KeptGenerations(tmp_path)
    (tmp_path / "file").write_text("x")
    for each in ("sha256:1", "sha256:2", "sha256:3"):
        kept.keep(tmp_path / "file", each)
    kept.forget_others(frozenset(("sha256:2", "sha256:4")))
    assert [each for each in ("sha256:1", "sha256:2", "sha256:3") if kept.path_of(each)] == ["sha256:2"]


def test_where_there_are_no_links_the_file_is_copied(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    kept = KeptGenerations(tmp_path / "data")
    (tmp_path / "file").write_text("x")
    kept.keep(tmp_path / "file", "sha256:1")
    assert kept.path_of("sha256:1").read_text() == "x"


def test_a_digest_names_no_other_folder(tmp_path):
    kept = KeptGenerations(tmp_path / "data")
    (tmp_path / "file").write_text("x")
    kept.keep(tmp_path / "file", "../../../evil")
    assert [each.name for each in (tmp_path / "data" / "generations").iterdir()] == ["evil.sqlite"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "generations").write_text("a file")
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="can't be kept"):
        KeptGenerations(tmp_path).keep(tmp_path / "file", "sha256:1")
