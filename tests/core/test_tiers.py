"""R1: who is entitled to what. One test for each sentence of the rule."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from door_sync.core.cards import BadCard, CardNumber
from door_sync.core.people import ContactId, Membership, MembershipType
from door_sync.core.tiers import (
    DUPLICATE_CARD,
    NO_SUCH_CONTACT,
    NOT_RETURNED,
    UNMAPPED,
    CardUnknown,
    Deny,
    Entitlement,
    Grant,
    Resolution,
    Rule,
    Skip,
    TierBook,
    Unknown,
    deciding,
    entitlement,
    match_rules,
    resolve_policies,
    too_many_missing,
    verdicts,
    verdicts_on_missing,
)
from tests.core.builders import GOLD, POLICIES, SILVER, TODAY, TYPES, member, membership, tier_book

BOOK = tier_book()


def test_a_member_without_any_membership_is_denied() -> None:
    assert entitlement(member(), BOOK) == Deny("no active membership")


@pytest.mark.parametrize("status", ["Expired", "Pending", "Cancelled", "Deceased", "current", ""])
def test_a_status_that_is_not_among_the_active_ones_gives_nothing(status: str) -> None:
    assert entitlement(member(1, membership("Gold", status)), BOOK) == Deny("no active membership")


@pytest.mark.parametrize("status", ["Current", "Grace", "New"])
def test_each_active_status_gives_the_tier(status: str) -> None:
    assert entitlement(member(1, membership("Gold", status)), BOOK) == Grant(GOLD, "Gold")


def test_only_the_statuses_named_in_the_settings_are_active() -> None:
    book = replace(BOOK, active_statuses=frozenset({"Paid"}))
    assert entitlement(member(1, membership("Gold", "Current")), book) == Deny(
        "no active membership"
    )
    assert entitlement(member(1, membership("Gold", "Paid")), book) == Grant(GOLD, "Gold")


def test_a_test_membership_never_counts() -> None:
    tested = membership("Gold", is_test=True)
    assert entitlement(member(1, tested), BOOK) == Deny("no active membership")
    assert entitlement(member(1, membership("Unruled", is_test=True)), BOOK) == Deny(
        "no active membership"
    )


def test_any_active_membership_of_a_type_without_a_rule_makes_the_contact_unknown() -> None:
    """Even beside the best tier there is: P1, a guess grants nothing and revokes nothing."""
    both = member(1, membership("Gold"), membership("Unruled"))
    assert entitlement(both, BOOK) == Unknown(UNMAPPED)
    assert entitlement(member(1, membership("Unruled")), BOOK) == Unknown(UNMAPPED)


def test_a_lapsed_membership_of_a_type_without_a_rule_says_nothing() -> None:
    both = member(1, membership("Gold"), membership("Unruled", "Expired"))
    assert entitlement(both, BOOK) == Grant(GOLD, "Gold")


def test_a_type_without_a_rule_stays_unknown_when_the_card_field_is_empty() -> None:
    assert entitlement(member(1, membership("Unruled"), card=None), BOOK) == Unknown(UNMAPPED)


@pytest.mark.parametrize("names", [("Gold", "Silver"), ("Silver", "Gold")])
def test_the_highest_rank_wins_whatever_the_order(names: tuple[str, str]) -> None:
    assert entitlement(member(1, *map(membership, names)), BOOK) == Grant(GOLD, "Gold")


def test_a_lapsed_membership_of_a_higher_rank_does_not_count() -> None:
    both = member(1, membership("Gold", "Expired"), membership("Silver"))
    assert entitlement(both, BOOK) == Grant(SILVER, "Silver")


@pytest.mark.parametrize("names", [("Bronze", "Silver"), ("Silver", "Bronze")])
def test_equal_ranks_are_settled_by_type_name(names: tuple[str, str]) -> None:
    assert entitlement(member(1, *map(membership, names)), BOOK) == Grant(GOLD, "Bronze")


def test_two_memberships_of_one_type_count_as_one() -> None:
    twice = member(1, membership("Gold"), membership("Gold", "New"))
    assert entitlement(twice, BOOK) == Grant(GOLD, "Gold")


def test_equal_ranks_are_settled_by_the_name_of_the_type_not_by_the_key_of_its_rule() -> None:
    types = [MembershipType(1, "a_type", "Zebra"), MembershipType(2, "b_type", "Aardvark")]
    rules = (
        Rule("Zebra", Resolution.TIER, 1, "Gold doors"),
        Rule("Aardvark", Resolution.TIER, 1, "Silver doors"),
    )
    book = tier_book(rules=match_rules(types, rules), policies=resolve_policies(rules, POLICIES))
    both = [Membership(1, one, "Current", None) for one in types]
    assert entitlement(member(1, *both), book) == Grant(GOLD, "Zebra")


def test_a_tier_without_access_denies() -> None:
    decided = entitlement(member(1, membership("Newsletter")), BOOK)
    assert decided == Deny("the tier Newsletter gives no access")


def test_a_day_pass_is_skipped() -> None:
    assert entitlement(member(1, membership("Day")), BOOK) == Skip("Day")


def test_a_tier_outranks_a_day_pass_and_a_tier_without_access() -> None:
    everything = [membership(name) for name in ("Day", "Newsletter", "Volunteer")]
    assert entitlement(member(1, *everything), BOOK) == Grant(SILVER, "Volunteer")


def test_a_rule_without_access_that_outranks_a_tier_denies() -> None:
    rules = (Rule("Gold", Resolution.TIER, 1, "Gold doors"), Rule("Silver", Resolution.NONE, 2))
    book = tier_book(rules=match_rules(TYPES.values(), rules))
    both = member(1, membership("Gold"), membership("Silver"))
    assert entitlement(both, book) == Deny("the tier Silver gives no access")


@pytest.mark.parametrize("card", [None, BadCard.NOT_DIGITS, BadCard.OUT_OF_RANGE, 1001])
def test_deny_and_skip_stand_whatever_the_card_field_says(card: int | BadCard | None) -> None:
    assert entitlement(member(1, card=card), BOOK) == Deny("no active membership")
    assert entitlement(member(1, membership("Day"), card=card), BOOK) == Skip("Day")


def test_a_grant_needs_a_card_in_the_field() -> None:
    """A contact that is returned with a cleared card is evidence, with that reason."""
    cleared = member(1, membership("Gold"), card=None)
    assert entitlement(cleared, BOOK) == Deny("the card field is empty")


def test_a_deceased_contact_is_denied_whatever_its_memberships_say() -> None:
    for one in (membership("Gold"), membership("Unruled"), membership("Day")):
        assert entitlement(member(1, one, is_deceased=True), BOOK) == Deny("deceased")


def test_a_trashed_contact_is_denied_whatever_its_memberships_say() -> None:
    for one in (membership("Gold"), membership("Unruled"), membership("Day")):
        trashed = entitlement(member(1, one, is_deleted=True), BOOK)
        assert trashed == Deny("the contact is in CiviCRM's trash")


def test_a_verdict_carries_the_number_of_a_grant_and_the_contact_it_speaks_of() -> None:
    ann = member(7, membership("Gold"), card=1001)
    verdict = verdicts([ann], BOOK)[ContactId(7)]
    assert verdict.contact_id == 7
    assert verdict.entitlement == Grant(GOLD, "Gold")
    assert verdict.card == CardNumber(1001)
    assert verdict.member is ann


@pytest.mark.parametrize("bad", list(BadCard))
def test_a_malformed_number_makes_only_the_card_part_unknown(bad: BadCard) -> None:
    verdict = verdicts([member(1, membership("Gold"), card=bad)], BOOK)[ContactId(1)]
    assert verdict.entitlement == Grant(GOLD, "Gold")
    assert verdict.card == CardUnknown(bad.value)


def test_a_number_that_two_grants_have_is_unknown_for_both_and_for_nobody_else() -> None:
    people = [
        member(1, membership("Gold"), card=1001),
        member(2, membership("Silver"), card=1001),
        member(3, membership("Gold"), card=1003),
    ]
    found = verdicts(people, BOOK)
    assert found[ContactId(1)].card == found[ContactId(2)].card == CardUnknown(DUPLICATE_CARD)
    assert found[ContactId(3)].card == CardNumber(1003)
    assert all(isinstance(verdict.entitlement, Grant) for verdict in found.values())


@pytest.mark.parametrize(
    "memberships", [(), (membership("Day"),), (membership("Newsletter"),), (membership("Unruled"),)]
)
def test_a_number_is_no_duplicate_when_the_other_contact_has_no_grant(
    memberships: tuple[Membership, ...],
) -> None:
    """A lapsed contact that still carries a recycled number takes nothing from its new owner."""
    people = [member(1, *memberships, card=1001), member(2, membership("Gold"), card=1001)]
    found = verdicts(people, BOOK)
    assert found[ContactId(2)].card == CardNumber(1001)
    assert found[ContactId(1)].card is None


def test_two_malformed_numbers_are_no_duplicates_of_each_other() -> None:
    bad = BadCard.NOT_DIGITS
    people = [member(n, membership("Gold"), card=bad) for n in (1, 2)]
    assert {v.card for v in verdicts(people, BOOK).values()} == {CardUnknown(bad.value)}


def ended(days_ago: int) -> date:
    return TODAY - timedelta(days=days_ago)


def test_a_membership_is_stale_once_its_end_passed_more_than_seven_days_ago() -> None:
    assert not BOOK.is_stale(membership(end=ended(7)))
    assert BOOK.is_stale(membership(end=ended(8)))


def test_the_days_are_the_settings_own() -> None:
    patient = replace(BOOK, stale_after=timedelta(days=30))
    assert not patient.is_stale(membership(end=ended(30)))
    assert patient.is_stale(membership(end=ended(31)))


@pytest.mark.parametrize(
    "excused",
    [
        membership("Gold", "Grace", end=ended(300)),
        membership("Gold", "Current", end=ended(300), is_override=True),
        membership("Gold", "Current", end=None),
        membership("Gold", "Expired", end=ended(300)),
        membership("Gold", "Current", end=ended(300), is_test=True),
    ],
    ids=["grace", "overridden", "for life", "lapsed", "a test"],
)
def test_a_membership_is_never_stale_where_the_job_leaves_it_alone(excused: Membership) -> None:
    """CiviCRM's job skips them too (CiviCRM sheet §7), so they are no sign that it does not run."""
    assert not BOOK.is_stale(excused)


