"""The stories of cards that change hands, as a club lives them; each may be told of any controller.

A story makes claims as it goes: every cycle ends as it says, and where it says `settled` a further
cycle writes nothing. Cards are numbered from 1001, the member who stays has 1100.
"""

from collections.abc import Callable, Mapping
from typing import Final

from door_sync.app.report import CycleReport, Ending
from door_sync.core.steps import HolderShown, NoticeKind
from tests.club import FACILITY, Club

Story = Callable[[Club], None]

STORIES: Final[dict[str, Story]] = {}
"""Every story by its name, in words."""


def _story(tell: Story) -> Story:
    STORIES[tell.__name__.replace("_", " ")] = tell
    return tell


def settled(club: Club, *, blocked: int = 0) -> CycleReport:
    """Run a cycle that must end clean, and a second that must write nothing (P8); return that."""
    _is_clean(club, blocked)
    club.forget()
    report = _is_clean(club, blocked)
    assert club.writes() == 0, club.unifi.journal.writes()
    return report


def _is_clean(club: Club, blocked: int) -> CycleReport:
    report = club.cycle()
    told = [(one.change.contact_id, one.problems) for one in report.failed]
    assert report.ending is Ending.CLEAN, (report.reason(), told)
    assert len(report.blocked) == blocked, report.blocked
    return report


def member(club: Club, card: int, tier: str = "Gold") -> int:
    """Let somebody join with a card and an address; return the contact."""
    return club.join(card, tier, email=f"Card{card}@example.org")


def by_hand(club: Club, card: int, *, holder: str = "", alias: bool = True) -> None:
    """Let an administrator give a card to somebody, and enrol it first if it is not there."""
    there = club.unifi.world.card_with_number(FACILITY << 16 | card)
    token = there.token if there is not None else club.add_card(card, alias=alias)
    if holder:
        club.unifi.world.bind(token, holder)


def holder_of(club: Club, card: int) -> str:
    """Return the id of who holds a card; "" if nobody does."""
    found = club.unifi.world.card_with_number(FACILITY << 16 | card)
    return found.holder.id if found is not None and found.holder is not None else ""


def named(report: CycleReport) -> HolderShown:
    """Return who stands in the way of the one card that is blocked."""
    [blocked] = report.blocked
    assert blocked.holder is not None
    return blocked.holder


def gets_in(club: Club, card: int, tier: str = "Gold") -> None:
    """Hold the doors to what somebody of this tier may open with a card."""
    assert club.opens(card)
    assert club.opens(card, club.workshop) == (tier == "Gold")


def stays_out(club: Club, card: int) -> None:
    """Hold the doors to staying shut for a card."""
    assert not club.opens(card)
    assert not club.opens(card, club.workshop)


@_story
def new_members_get_in(club: Club) -> None:
    member(club, 1001, "Gold")
    member(club, 1002, "Silver")
    member(club, 1003, "Supporter")
    settled(club)
    gets_in(club, 1001)
    gets_in(club, 1002, "Silver")
    stays_out(club, 1003)


@_story
def lapse_and_recycle_in_one_cycle(club: Club) -> None:
    leaver = member(club, 1001)
    settled(club)
    club.lapse(leaver)
    club.civicrm.world.clear_card(leaver)
    member(club, 1001, "Silver")
    settled(club)
    assert club.status_of(leaver) == "DEACTIVATED"
    gets_in(club, 1001, "Silver")


@_story
def lapse_and_recycle_over_two_cycles(club: Club) -> None:
    leaver = member(club, 1001)
    settled(club)
    club.lapse(leaver)
    settled(club)
    assert club.status_of(leaver) == "DEACTIVATED"
    stays_out(club, 1001)
    member(club, 1001, "Silver")
    settled(club)
    gets_in(club, 1001, "Silver")


def _reclaimed(club: Club, employee_number: str) -> None:
    stuck = club.add_user(employee_number, status="DEACTIVATED", policies=[club.gold])
    by_hand(club, 1001, holder=stuck)
    heir = member(club, 1001, "Silver")
    member(club, 1002)
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    [warning] = [one for one in report.notices if one.kind is NoticeKind.RECLAIM]
    assert warning.contact_id == heir
    assert (employee_number or stuck) in warning.text
    settled(club)
    gets_in(club, 1001, "Silver")
    assert holder_of(club, 1001) == club.user_of(heir)
    assert club.unifi.world.users[stuck].status == "DEACTIVATED"


@_story
def reclaim_from_a_managed_disabled_holder(club: Club) -> None:
    _reclaimed(club, "900")


@_story
def reclaim_from_an_unmanaged_disabled_holder(club: Club) -> None:
    _reclaimed(club, "")


