"""A cycle with a hand in it, what must hold of it, and the cycles after it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
import stamina

from door_sync.app.report import CycleReport, Ending
from door_sync.cli.output.text import run_text
from door_sync.core.steps import ChangeClass
from door_sync.ports import ControllerDistrusted, SourceDistrusted
from door_sync.settings import Settings
from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.faults import Hook
from door_sync.simulators.unifi.journal import Entry
from door_sync.simulators.unifi.switches import Switches
from tests.club import open_club
from tests.proof.faults_story import Site
from tests.proof.hands_console import Hand
from tests.proof.hands_onlooker import MOVED, Finding, Onlooker
from tests.proof.readings_told import tell
from tests.properties.truth import disagreements, is_managed, standings
from tests.properties.witness import Witness
from tests.thorough import THOROUGH

NUMBERS: Final = range(1000, 1100)
REST: Final = 3
"""After so many cycles without a hand everything is as it should be; most need one."""


class Desk(Site):
    """A site that can be put back to the eve with both its systems, and reads in one order."""

    def tell(self, switches: Switches) -> None:
        """Bring the club to the eve, and keep a copy of everything on both sides."""
        self.begin(switches)
        # One read after another, so that it is certain which answer showed what.
        unifi = self.settings.unifi.model_copy(update={"read_concurrency": 1})
        # A page holds five rows, so that there is something to come in between.
        civicrm = self.settings.civicrm.model_copy(update={"page_size": 5})
        self.settings: Settings = replace(self.settings, unifi=unifi, civicrm=civicrm)
        self._tables = self.club.civicrm.world.snapshot()
        self._sold = {contact: [*sold] for contact, sold in self.club.memberships.items()}

    def rewind(self) -> None:
        super().rewind()
        self.club.civicrm.world.restore(self._tables)
        self.club.memberships = {contact: [*sold] for contact, sold in self._sold.items()}

    def front_door(self) -> frozenset[tuple[int, str]]:
        """Return which card opens the front door, and the number of who holds it."""
        world = self.club.unifi.world
        return frozenset(
            (one.number & 0xFFFF, world.users[one.holder.id].employee_number)
            for one in world.cards
            if one.holder is not None
            and one.holder.id in world.users
            and self.club.opens(one.number & 0xFFFF)
        )


@dataclass
class _Witness(Witness):
    """Knows whose user is written to as the program was shown it, whatever the number is now."""

    onlooker: Onlooker | None = None

    def _contact(self, user_id: str) -> int | None:
        assert self.onlooker is not None
        shown = self.onlooker.shown.get(user_id)
        return int(shown.employee_number) if shown is not None else None


def _is_forced(entry: Entry) -> bool:
    return isinstance(entry.body, dict) and entry.body.get("force_add") is True


@dataclass
class Judge:
    """Runs cycles with hands in them, and counts."""

    site: Desk
    told: dict[str, Counter[str]] = field(default_factory=dict)
    findings: Counter[tuple[str, str]] = field(default_factory=Counter)
    force_gaps: Counter[int] = field(default_factory=Counter)
    force: int = 0
    """The number of the request that takes a card by force in a cycle without a hand."""
    _told: Switches | None = None

    def gaps(self, switches: Switches) -> list[tuple[int, bool]]:
        """Begin the story; return before (False) or after (True) which request a hand may come.

        Writes and looks are sent one after another: after one of them is before the next.
        """
        self._begin(switches)
        entries = self.site.club.unifi.journal.requests()
        first = next(n for n, one in enumerate(entries, start=1) if one.is_write)
        [self.force] = [n for n, one in enumerate(entries, start=1) if _is_forced(one)]
        before = [(number, False) for number in range(1, len(entries) + 1)]
        after = [(number, True) for number in range(1, first)]
        return [*before, *after, (len(entries), True)]

    def table(self) -> Iterator[str]:
        """Return what was counted, in lines."""
        total: Counter[str] = Counter()
        for name, counts in self.told.items():
            total.update(counts)
            text = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
            yield f"  {name}: {text}"
        acted = total.total() - total["had nothing to do"]
        yield f"  in all {acted} cycles with a hand in them: {dict(total)}"
        yield "  writes to whom a hand had changed unseen, each told but what was moved:"
        for (name, what), count in sorted(self.findings.items()):
            yield f"  {count:6}  {name}: {what}"
        yield f"  requests between the last look and a forced bind: {dict(self.force_gaps)}"

    def _begin(self, switches: Switches) -> None:
        """Bring the club to the eve, unless that was done, and let one cycle go by untouched."""
        if switches == self._told:
            self.site.rewind()
        else:
            self.site.tell(switches)
            self._told = switches
        report = self.site.cycle()
        assert report.ending is Ending.CLEAN, report.reason()

    def gaps_in_civicrm(self, switches: Switches) -> list[tuple[int, bool]]:
        """Return likewise before or after which request to CiviCRM a hand may come."""
        self._begin(switches)
        asked = len(self.site.club.civicrm.journal.entries())
        return [(number, after) for number in range(1, asked + 1) for after in (False, True)]

    def run(
        self, name: str, hand: Hand, number: int, *, after: bool, in_civicrm: bool = False
    ) -> bool:
        """Run a cycle with a hand before or after that request of it, and those that heal.

        Return whether the hand had something to do. The request is one to CiviCRM if `in_civicrm`.
        """
        site = self.site
        site.rewind()
        eve = site.front_door()
        plan = site.club.civicrm.faults if in_civicrm else site.club.unifi.faults
        onlooker = Onlooker(site)
        witness = _Witness(site.club, site.journal, onlooker=onlooker)
        did: list[bool] = []

        def act(_: SeenRequest) -> None:
            did.append(hand(site))

        if not after:
            plan.add(Hook(act), first=number)
        witness.watch()
        witness.forget()
        onlooker.watch_before()
        onlooker.watch_after()
        if after:
            plan.add(Hook(act, after=True), first=number)
        report = site.cycle()
        if not any(did):
            self._count(name, "had nothing to do")
            return False
        # What a hand did before this program is as good as done: what it asks for is there.
        witness.check(is_whole=True, was_lied_to=True)
        self._ending(report)
        self._done(report, onlooker)
        self._findings(name, report, onlooker)
        if in_civicrm:
            self._keep_their_doors(eve, onlooker)
        self._rest(name)
        return True

    def _count(self, name: str, what: str) -> None:
        self.told.setdefault(name, Counter())[what] += 1

    def _ending(self, report: CycleReport) -> None:
        """The exit code is right: distrust writes nothing, a failed person is named."""
        if report.error is not None:
            assert isinstance(report.error, ControllerDistrusted | SourceDistrusted), report.error
            assert report.ledger is None, "P2: a distrusted read writes nothing"
            assert self.site.club.writes() == 0
            assert report.error.remedy
        assert not report.troubles
        if report.decision is not None and report.decision.objections:
            guards = {one.guard for one in report.decision.objections}
            assert guards == {"unknown policy"}, guards
            assert report.ending is Ending.HELD
        assert (report.ending is Ending.PARTIAL) <= bool(report.failed)

    def _done(self, report: CycleReport, onlooker: Onlooker) -> None:
        """P10: what is called done was so when it was read back."""
        found = standings(self.site.club)
        gold, silver = self.site.club.gold, self.site.club.silver
        blocked = {one.contact_id for one in report.blocked}
        for change in report.done:
            users = [
                one
                for one in onlooker.shown.values()
                if one is not None and one.employee_number == str(change.contact_id)
            ]
            asked = onlooker.on_the_eve.get(change.contact_id), found.get(change.contact_id)
            due = [one for one in asked if one is not None]
            text = f"P10: {change.change_class} of {change.contact_id} is called done: {users}"
            match change.change_class:
                case ChangeClass.REVOKE:
                    assert all(one.status == "DEACTIVATED" for one in users), text
                case ChangeClass.GRANT | ChangeClass.RESTORE:
                    assert any(one.status == "ACTIVE" for one in users), text
                case ChangeClass.CARD if change.contact_id not in blocked:
                    assert any(one.card in user.cards for one in due for user in users), text
                case ChangeClass.POLICY if all(one.kind == "grant" for one in due):
                    wanted = {gold if one.tier == "Gold" else silver for one in due}
                    assert any(wanted & user.policies for user in users), text
                case _:
                    pass

    def _keep_their_doors(self, eve: frozenset[tuple[int, str]], onlooker: Onlooker) -> None:
        """P1: who is to have the card that opens, before and after the hand, can go in still."""
        now = standings(self.site.club)
        for number, holder in eve - self.site.front_door():
            one = onlooker.on_the_eve.get(int(holder)) if is_managed(holder) else None
            if one is not None and one == now[int(holder)] and one.kind == "grant":
                assert one.card != number, f"P1: {holder} cannot go in any more"

    def _findings(self, name: str, report: CycleReport, onlooker: Onlooker) -> None:
        self.force_gaps.update(onlooker.force_gaps)
        told = run_text(report)
        for one in onlooker.findings:
            assert not one.could_know, f"{one.what}: {one}"
            self.findings[name, one.what] += 1
            if one.what == MOVED:
                # No answer of the controller tells from whom a forced bind takes a card.
                assert one.gap == 0, f"{one.what}: {one}"
                assert "was taken back from" in told
            else:
                self._is_named(one, report, told)

    def _is_named(self, one: Finding, report: CycleReport, told: str) -> None:
        failed = {str(result.change.contact_id) for result in report.failed}
        problems = " ".join(text for each in report.failed for text in each.problems)
        is_named = one.contact in failed or one.user in problems
        assert is_named, f"P10: nobody is told that {one.what}: {one}\n{told}"
        assert report.ending is Ending.PARTIAL

    def _rest(self, name: str) -> None:
        """The doors agree with the list within two cycles, or the report says who is in the way."""
        club = self.site.club
        club.unifi.faults.clear()
        club.civicrm.faults.clear()
        report = again = self.site.cycle()
        for cycles in range(1, REST + 1):
            if cycles > 1:
                report = self.site.cycle()
            club.forget()
            again = self.site.cycle()
            quiet = club.writes() == 0 and again.ending is not Ending.FAILED
            if quiet and not self._wrong(again):
                self._count(name, f"at rest after {cycles}")
                return
            self.site.clock.ahead += timedelta(hours=25)
        problems = [(one.change.contact_id, one.problems) for one in again.failed]
        raise AssertionError(
            f"P9: no rest: {self._wrong(again)} {again.reason()} {problems} "
            f"{club.unifi.journal.writes()}\n{run_text(report)}"
        )

    def _wrong(self, report: CycleReport) -> list[str]:
        club = self.site.club
        if report.decision is not None and report.decision.objections:
            return []  # a hold says so of everybody
        named = {one.contact_id for one in report.blocked}
        named |= {one.contact_id for one in report.notices if one.contact_id is not None}
        named |= {one.change.contact_id for one in report.failed}
        wrong = [
            text
            for text in disagreements(club, NUMBERS)
            if not any(f" of [{contact}]:" in text for contact in named)
        ]
        for contact, one in standings(club).items():
            is_due = one.kind == "grant" and one.card is not None
            if is_due and not club.opens(one.card or 0) and contact not in named:
                wrong.append(f"card {one.card} of {contact} does not open, and nobody says so")
        return wrong


@contextmanager
def judging(title: str, directory: Path, config: pytest.Config) -> Iterator[Judge]:
    """Yield a judge over simulators started once; print at the end what was counted."""
    with stamina.set_testing(True, attempts=3, cap=True), open_club() as club:
        club.relax()
        judge = Judge(Desk(club, directory / "site"))
        yield judge
    if THOROUGH:
        for line in [f"\n{title}", *judge.table()]:
            tell(config, line)
