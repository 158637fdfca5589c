"""A club that lives: random events on both sides, random readings of the API, random faults.

After every cycle P1, P3 and P4 hold. After a clean cycle or two the door oracle agrees with the
membership list, and a further cycle writes nothing (P8, P9).
"""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from door_sync.app.report import CycleReport, Ending
from door_sync.cli.output.text import run_text
from door_sync.core.steps import ChangeClass, NoticeKind
from door_sync.simulators.faults import Fault
from door_sync.simulators.unifi.switches import Switches
from tests.properties.happenings import NUMBERS, STAYING, TAKEN, Happenings, faults, switches
from tests.properties.promises import check, look
from tests.properties.truth import disagreements, is_managed


class LivingClub(Happenings, RuleBasedStateMachine):
    """One club; rules are what may happen to it. `fault` is what goes wrong just now."""

    fault: Fault | None = None

    @initialize(reading=switches, data=st.data())
    def open_the_club(self, reading: Switches, data: st.DataObject) -> None:
        self.club.reset(reading)
        self.club.start_journal()
        self.club.relax()
        self.begin(data)

    def begin(self, data: st.DataObject) -> None:
        """Let the first people join."""
        self.joins(STAYING)
        self.club.unifi.world.add_hidden_admin(TAKEN)
        self.gone = []
        for _ in range(5):
            self.somebody_joins(data.draw)

    def things_happen(self, data: st.DataObject) -> None:
        for event in data.draw(self.happenings):
            getattr(self, event)(data.draw)

    @rule(
        fault=faults,
        at=st.integers(1, 8),
        times=st.sampled_from([1, 1, 2, 9]),
        only=st.sampled_from(["writes", "writes", "writes", "reads", "crm"]),
        data=st.data(),
    )
    def a_cycle_meets_trouble(
        self, fault: Fault, at: int, times: int, only: str, data: st.DataObject
    ) -> None:
        self.things_happen(data)
        self.fault = fault
        if only == "crm":
            self.club.civicrm.faults.add(fault, first=at % 3 + 1, times=times)
        else:
            self.club.unifi.faults.add(
                fault,
                where=lambda request: (request.method == "GET") == (only == "reads"),
                first=at,
                times=times,
            )
        self.cycle()
        self.calm()

    def calm(self) -> None:
        """Let nothing go wrong from now."""
        self.fault = None
        self.club.civicrm.faults.clear()
        self.club.unifi.faults.clear()

    @rule(data=st.data())
    def a_cycle_runs(self, data: st.DataObject) -> None:
        self.things_happen(data)
        self.cycle()

    @rule(data=st.data())
    def the_club_comes_to_rest(self, data: st.DataObject) -> None:
        """Clean cycles converge: the doors agree with the list, and nothing is left to write."""
        self.things_happen(data)
        self.come_to_rest()
        self.club.forget()
        report = self.cycle()
        problems = [(one.change.contact_id, one.problems) for one in report.failed]
        assert report.ending is Ending.CLEAN, (report.reason(), problems)
        assert self.club.unifi.journal.writes() == (), self.told(report)
        wrong = disagreements(self.club, NUMBERS, self.cut_off())
        assert wrong == [], (wrong, self.told(report))
        self.gone.clear()
        self.rests(report)

    def rests(self, report: CycleReport) -> None:
        """Look at a club that has come to rest with this cycle."""

    def come_to_rest(self) -> None:
        """Run the cycle or two after which nothing is left to do."""
        self.club.clock.ahead += timedelta(hours=25)
        missing = self._somebody_is_missing()
        report = self.cycle()
        waits = any(notice.kind is NoticeKind.RESTORE_WAITS for notice in report.notices)
        if missing or waits or report.ending is not Ending.CLEAN:
            # A missing contact is believed when it is missed twice (R1); a restore that waits for
            # a card may go on once this cycle has taken that card away (R2).
            self.cycle()

    @invariant()
    def nobody_has_two_users(self) -> None:
        ids = [u.employee_number for u in self.club.unifi.world.users]
        managed = [one for one in ids if is_managed(one)]
        assert len(managed) == len(set(managed))

    def cycle(self) -> CycleReport:
        """Run a cycle, and hold what it did to the promises."""
        before = look(self.club, self.cut_off())
        report = self.run_cycle()
        held = report.decision.held if report.decision is not None else ()
        waiting = {contact for contact, change in held if change is ChangeClass.POLICY}
        check(self.club, before, self.cut_off(), waiting)
        return report

    def run_cycle(self) -> CycleReport:
        """Run one live cycle."""
        return self.club.cycle()

    def cut_off(self) -> frozenset[int]:
        """Return who is cut off by hand."""
        return frozenset()

    def told(self, report: CycleReport) -> str:
        """Return what an operator would read, for a failing example."""
        return run_text(report)

    def _somebody_is_missing(self) -> bool:
        known = {str(contact) for contact in self.club.civicrm.world.contacts}
        users = [u for u in self.club.unifi.world.users if u.status != "DEACTIVATED"]
        return any(
            is_managed(user.employee_number) and user.employee_number not in known for user in users
        )