def _blocked(club: Club, holder: str) -> HolderShown:
    """The card stays where it is and its holder is named; then it is given back."""
    by_hand(club, 1001, holder=holder)
    waiting = member(club, 1001, "Silver")
    member(club, 1002)
    found = named(settled(club, blocked=1))
    assert holder_of(club, 1001) == holder
    gets_in(club, 1002)
    is_given_back(club, 1001)
    settled(club)
    assert holder_of(club, 1001) == club.user_of(waiting)
    gets_in(club, 1001, "Silver")
    return found


def _blocked_by_user(
    club: Club, employee_number: str, status: str, missing: tuple[str, ...] = ()
) -> None:
    holder = club.add_user(employee_number, status=status, missing=missing, policies=[club.silver])
    before = club.unifi.world.users[holder]
    found = _blocked(club, holder)
    assert found.user_id == holder
    assert found.contact_id is None
    assert club.unifi.world.users[holder] == before


@_story
def blocked_by_an_active_holder(club: Club) -> None:
    _blocked_by_user(club, "", "ACTIVE")


@_story
def blocked_by_a_pending_holder(club: Club) -> None:
    _blocked_by_user(club, "n/a", "PENDING")


@_story
def blocked_by_a_holder_of_unknown_status(club: Club) -> None:
    _blocked_by_user(club, "007", "SUSPENDED")


@_story
def blocked_by_a_holder_that_shows_no_status(club: Club) -> None:
    _blocked_by_user(club, "", "DEACTIVATED", missing=("status",))


@_story
def blocked_by_a_visitor(club: Club) -> None:
    visitor = club.unifi.world.add_visitor("Vic", "Tor", start_time=0, end_time=2**31)
    found = _blocked(club, visitor.id)
    assert found.visitor_id == visitor.id


@_story
def blocked_by_an_absent_holder(club: Club) -> None:
    """The card list names a user that the user list does not have."""
    gone = club.add_user("", status="DEACTIVATED")
    by_hand(club, 1001, holder=gone)
    club.unifi.world.delete_user(gone, free_cards=False)
    waiting = member(club, 1001)
    member(club, 1002)
    assert named(settled(club, blocked=1)).user_id == gone
    assert holder_of(club, 1001) == gone
    stays_out(club, 1001)
    is_given_back(club, 1001)
    settled(club)
    assert holder_of(club, 1001) == club.user_of(waiting)


@_story
def swap_of_two(club: Club) -> None:
    ann, bob = member(club, 1001, "Gold"), member(club, 1002, "Silver")
    settled(club)
    _pass_on(club, {ann: 1002, bob: 1001})
    settled(club)
    gets_in(club, 1002, "Gold")
    gets_in(club, 1001, "Silver")


@_story
def rotation_of_five(club: Club) -> None:
    people = [member(club, 1001 + n) for n in range(5)]
    settled(club)
    _pass_on(club, {one: 1001 + (n + 1) % 5 for n, one in enumerate(people)})
    settled(club)
    for n, one in enumerate(people):
        assert holder_of(club, 1001 + (n + 1) % 5) == club.user_of(one)
        gets_in(club, 1001 + n)


def _rejoined(club: Club, card: int | None) -> int:
    contact = member(club, 1001)
    settled(club)
    club.lapse(contact)
    settled(club)
    stays_out(club, 1001)
    club.rejoin(contact, "Silver")
    club.civicrm.world.set_card(contact, None if card is None else str(card))
    settled(club)
    return contact


@_story
def rejoin_with_the_same_card(club: Club) -> None:
    _rejoined(club, 1001)
    gets_in(club, 1001, "Silver")


@_story
def rejoin_with_another_card(club: Club) -> None:
    _rejoined(club, 1009)
    gets_in(club, 1009, "Silver")
    stays_out(club, 1001)


@_story
def rejoin_with_no_card(club: Club) -> None:
    contact = _rejoined(club, None)
    assert club.status_of(contact) == "DEACTIVATED"
    stays_out(club, 1001)


@_story
def rejoin_with_the_card_that_somebody_leaves_behind(club: Club) -> None:
    back, leaver = member(club, 1001), member(club, 1002)
    settled(club)
    club.lapse(back)
    settled(club)
    club.lapse(leaver)
    club.rejoin(back, "Silver")
    _pass_on(club, {leaver: None, back: 1002})
    settled(club)
    assert holder_of(club, 1002) == club.user_of(back)
    gets_in(club, 1002, "Silver")
    stays_out(club, 1001)


@_story
def restored_with_the_card_still_bound(club: Club) -> None:
    contact = member(club, 1001)
    user = club.add_user(str(contact), policies=[club.silver], status="DEACTIVATED")
    by_hand(club, 1001, holder=user)
    settled(club)
    assert holder_of(club, 1001) == user
    gets_in(club, 1001)


