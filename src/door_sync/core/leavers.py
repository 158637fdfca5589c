"""Who must lose access, and of whom that is over: what revocation time is measured by (P10)."""

from collections.abc import Collection
from dataclasses import dataclass

from door_sync.core.controller import Snapshot, UserStatus
from door_sync.core.decision import Decision
from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass, contacts
from door_sync.core.tiers import Deny, Grant, Skip


@dataclass(frozen=True, slots=True)
class Leavers:
    """What one cycle learned about people who must lose their access.

    `learned` are those that the cycle would revoke, also if a guard holds it. Of those of whom an
    earlier cycle had learned it and nobody had proof: `shut` are those whom this read shows without
    access, `entitled` those who should keep it after all. The others are waited for.
    """

    learned: frozenset[ContactId] = frozenset()
    shut: frozenset[ContactId] = frozenset()
    entitled: frozenset[ContactId] = frozenset()


def leavers(decision: Decision, snapshot: Snapshot, waiting: Collection[ContactId]) -> Leavers:
    """Given what was decided, and of whom an earlier cycle learned it, return what is known now.

    A read that a guard doubts makes nobody entitled again: a shrunken list comes and goes, and the
    wait of those who really left goes on. What the controller shows is proof all the same.
    """
    learned = frozenset(contacts(decision.full.of_class(ChangeClass.REVOKE)))
    rest = frozenset(waiting) - learned
    shut = frozenset(one for one in rest if _is_shut(one, decision, snapshot))
    entitled = frozenset(one for one in rest - shut if _is_entitled(one, decision))
    return Leavers(learned, shut, entitled)


def _is_shut(contact_id: ContactId, decision: Decision, snapshot: Snapshot) -> bool:
    verdict = decision.verdicts.get(contact_id)
    if verdict is not None and isinstance(verdict.entitlement, Deny):
        return True  # with anything left to shut, the plan would say so; no status is R2's case
    users = snapshot.users_of.get(contact_id, ())
    return all(user.status is UserStatus.DEACTIVATED for user in users)


def _is_entitled(contact_id: ContactId, decision: Decision) -> bool:
    verdict = decision.verdicts.get(contact_id)
    is_so = verdict is not None and isinstance(verdict.entitlement, Grant | Skip)
    return is_so and not decision.is_in_doubt
