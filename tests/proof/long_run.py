"""Years of a living club in one process: its people, its hands, its troubles, and the loop.

The happenings, the promises and the oracle are those of `tests.properties`; chance is drawn from
one seed. The club is kept at a size: whoever left is removed in the end, on both sides.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import strategies as st
from hypothesis.internal.conjecture.data import ConjectureData

from door_sync.app.report import CycleReport, Ending
from door_sync.core.steps import NoticeKind
from door_sync.simulators.faults import Answer, Armed
from tests.club import Club
from tests.notify.conftest import MailServer
from tests.proof.long_run_measures import Measured, look, too_old
from tests.proof.long_run_site import PassingClock, ServedOffice
from tests.proof.readings import EVERY_READING
from tests.properties.counting import Tally
from tests.properties.happenings import EVENTS, NUMBERS, Draw, faults
from tests.properties.leaks import check_for_leaks
from tests.properties.mailbox import Mailbox
from tests.properties.mishaps import PLACES
from tests.properties.office import AS_SHIPPED
from tests.properties.recorded import HANDS, RecordedClub
from tests.properties.truth import disagreements, is_managed, standings
from tests.properties.witness import Witness

TURNS = [
    *["an_ordinary_cycle"] * 14,
    *["a_troubled_cycle"] * 9,
    "a_cycle_without_journal",
    "a_full_disk",
    "somebody_is_cut_off_meanwhile",
    "a_process_dies_beside_the_service",
    "the_club_comes_to_rest",
]
PAUSES = [0, 0, 0, 1, 5, 12, 23, 25, 49, 75]
"""Hours that pass between two cycles, beside the service's own ten minutes."""

HAPPENINGS = [*EVENTS, *EVENTS, *HANDS, "many_leave_at_once", "the_scheduled_job_stops"]

FULL = 30
"""More contacts than that, and whoever left is removed."""

UNTIL_PRUNED = timedelta(days=45)
"""Rows go with a cycle that keeps its journal; a pause of twelve days may come several times, and a
gap of more than 40 days counts as 40 (`journal.retention`)."""

CHECKED_EVERY = 20
"""How often the whole record is verified, and every file searched for what is personal."""


