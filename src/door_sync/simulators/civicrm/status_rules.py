"""Which status the dates of a membership give it, and whom the status job passes over (§7)."""

from calendar import monthrange
from collections.abc import Iterable
from datetime import date, timedelta

from door_sync.simulators.civicrm.records import DurationUnit, Membership, MembershipStatus

SKIPPED_STATUSES = frozenset({"Pending", "Cancelled", "Expired", "Deceased"})
"""Statuses the job never changes; Expired is never brought back."""


def shifted(day: date, unit: DurationUnit | None, interval: int | None) -> date:
    """Return `day` moved by a duration; the last day of a shorter month stands for a later one."""
    if unit is None or interval is None or unit == "lifetime":
        return day
    if unit == "day":
        return day + timedelta(days=interval)
    months = day.year * 12 + day.month - 1 + interval * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def status_by_dates(
    membership: Membership, statuses: Iterable[MembershipStatus], today: date
) -> MembershipStatus | None:
    """Return the first active status, by weight, whose dates include `today`; None if none does.

    Reserved and administrative statuses are set by people, never by dates.
    """
    for status in sorted(statuses, key=lambda status: status.weight):
        if status.is_active and not status.is_admin and not status.is_reserved:
            begins = _moment(membership, status, "start")
            ends = _moment(membership, status, "end")
            if begins is not None and begins <= today and (ends is None or today <= ends):
                return status
    return None


def _moment(membership: Membership, status: MembershipStatus, side: str) -> date | None:
    event = getattr(status, f"{side}_event")
    day = getattr(membership, event) if event else None
    if day is None:
        return None
    unit = getattr(status, f"{side}_event_adjust_unit")
    return shifted(day, unit, getattr(status, f"{side}_event_adjust_interval"))
