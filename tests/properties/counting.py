"""How much a cycle changed, counted at the controller and held to the budgets of §6.

Written without door-sync's own guards: who belongs to which group is worked out from the membership
list and from what the controller carried out.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from door_sync.simulators.unifi.journal import Entry
from tests.club import Club
from tests.properties.office import Budgets, Name
from tests.properties.truth import Standing, is_managed
from tests.properties.witness import Sight

GROUPS = {
    "revoke": "deactivate",
    "grant": "add",
    "restore": "add",
    "policy": "policy",
    "card": "card",
    "profile": "profile",
}
"""The budget that each class of changes counts against."""

OF_GROUP = {
    "deactivate": {"deactivate-user"},
    "add": {"create-user", "activate-user"},
    "policy": {"set-policies"},
    "card": {"bind-card", "reclaim-card", "free-card"},
    "profile": {"update-profile"},
}
"""Kinds of writes that are nothing else but a change of this group."""


@dataclass(frozen=True)
class Start:
    """The controller before a cycle: how many count, and who has neither a card nor a tier."""

    active: int
    half_made: frozenset[int]


@dataclass(frozen=True)
class _Done:
    at: datetime
    contact: int
    group: str


@dataclass
class Tally:
    """What was changed in the last 24 hours that nobody approved. `is_new`: the site is still being
    filled for the first time."""

    budgets: Budgets
    is_new: bool = True
    _done: list[_Done] = field(default_factory=list)

    def add(
        self,
        start: Start,
        changed: Mapping[str, set[int]],
        free: Collection[Name],
        cut_off: Collection[int],
        now: datetime,
    ) -> None:
        """Count what one cycle changed; `free` are changes that a person approved."""
        allowed = {(contact, GROUPS[change]) for contact, change in free}
        self._done = [one for one in self._done if now - one.at < timedelta(hours=24)]
        for group, people in changed.items():
            if group == "add" and self.is_new:
                continue
            counted = {one for one in people if (one, group) not in allowed and one not in cut_off}
            if not counted:
                continue
            lately = {one.contact for one in self._done if one.group == group}
            self._hold(group, len(counted), start.active, 1)
            self._hold(group, len(counted | lately), start.active, 2)
            self._done += [_Done(now, one, group) for one in counted]

    def _hold(self, group: str, people: int, base: int, days: int) -> None:
        """`days`: 1 for a cycle, 2 for a day, in which twice as much may be."""
        budgets = self.budgets
        if people <= days * budgets.few:
            return
        if base < budgets.floor:
            assert group != "deactivate", f"§6: {people} lost access at a site of {base}"
            return
        share = days * getattr(budgets, group)
        assert people <= share * base + 1e-9, f"§6: {people} of {base} {group}, {share:.0%} allowed"


def start(club: Club) -> Start:
    """Look at the controller before a cycle."""
    world = club.unifi.world
    managed = [user for user in world.users if is_managed(user.employee_number)]
    tiers = {club.gold, club.silver}
    return Start(
        active=sum(
            user.status not in ("DEACTIVATED", "PENDING") or "status" in user.missing
            for user in managed
        ),
        half_made=frozenset(
            int(user.employee_number)
            for user in managed
            if tiers.isdisjoint(user.policy_ids)
            and not any(c.holder is not None and c.holder.id == user.id for c in world.cards)
        ),
    )


def changed(
    writes: Iterable[tuple[Sight, Entry]], found: Mapping[int, Standing], before: Start
) -> dict[str, set[int]]:
    """Return who was changed, by group: what the controller carried out."""
    kinds: dict[int, set[str]] = {}
    for sight, entry in writes:
        if entry.carried_out and sight.contact is not None:
            kinds.setdefault(sight.contact, set()).add(sight.kind)
    result: dict[str, set[int]] = {group: set() for group in OF_GROUP}
    for contact, done in kinds.items():
        one = found.get(contact, Standing("deny"))
        if one.kind == "deny":
            if "deactivate-user" in done:
                result["deactivate"].add(contact)
        elif done & OF_GROUP["add"] or (
            contact in before.half_made and done & (OF_GROUP["card"] | OF_GROUP["policy"])
        ):
            result["add"].add(contact)
        else:
            for group in ("policy", "card", "profile"):
                if done & OF_GROUP[group]:
                    result[group].add(contact)
    return result
