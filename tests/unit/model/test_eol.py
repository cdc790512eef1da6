from datetime import date

from openinspector.model.distro import FAMILIES
from openinspector.model.eol import END_OF_LIFE, end_of_life


def test_every_entry_is_a_day_of_a_known_family():
    for release, day in END_OF_LIFE.items():
        assert date.fromisoformat(day).isoformat() == day, release
        assert release.partition(":")[0] in FAMILIES.keys() | {"centos", "centos-stream"}


def test_later_releases_of_alpine_and_debian_end_later():
    for family in ("alpine", "debian", "fedora"):
        releases = [release for release in END_OF_LIFE if release.startswith(family + ":")]
        days = [END_OF_LIFE[release] for release in releases]
        assert days == sorted(days)


def test_free_support_counts_and_paid_does_not():
    assert end_of_life("debian:10") == "2024-06-30"  # LTS, not ELTS
    assert end_of_life("ubuntu:18.04") == "2023-05-31"  # not Pro
    assert end_of_life("debian:99") == ""
