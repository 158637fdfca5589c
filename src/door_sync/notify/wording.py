"""What a message says: a short subject, and the three sentences of its cause (P12)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from door_sync.core.causes import Cause, Identity
from door_sync.notify.alerts import Kind, Message, Policy

TITLES: Final[Mapping[Identity, str]] = {
    Identity.JOURNAL: "no cycle runs, because its record cannot be kept",
    Identity.FAULT: "a cycle broke off with a fault of the program",
    Identity.SOURCE: "CiviCRM cannot be read or believed",
    Identity.TARGET: "the controller cannot be read or believed",
    Identity.STOPPED: "a cycle could not be run",
    Identity.HELD: "changes wait for a person's word",
    Identity.PEOPLE_FAILED: "changes for some people failed",
    Identity.NOT_CONVERGING: "something undoes what door-sync writes",
    Identity.BLOCKED: "cards are blocked",
    Identity.STALE: "memberships ended but are still called active",
    Identity.FILES: "a file that tells about cycles cannot be written",
    Identity.CHANNEL: "alerts could not be sent",
}
"""Each cause in a few words, for a subject."""

_SUBJECTS: Final = {
    Kind.BEGIN: "{}",
    Kind.REMINDER: "Reminder: {}",
    Kind.RESOLVED: "Resolved: {}",
}


def subject_of(message: Message) -> str:
    """Return the subject of a message, without the site's own prefix."""
    title = TITLES[message.about.identity]
    text = _SUBJECTS[message.kind].format(title)
    return text[0].upper() + text[1:]


def text_of(message: Message, policy: Policy, now: datetime) -> str:
    """Return the text of a message: what it is, then what comes next."""
    about = message.about
    title = TITLES[about.identity]
    if message.kind is Kind.RESOLVED:
        return (
            f"This is over: {title}.\n\n"
            f"It was first found on {day_and_time(about.began)}, and is not found any more on "
            f"{day_and_time(now)}. Nothing has to be done about it.\n\n"
            f"The last that was found: {about.cause.happened}\n"
        )
    opening = "door-sync needs a person."
    if message.kind is Kind.REMINDER:
        opening = f"door-sync still needs a person, since {day_and_time(about.began)}."
    return f"{opening}\n\n{paragraphs(about.cause)}\n{_next_message(policy.reminder)}\n"


def paragraphs(cause: Cause) -> str:
    """Return the three sentences of a cause, each on a line of its own."""
    return (
        f"What happened: {cause.happened}\n"
        f"What it means for the doors: {cause.doors}\n"
        f"What settles it: {cause.settles}\n"
    )


def day_and_time(moment: datetime) -> str:
    """Return a moment as people read it, in UTC to the minute."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _next_message(reminder: timedelta | None) -> str:
    if reminder is None:
        return "The next message about this comes when it is over."
    hours = reminder.total_seconds() / 3600
    every = "every hour" if hours == 1 else f"every {hours:g} hours"
    return f"While it lasts a reminder comes {every}, and a last message when it is over."
