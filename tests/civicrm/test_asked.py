"""Asking a simulated site for contacts by id."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import parse_qs

import pytest

from door_sync.civicrm import CivicrmSource
from door_sync.core.cards import CardNumber
from door_sync.core.people import ContactId, Member, Membership, MembershipType
from door_sync.ports import SourceDistrusted
from door_sync.simulators.civicrm import CivicrmSimulator
from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.faults import Rewrite

MakeSource = Callable[..., CivicrmSource]

END = date(2027, 5, 6)
DAY_PASS = MembershipType(3, "Day Pass", "Day Pass member")


def is_question_by_id(request: SeenRequest) -> bool:
    return set(json.loads(parse_qs(request.body.decode())["calls"][0])) == {
        "contacts",
        "memberships",
    }


def ids(*numbers: int) -> list[ContactId]:
    return [ContactId(number) for number in numbers]


@pytest.fixture
def person(site: CivicrmSimulator) -> ContactId:
    """A member with a card."""
    number = site.world.add_contact("Zoë", "Example", email="zoe@example.org", card="10013")
    site.world.add_membership(number, "Gold", status="Current", end_date=END)
    return ContactId(number)


def test_a_living_contact_whose_card_was_cleared_comes_with_its_memberships(
    site: CivicrmSimulator, make_source: MakeSource
) -> None:
    number = site.world.add_contact("Bo", "Day")
    pass_ = site.world.add_membership(number, "Day Pass", status="Current", end_date=END)
    site.world.add_membership(number, "Gold", status="Expired", end_date=END)
    assert dict(make_source().read_contacts(ids(number))) == {
        number: Member(
            contact_id=ContactId(number),
            first_name="Bo",
            last_name="Day",
            display_name="Bo Day",
            memberships=(Membership(pass_, DAY_PASS, "Current", END),),
        )
    }


def test_a_contact_in_the_trash_comes_if_the_key_may_see_the_trash(
    site: CivicrmSimulator, make_source: MakeSource, person: ContactId
) -> None:
    site.world.trash(person)
    [member] = make_source().read_contacts([person]).values()
    assert member.is_deleted
    assert member.card == CardNumber(10013)


def test_a_contact_in_the_trash_is_absent_if_the_key_may_not_see_the_trash(
    site: CivicrmSimulator, make_source: MakeSource, person: ContactId
) -> None:
    """§4.6: no evidence, so P1 leaves that person alone."""
    site.world.trash(person)
    site.world.permissions("full").discard("access deleted contacts")
    assert make_source().read_contacts([person]) == {}


def test_a_contact_who_died_comes_with_the_mark(
    site: CivicrmSimulator, make_source: MakeSource, person: ContactId
) -> None:
    site.world.mark_deceased(person)
    [member] = make_source().read_contacts([person]).values()
    assert member.is_deceased
    assert member.memberships == ()


def test_a_contact_that_does_not_exist_is_absent(
    make_source: MakeSource, person: ContactId
) -> None:
    assert list(make_source().read_contacts(ids(person, 9999))) == [person]


def test_organizations_have_no_names_of_people_and_break_nothing(make_source: MakeSource) -> None:
    """Versions sheet §5: the keys are there as long as contact_type is not selected."""
    [member] = make_source().read_contacts(ids(1)).values()
    assert (member.first_name, member.last_name) == ("", "")
    assert member.display_name == "Default Organization"


def test_many_contacts_are_asked_for_in_chunks_of_five_hundred(
    site: CivicrmSimulator, make_source: MakeSource
) -> None:
    people = [site.world.add_contact("Zoë") for _ in range(1001)]
    found = make_source().read_contacts(ids(*people, *people))
    assert list(found) == people
    entries = site.journal.entries()
    sizes = [len(entry.calls[0].params["where"][0][2]) for entry in entries[1:]]
    assert sizes == [500, 500, 1]


def test_only_the_contacts_asked_for_come(
    site: CivicrmSimulator, make_source: MakeSource, person: ContactId
) -> None:
    other = site.world.add_contact("Bo", card="10026")
    assert list(make_source().read_contacts(ids(other))) == [other]


def test_a_test_membership_does_not_count(
    site: CivicrmSimulator, make_source: MakeSource, person: ContactId
) -> None:
    site.world.add_membership(person, "Day Pass", status="Current", end_date=END, is_test=True)
    [member] = make_source().read_contacts([person]).values()
    assert [membership.type.name for membership in member.memberships] == ["Gold"]


def drop_condition(reply: Any) -> Any:
    stranger = dict(reply["contacts"]["values"][0], id=9999)
    reply["contacts"]["values"].append(stranger)
    reply["contacts"]["countFetched"] += 1
    reply["contacts"]["countMatched"] += 1
    return reply


def lose_contact(reply: Any) -> Any:
    reply["contacts"]["values"].pop()
    reply["contacts"]["countFetched"] -= 1
    return reply


def lose_membership(reply: Any) -> Any:
    reply["memberships"]["values"].pop()
    reply["memberships"]["countFetched"] -= 1
    return reply


def lose_count(reply: Any) -> Any:
    del reply["memberships"]["countMatched"]
    return reply


def give_away(reply: Any) -> Any:
    reply["memberships"]["values"][0]["contact_id"] = 9999
    return reply


def refuse_memberships(reply: Any) -> Any:
    reply["memberships"] = {"error_code": "1", "error_message": "no", "status": 403}
    return reply


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (drop_condition, "row 9999 .* was not asked for"),
        (lose_contact, "Contact.get does not hold as many rows as it counts"),
        (lose_membership, "Membership.get does not hold as many rows as it counts"),
        (lose_count, "lacks the count"),
        (give_away, "a contact not asked for"),
        (refuse_memberships, "may not call Membership.get"),
    ],
)
def test_an_answer_that_does_not_fit_the_question_is_distrusted(
    site: CivicrmSimulator,
    make_source: MakeSource,
    person: ContactId,
    change: Callable[[Any], Any],
    words: str,
) -> None:
    site.faults.add(Rewrite(change), where=is_question_by_id)
    with pytest.raises(SourceDistrusted, match=words):
        make_source().read_contacts([person])


def test_the_question_proves_its_own_ground(
    site: CivicrmSimulator, make_source: MakeSource, person: ContactId
) -> None:
    """R0: a key that lost a right since the reading would answer "no memberships"."""
    source = make_source()
    source.read()
    site.world.permissions("full").discard("view all contacts")
    with pytest.raises(SourceDistrusted, match="does not see everybody"):
        source.read_contacts([person])
