"""What a person is told about each contact and about CiviCRM's own data (R0, R1, R2)."""

from datetime import timedelta

import pytest

from door_sync.core.cards import BadCard
from door_sync.core.controller import UserStatus
from door_sync.core.people import ContactId
from door_sync.core.reports import notices, source_notices
from door_sync.core.situation import Site
from door_sync.core.steps import Notice, NoticeKind
from door_sync.core.still import situations
from door_sync.core.tiers import (
    DUPLICATE_CARD,
    CardUnknown,
    Resolution,
    Rule,
    Verdict,
    match_rules,
    verdicts,
)
from tests.core.builders import (
    ACTIVE,
    DEACTIVATED,
    GOLD,
    NO_STATUS,
    PENDING,
    RULES,
    TODAY,
    TYPES,
    card,
    deny,
    grant,
    held,
    member,
    membership,
    site,
    skip,
    tier_book,
    unknown,
    user,
)


def reported(world: Site) -> list[Notice]:
    return notices(world, situations(world))


def kinds(world: Site) -> list[tuple[int | None, NoticeKind]]:
    return [(one.contact_id, one.kind) for one in reported(world)]


def test_a_malformed_number_is_reported_with_what_is_wrong_with_it() -> None:
    [notice] = reported(site([grant(1, BadCard.OUT_OF_RANGE)]))
    assert (notice.kind, notice.contact_id) == (NoticeKind.BAD_CARD, 1)
    assert notice.text == f"{BadCard.OUT_OF_RANGE.value}; the card stays as it is"


def test_a_duplicate_number_is_reported_for_everybody_who_has_it() -> None:
    people = [member(n, membership("Gold"), card=1001) for n in (2, 1)]
    found = verdicts(people, tier_book())
    assert kinds(site(found.values())) == [
        (1, NoticeKind.DUPLICATE_CARD),
        (2, NoticeKind.DUPLICATE_CARD),
    ]
    assert reported(site(found.values()))[0].text.startswith(DUPLICATE_CARD)


def test_an_unknown_card_of_a_contact_without_details_is_called_a_duplicate() -> None:
    verdict = Verdict(ContactId(1), deny(1).entitlement, CardUnknown("why"))
    assert kinds(site([verdict])) == [(1, NoticeKind.DUPLICATE_CARD)]


def test_a_name_that_was_invented_is_reported_for_members_alone() -> None:
    nameless = grant(1, first="", last="", display="")
    assert kinds(site([nameless])) == [(1, NoticeKind.NO_NAME)]
    refused = Verdict(ContactId(1), deny(1).entitlement, None, nameless.member)
    assert kinds(site([refused])) == []


def test_an_unknown_contact_is_reported_with_the_reason() -> None:
    assert reported(site([unknown(1, "CiviCRM did not say")])) == [
        Notice(NoticeKind.UNKNOWN, "CiviCRM did not say; nothing is changed", ContactId(1))
    ]


def test_a_type_without_a_rule_is_reported_with_what_a_person_can_do_about_it() -> None:
    found = verdicts([member(1, membership("Unruled"))], tier_book())
    [notice] = reported(site(found.values()))
    assert (notice.kind, notice.contact_id) == (NoticeKind.UNKNOWN, 1)
    assert notice.text == (
        "an active membership of a type that has no rule; nothing is changed. Say in "
        "tier_mapping.rules what that type is worth, or end the membership in CiviCRM"
    )


def test_an_invited_administrator_is_told_apart_from_a_restore_that_waits() -> None:
    invited = site([grant(1)], [user("u1", 1, PENDING)])
    assert kinds(invited) == [(1, NoticeKind.PENDING_USER)]
    shut = site(
        [grant(1)], [user("u1", 1, DEACTIVATED)], [card(7, held("u1"))], failed_restores=[1]
    )
    assert kinds(shut) == [(1, NoticeKind.RESTORE_WAITS)]
    assert "u1" in reported(shut)[0].text


def test_each_user_without_a_status_whose_revocation_was_accepted_is_reported() -> None:
    users = [user("u1", 1, NO_STATUS), user("u2", 1, NO_STATUS)]
    world = site([deny(1)], users, settled=["u1", "u2"])
    told = [one.text for one in reported(world) if one.kind is NoticeKind.NO_STATUS]
    assert [text.split()[1] for text in told] == ["u1", "u2"]


@pytest.mark.parametrize("status", [ACTIVE, DEACTIVATED])
def test_only_cards_enrolled_by_hand_that_are_not_the_wanted_one_are_reported(
    status: UserStatus,
) -> None:
    users = [user("u1", 1, status)]
    by_hand = [card(1001, held("u1"), ours=False)]
    assert kinds(site([grant(1)], users, by_hand)) == []
    by_hand += [card(7, held("u1"), ours=False), card(8, held("u1"))]
    assert kinds(site([grant(1)], users, by_hand)) == [(1, NoticeKind.HAND_ENROLLED_CARD)]
    assert " 1 cards " in reported(site([grant(1)], users, by_hand))[0].text


def test_a_card_by_hand_of_which_nobody_knows_the_number_is_reported() -> None:
    """Also while the wanted number is not known either: two unknowns are not the same card."""
    by_hand = [card(None, held("u1"), ours=False)]
    world = site([grant(1, BadCard.NOT_DIGITS)], [user("u1", 1)], by_hand)
    assert (1, NoticeKind.HAND_ENROLLED_CARD) in kinds(world)


@pytest.mark.parametrize("verdict", [deny(1), skip(1), unknown(1), grant(1)])
def test_two_users_of_one_contact_are_reported_whatever_it_should_have(verdict: Verdict) -> None:
    users = [user("u2", 1, DEACTIVATED), user("u1", 1, DEACTIVATED)]
    assert (1, NoticeKind.TWO_USERS) in kinds(site([verdict], users))
    assert (1, NoticeKind.TWO_USERS) not in kinds(site([verdict], users[:1]))


def test_nothing_is_said_about_contacts_where_all_is_well() -> None:
    users = [user("u1", 1, policies=[GOLD]), user("u2", 2), user("u3", 3, policies=[GOLD])]
    world = site([grant(1), deny(2), skip(3), deny(4)], users, [card(1001, held("u1"))])
    assert reported(world) == []


def test_rules_for_types_that_do_not_exist_are_reported_one_by_one() -> None:
    rules = match_rules(TYPES.values(), [*RULES, Rule("Glod", Resolution.NONE)])
    [notice] = source_notices([], rules, tier_book(rules=rules))
    assert (notice.kind, notice.contact_id) == (NoticeKind.UNUSED_RULE, None)
    assert "'Glod'" in notice.text


def test_memberships_that_outlive_their_end_are_reported_by_contact_once() -> None:
    old = membership("Gold", end=TODAY - timedelta(days=8))
    people = [member(2, old, old), member(1, membership("Gold"), old), member(3, membership())]
    book = tier_book()
    found = source_notices(verdicts(people, book).values(), book.rules, book)
    assert [(one.kind, one.contact_id) for one in found] == [
        (NoticeKind.STALE_MEMBERSHIP, 1),
        (NoticeKind.STALE_MEMBERSHIP, 2),
    ]
    assert "more than 7 days ago" in found[0].text
    assert "Update Membership Statuses" in found[0].text


def test_a_contact_that_civicrm_did_not_return_has_no_memberships_to_speak_of() -> None:
    book = tier_book()
    assert source_notices([unknown(1)], book.rules, book) == []
