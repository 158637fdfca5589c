"""Whether the clocks of both sides agree with this machine's (HTTP's header Date)."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from door_sync.app.checkup.check import Check, Name, bad, good, not_asked, warning
from door_sync.http import Reply

WORTH_A_LOOK: Final = timedelta(minutes=2)
TOO_FAR: Final = timedelta(hours=1)

_REMEDY: Final = (
    "Compare both with a watch. This machine sets its clock by itself after `sudo timedatectl "
    "set-ntp true`; the other one belongs to its administrator."
)


def clock_check(name: Name, whose: str, reply: Reply, now: datetime) -> Check:
    """Given a reply that came at `now`, say how far its sender's clock is from this machine's.

    Membership ends by CiviCRM's clock, policies open by the controller's, and what happened when
    is told by this machine's: an hour apart is a fault.
    """
    theirs = _sent_at(reply)
    if theirs is None:
        return not_asked(name, f"{whose} does not say what time it is")
    apart = theirs - now
    if abs(apart) < WORTH_A_LOOK:
        return good(name, f"it agrees with this machine's within {_length(WORTH_A_LOOK)}")
    direction = "ahead of" if apart > timedelta() else "behind"
    text = f"{whose}'s clock is {_length(abs(apart))} {direction} this machine's"
    return bad(name, text, _REMEDY) if abs(apart) > TOO_FAR else warning(name, text, _REMEDY)


def _sent_at(reply: Reply) -> datetime | None:
    try:
        moment = parsedate_to_datetime(reply.header("date") or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _length(span: timedelta) -> str:
    """Return a span of a minute or more in its largest unit."""
    units = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"))
    unit, word = next((one for one in units if span >= one[0]), (timedelta(minutes=1), "minute"))
    number = round(span / unit)
    return f"{number} {word}" + ("" if number == 1 else "s")
