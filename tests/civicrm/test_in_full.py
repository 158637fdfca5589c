"""Asking a simulated site for one contact with every membership it ever had."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import parse_qs

import pytest

from door_sync.civicrm import CivicrmSource
from door_sync.core.people import ContactId
from door_sync.ports import SourceDistrusted
from door_sync.simulators.civicrm import CivicrmSimulator
from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.faults import Rewrite

MakeSource = Callable[..., CivicrmSource]

START, END = date(2024, 5, 7), date(2027, 5, 6)


@pytest.fixture
def person(site: CivicrmSimulator) -> ContactId:
    """Somebody with a past: a lapsed membership, a running one, and a test."""
    world = site.world
    number = world.add_contact("Zoë", "Example", card="10013")
    world.add_membership(number, "Day Pass", status="Expired", start_date=START, end_date=START)
    world.add_membership(number, "Gold", status="Current", start_date=START, end_date=END)
    world.add_membership(number, "Gold", status="Pending", is_test=True)
    return ContactId(number)


def test_every_membership_comes_with_status_dates_and_the_test_mark(
    make_source: MakeSource, person: ContactId
) -> None:
    found = make_source().read_in_full(person)
    assert found is not None
    told = [(one.type.name, one.status, one.is_test) for one in found.memberships]
    assert told == [
        ("Day Pass", "Expired", False),
        ("Gold", "Current", False),
        ("Gold", "Pending", True),
    ]
    assert (found.memberships[1].start_date, found.memberships[1].end_date) == (START, END)
    assert [one.type.name for one in found.member.memberships] == ["Gold"]


def test_who_is_in_the_trash_comes_with_memberships_too(
    site: CivicrmSimulator, make_source: MakeSource, person: ContactId
) -> None:
    site.world.trash(person)
    found = make_source().read_in_full(person)
    assert found is not None
    assert found.member.is_deleted
    assert len(found.memberships) == 3


def test_a_contact_that_does_not_exist_is_nobody(make_source: MakeSource) -> None:
    assert make_source().read_in_full(ContactId(4711)) is None


def anothers(reply: Any) -> Any:
    reply["memberships"]["values"][0]["contact_id"] = 4711
    return reply


def strange_status(reply: Any) -> Any:
    reply["memberships"]["values"][0]["status_id"] = 4711
    return reply


def no_start(reply: Any) -> Any:
    del reply["memberships"]["values"][0]["start_date"]
    return reply


def one_lost(reply: Any) -> Any:
    del reply["memberships"]["values"][0]
    return reply


@pytest.mark.parametrize("spoil", [anothers, strange_status, no_start, one_lost])
def test_an_answer_that_does_not_fit_the_question_is_distrusted(
    site: CivicrmSimulator,
    make_source: MakeSource,
    person: ContactId,
    spoil: Callable[[Any], Any],
) -> None:
    site.faults.add(Rewrite(spoil), where=_is_in_full)
    with pytest.raises(SourceDistrusted):
        make_source().read_in_full(person)


def _is_in_full(request: SeenRequest) -> bool:
    calls = json.loads(parse_qs(request.body.decode())["calls"][0])
    return set(calls) == {"statuses", "memberships"}
