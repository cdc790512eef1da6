"""Small rules for the words and dates of publishers."""

from collections.abc import Iterable
from typing import Final

MAX_DESCRIPTION: Final = 2000  # characters
MAX_REFERENCES: Final = 20

_QUOTED: Final = 80  # characters
_DAY: Final = 10  # len("2023-10-11")


def clipped(description: str, limit: int = MAX_DESCRIPTION) -> str:
    """A description without white space around it, cut at a word where it is longer than `limit` characters."""
    description = description.strip()
    if len(description) <= limit:
        return description
    cut = description[: limit - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > limit // 2 else cut).rstrip() + "…"


def shown(value: str) -> str:
    """A value as a message quotes it: on one line and short, whatever it holds."""
    return repr(value if len(value) <= _QUOTED else value[: _QUOTED - 1] + "…")


def distinct(values: Iterable[str], limit: int | None = None) -> tuple[str, ...]:
    """The values in their order, each once, without empty ones, at most `limit` of them."""
    return tuple(dict.fromkeys(value for value in values if value))[:limit]


def iso(date: str) -> str:
    """A publisher's date in ours, `2023-10-11T00:00:00Z`; "" for what is no date.

    Read are `2023-10-11`, `20231011` and `2023-10-11 21:05`, with `T` or a space, with or without seconds and
    fractions, with `Z`, an offset or nothing (which is taken as UTC).
    """
    date = date.strip()
    if len(date) == 8 and _is_number(date):
        date = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    day, time = date[:_DAY], date[_DAY + 1 :]
    # Nearly all are plain UTC: no need to make a datetime of them.
    if _is_day(day) and date[_DAY : _DAY + 1] in ("", "T", " "):
        if not time:
            return f"{day}T00:00:00Z"
        clock = time.removesuffix("Z").removesuffix("+00:00").removesuffix("+0000").partition(".")[0]
        if len(clock) == 5 and clock[2] == ":":
            clock += ":00"
        if len(clock) == 8 and clock[2] == clock[5] == ":" and _is_number(clock.replace(":", "")):
            return f"{day}T{clock}Z"
    return _iso_with_offset(date)


def _is_day(day: str) -> bool:
    return (
        len(day) == _DAY
        and day[4] == day[7] == "-"
        and _is_number(day.replace("-", ""))
        and "01" <= day[5:7] <= "12"
        and "01" <= day[8:] <= "31"
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _iso_with_offset(date: str) -> str:
    from datetime import UTC, datetime

    try:
        read = datetime.fromisoformat(date)
        read = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return ""
    return read.strftime("%Y-%m-%dT%H:%M:%SZ")


def is_cve(name: str) -> bool:
    """Is this a CVE id, `CVE-2021-44228`?"""
    parts = name.split("-")
    return (
        len(parts) == 3
        and parts[0] == "CVE"
        and len(parts[1]) == 4
        and _is_number(parts[1])
        and 4 <= len(parts[2]) <= 19
        and _is_number(parts[2])
    )


def cves_in(text: str) -> tuple[str, ...]:
    """The CVE ids that a text names, in the order of their first mention."""
    found: list[str] = []
    start = text.find("CVE-")
    while start >= 0:
        end = start + 4
        while end < len(text) and (text[end] == "-" or text[end].isdigit()):
            end += 1
        name = text[start:end].rstrip("-")
        if is_cve(name):
            found.append(name)
        start = text.find("CVE-", end)
    return distinct(found)


def evr(epoch: str, version: str, release: str) -> str:
    """An RPM's `epoch:version-release`; an epoch of 0 is left out, as everywhere in our records."""
    name = f"{version}-{release}" if release else version
    return name if epoch in ("", "0", "(none)") else f"{epoch}:{name}"


def without_zero_epoch(version: str) -> str:
    """An RPM's version in one piece, as `evr` writes it."""
    return version.removeprefix("0:")


def is_debug(package: str) -> bool:
    """Does an RPM hold debugging symbols only? Publishers list those beside the packages that they were split from."""
    return "-debuginfo" in package or package.endswith("-debugsource")
