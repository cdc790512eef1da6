"""When a CIS configuration's next run is due.

Source: Inspector's API reference, Schedule (`oneTime`, `daily`, `weekly`, `monthly`). The reference doesn't say which
of a month's Mondays a monthly run is on; here it is the first.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from openinspector.errors import UsageError

_WEEK: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")  # as `date.weekday` counts
_FARTHEST: Final = 63  # days: a first Monday is at most 35 days after the last, and two months hold one for certain


def next_run(schedule: Mapping[str, Any], now: datetime) -> datetime:
    """The first moment after `now` (aware) that a schedule names; `now` itself for a run that is to be at once.

    Where clocks are put forward over the time of day, the run is as much later; where they are put back, at the first.

    Raises:
        UsageError: There is no such time zone.
    """
    ((kind, details),) = ((kind, details) for kind, details in schedule.items() if details is not None)
    if kind == "oneTime":
        return now
    start = details["startTime"]
    zone = _zone(start["timezone"])
    hour, minute = (int(part) for part in start["timeOfDay"].split(":"))
    today = now.astimezone(zone).date()
    for ahead in range(_FARTHEST):
        day = today + timedelta(days=ahead)
        run = datetime.combine(day, time(hour, minute), zone).astimezone(UTC)
        if run > now and _is_named(kind, details, day):
            return run
    raise UsageError(f"a schedule of kind {kind} names no day")


def _is_named(kind: str, details: Mapping[str, Any], day: date) -> bool:
    """Whether a run is on a day."""
    match kind:
        case "weekly":
            return _WEEK[day.weekday()] in details["days"]
        case "monthly":
            return _WEEK[day.weekday()] == details["day"] and day.day <= len(_WEEK)
        case _:
            return True


def _zone(name: str) -> Any:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(f"{name} is no time zone that is known here: name one as Europe/London or UTC") from error
