"""One person explained in text, in the cases that a whole site does not come to by itself."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from door_sync.app.explaining import Explained, TapsSeen
from door_sync.app.past import Story
from door_sync.app.report import CycleReport
from door_sync.cli.output.explained import LATEST, MOST_TAPS, explained_text
from door_sync.cli.output.explained_json import explained_json
from door_sync.core.controller import (
    Card,
    HeldByVisitor,
    Holder,
    HolderUnknown,
    User,
    UserId,
    VisitorId,
)
from door_sync.core.decision import Remembered, decide
from door_sync.core.explain import explain
from door_sync.core.people import ContactId, Member, PersonInFull
from door_sync.core.telling import what_to_tell
from door_sync.journal.cutoffs import CutOff as StandingCutOff
from door_sync.journal.lookback import CutOff
from door_sync.unifi.taps import Tap, Taps, Whose
from tests.core.builders import NO_STATUS, card, held, member, membership, user
from tests.core.deciding import HABITS, NOTHING, gold, settled, world

NOW = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
ONE = ContactId(1)


def explained(
    members: Iterable[Member] = (),
    users: Iterable[User] = (),
    cards: Iterable[Card] = (),
    *,
    answered: Iterable[Member] = (),
    remembered: Remembered = NOTHING,
    in_full: Member | None = None,
) -> Explained:
    """Contact 1, at a club in which contact 9 is a member who stays."""
    stays, staying_card = settled(9)
    read = world([gold(9), *members], [stays, *users], [staying_card, *cards], answered=answered)
    decision = decide(read, HABITS, remembered)
    report = CycleReport(NOW, dry_run=True, key=bytes(32), decision=decision, world=read)
    whole = PersonInFull(in_full, in_full.memberships) if in_full is not None else None
    found = explain(ONE, read, HABITS, decision, remembered.cut_off, whole)
    return Explained(ONE, report, found, what_to_tell(found))


@pytest.mark.parametrize(
    ("holder", "words"),
    [
        (HeldByVisitor(VisitorId("v1")), "held by visitor v1"),
        (HolderUnknown(), "nobody can say who holds it"),
        (HolderUnknown(UserId("zed")), "held by user zed, which is not listed"),
        (held("gone"), "held by user gone, which is not listed"),
        (held("u7"), "held by user u7, not managed by door-sync, ACTIVE"),
    ],
)
def test_whoever_holds_the_card_is_named_as_far_as_anybody_knows(
    holder: Holder, words: str
) -> None:
    mine, other = user("u1", 1, policies=[]), user("u7")
    found = explained([gold(1, 1500)], [mine, other], [card(1500, holder)])
    text = explained_text(found)
    assert f"In the controller: {words}." in text
    assert "is blocked" in text


def test_a_blocked_card_is_all_that_is_not_as_it_should_be() -> None:
    stays, _ = settled(9)
    mine = replace(stays, id=UserId("u1"), contact_id=ONE)
    found = explained([gold(1, 1500)], [mine, user("u7")], [card(1500, held("u7"))])
    assert "but the card, which is blocked" in explained_text(found)


def test_somebody_without_any_membership_has_none() -> None:
    text = explained_text(explained(in_full=member(1, card=None)))
    assert "Memberships:\n  None.\n" in text


def test_a_revocation_that_nobody_can_prove_says_why_nothing_is_written() -> None:
    remembered = replace(NOTHING, settled=frozenset({UserId("u1")}))
    left = explained(users=[user("u1", 1, NO_STATUS)], answered=[member(1)], remembered=remembered)
    text = explained_text(left)
    assert "the deactivation was accepted, and the user shows no status" in text
    assert "the next cycle does not close it" in text


def test_a_status_fixed_by_hand_and_one_without_an_end_are_marked() -> None:
    one = member(1, membership("Gold", end=None, is_override=True))
    text = explained_text(explained([one]))
    assert "Gold: Current, status fixed by hand, without an end." in text


def test_a_long_story_shows_its_end_and_says_where_the_rest_is() -> None:
    events = tuple(
        CutOff(NOW + timedelta(minutes=number), "kim", f"no. {number}") for number in range(8)
    )
    found = replace(explained([gold(1)]), story=Story(ONE, events, NOW))
    text = explained_text(found)
    assert f"The last {LATEST} of 8 events; `door-sync history --contact 1` tells all." in text
    assert "no. 7" in text
    assert "no. 2" not in text
    assert '"reason": "no. 0"' in explained_json(found)


def test_many_taps_are_counted_and_a_cut_log_is_said_to_be_one() -> None:
    taps = tuple(
        Tap(NOW - timedelta(minutes=number), "Front", opened=True, whose=Whose.USER)
        for number in range(MOST_TAPS + 3)
    )
    seen = TapsSeen(NOW - timedelta(days=7), Taps(taps, is_whole=False))
    found = replace(explained([gold(1)]), taps=seen)
    text = explained_text(found)
    assert text.count("Front opened") == MOST_TAPS
    assert "And 3 older ones in the last 7 days." in text
    assert "The log holds more than was read" in text
    assert '"complete": false' in explained_json(found)


def test_a_door_without_a_name_is_a_door() -> None:
    tap = Tap(NOW, "", opened=False, whose=Whose.USER)
    found = replace(explained([gold(1)]), taps=TapsSeen(NOW, Taps((tap,))))
    assert "a door stayed shut" in explained_text(found)


def test_a_cut_off_of_which_no_reason_was_given_is_told_without_one() -> None:
    remembered = replace(NOTHING, cut_off=frozenset({ONE}))
    found = replace(
        explained([gold(1)], remembered=remembered), cut_off=StandingCutOff(ONE, NOW, "kim", "")
    )
    assert "Cut off by hand, by kim 2026-11-2" in explained_text(found)
