"""How long revocations take, in words and for scripts."""

from datetime import UTC, datetime, timedelta

import pytest

from door_sync.cli.output.revocations import (
    SHOWN,
    lasting,
    times_json,
    times_line,
    times_text,
    unproven_line,
)
from door_sync.core.people import ContactId
from door_sync.journal.revocations import RevocationTimes, Unproven

NOW = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)


def unproven(*held: bool) -> RevocationTimes:
    """People of whom nobody has proof, each known an hour later than the one before."""
    return RevocationTimes(
        0,
        None,
        None,
        tuple(
            Unproven(ContactId(number), NOW - timedelta(hours=30 - number), is_held)
            for number, is_held in enumerate(held, start=1)
        ),
    )


def test_proven_ones_are_one_line() -> None:
    text = times_line(RevocationTimes(31, 4.21, 7200, ()))
    assert text.startswith("Revocations: 31 in the last 90 days; half were proven within 4.2 s, ")
    assert "95 of 100 within 2 h" in text
    assert times_line(unproven()) == "Revocations: none in the last 90 days."


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ((False,), "contact 1, the oldest"),
        ((True, True), "contacts 1, 2, held by a guard, the oldest"),
        ((True, False), "contacts 1, 2, 1 of them held by a guard, the oldest"),
        ((False,) * 7, "and 2 more, the oldest"),
    ],
)
def test_those_without_proof_are_named_and_why_they_wait(
    held: tuple[bool, ...], words: str
) -> None:
    text = unproven_line(unproven(*held), NOW)
    assert words in text
    assert "(1 day ago). They may still open doors." in text
    assert len(unproven(*held).unproven) <= SHOWN or f"contact {SHOWN + 1}" not in text


def test_nothing_to_tell_is_said_by_status_and_left_out_by_history() -> None:
    assert unproven_line(unproven(), NOW) == "Not proven yet: none."
    assert times_text(unproven(), NOW) == ""
    assert times_text(unproven(True), NOW).startswith("\nNot proven yet: contact 1")
    assert times_text(RevocationTimes(1, 1, 1, ()), NOW).startswith("\nRevocations: 1 in")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.1 s"), (4.21, "4.2 s"), (600, "10 min"), (90_000, "25 h"), (200_000, "2 days")],
)
def test_a_duration_has_the_unit_that_fits(seconds: float, text: str) -> None:
    assert lasting(seconds) == text


def test_scripts_get_seconds_and_moments() -> None:
    content = times_json(unproven(True))
    assert content["oldest_unproven"] == (NOW - timedelta(hours=29)).isoformat(timespec="seconds")
    assert content["unproven"] == [
        {"contact": 1, "since": content["oldest_unproven"], "held": True}
    ]
    proven = times_json(RevocationTimes(2, 1.5, 3.0, ()))
    assert (proven["count"], proven["p50_seconds"], proven["p95_seconds"]) == (2, 1.5, 3.0)
    assert proven["oldest_unproven"] is None
