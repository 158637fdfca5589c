"""Every write is on record before and after it is sent (P13), and none is sent without (§7)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import pytest

from door_sync.app.cycle import live_run
from door_sync.journal.memory import InMemoryJournal
from door_sync.journal.record import SqliteCycleRecord
from door_sync.ports import CycleRecord, JournalError, Memory
from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.faults import Fault, Hook, Reset
from tests.app.watching import (
    at_free,
    begin_anew,
    intended,
    no_route,
    outcomes,
    recorded,
    refused,
    sent,
    settled,
)
from tests.club import Club

EVERY_KIND = {
    "free-card",
    "deactivate-user",
    "import-card",
    "update-profile",
    "create-user",
    "activate-user",
    "bind-card",
    "reclaim-card",
    "set-policies",
    "set-alias",
}


def eventful(club: Club) -> None:
    """Bring the club to the eve of a cycle with every kind of write, each way to send it, and
    writes that are repeated in another form: without an address, by force, shut again."""
    club.unifi.switch(known_card="same token")
    leaver, tier, name, swaps, back = (club.join(1001 + n, first=f"Name{n}") for n in range(5))
    settled(club)
    club.lapse(back)
    settled(club)
    crm, world = club.civicrm.world, club.unifi.world
    club.lapse(leaver)
    club.retier(tier, "Silver")
    world.add_hidden_admin("taken@example.org")
    crm.set_name(name, first_name="Other")
    crm.set_email(name, "taken@example.org")
    crm.set_card(swaps, "1010")
    club.rejoin(back)
    club.join(1001, "Silver", email="taken@example.org")
    club.add_card(1020, alias=False)
    club.join(1020)
    club.add_user("", cards=[1021], status="DEACTIVATED")
    club.join(1021)
    shut = club.join(1022)
    made = club.add_user(str(shut), cards=[1023], policies=[club.gold], status="DEACTIVATED")
    at_free(club, refused(), made)
    club.forget()


def test_every_write_is_intended_before_and_settled_after_it_in_the_order_sent(club: Club) -> None:
    before: list[list[tuple[str, int]]] = []

    def look(_request: SeenRequest) -> None:
        assert isinstance(club.journal, InMemoryJournal)
        [cycle] = club.journal.cycles(1)
        steps = club.journal.steps(cycle.cycle_id)
        before.append([(s.kind, s.contact_id) for s in steps if s.outcome is None])

    club.unifi.faults.add(Hook(look), where=lambda r: r.method != "GET", times=None)
    eventful(club)
    before.clear()
    report = club.cycle()
    assert {kind for kind, _ in sent(club)} == EVERY_KIND
    assert intended(club, report) == sent(club)
    assert [write for open_ones in before for write in open_ones] == sent(club)
    assert None not in [step.outcome for step in recorded(club, report)]
    assert report.ledger is not None
    assert report.ledger.writes == club.writes()


def test_the_record_tells_contact_class_reason_and_a_keyed_digest_and_nothing_else(
    club: Club,
) -> None:
    eventful(club)
    report = club.cycle()
    for step in recorded(club, report):
        assert step.contact_id in club.memberships
        assert step.change in {"revoke", "grant", "restore", "policy", "card", "profile"}
        assert step.reason
        assert len(step.digest) == 16
        text = f"{step.kind} {step.change} {step.reason} {step.detail}"
        for told in ("Name", "Other", "taken", "1001", "1020", "sync-"):
            assert told not in text


def test_the_same_write_has_another_digest_at_another_site(club: Club) -> None:
    contact = club.join(1001)
    settled(club)
    seen: list[str] = []
    for _ in range(2):
        club.retier(contact, "Silver")
        club.start_journal()
        seen.append(recorded(club, club.cycle())[0].digest)
        club.retier(contact, "Gold")
        settled(club)
    assert len(set(seen)) == 2


def test_a_write_that_was_repeated_after_silence_is_one_write_on_record(club: Club) -> None:
    contact = club.join(1001)
    settled(club)
    club.retier(contact, "Silver")
    club.unifi.faults.add(Reset(), method="PUT", times=2)
    report = club.cycle()
    assert sent(club) == [("set-policies", contact)] * 3
    assert outcomes(club, report, contact) == [("set-policies", "done")]


def test_both_ways_to_free_a_card_are_one_write_on_record(club: Club) -> None:
    club.unifi.switch(unbind="delete")
    contact = club.join(1001)
    settled(club)
    club.lapse(contact)
    report = club.cycle()
    assert sent(club)[:2] == [("free-card", contact)] * 2
    assert outcomes(club, report, contact) == [("free-card", "done"), ("deactivate-user", "done")]


@pytest.mark.parametrize(
    ("free", "word", "detail"),
    [
        (refused("CODE_OPERATION_FORBIDDEN"), "refused", "CODE_OPERATION_FORBIDDEN"),
        (no_route(), "refused", "CODE_NOT_FOUND"),
        (Reset(), "uncertain", ""),
    ],
)
def test_the_outcome_tells_a_no_from_silence(
    club: Club, free: Fault, word: str, detail: str
) -> None:
    contact = club.join(1001)
    settled(club)
    club.lapse(contact)
    at_free(club, free)
    report = club.cycle()
    step = recorded(club, report)[0]
    assert (step.kind, step.contact_id, step.outcome, step.detail) == (
        "free-card",
        contact,
        word,
        detail,
    )


# A journal that fails.


@dataclass
class BrittleRecord:
    """Fails at the n-th call of one method, and from then on."""

    record: SqliteCycleRecord
    method: str
    calls_left: int

    def __getattr__(self, name: str) -> object:
        real = getattr(self.record, name)
        if name != self.method:
            return real

        def brittle(*args: object, **named: object) -> object:
            self.calls_left -= 1
            if self.calls_left < 0:
                raise JournalError("the journal cannot be written: no space left")
            return real(*args, **named)

        return brittle


@dataclass
class BrittleJournal:
    """Hands out brittle records."""

    journal: InMemoryJournal
    method: str
    good_calls: int

    def site_key(self) -> bytes:
        return self.journal.site_key()

    def memory(self, now: datetime) -> Memory:
        return self.journal.memory(now)

    def begin(self, now: datetime) -> CycleRecord:
        record: CycleRecord = BrittleRecord(  # type: ignore[assignment]  # by __getattr__
            self.journal.begin(now), self.method, self.good_calls
        )
        return record


def break_off(club: Club, method: str, good_calls: int) -> None:
    """Run a cycle whose journal fails after so many calls of a method."""
    assert isinstance(club.journal, InMemoryJournal)
    brittle = BrittleJournal(club.journal, method, good_calls)
    with club.parts(brittle) as parts:
        assert isinstance(live_run(parts).error, JournalError)


@pytest.mark.parametrize("number", range(30))
def test_no_write_is_sent_that_cannot_be_recorded_before(club: Club, number: int) -> None:
    """The three cards of the plan travel in one file, so all three are recorded before it."""
    eventful(club)
    club.cycle()
    whole = sent(club)
    assert [kind for kind, _ in whole[2:5]] == ["import-card"] * 3
    assert len(whole) == 30
    begin_anew(club)
    eventful(club)
    break_off(club, "intend", number)
    assert sent(club) == whole[: 2 if number in (3, 4) else number]


@pytest.mark.parametrize("number", range(8))
def test_no_write_follows_one_whose_outcome_cannot_be_recorded(club: Club, number: int) -> None:
    contact = club.join(1001)
    people = [club.join(1002 + n) for n in range(4)]
    settled(club)
    for one in (contact, *people):
        club.lapse(one)
    break_off(club, "outcome", number)
    assert len(sent(club)) == number + 1


def test_a_cycle_whose_journal_failed_is_healed_by_the_next(club: Club) -> None:
    eventful(club)
    break_off(club, "intend", 9)
    club.unifi.faults.clear()
    settled(club)
    club.cycle()
    assert sent(club) == []


def test_a_journal_that_cannot_begin_a_cycle_lets_nothing_be_read_or_written(club: Club) -> None:
    class Shut(BrittleJournal):
        def begin(self, now: datetime) -> CycleRecord:
            raise JournalError("the journal cannot be written")

    club.forget()
    assert isinstance(club.journal, InMemoryJournal)
    with club.parts(Shut(club.journal, "", 0)) as parts, pytest.raises(JournalError):
        live_run(parts)
    assert club.unifi.journal.requests() == ()


# A program that dies in the middle.


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Deadly:
    """A controller at which the program dies in its n-th call of one method."""

    controller: object
    method: str
    calls_left: int
    after: bool

    def __getattr__(self, name: str) -> Callable[..., object]:
        real: Callable[..., object] = getattr(self.controller, name)

        def deadly(*args: object, **named: object) -> object:
            self.calls_left -= name == self.method
            is_now = name == self.method and self.calls_left < 0
            if is_now and not self.after:
                raise Killed
            result = real(*args, **named)
            if is_now:
                raise Killed
            return result

        return deadly


@pytest.mark.parametrize("after", [False, True], ids=["before it was sent", "after it was done"])
@pytest.mark.parametrize("method", ["deactivate", "create_user", "bind_card", "set_policies"])
def test_a_write_in_which_the_program_died_is_on_record_without_an_outcome(
    club: Club, method: str, after: bool
) -> None:
    eventful(club)
    assert isinstance(club.journal, InMemoryJournal)
    with club.parts() as parts:
        deadly = Deadly(parts.controller, method, 0, after)
        doomed = replace(parts, controller=deadly)  # type: ignore[arg-type]  # by __getattr__
        with pytest.raises(Killed):
            live_run(doomed)
    [cycle] = club.journal.cycles(1)
    *others, last = club.journal.steps(cycle.cycle_id)
    assert cycle.event is None
    assert last.outcome is None
    assert None not in [step.outcome for step in others]
    assert len(club.journal.steps(cycle.cycle_id)) == len(sent(club)) + (not after)


def test_a_fault_of_the_program_is_told_by_the_journal_and_goes_on_up(club: Club) -> None:
    club.join(1001)

    def broken(*_args: object, **_named: object) -> None:
        raise ZeroDivisionError

    assert isinstance(club.journal, InMemoryJournal)
    with club.parts() as parts:
        parts.controller.bind_card = broken  # type: ignore[method-assign]  # a fault
        with pytest.raises(ZeroDivisionError):
            live_run(parts)
    [cycle] = club.journal.cycles(1)
    assert cycle.event == "crashed"
    assert club.journal.steps(cycle.cycle_id)[-1].outcome is None
