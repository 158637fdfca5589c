"""Reading everybody with a card from a simulated site, over HTTP."""

import json
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, Literal
from urllib.parse import parse_qs

import pytest

from door_sync.civicrm import CivicrmSource
from door_sync.core.cards import BadCard, CardNumber
from door_sync.core.people import ContactId, Member, Membership, MembershipType
from door_sync.ports import SourceDistrusted
from door_sync.simulators.civicrm import CivicrmSimulator
from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.faults import Hang, Hook, Rewrite

MakeSource = Callable[..., CivicrmSource]

END = date(2027, 5, 6)
GOLD = MembershipType(1, "Gold", "Gold member")
SILVER = MembershipType(2, "Silver", "Silver member")


def calls_in(request: SeenRequest) -> dict[str, list[Any]]:
    calls: dict[str, list[Any]] = json.loads(parse_qs(request.body.decode())["calls"][0])
    return calls


def asks_for_page_of(entity: str) -> Callable[[SeenRequest], bool]:
    return lambda request: calls_in(request).get("page", [""])[0] == entity


def add_people(site: CivicrmSimulator, cards: Iterable[object]) -> list[int]:
    """Give the site a member for each card."""
    people = []
    for card in cards:
        number = site.world.add_contact("Zoë", "Example", email="zoe@example.org", card=card)
        site.world.add_membership(number, "Gold", status="Current", end_date=END)
        people.append(number)
    return people


def test_everybody_with_a_card_comes_with_their_active_memberships(
    site: CivicrmSimulator, make_source: MakeSource
) -> None:
    world = site.world
    zoe = world.add_contact("Zoë", "Žižek", prefix="Dr.", email="zoe@example.org", card="00010013")
    bo = world.add_contact("Bo", card="10026")
    gold = world.add_membership(zoe, "Gold", status="Current", end_date=END)
    silver = world.add_membership(zoe, "Silver", status="Grace", end_date=END, is_override=True)
    world.add_membership(bo, "Silver", status="Expired", end_date=END)

    reading = make_source().read()

    assert dict(reading.members) == {
        zoe: Member(
            contact_id=ContactId(zoe),
            first_name="Zoë",
            last_name="Žižek",
            display_name="Dr. Zoë Žižek",
            email="zoe@example.org",
            card=CardNumber(10013),
            memberships=(
                Membership(gold, GOLD, "Current", END),
                Membership(silver, SILVER, "Grace", END, is_override=True),
            ),
        ),
        bo: Member(ContactId(bo), first_name="Bo", display_name="Bo", card=CardNumber(10026)),
    }
    assert reading.membership_types[:2] == (GOLD, SILVER)


def test_a_site_that_fits_in_one_page_costs_three_requests(
    site: CivicrmSimulator, make_source: MakeSource
) -> None:
    add_people(site, range(5))
    make_source().read()
    asked = [[(call.entity, call.action) for call in seen.calls] for seen in site.journal.entries()]
    assert len(asked) == 3
    assert asked[0].count(("Contact", "getFields")) == 1
    assert sorted(asked[1:]) == [[("Contact", "get")] * 2, [("Membership", "get")] * 2]


@pytest.mark.parametrize("page_size", [1, 2, 3, 7, 8])
def test_a_long_list_comes_whole_in_pages_of_any_size(
    site: CivicrmSimulator, make_source: MakeSource, page_size: int
) -> None:
    """§13.7. The simulator answers in the database's order unless told otherwise."""
    people = add_people(site, range(7))
    members = make_source(page_size=page_size).read().members
    assert list(members) == people
    assert all(len(member.memberships) == 1 for member in members.values())


def test_contacts_and_memberships_are_walked_side_by_side(
    site: CivicrmSimulator, make_source: MakeSource
) -> None:
    """The contacts hang until the memberships are asked for: one after the other never ends."""
    people = add_people(site, range(3))
    waiting = site.faults.add(Hang(), where=asks_for_page_of("Contact"))
    site.faults.add(Hook(lambda _: waiting.release()), where=asks_for_page_of("Membership"))
    assert list(make_source().read().members) == people


def test_who_has_no_card_is_dead_or_in_the_trash_is_not_among_the_members(
    site: CivicrmSimulator, make_source: MakeSource
) -> None:
    keeps, cleared, dead, trashed = add_people(site, range(1, 5))
    site.world.clear_card(cleared)
    site.world.mark_deceased(dead, in_table_only=True)
    site.world.trash(trashed)
    assert list(make_source().read().members) == [keeps]


def test_an_empty_text_in_the_card_field_is_no_card_but_blanks_are_a_bad_one(
    site: CivicrmSimulator, make_source: MakeSource
) -> None:
    """IS NOT NULL brings both; versions sheet §5."""
    empty, blank = add_people(site, [1, 2])
    site.world.set_custom(empty, "Door_Access.card_id", "", raw=True)
    site.world.set_custom(blank, "Door_Access.card_id", "  ", raw=True)
    members = make_source().read().members
    assert {number: member.card for number, member in members.items()} == {
        blank: BadCard.NOT_DIGITS
    }


def test_memberships_that_lapsed_are_tests_or_belong_to_the_trash_do_not_count(
    site: CivicrmSimulator, make_source: MakeSource
) -> None:
    """§13.6"""
    one, trashed = add_people(site, [1, 2])
    site.world.trash(trashed)
    for status in ("Expired", "Pending", "Cancelled", "Deceased"):
        site.world.add_membership(one, "Silver", status=status, end_date=END)
    site.world.add_membership(one, "Silver", status="Current", end_date=END, is_test=True)
    [member] = make_source().read().members.values()
    assert [membership.type for membership in member.memberships] == [GOLD]


