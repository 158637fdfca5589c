"""Cards that come by import, and those that were in the controller all along (R3).

A known card is one that was enrolled by hand, without our alias, on a controller that does not
show raw numbers: only the answer to an import tells which card it is.
"""

import pytest

from door_sync.app.report import Ending
from door_sync.core.steps import NoticeKind
from door_sync.ports import ControllerForbids
from door_sync.simulators.faults import Armed, Fault, Reset, html_error
from tests.app.watching import (
    Later,
    at_import,
    bad_token,
    card,
    done,
    failed,
    holder,
    kinds,
    no_route,
    outcomes,
    refused,
    sent,
    settled,
)
from tests.club import Club


@pytest.fixture
def telling(club: Club) -> Club:
    """A club whose controller answers an import of a known card with the card's own token."""
    club.unifi.switch(known_card="same token")
    settled(club)
    return club


def at_alias(club: Club, fault: Fault) -> Armed:
    """Arm a fault for giving cards an alias."""
    where = "/credentials/nfc_cards/tokens/:token"
    return club.unifi.faults.add(fault, method="PUT", path=where, times=None)


def quiet(club: Club) -> None:
    """Run a cycle that must write nothing."""
    club.forget()
    club.cycle()
    assert sent(club) == []


def test_all_cards_of_a_plan_travel_in_one_file(club: Club) -> None:
    people = [club.join(1001 + n) for n in range(3)]
    report = club.cycle()
    assert report.ending is Ending.CLEAN
    imports = [e for e in club.unifi.journal.writes() if e.path.endswith("/import")]
    assert len(imports) == 1
    for contact in people:
        assert outcomes(club, report, contact)[0] == ("import-card", "done")


def test_a_known_card_that_is_free_is_bound_and_gets_our_alias(telling: Club) -> None:
    token = telling.add_card(1001, alias=False)
    contact = telling.join(1001)
    report = telling.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert telling.opens(1001)
    assert telling.unifi.world.cards[token].alias == "sync-01001"
    assert ("set-alias", "done") in outcomes(telling, report, contact)
    quiet(telling)


def test_a_known_card_of_a_disabled_user_is_reclaimed_and_gets_our_alias(telling: Club) -> None:
    telling.add_user("", cards=[1001], alias=False, status="DEACTIVATED")
    contact = telling.join(1001)
    report = telling.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert [n.contact_id for n in report.notices if n.kind is NoticeKind.RECLAIM] == [contact]
    assert card(telling, 1001).alias == "sync-01001"
    assert telling.opens(1001)
    quiet(telling)


def test_a_known_card_that_the_member_has_already_only_gets_our_alias(telling: Club) -> None:
    contact = telling.join(1001)
    telling.add_user(str(contact), cards=[1001], alias=False, policies=[telling.gold])
    report = telling.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert contact in done(report)
    assert card(telling, 1001).alias == "sync-01001"
    assert "bind-card" not in kinds(telling, contact)
    quiet(telling)


@pytest.mark.parametrize("is_member", [True, False], ids=["another member", "unmanaged"])
def test_a_known_card_of_somebody_active_stays_with_them_for_good(
    telling: Club, is_member: bool
) -> None:
    """Our alias would make it ours to free in the next cycle: the holder would lose it."""
    holding = telling.owner
    if is_member:
        other = telling.join(1005)
        settled(telling)
        holding = telling.user_of(other)
    telling.add_card(1001, holder=holding, alias=False)
    contact = telling.join(1001)
    for days in (0, 0, 2, 4):
        telling.clock = Later(days=days)
        report = telling.cycle()
        assert report.ending is Ending.CLEAN, report.reason()
        [blocked] = report.blocked
        assert blocked.contact_id == contact
        assert blocked.holder is not None
        assert blocked.holder.user_id == holding
        assert holder(telling, 1001) == holding
        assert card(telling, 1001).alias == ""
    quiet(telling)


def test_a_known_card_that_was_blocked_is_bound_once_it_is_free(telling: Club) -> None:
    token = telling.add_card(1001, holder=telling.owner, alias=False)
    telling.join(1001)
    assert telling.cycle().blocked
    telling.unifi.world.free(token)
    settled(telling)
    assert telling.opens(1001)
    quiet(telling)


def test_a_known_card_that_was_blocked_is_reclaimed_once_its_holder_is_disabled(
    telling: Club,
) -> None:
    holding = telling.add_user("n/a")
    telling.add_card(1001, holder=holding, alias=False)
    telling.join(1001)
    assert telling.cycle().blocked
    telling.unifi.world.set_status(holding, "DEACTIVATED")
    settled(telling)
    assert telling.opens(1001)


def test_a_known_card_looks_the_same_to_a_controller_that_shows_raw_numbers(club: Club) -> None:
    """The two readings of C2 end alike: blocked, and held by whoever has it."""
    club.unifi.switch(nfc_id_in_card_list=True)
    contact = club.join(1005)
    settled(club)
    club.add_card(1001, holder=club.user_of(contact), alias=False)
    club.join(1001)
    for _ in range(2):
        assert len(club.cycle().blocked) == 1
        assert holder(club, 1001) == club.user_of(contact)