def test_a_stale_membership_still_gives_access_unless_the_settings_say_deny() -> None:
    stale = member(1, membership("Gold", end=ended(8)))
    assert entitlement(stale, BOOK) == Grant(GOLD, "Gold")
    assert entitlement(stale, tier_book(stale_denies=True)) == Deny("no active membership")


def test_denying_the_stale_leaves_everybody_else_their_tier() -> None:
    strict = tier_book(stale_denies=True)
    for one in (
        membership(end=ended(7)),
        membership("Gold", "Grace", end=ended(20)),
        membership(end=ended(20), is_override=True),
        membership(end=None),
    ):
        assert entitlement(member(1, one), strict) == Grant(GOLD, "Gold")


def missing(now: list[int], before: list[int], active: int) -> dict[ContactId, Entitlement]:
    not_returned, missing_before = list(map(ContactId, now)), list(map(ContactId, before))
    too_many = too_many_missing(len(now), active)
    found = verdicts_on_missing(not_returned, missing_before, too_many=too_many)
    assert all(verdict.contact_id == key for key, verdict in found.items())
    assert all(verdict.card is None and verdict.member is None for verdict in found.values())
    return {contact_id: verdict.entitlement for contact_id, verdict in found.items()}


def test_a_contact_that_is_not_returned_is_unknown_the_first_time() -> None:
    assert missing([5], [], 50) == {5: Unknown(NOT_RETURNED)}
    assert missing([5], [6], 50) == {5: Unknown(NOT_RETURNED)}


