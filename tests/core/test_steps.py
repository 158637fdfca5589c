"""The plan as data: R4's order, digests that tell plans apart, and words for steps."""

import hmac
from copy import copy
from dataclasses import fields, replace
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import PolicyId, UserId
from door_sync.core.people import ContactId
from door_sync.core.steps import (
    ActivateUser,
    BindCard,
    Blocked,
    Change,
    ChangeClass,
    CreateUser,
    DeactivateUser,
    FreeCard,
    ImportCard,
    NewCard,
    NewUser,
    Notice,
    NoticeKind,
    OnRefusal,
    Phase,
    Plan,
    ReclaimCard,
    SetPolicies,
    Step,
    UpdateProfile,
    contacts,
    kind_of,
    step_digest,
)
from tests.core.builders import changes_of

KEY = b"a site's key of 32 bytes, or so."
U1 = UserId("u1")
TOKEN = CardToken("token")
NUMBER = CardNumber(1001)

EVERY_STEP: tuple[Step, ...] = (
    FreeCard(U1, TOKEN, OnRefusal.GO_ON, Phase.REVOKE),
    DeactivateUser(U1),
    ImportCard(NUMBER),
    CreateUser("Ann", "Lee", "ann@x"),
    UpdateProfile(U1, "Ann", "Lee", "ann@x", ContactId(2), 3, Phase.ADDRESSES),
    ActivateUser(U1),
    BindCard(U1, TOKEN, NUMBER),
    ReclaimCard(U1, TOKEN, NUMBER, UserId("holder")),
    SetPolicies(U1, PolicyId("gold"), True, (TOKEN,)),
)

WORDS = (
    "free-card",
    "deactivate-user",
    "import-card",
    "create-user",
    "update-profile",
    "activate-user",
    "bind-card",
    "reclaim-card",
    "set-policies",
)


def change(*steps: Step, contact: int = 1, of: ChangeClass = ChangeClass.GRANT) -> Change:
    return Change(ContactId(contact), of, "why", steps)


def test_the_phases_stand_in_the_order_of_r4() -> None:
    """Revoke → import → frees → known users → create and activate → addresses that were given up
    → remaining frees → bind and reclaim → first policies."""
    assert [phase.name for phase in sorted(Phase)] == [
        "REVOKE",
        "IMPORT",
        "FREE",
        "KNOWN",
        "PEOPLE",
        "ADDRESSES",
        "LATE_FREE",
        "BIND",
        "POLICY",
    ]


def test_each_kind_of_step_belongs_to_its_phase_unless_it_says_otherwise() -> None:
    assert DeactivateUser(U1).phase is Phase.REVOKE
    assert ImportCard(NUMBER).phase is Phase.IMPORT
    assert CreateUser("Ann", "Lee").phase is Phase.PEOPLE
    assert ActivateUser(U1).phase is Phase.PEOPLE
    assert UpdateProfile(U1).phase is Phase.KNOWN
    assert BindCard(U1, TOKEN, NUMBER).phase is Phase.BIND
    assert ReclaimCard(U1, TOKEN, NUMBER, UserId("holder")).phase is Phase.BIND
    assert SetPolicies(U1, None, False).phase is Phase.POLICY


def test_steps_run_by_phase_and_inside_a_phase_by_contact_id() -> None:
    frees = {n: FreeCard(UserId(f"u{n}"), TOKEN, OnRefusal.FAIL, Phase.FREE) for n in (2, 10)}
    binds = {n: BindCard(UserId(f"u{n}"), TOKEN, NUMBER) for n in (2, 10)}
    plan = Plan((change(frees[10], binds[10], contact=10), change(frees[2], binds[2], contact=2)))
    assert [one.step for one in plan.steps()] == [frees[2], frees[10], binds[2], binds[10]]


