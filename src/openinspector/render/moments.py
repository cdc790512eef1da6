"""Moments that may be none, as publishers' dates are, and their spelling in events."""

from datetime import datetime
from typing import Final

from openinspector.model.moment import moment_text, read_moment

# Not the locale's: events are in English everywhere.
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def moment(text: str) -> datetime | None:
    """An aware moment in UTC, None for what is none; a day alone is its beginning."""
    try:
        return read_moment(text)
    except (ValueError, OverflowError):  # year 1 with an offset lies before all time
        return None


def precise(text: str) -> str:
    """The same moment as nouns write it, `2026-03-02T10:13:58.120345Z`; "" for what is none."""
    read = moment(text)
    return moment_text(read) if read else ""


def spelled(at: datetime) -> str:
    """`Wed Sep 04 16:59:44.356 UTC 2024`: a moment in UTC as findings in events have it."""
    clock = f"{at.hour:02}:{at.minute:02}:{at.second:02}.{at.microsecond // 1000:03}"
    return f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at.day:02} {clock} UTC {at.year:04}"
