"""What one cycle leaves for the next to know (§7, R1–R3)."""

from datetime import UTC, datetime

import pytest

from door_sync.app.recall import recall, row_digest, with_remembered_aliases
from door_sync.app.report import CycleReport, Ending
from door_sync.core.cards import CardNumber
from door_sync.core.controller import PolicyId, UserStatus
from door_sync.core.decision import Remembered
from door_sync.core.steps import NoticeKind
from door_sync.ports import FailedImport, GoodCounts, Memory
from door_sync.unifi.binding import number_digest, token_digest
from tests.app.watching import (
    Later,
    at_free,
    card,
    done,
    failed,
    holder,
    kinds,
    refused,
    sent,
    settled,
    user,
)
from tests.club import Club
from tests.core.builders import NO_STATUS
from tests.core.builders import card as made_card
from tests.core.builders import member as made_member
from tests.core.builders import snapshot as made_snapshot
from tests.core.builders import token as made_token
from tests.core.builders import user as made_user

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = bytes(32)


def memory_of(club: Club) -> Memory:
    return club.journal.memory(club.clock.now())


def told(report: CycleReport, kind: NoticeKind) -> list[int | None]:
    """Return the contacts of the notices of one kind."""
    return [notice.contact_id for notice in report.notices if notice.kind is kind]


# Contacts that CiviCRM does not return (R1).


def test_a_contact_that_two_good_reads_missed_loses_access(club: Club) -> None:
    contact = club.join(1001)
    settled(club)
    club.civicrm.world.delete(contact)
    report = club.cycle()
    assert report.ending is Ending.CLEAN
    assert told(report, NoticeKind.UNKNOWN) == [contact]
    assert sent(club) == []
    assert memory_of(club).missing == {contact}
    report = club.cycle()
    assert done(report) == [contact]
    assert report.done[0].reason == "no such contact"
    assert not club.opens(1001)


def test_a_contact_that_is_back_in_time_was_missed_for_nothing(club: Club) -> None:
    contact = club.join(1001)
    settled(club)
    row = club.civicrm.world.contacts.pop(contact)
    club.cycle()
    club.civicrm.world.contacts[contact] = row
    settled(club)
    assert memory_of(club).missing == frozenset()
    del club.civicrm.world.contacts[contact]
    report = club.cycle()
    assert told(report, NoticeKind.UNKNOWN) == [contact]
    assert sent(club) == []


def test_many_contacts_that_are_missing_at_once_hold_the_cycle(club: Club) -> None:
    people = [club.join(1001 + n) for n in range(3)]
    settled(club)
    club.lapse(people[2])
    for contact in people[:2]:
        club.civicrm.world.delete(contact)
    for _ in range(3):
        report = club.cycle()
        assert report.ending is Ending.HELD
        assert "people vanished" in report.reason()
        assert sent(club) == []
    assert memory_of(club).missing == frozenset()


def test_a_contact_that_a_held_cycle_missed_is_missed_for_the_first_time_after_it(
    club: Club,
) -> None:
    people = [club.join(1001 + n) for n in range(3)]
    settled(club)
    rows = {one: club.civicrm.world.contacts.pop(one) for one in people[:2]}
    assert club.cycle().ending is Ending.HELD
    club.civicrm.world.contacts[people[0]] = rows[people[0]]
    report = club.cycle()
    assert report.ending is Ending.CLEAN
    assert told(report, NoticeKind.UNKNOWN) == [people[1]]
    assert sent(club) == []


def test_a_contact_in_the_trash_loses_access_at_once(club: Club) -> None:
    contact = club.join(1001)
    settled(club)
    club.civicrm.world.trash(contact)
    assert done(club.cycle()) == [contact]


# The sizes of the last good reads (§6).


def test_the_last_good_read_is_what_a_smaller_one_is_measured_by(club: Club) -> None:
    for number in range(1001, 1021):
        club.join(number)
    settled(club)
    assert memory_of(club).last_good == GoodCounts(21, 22)
    made = [user for user in club.unifi.world.users if user.employee_number]
    for one in made[:6]:
        club.unifi.world.delete_user(one.id)
    report = club.cycle()
    assert report.ending is Ending.HELD
    assert "shrunken controller" in report.reason()
    assert memory_of(club).last_good == GoodCounts(21, 22)


# Imports that failed (R3).


@pytest.fixture
def failing(club: Club) -> int:
    """Return a member whose card the controller knows by another name and will not import."""
    settled(club)
    club.add_card(1001, alias=False)
    contact = club.join(1001)
    report = club.cycle()
    assert list(failed(report)) == [contact]
    assert "Credentials" in failed(report)[contact]
    club.forget()
    return contact


