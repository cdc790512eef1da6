import re
from datetime import date

import pytest

from openinspector.model.distro import FAMILIES
from openinspector.model.eol import END_OF_LIFE, end_of_life


def test_every_entry_is_a_day_of_a_known_family():
    for release, day in END_OF_LIFE.items():
        assert date.fromisoformat(day).isoformat() == day, release
        assert release.partition(":")[0] in FAMILIES.keys() | {"centos", "centos-stream"}


def test_later_releases_end_later():
    for family in ("alpine", "debian", "fedora", "redhat", "rocky", "almalinux", "oracle", "opensuse-leap", "photon"):
        releases = [release for release in END_OF_LIFE if release.startswith(family + ":")]
        days = [END_OF_LIFE[release] for release in releases]
        assert days == sorted(days)


def test_a_release_is_written_as_its_family_writes_it():
    shape = {"major": r"\d+", "minor": r"\d+(\.\d+)?", "whole": r".+"}
    for key in END_OF_LIFE:
        family, _, release = key.partition(":")
        known = FAMILIES.get(family)
        assert re.fullmatch(shape[known.release if known else "major"], release), key
        assert known is None or known.release != "rolling", key


def test_no_release_ends_before_its_family_began_or_after_anybody_can_know():
    for release, day in END_OF_LIFE.items():
        assert "2004-01-01" < day < "2036-01-01", release


@pytest.mark.parametrize(
    "release",
    "debian:13 ubuntu:24.04 ubuntu:26.04 alpine:3.19 alpine:3.24 amazon:2 amazon:2023 redhat:10 centos:8"
    " centos-stream:9 rocky:10 almalinux:10 oracle:10 fedora:41 fedora:44 sles:15.7 sles:16.0 opensuse-leap:16.0"
    " photon:4.0 mariner:2.0 azurelinux:3.0".split(),
)
def test_releases_that_are_met_today_have_a_day(release):
    assert end_of_life(release)


def test_rolling_releases_never_end():
    for release in ("wolfi", "chainguard", "bottlerocket", "opensuse-tumbleweed", "alpine:edge", "debian:sid"):
        assert end_of_life(release) == ""


def test_free_support_counts_and_paid_does_not():
    assert end_of_life("debian:10") == "2024-06-30"  # LTS, not ELTS
    assert end_of_life("ubuntu:18.04") == "2023-05-31"  # not Pro
    assert end_of_life("redhat:7") == "2024-06-30"  # not ELS
    assert end_of_life("sles:15.5") == "2024-12-31"  # not LTSS
    assert end_of_life("debian:99") == ""
