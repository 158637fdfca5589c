"""Who is cut off by hand while a cycle runs: what is not sent, what is undone, what is told (§6).

That the person stays outside in every order of events is proven in
tests/e2e/test_cut_off_meanwhile.py.
"""

from collections.abc import Callable

import pytest

from door_sync.app.report import CycleReport, Ending
from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass, NoticeKind
from door_sync.core.tiers import CUT_OFF
from door_sync.journal.cutoffs import Reason
from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.faults import Armed, Fault, Hook, Reset, html_error
from door_sync.unifi.ledger import Outcome
from tests.app.watching import (
    ACTIVATE,
    DEACTIVATE,
    at_bind,
    at_create,
    at_look,
    at_policies,
    at_status,
    bad_token,
    done,
    failed,
    kinds,
    lie,
    outcomes,
    recorded,
    refused,
    settled,
    user,
)
from tests.club import Club

GIVING = {"create-user", "activate-user", "bind-card", "reclaim-card"}
"""Writes that give access, besides those of a policy."""


def cutting(club: Club, contact: int, *, after: bool = False) -> Hook:
    """Record a cut-off at a request, as another process would; nothing else."""

    def run(_request: SeenRequest) -> None:
        club.journal.cut_offs().cut(ContactId(contact), "kim", Reason(""))

    return Hook(run, after=after)


def at_first_write(club: Club, fault: Fault) -> Armed:
    """Arm a fault for the first write from now."""
    return club.unifi.faults.add(fault, where=lambda seen: seen.method != "GET")


def notices(report: CycleReport) -> list[int | None]:
    """Return who is said to be cut off."""
    return [one.contact_id for one in report.notices if one.kind is NoticeKind.CUT_OFF]


def at_kind(club: Club, fault: Fault, kind: str) -> Armed:
    """Arm a fault for the first write of a kind that gives access."""

    def gives(seen: SeenRequest) -> bool:
        body = seen.json() if seen.method != "GET" and "import" not in seen.path else {}
        return bool(body.get("access_policy_ids"))

    match kind:
        case "create-user":
            return at_create(club, fault)
        case "activate-user":
            return at_status(club, fault, ":id", ACTIVATE, times=1)
        case "set-policies":
            return club.unifi.faults.add(fault, where=gives)
        case _:
            return at_bind(club, fault, times=1)


@pytest.fixture(autouse=True)
def _settled(club: Club) -> None:
    """The member who stays is in already."""
    settled(club)


def new(club: Club) -> int:
    return club.join(1001)


def new_with_a_stuck_card(club: Club) -> int:
    club.add_user("", cards=[1001], status="DEACTIVATED")
    return club.join(1001)


def back(club: Club) -> int:
    contact = club.join(1002)
    club.add_user(str(contact), cards=[1001], policies=[club.gold], status="DEACTIVATED")
    return contact


def other_tier_and_card(club: Club) -> int:
    contact = club.join(1001, "Silver")
    settled(club)
    club.retier(contact, "Gold")
    club.civicrm.world.set_card(contact, "1002")
    return contact


STORIES = (new, new_with_a_stuck_card, back, other_tier_and_card)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_whoever_is_on_the_list_before_a_write_gets_none_that_gives_access(
    club: Club, story: Callable[[Club], int]
) -> None:
    leaver = club.join(1050)
    settled(club)
    contact, other = story(club), club.join(1051)
    club.lapse(leaver)
    club.forget()
    at_first_write(club, cutting(club, contact))  # while the leaver's card is freed
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert GIVING.isdisjoint(kinds(club, contact))
    policies = [e.body for e in club.unifi.journal.writes() if e.path.endswith("access_policies")]
    assert [one["access_policy_ids"] for one in policies if one["access_policy_ids"]] == [
        [club.gold]
    ], "the other one's alone"
    assert done(report) == [leaver, other]
    assert notices(report) == [contact]
    assert club.opens(1051)
    assert report.ledger is not None
    barred = [one for one in report.ledger.results if one.outcome is Outcome.BARRED]
    assert {one.planned.change.contact_id for one in barred} == {contact}


@pytest.mark.parametrize(
    ("story", "kind"),
    [
        (new, "create-user"),
        (new, "bind-card"),
        (new, "set-policies"),
        (new_with_a_stuck_card, "reclaim-card"),
        (back, "activate-user"),
        (back, "bind-card"),
        (back, "set-policies"),
        (other_tier_and_card, "bind-card"),
        (other_tier_and_card, "set-policies"),
    ],
)
@pytest.mark.parametrize("after", [False, True], ids=["before it", "after it"])
def test_whoever_is_on_the_list_after_a_write_is_deactivated_at_once(
    club: Club, story: Callable[[Club], int], kind: str, after: bool
) -> None:
    contact = story(club)
    club.forget()
    at_kind(club, cutting(club, contact, after=after), kind)
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    sent = kinds(club, contact)
    assert sent[sent.index("deactivate-user") - 1] == kind
    assert GIVING.isdisjoint(sent[sent.index("deactivate-user") :])
    assert user(club, contact).status == "DEACTIVATED"
    assert [(one.contact_id, one.change_class, one.reason) for one in report.done] == [
        (contact, ChangeClass.REVOKE, CUT_OFF)
    ]
    assert notices(report) == [contact]
    assert report.summary()["added"] == 0
    assert report.summary()["deactivated"] == 1