class Chance:
    """Draws from strategies as hypothesis does, but from one seed and without an end."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def draw(self, strategy: st.SearchStrategy[Any], label: object = None) -> Any:
        """Draw one value."""
        data = ConjectureData(prefix=(), random=self.random)
        return data.draw(strategy)


class LongRun(RecordedClub):
    """One club, one service, one journal."""

    office: ServedOffice

    def __init__(self, club: Club, server: MailServer, directory: Path, seed: int) -> None:
        super().__init__()
        type(self).club, type(self).server, type(self).directory = club, server, directory
        self.chance = Chance(seed)
        self.fault = None
        club.clock = PassingClock()
        club.reset(self.chance.random.choice(EVERY_READING).switches)
        self.office = ServedOffice(
            club, server, directory / "site", AS_SHIPPED, True, chance=self.chance.random
        )
        self.witness = Witness(club, self.office.journal)
        self.witness.watch()
        self.mailbox, self.tally = Mailbox(), Tally(AS_SHIPPED)
        self.cut, self.shut, self.refused = set(), set(), set()
        self.held, self.words, self.dead = {}, [], {}
        self.job_rests = False
        self.updates = 0
        self.began = club.clock.now()
        self.ran = self.agreed = self.writes = 0
        self.endings: Counter[str] = Counter()
        self.changes: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self.turns: Counter[str] = Counter()
        self.course: list[Measured] = []
        self.begin(self.chance)  # type: ignore[arg-type] # it draws, which is all that is asked

    # One turn: something happens, and a cycle or more run.

    def turn(self) -> None:
        """Let time pass and things happen, and at least one cycle run."""
        self._pause(self.chance.random.choice(PAUSES))
        name = self.chance.random.choice(TURNS)
        self.turns[name] += 1
        getattr(self, f"turn_{name}")()
        self._keep_house()

    def turn_an_ordinary_cycle(self) -> None:
        """Things happen, a cycle runs."""
        self.a_cycle_runs(self.chance)

    def turn_a_troubled_cycle(self) -> None:
        """One side makes trouble at some of its requests."""
        self.things_happen(self.chance)
        draw = self.chance.draw
        self.fault = draw(faults)
        only = draw(st.sampled_from(["writes", "writes", "writes", "reads", "crm"]))
        at, times = draw(st.integers(1, 8)), draw(st.sampled_from([1, 1, 2, 9]))
        if only == "crm":
            armed = self.club.civicrm.faults.add(self.fault, first=at % 3 + 1, times=times)
        else:
            armed = self.club.unifi.faults.add(
                self.fault,
                where=lambda request: (request.method == "GET") == (only == "reads"),
                first=at,
                times=times,
            )
        self.cycle()
        self.calm()
        if armed.struck:
            self.struck[f"{_named(armed)} at {only}"] += armed.struck

    def turn_a_cycle_without_journal(self) -> None:
        """The journal cannot be had."""
        self.struck["no journal"] += 1
        self.a_cycle_has_no_journal(self.chance)

    def turn_a_full_disk(self) -> None:
        """From some commit on the journal takes nothing more."""
        self.struck["full disk"] += 1
        self.the_disk_is_full_in_a_cycle(self.chance.draw(st.integers(1, 40)), self.chance)

    def turn_somebody_is_cut_off_meanwhile(self) -> None:
        """Another process cuts somebody off at a write."""
        at, after = self.chance.draw(st.integers(1, 6)), self.chance.draw(st.booleans())
        self.somebody_is_cut_off_in_a_cycle(at, after, self.chance)

    def turn_a_process_dies_beside_the_service(self) -> None:
        """Somebody runs a cycle by hand, and it is killed."""
        place = self.chance.draw(st.sampled_from(PLACES))
        self.struck[f"killed {place}"] += 1
        self.office.is_by_hand = True
        try:
            number = self.chance.draw(st.integers(1, 40))
            self.the_process_dies_in_a_cycle(place, number, self.chance)
        finally:
            self.office.is_by_hand = False

    def turn_the_club_comes_to_rest(self) -> None:
        """Persons settle what waits; then nothing is left to write, and the doors agree."""
        self.the_club_comes_to_rest(self.chance)

    def come_to_rest(self) -> None:
        """Let the scheduled job run again, and persons settle what waits."""
        self.job_rests = False
        super().come_to_rest()

    def things_happen(self, data: Any) -> None:
        """Let up to five things happen."""
        random = self.chance.random
        for event in random.choices(HAPPENINGS, k=random.choice([0, 1, 2, 3, 5])):
            getattr(self, event)(data.draw)

    def many_leave_at_once(self, draw: Draw) -> None:
        """As at the end of a season, or where somebody's import went wrong: a guard's business."""
        for _ in range(8):
            self.somebody_lapses(draw)

    def the_scheduled_job_stops(self, _draw: Draw) -> None:
        """CiviCRM no longer notes whose membership is over; that is a notice, no reason to act."""
        self.job_rests = True

    def time_passes(self, draw: Draw) -> None:
        """Let hours or days pass; nobody's membership ends by it."""
        self._pause(draw(st.sampled_from([1, 5, 23, 25, 60, 24 * 12])))

    # What is counted, and what must hold after each cycle.

    def attend(self, by_hand: Any = ()) -> CycleReport | None:
        """Run a cycle, hold it to the promises, count it, and ask the doors after a clean one."""
        self._run_scheduled_job()
        report = super().attend(by_hand)
        self.ran += 1
        self.writes += sum(entry.carried_out for _, entry in self.witness.writes())
        self.endings["died" if report is None else report.ending.name.lower()] += 1
        for change in report.done if report is not None else ():
            self.changes[change.change_class.value] += 1
        if report is not None and report.ending is Ending.CLEAN and not self._waits(report):
            wrong = disagreements(self.club, NUMBERS, self.cut_off())
            assert wrong == [], (wrong, self.told(report))
            self.agreed += 1
        return report

    def _waits(self, report: CycleReport) -> bool:
        """Say whether a cycle said of somebody that more is to come, by a later cycle."""
        assert report.decision is not None
        return bool(report.decision.missing) or any(
            one.kind is NoticeKind.RESTORE_WAITS for one in report.notices
        )

    def _forget_refusals(self) -> None:
        """A contact that CiviCRM has lost is in doubt for one read, in which nothing asks for what
        a person refused. That ends the refusal; what the next read asks for is another matter."""
        super()._forget_refusals()
        self.refused &= self.club.civicrm.world.contacts.keys()

    def _check_records(self) -> None:
        if self.ran % CHECKED_EVERY == 0:
            super()._check_records()

    def _check_privacy(self, report: CycleReport | None, log: str = "") -> None:
        if self.ran % CHECKED_EVERY == 0:
            super()._check_privacy(report, log)
        else:
            check_for_leaks(self.club, [("the log", log.encode())])

    # The years.

    def measure(self) -> None:
        """Look at the process and its files."""
        self.office.scrape()
        files = {
            "audit bytes": self.office.audit,
            "state file bytes": self.office.settings.ops.state_json,
            "metrics file bytes": self.office.metrics,
        }
        self.course.append(look(self.ran, self.days(), files, self.office.journal))
        now, kept = self.club.clock.now(), self.office.settings.ops.keep_changes_days
        old = too_old(self.office.journal, now, timedelta(days=kept) + UNTIL_PRUNED)
        assert old == [], f"§7: kept for too long: {old}"

    def days(self) -> float:
        """Return how many simulated days have passed."""
        return (self.club.clock.now() - self.began) / timedelta(days=1)

    def becomes_another_controller(self) -> None:
        """Let the firmware be updated to one that reads its reference otherwise, and the service
        read its settings again."""
        self.updates += 1
        self.office.daemon.read_settings_again()
        self.club.unifi.switches = self.chance.random.choice(EVERY_READING).switches

    def told_in_the_end(self) -> Iterator[str]:
        """Yield what the run counted, line by line."""
        yield f"  {self.ran} cycles in {self.days():.0f} simulated days"
        yield f"  endings: {_counted(self.endings)}"
        yield f"  what the cycles met: {_counted(self.turns)}"
        yield f"  faults that struck: {self.struck.total()}: {_counted(self.struck)}"
        yield f"  changes done: {self.changes.total()}: {_counted(self.changes)}"
        yield f"  writes that the controller carried out: {self.writes}"
        yield f"  the doors agreed with the membership list after {self.agreed} clean cycles"
        third = len(self.course) // 3
        parts = self.course[:third], self.course[third : 2 * third], self.course[2 * third :]
        yield "  at most, in the first, the middle and the last third:"
        for name in sorted({name for one in self.course for name in one.amounts}):
            most = [max((one.amounts.get(name, 0) for one in part), default=0) for part in parts]
            if any(most):
                yield f"  {name:32}" + "".join(f"{one:12,.0f}" for one in most)
        first, last = (self.course[at].amounts["resident KiB"] for at in (0, -1))
        more = self.course[-1].kinds - self.course[third].kinds
        yield f"  objects of door-sync that came since the first third: {_counted(more)}"
        yield f"  resident KiB: {first:.0f} at first, {last:.0f} at last"

    def close(self) -> None:
        """End the service."""
        self.office.close()

    def _pause(self, hours: float) -> None:
        self.club.clock.ahead += timedelta(hours=hours)

    def _run_scheduled_job(self) -> None:
        """Let nobody's membership come near its end; or let all end that were not renewed."""
        days = -10 if self.job_rests else 300
        crm, end = self.club.civicrm.world, self.club.clock.now().date() + timedelta(days=days)
        for membership in crm.memberships:
            crm.set_end_date(membership, end)

    def _keep_house(self) -> None:
        """Keep the club at its size: no more than one person, stranger, visitor and card a turn."""
        self.office.clear_away()
        self.club.unifi.world.mails.clear()
        self.held = {one: self.held[one] for one in self.office.waiting() if one in self.held}
        world, crm = self.club.unifi.world, self.club.civicrm.world
        found = standings(self.club, self.cut)
        left = [
            one
            for one in list(self.club.memberships)[1:]
            if found[one].kind == "deny"
            and one not in self.cut | self.refused
            and self._is_shut(one)
        ]
        if len(self.club.memberships) > FULL and left:
            gone = left[0]
            for user in [one for one in world.users if one.employee_number == str(gone)]:
                world.delete_user(user.id)
            if gone in crm.contacts:
                crm.delete(gone)
            del self.club.memberships[gone]
            self.shut.discard(gone)
        strangers = [
            one
            for one in world.users
            if not is_managed(one.employee_number) and one.id != self.club.owner
        ]
        if len(strangers) > 4:
            world.delete_user(strangers[0].id)
        if len(visitors := [*world.visitors]) > 2:
            world.delete_visitor(visitors[0].id)
        by_hand = [one for one in world.cards if not one.alias and one.holder is None]
        if len(by_hand) > 2:
            world.delete_card(by_hand[0].token)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def _named(armed: Armed) -> str:
    fault = armed.fault
    if isinstance(fault, Answer):
        done = ", done" if fault.after else ""
        return f"{fault.content_type.split(';')[0]} {fault.status}{done}"
    done = ", done" if fault.after else ""
    cut = ", cut" if getattr(fault, "cut", False) else ""
    return f"{type(fault).__name__}{done}{cut}"
