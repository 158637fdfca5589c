"""A club whose door-sync keeps a journal, asks persons, and calls for them: the whole program.

Beside what `LivingClub` asserts, after every cycle: nothing personal was written or said (P12),
every write is on record (P13), a person hears of each cause once (P14), no more was changed than
the budgets allow or a person approved (§6), nobody who was cut off opens a door, and the record
verifies.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from door_sync.app.report import CycleReport, Ending
from door_sync.cli.output.json import report_json
from door_sync.cli.output.text import run_text
from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass
from door_sync.ports import JournalError
from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.faults import Hook
from door_sync.simulators.unifi.switches import Switches
from tests.club import FACILITY
from tests.notify.conftest import MailServer
from tests.properties.counting import OF_GROUP, Start, Tally, changed, start
from tests.properties.happenings import (
    ADDRESS_MARK,
    EVENTS,
    LIE,
    NUMBERS,
    STAYING,
    Draw,
    faults,
    switches,
)
from tests.properties.leaks import check_for_leaks
from tests.properties.living import LivingClub
from tests.properties.mailbox import Mailbox
from tests.properties.mishaps import PLACES, Death, dying, full_disk
from tests.properties.office import AS_SHIPPED, LAX, TIGHT, Budgets, Name, Office, everything_logged
from tests.properties.promises import check, look
from tests.properties.truth import is_managed, standings
from tests.properties.witness import Step, Witness

HANDS = [
    *["a_person_answers"] * 3,
    "somebody_is_cut_off",
    "a_cut_off_is_lifted",
    *["time_passes"] * 2,
    "the_channel_breaks",
    "the_channel_recovers",
    "the_audit_file_is_rotated",
    "old_history_is_removed",
]
LONGEST = timedelta(days=250)
"""After that the members' end dates would be near."""

FORBIDDEN = {
    "revoke": OF_GROUP["deactivate"],
    "grant": OF_GROUP["add"],
    "restore": OF_GROUP["add"],
    "policy": OF_GROUP["policy"],
    "card": OF_GROUP["card"],
    "profile": OF_GROUP["profile"],
}
"""What the controller must not get for somebody whose change of this class is held."""