def imports(club: Club, contact: int) -> bool:
    """Run a cycle; return whether it tried to import the member's card."""
    club.forget()
    report = club.cycle()
    tried = "import-card" in kinds(club, contact)
    if not tried:
        assert [blocked.contact_id for blocked in report.blocked] == [contact]
    return tried


def test_a_failed_import_is_not_tried_again_while_nothing_changes(club: Club, failing: int) -> None:
    for clock in (club.clock, Later(hours=23), Later(days=2), Later(days=100)):
        club.clock = clock
        assert not imports(club, failing)
        assert sent(club) == []


def test_a_failed_import_is_tried_at_most_once_a_day_whatever_changes(
    club: Club, failing: int
) -> None:
    club.add_card(1500)
    assert not imports(club, failing)
    club.clock = Later(hours=23, minutes=50)
    assert not imports(club, failing)
    club.clock = Later(hours=24, minutes=10)
    assert imports(club, failing)


def test_a_failed_import_is_tried_at_once_with_another_number(club: Club, failing: int) -> None:
    club.civicrm.world.set_card(failing, "1002")
    assert imports(club, failing)
    assert club.opens(1002)


def test_a_failed_import_of_one_member_says_nothing_of_another(club: Club, failing: int) -> None:
    club.lapse(failing)
    club.civicrm.world.clear_card(failing)
    other = club.join(1001)
    club.forget()
    assert other in failed(club.cycle())
    assert "import-card" in kinds(club, other)


@pytest.mark.parametrize("mend", ["delete", "alias"])
def test_the_advice_that_comes_with_a_failed_import_settles_it(
    club: Club, failing: int, mend: str
) -> None:
    """Deleted there, the card is imported after a day; with our alias it is found at once."""
    token = card(club, 1001).token
    if mend == "delete":
        club.unifi.world.delete_card(token)
        club.clock = Later(days=1, minutes=10)
    else:
        club.unifi.world.edit_card(token, alias="sync-01001")
    settled(club)
    assert holder(club, 1001) == club.user_of(failing)
    assert club.opens(1001)


# Users whose row shows no status (R2).


@pytest.fixture
def mute(club: Club) -> int:
    """Return a leaver whose user's row lacks the status, and who was revoked in the last cycle."""
    contact = club.join(1001)
    settled(club)
    club.lapse(contact)
    club.unifi.world.edit_user(club.user_of(contact), missing=frozenset({"status"}))
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert done(report) == [contact]
    club.forget()
    return contact


def test_a_user_without_status_is_revoked_once_and_reported_from_then_on(
    club: Club, mute: int
) -> None:
    for _ in range(3):
        report = club.cycle()
        assert report.ending is Ending.CLEAN
        assert told(report, NoticeKind.NO_STATUS) == [mute]
    assert sent(club) == []


@pytest.mark.parametrize("change", ["name", "policies", "card", "address"])
def test_a_user_without_status_is_revoked_again_when_its_row_changes(
    club: Club, mute: int, change: str
) -> None:
    world, made = club.unifi.world, club.user_of(mute)
    match change:
        case "name":
            world.edit_user(made, first_name="Other")
        case "policies":
            world.set_policies(made, [])
        case "card":
            world.bind(card(club, 1001).token, made)
        case _:
            world.edit_user(made, user_email="m@example.org")
    report = club.cycle()
    assert done(report) == [mute]
    assert kinds(club, mute)[-1] == "deactivate-user"
    club.forget()
    club.cycle()
    assert sent(club) == []


def test_a_user_without_status_who_keeps_a_card_is_revoked_again(club: Club) -> None:
    contact = club.join(1001)
    settled(club)
    club.lapse(contact)
    made = club.user_of(contact)
    club.unifi.world.edit_user(made, missing=frozenset({"status"}))
    club.unifi.switch(unbind="put", deactivated_refuses_cards=False)

    at_free(club, refused())
    report = club.cycle()
    assert failed(report) == {contact: f"user {made}: the user shows no status and still has cards"}
    assert memory_of(club).statusless == frozenset()
    club.unifi.faults.clear()
    settled(club)
    assert holder(club, 1001) == ""


def test_a_member_whose_row_shows_no_status_is_revoked_though_it_was_read_back_before(
    club: Club,
) -> None:
    """Only a revocation that was accepted settles a row, not any other change of that user."""
    contact = club.join(1001)
    settled(club)
    made = club.user_of(contact)
    club.unifi.world.edit_user(made, missing=frozenset({"status"}))
    club.unifi.world.free(card(club, 1001).token)
    club.civicrm.world.set_card(contact, "no number")
    club.civicrm.world.set_name(contact, first_name="Other")
    settled(club)
    club.lapse(contact)
    report = club.cycle()
    assert done(report) == [contact]
    assert kinds(club, contact) == ["deactivate-user"]