def test_the_deactivation_is_on_record_as_a_revocation_that_no_budget_counts(club: Club) -> None:
    contact = new(club)
    at_create(club, cutting(club, contact))
    report = club.cycle()
    last = recorded(club, report)[-1]
    assert (last.kind, last.change, last.reason, last.outcome) == (
        "deactivate-user",
        "revoke",
        CUT_OFF,
        "done",
    )
    lately = club.journal.memory(club.clock.now()).lately
    assert contact in lately["grant"]
    assert contact not in lately.get("revoke", frozenset())


def test_a_deactivation_that_is_refused_fails_the_person_alone(club: Club) -> None:
    contact = back(club)
    other = club.join(1051)
    at_status(club, cutting(club, contact), club.user_of(contact), ACTIVATE)
    at_status(club, refused(), club.user_of(contact), DEACTIVATE)
    report = club.cycle()
    assert report.ending is Ending.PARTIAL
    assert list(failed(report)) == [contact]
    assert "CODE_PARAMS_INVALID" in failed(report)[contact]
    assert done(report) == [other]
    assert ("bind-card", "done") not in outcomes(club, report, contact)
    club.unifi.faults.clear()
    settled(club)
    assert user(club, contact).status == "DEACTIVATED"


def test_a_deactivation_that_only_seemed_to_be_done_is_a_failure(club: Club) -> None:
    contact = back(club)
    at_status(club, cutting(club, contact), club.user_of(contact), ACTIVATE)
    at_status(club, lie(), club.user_of(contact), DEACTIVATE)
    report = club.cycle()
    club.unifi.faults.clear()
    assert "the status reads ACTIVE, not DEACTIVATED" in failed(report)[contact]
    assert outcomes(club, report, contact)[-1] == ("deactivate-user", "unproven")


def test_a_deactivation_without_an_answer_is_settled_by_reading_back(club: Club) -> None:
    contact = back(club)
    at_status(club, cutting(club, contact), club.user_of(contact), ACTIVATE)
    at_status(club, Reset(after=True), club.user_of(contact), DEACTIVATE)
    report = club.cycle()
    club.unifi.faults.clear()
    assert report.ending is Ending.CLEAN, report.reason()
    assert outcomes(club, report, contact)[-1] == ("deactivate-user", "done")


def test_a_key_that_dies_at_the_deactivation_ends_the_cycle(club: Club) -> None:
    contact, other = back(club), club.join(1051)
    at_status(club, cutting(club, contact), club.user_of(contact), ACTIVATE)
    at_status(club, bad_token(), club.user_of(contact), DEACTIVATE)
    report = club.cycle()
    club.unifi.faults.clear()
    assert report.ending is Ending.FAILED
    assert contact in failed(report)
    assert other in failed(report), "nothing was written after it"


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_create_without_an_answer_is_looked_for_and_undone(club: Club, carried_out: bool) -> None:
    contact = new(club)
    at_create(club, cutting(club, contact), contact)
    at_create(club, Reset(after=carried_out), contact, times=None)
    # The client's own look for it, after which it would be given up, is refused an answer.
    club.unifi.faults.add(html_error(502), method="GET", path="/users", first=2, times=3)
    report = club.cycle()
    club.unifi.faults.clear()
    assert report.ending is Ending.CLEAN, report.reason()
    status = [u.status for u in club.unifi.world.users if u.employee_number == str(contact)]
    assert status == (["DEACTIVATED"] if carried_out else [])


def test_where_nobody_can_tell_whether_the_user_exists_the_person_failed(club: Club) -> None:
    contact = new(club)
    at_create(club, cutting(club, contact), contact)
    at_create(club, Reset(after=True), contact, times=None)
    club.unifi.faults.add(html_error(502), method="GET", path="/users", first=2, times=None)
    report = club.cycle()
    club.unifi.faults.clear()
    assert report.ending is Ending.PARTIAL
    assert "nobody can tell whether the user exists" in failed(report)[contact]
    settled(club)
    assert user(club, contact).status == "DEACTIVATED"


def test_a_refused_write_is_looked_at_again_as_well(club: Club) -> None:
    """A refusal after a repeat does not say that the first try was not carried out."""
    contact = new(club)
    at_bind(club, cutting(club, contact))
    at_bind(club, refused())
    report = club.cycle()
    club.unifi.faults.clear()
    assert report.ending is Ending.CLEAN, report.reason()
    assert user(club, contact).status == "DEACTIVATED"


def test_a_user_without_a_shown_status_is_deactivated_too(club: Club) -> None:
    contact = club.join(1001, "Silver")
    settled(club)
    club.unifi.world.edit_user(club.user_of(contact), missing=["status"])
    club.retier(contact, "Gold")
    at_policies(club, cutting(club, contact), times=1)
    report = club.cycle()
    assert user(club, contact).status == "DEACTIVATED"
    assert "shows no status and still has cards" in failed(report)[contact]


def test_a_cut_off_after_the_last_write_is_no_failure_of_the_cycle(club: Club) -> None:
    """The user reads as deactivated because the other process has done its work."""
    contact = new(club)

    def revoked(request: SeenRequest) -> None:
        cutting(club, contact).run(request)
        club.unifi.world.set_status(club.user_of(contact), "DEACTIVATED")

    club.unifi.faults.add(Hook(revoked), method="GET", path="/users/:id")
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert done(report) == []
    assert notices(report) == [contact]
    words = dict(outcomes(club, report, contact))
    assert words["set-policies"] == "done", "that the write was taken stays true"


def test_the_read_back_still_fails_for_everybody_else(club: Club) -> None:
    contact, other = new(club), club.join(1051)
    at_look(club, cutting(club, contact), "/users/:id", times=1)
    at_policies(club, lie(), times=None)
    report = club.cycle()
    club.unifi.faults.clear()
    assert list(failed(report)) == [other]
