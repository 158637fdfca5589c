"""What messages say (P12, P14)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from door_sync.core.causes import Cause, Identity, Standing
from door_sync.notify.alerts import Kind, Message, Policy
from door_sync.notify.wording import TITLES, day_and_time, subject_of, text_of

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
HELD = Standing(Cause(Identity.HELD, "Seven.", "All stay.", "Look."), NOW - timedelta(days=2))


def message(kind: Kind) -> Message:
    return Message(kind, HELD)


@pytest.mark.parametrize("identity", Identity)
@pytest.mark.parametrize("kind", Kind)
def test_each_subject_is_one_short_line_that_begins_with_a_capital_letter(
    identity: Identity, kind: Kind
) -> None:
    one = Message(kind, Standing(Cause(identity, "It.", "", ""), NOW))
    assert TITLES[identity][1:] in subject_of(one)
    assert len(subject_of(one)) < 80
    assert subject_of(one)[0].isupper()
    assert "\n" not in subject_of(one)


def test_the_three_kinds_are_told_apart_by_their_subject() -> None:
    assert [subject_of(message(kind)) for kind in Kind] == [
        "Changes wait for a person's word",
        "Reminder: changes wait for a person's word",
        "Resolved: changes wait for a person's word",
    ]


def test_a_beginning_says_what_happened_and_what_comes_next() -> None:
    assert text_of(message(Kind.BEGIN), Policy(), NOW) == (
        "door-sync needs a person.\n\n"
        "What happened: Seven.\n"
        "What it means for the doors: All stay.\n"
        "What settles it: Look.\n\n"
        "While it lasts a reminder comes every 24 hours, and a last message when it is over.\n"
    )


def test_a_reminder_says_since_when() -> None:
    text = text_of(message(Kind.REMINDER), Policy(reminder=timedelta(hours=1)), NOW)
    assert text.startswith("door-sync still needs a person, since 2026-11-20 12:30 UTC.\n")
    assert "a reminder comes every hour," in text


def test_an_end_says_from_when_to_when_and_asks_for_nothing() -> None:
    text = text_of(message(Kind.RESOLVED), Policy(), NOW)
    assert "first found on 2026-11-20 12:30 UTC" in text
    assert "not found any more on 2026-11-22 12:30 UTC" in text
    assert "Nothing has to be done" in text
    assert "Seven." in text


def test_without_reminders_none_is_promised() -> None:
    text = text_of(message(Kind.BEGIN), Policy(reminder=None), NOW)
    assert "reminder" not in text
    assert "when it is over" in text


def test_times_are_told_in_utc() -> None:
    zone = timezone(timedelta(hours=2))
    assert day_and_time(datetime(2026, 7, 1, 1, 5, tzinfo=zone)) == "2026-06-30 23:05 UTC"
