"""Answers after which no further write may follow, and what the report and the journal say (R0)."""

import pytest

from door_sync.app.report import CycleReport, Ending
from door_sync.journal.memory import InMemoryJournal
from door_sync.ports import ControllerForbids, ControllerUnreachable, WrongController
from door_sync.simulators.faults import Hook, Reset, html_error, json_answer
from door_sync.simulators.tls import self_signed
from tests.app.watching import (
    ACTIVATE,
    DEACTIVATE,
    at_create,
    at_free,
    at_import,
    at_look,
    at_policies,
    at_status,
    bad_token,
    done,
    failed,
    intended,
    kinds,
    no_route,
    outcomes,
    recorded,
    sent,
    settled,
)
from tests.club import Club


def busy(club: Club) -> dict[str, int]:
    """Return people each of whom needs something else in the next cycle, by contact id in order."""
    people = {
        name: club.join(1001 + number)
        for number, name in enumerate(("leaver", "tier", "name", "card", "back"))
    }
    settled(club)
    club.lapse(people["back"])
    settled(club)
    crm = club.civicrm.world
    club.lapse(people["leaver"])
    club.retier(people["tier"], "Silver")
    crm.set_name(people["name"], first_name="Other")
    club.add_card(1010)
    crm.set_card(people["card"], "1010")
    club.rejoin(people["back"])
    people["joiner"] = club.join(1011)
    return people


def event(club: Club) -> str | None:
    """Return the word with which the journal says how the last cycle ended."""
    assert isinstance(club.journal, InMemoryJournal)
    [cycle] = club.journal.cycles(1)
    return cycle.event


def check_it_ended(club: Club, report: CycleReport, people: dict[str, int], last: str) -> None:
    """Check that nothing followed the write `last`, and that everybody else is accounted for."""
    assert report.ending is Ending.FAILED
    assert report.ending.value == 2
    assert sent(club)[-1][0] == last
    assert sorted(done(report) + list(failed(report))) == sorted(people.values())
    assert event(club) == "failed"
    assert recorded(club, report)[-1].kind == last
    assert None not in [step.outcome for step in recorded(club, report)]


def test_a_story_in_which_everybody_needs_something_else_ends_well(club: Club) -> None:
    people = busy(club)
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert sorted(done(report)) == sorted(people.values())
    assert len(sent(club)) == 14
    assert event(club) == "applied"


@pytest.mark.parametrize("number", range(1, 15))
def test_a_key_that_is_refused_at_any_write_ends_the_cycle_with_that_write(
    club: Club, number: int
) -> None:
    people = busy(club)
    club.unifi.faults.add(
        bad_token(), where=lambda request: request.method != "GET", first=number, times=None
    )
    report = club.cycle()
    assert isinstance(report.error, ControllerForbids)
    assert len(sent(club)) == number
    check_it_ended(club, report, people, sent(club)[-1][0])
    assert recorded(club, report)[-1].outcome == "failed"
    assert recorded(club, report)[-1].detail == "ControllerForbids"
    club.unifi.faults.clear()
    settled(club)
    assert [club.opens(n) for n in (1001, 1004, 1005, 1010, 1011)] == [
        False,
        False,
        True,
        True,
        True,
    ]


def test_a_right_that_the_key_lacks_ends_the_cycle(club: Club) -> None:
    people = busy(club)
    at_policies(club, json_answer({"code": "CODE_UNAUTHORIZED", "msg": "No."}))
    report = club.cycle()
    assert isinstance(report.error, ControllerForbids)
    assert "People & Groups: Edit" in report.error.message
    check_it_ended(club, report, people, "set-policies")
    assert done(report) == [people["leaver"]]


def test_a_missing_route_for_policies_ends_the_cycle(club: Club) -> None:
    people = busy(club)
    at_policies(club, no_route())
    report = club.cycle()
    assert isinstance(report.error, ControllerForbids)
    check_it_ended(club, report, people, "set-policies")


def test_a_missing_route_for_deactivation_ends_the_cycle_with_the_first_leaver(club: Club) -> None:
    people = busy(club)
    at_status(club, no_route(), ":id", DEACTIVATE)
    report = club.cycle()
    check_it_ended(club, report, people, "deactivate-user")
    assert sent(club) == [("free-card", people["leaver"]), ("deactivate-user", people["leaver"])]
    assert done(report) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "last"),
    [
        ("POST", "/users", {}, "create-user"),
        ("PUT", "/users/:id", ACTIVATE, "activate-user"),
        ("PUT", "/users/:id", {"first_name": "Other", "last_name": "Ber"}, "update-profile"),
        ("PUT", "/users/:id/nfc_cards", {}, "bind-card"),
    ],
)
def test_any_other_missing_route_ends_the_cycle(
    club: Club, method: str, path: str, body: dict[str, str], last: str
) -> None:
    people = busy(club)
    club.unifi.faults.add(
        no_route(),
        method=method,
        path=path,
        where=lambda request: body.items() <= request.json().items(),
    )
    report = club.cycle()
    assert isinstance(report.error, ControllerForbids)
    check_it_ended(club, report, people, last)


