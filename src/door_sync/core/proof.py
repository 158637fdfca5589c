"""What a read-back must show after the writes of a cycle (P10).

Said means done: each write that was accepted leaves an expectation, and a user who was just read
either meets all of them or the person's change has failed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from door_sync.core.addresses import normal
from door_sync.core.cards import CardToken
from door_sync.core.controller import PolicyId, User, UserStatus
from door_sync.core.names import tidy
from door_sync.core.people import ContactId


@dataclass
class Expectation:
    """What one user must look like now. None means that nothing was said about it.

    `contact_id` is whose user it was when the plan was made. `gave_way`: a card of this disabled
    user was taken by force, so that a user who is enabled by now was wronged (P3).
    """

    contact_id: ContactId | None = None
    gave_way: bool = False
    status: UserStatus | None = None
    status_was_unknown: bool = False
    holds: set[CardToken] = field(default_factory=set)
    lacks: set[CardToken] = field(default_factory=set)
    managed_policies: frozenset[PolicyId] | None = None
    kept_policies: frozenset[PolicyId] = frozenset()
    first_name: str | None = field(default=None, repr=False)
    last_name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)

    def gained(self, token: CardToken) -> None:
        """Expect the card to be there, whatever was expected of it before."""
        self.lacks.discard(token)
        self.holds.add(token)

    def lost(self, token: CardToken) -> None:
        """Expect the card to be gone, whatever was expected of it before."""
        self.holds.discard(token)
        self.lacks.add(token)


def mismatches(
    expected: Expectation, user: User | None, managed: frozenset[PolicyId]
) -> tuple[str, ...]:
    """Given what was written and the user as read back, return what does not match, in words.

    A user whose row shows no status cannot prove its deactivation; a row without cards must do
    for it (R2).
    """
    if user is None:
        was_holder_alone = expected == Expectation(gave_way=True)
        return () if was_holder_alone else ("the user is not there any more",)
    return tuple(_mismatches(expected, user, managed))


def _mismatches(expected: Expectation, user: User, managed: frozenset[PolicyId]) -> Iterable[str]:
    shown = set(user.tokens)
    if expected.contact_id is not None and user.contact_id != expected.contact_id:
        yield "somebody gave it another employee number, or none, while it was being written to"
    if expected.gave_way and user.status is not UserStatus.DEACTIVATED:
        yield f"its card was taken by force and the status reads {user.status.value} by now"
    if expected.status is not None and user.status is not expected.status:
        if user.status is UserStatus.UNKNOWN and expected.status_was_unknown:
            if shown:
                yield "the user shows no status and still has cards"
        else:
            yield f"the status reads {user.status.value}, not {expected.status.value}"
    if expected.lacks & shown:
        yield f"{len(expected.lacks & shown)} cards that were freed are still on the user"
    if expected.holds - shown:
        yield f"{len(expected.holds - shown)} cards that were bound are not on the user"
    if expected.managed_policies is not None:
        if managed.intersection(user.policy_ids) != expected.managed_policies:
            yield "the policies of tiers are not those that were written"
        if expected.kept_policies.difference(user.policy_ids):
            yield "a policy given by hand got lost"
    names = ((expected.first_name, user.first_name), (expected.last_name, user.last_name))
    if any(wanted is not None and tidy(wanted) != tidy(read) for wanted, read in names):
        yield "the name is not the one that was written"
    if expected.email is not None and normal(expected.email) != normal(user.email):
        yield "the e-mail address is not the one that was written"