class RecordedClub(LivingClub):
    """One club with everything that keeps watch over it."""

    server: ClassVar[MailServer]
    directory: ClassVar[Path]
    examples: ClassVar[int] = 0
    cycles: ClassVar[int] = 0
    happenings: ClassVar = st.lists(st.sampled_from([*EVENTS, *HANDS]), min_size=1, max_size=8)

    @initialize(
        reading=switches,
        budgets=st.sampled_from([LAX, AS_SHIPPED, TIGHT, TIGHT]),
        goes_on=st.booleans(),
        data=st.data(),
    )
    def open_the_club(
        self, reading: Switches, budgets: Budgets, goes_on: bool, data: st.DataObject
    ) -> None:
        type(self).examples += 1
        self.club.reset(reading)
        where = self.directory / f"site {self.examples}"
        self.office = Office(self.club, self.server, where, budgets, goes_on)
        self.witness = Witness(self.club, self.office.journal)
        self.witness.watch()
        self.mailbox, self.tally = Mailbox(), Tally(budgets)
        self.cut: set[int] = set()
        self.shut: set[int] = set()
        self.held: dict[str, frozenset[Name]] = {}
        self.words: list[tuple[datetime, str, frozenset[Name]]] = []
        self.refused: set[int] = set()
        self.dead: dict[str, Step | None] = {}
        self.begin(data)

    def calm(self) -> None:
        super().calm()
        self.witness.watch()

    def cut_off(self) -> frozenset[int]:
        return frozenset(self.cut)

    # What persons do.

    def a_person_answers(self, draw: Draw) -> None:
        """Approve what waits or a part of it, refuse it, or approve what waits no more."""
        if not self.held:
            return
        waiting = self.office.waiting()
        digest = draw(st.sampled_from([*waiting * 4, *self.held]))
        held = sorted(self.held.get(digest, ()))
        word = draw(st.sampled_from(["whole", "class", "contact", "reject"]))
        if word == "reject":
            self._is_refused(digest)
        elif word == "whole" or not held:
            self._is_approved(digest, waiting)
        else:
            contact, change = draw(st.sampled_from(held))
            self._is_approved(
                digest,
                waiting,
                [ChangeClass(change)] if word == "class" else [],
                [ContactId(contact)] if word == "contact" else [],
            )

    def _is_approved(
        self,
        digest: str,
        waiting: list[str],
        classes: list[ChangeClass] | None = None,
        contacts: list[ContactId] | None = None,
    ) -> None:
        names = self.office.approve(digest, classes or [], contacts or [])
        if names is None:
            return
        assert digest in waiting, "what waits no more was approved"
        now = self.club.clock.now()
        self.words.append((now, digest, names))
        rest = self.held.get(digest, frozenset()) - names
        # To approve a part does not take back what was approved before.
        for at, _, approved in self.words:
            rest -= approved if now - at < timedelta(hours=24) else frozenset()
        self.refused |= {contact for contact, change in rest if change == "revoke"}
        self.refused -= {contact for contact, change in names if change == "revoke"}

    def _is_refused(self, digest: str) -> None:
        names = self.office.reject(digest)
        if names is not None:
            self.words = [one for one in self.words if one[1] != digest]
            self.refused |= {contact for contact, change in names if change == "revoke"}

    def somebody_is_cut_off(self, draw: Draw) -> None:
        """Cut somebody off, perhaps while the controller makes trouble."""
        if (contact := self._somebody(draw)) is not None:
            self.fault = fault = draw(st.one_of(st.none(), faults))
            if fault is not None:
                at, kind = draw(st.integers(1, 3)), draw(st.sampled_from(["GET", "PUT"]))
                self.club.unifi.faults.add(fault, method=kind, first=at)
            self.is_cut_off(contact)
            self.calm()

    def is_cut_off(self, contact: int) -> None:
        """Cut this contact off, and look at the doors right after."""
        self.witness.forget()
        reason = f"lost {NUMBERS[0]}, told a@{ADDRESS_MARK}"
        done = self.office.revoke(contact, reason)
        self.witness.check(is_whole=True, was_lied_to=self.fault == LIE)
        self.cut.add(contact)
        if done.exit_code == 0:
            self.shut.add(contact)
            self._check_shut()
        self._check_records()

    def a_cut_off_is_lifted(self, draw: Draw) -> None:
        if self.cut:
            contact = draw(st.sampled_from(sorted(self.cut)))
            self.office.restore(contact)
            self.cut.remove(contact)
            self.shut.discard(contact)

    def time_passes(self, draw: Draw) -> None:
        hours = draw(st.sampled_from([1, 5, 23, 25, 60, 24 * 12]))
        clock = self.club.clock
        clock.ahead = min(clock.ahead + timedelta(hours=hours), LONGEST)

    def the_channel_breaks(self, draw: Draw) -> None:
        self.office.break_channel(draw(st.sampled_from(["CONNECT", "MAIL", "RCPT"])))

    def the_channel_recovers(self, _draw: Draw) -> None:
        self.office.repair_channel()

    def the_audit_file_is_rotated(self, draw: Draw) -> None:
        self.office.rotate(by_copy=draw(st.booleans()))

    def old_history_is_removed(self, _draw: Draw) -> None:
        if self.office.journal.exists():
            self.office.prune()
            self.office.verify()

    # Cycles.

    @rule(data=st.data())
    def a_cycle_has_no_journal(self, data: st.DataObject) -> None:
        """Nothing is written, and nobody is in doubt about it."""
        self.things_happen(data)
        with self.office.without_journal():
            self.witness.forget()
            report = self.office.cycle()
            assert isinstance(report.error, JournalError)
            assert self.club.unifi.journal.writes() == (), "P13: written without a record"
            assert self.office.flag.exists()
            self._hear(died=False)
            self._check_privacy(report)
        self._check_records()

    @rule(commit=st.integers(1, 40), data=st.data())
    def the_disk_is_full_in_a_cycle(self, commit: int, data: st.DataObject) -> None:
        self.things_happen(data)
        with full_disk(commit):
            self.cycle()

    @rule(at=st.integers(1, 6), after=st.booleans(), data=st.data())
    def somebody_is_cut_off_in_a_cycle(self, at: int, after: bool, data: st.DataObject) -> None:
        """Another process cuts them off while the controller carries out a write."""
        self.things_happen(data)
        contact = self._somebody(data.draw)
        if contact is None:
            return
        cut: list[int] = []

        def act(_request: SeenRequest) -> None:
            done = self.office.revoke(contact, "")
            assert done.exit_code == 0, done
            cut.append(contact)

        hook = Hook(act, after=after)
        self.club.unifi.faults.add(hook, where=lambda one: one.method != "GET", first=at)
        before = look(self.club, {*self.cut, contact})
        self.attend(by_hand=cut)
        self.calm()
        check(self.club, before, self.cut_off())

    @rule(place=st.sampled_from(PLACES), number=st.integers(1, 40), data=st.data())
    def the_process_dies_in_a_cycle(self, place: str, number: int, data: st.DataObject) -> None:
        self.things_happen(data)
        before = look(self.club, self.cut_off())
        with dying(place, number if place.endswith("commit") else number % 10 + 1):
            self.attend()
        check(self.club, before, self.cut_off())

    def come_to_rest(self) -> None:
        """Let persons settle what waits, until two cycles in a row found nothing to do."""
        self.office.repair_channel()
        quiet = 0
        for _ in range(12):
            self.club.clock.ahead += timedelta(hours=25)
            report = self.cycle()
            is_quiet = report.ending is Ending.CLEAN and not self.club.unifi.journal.writes()
            quiet = quiet + 1 if is_quiet else 0
            if quiet == 2:
                return
            if report.ending is Ending.HELD:
                self._settle(report)

    def _settle(self, report: CycleReport) -> None:
        assert report.decision is not None
        if any(one.guard == "people vanished" for one in report.decision.objections):
            for contact in sorted(report.decision.missing):
                self.is_cut_off(contact)
        else:
            self._is_approved(report.hold_digest, [report.hold_digest])
            self.run_cycle()

    def run_cycle(self) -> CycleReport:
        report = self.attend()
        assert report is not None
        return report

    def attend(self, by_hand: Collection[int] = ()) -> CycleReport | None:
        """Run one cycle and hold everything about it to what was promised; None if it died.

        `by_hand` are people who are cut off while it runs, if it comes to that.
        """
        type(self).cycles += 1
        self.witness.forget()
        self._forget_refusals()
        self.shut = {one for one in self.shut if self._is_shut(one)}
        found, before = standings(self.club, self.cut), start(self.club)
        report = None
        with everything_logged() as log:
            try:
                report = self.office.cycle()
            except Death:
                self.office.memory = type(self.office.memory)()
        self.cut.update(by_hand)
        is_kept = report is not None and not isinstance(report.error, JournalError)
        self._hear(died=report is None)
        if self.office.journal.exists():
            self.witness.check(is_whole=is_kept, was_lied_to=self.fault == LIE)
        self._count(changed(self.witness.writes(), found, before), before)
        if report is None:
            self._remember_death()
        else:
            self._check_held(report)
            if report.ending is Ending.CLEAN:
                self.tally.is_new = False
                self.shut |= self.cut
        self.shut.update(by_hand)
        self._check_shut()
        if is_kept and report is not None and not report.troubles:
            for cycle, step in self.dead.items():
                self.witness.check_death(cycle, step, self.office.audit_files())
            self.dead.clear()
        self._check_privacy(report, log.getvalue())
        self._check_records()
        return report

    # What must hold after each cycle.

    def _hear(self, *, died: bool) -> None:
        mails = self.office.new_mails()
        said = [(f"the mail {one.subject}", f"{one.subject}\n{one.text}".encode()) for one in mails]
        check_for_leaks(self.club, said)
        self.mailbox.take(mails, died=died)

    def _count(self, groups: dict[str, set[int]], before: Start) -> None:
        now = self.club.clock.now()
        self.words = [one for one in self.words if now - one[0] < timedelta(hours=24)]
        free = frozenset(name for _, _, names in self.words for name in names)
        self.tally.add(before, groups, free, self.cut, now)
        again = groups["deactivate"] & self.refused - self.cut
        assert not again, f"§6: refused, and yet they lost access: {again}"

    def _forget_refusals(self) -> None:
        """Drop refusals that nothing asks for any more."""
        found = standings(self.club, self.cut)
        self.refused = {
            one
            for one in self.refused - self.cut
            if found[one].kind == "deny" and not self._is_shut(one)
        }

    def _check_held(self, report: CycleReport) -> None:
        """Nothing runs that is held and was not approved."""
        if report.decision is None:
            return
        held = frozenset((contact, one.value) for contact, one in report.decision.held)
        if report.hold_digest:
            self.held[report.hold_digest] = held
        for contact, change in held:
            kinds = {sight.kind for sight, _ in self.witness.writes() if sight.contact == contact}
            assert not kinds & FORBIDDEN[change], f"§6: {change} of {contact} is held, but {kinds}"

    def _check_shut(self) -> None:
        for number in (*NUMBERS, STAYING):
            if self.club.opens(number):
                holder = self._holder(number)
                assert holder not in self.shut, f"§6: {holder} is cut off and opens a door"

    def _holder(self, number: int) -> int | None:
        world = self.club.unifi.world
        [card] = [c for c in world.cards if c.nfc_id == f"{FACILITY << 16 | number:X}"]
        if card.holder is None or card.holder.id not in world.users:
            return None
        number_of = world.users[card.holder.id].employee_number
        return int(number_of) if is_managed(number_of) else None

    def _is_shut(self, contact: int) -> bool:
        users = [u for u in self.club.unifi.world.users if u.employee_number == str(contact)]
        return all(user.status == "DEACTIVATED" for user in users)

    def _remember_death(self) -> None:
        if self.office.journal.exists() and (found := self.witness.open_cycle()) is not None:
            self.dead.setdefault(*found)

    def _check_records(self) -> None:
        if self.office.journal.exists():
            self.office.verify()

    def _check_privacy(self, report: CycleReport | None, log: str = "") -> None:
        said = [(path.name, path.read_bytes()) for path in self.office.files()]
        said.append(("the log", log.encode()))
        if report is not None:
            said.append(("run", run_text(report).encode()))
            said.append(("run --json", report_json(report, shows_names=False).encode()))
        check_for_leaks(self.club, said)

    def rests(self, report: CycleReport) -> None:
        """Nothing calls for a person but cards that somebody holds; no word tells a secret."""
        is_blocked = any(not one.waits_for_hold for one in report.blocked)
        assert self.office.flag.exists() == self.mailbox.rests(is_blocked=is_blocked)
        for words in (["status"], ["status", "--json"], ["history"], ["history", "--all"]):
            said = self.office.read_aloud(*words)
            check_for_leaks(self.club, [(" ".join(words), said.encode())])
