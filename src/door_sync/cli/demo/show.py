"""A chapter's means: run door-sync, ask the doors, and notice whatever is not as it was told."""

import shlex
from collections.abc import Collection
from dataclasses import dataclass, field

from door_sync.app.report import CycleReport, Ending
from door_sync.cli.demo.narrator import Narrator
from door_sync.cli.demo.site import DOORS, Site
from door_sync.cli.output.text import plan_text, run_text
from door_sync.cli.output.wording import counted
from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass
from door_sync.simulators.demo_club import Person
from door_sync.simulators.unifi.doors import Verdict
from door_sync.simulators.unifi.records import Status


@dataclass
class Show:
    """What the chapters are told with. `checks` counts the claims made, `failures` names those
    that were not so."""

    site: Site
    narrator: Narrator
    checks: int = 0
    failures: list[str] = field(default_factory=list)
    printed: str = ""
    """What door-sync printed last."""

    def say(self, text: str) -> None:
        """Tell what happens in the real world."""
        self.narrator.say(text)

    def check(self, is_so: bool, claim: str) -> None:
        """Take note of a claim; complain at once if it is not so."""
        self.checks += 1
        if not is_so:
            self.failures.append(claim)
            self.narrator.complaint(claim)

    def plan(self, ending: Ending = Ending.CLEAN) -> CycleReport:
        """Run `plan` and show what it prints; it must not write."""
        report = self.site.plan()
        self._show("plan", plan_text(report), report, ending)
        self.check(not self.site.writes(), "a plan writes nothing")
        return report

    def run(self, ending: Ending = Ending.CLEAN) -> CycleReport:
        """Run `run --once` and show what it prints; there must be no name in it."""
        report = self.site.run()
        self._show("run --once", run_text(report), report, ending)
        nameless = not any(person.last in self.printed for person in self.site.contacts)
        self.check(nameless, "what a run prints names nobody")
        return report

    def command(self, *words: str, code: int = 0) -> str:
        """Run any other command and show what it prints; return that. It must name nobody."""
        ended, text = self.site.command(*words)
        self.printed = text
        self.narrator.output(shlex.join(words), text, f"exit code {ended}")
        self.check(ended == code, f"`{words[0]}` ends with exit code {code}")
        nameless = not any(person.last in text for person in self.site.contacts)
        self.check(nameless, f"what `{words[0]}` prints names nobody")
        return text

    def no_write(self) -> None:
        """Claim that the last command sent no write."""
        self.check(not self.site.writes(), "no write reached the controller")

    def done(self, report: CycleReport, *wanted: tuple[Person, ChangeClass]) -> None:
        """Claim that a cycle changed these people in these ways and nobody else."""
        changed = {(change.contact_id, change.change_class) for change in report.done}
        expected = {(ContactId(self.site.contacts[one]), what) for one, what in wanted}
        who = ", ".join(f"{one.first} ({what.value})" for one, what in wanted) or "nobody"
        self.check(changed == expected, f"the sync changes exactly: {who}")

    def names_user(self, person: Person, claim: str) -> str:
        """Claim that door-sync's last output names a person's user; return the id's beginning."""
        user = self.site.user_of(person)
        self.check(user is not None and user.id in self.printed, claim)
        return f"{user.id[:8]}…" if user is not None else "(none)"

    def is_disabled(self, person: Person, claim: str) -> None:
        """Claim that a person's user is deactivated."""
        user = self.site.user_of(person)
        self.check(user is not None and user.status == Status.DEACTIVATED, claim)

    def doors(self, *cards: tuple[Person, int, Collection[str]]) -> None:
        """Hold cards to every door, say what the doors answer, and claim which of them open."""
        self.say("At the doors:")
        for person, card, open_doors in cards:
            verdicts = [self.site.verdict(card, door) for door in DOORS]
            opens = [verdict is Verdict.OPENS for verdict in verdicts]
            front, workshop = ("yes" if one else "no" for one in opens)
            # One reason is worth telling where the card as such is at fault, not the tier.
            why = "" if any(opens) or len(set(verdicts)) > 1 else f"  ({verdicts[0].value})"
            self.narrator.item(
                f"{person.first}'s card {card} opens the front door: {front}, "
                f"the workshop: {workshop}{why}"
            )
            for door, is_open in zip(DOORS, opens, strict=True):
                wanted = door in open_doors
                claim = f"{person.first}'s card {card} {'opens' if wanted else 'does not open'}"
                self.check(is_open == wanted, f"{claim} the {door.lower()}")

    def _show(self, command: str, text: str, report: CycleReport, ending: Ending) -> None:
        self.printed = text
        writes = len(self.site.writes())
        sent = counted(writes, "write", "writes") if writes else "no write"  # to the controller
        self.narrator.output(command, text, f"exit code {report.ending.value}, {sent} sent")
        self.check(report.ending is ending, f"`{command}` ends with exit code {ending.value}")
