"""How long revocations take, as `status` and `history` tell it (P10)."""

from datetime import datetime, timedelta
from typing import Final

from door_sync.app.sentences import named
from door_sync.cli.output.times import ago, local
from door_sync.journal.revocations import RevocationTimes

SPAN: Final = timedelta(days=90)
"""Over how long the times of revocations are told."""

SHOWN: Final = 5
"""So many people without proof are named."""


def times_line(times: RevocationTimes) -> str:
    """Return one line on the revocations that were proven."""
    if times.p50_seconds is None or times.p95_seconds is None:
        return f"Revocations: none in the last {SPAN.days} days."
    half, most = lasting(times.p50_seconds), lasting(times.p95_seconds)
    return (
        f"Revocations: {times.count} in the last {SPAN.days} days; half were proven within {half}, "
        f"95 of 100 within {most}, from the cycle that learned of each."
    )


def unproven_line(times: RevocationTimes, now: datetime) -> str:
    """Return one line on the revocations that nobody has proof of yet, the oldest first."""
    waiting = times.unproven
    if not waiting:
        return "Not proven yet: none."
    oldest = waiting[0]
    people = named(one.contact_id for one in waiting[:SHOWN])
    more = f" and {len(waiting) - SHOWN} more" if len(waiting) > SHOWN else ""
    held = sum(one.is_held for one in waiting)
    why = ""
    if held:
        why = " held by a guard," if held == len(waiting) else f" {held} of them held by a guard,"
    since = f"the oldest known since {local(oldest.since)} ({ago(oldest.since, now)})"
    return f"Not proven yet: {people}{more},{why} {since}. They may still open doors."


def times_text(times: RevocationTimes, now: datetime) -> str:
    """Return what stands below a list of cycles: nothing where there is nothing to tell."""
    lines = [times_line(times)] if times.count else []
    lines += [unproven_line(times, now)] if times.unproven else []
    return "".join(f"\n{line}" for line in lines) + ("\n" if lines else "")


def lasting(seconds: float) -> str:
    """Return a duration in its largest fitting unit: `4.2 s`, `12 min`, `26 h`, `3 days`."""
    if seconds < 0.1:
        return "0.1 s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    if seconds < 2 * 86400:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} days"


def times_json(times: RevocationTimes) -> dict[str, object]:
    """Return the same for scripts, in seconds."""
    return {
        "days": SPAN.days,
        "count": times.count,
        "p50_seconds": times.p50_seconds,
        "p95_seconds": times.p95_seconds,
        "oldest_unproven": None
        if times.oldest_unproven is None
        else times.oldest_unproven.isoformat(timespec="seconds"),
        "unproven": [
            {
                "contact": one.contact_id,
                "since": one.since.isoformat(timespec="seconds"),
                "held": one.is_held,
            }
            for one in times.unproven
        ],
    }
