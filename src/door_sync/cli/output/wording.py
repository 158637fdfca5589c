"""One step, one card, one person in words (§8, P12).

A card is its keyed tag, a person the contact id; names only where a person asked to see them.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from door_sync.app.report import CycleReport
from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import PolicyId, UserId
from door_sync.core.custody import IMPORT_FAILED
from door_sync.core.names import name_of, tidy
from door_sync.core.people import ContactId
from door_sync.core.reports import IMPORT_SETTLED_BY
from door_sync.core.steps import (
    ActivateUser,
    BindCard,
    Blocked,
    ChangeClass,
    CreateUser,
    DeactivateUser,
    FreeCard,
    HolderShown,
    ImportCard,
    NewUser,
    OnRefusal,
    ReclaimCard,
    SetPolicies,
    Step,
    UpdateProfile,
    UserRef,
)
from door_sync.core.tags import card_tag


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a class of change means to one person, to several, and once it is done."""

    one: str
    many: str
    done: str

    def of(self, people: int, *, is_done: bool = False) -> str:
        """Return the words for so many people."""
        if is_done:
            return self.done
        return self.one if people == 1 else self.many


MEANS = {
    ChangeClass.REVOKE: Meaning("loses access", "lose access", "lost access"),
    ChangeClass.GRANT: Meaning("gains access", "gain access", "gained access"),
    ChangeClass.RESTORE: Meaning("gets access back", "get access back", "got access back"),
    ChangeClass.POLICY: Meaning("changes tier", "change tier", "changed tier"),
    ChangeClass.CARD: Meaning("changes card", "change card", "changed card"),
    ChangeClass.PROFILE: Meaning(
        "changes name or address", "change name or address", "changed name or address"
    ),
}


@dataclass(frozen=True)
class Wording:
    """Puts the parts of one report into words."""

    report: CycleReport
    shows_names: bool = False

    def person(self, contact_id: ContactId) -> str:
        """Return `contact 42`, with the name behind it where names are shown."""
        name = self.name(contact_id) if self.shows_names else ""
        return f"contact {contact_id} ({name})" if name else f"contact {contact_id}"

    def name(self, contact_id: ContactId) -> str:
        """Return the name in CiviCRM, else the one in the controller, else nothing."""
        if self.report.decision is None or self.report.world is None:
            return ""
        verdict = self.report.decision.verdicts.get(contact_id)
        if verdict is not None and verdict.member is not None:
            name = name_of(verdict.member)
            return harmless(f"{name.first} {name.last}")
        for user in self.report.world.snapshot.users_of.get(contact_id, ()):
            return harmless(tidy(f"{user.first_name} {user.last_name}"))
        return ""

    def card(self, card: CardNumber | CardToken) -> str:
        """Return `card #a1b2c3`, or what there is to say of a card without a number."""
        number = card if isinstance(card, CardNumber) else self._number(card)
        if number is None:
            return "a card enrolled by hand"
        return f"card #{card_tag(self.report.key, number)}"

    def _number(self, token: CardToken) -> CardNumber | None:
        if self.report.world is None:
            return None
        card = self.report.world.snapshot.card.get(token)
        return card.number if card is not None else None

    def policy(self, policy_id: PolicyId) -> str:
        """Return a policy's name, or its id where names may not be read."""
        policies = self.report.world.snapshot.policies if self.report.world is not None else None
        names = {policy.id: policy.name for policy in policies or ()}
        return f"'{harmless(names[policy_id])}'" if policy_id in names else policy_id

    def user(self, ref: UserRef) -> str:
        """Return which user a step is about."""
        return "the new user" if isinstance(ref, NewUser) else f"user {_short(ref)}"

    def step(self, step: Step) -> str:
        """Return one intended write in words."""
        match step:
            case FreeCard():
                again = ", if it is not off by then" if step.on_refusal is OnRefusal.SHUT else ""
                return f"take {self.card(step.token)} off {self.user(step.user)}{again}"
            case DeactivateUser():
                return f"deactivate {self.user(step.user)}"
            case ImportCard():
                return f"import {self.card(step.number)}"
            case CreateUser():
                return "create a user" + (" with e-mail address" if step.email else "")
            case UpdateProfile():
                return f"write {_fields(step)} of {self.user(step.user)}"
            case ActivateUser():
                return f"activate {self.user(step.user)}"
            case BindCard():
                return f"bind {self.card(step.number)} to {self.user(step.user)}"
            case ReclaimCard():
                return (
                    f"take {self.card(step.number)} back from deactivated user "
                    f"{_short(step.holder)} and bind it to {self.user(step.user)}"
                )
            case SetPolicies():
                kept = ", keeping those given by hand" if step.keeps_others else ""
                if step.policy is None:
                    return f"take the policies off {self.user(step.user)}{kept}"
                return f"give {self.user(step.user)} the policy {self.policy(step.policy)}{kept}"
            case _:
                assert_never(step)

    def holder(self, holder: HolderShown) -> str:
        """Return who holds a card: by contact id or user id, with the status (R3)."""
        if holder.visitor_id is not None:
            return f"visitor {holder.visitor_id}"
        status = holder.status.value if holder.status is not None else "status unknown"
        if holder.contact_id is not None:
            return f"{self.person(holder.contact_id)}, {status}"
        return f"user {holder.user_id}, not managed by door-sync, {status}"

    def blocked(self, blocked: Blocked) -> str:
        """Return a blocked card as one line with what settles it."""
        line = f"{self.person(blocked.contact_id)}: {self.card(blocked.number)} is blocked; "
        line += blocked.reason
        if blocked.holder is not None:
            line += f" ({self.holder(blocked.holder)})"
        if blocked.leaves_no_card:
            line += f". Contact {blocked.contact_id} has no working card"
        return f"{line}. {self._settles(blocked)}"

    def _settles(self, blocked: Blocked) -> str:
        decision = self.report.decision
        if blocked.waits_for_hold and decision is not None:
            digest = self.report.hold_digest
            return f"It waits for the held plan {digest}, in which the card becomes free"
        if blocked.holder is not None and blocked.holder.visitor_id is not None:
            return "Take the card off the visitor in the controller, or give another card number"
        if blocked.holder is not None:
            return (
                "Ask the holder to return it and free it in the controller, or correct the card "
                "number in CiviCRM"
            )
        if blocked.reason == IMPORT_FAILED:
            return IMPORT_SETTLED_BY
        return "Look at the card in the controller, or correct the card number in CiviCRM"


def tally_of(classes: Iterable[ChangeClass], *, is_done: bool = False) -> str:
    """Return how many people changes of these classes concern, class by class."""
    count = Counter(classes)
    return ", ".join(
        f"{counted(count[one], 'person', 'people')} {MEANS[one].of(count[one], is_done=is_done)}"
        for one in ChangeClass
        if count[one]
    )


def harmless(text: str) -> str:
    """Return a text without what could steer a terminal or break a line: such characters go, and
    blanks of any kind become plain ones."""
    return "".join(c if c.isprintable() else " " * c.isspace() for c in text)


def _fields(step: UpdateProfile) -> str:
    parts = []
    if step.first_name is not None:
        parts.append("the name")
    if step.email is not None:
        parts.append("the e-mail address" if step.email else "an empty e-mail address")
    return " and ".join(parts)


def _short(user_id: UserId) -> str:
    """Return the first part of a user id: enough for a person to find it."""
    return user_id.split("-", maxsplit=1)[0] if len(user_id) == 36 else user_id


def counted(number: int, one: str, many: str) -> str:
    """Return a number with its noun: `1 person`, `3 people`."""
    return f"{number} {one if number == 1 else many}"