@_story
def restored_without_a_former_card(club: Club) -> None:
    contact = member(club, 1009)
    user = club.add_user(str(contact), policies=[club.gold], status="DEACTIVATED")
    by_hand(club, 1001, holder=user)
    settled(club)
    gets_in(club, 1009)
    stays_out(club, 1001)
    assert holder_of(club, 1001) == ""


@_story
def a_former_card_of_somebody_restored_goes_to_somebody_new(club: Club) -> None:
    contact = member(club, 1009)
    user = club.add_user(str(contact), policies=[club.gold], status="DEACTIVATED")
    by_hand(club, 1001, holder=user)
    member(club, 1001, "Silver")
    club.cycle()
    settled(club)
    gets_in(club, 1009)
    gets_in(club, 1001, "Silver")


@_story
def a_replaced_card_opens_nothing_until_it_is_given_out_again(club: Club) -> None:
    contact = member(club, 1001)
    settled(club)
    _pass_on(club, {contact: 1002})
    settled(club)
    gets_in(club, 1002)
    stays_out(club, 1001)
    assert holder_of(club, 1001) == ""
    member(club, 1001, "Silver")
    settled(club)
    gets_in(club, 1001, "Silver")
    gets_in(club, 1002)


@_story
def a_card_taken_back_from_a_member_set_aside(club: Club) -> None:
    """Nothing is done to whoever has a membership without a rule: the card waits, then moves."""
    aside = member(club, 1001)
    settled(club)
    club.retier(aside, "Mystery")
    _pass_on(club, {aside: 1002})
    heir = member(club, 1001, "Silver")
    found = named(settled(club, blocked=1))
    assert (found.contact_id, found.user_id) == (aside, club.user_of(aside))
    gets_in(club, 1001, "Gold")
    club.retier(aside, "Gold")
    settled(club)
    assert holder_of(club, 1001) == club.user_of(heir)
    gets_in(club, 1001, "Silver")
    gets_in(club, 1002, "Gold")


@_story
def a_leaver_with_two_cards_of_which_one_is_by_hand(club: Club) -> None:
    leaver = member(club, 1001)
    settled(club)
    token = club.add_card(1050, alias=False)
    club.unifi.world.bind(token, club.user_of(leaver))
    gets_in(club, 1050)
    club.lapse(leaver)
    settled(club)
    assert holder_of(club, 1001) == holder_of(club, 1050) == ""
    stays_out(club, 1001)
    stays_out(club, 1050)
    assert club.unifi.world.cards[token].alias == ""


@_story
def a_member_on_a_day_pass_keeps_the_card_and_loses_the_doors(club: Club) -> None:
    contact = member(club, 1001)
    settled(club)
    club.retier(contact, "Day pass")
    settled(club)
    assert holder_of(club, 1001) == club.user_of(contact)
    stays_out(club, 1001)
    club.retier(contact, "Silver")
    settled(club)
    gets_in(club, 1001, "Silver")


@_story
def a_card_that_passes_through_three_hands(club: Club) -> None:
    first, second = member(club, 1001), member(club, 1002)
    settled(club)
    _pass_on(club, {first: 1002, second: 1003})
    settled(club)
    club.lapse(first)
    third = member(club, 1002, "Silver")
    settled(club)
    assert holder_of(club, 1002) == club.user_of(third)
    stays_out(club, 1001)
    gets_in(club, 1002, "Silver")
    gets_in(club, 1003)


@_story
def everything_at_once(club: Club) -> None:
    """Leave, recycle, reclaim, swap, and import of new cards, all in one cycle."""
    leaver, ann, bob, cal = (member(club, 1001 + n) for n in range(4))
    stuck = club.add_user("", status="DEACTIVATED")
    by_hand(club, 1008, holder=stuck)
    settled(club)
    club.lapse(leaver)
    _pass_on(club, {ann: 1003, bob: 1002, cal: 1001})
    member(club, 1004, "Silver")
    member(club, 1005)
    member(club, 1008, "Silver")
    settled(club)
    for card in (1001, 1002, 1003, 1005):
        gets_in(club, card)
    for card in (1004, 1008):
        gets_in(club, card, "Silver")
    for card in (1006, 1007):
        stays_out(club, card)


def is_given_back(club: Club, card: int) -> None:
    """Let an administrator take a card off whoever has it."""
    found = club.unifi.world.card_with_number(FACILITY << 16 | card)
    assert found is not None
    club.unifi.world.free(found.token)


def _pass_on(club: Club, cards: Mapping[int, int | None]) -> None:
    """Write cards to contacts in CiviCRM; None leaves the field empty."""
    for contact, card in cards.items():
        club.civicrm.world.set_card(contact, None if card is None else str(card))
