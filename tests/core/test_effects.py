"""What is kept of a held plan: effects on people, keyed, and what the hold is called (§6)."""

import pytest

from door_sync.core.approvals import HOLD_DIGITS, Approvals, effects, hold_of
from door_sync.core.cards import CardNumber
from door_sync.core.controller import UserId
from door_sync.core.guards import Scope
from door_sync.core.steps import (
    BindCard,
    Change,
    FreeCard,
    ImportCard,
    NewCard,
    OnRefusal,
    Phase,
    Plan,
    ReclaimCard,
    Step,
    UpdateProfile,
)
from door_sync.core.tags import digest
from tests.core.approving import (
    KEY,
    OTHER_KEY,
    change,
    doubt,
    grant,
    held,
    many,
    other_card,
    other_name,
    other_policy,
    plan_of,
    restore,
    revoke,
    told,
)
from tests.core.builders import GOLD, SILVER, token
from tests.core.guarding import CARD, PROFILE, REVOKE

LEAVERS = [revoke(n) for n in range(1, 5)]
MASS_REVOKE = many([REVOKE], Scope.CYCLE)
U1 = UserId("u1")


def kinds(*steps: Step) -> set[str]:
    one = change(1, CARD, *steps)
    return {effect.kind for effect in effects(one, KEY)}


def test_a_new_user_is_a_name_a_card_and_a_policy() -> None:
    assert {one.kind for one in effects(grant(1), KEY)} == {"name", "get-card", "policy"}


def test_a_revocation_is_one_effect_whichever_cards_are_on_the_user_by_then() -> None:
    assert effects(revoke(1), KEY) == effects(revoke(1, 1001, 1002), KEY)
    assert {one.kind for one in effects(revoke(1, 1001), KEY)} == {"lose-access"}


def test_a_stale_card_taken_off_somebody_who_stays_is_an_effect() -> None:
    freed = FreeCard(U1, token(5), OnRefusal.FAIL, Phase.FREE)
    other = FreeCard(U1, token(6), OnRefusal.FAIL, Phase.FREE)
    assert kinds(freed) == {"free-card"}
    assert told([change(1, CARD, freed)]).isdisjoint(told([change(1, CARD, other)]))


def test_how_a_card_reaches_its_member_makes_no_difference() -> None:
    number, new = CardNumber(1001), NewCard(CardNumber(1001))
    ways = [
        (ImportCard(number), BindCard(U1, new, number)),
        (BindCard(U1, token(1001), number),),
        (ReclaimCard(U1, token(1001), number, UserId("left")),),
    ]
    assert len({effects(change(1, CARD, *steps), KEY) for steps in ways}) == 1


def test_an_import_alone_does_nothing_to_anybody() -> None:
    assert kinds(ImportCard(CardNumber(1001))) == set()


def test_an_address_that_is_made_empty_is_an_effect_and_one_that_stays_is_none() -> None:
    assert kinds(UpdateProfile(U1, email="")) == {"address"}
    assert kinds(UpdateProfile(U1, "Ann", "Lee")) == {"name"}
    assert kinds(UpdateProfile(U1, "Ann", "Lee", "a@x")) == {"name", "address"}


def test_a_restore_activates_and_takes_policies_before_it_gives_one() -> None:
    found = [one.kind for one in effects(restore(1), KEY)]
    assert sorted(found) == ["activate", "policy", "policy"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (revoke(1), revoke(2)),
        (grant(1), grant(1, 999)),
        (grant(1), grant(1, policy=SILVER)),
        (other_policy(1, GOLD), other_policy(1, None)),
        (other_name(1, "Ann"), other_name(1, "Bob")),
        (other_name(1, email="a@x"), other_name(1, email="b@x")),
        (other_card(1, 5), other_card(1, 6)),
        (restore(1), grant(1)),
    ],
)
def test_effects_tell_people_cards_policies_names_and_addresses_apart(
    one: Change, other: Change
) -> None:
    assert told([one]) != told([other])


def test_effects_are_keyed_and_show_nothing() -> None:
    one = other_name(1, "Zaphod", "zaphod@example.org")
    assert told([one]) != {effect.digest for effect in effects(one, OTHER_KEY)}
    assert "Zaphod" not in repr(effects(one, KEY))
    assert KEY.decode() not in repr(Approvals(KEY))


def test_nothing_is_kept_where_nobody_objects() -> None:
    assert hold_of(plan_of(*LEAVERS), [], KEY) is None


def test_a_hold_is_named_after_its_effects_its_guards_and_their_extent() -> None:
    plan = plan_of(*LEAVERS)
    names_ = {
        held(plan, MASS_REVOKE).digest,
        held(plan_of(*LEAVERS[1:]), MASS_REVOKE).digest,
        held(plan, MASS_REVOKE, doubt(5)).digest,
        held(plan, MASS_REVOKE, doubt(6)).digest,
        held(Plan(), doubt(5)).digest,
    }
    assert len(names_) == 5
    assert {len(name) for name in names_} == {HOLD_DIGITS}
    other = hold_of(plan, [MASS_REVOKE], OTHER_KEY)
    assert other is not None
    assert other.digest not in names_


def test_a_hold_keeps_its_name_however_its_steps_change() -> None:
    cards_freed = plan_of(*(revoke(n, 1000 + n) for n in range(1, 5)))
    assert held(cards_freed, MASS_REVOKE) == held(plan_of(*reversed(LEAVERS)), MASS_REVOKE)


def test_what_is_kept_keeps_its_name_over_an_update_of_the_program() -> None:
    """An approval must not end because the program made its digests in another way (§6)."""
    [lost] = effects(revoke(1), KEY)
    assert lost.digest == digest(KEY, "effect", 1, "lose-access")
    [cleared] = effects(other_policy(2, None), KEY)
    assert cleared.digest == digest(KEY, "effect", 2, "policy", "")
    named = effects(change(3, PROFILE, UpdateProfile(UserId("u3"), "Ann")), KEY)
    assert {one.digest for one in named} == {digest(KEY, "effect", 3, "name", "Ann", "")}
    hold = held(plan_of(revoke(1)), doubt(7, "shrunken source"), many([REVOKE]))
    guards = ("mass revoke", 0, "shrunken source", 7)
    whole = digest(KEY, "hold", *guards, "effects", f"revoke {lost.digest}")
    assert hold.digest == whole[:12]


def test_both_names_are_part_of_an_effect() -> None:
    ann, other = (
        effects(change(1, PROFILE, UpdateProfile(UserId("u1"), "Ann", last)), KEY)
        for last in ("Lee", "Ray")
    )
    assert ann != other