def test_a_contact_that_the_last_good_read_missed_too_is_denied() -> None:
    assert missing([5], [5], 50) == {5: Deny(NO_SUCH_CONTACT)}


def test_each_missing_contact_is_judged_by_its_own_past() -> None:
    found = missing([5, 6], [5], 200)
    assert found == {5: Deny(NO_SUCH_CONTACT), 6: Unknown(NOT_RETURNED)}


def test_nobody_is_denied_while_more_than_one_in_a_hundred_are_missing_at_once() -> None:
    people = [5, 6, 7]
    assert missing(people, people, 300) == dict.fromkeys(people, Deny(NO_SUCH_CONTACT))
    assert missing(people, people, 299) == dict.fromkeys(people, Unknown(NOT_RETURNED))


@given(st.integers(0, 3000), st.integers(0, 100))
def test_too_many_are_missing_beyond_one_and_beyond_one_in_a_hundred(
    active: int, count: int
) -> None:
    assert too_many_missing(count, active) == (count > 1 and count * 100 > active)


@given(
    st.lists(st.sampled_from(sorted(TYPES)), max_size=4),
    st.sampled_from([None, 1001, BadCard.NOT_DIGITS]),
)
def test_the_order_of_memberships_never_matters(
    names: list[str], card: int | BadCard | None
) -> None:
    forward = member(1, *map(membership, names), card=card)
    backward = member(1, *map(membership, names[::-1]), card=card)
    assert entitlement(forward, BOOK) == entitlement(backward, BOOK)


def test_only_what_counts_can_outweigh_the_others() -> None:
    lapsed, running = membership("Gold", "Expired"), membership("Silver")
    assert deciding([lapsed, running], tier_book()) == running
    assert deciding([lapsed], tier_book()) is None
    assert deciding([running, membership("Unruled", "Expired")], tier_book()) == running


def test_the_book_leaves_the_stale_their_access_unless_it_says_otherwise() -> None:
    book = tier_book()
    assert not TierBook(book.rules, book.policies, book.active_statuses, TODAY).stale_denies