@pytest.mark.parametrize(
    ("trouble", "word"),
    [(no_route(), "refused"), (refused(), "refused"), (html_error(500), "uncertain")],
    ids=["no such route", "refused", "no answer"],
)
def test_an_alias_that_cannot_be_written_is_remembered_instead(
    telling: Club, trouble: Fault, word: str
) -> None:
    telling.add_card(1001, alias=False)
    contact = telling.join(1001)
    at_alias(telling, trouble)
    report = telling.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert contact in done(report)
    assert telling.opens(1001)
    assert ("set-alias", word) in outcomes(telling, report, contact)
    assert len(telling.journal.memory(telling.clock.now()).aliases) == 1
    quiet(telling)


def test_a_card_whose_alias_is_remembered_is_ours_to_free_when_it_is_replaced(
    telling: Club,
) -> None:
    telling.add_card(1001, alias=False)
    contact = telling.join(1001)
    at_alias(telling, no_route())
    settled(telling)
    telling.civicrm.world.set_card(contact, "1002")
    settled(telling)
    assert holder(telling, 1001) == ""
    assert telling.opens(1002)


def test_a_remembered_card_goes_to_the_next_member_without_another_import(telling: Club) -> None:
    telling.add_card(1001, alias=False)
    first = telling.join(1001)
    at_alias(telling, no_route())
    settled(telling)
    telling.lapse(first)
    second = telling.join(1001)
    report = telling.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert "import-card" not in kinds(telling, second)
    assert holder(telling, 1001) == telling.user_of(second)


def test_what_is_remembered_of_a_card_does_not_tell_its_number(telling: Club) -> None:
    token = telling.add_card(1001, alias=False)
    telling.join(1001)
    at_alias(telling, no_route())
    telling.cycle()
    [(about, number)] = telling.journal.memory(telling.clock.now()).aliases.items()
    assert token not in about
    assert len(number) == 32


def test_a_key_that_is_refused_at_the_alias_ends_the_cycle(telling: Club) -> None:
    telling.add_card(1001, alias=False)
    telling.join(1001)
    at_alias(telling, bad_token())
    report = telling.cycle()
    assert isinstance(report.error, ControllerForbids)
    assert sent(telling)[-1][0] == "set-alias"


def test_an_import_that_got_no_answer_is_on_record_as_such_and_tried_in_the_next_cycle(
    club: Club,
) -> None:
    settled(club)
    contact = club.join(1001)
    at_import(club, Reset())
    report = club.cycle()
    assert list(failed(report)) == [contact]
    assert outcomes(club, report, contact)[0] == ("import-card", "uncertain")
    assert not club.journal.memory(club.clock.now()).failed_imports
    club.unifi.faults.clear()
    settled(club)
    assert club.opens(1001)


def test_a_card_that_came_although_the_import_got_no_answer_is_bound(club: Club) -> None:
    settled(club)
    contact = club.join(1001)
    at_import(club, Reset(after=True), times=1)
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert contact in done(report)
    assert club.opens(1001)


def test_a_firmware_that_cannot_import_ends_the_cycle_and_says_which_version_can(
    club: Club,
) -> None:
    leaver = club.join(1001)
    settled(club)
    club.lapse(leaver)
    contact = club.join(1002)
    at_import(club, no_route())
    report = club.cycle()
    assert isinstance(report.error, ControllerForbids)
    assert "3.3.10" in report.error.remedy
    assert list(failed(report)) == [contact]
    assert done(report) == [leaver]
    assert outcomes(club, report, contact) == [("import-card", "failed")]


@pytest.mark.parametrize("is_shown", [False, True], ids=["number hidden", "number shown"])
@pytest.mark.parametrize("is_stuck", [False, True], ids=["free", "on a disabled user"])
@pytest.mark.parametrize("can_rename", [True, False], ids=["renamed", "remembered"])
def test_a_card_enrolled_by_hand_that_we_bound_is_ours_to_free_when_it_is_replaced(
    telling: Club, is_shown: bool, is_stuck: bool, can_rename: bool
) -> None:
    """It may be lost: under every reading of C2 it must not go on opening doors (§9)."""
    telling.unifi.switch(nfc_id_in_card_list=is_shown)
    holding = telling.add_user("", status="DEACTIVATED") if is_stuck else None
    telling.add_card(1001, holder=holding, alias=False)
    contact = telling.join(1001)
    if not can_rename:
        at_alias(telling, no_route())
    settled(telling)
    assert telling.opens(1001)
    assert (card(telling, 1001).alias == "sync-01001") == can_rename
    quiet(telling)
    telling.civicrm.world.set_card(contact, "1002")
    settled(telling)
    assert telling.opens(1002)
    assert not telling.opens(1001)
    assert holder(telling, 1001) == ""


def test_silence_about_some_cards_costs_neither_those_that_came_nor_a_later_try(club: Club) -> None:
    """A file with a bad row is halved; of the last half nobody knows what became of it."""
    club.unifi.switch(bad_row="file fails")
    settled(club)
    club.add_card(1001, alias=False)
    people = [club.join(1001 + n) for n in range(4)]
    club.unifi.faults.add(Reset(), path="/credentials/nfc_cards/import", first=5, times=None)
    report = club.cycle()
    assert [failed(report).get(one) is not None for one in people] == [True, False, True, True]
    assert [outcomes(club, report, one)[0] for one in people] == [
        ("import-card", word) for word in ("uncertain", "done", "uncertain", "uncertain")
    ]
    assert club.opens(1002)
    assert not club.journal.memory(club.clock.now()).failed_imports
    club.unifi.faults.clear()
    report = club.cycle()
    assert list(failed(report)) == people[:1]
    assert club.opens(1003)
    assert club.opens(1004)
