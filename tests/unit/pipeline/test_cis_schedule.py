"""When a run is due."""

from datetime import UTC, datetime

import pytest

from openinspector.errors import UsageError
from openinspector.pipeline.cis_schedule import next_run

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)  # a Monday
LONDON = {"timeOfDay": "9:30", "timezone": "Europe/London"}


@pytest.mark.parametrize(
    ("schedule", "run"),
    [
        ({"oneTime": {}}, "2026-03-02T10:00"),
        ({"oneTime": {}, "daily": None}, "2026-03-02T10:00"),
        ({"daily": {"startTime": {"timeOfDay": "10:01", "timezone": "UTC"}}}, "2026-03-02T10:01"),
        ({"daily": {"startTime": {"timeOfDay": "10:00", "timezone": "UTC"}}}, "2026-03-03T10:00"),
        ({"daily": {"startTime": {"timeOfDay": "03:00", "timezone": "Asia/Tokyo"}}}, "2026-03-02T18:00"),
        ({"weekly": {"startTime": LONDON, "days": ["MON", "WED"]}}, "2026-03-04T09:30"),
        ({"weekly": {"startTime": LONDON, "days": ["MON"]}}, "2026-03-09T09:30"),
        ({"monthly": {"startTime": LONDON, "day": "TUE"}}, "2026-03-03T09:30"),
        ({"monthly": {"startTime": LONDON, "day": "MON"}}, "2026-04-06T08:30"),  # summer time
    ],
)
def test_the_next_run(schedule, run):
    assert next_run(schedule, NOW) == datetime.fromisoformat(run).replace(tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "", "\0", "/etc"])
def test_a_zone_that_is_none_is_refused(zone):
    with pytest.raises(UsageError):
        next_run({"daily": {"startTime": {"timeOfDay": "10:00", "timezone": zone}}}, NOW)
