"""What `status` says of the next cycle, of keys and certificates, from the journal alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from door_sync.cli.output.facts import (
    MISSED,
    NextCycle,
    answered_line,
    next_cycle,
    next_line,
    pins_line,
)
from door_sync.journal.standing import LastCycle, Standing

NOW = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
CADENCE = timedelta(minutes=10)


def cycle(ago: timedelta) -> LastCycle:
    return LastCycle("c", NOW - ago, NOW - ago, "applied", "")


def standing(last: LastCycle | None = None) -> Standing:
    return Standing(
        running=None,
        last=last,
        last_good=last,
        good_since=None,
        died_in=None,
        is_at=None,
        is_provisioning=False,
        answered_at=None,
        alerts=(),
    )


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (timedelta(minutes=4), NextCycle(NOW + timedelta(minutes=6))),
        (CADENCE, NextCycle(NOW)),
        (MISSED * CADENCE, NextCycle(NOW)),
        (MISSED * CADENCE + timedelta(seconds=1), NextCycle(NOW, is_missed=True)),
        (-timedelta(minutes=1), NextCycle(None)),
    ],
)
def test_the_next_cycle_is_due_a_cadence_after_the_last_began(
    ago: timedelta, expected: NextCycle
) -> None:
    """A beginning in the future is a wrong clock's, and says nothing."""
    assert next_cycle(standing(cycle(ago)), CADENCE, NOW) == expected


def test_before_the_first_cycle_and_during_one_none_is_due() -> None:
    assert next_line(standing(), CADENCE, NOW) == []
    during = replace(standing(cycle(CADENCE)), running=cycle(timedelta(hours=9)))
    assert next_line(during, CADENCE, NOW) == []


def test_each_case_has_its_words() -> None:
    [soon] = next_line(standing(cycle(timedelta(minutes=4))), CADENCE, NOW)
    assert "as one begins every 10 minutes while the service runs" in soon
    [due] = next_line(standing(cycle(CADENCE)), timedelta(seconds=90), NOW)
    assert due.startswith("Next cycle: nobody seems to run them. The last began 10 minutes ago")
    assert "every 90 seconds: `systemctl status door-sync`" in due
    [now] = next_line(standing(cycle(CADENCE)), CADENCE, NOW)
    assert now.startswith("Next cycle: due now")


def test_keys_and_certificates_were_good_when_both_sides_were_read_well() -> None:
    assert "neither side has been read well yet" in answered_line(standing(), NOW)
    read = replace(standing(), answered_at=NOW - timedelta(hours=2))
    assert "(2 hours ago). `door-sync doctor` tries them now." in answered_line(read, NOW)


def test_pins_are_shown_by_their_first_bytes() -> None:
    one, other = "AB:CD:EF:01:23", "01:23:45:67:89"
    assert pins_line([one]) == "Controller: pinned to the certificate AB:CD:EF:01…"
    assert "pinned to 2 certificates, AB:CD:EF:01…, 01:23:45:67…" in pins_line([one, other])
