"""The building and its rules: doors, hubs, policies, schedules, groups, API tokens, and the judge.

Like :class:`World`, which adds people and cards, these are the hands in the console.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from door_sync.simulators.unifi.doors import HubCopy, Verdict, judge
from door_sync.simulators.unifi.envelope import Refusal
from door_sync.simulators.unifi.records import (
    ApiToken,
    Door,
    DoorGroup,
    Group,
    Hours,
    Policy,
    Resource,
    Schedule,
    Tap,
    User,
    Visitor,
)
from door_sync.simulators.unifi.state import DEFAULT_HUB, State

ALWAYS = "Always Access"

SCOPES = frozenset(
    {
        "view:system_log",
        *(
            f"{right}:{family}"
            for right in ("view", "edit")
            for family in ("user", "visitor", "policy", "credential", "space")
        ),
    }
)
"""The scopes of the families that the simulator has (§1.4)."""


class Site(State):
    """Everything but people and cards."""

    def add_door(self, name: str, *, door_id: str | None = None, hub: str = DEFAULT_HUB) -> Door:
        """Hang a door on a hub, which is made if there is none of that name."""
        with self.lock:
            door = Door(door_id or self.new_id(), name, hub)
            return self.doors.put(door.id, door)

    def add_door_group(
        self, name: str, door_ids: Iterable[str] = (), *, group_id: str | None = None
    ) -> DoorGroup:
        """Put doors under one name; a name that is taken is refused (rule 29)."""
        with self.lock:
            if any(group.name == name for group in self.door_groups):
                raise Refusal("CODE_OPERATION_FORBIDDEN")
            group = DoorGroup(group_id or self.new_id(), name, tuple(door_ids))
            return self.door_groups.put(group.id, group)

    def add_schedule(
        self,
        name: str,
        weekly: Mapping[str, Iterable[Hours]] | None = None,
        *,
        holidays: Iterable[str] = (),
        holiday_hours: Iterable[Hours] = (),
        is_default: bool = False,
        schedule_id: str | None = None,
    ) -> Schedule:
        """Make a schedule; a name that is taken is refused (rule 29)."""
        with self.lock:
            if any(schedule.name == name for schedule in self.schedules):
                raise Refusal("CODE_ACCESS_POLICY_SCHEDULE_NAME_EXIST")
            schedule = Schedule(
                schedule_id or self.new_id(),
                name,
                None if weekly is None else {day: tuple(hours) for day, hours in weekly.items()},
                frozenset(holidays),
                tuple(holiday_hours),
                is_default,
            )
            return self.schedules.put(schedule.id, schedule)

    def delete_schedule(self, schedule_id: str) -> None:
        """Delete a schedule; the default one, and one in use, are refused (rule 29)."""
        with self.lock:
            in_use = any(policy.schedule_id == schedule_id for policy in self.policies)
            if self.schedules[schedule_id].is_default or in_use:
                raise Refusal("CODE_ACCESS_POLICY_SCHEDULE_CAN_NOT_DELETE")
            self.schedules.remove(schedule_id)

    def always(self) -> Schedule:
        """Return the default schedule, made when it is first wanted."""
        with self.lock:
            for schedule in self.schedules:
                if schedule.is_default:
                    return schedule
            return self.add_schedule(ALWAYS, is_default=True)

    def add_policy(
        self,
        name: str,
        door_ids: Iterable[str] = (),
        *,
        door_group_ids: Iterable[str] = (),
        schedule_id: str | None = None,
        everyone: bool = False,
        policy_id: str | None = None,
    ) -> Policy:
        """Make a policy for doors and door groups, at all times unless a schedule is named."""
        with self.lock:
            doors = tuple(Resource(door_id, "door") for door_id in door_ids)
            groups = tuple(Resource(group_id, "door_group") for group_id in door_group_ids)
            schedule = schedule_id or self.always().id
            made = Policy(policy_id or self.new_id(), name, (*doors, *groups), schedule, everyone)
            return self.policies.put(made.id, made)

    def edit_policy(self, policy_id: str, **changes: Any) -> Policy:
        """Change fields of a policy, also whether it applies to everyone."""
        with self.lock:
            return self.policies.put(policy_id, replace(self.policies[policy_id], **changes))

    def delete_policy(self, policy_id: str) -> None:
        """Delete a policy; users and groups lose it."""
        with self.lock:
            self.policies.remove(policy_id)
            for user in [user for user in self.users if policy_id in user.policy_ids]:
                left = tuple(other for other in user.policy_ids if other != policy_id)
                self.users.put(user.id, replace(user, policy_ids=left))
            for group in [group for group in self.groups if policy_id in group.policy_ids]:
                left = tuple(other for other in group.policy_ids if other != policy_id)
                self.groups.put(group.id, replace(group, policy_ids=left))

    def add_group(
        self,
        name: str,
        *,
        policy_ids: Iterable[str] = (),
        member_ids: Iterable[str] = (),
        parent_id: str = "",
        group_id: str | None = None,
    ) -> Group:
        """Make a user group."""
        with self.lock:
            group = Group(
                group_id or self.new_id(),
                name,
                tuple(policy_ids),
                frozenset(member_ids),
                parent_id,
            )
            return self.groups.put(group.id, group)

    def edit_group(self, group_id: str, **changes: Any) -> Group:
        """Change a group's name, policies, members or parent."""
        with self.lock:
            return self.groups.put(group_id, replace(self.groups[group_id], **changes))

    def add_token(
        self,
        secret: str,
        *,
        name: str = "token",
        scopes: Iterable[str] = SCOPES,
        expires_at: float | None = None,
    ) -> ApiToken:
        """Let `secret` be an API token with these scopes until `expires_at` (epoch seconds)."""
        with self.lock:
            self.tokens[secret] = ApiToken(secret, name, frozenset(scopes), expires_at)
            return self.tokens[secret]

    def delete_token(self, secret: str) -> None:
        """Delete an API token; it need not be there."""
        with self.lock:
            self.tokens.pop(secret, None)

    def expire_token_after(self, uses: int, secret: str | None = None) -> None:
        """Let a token (all of them, if none is named) expire after `uses` more requests."""
        with self.lock:
            for each, token in list(self.tokens.items()):
                if secret in (None, each):
                    self.tokens[each] = replace(token, uses_left=uses)

    def use_token(self, secret: str) -> ApiToken | None:
        """Return the token if it is valid now, and count this use of it; else None."""
        with self.lock:
            token = self.tokens.get(secret)
            if token is None or (token.expires_at is not None and token.expires_at <= self.clock()):
                return None
            if token.uses_left is not None:
                if token.uses_left <= 0:
                    return None
                self.tokens[secret] = replace(token, uses_left=token.uses_left - 1)
            return token

    def take_hub_offline(self, name: str = DEFAULT_HUB) -> None:
        """Cut a hub off; it keeps deciding by what it knows now (rule 55)."""
        with self.lock:
            self.hubs[name].copy_at(self.clock())
            self.hubs[name].online = False

    def bring_hub_online(self, name: str = DEFAULT_HUB) -> None:
        """Connect a hub again; it learns what it missed."""
        with self.lock:
            self.hubs[name].online = True

    def opens(self, facility: int, number: int, door_id: str, at: float | None = None) -> bool:
        """Would this Wiegand-26 card open this door now (or at `at`, epoch seconds)?"""
        return self.verdict(facility, number, door_id, at) is Verdict.OPENS

    def opens_token(self, token: str, door_id: str, at: float | None = None) -> bool:
        """The same for a card given by its token."""
        with self.lock:
            known, now = self._at_door(door_id, at)
            return judge(known, token, door_id, now) is Verdict.OPENS

    def verdict(self, facility: int, number: int, door_id: str, at: float | None = None) -> Verdict:
        """Return what the door would decide about this card, with the reason.

        Raise KeyError for a door that does not exist. `at` moves the moment of the decision, not
        what the hub knows.
        """
        with self.lock:
            known, now = self._at_door(door_id, at)
            return judge(known, known.tokens.get((facility << 16) | number), door_id, now)

    def tap(self, facility: int, number: int, door_id: str, at: float | None = None) -> Verdict:
        """Hold a card to a door: it decides, and the system log has it (rule 53).

        Raise KeyError for a door that does not exist.
        """
        with self.lock:
            verdict = self.verdict(facility, number, door_id, at)
            known, now = self._at_door(door_id, at)
            raw = (facility << 16) | number
            token = known.tokens.get(raw, "")
            holder = known.cards[token].holder if token else None
            people: Mapping[str, User | Visitor] = {**known.users, **known.visitors}
            person = people.get(holder.id) if holder else None
            name = f"{person.first_name} {person.last_name}".strip() if person else ""
            opened = verdict is Verdict.OPENS
            self.taps.append(
                Tap(now, self.doors[door_id], raw, token, holder, name, opened, verdict)
            )
            return verdict

    def _at_door(self, door_id: str, at: float | None) -> tuple[HubCopy, float]:
        now = self.clock()
        known = self.hubs[self.doors[door_id].hub].copy_at(now)
        return known, now if at is None else at
