"""Moments as people read them: the local time, and how long ago."""

from datetime import datetime, timedelta

_UNITS = (
    (timedelta(days=1), "day", "days"),
    (timedelta(hours=1), "hour", "hours"),
    (timedelta(minutes=1), "minute", "minutes"),
)


def local(moment: datetime) -> str:
    """Return `2026-11-22 23:05 +01:00`: local, with what tells it from every other zone."""
    here = moment.astimezone()
    return here.strftime("%Y-%m-%d %H:%M ") + here.isoformat()[-6:]


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago a moment was, in its largest unit: `3 hours ago`, `just now`.

    A moment in the future, which a clock that was wrong leaves behind, is said to be one.
    """
    age = now - moment
    if age < -timedelta(minutes=1):
        return "in the future, by this machine's clock"
    for unit, one, many in _UNITS:
        if age >= unit:
            number = age // unit
            return f"{number} {one if number == 1 else many} ago"
    return "just now"
