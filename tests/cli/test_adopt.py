"""`adopt`: who is who, and taking over exactly those whom a person confirmed."""

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from door_sync.cli import adopt
from door_sync.journal.lock import Patience, SiteLock
from door_sync.simulators.faults import Hook
from door_sync.simulators.unifi.switches import Switches
from door_sync.simulators.unifi.trouble import business_error, success_without_effect
from tests.cli.conftest import Ran, Site
from tests.club import Club

Answer = Callable[..., Ran]


@pytest.fixture
def answer(site: Site, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Run `adopt` as on a terminal, with these answers."""

    def run(*answers: str, words: tuple[str, ...] = ()) -> Ran:
        monkeypatch.setattr(adopt, "has_terminal", lambda: True)
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{one}\n" for one in answers)))
        return site.run("adopt", *words)

    return run


def by_hand(club: Club, first: str, last: str = "Ber", **more: Any) -> str:
    """Make a user in the console; return its id."""
    return club.unifi.world.add_user(first, last, **more).id


def number_of(club: Club, user_id: str) -> str:
    """Return the employee number of a user."""
    return club.unifi.world.users[user_id].employee_number


def listed(site: Site) -> dict[str, Any]:
    """Return what `adopt --list --json` says."""
    ran = site.run("adopt", "--list", "--json")
    assert ran.code == 0, ran.err
    found: dict[str, Any] = json.loads(ran.out)
    return found


def test_the_list_shows_who_is_who_and_writes_nothing(site: Site, club: Club) -> None:
    ann, bob = club.join(1001, first="Ann", email="ann@example.org"), club.join(1002, first="Bob")
    one = by_hand(club, "Ann", user_email="ANN@example.org")
    two = by_hand(club, "Bob")
    twins = [club.join(n, first="Tim") for n in (1003, 1004)]
    three, four = by_hand(club, "Tim"), by_hand(club, "Nobody", "Known")
    club.forget()
    ran = site.run("adopt", "--list")
    assert ran.code == 0
    assert club.writes() == 0
    assert not site.journal.exists()
    assert ran.out.startswith(
        "door-sync manages 0 of the controller's 5 users. The other 5: 2 surely a contact's, 0 to "
        "be looked at, 1 doubtful, 2 like nobody.\n"
    )
    assert f"  {one}={ann}  Ann Ber, ACTIVE is contact {ann} (Ann Ber); same: " in ran.out
    assert f"  {two}={bob}  Bob Ber, ACTIVE is contact {bob} (Bob Ber); same: name\n" in ran.out
    doubt = f"contacts {twins[0]}, {twins[1]} have this user's name"
    assert f"  {three}  Tim Ber, ACTIVE may be contact {twins[0]} (Tim Ber), " in ran.out
    assert doubt in ran.out
    assert f"  {four}  Nobody Known, ACTIVE\n" in ran.out
    found = listed(site)
    assert [(one["user"], one["contact"]) for one in found["pairs"]] == sorted(
        [(one, ann), (two, bob)]
    )
    assert [one["reasons"] for one in found["doubtful"]] == [[doubt]]


def test_a_member_without_a_card_would_lose_access_and_that_is_said_before_anything_is_asked(
    site: Site, club: Club, answer: Answer
) -> None:
    """The interview: a No to the one leaves only the sure one to be linked."""
    ann = club.join(1001, first="Ann")
    bob = club.join(None, first="Bob")
    one, two = by_hand(club, "Ann"), by_hand(club, "Bob", policy_ids=[club.gold])
    ran = answer("y", "n", "y")
    assert ran.code == 0, ran.out + ran.err
    assert "Mind: if all were linked, 1 person would lose access in the next cycle." in ran.out
    assert "LOSES ACCESS: the card field is empty" in ran.out
    assert (number_of(club, one), number_of(club, two)) == (str(ann), "")
    assert f"contact {bob}" in ran.out
    assert (
        f"With 1 link made, the next cycle would do this:\n  contact {ann} (Ann Ber): " in ran.out
    )
    assert "Linked and read back: 1 user." in ran.out
    assert club.unifi.world.users[two].status == "ACTIVE"


@pytest.mark.parametrize("answers", [("n",), ("",), ("y", "n"), ("y", ""), ("e", "n")])
def test_without_a_yes_nothing_is_taken_over(
    site: Site, club: Club, answer: Answer, answers: tuple[str, ...]
) -> None:
    club.join(1001, first="Ann")
    one = by_hand(club, "Ann")
    club.forget()
    ran = answer(*answers)
    assert ran.code == 0
    assert ran.out.endswith("Nothing was linked.\n")
    assert club.writes() == 0
    assert number_of(club, one) == ""
    assert not site.journal.exists()


def test_an_interview_that_breaks_off_takes_nobody_over(
    site: Site, club: Club, answer: Answer
) -> None:
    club.join(1001, first="Ann")
    by_hand(club, "Ann")
    club.forget()
    assert answer("y").code == 130
    assert club.writes() == 0


def test_a_doubt_is_settled_by_naming_one_of_its_contacts(
    site: Site, club: Club, answer: Answer
) -> None:
    club.join(1001, first="Tim")
    second = club.join(1002, first="Tim")
    one = by_hand(club, "Tim")
    assert answer("999").code == 0
    assert number_of(club, one) == ""
    assert answer(str(second), "y").code == 0
    assert number_of(club, one) == str(second)


def test_an_administrator_picked_out_of_a_doubt_is_asked_about_once_more(
    site: Site, club: Club, answer: Answer
) -> None:
    club.unifi.world.edit_user(club.owner, first_name="Tim", last_name="Ber")
    club.join(1001, first="Tim")
    second = club.join(1002, first="Tim")
    ran = answer(str(second), "n")
    assert "! administrator: " in ran.out
    assert "next cycle: shown before anything is linked" in ran.out
    assert number_of(club, club.owner) == ""
    assert answer(str(second), "y", "y").code == 0
    assert number_of(club, club.owner) == str(second)


def test_a_doubtful_user_with_another_number_is_left_out_without_the_word(
    site: Site, club: Club, answer: Answer
) -> None:
    club.join(1001, first="Tim")
    second = club.join(1002, first="Tim")
    one = by_hand(club, "Tim", employee_number="HR-17")
    ran = answer(str(second), "y")
    assert f"Left out: user {one}: it needs a word more. --even-if other-number" in ran.out
    assert ran.out.endswith("Nothing was linked.\n")
    assert number_of(club, one) == "HR-17"


def test_a_user_whose_contact_is_linked_already_is_shown_and_not_asked_about(
    site: Site, club: Club, answer: Answer
) -> None:
    ann = club.join(1001, first="Ann")
    club.add_user(str(ann))
    by_hand(club, "Ann")
    ran = answer()
    assert f"contact {ann} is linked to user " in ran.out
    assert "Which contact is it?" not in ran.out
    assert ran.code == 0


def test_an_old_controller_that_hides_its_administrators_is_said_to(site: Site, club: Club) -> None:
    club.unifi.switch(firmware="3.0.0")
    club.join(1001, first="Ann")
    assert "does not tell who administers it" in site.run("adopt", "--list").out
    assert listed(site)["knows_administrators"] is False


def test_a_hold_that_follows_is_told_before_the_last_question(
    site: Site, club: Club, answer: Answer
) -> None:
    site.configure(safety__small_site_max=0)
    for n in range(2):
        club.lapse(club.join(1001 + n, first=f"M{n}"))
        by_hand(club, f"M{n}")
    ran = answer("y", "y", "n")
    assert "LOSES ACCESS: no active membership (held by a guard)" in ran.out
    assert "A guard would hold a part of it: " in ran.out


def test_a_staff_number_that_is_somebody_elses_contact_id_is_told(site: Site, club: Club) -> None:
    ann = club.join(1001, first="Ann")
    one = by_hand(club, "Bob", employee_number=str(ann))
    two = by_hand(club, "Cy", employee_number="4711")
    ran = site.run("adopt", "--list")
    assert f"{one}  Bob Ber, ACTIVE is linked to contact {ann} (Ann Ber)\n" in ran.out
    assert f"{two}  Cy Ber, ACTIVE is linked to contact 4711, who never joined\n" in ran.out
    assert "clear the employee number in the console" in ran.out
    assert {row["user"] for row in listed(site)["strangers"]} == {one, two}


def test_a_running_cycle_is_waited_for(
    site: Site, club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adopt, "WAIT_SECONDS", 0.01)
    ann = club.join(1001, first="Ann")
    one = by_hand(club, "Ann")
    club.forget()
    with SiteLock(site.journal, Patience(0, club.clock, lambda: None)):
        ran = site.run("adopt", "--link", f"{one}={ann}")
    assert ran.code == 75
    assert "A cycle is running; waiting for its end." in ran.err
    assert club.writes() == 0


def test_whoever_shares_an_address_under_another_name_is_asked_about_by_himself(
    site: Site, club: Club, answer: Answer
) -> None:
    ann = club.join(1001, first="Ann", email="lee@example.org")
    one = by_hand(club, "Bob", user_email="lee@example.org")
    ran = answer("y", "y")
    assert "! names-differ: the names differ; is it the same person?" in ran.out
    assert "Link all" not in ran.out
    assert number_of(club, one) == str(ann)


@pytest.mark.parametrize(("shown", "relation"), [(True, "same"), (False, "number-unseen")])
def test_the_next_cycle_brings_those_who_were_linked_up_to_date(
    site: Site, club: Club, shown: bool, relation: str
) -> None:
    """Their own user serves them: nobody is made twice, and their card is recognised, also where
    the controller does not show its number."""
    club.reset(Switches(nfc_id_in_card_list=shown, known_card="same token"))
    ann = club.join(1001, first="Ann")
    one = by_hand(club, "Ann")
    club.add_card(1001, holder=one, alias=False)
    assert listed(site)["cards"][0]["relation"] == relation
    assert site.run("adopt", "--link", f"{one}={ann}").code == 0
    site.settle()
    assert club.user_of(ann) == one
    assert club.opens(1001, club.workshop)
    assert len(club.unifi.world.users) == 2


def test_a_link_is_on_record_before_and_after_and_in_the_audit_file(site: Site, club: Club) -> None:
    ann = club.join(1001, first="Ann", email="ann@example.org")
    one = by_hand(club, "Ann")
    assert site.run("adopt", "--link", f"{one}={ann}").code == 0
    line = site.audit_line()
    assert line["command"] == "adopt"
    assert line["changes"] == [{"contact": ann, "class": "adopt", "outcome": "done"}]
    story = site.run("history", "--contact", str(ann)).out
    assert "Linked to a user (adopt): a person confirmed who this user is." in story
    assert "link the user to the contact (link-user): done and read back" in story
    assert "1 person linked to a user" in site.run("history").out
    assert site.run("history", "verify").code == 0
    assert b"ann@example.org" not in site.everything_written()
    assert b"Ann" not in site.everything_written()


def test_an_administrator_is_linked_only_where_that_is_said(site: Site, club: Club) -> None:
    olga = club.join(1001, first="Olga")
    club.unifi.world.edit_user(club.owner, last_name="Ber")
    club.forget()
    words = ("adopt", "--link", f"{club.owner}={olga}")
    ran = site.run(*words)
    assert ran.code == 3
    assert "a lapsed membership deactivates them. If it is meant: --even-if administrator" in (
        ran.out
    )
    assert club.writes() == 0
    assert site.run(*words, "--even-if", "administrator").code == 0
    assert number_of(club, club.owner) == str(olga)


def test_another_employee_number_is_shown_and_replaced_only_where_that_is_said(
    site: Site, club: Club, answer: Answer
) -> None:
    ann = club.join(1001, first="Ann")
    one = by_hand(club, "Ann", employee_number="HR-17")
    ran = answer()
    assert "what stands in the employee number: HR-17" in ran.out
    assert "Passed over" in ran.out
    assert number_of(club, one) == "HR-17"
    assert answer("y", "y", words=("--even-if", "other-number")).code == 0
    assert number_of(club, one) == str(ann)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda club, ann: ("gone", ann), "The controller has no user with this id"),
        (lambda club, ann: (by_hand(club, "X", employee_number="77"), ann), "linked to contact 77"),
        (lambda club, ann: (by_hand(club, "X"), 9999), "CiviCRM returns no contact with this id"),
        (lambda club, ann: (by_hand(club, "X"), ann), "Neither the e-mail address nor the name"),
    ],
)
def test_what_is_not_as_named_is_refused_by_name_and_the_others_are_linked(
    site: Site, club: Club, make: Callable[[Club, int], tuple[str, int]], problem: str
) -> None:
    ann, bob = club.join(1001, first="Ann"), club.join(1002, first="Bob")
    user_id, contact = make(club, ann)
    good = by_hand(club, "Bob")
    club.forget()
    ran = site.run("adopt", "--link", f"{user_id}={contact}", "--link", f"{good}={bob}")
    assert ran.code == 3
    assert f"user {user_id}, contact {contact}: refused." in ran.out
    assert problem in ran.out
    assert club.writes() == 1
    assert number_of(club, good) == str(bob)


def test_one_contact_for_two_users_is_refused_for_both(site: Site, club: Club) -> None:
    ann = club.join(1001, first="Ann")
    links = [f"{by_hand(club, 'Ann')}={ann}" for _ in range(2)]
    club.forget()
    ran = site.run("adopt", "--link", links[0], "--link", links[1])
    assert ran.code == 3
    assert ran.out.count("this contact is named with more than one user".capitalize()) == 2
    assert club.writes() == 0


def test_an_answers_file_links_what_is_confirmed_in_it_and_refuses_what_changed_since(
    site: Site, club: Club
) -> None:
    ann, bob, cy = (club.join(1001 + n, first=f) for n, f in enumerate(("Ann", "Bob", "Cy")))
    users = {contact: by_hand(club, f) for contact, f in ((ann, "Ann"), (bob, "Bob"), (cy, "Cy"))}
    document = listed(site)
    for pair in document["pairs"]:
        pair["confirmed"] = pair["contact"] != cy
    file = site.directory / "answers.json"
    file.write_text(json.dumps(document))
    club.civicrm.world.set_name(bob, first_name="Robert")
    ran = site.run("adopt", "--answers", str(file), "--json")
    assert ran.code == 3
    became = {one["contact"]: one["outcome"] for one in json.loads(ran.out)["results"]}
    assert became == {ann: "linked", bob: "refused"}
    assert [number_of(club, users[one]) for one in (ann, bob, cy)] == [str(ann), "", ""]


def test_an_answers_file_may_be_lines(site: Site, club: Club) -> None:
    ann = club.join(1001, first="Ann")
    one = by_hand(club, "Ann")
    file = site.directory / "answers.txt"
    file.write_text(f"# those whom I know\n\n{one} = {ann}  # Ann\n")
    assert site.run("adopt", "--answers", str(file)).code == 0
    assert number_of(club, one) == str(ann)


@pytest.mark.parametrize(
    "content",
    ["u1", "u1=", "=7", "u1=07", "[1]", "{", '{"pairs": 1}', '[{"user": "u"}]', "\xff"],
)
def test_an_answers_file_that_is_none_is_wrong_use(site: Site, club: Club, content: str) -> None:
    file = site.directory / "answers"
    file.write_bytes(content.encode("latin-1"))
    ran = site.run("adopt", "--answers", str(file))
    assert (ran.code, club.writes()) == (64, 0)


@pytest.mark.parametrize(
    "words", [(), ("--json",), ("--list", "--link", "u=7"), ("--link", "u"), ("--even-if", "x")]
)
def test_without_a_terminal_it_says_how_to_go_on(
    site: Site, club: Club, words: tuple[str, ...]
) -> None:
    ran = site.run("adopt", *words)
    assert (ran.code, club.writes()) == (64, 0)


def test_one_refusal_is_that_persons(site: Site, club: Club) -> None:
    ann, bob = club.join(1001, first="Ann"), club.join(1002, first="Bob")
    one, two = by_hand(club, "Ann"), by_hand(club, "Bob")
    refuse = business_error("CODE_PARAMS_INVALID")
    club.unifi.faults.add(refuse, method="PUT", path=f"/users/{one}", times=None)
    ran = site.run("adopt", "--link", f"{one}={ann}", "--link", f"{two}={bob}")
    assert ran.code == 3
    assert f"user {one}, contact {ann}: failed." in ran.out
    assert number_of(club, two) == str(bob)
    assert site.last_event() == "partial"
    assert site.run("history", "verify").code == 0


def test_a_link_that_is_accepted_and_not_done_is_a_failure(site: Site, club: Club) -> None:
    ann = club.join(1001, first="Ann")
    one = by_hand(club, "Ann")
    club.unifi.faults.add(success_without_effect(), method="PUT", times=None)
    ran = site.run("adopt", "--link", f"{one}={ann}")
    assert ran.code == 3
    assert "The controller took the link, but does not show it" in ran.out
    assert "accepted, but the read-back did not show it" in (
        site.run("history", "--contact", str(ann)).out
    )
    assert site.run("history", "verify").code == 0


def test_a_user_that_changes_just_before_the_write_is_left_alone(site: Site, club: Club) -> None:
    ann = club.join(1001, first="Ann")
    one = by_hand(club, "Ann")

    def rename(_: object) -> None:
        club.unifi.world.edit_user(one, first_name="Somebody")

    club.unifi.faults.add(Hook(rename), method="GET", path=f"/users/{one}")
    club.forget()
    ran = site.run("adopt", "--link", f"{one}={ann}")
    assert ran.code == 3
    assert "The user was changed in the controller since" in ran.out
    assert club.writes() == 0


def test_a_controller_that_is_away_ends_it_with_two(site: Site, club: Club) -> None:
    site.configure(unifi__host="https://127.0.0.1:1")
    ran = site.run("adopt", "--list")
    assert ran.code == 2
    assert "Traceback" not in ran.err
