"""How far a clock is off, in words."""

from datetime import UTC, datetime, timedelta

import pytest

from door_sync.app.checkup.check import Name, Verdict
from door_sync.app.checkup.clocks import clock_check
from door_sync.http import Reply

NOW = datetime(2026, 11, 22, 23, 5, tzinfo=UTC)


def looked(date: str) -> tuple[Verdict, str]:
    reply = Reply(200, {"date": date}, b"")
    found = clock_check(Name.CIVICRM_CLOCK, "CiviCRM", reply, NOW)
    return found.verdict, found.text


@pytest.mark.parametrize(
    ("ahead", "verdict", "length"),
    [
        (timedelta(minutes=2), Verdict.WARN, "2 minutes"),
        (timedelta(minutes=60), Verdict.WARN, "1 hour"),
        (timedelta(minutes=61), Verdict.BAD, "1 hour"),
        (timedelta(days=1), Verdict.BAD, "1 day"),
        (timedelta(days=400), Verdict.BAD, "400 days"),
    ],
)
def test_two_minutes_are_worth_a_look_and_more_than_an_hour_is_a_fault(
    ahead: timedelta, verdict: Verdict, length: str
) -> None:
    for sign, word in ((1, "ahead of"), (-1, "behind")):
        told = f"{NOW + sign * ahead:%a, %d %b %Y %H:%M:%S} GMT"
        text = f"CiviCRM's clock is {length} {word} this machine's"
        assert looked(told) == (verdict, text)


@pytest.mark.parametrize("seconds", [0, 119, -119])
def test_less_is_none(seconds: int) -> None:
    told = f"{NOW + timedelta(seconds=seconds):%a, %d %b %Y %H:%M:%S} GMT"
    assert looked(told) == (Verdict.OK, "it agrees with this machine's within 2 minutes")


def test_a_date_without_a_zone_is_in_utc_and_nonsense_is_none() -> None:
    assert looked("Sun, 22 Nov 2026 23:05:00")[0] is Verdict.OK
    for nonsense in ("", "yesterday", "Sun, 99 Nov 2026 23:05:00 GMT"):
        assert looked(nonsense)[0] is Verdict.UNKNOWN