def test_a_persons_steps_of_one_phase_keep_their_order() -> None:
    clear = SetPolicies(U1, None, False, phase=Phase.PEOPLE)
    name = UpdateProfile(U1, "Ann", phase=Phase.PEOPLE)
    first = change(clear, name, ActivateUser(U1))
    second = change(CreateUser("Ann", "Lee"), of=ChangeClass.RESTORE)
    steps = Plan((first, second)).steps()
    assert [one.step for one in steps] == [*first.steps, *second.steps]
    assert [one.change for one in steps] == [first, first, first, second]


def test_late_addresses_run_by_their_turn_before_the_contact_id_counts() -> None:
    late = {
        n: UpdateProfile(UserId(f"u{n}"), email="x", turn=turn, phase=Phase.ADDRESSES)
        for n, turn in ((1, 3), (2, 1), (3, 2), (4, 1))
    }
    plan = Plan(tuple(change(step, contact=n) for n, step in late.items()))
    assert [one.change.contact_id for one in plan.steps()] == [2, 4, 3, 1]


def test_a_plan_of_some_changes_carries_nothing_of_the_others() -> None:
    first, second = change(DeactivateUser(U1)), change(ActivateUser(U1), contact=2)
    whole = Plan(
        (first, second),
        (Blocked(ContactId(1), NUMBER, "why"),),
        (Notice(NoticeKind.UNKNOWN, "why"),),
    )
    assert whole.only([second]) == Plan((second,))
    assert whole.of_class(ChangeClass.REVOKE) == ()
    assert whole.of_class(ChangeClass.REVOKE, ChangeClass.GRANT) == (first, second)


def test_a_blocked_card_waits_for_nothing_and_leaves_another_unless_it_is_said() -> None:
    blocked = Blocked(ContactId(1), NUMBER, "why")
    assert (blocked.waits_for_hold, blocked.leaves_no_card) == (False, False)


def test_a_contact_with_several_changes_is_one_contact() -> None:
    changes = (
        *changes_of([10, 2], ChangeClass.CARD),
        *changes_of([2], ChangeClass.POLICY),
    )
    assert contacts(changes) == (2, 10)


@pytest.mark.parametrize(
    ("step", "kind"),
    list(zip(EVERY_STEP, WORDS, strict=True)),
)
def test_each_kind_of_step_has_a_word(step: Step, kind: str) -> None:
    assert kind_of(step) == kind


def other(value: object) -> object:
    """Another value that could stand in the same place."""
    match value:
        case bool():
            return not value
        case Enum():
            return next(one for one in type(value) if one is not value)
        case int():
            return value + 1
        case str():
            return f"{value}x"
        case CardNumber():
            return CardNumber(value.reveal() + 1)
        case CardToken():
            return CardToken(f"{value.reveal()}x")
        case tuple():
            return ()
        case _:
            raise AssertionError(f"no other {value!r}")


def variants(step: Step) -> list[Step]:
    """The step with each of its fields changed, one at a time, and with references instead."""
    found: list[Step] = []
    for one in fields(step):
        altered = copy(step)
        # Steps are frozen; a copy with one slot altered needs no knowledge of the kind of step.
        object.__setattr__(altered, one.name, other(getattr(step, one.name)))
        found.append(altered)
    if isinstance(step, UpdateProfile | BindCard | ReclaimCard | SetPolicies):
        found.append(replace(step, user=NewUser(ContactId(1))))
    if isinstance(step, BindCard):
        found.append(replace(step, card=NewCard(NUMBER)))
    if isinstance(step, UpdateProfile):
        found += [replace(step, email=None), replace(step, email=""), replace(step, after=None)]
    if isinstance(step, SetPolicies):
        found += [replace(step, policy=None), replace(step, only_without=(TOKEN, TOKEN))]
    return found


@pytest.mark.parametrize("step", EVERY_STEP, ids=kind_of)
def test_any_difference_in_a_step_is_a_difference_in_its_digest(step: Step) -> None:
    everything = [step, *variants(step)]
    assert len({step_digest(one, KEY) for one in everything}) == len(everything)
    assert len({Plan((change(one),)).digest(KEY) for one in everything}) == len(everything)
    assert step_digest(replace(step), KEY) == step_digest(step, KEY)