def test_only_the_configured_statuses_are_active(
    site: CivicrmSimulator, make_source: MakeSource
) -> None:
    [person] = add_people(site, [1])
    number = site.world.add_membership(person, "Silver", status="Pending", end_date=END)
    [member] = make_source(active_statuses=["Pending"]).read().members.values()
    assert member.memberships == (Membership(number, SILVER, "Pending", END),)


def test_after_a_merge_the_survivor_alone_has_card_and_memberships(
    site: CivicrmSimulator, make_source: MakeSource
) -> None:
    """§11: the loser keeps a copy of the card in the trash."""
    survivor, loser = add_people(site, [1, 2])
    site.world.merge(survivor, loser)
    [member] = make_source().read().members.values()
    assert (member.contact_id, member.card) == (survivor, CardNumber(1))
    assert len(member.memberships) == 2


@pytest.mark.parametrize("kind", ["Integer", "Float"])
def test_a_field_of_numbers_works_with_card_number_zero_too(
    site: CivicrmSimulator, make_source: MakeSource, kind: Literal["Integer", "Float"]
) -> None:
    """docs/decisions/0002: IS NOT EMPTY would lose the zero."""
    site.world.add_custom_field("Door_Access", "number", data_type=kind)
    for person, card in zip(add_people(site, [None, None]), (0, 10013), strict=True):
        site.world.set_custom(person, "Door_Access.number", card)
    members = make_source(card_id_field="Door_Access.number").read().members
    assert [member.card for member in members.values()] == [CardNumber(0), CardNumber(10013)]


def test_a_type_that_the_list_of_types_lacks_gets_a_name_that_no_rule_has(
    site: CivicrmSimulator, make_source: MakeSource
) -> None:
    add_people(site, [1])

    def hide_gold(reply: Any) -> Any:
        reply["types"]["values"] = reply["types"]["values"][1:]
        reply["types"]["countFetched"] -= 1
        return reply

    site.faults.add(Rewrite(hide_gold), where=lambda request: "types" in calls_in(request))
    [member] = make_source().read().members.values()
    assert member.memberships[0].type == MembershipType(1, "type 1", "type 1")


def test_a_membership_of_somebody_not_among_the_contacts_is_left_out(
    site: CivicrmSimulator, make_source: MakeSource
) -> None:
    add_people(site, [1])

    def give_away(reply: Any) -> Any:
        reply["page"]["values"][0]["contact_id"] = 9999
        return reply

    site.faults.add(Rewrite(give_away), where=asks_for_page_of("Membership"))
    [member] = make_source().read().members.values()
    assert member.memberships == ()


def test_nobody_with_a_card_is_an_answer_if_the_key_proved_that_it_sees_everybody(
    site: CivicrmSimulator, make_source: MakeSource
) -> None:
    """§13.2: counted before and after, by a key that sees its own contact and memberships."""
    reading = make_source().read()
    assert dict(reading.members) == {}
    assert [kind.name for kind in reading.membership_types] == ["Gold", "Silver", "Day Pass"]


class TestCountsThatMove:
    """§13.8"""

    def test_a_member_who_joins_during_the_read_is_seen_in_the_next_reading_of_the_list(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        people = add_people(site, [1, 2])
        site.faults.add(
            Hook(lambda _: people.extend(add_people(site, [3])), after=True), first=1, times=1
        )
        assert list(make_source().read().members) == people

    @pytest.mark.parametrize("entity", ["Contact", "Membership"])
    def test_a_list_that_never_stands_still_is_distrusted_after_three_readings(
        self, site: CivicrmSimulator, make_source: MakeSource, entity: str
    ) -> None:
        add_people(site, [1])
        moving = site.faults.add(
            Hook(lambda _: add_people(site, [1])), where=asks_for_page_of(entity), times=None
        )
        with pytest.raises(SourceDistrusted, match="did not come whole in 3 readings"):
            make_source().read()
        assert moving.struck >= 3

    @pytest.mark.parametrize("entity", ["Contact", "Membership"])
    def test_a_page_that_loses_a_row_is_found_out_by_the_count(
        self, site: CivicrmSimulator, make_source: MakeSource, entity: str
    ) -> None:
        """P2: a short page that looks whole in itself."""
        add_people(site, [1, 2, 3])

        def shorten(reply: Any) -> Any:
            reply["page"]["values"].pop(0)
            reply["page"]["countFetched"] -= 1
            return reply

        site.faults.add(Rewrite(shorten), where=asks_for_page_of(entity), times=None)
        with pytest.raises(SourceDistrusted, match="2 came, of 3 counted before and 3 afterwards"):
            make_source().read()

    def test_a_page_that_was_short_once_is_read_again(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        people = add_people(site, [1, 2, 3])

        def shorten(reply: Any) -> Any:
            reply["page"]["values"].pop()
            reply["page"]["countFetched"] -= 1
            return reply

        site.faults.add(Rewrite(shorten), where=asks_for_page_of("Contact"))
        assert list(make_source().read().members) == people

    def test_the_job_that_updates_statuses_cannot_slip_in_between(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        """A membership that lapses while the list is walked is gone from the result."""
        first, second, third = add_people(site, [1, 2, 3])
        lapsing = next(row.id for row in site.world.memberships.values() if row.contact_id == first)
        site.faults.add(
            Hook(lambda _: site.world.lapse(lapsing), after=True),
            where=asks_for_page_of("Membership"),
        )
        members = make_source(page_size=1).read().members
        assert [len(members[ContactId(who)].memberships) for who in (first, second, third)] == [
            0,
            1,
            1,
        ]


@pytest.mark.parametrize("wrong", [{"page_size": 0}, {"active_statuses": []}])
def test_settings_with_which_nothing_could_be_read_are_refused(
    make_source: MakeSource, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ValueError):
        make_source(**wrong)
