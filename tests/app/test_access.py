"""The report of who can open what, against the doors themselves."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from door_sync.app.access import AccessReport, access_report
from door_sync.core.access import openings
from door_sync.core.people import ContactId
from door_sync.simulators.faults import html_error
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN
from door_sync.simulators.unifi.site import SCOPES
from tests.club import FACILITY, Club

STATUS = st.sampled_from(["ACTIVE", "ACTIVE", "DEACTIVATED", "PENDING"])
POLICIES = st.lists(st.integers(0, 3), max_size=3, unique=True)
CONDITION = st.sampled_from(["", "", "", "disable", "loss", "deleted"])
PERSON = st.tuples(STATUS, POLICIES, st.lists(CONDITION, max_size=2))
VISIT = st.tuples(
    st.booleans(), st.booleans(), st.lists(st.integers(0, 1), max_size=2, unique=True), CONDITION
)


def report_of(club: Club) -> AccessReport:
    """The report, as it is made over real connections."""
    with club.parts() as parts:
        return access_report(parts)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(PERSON, max_size=4),
    st.lists(VISIT, max_size=3),
    st.sampled_from([None, 0, 1, 2]),
    st.lists(st.tuples(POLICIES, st.booleans()), max_size=2),
)
def test_it_says_what_the_doors_do(
    club: Club,
    people: Sequence[tuple[str, list[int], list[str]]],
    visits: Sequence[tuple[bool, bool, list[int], str]],
    everyones: int | None,
    groups: Sequence[tuple[list[int], bool]],
) -> None:
    """Each card opens each door exactly if it is usable and its holder is listed with that door."""
    club.reset()
    world = club.unifi.world
    both = world.add_door_group("Both", [club.front, club.workshop])
    made = [club.gold, club.silver, world.add_policy("Nothing").id]
    made.append(world.add_policy("Both", door_group_ids=[both.id]).id)
    if everyones is not None:
        world.edit_policy(made[everyones], applies_to_everyone=True)
    holders: dict[int, tuple[str, str]] = {}
    users = []
    for status, policies, cards in people:
        user = world.add_user("A", "B", status=status, policy_ids=[made[n] for n in policies])
        users.append(user.id)
        for condition in cards:
            number = 1000 + len(holders)
            world.add_card(FACILITY, number, holder_id=user.id, condition=condition)
            holders[number] = user.id, condition
    above = ""
    for policies, is_nested in groups:
        above = world.add_group(
            f"Group {above}",
            policy_ids=[made[n] for n in policies],
            member_ids=users[::2],
            parent_id=above if is_nested else "",
        ).id
    for is_cancelled, is_to_come, doors, condition in visits:
        number = 1000 + len(holders)
        token = world.add_card(FACILITY, number, condition=condition).token
        visit = world.add_visitor(
            "V",
            "W",
            3_900_000_000 if is_to_come else 0,
            4_000_000_000,
            door_ids=[(club.front, club.workshop)[n] for n in doors],
            card_token=token,
            cancelled=is_cancelled,
        )
        holders[number] = visit.id, condition
    with club.parts() as parts:
        found = openings(parts.controller.read_access())
    listed: dict[str, frozenset[str]] = {one.person.id: one.door_ids for one in found.people}
    for number, (holder, condition) in holders.items():
        for door in (club.front, club.workshop):
            told = not condition and door in listed.get(holder, ())
            assert club.opens(number, door) is told


def test_members_strangers_and_visitors_stand_beside_what_civicrm_says(club: Club) -> None:
    club.relax()
    ann = club.join(1001, first="Ann")
    club.cycle()
    gone = club.join(1002, first="Bob")
    club.cycle()
    club.lapse(gone)
    world = club.unifi.world
    attic = world.add_policy("Attic", [world.add_door("Attic").id]).id
    world.add_user("Una", "Known", policy_ids=[attic], pin_token="t")
    report = report_of(club)
    told = {row.name: row for row in report.rows}
    assert told["Ann Ber"].kind == "member"
    assert (told["Ann Ber"].contact_id, told["Ann Ber"].tier) == (ann, "Gold")
    assert told["Ann Ber"].doors == ("Front", "Workshop")
    assert told["Bob Ber"].tier == "no access: no active membership"
    assert "CiviCRM gives no access" in told["Bob Ber"].remarks[0]
    una = told["Una Known"]
    assert (una.kind, una.cards, una.other_ways) == ("user", 0, ("PIN",))
    assert una.policies == ("Attic (by hand)",)
    assert report.doors == {"Attic": 1, "Front": 3, "Workshop": 3}
    assert report.shut == 1
    assert report.gaps == ()


def test_what_civicrm_says_of_each_kind_of_member_is_told(club: Club) -> None:
    """A day pass, a type without a rule, nobody knows, and a user without a status."""
    day, mystery = club.join(1001, "Day pass"), club.join(1002, "Mystery")
    for contact, missing in ((day, ()), (mystery, ()), (9999, ("status",))):
        cards = [2000 + contact]
        club.add_user(str(contact), policies=[club.gold], cards=cards, missing=missing)
    told = {row.contact_id: row for row in report_of(club).rows}
    assert told[ContactId(day)].tier == "Day pass (day pass)"
    assert told[ContactId(mystery)].tier == (
        "not known: an active membership of a type that has no rule"
    )
    assert told[ContactId(9999)].tier == "not known: CiviCRM did not return this contact"
    assert told[ContactId(9999)].remarks == (
        "the controller shows no status, which counts as active",
    )


def test_a_place_that_the_controller_does_not_list_is_told(club: Club) -> None:
    world = club.unifi.world
    building = world.add_policy("Building", door_group_ids=["not-listed"]).id
    club.add_user("n/a", policies=[building], cards=[1001])
    report = report_of(club)
    assert report.rows[0].doors == ()
    assert "cannot be told" in report.rows[0].remarks[0]
    assert any("most likely the whole building" in text for text in report.gaps)


@pytest.mark.parametrize(
    ("family", "gap"),
    [
        ("visitor", "Visitors are missing"),
        ("policy", "everybody with a policy is listed"),
        ("space", "Doors are shown by their ids"),
    ],
)
def test_a_right_that_the_key_lacks_is_named_and_nobody_is_left_out(
    club: Club, family: str, gap: str
) -> None:
    club.add_user("n/a", cards=[1001], policies=[club.gold])
    club.unifi.world.add_token(DEFAULT_TOKEN, scopes=SCOPES - {f"view:{family}", f"edit:{family}"})
    report = report_of(club)
    assert len(report.rows) == 1
    assert any(gap in text for text in report.gaps)


def test_an_older_access_without_groups_is_told(club: Club) -> None:
    club.unifi.switch(firmware="2.0.0")
    assert any("too old" in text for text in report_of(club).gaps)


def test_without_civicrm_the_controllers_part_is_there(club: Club) -> None:
    club.add_user("77", cards=[1001], policies=[club.gold])
    club.civicrm.faults.add(html_error(503), times=None)
    report = report_of(club)
    assert report.error is not None
    [row] = report.rows
    assert (row.contact_id, row.tier) == (77, "not known")
