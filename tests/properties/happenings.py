"""What may happen at a club between two cycles: in CiviCRM, and by hand in the controller.

Names, addresses and card numbers carry marks (`MARKS`, `NUMBERS`), so that they can be searched for
in everything that door-sync writes.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from hypothesis import strategies as st

from door_sync.simulators.faults import Fault, Reset, Truncate, html_error, json_answer, rate_limit
from door_sync.simulators.unifi.switches import Switches
from tests.club import FACILITY, Club
from tests.properties.truth import is_managed

NUMBERS = range(58731, 58743)
STAYING = 58791
FULL_WIDTH = "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in str(NUMBERS[0]))
NAME_MARK, ADDRESS_MARK, HAND_MARK = "Quuxbeeble", "zaphod.example", "Byhand"
MARKS = (NAME_MARK, ADDRESS_MARK, HAND_MARK)
"""One of them is in every name and address of a club."""

numbers = st.sampled_from(NUMBERS)
tiers = st.sampled_from(["Gold", "Gold", "Silver", "Supporter", "Day pass", "Mystery"])
card_texts = st.one_of(
    numbers.map(str),
    numbers.map(str),
    numbers.map(lambda n: f" {n:08d} "),
    st.sampled_from(["", " ", "x58731", "758731", FULL_WIDTH]),
)
names = st.sampled_from(
    [
        ("Ann", NAME_MARK),
        (NAME_MARK, ""),
        ("  Two  Words ", f"van  {NAME_MARK}"),
        ("Žiž", NAME_MARK.upper()),
        ("", NAME_MARK),
        ("", ""),
    ]
)
TAKEN = f"taken@{ADDRESS_MARK}"
addresses = st.sampled_from(
    [None, f"a@{ADDRESS_MARK}", f"B@{ADDRESS_MARK.title()}", f"c@{ADDRESS_MARK}", TAKEN]
)
switches = st.builds(
    lambda **chosen: Switches.of(chosen),
    unbind=st.sampled_from(["put", "delete", "both"]),
    deactivated_refuses_cards=st.booleans(),
    business_error_status=st.sampled_from([200, 400]),
    known_card=st.sampled_from(["empty token", "same token"]),
    bad_row=st.sampled_from(["row fails", "file fails"]),
    dialect=st.sampled_from(["string", "numeric"]),
    page_size_cap=st.sampled_from([None, 3]),
    nfc_id_in_card_list=st.booleans(),
    optional_keys=st.sampled_from(["varied", "all", "bare"]),
    no_route_status=st.sampled_from([404, 200]),
)
LIE = json_answer({"code": "SUCCESS", "msg": "succ", "data": None})
faults: st.SearchStrategy[Fault] = st.sampled_from(
    [
        Reset(),
        Reset(after=True),
        Truncate(),
        Truncate(cut=True),
        rate_limit(),
        rate_limit(1),
        html_error(500),
        html_error(502, after=True),
        json_answer({"code": "CODE_SYSTEM_ERROR", "msg": "no", "data": None}),
        LIE,
    ]
)

EVENTS = [
    *["somebody_joins"] * 3,
    "somebody_lapses",
    "somebody_rejoins",
    "a_card_is_recycled",
    "somebody_changes_tier",
    "somebody_gets_a_new_card",
    "two_people_swap_cards_and_addresses",
    "somebody_has_another_address",
    "somebody_is_gone",
    "a_user_is_made_by_hand",
    "a_card_is_enrolled_by_hand",
    "a_managed_user_is_switched_by_hand",
    "a_visitor_gets_a_free_card",
]
Draw = Callable[[st.SearchStrategy[Any]], Any]


class Happenings:
    """The events by name; each draws its own details."""

    club: ClassVar[Club]
    happenings: ClassVar = st.lists(st.sampled_from(EVENTS), min_size=1, max_size=8)
    gone: list[int]

    # Events in CiviCRM.

    def somebody_joins(self, draw: Draw) -> None:
        self.joins(draw(card_texts), draw(tiers), draw(names), draw(addresses))

    def joins(
        self,
        card: object,
        tier: str = "Gold",
        name: tuple[str, str] = ("", NAME_MARK),
        email: str | None = None,
    ) -> int:
        """Let somebody join under a name that carries a mark, or under none; return the contact."""
        contact = self.club.join(card, tier, email=email)
        self.club.civicrm.world.set_name(contact, first_name=name[0], last_name=name[1])
        return contact

    def somebody_lapses(self, draw: Draw) -> None:
        if (contact := self._somebody(draw)) is not None:
            self.club.lapse(contact)

    def somebody_rejoins(self, draw: Draw) -> None:
        if (contact := self._somebody(draw)) is not None:
            self.club.rejoin(contact, draw(st.sampled_from(["Gold", "Silver"])))

    def a_card_is_recycled(self, draw: Draw) -> None:
        """Somebody leaves, and somebody new gets the card."""
        if (contact := self._somebody(draw)) is not None:
            self.club.lapse(contact)
            self.joins(self.club.card_text(contact), draw(tiers))

    def somebody_changes_tier(self, draw: Draw) -> None:
        if (contact := self._somebody(draw)) is not None:
            self.club.retier(contact, draw(tiers))

    def somebody_gets_a_new_card(self, draw: Draw) -> None:
        if (contact := self._somebody(draw)) is not None:
            self.club.civicrm.world.set_card(contact, draw(card_texts))

    def two_people_swap_cards_and_addresses(self, draw: Draw) -> None:
        ann, bob = self._somebody(draw), self._somebody(draw)
        if ann is None or bob is None or ann == bob:
            return
        crm = self.club.civicrm.world
        cards = self.club.card_text(ann), self.club.card_text(bob)
        crm.set_card(ann, cards[1])
        crm.set_card(bob, cards[0])
        emails = [self._address(contact) for contact in (ann, bob)]
        crm.set_email(ann, emails[1])
        crm.set_email(bob, emails[0])

    def somebody_has_another_address(self, draw: Draw) -> None:
        if (contact := self._somebody(draw)) is not None:
            self.club.civicrm.world.set_email(contact, draw(addresses))

    def somebody_is_gone(self, draw: Draw) -> None:
        if (contact := self._somebody(draw)) is None:
            return
        crm = self.club.civicrm.world
        match draw(st.sampled_from(["trash", "die", "delete"])):
            case "trash":
                crm.trash(contact)
            case "die":
                crm.mark_deceased(contact)
            case _ if not self.gone:
                crm.delete(contact)
                self.gone.append(contact)

    # Hands in the controller.

    def a_user_is_made_by_hand(self, draw: Draw) -> None:
        number = draw(numbers)
        cards = [] if self._is_registered(number) else [number]
        self.club.add_user(
            draw(st.sampled_from(["", "007", "n/a"])),
            cards=cards,
            alias=draw(st.booleans()),
            status=draw(st.sampled_from(["ACTIVE", "DEACTIVATED", "DEACTIVATED", "PENDING"])),
            policies=[self.club.gold] if draw(st.booleans()) else [],
            missing=["status"] if draw(st.booleans()) else [],
        )

    def a_card_is_enrolled_by_hand(self, draw: Draw) -> None:
        number = draw(numbers)
        if not self._is_registered(number):
            self.club.add_card(number, alias=draw(st.booleans()))

    def a_managed_user_is_switched_by_hand(self, draw: Draw) -> None:
        managed = [u for u in self.club.unifi.world.users if is_managed(u.employee_number)]
        if managed:
            user = draw(st.sampled_from(managed))
            status = draw(st.sampled_from(["ACTIVE", "DEACTIVATED"]))
            self.club.unifi.world.set_status(user.id, status)

    def a_visitor_gets_a_free_card(self, draw: Draw) -> None:
        world, number = self.club.unifi.world, draw(numbers)
        for card in world.cards:
            if card.alias == f"sync-{number:05d}" and card.holder is None:
                world.add_visitor("Vic", "Tor", 0, 2**31, card_token=card.token)

    # Helpers.

    def _somebody(self, draw: Draw) -> int | None:
        crm = self.club.civicrm.world
        people = [c for c in list(self.club.memberships)[1:] if c in crm.contacts]
        return draw(st.sampled_from(people)) if people else None

    def _address(self, contact: int) -> str | None:
        crm = self.club.civicrm.world
        primary = crm.contacts[contact].email_primary
        return crm.emails[primary].email if primary in crm.emails else None

    def _is_registered(self, number: int) -> bool:
        raw = f"{FACILITY << 16 | number:X}"
        return any(
            c.nfc_id == raw or c.alias == f"sync-{number:05d}" for c in self.club.unifi.world.cards
        )