def test_steps_of_different_kinds_differ_although_their_fields_are_alike() -> None:
    assert len({step_digest(one, KEY) for one in EVERY_STEP}) == len(EVERY_STEP)
    activate, deactivate = ActivateUser(U1, Phase.REVOKE), DeactivateUser(U1, phase=Phase.REVOKE)
    assert step_digest(activate, KEY) != step_digest(deactivate, KEY)
    token_named_like_a_number = BindCard(U1, CardToken("1001"), NUMBER)
    assert step_digest(token_named_like_a_number, KEY) != step_digest(
        replace(token_named_like_a_number, card=NewCard(NUMBER)), KEY
    )


def test_any_difference_in_a_change_is_a_difference_in_the_plans_digest() -> None:
    one = change(ActivateUser(U1), DeactivateUser(U1))
    everything = [
        Plan(),
        Plan((one,)),
        Plan((one, one)),
        Plan((replace(one, contact_id=ContactId(2)),)),
        Plan((replace(one, change_class=ChangeClass.CARD),)),
        Plan((replace(one, reason="another"),)),
        Plan((replace(one, steps=one.steps[::-1]),)),
        Plan((replace(one, steps=one.steps[:1]),)),
        Plan((replace(one, steps=()),)),
    ]
    assert len({plan.digest(KEY) for plan in everything}) == len(everything)


def test_what_is_only_reported_does_not_change_the_digest() -> None:
    plan = Plan((change(ActivateUser(U1)),))
    reported = replace(
        plan,
        blocked=(Blocked(ContactId(1), NUMBER, "why"),),
        notices=(Notice(NoticeKind.UNKNOWN, "why"),),
    )
    assert reported.digest(KEY) == plan.digest(KEY)


def test_digests_are_short_hex_and_those_of_another_site_are_others() -> None:
    plan = Plan((change(*EVERY_STEP),))
    assert len(plan.digest(KEY)) == 12
    assert len(step_digest(EVERY_STEP[0], KEY)) == 16
    int(plan.digest(KEY) + step_digest(EVERY_STEP[0], KEY), 16)
    assert plan.digest(KEY) != plan.digest(KEY[::-1])
    assert step_digest(EVERY_STEP[0], KEY) != step_digest(EVERY_STEP[0], KEY[::-1])


any_changes = st.lists(
    st.builds(
        change,
        st.sampled_from(EVERY_STEP),
        st.sampled_from(EVERY_STEP),
        contact=st.integers(1, 3),
        of=st.sampled_from(ChangeClass),
    ),
    max_size=2,
).map(tuple)


@given(any_changes, any_changes)
def test_digests_are_equal_exactly_when_the_changes_are(
    one: tuple[Change, ...], two: tuple[Change, ...]
) -> None:
    assert (Plan(one).digest(KEY) == Plan(two).digest(KEY)) == (one == two)


def test_a_name_that_is_no_proper_text_does_not_stop_a_digest() -> None:
    """Lone surrogates can stand in a JSON string."""
    assert step_digest(CreateUser("\ud800", "x"), KEY) != step_digest(CreateUser("?", "x"), KEY)


def test_digests_stay_what_they_are_over_an_update_of_the_program() -> None:
    """The journal holds digests of steps and plans that an older program made (§7)."""
    shut = '{"": "DeactivateUser", "had_status": true, "phase": 1, "user": "u1"}'
    told = hmac.new(KEY, b"step\0" + shut.encode(), "sha256").hexdigest()
    assert step_digest(DeactivateUser(U1), KEY) == told[:16]
    whole = (
        '[{"": "Change", "change_class": "revoke", "contact_id": 1, "reason": "why", '
        f'"steps": [{shut}]}}]'
    )
    plan = Plan((change(DeactivateUser(U1), of=ChangeClass.REVOKE),))
    assert plan.digest(KEY) == hmac.new(KEY, b"plan\0" + whole.encode(), "sha256").hexdigest()[:12]