def test_a_missing_route_for_freeing_a_card_ends_nothing(club: Club) -> None:
    people = busy(club)
    at_free(club, no_route())
    report = club.cycle()
    assert report.error is None
    assert list(failed(report)) == [people["card"]]


def test_the_key_is_not_asked_for_again_when_a_look_is_refused(club: Club) -> None:
    """A look before a reclaim meets the refusal: nothing is written after it either."""
    settled(club)
    club.add_user("", cards=[1001], status="DEACTIVATED")
    people = [club.join(1001), club.join(1002)]
    at_look(club, bad_token(), "/credentials/nfc_cards/tokens/:token")
    report = club.cycle()
    assert isinstance(report.error, ControllerForbids)
    assert list(failed(report)) == people
    assert {kind for kind, _ in sent(club)} == {"import-card", "create-user"}
    assert "the cycle ended before this was written" in failed(report)[people[1]]


def test_what_was_written_before_the_end_is_read_back_and_counted(club: Club) -> None:
    people = busy(club)
    at_policies(club, bad_token())
    report = club.cycle()
    assert done(report) == [people["leaver"]]
    assert report.summary()["deactivated"] == 1
    assert outcomes(club, report, people["leaver"])[-1] == ("deactivate-user", "done")


def test_a_controller_whose_certificate_changes_gets_no_further_write(club: Club) -> None:
    people = busy(club)
    mine = club.unifi_server.certificate
    assert mine is not None
    stranger = self_signed("unifi.local")
    swap = Hook(lambda _: club.unifi_server.swap_certificate(stranger))
    for fault in (swap, Reset()):
        club.unifi.faults.add(
            fault, where=lambda request: request.method != "GET", first=3, times=None
        )
    try:
        report = club.cycle()
    finally:
        club.unifi.faults.clear()
        club.unifi_server.swap_certificate(mine)
    assert isinstance(report.error, WrongController)
    assert report.ending is Ending.FAILED
    assert event(club) == "failed"
    assert len(recorded(club, report)) == 3
    assert recorded(club, report)[-1].detail == "WrongController"
    assert list(failed(report)) == sorted(people.values())
    settled(club)


def test_five_requests_without_an_answer_end_the_cycle(club: Club) -> None:
    settled(club)
    people = [club.join(1001 + n) for n in range(9)]
    at_create(club, html_error(500), times=None)
    report = club.cycle()
    assert isinstance(report.error, ControllerUnreachable)
    assert "5 requests in a row" in report.error.message
    assert list(failed(report)) == people
    created = {contact for kind, contact in intended(club, report) if kind == "create-user"}
    assert created == set(people[:5])
    assert kinds(club, people[5]) == ["import-card"]


def test_an_import_without_an_answer_counts_as_the_first_of_five(club: Club) -> None:
    settled(club)
    people = [club.join(1001 + n) for n in range(9)]
    at_import(club, html_error(500))
    at_create(club, html_error(500), times=None)
    report = club.cycle()
    assert isinstance(report.error, ControllerUnreachable)
    created = {contact for kind, contact in intended(club, report) if kind == "create-user"}
    assert created == set(people[:4])


def test_four_requests_without_an_answer_end_nothing(club: Club) -> None:
    settled(club)
    people = [club.join(1001 + n) for n in range(9)]
    for contact in people[:4]:
        at_create(club, html_error(500), contact, times=None)
    report = club.cycle()
    assert report.ending is Ending.PARTIAL
    assert list(failed(report)) == people[:4]
    assert done(report) == people[4:]


def test_looks_that_get_no_answer_count_as_silence_too(club: Club) -> None:
    by_hand = club.unifi.world.add_policy("By hand", [club.workshop]).id
    people = [club.join(1001 + n) for n in range(7)]
    settled(club)
    for contact in people:
        made = club.user_of(contact)
        club.unifi.world.set_policies(made, [club.gold, by_hand])
        club.retier(contact, "Silver")
    look = at_look(club, html_error(502), "/users/:id/access_policies")
    report = club.cycle()
    assert isinstance(report.error, ControllerUnreachable)
    assert look.struck == 5 * 3
    assert sent(club) == []


def test_an_answer_to_a_write_ends_a_silence(club: Club) -> None:
    settled(club)
    people = [club.join(1001 + n) for n in range(9)]
    for contact in (*people[:4], *people[5:]):
        at_create(club, html_error(500), contact, times=None)
    report = club.cycle()
    assert report.ending is Ending.PARTIAL
    assert done(report) == [people[4]]


def test_an_answer_to_a_look_ends_a_silence(club: Club) -> None:
    """The controller is there: it tells each user's policies, though it takes no write."""
    by_hand = club.unifi.world.add_policy("By hand", [club.workshop]).id
    people = [club.join(1001 + n) for n in range(7)]
    settled(club)
    for contact in people:
        club.unifi.world.set_policies(club.user_of(contact), [club.gold, by_hand])
        club.retier(contact, "Silver")
    at_policies(club, html_error(500))
    report = club.cycle()
    assert report.ending is Ending.PARTIAL
    assert list(failed(report)) == people
    assert intended(club, report) == [("set-policies", contact) for contact in people]
