"""What `status` says besides: when the next cycle is due, and how both sides answered last.

All of it comes from the settings and the journal. Neither system tells when a key ends, and nobody
is asked here (P7): `doctor` asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from door_sync.cli.output.times import ago, local
from door_sync.cli.output.wording import counted
from door_sync.journal.standing import Standing

MISSED: Final = 3
"""After so many cadences without the beginning of a cycle, nobody seems to run them."""

_SHOWN_OF_A_PIN: Final = 11
"""Four bytes are enough to compare with what a console shows."""


@dataclass(frozen=True, slots=True)
class NextCycle:
    """When the next cycle should begin; None before the first, and while one is running.

    `is_missed` says that nobody seems to run cycles.
    """

    due: datetime | None
    is_missed: bool = False


def next_cycle(standing: Standing, cadence: timedelta, now: datetime) -> NextCycle:
    """Given how the site stands, return when the next cycle is due.

    A beginning that lies ahead was written by a clock that was wrong, and says nothing.
    """
    if standing.running is not None or standing.last is None or standing.last.started > now:
        return NextCycle(None)
    due = standing.last.started + cadence
    return NextCycle(max(due, now), is_missed=now - standing.last.started > MISSED * cadence)


def next_line(standing: Standing, cadence: timedelta, now: datetime) -> list[str]:
    """Return one line on the next cycle; none where there is nothing to say."""
    found = next_cycle(standing, cadence, now)
    if found.due is None or standing.last is None:
        return []
    every = _span(cadence)
    if found.is_missed:
        began = ago(standing.last.started, now)
        text = (
            f"Next cycle: nobody seems to run them. The last began {began}, and one is due every "
        )
        return [f"{text}{every}: `systemctl status door-sync` says whether the service runs."]
    if found.due == now:
        return [f"Next cycle: due now; one begins every {every} while the service runs."]
    return [f"Next cycle: {local(found.due)}, as one begins every {every} while the service runs."]


def _span(cadence: timedelta) -> str:
    seconds = int(cadence.total_seconds())
    if seconds % 60:
        return counted(seconds, "second", "seconds")
    return counted(seconds // 60, "minute", "minutes")


def answered_line(standing: Standing, now: datetime) -> str:
    """Return when both sides last answered well, which their keys and certificates did too."""
    if standing.answered_at is None:
        return (
            "Keys and certificates: neither side has been read well yet; `door-sync doctor` asks."
        )
    when = f"{local(standing.answered_at)} ({ago(standing.answered_at, now)})"
    return (
        f"Keys and certificates: good when both sides were last read well, {when}. "
        "`door-sync doctor` tries them now."
    )


def pins_line(pins: Sequence[str]) -> str:
    """Return which certificate the controller must show."""
    shown = ", ".join(f"{pin[:_SHOWN_OF_A_PIN]}…" for pin in pins)
    if len(pins) == 1:
        return f"Controller: pinned to the certificate {shown}"
    return (
        f"Controller: pinned to {len(pins)} certificates, {shown} Take out the old one once the "
        "new one is in use."
    )
