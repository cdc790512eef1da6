"""Words and dates of publishers."""

import pytest

from openinspector.feeds.purl import rpm_purl
from openinspector.feeds.text import clipped, cves_in, distinct, evr, is_cve, iso, shown


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2018-01-11 21:05:00", "2018-01-11T21:05:00Z"),
        ("2018-01-11 21:05", "2018-01-11T21:05:00Z"),
        ("2018-01-11", "2018-01-11T00:00:00Z"),
        ("20070125", "2007-01-25T00:00:00Z"),
        ("2024-05-14T15:45:11.543", "2024-05-14T15:45:11Z"),
        ("2024-05-14T15:45:11.543Z", "2024-05-14T15:45:11Z"),
        ("2024-08-04T10:17:22+00:00", "2024-08-04T10:17:22Z"),
        ("2024-08-04T10:17:22+02:00", "2024-08-04T08:17:22Z"),
        ("2025-11-27T09:11:22.820964+00:00", "2025-11-27T09:11:22Z"),
        ("", ""),
        ("soon", ""),
        ("2024-99-99x", ""),
        ("0001-01-01T00:00:00+14:00", ""),
    ],
)
def test_dates_are_read_as_utc(written, read):
    assert iso(written) == read


@pytest.mark.parametrize("name", ["CVE-2021-44228", "CVE-1999-0001", "CVE-2024-1234567"])
def test_a_cve_is_one(name):
    assert is_cve(name)


@pytest.mark.parametrize(
    "name",
    ["", "CVE-2021", "CVE-2021-123", "CVE-2019-3828-0001", "UNK-1", "CVE-PENDING", "cve-2021-44228", "CVE-2021-١٢٣٤"],
)
def test_other_names_are_no_cve(name):
    assert not is_cve(name)


def test_cves_are_found_in_text_once():
    assert cves_in("(CVE-2021-44228), CVE-2021-45046; CVE-2021-44228 CVE-20 CVE-") == (
        "CVE-2021-44228",
        "CVE-2021-45046",
    )


def test_short_texts_are_whole_and_long_ones_cut_at_a_word():
    assert clipped(" short ") == "short"
    assert clipped("one two three", 9) == "one two…"
    assert len(clipped("x" * 5000)) == 2000


def test_an_epoch_of_zero_is_left_out():
    assert [evr(epoch, "1", "2") for epoch in ("", "0", "1", "(none)")] == ["1-2", "1-2", "1:1-2", "1-2"]


def test_distinct_keeps_order_and_bound():
    assert distinct(["b", "", "a", "b", "c"], 2) == ("b", "a")


def test_a_quoted_value_is_short_and_on_one_line():
    assert shown("a\nb") == r"'a\nb'"
    assert len(shown("x" * 1_000_000)) < 100


def test_an_rpm_purl_is_taken_apart():
    purl = rpm_purl("pkg:rpm/redhat/lib%2B@1.0%2Bgit-3.el8?arch=x86_64&epoch=32&rpmmod=nodejs%3A18:1:a")
    assert purl is not None
    assert (purl.name, purl.version) == ("lib+", "1.0+git-3.el8")
    assert purl.qualifiers == {"arch": "x86_64", "epoch": "32", "rpmmod": "nodejs:18:1:a"}
    assert rpm_purl("pkg:oci/ubi8@sha256:1") is None
    assert rpm_purl("") is None
