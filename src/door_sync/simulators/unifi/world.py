"""The whole state of a simulated controller, and the hands in its console: people and cards.

Every method is one thing that a person at the console, or the API on somebody's behalf, does to the
state. They keep it sound (one holder per card, unique aliases and numbers) and ask no more: what
the API refuses beyond that is in its endpoints. A wrong id is a KeyError, a clash a ValueError.

Safe for threads: each method holds ``lock``; take it around several that belong together.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from door_sync.simulators.unifi.records import (
    Card,
    Holder,
    Hours,
    Mail,
    Resource,
    Status,
    User,
    Visitor,
)
from door_sync.simulators.unifi.site import Site


def wiegand_26(facility: int, number: int) -> str:
    """Return the raw number of a card as the import takes it: upper-case hex, no padding (§10.4).

    `facility` is 0 to 255, `number` 0 to 65535; raise ValueError otherwise.
    """
    if not (0 <= facility <= 255 and 0 <= number <= 65535):
        raise ValueError("a Wiegand-26 card has a facility of 8 bits and a number of 16")
    return f"{(facility << 16) | number:X}"


class World(Site):
    """Users, cards, visitors and mails, in a building."""

    def add_user(
        self,
        first_name: str,
        last_name: str,
        *,
        user_id: str | None = None,
        user_email: str = "",
        email: str = "",
        employee_number: str = "",
        onboard_time: int = 0,
        status: str = Status.ACTIVE,
        policy_ids: Iterable[str] = (),
        is_admin: bool = False,
        pin_token: str = "",
        missing: Iterable[str] = (),
        null: Iterable[str] = (),
    ) -> User:
        """Make a user; `missing` and `null` name keys that its rows lack, or show as null."""
        with self.lock:
            user = User(
                id=user_id or self.new_id(),
                first_name=first_name,
                last_name=last_name,
                user_email=user_email,
                email=email,
                employee_number=employee_number,
                onboard_time=onboard_time,
                status=status,
                policy_ids=tuple(policy_ids),
                is_admin=is_admin,
                pin_token=pin_token,
                missing=frozenset(missing),
                null=frozenset(null),
            )
            if user.id in self.users:
                raise ValueError("this user id is taken")
            return self.users.put(user.id, user)

    def edit_user(self, user_id: str, **changes: Any) -> User:
        """Change fields of a user, whatever the API would say to it."""
        with self.lock:
            return self.users.put(user_id, replace(self.users[user_id], **changes))

    def set_status(self, user_id: str, status: str) -> User:
        """Activate or deactivate a user; no card changes hands by that (rule 34)."""
        return self.edit_user(user_id, status=status)

    def set_policies(self, user_id: str, policy_ids: Iterable[str]) -> User:
        """Replace the policies that a user has directly (rule 25)."""
        return self.edit_user(user_id, policy_ids=tuple(policy_ids))

    def delete_user(
        self, user_id: str, *, free_cards: bool = True, free_email: bool = True
    ) -> None:
        """Delete a user; what becomes of its cards and its address is rule 22."""
        with self.lock:
            user = self.users.remove(user_id)
            if free_cards:
                self._free_cards_of(user_id)
            if user.user_email and not free_email:
                self.hidden_admins.add(user.user_email)
            for group in [group for group in self.groups if user_id in group.member_ids]:
                self.edit_group(group.id, member_ids=group.member_ids - {user_id})

    def add_hidden_admin(self, address: str) -> None:
        """Make an administrator's account that no list shows, but whose address is taken."""
        with self.lock:
            self.hidden_admins.add(address)

    def add_card(
        self,
        facility: int | None = None,
        number: int | None = None,
        *,
        nfc_id: str | None = None,
        alias: str = "",
        token: str | None = None,
        display_id: str | None = None,
        card_type: str = "id_card",
        holder_id: str | None = None,
        condition: str = "",
    ) -> Card:
        """Register a card by facility and number, or by its raw number; bind it to a holder.

        Raise ValueError if the number or the alias is taken.
        """
        with self.lock:
            if nfc_id is None:
                if facility is None or number is None:
                    raise ValueError("a card needs a facility and a number, or a raw number")
                nfc_id = wiegand_26(facility, number)
            card = Card(
                token=token or self.new_token(),
                nfc_id=nfc_id,
                display_id=display_id or self.mint.display_id(),
                alias=alias,
                card_type=card_type,
                condition=condition,
            )
            self.mint.passed_by(card.display_id)
            if card.token in self.cards or self.card_with_number(card.number) is not None:
                raise ValueError("this card is there already")
            self._refuse_taken_alias(card)
            self.cards.put(card.token, card)
            return self.bind(card.token, holder_id) if holder_id is not None else card

    def edit_card(
        self, token: str, *, alias: str | None = None, condition: str | None = None
    ) -> Card:
        """Change a card's alias, or mark it ``disable``, ``deleted``, ``loss`` or ``""``."""
        with self.lock:
            card = self.cards[token]
            if alias is not None:
                card = replace(card, alias=alias)
            if condition is not None:
                card = replace(card, condition=condition)
            self._refuse_taken_alias(card)
            return self.cards.put(token, card)

    def bind(self, token: str, holder_id: str) -> Card:
        """Give a card to a user or a visitor; whoever had it loses it (rules 30 to 32)."""
        with self.lock:
            if holder_id in self.users:
                holder = Holder("USER", holder_id)
            else:
                holder = Holder("VISITOR", self.visitors[holder_id].id)
            return self.cards.put(token, replace(self.cards[token], holder=holder))

    def free(self, token: str) -> Card:
        """Take a card off its holder; it stays registered, with its alias (rule 33)."""
        with self.lock:
            return self.cards.put(token, replace(self.cards[token], holder=None))

    def delete_card(self, token: str) -> Card:
        """Unregister a card, bound or not."""
        with self.lock:
            return self.cards.remove(token)

    def add_visitor(
        self,
        first_name: str,
        last_name: str,
        start_time: int,
        end_time: int,
        *,
        visitor_id: str | None = None,
        door_ids: Iterable[str] = (),
        door_group_ids: Iterable[str] = (),
        weekly: Mapping[str, Iterable[Hours]] | None = None,
        card_token: str | None = None,
        email: str = "",
        visit_reason: str = "Others",
        remarks: str = "",
        arrived: bool = False,
        cancelled: bool = False,
    ) -> Visitor:
        """Register a visit from `start_time` to `end_time` (epoch seconds), perhaps with a card."""
        with self.lock:
            doors = tuple(Resource(door_id, "door") for door_id in door_ids)
            groups = tuple(Resource(group_id, "door_group") for group_id in door_group_ids)
            visitor = Visitor(
                id=visitor_id or self.new_id(),
                first_name=first_name,
                last_name=last_name,
                start_time=start_time,
                end_time=end_time,
                email=email,
                visit_reason=visit_reason,
                remarks=remarks,
                resources=(*doors, *groups),
                weekly=None
                if weekly is None
                else {day: tuple(hours) for day, hours in weekly.items()},
                arrived=arrived,
                cancelled=cancelled,
            )
            self.visitors.put(visitor.id, visitor)
            if card_token is not None:
                self.bind(card_token, visitor.id)
            return visitor

    def edit_visitor(self, visitor_id: str, **changes: Any) -> Visitor:
        """Change fields of a visit."""
        with self.lock:
            return self.visitors.put(visitor_id, replace(self.visitors[visitor_id], **changes))

    def cancel_visitor(self, visitor_id: str) -> None:
        """Cancel a visit: it stays listed, and its cards become free (rule 48)."""
        with self.lock:
            self.edit_visitor(visitor_id, cancelled=True)
            self._free_cards_of(visitor_id)

    def delete_visitor(self, visitor_id: str) -> None:
        """Remove a visit and free its cards (rule 48)."""
        with self.lock:
            self.visitors.remove(visitor_id)
            self._free_cards_of(visitor_id)

    def end_visits(self) -> None:
        """Free the cards of the visits that ended by now (§8.5)."""
        with self.lock:
            for visitor in self.pop_ended_visits():
                self._free_cards_of(visitor.id)

    def send_mail(self, user_id: str, address: str, kind: Literal["welcome", "invitation"]) -> None:
        """Note a mail that would have left the house (rule 23)."""
        with self.lock:
            self.mails.append(Mail(user_id, address, kind))

    def _free_cards_of(self, holder_id: str) -> None:
        for card in self.cards_of(holder_id):
            self.free(card.token)

    def _refuse_taken_alias(self, card: Card) -> None:
        other = self.card_with_alias(card.alias) if card.alias else None
        if other is not None and other.token != card.token:
            raise ValueError("this alias is taken")
