"""Addresses that go from hand to hand through the whole club, as after a list sorted wrongly.

Leavers wait until this is decided, so it must not take longer than reading the lists (P5).
"""

import sys
from itertools import pairwise
from types import FrameType

import pytest

from door_sync.core.addresses import Claim, Write, decide_addresses
from door_sync.core.people import ContactId
from tests.core.builders import user


def claims(people: int, *, is_circle: bool) -> dict[ContactId, Claim]:
    """Return claims in which everybody wants the address of the next; the last one a free one."""
    listed = [user(f"u{n:05d}", n, email=f"m{n}@x") for n in range(1, people + 1)]
    wanted = [f"m{n}@x" for n in range(2, people + 1)] + ["m1@x" if is_circle else "free@x"]
    return {
        ContactId(n): Claim(ContactId(n), one, address)
        for n, (one, address) in enumerate(zip(listed, wanted, strict=True), start=1)
    }


def decided(people: int, *, is_circle: bool) -> list[Write]:
    """Decide, and return what is written, in turn."""
    found = claims(people, is_circle=is_circle)
    users = {claim.user.id: claim.user for claim in found.values() if claim.user is not None}
    decisions = decide_addresses(found, users, frozenset())
    writes = [one for one in decisions.values() if isinstance(one, Write)]
    assert len(writes) == people
    return sorted(writes, key=lambda write: write.turn)


def calls_made(people: int, *, is_circle: bool) -> int:
    """Return how many calls the decision takes: a measure of work that no busy machine changes."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        decided(people, is_circle=is_circle)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("is_circle", [False, True], ids=["chain", "circle"])
def test_twice_as_many_people_are_about_twice_the_work(is_circle: bool) -> None:
    one, two = (calls_made(people, is_circle=is_circle) for people in (200, 400))
    assert two < 2.5 * one


def test_a_chain_through_five_thousand_people_is_written_from_its_free_end() -> None:
    writes = decided(5000, is_circle=False)
    assert [write.turn for write in writes] == list(range(5000))
    assert writes[0] == Write("free@x")
    assert all(later.after == ContactId(5001 - later.turn) for _, later in pairwise(writes))


def test_a_circle_through_five_thousand_people_is_opened_once() -> None:
    writes = decided(5000, is_circle=True)
    assert [write.turn for write in writes] == list(range(1, 5001))
    assert [write for write in writes if write.blank_first] == [
        Write("m2@x", after=ContactId(2), turn=5000, blank_first=True)
    ]
    assert writes[0] == Write("m1@x", after=ContactId(1), turn=1)
