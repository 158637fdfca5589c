"""One person's failure is that person's failure (P6): what is stopped by it, and what is not."""

import pytest

from door_sync.app.report import Ending
from door_sync.core.steps import ChangeClass
from door_sync.simulators.faults import Fault, Hook, Reset, html_error
from tests.app.watching import (
    ACTIVATE,
    at_bind,
    at_create,
    at_free,
    at_import,
    at_look,
    at_policies,
    at_profile,
    at_status,
    done,
    failed,
    holder,
    kinds,
    lie,
    no_route,
    outcomes,
    refused,
    settled,
    user,
)
from tests.club import Club


def lapsed(club: Club, *cards: int) -> list[int]:
    """Return people who lapsed, were deactivated, and have rejoined since."""
    people = [club.join(number) for number in cards]
    settled(club)
    for contact in people:
        club.lapse(contact)
    settled(club)
    for contact in people:
        club.rejoin(contact)
    return people


def test_a_member_who_cannot_be_created_leaves_the_others_alone(club: Club) -> None:
    settled(club)
    people = [club.join(1001 + n) for n in range(3)]
    at_create(club, refused(), people[1])
    report = club.cycle()
    assert report.ending is Ending.PARTIAL
    assert report.ending.value == 3
    assert list(failed(report)) == [people[1]]
    assert done(report) == [people[0], people[2]]
    assert report.reason() == f"changes failed for contact {people[1]}"
    assert [club.opens(1001 + n) for n in range(3)] == [True, False, True]


def test_nothing_follows_a_create_that_failed(club: Club) -> None:
    settled(club)
    contact = club.join(1001)
    at_create(club, refused(), contact)
    report = club.cycle()
    assert kinds(club, contact) == ["import-card", "create-user"]
    assert outcomes(club, report, contact) == [("import-card", "done"), ("create-user", "refused")]


def test_nothing_follows_an_activation_that_failed(club: Club) -> None:
    ann, bob = lapsed(club, 1001, 1002)
    at_status(club, refused(), club.user_of(ann), ACTIVATE)
    report = club.cycle()
    assert list(failed(report)) == [ann]
    assert kinds(club, ann) == ["set-policies", "activate-user"]
    assert club.status_of(ann) == "DEACTIVATED"
    assert done(report) == [bob]
    assert club.opens(1002)


def test_nobody_is_activated_with_policies_that_could_not_be_taken_off(club: Club) -> None:
    ann, bob = lapsed(club, 1001, 1002)
    at_policies(club, refused(), club.user_of(ann))
    report = club.cycle()
    assert list(failed(report)) == [ann]
    assert kinds(club, ann) == ["set-policies"]
    assert club.status_of(ann) == "DEACTIVATED"
    assert done(report) == [bob]


def test_a_name_that_cannot_be_written_does_not_keep_somebody_out(club: Club) -> None:
    contact = club.join(1001, first="Renamed")
    made = club.add_user(str(contact), status="DEACTIVATED")
    at_profile(club, refused(), made)
    report = club.cycle()
    assert list(failed(report)) == [contact]
    assert club.opens(1001)
    settled(club)
    assert user(club, contact).first_name == "Renamed"


def test_a_profile_that_fails_stops_neither_the_card_nor_the_tier(club: Club) -> None:
    contact = club.join(1001)
    settled(club)
    crm = club.civicrm.world
    crm.set_name(contact, first_name="Other")
    crm.set_card(contact, "1002")
    club.retier(contact, "Silver")
    at_profile(club, refused(), club.user_of(contact))
    report = club.cycle()
    [result] = report.failed
    assert result.change.change_class is ChangeClass.PROFILE
    assert club.opens(1002)
    assert not club.opens(1002, club.workshop)


def test_a_card_that_cannot_be_bound_does_not_keep_the_policy(club: Club) -> None:
    settled(club)
    contact = club.join(1001)
    at_bind(club, refused())
    report = club.cycle()
    assert list(failed(report)) == [contact]
    assert user(club, contact).policy_ids == (club.gold,)
    club.unifi.faults.clear()
    settled(club)
    assert club.opens(1001)


@pytest.mark.parametrize(
    ("trouble", "word"),
    [(refused(), "refused"), (html_error(500), "uncertain")],
    ids=["refused", "no answer"],
)
def test_a_card_that_cannot_be_imported_does_not_keep_the_rest(
    club: Club, trouble: Fault, word: str
) -> None:
    settled(club)
    contact = club.join(1001)
    at_import(club, trouble)
    report = club.cycle()
    assert list(failed(report)) == [contact]
    assert outcomes(club, report, contact) == [
        ("import-card", word),
        ("create-user", "done"),
        ("set-policies", "done"),
    ]


def test_one_card_of_a_file_that_is_refused_costs_its_own_member_alone(club: Club) -> None:
    club.unifi.switch(bad_row="file fails")
    settled(club)
    people = [club.join(1001 + n) for n in range(4)]
    club.add_card(1002, alias=False)
    report = club.cycle()
    assert list(failed(report)) == [people[1]]
    assert done(report) == [people[0], *people[2:]]


