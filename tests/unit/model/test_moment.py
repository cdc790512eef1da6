"""Moments as text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from openinspector.model.moment import moment_text, read_moment


def test_texts_sort_as_moments_do_and_read_back():
    moments = [datetime(999, 1, 2, tzinfo=UTC), datetime(2026, 3, 1, 12, tzinfo=UTC)]
    moments += [
        moments[1] + timedelta(microseconds=1),
        datetime(2026, 3, 1, 14, 0, 1, tzinfo=timezone(timedelta(hours=2))),
    ]
    texts = [moment_text(each) for each in moments]
    assert texts == sorted(texts)
    assert [read_moment(each) for each in texts] == moments


def test_a_moment_is_written_in_utc_with_microseconds():
    assert moment_text(datetime(2026, 3, 1, 14, tzinfo=timezone(timedelta(hours=2)))) == "2026-03-01T12:00:00.000000Z"


def test_a_moment_without_a_zone_is_not_written_and_is_read_as_utc():
    with pytest.raises(ValueError, match="no time zone"):
        moment_text(datetime(2026, 3, 1))  # noqa: DTZ001
    assert read_moment("2026-03-01") == datetime(2026, 3, 1, tzinfo=UTC)
