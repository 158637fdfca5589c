"""The report of who can open what: the controller's lists beside what CiviCRM says.

Nothing is written. The controller's part comes even where CiviCRM cannot be read, and says so then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from door_sync.app.cycle import Parts, Progress, dry_run
from door_sync.core.access import AccessReading, Opening, Openings, Visit, doors_told, openings
from door_sync.core.controller import PolicyId, User, UserStatus
from door_sync.core.names import tidy
from door_sync.core.people import ContactId
from door_sync.core.tiers import Deny, Grant, Skip, Unknown, Verdict
from door_sync.ports import DoorSyncError


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One person who can open something, in words. `name` is the controller's.

    `kind` is member (managed), user (not managed) or visitor. `tier` is what CiviCRM says.
    `policies` are names, with a mark on those that no tier rule names. `doors` are names.
    """

    kind: str
    id: str
    name: str = field(repr=False)
    status: str
    contact_id: ContactId | None
    tier: str
    cards: int
    other_ways: tuple[str, ...]
    policies: tuple[str, ...]
    doors: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class AccessReport:
    """Everybody who can open something. `gaps` say what could not be read, in sentences.

    `doors` tells how many people open each door; `error` is why CiviCRM's part is missing.
    """

    at: datetime
    rows: tuple[AccessRow, ...]
    doors: Mapping[str, int]
    shut: int
    to_come: int
    gaps: tuple[str, ...]
    error: DoorSyncError | None = None


def access_report(parts: Parts, progress: Progress | None = None) -> AccessReport:
    """Read the controller and CiviCRM and put them side by side.

    Raise ControllerError if the controller cannot be read.
    """
    progress = progress or Progress()
    progress.stage("Reading what the doors go by")
    reading = parts.controller.read_access()
    decided = dry_run(parts, progress)
    decision = decided.decision
    verdicts = decision.verdicts if decision is not None else None
    managed = decision.policies.managed if decision is not None else None
    found = openings(reading)
    return AccessReport(
        at=parts.clock.now(),
        rows=tuple(_row(one, verdicts, managed) for one in found.people),
        doors=doors_told(found.people),
        shut=found.shut,
        to_come=found.to_come,
        gaps=tuple(_gaps(reading, found)),
        error=decided.error,
    )


def _row(
    one: Opening,
    verdicts: Mapping[ContactId, Verdict] | None,
    managed: frozenset[PolicyId] | None,
) -> AccessRow:
    person = one.person
    contact_id = person.contact_id if isinstance(person, User) else None
    verdict = verdicts.get(contact_id) if verdicts is not None and contact_id is not None else None
    remarks = []
    if verdict is not None and isinstance(verdict.entitlement, Deny):
        remarks.append("CiviCRM gives no access; the next cycle ends it, unless a guard holds that")
    if person.status is UserStatus.UNKNOWN:
        remarks.append("the controller shows no status, which counts as active")
    if one.unnamed:
        remarks.append("covers places whose doors cannot be told, such as the whole building")
    return AccessRow(
        kind=_kind(person),
        id=person.id,
        name=tidy(f"{person.first_name} {person.last_name}"),
        status=person.status.value if isinstance(person, User) else person.status,
        contact_id=contact_id,
        tier=_tier(contact_id, verdict, is_read=verdicts is not None),
        cards=one.ways.cards,
        other_ways=_other_ways(one),
        policies=tuple(
            policy.name + ("" if managed is None or policy.id in managed else " (by hand)")
            for policy in one.policies
        ),
        doors=one.doors,
        remarks=tuple(remarks),
    )


def _kind(person: User | Visit) -> str:
    if isinstance(person, Visit):
        return "visitor"
    return "user" if person.contact_id is None else "member"


def _other_ways(one: Opening) -> tuple[str, ...]:
    ways = one.ways
    found = [
        ("PIN", ways.has_pin),
        ("touch pass", ways.has_touch_pass),
        ("licence plate", ways.plates > 0),
    ]
    return tuple(name for name, is_there in found if is_there)


def _tier(contact_id: ContactId | None, verdict: Verdict | None, *, is_read: bool) -> str:
    if contact_id is None:
        return ""
    if not is_read:
        return "not known"
    match verdict.entitlement if verdict is not None else None:
        case Grant(tier=tier):
            return tier
        case Deny(reason):
            return f"no access: {reason}"
        case Skip(tier):
            return f"{tier} (day pass)"
        case Unknown(reason):
            return f"not known: {reason}"
        case _:
            return "not known"


def _gaps(reading: AccessReading, found: Openings) -> list[str]:
    right = "give the key the right {} to see them"
    gaps = []
    if reading.visits is None:
        gaps.append(f"Visitors are missing: {right.format('Visitor: View')}.")
    if reading.policies is None:
        gaps.append(
            "Policies and their doors are missing, so everybody with a policy is listed: "
            f"{right.format('Access Policy: View')}."
        )
    if reading.doors is None or reading.door_groups is None:
        gaps.append(
            "Doors are shown by their ids, and groups of doors not at all: "
            f"{right.format('Locations: View')}."
        )
    elif any(one.unnamed for one in found.people) and reading.policies is not None:
        gaps.append(
            "Some policies or visits cover a place that the controller does not list, most likely "
            "the whole building."
        )
    if reading.user_groups is None:
        gaps.append("Policies that users have through groups are missing: this Access is too old.")
    return gaps
