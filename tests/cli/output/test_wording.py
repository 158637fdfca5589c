"""One step, one card, one person in words, and that no name can steer a terminal."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from door_sync.app.report import CycleReport
from door_sync.cli.output.wording import MEANS, Wording, counted, harmless
from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import PolicyId, UserId, UserStatus, VisitorId
from door_sync.core.custody import IMPORT_FAILED
from door_sync.core.people import ContactId
from door_sync.core.steps import (
    ActivateUser,
    BindCard,
    Blocked,
    ChangeClass,
    CreateUser,
    DeactivateUser,
    FreeCard,
    HolderShown,
    ImportCard,
    NewUser,
    OnRefusal,
    Phase,
    ReclaimCard,
    SetPolicies,
    Step,
    UpdateProfile,
)
from door_sync.core.tags import card_tag
from tests.cli.conftest import Site

KEY = b"k" * 32
CARD = CardNumber(4242)
TOKEN = CardToken("f" * 32)
USER = UserId("8d723104-f773-43c1-b458-a748e9bb17bc")
CONTACT = ContactId(42)
REPORT = CycleReport(datetime(2026, 1, 1, tzinfo=UTC), dry_run=True, key=KEY)
WORDS = Wording(REPORT)
TAG = card_tag(KEY, CARD)


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (FreeCard(USER, TOKEN, OnRefusal.FAIL, Phase.FREE), "take a card enrolled by hand off "),
        (
            FreeCard(USER, TOKEN, OnRefusal.SHUT, Phase.FREE),
            "take a card enrolled by hand off user 8d723104, if it is not off by then",
        ),
        (DeactivateUser(USER), "deactivate user 8d723104"),
        (ImportCard(CARD), f"import card #{TAG}"),
        (CreateUser("A", "B"), "create a user"),
        (CreateUser("A", "B", "a@b.example"), "create a user with e-mail address"),
        (UpdateProfile(USER, "A", "B"), "write the name of user 8d723104"),
        (UpdateProfile(USER, email="a@b.example"), "write the e-mail address of user 8d723104"),
        (
            UpdateProfile(USER, "A", "B", email=""),
            "write the name and an empty e-mail address of user 8d723104",
        ),
        (ActivateUser(USER), "activate user 8d723104"),
        (BindCard(NewUser(CONTACT), TOKEN, CARD), f"bind card #{TAG} to the new user"),
        (
            ReclaimCard(UserId("short"), TOKEN, CARD, USER),
            f"take card #{TAG} back from deactivated user 8d723104 and bind it to user short",
        ),
        (SetPolicies(USER, None, keeps_others=False), "take the policies off user 8d723104"),
        (
            SetPolicies(USER, None, keeps_others=True),
            "take the policies off user 8d723104, keeping those given by hand",
        ),
        (
            SetPolicies(NewUser(CONTACT), PolicyId("p-1"), keeps_others=False),
            "give the new user the policy p-1",
        ),
        (
            SetPolicies(USER, PolicyId("p-1"), keeps_others=True),
            "give user 8d723104 the policy p-1, keeping those given by hand",
        ),
    ],
)
def test_every_step_is_a_sentence_without_names_and_numbers(step: Step, text: str) -> None:
    """The report has no world: policies show their ids, and no card's number is known."""
    said = WORDS.step(step)
    assert said.startswith(text)
    assert "4242" not in said
    assert "b.example" not in said


@pytest.mark.parametrize(
    ("holder", "text"),
    [
        (HolderShown(visitor_id=VisitorId("v-7")), "visitor v-7"),
        (
            HolderShown(user_id=USER, status=UserStatus.ACTIVE),
            f"user {USER}, not managed by door-sync, ACTIVE",
        ),
        (
            HolderShown(user_id=USER, contact_id=ContactId(311), status=UserStatus.PENDING),
            "contact 311, PENDING",
        ),
        (HolderShown(user_id=USER, contact_id=ContactId(311)), "contact 311, status unknown"),
    ],
)
def test_a_holder_is_told_by_id_and_status(holder: HolderShown, text: str) -> None:
    assert WORDS.holder(holder) == text


@pytest.mark.parametrize(
    ("blocked", "settled_by"),
    [
        (Blocked(CONTACT, CARD, "why"), "Look at the card in the controller, or correct"),
        (Blocked(CONTACT, CARD, IMPORT_FAILED), "give it the alias sync- and the five digits"),
        (
            Blocked(CONTACT, CARD, "why", HolderShown(visitor_id=VisitorId("v-7"))),
            "Take the card off the visitor in the controller",
        ),
        (
            Blocked(CONTACT, CARD, "why", HolderShown(user_id=USER)),
            "Ask the holder to return it and free it in the controller",
        ),
        # Without a decision there is no held plan to name.
        (Blocked(CONTACT, CARD, "why", waits_for_hold=True), "Look at the card"),
    ],
)
def test_a_blocked_card_says_what_settles_it(blocked: Blocked, settled_by: str) -> None:
    line = WORDS.blocked(blocked)
    assert line.startswith(f"contact 42: card #{TAG} is blocked; {blocked.reason}")
    assert settled_by in line
    assert "no working card" not in line
    bare = WORDS.blocked(replace(blocked, leaves_no_card=True))
    assert ". Contact 42 has no working card. " in bare


def test_a_contact_without_a_name_anywhere_is_a_number(site: Site) -> None:
    stranger = ContactId(999_999)
    assert Wording(REPORT, shows_names=True).person(stranger) == "contact 999999"
    site.club.start_journal()
    known = site.club.join(1101, first="Anna")
    words = Wording(site.club.plan(), shows_names=True)
    assert words.person(ContactId(known)) == f"contact {known} (Anna Ber)"
    assert words.person(stranger) == "contact 999999"


def test_every_class_of_change_has_its_words() -> None:
    assert MEANS.keys() == set(ChangeClass)
    grant = MEANS[ChangeClass.GRANT]
    assert [grant.of(1), grant.of(2), grant.of(1, is_done=True), grant.of(2, is_done=True)] == [
        "gains access",
        "gain access",
        "gained access",
        "gained access",
    ]


def test_a_noun_follows_its_number() -> None:
    assert [counted(n, "person", "people") for n in (0, 1, 2)] == [
        "0 people",
        "1 person",
        "2 people",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zoë Ōkubo-O'Neill 王 שרה", "Zoë Ōkubo-O'Neill 王 שרה"),
        ("\x1b[2J\x1b[31mred", "[2J[31mred"),
        ("\x9b31mred", "31mred"),
        ("\x1b]0;title\x07Anna", "]0;titleAnna"),
        ("Anna\r\nBer", "Anna  Ber"),
        ("Anna\u2028Ber\tC\u00a0D", "Anna Ber C D"),
        ("Anna\u202egnirts", "Annagnirts"),
        ("half \ud83d a pair", "half  a pair"),
        ("\x00\x08\x7f", ""),
    ],
)
def test_what_could_steer_a_terminal_is_taken_out(text: str, shown: str) -> None:
    assert harmless(text) == shown
