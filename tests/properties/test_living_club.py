"""A club that lives: random events on both sides, random readings of the API, random faults.

After every cycle the promises hold. After a clean cycle or two the door oracle agrees with the
membership list, and a further cycle writes nothing (design.md §3).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import pytest
import stamina
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from door_sync.app.report import CycleReport, Ending
from door_sync.cli.output.text import run_text
from door_sync.core.steps import NoticeKind
from door_sync.simulators.faults import Fault, Reset, Truncate, html_error, json_answer, rate_limit
from door_sync.simulators.unifi.switches import Switches
from tests.club import FACILITY, Club, open_club
from tests.properties.truth import disagreements, is_managed, standings

NUMBERS = range(1001, 1013)
STAYING = 1999

numbers = st.sampled_from(NUMBERS)
tiers = st.sampled_from(["Gold", "Gold", "Silver", "Supporter", "Day pass", "Mystery"])
card_texts = st.one_of(
    numbers.map(str),
    numbers.map(str),
    numbers.map(lambda n: f" {n:08d} "),
    st.sampled_from(["", " ", "x12", "70000", "１００１"]),
)
first_names = st.sampled_from(["Ann", "Solo", "  Two  Words ", "Žiž", ""])
addresses = st.sampled_from(
    [None, "a@example.org", "B@Example.org", "c@example.org", "taken@x.org"]
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
        json_answer({"code": "SUCCESS", "msg": "succ", "data": None}),
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
happenings = st.lists(st.sampled_from(EVENTS), min_size=1, max_size=8)
Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class Before:
    """What a cycle must not have touched, as it stood before."""

    strangers: dict[str, Any]
    cards: dict[str, str]
    unknown: dict[str, Any]
    open_numbers: frozenset[tuple[int, str]]


class LivingClub(RuleBasedStateMachine):
    """One club; rules are what may happen to it."""

    club: ClassVar[Club]

    @initialize(reading=switches, data=st.data())
    def open_the_club(self, reading: Switches, data: st.DataObject) -> None:
        self.club.reset(reading)
        self.club.start_journal()
        self.club.relax()
        self.club.join(STAYING, first="Stays")
        self.club.unifi.world.add_hidden_admin("taken@x.org")
        self.gone: list[int] = []
        for _ in range(5):
            self.somebody_joins(data.draw)

    def things_happen(self, data: st.DataObject) -> None:
        for event in data.draw(happenings):
            getattr(self, event)(data.draw)

    # Events in CiviCRM.

    def somebody_joins(self, draw: Draw) -> None:
        self.club.join(
            draw(card_texts), draw(tiers), first=draw(first_names), email=draw(addresses)
        )

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
            self.club.join(self.club.card_text(contact), draw(tiers))

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
        managed = [u for u in self.club.unifi.world.users if _is_managed(u)]
        if managed:
            user = draw(st.sampled_from(managed))
            status = draw(st.sampled_from(["ACTIVE", "DEACTIVATED"]))
            self.club.unifi.world.set_status(user.id, status)

    def a_visitor_gets_a_free_card(self, draw: Draw) -> None:
        world, number = self.club.unifi.world, draw(numbers)
        for card in world.cards:
            if card.alias == f"sync-{number:05d}" and card.holder is None:
                world.add_visitor("Vic", "Tor", 0, 2**31, card_token=card.token)

    # Cycles.

    @rule(
        fault=faults,
        at=st.integers(1, 8),
        times=st.sampled_from([1, 1, 2, 9]),
        only=st.sampled_from(["writes", "writes", "writes", "reads", "crm"]),
        data=st.data(),
    )
    def a_cycle_meets_trouble(
        self, fault: Fault, at: int, times: int, only: str, data: st.DataObject
    ) -> None:
        self.things_happen(data)
        if only == "crm":
            self.club.civicrm.faults.add(fault, first=at % 3 + 1, times=times)
        else:
            self.club.unifi.faults.add(
                fault,
                where=lambda request: (request.method == "GET") == (only == "reads"),
                first=at,
                times=times,
            )
        self._cycle()
        self.club.civicrm.faults.clear()
        self.club.unifi.faults.clear()

    @rule(data=st.data())
    def a_cycle_runs(self, data: st.DataObject) -> None:
        self.things_happen(data)
        self._cycle()

    @rule(data=st.data())
    def the_club_comes_to_rest(self, data: st.DataObject) -> None:
        """Clean cycles converge: the doors agree with the list, and nothing is left to write."""
        self.things_happen(data)
        self.club.clock.ahead += timedelta(hours=25)
        missing = self._somebody_is_missing()
        report = self._cycle()
        waits = any(notice.kind is NoticeKind.RESTORE_WAITS for notice in report.notices)
        if missing or waits or report.ending is not Ending.CLEAN:
            # A missing contact is believed when it is missed twice (R1); a restore that waits for
            # a card may go on once this cycle has taken that card away (R2).
            self._cycle()
            self.gone.clear()
        self.club.forget()
        report = self._cycle()
        problems = [(one.change.contact_id, one.problems) for one in report.failed]
        assert report.ending is Ending.CLEAN, (report.reason(), problems)
        assert self.club.unifi.journal.writes() == (), self._told(report)
        wrong = disagreements(self.club, NUMBERS)
        assert wrong == [], (wrong, self._told(report))

    @invariant()
    def nobody_has_two_users(self) -> None:
        world = self.club.unifi.world
        ids = [
            u.employee_number for u in world.users if u.employee_number not in ("", "007", "n/a")
        ]
        assert len(ids) == len(set(ids))

    # What must hold after each cycle.

    def _cycle(self) -> CycleReport:
        before = self._look()
        report = self.club.cycle()
        self._check(before)
        return report

    def _look(self) -> Before:
        club, world = self.club, self.club.unifi.world
        standing = standings(club)
        unknown = {str(c) for c, one in standing.items() if one.kind == "unknown"}
        return Before(
            strangers={u.id: u for u in world.users if not _is_managed(u)},
            cards={
                card.token: card.holder.id
                for card in world.cards
                if card.holder is not None and not self._may_lose_it(card.holder.id)
            },
            unknown={u.id: u for u in world.users if u.employee_number in unknown},
            open_numbers=self._open_numbers(),
        )

    def _may_lose_it(self, holder_id: str) -> bool:
        """Managed people may lose cards by their own change, strangers only if deactivated."""
        users = self.club.unifi.world.users
        if holder_id not in users:
            return False
        user = users[holder_id]
        return _is_managed(user) or (user.status == "DEACTIVATED" and "status" not in user.missing)

    def _open_numbers(self) -> frozenset[tuple[int, str]]:
        doors = (self.club.front, self.club.workshop)
        return frozenset((n, d) for n in NUMBERS for d in doors if self.club.opens(n, d))

    def _check(self, before: Before) -> None:
        club, world = self.club, self.club.unifi.world
        for user_id, user in before.strangers.items():
            assert world.users[user_id] == user, "P4: a stranger was written to"
        for user_id, user in before.unknown.items():
            assert world.users[user_id] == user, "P1: somebody unknown was changed"
        for token, holder_id in before.cards.items():
            card = world.cards[token]
            assert card.holder is not None, "P3: an active holder was displaced"
            assert card.holder.id == holder_id, "P3: an active holder was displaced"
        granted = {one.card: one for one in standings(club).values() if one.kind == "grant"}
        for number, door in self._open_numbers() - before.open_numbers:
            card = next(c for c in world.cards if c.nfc_id == f"{FACILITY << 16 | number:X}")
            if card.holder is not None and card.holder.id in before.strangers:
                continue
            assert number in granted or self._card_unknown(card.holder), "P1: a stranger got in"
            if number in granted:
                assert door == club.front or granted[number].tier == "Gold"

    def _card_unknown(self, holder: Any) -> bool:
        """Say whether the holder is a member whose card CiviCRM does not tell: it stays (R1)."""
        user = self.club.unifi.world.users[holder.id]
        one = standings(self.club).get(int(user.employee_number))
        return one is not None and one.kind == "grant" and one.card is None

    # Helpers.

    def _told(self, report: CycleReport) -> str:
        """Return what an operator would read, for a failing example."""
        return run_text(report)

    def _somebody(self, draw: Draw) -> int | None:
        crm = self.club.civicrm.world
        people = [c for c in list(self.club.memberships)[1:] if c in crm.contacts]
        return draw(st.sampled_from(people)) if people else None

    def _somebody_is_missing(self) -> bool:
        known = {str(contact) for contact in self.club.civicrm.world.contacts}
        users = [u for u in self.club.unifi.world.users if u.status != "DEACTIVATED"]
        return any(_is_managed(user) and user.employee_number not in known for user in users)

    def _address(self, contact: int) -> str | None:
        crm = self.club.civicrm.world
        primary = crm.contacts[contact].email_primary
        return crm.emails[primary].email if primary in crm.emails else None

    def _is_registered(self, number: int) -> bool:
        raw = f"{FACILITY << 16 | number:X}"
        return any(
            c.nfc_id == raw or c.alias == f"sync-{number:05d}" for c in self.club.unifi.world.cards
        )


def _is_managed(user: Any) -> bool:
    return is_managed(user.employee_number)


@pytest.fixture
def no_waiting() -> Iterator[None]:
    """Let retries follow at once."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.mark.usefixtures("no_waiting")
def test_a_living_club_stays_right() -> None:
    """Random worlds, events, readings and faults; see the module's docstring."""
    with open_club() as club:
        LivingClub.club = club
        run_state_machine_as_test(
            LivingClub,
            settings=settings(
                max_examples=30,
                stateful_step_count=12,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