def test_a_replaced_card_that_cannot_be_freed_does_not_keep_the_new_one(club: Club) -> None:
    contact = club.join(1001)
    settled(club)
    club.civicrm.world.set_card(contact, "1002")
    at_free(club, refused())
    report = club.cycle()
    assert list(failed(report)) == [contact]
    assert club.opens(1002)
    club.unifi.faults.clear()
    settled(club)
    assert holder(club, 1001) == ""


def test_a_card_that_somebody_else_could_not_be_freed_of_is_blocked_not_failed(club: Club) -> None:
    ann = club.join(1001)
    settled(club)
    club.civicrm.world.set_card(ann, "1002")
    bob = club.join(1001)
    at_free(club, refused())
    report = club.cycle()
    assert list(failed(report)) == [ann]
    [blocked] = report.blocked
    assert blocked.contact_id == bob
    assert blocked.holder is not None
    assert blocked.holder.contact_id == ann
    assert holder(club, 1001) == club.user_of(ann)


def test_policies_given_by_hand_are_kept_and_those_of_everybody_are_not_sent_back(
    club: Club,
) -> None:
    world = club.unifi.world
    by_hand = world.add_policy("By hand", [club.workshop]).id
    everyones = world.add_policy("Everybody", [club.front], everyone=True).id
    contact = club.join(1001)
    settled(club)
    world.set_policies(club.user_of(contact), [club.gold, by_hand])
    club.retier(contact, "Silver")
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert set(user(club, contact).policy_ids) == {club.silver, by_hand}
    assert everyones not in user(club, contact).policy_ids


def test_on_an_old_firmware_the_users_row_tells_which_policies_were_given_by_hand(
    club: Club,
) -> None:
    world = club.unifi.world
    by_hand = world.add_policy("By hand", [club.workshop]).id
    world.add_policy("Everybody", [club.front], everyone=True)
    contact = club.join(1001)
    settled(club)
    world.set_policies(club.user_of(contact), [club.gold, by_hand])
    club.retier(contact, "Silver")
    at_look(club, no_route(), "/users/:id/access_policies")
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert set(user(club, contact).policy_ids) == {club.silver, by_hand}


def test_a_user_who_is_gone_when_its_policies_are_looked_at_fails_alone(club: Club) -> None:
    world = club.unifi.world
    by_hand = world.add_policy("By hand", [club.workshop]).id
    ann, bob = club.join(1001), club.join(1002)
    settled(club)
    gone = club.user_of(ann)
    world.set_policies(gone, [club.gold, by_hand])
    club.retier(ann, "Silver")
    club.retier(bob, "Silver")
    at_look(club, Hook(lambda _: world.delete_user(gone)), f"/users/{gone}/*", times=1)
    report = club.cycle()
    assert list(failed(report)) == [ann]
    assert done(report) == [bob]


def test_policies_that_cannot_be_looked_at_are_not_overwritten(club: Club) -> None:
    world = club.unifi.world
    by_hand = world.add_policy("By hand", [club.workshop]).id
    ann, bob = club.join(1001), club.join(1002)
    settled(club)
    world.set_policies(club.user_of(ann), [club.gold, by_hand])
    club.retier(ann, "Silver")
    club.retier(bob, "Silver")
    at_look(club, Reset(), f"/users/{club.user_of(ann)}/access_policies")
    report = club.cycle()
    assert list(failed(report)) == [ann]
    assert kinds(club, ann) == []
    assert done(report) == [bob]
    assert set(user(club, ann).policy_ids) == {club.gold, by_hand}


def test_a_policy_given_by_hand_that_got_lost_in_the_write_is_a_failure(club: Club) -> None:
    world = club.unifi.world
    by_hand = world.add_policy("By hand", [club.workshop]).id
    contact = club.join(1001)
    settled(club)
    made = club.user_of(contact)
    world.set_policies(made, [club.gold, by_hand])
    club.retier(contact, "Silver")
    losing = Hook(lambda _: world.set_policies(made, [club.silver]), after=True)
    at_policies(club, losing, made)
    report = club.cycle()
    assert failed(report) == {contact: f"user {made}: a policy given by hand got lost"}


def test_a_day_pass_takes_the_tiers_policy_off_and_leaves_the_others(club: Club) -> None:
    world = club.unifi.world
    by_hand = world.add_policy("By hand", [club.workshop]).id
    contact = club.join(1001)
    settled(club)
    world.set_policies(club.user_of(contact), [club.gold, by_hand])
    club.retier(contact, "Day pass")
    report = club.cycle()
    assert done(report) == [contact]
    assert user(club, contact).policy_ids == (by_hand,)
    assert holder(club, 1001) == club.user_of(contact)


def test_the_tiers_of_a_day_pass_are_taken_off_both_users_of_a_contact(club: Club) -> None:
    contact = club.join(1001)
    settled(club)
    twin = club.add_user(str(contact), policies=[club.silver])
    first, second = sorted([twin, holder(club, 1001)])
    club.retier(contact, "Day pass")
    at_policies(club, lie(), first)
    report = club.cycle()
    assert failed(report) == {
        contact: f"user {first}: the policies of tiers are not those that were written"
    }
    assert club.unifi.world.users[second].policy_ids == ()