def test_a_user_without_status_who_rejoins_is_served_again(club: Club, mute: int) -> None:
    club.unifi.world.edit_user(club.user_of(mute), missing=frozenset())
    club.rejoin(mute)
    settled(club)
    assert user(club, mute).status == "ACTIVE"
    assert club.opens(1001)


def test_rows_are_told_apart_by_everything_that_may_matter() -> None:
    """A digest of one part must not stand for another: a card is no policy."""
    rows = [
        made_user("u", 1, NO_STATUS),
        made_user("v", 1, NO_STATUS),
        made_user("u", 2, NO_STATUS),
        made_user("u", None, NO_STATUS),
        made_user("u", 1, UserStatus.ACTIVE),
        made_user("u", 1, NO_STATUS, first="Bob"),
        made_user("u", 1, NO_STATUS, last="Bob"),
        made_user("u", 1, NO_STATUS, email="a@example.org"),
        made_user("u", 1, NO_STATUS, console_email="a@example.org"),
        made_user("u", 1, NO_STATUS, tokens=[made_token(1)]),
        made_user("u", 1, NO_STATUS, policies=[PolicyId(made_token(1).reveal())]),
    ]
    assert len({row_digest(KEY, row) for row in rows}) == len(rows)
    one, other = made_token(1), made_token(2)
    assert row_digest(KEY, made_user("u", 1, tokens=[one, other])) == row_digest(
        KEY, made_user("u", 1, tokens=[other, one])
    )


# What an empty memory says.


def test_nothing_remembered_means_nothing() -> None:
    members = {made_member().contact_id: made_member()}
    assert recall(Memory(), KEY, members, made_snapshot(), NOW) == Remembered()


def test_a_member_without_a_card_waits_for_no_import() -> None:

    memory = Memory(failed_imports={"of somebody else": FailedImport("then", NOW)})
    members = {one.contact_id: one for one in (made_member(1, card=None), made_member(2))}
    found = recall(memory, KEY, members, made_snapshot(), NOW)
    assert found.failed_imports == frozenset()


# Cards whose number the journal remembers.


def remembered(*numbers: int, is_ours: bool = True) -> Memory:
    """A memory of cards that carry these numbers without showing them."""
    return Memory(
        aliases={
            token_digest(KEY, made_token(number)): number_digest(
                KEY, CardNumber(number), is_ours=is_ours
            )
            for number in numbers
        }
    )


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_card_gets_the_number_and_the_mark_that_are_remembered_for_it(is_ours: bool) -> None:
    cards = [made_card(None, name=n, ours=False) for n in (1001, 65535, "unknown")]
    snapshot = made_snapshot(cards=[*cards, made_card(7)])
    memory = remembered(1001, 65535, 4000, is_ours=is_ours)
    found = with_remembered_aliases(snapshot, memory, KEY, [CardNumber(1001)])
    assert [(one.number, one.is_ours) for one in found.cards] == [
        (CardNumber(1001), is_ours),
        (CardNumber(65535), is_ours),
        (None, False),
        (CardNumber(7), True),
    ]


def test_what_a_card_shows_by_now_outweighs_what_is_remembered() -> None:
    shown = made_card(1002, name=1001, ours=False)
    snapshot = made_snapshot(cards=[shown])
    assert with_remembered_aliases(snapshot, remembered(1001), KEY, []).cards == (shown,)


@pytest.mark.parametrize(("is_ours", "mark"), [(True, True), (False, False)])
def test_a_card_that_shows_the_remembered_number_gets_the_mark_alone(
    is_ours: bool, mark: bool
) -> None:
    shown = made_card(1001, ours=False)
    memory = remembered(1001, is_ours=is_ours)
    [found] = with_remembered_aliases(made_snapshot(cards=[shown]), memory, KEY, []).cards
    assert (found.number, found.is_ours) == (CardNumber(1001), mark)


def test_a_mark_that_a_card_shows_is_not_taken_off_by_what_is_remembered() -> None:
    shown = made_card(1001)
    snapshot = made_snapshot(cards=[shown])
    memory = remembered(1001, is_ours=False)
    assert with_remembered_aliases(snapshot, memory, KEY, []).cards == (shown,)


def test_cards_that_are_gone_are_remembered_for_nothing() -> None:
    snapshot = made_snapshot(cards=[made_card(5)])
    assert with_remembered_aliases(snapshot, remembered(1001), KEY, []) is snapshot
    assert with_remembered_aliases(snapshot, Memory(), KEY, []) is snapshot


def test_what_another_sites_key_made_is_recognised_as_nothing() -> None:
    unreadable = Memory(aliases={token_digest(KEY, made_token(1001)): "made with another key"})
    snapshot = made_snapshot(cards=[made_card(None, name=1001)])
    assert with_remembered_aliases(snapshot, unreadable, KEY, []) == snapshot
