"""Moments as text: ISO 8601 in UTC with microseconds, `2024-05-15T20:17:48.602000Z`, so that texts sort as times do."""

from datetime import UTC, datetime


def moment_text(moment: datetime) -> str:
    """The one spelling of a moment that nouns hold.

    Raises:
        ValueError: The moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def read_moment(text: str) -> datetime:
    """The moment that a text means; one without a zone is meant in UTC.

    Raises:
        ValueError: It is no moment.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
