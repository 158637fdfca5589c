"""Times as text: UTC with a fixed width, so that the order of texts is the order of times."""

from datetime import UTC, datetime


def time_text(moment: datetime) -> str:
    """Return a moment as ISO 8601 in UTC with microseconds; raise ValueError without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def time_from(text: str) -> datetime:
    """Return the moment that a text names; one without a zone is taken as UTC.

    Raise ValueError if it is no ISO 8601 time.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
