"""A site on the eve of a cycle with every kind of step, a disk that becomes full, the promises."""

import copy
import json
import shutil
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
import stamina

from door_sync.simulators.faults import Hook
from door_sync.simulators.unifi.world import World
from tests.club import Club, open_club
from tests.e2e.test_killed import begin_story
from tests.proof.disk import Disk, Ended, disk
from tests.proof.readings_told import tell
from tests.properties.witness import Witness
from tests.thorough import THOROUGH

NAMED: Final = ("history.db", "audit.jsonl", "state.json", "alert.flag", "metrics.prom")
REMEDIES: Final = (
    "Free some space on that disk.",
    "Raise the limit, or move the file aside.",
    "Look at the kernel's messages (dmesg)",
)
CUT_OFF_BY_HAND: Final = "door-sync revoke CONTACT --without-record"
NOT_HAPPENING: Final = "Revocations are not happening"


@dataclass
class Story:
    """One site on one disk; `flag` is on another disk unless `flag_too`."""

    club: Club
    disk: Disk
    directory: Path
    flag_too: bool = False
    name: str = ""
    told: Counter[str] = field(default_factory=Counter)
    cases: Counter[str] = field(default_factory=Counter)
    _shelf: World | None = None

    @property
    def site(self) -> Path:
        """Where the site's files are, for the program."""
        return self.disk.site

    @property
    def flag(self) -> Path:
        """Where this process finds the flag."""
        if self.flag_too:
            return self.disk.there("alert.flag")
        return self.directory / "run" / "alert.flag"

    def begin(self) -> None:
        """Tell the story up to the eve, in files that this process sees, and keep them."""
        made, eve = self.directory / "made", self.directory / "eve"
        made.mkdir()
        begin_story(self.club, made)
        shutil.copytree(made, eve)
        config = (made / "config.toml").read_text().replace(str(made), str(self.site))
        flag = self.site if self.flag_too else self.directory / "run"
        config = config.replace(
            f'alert_flag = "{self.site}/alert.flag"',
            f'alert_flag = "{flag}/alert.flag"\nmetrics_textfile = "{self.site}/metrics.prom"',
        )
        (eve / "config.toml").write_text(config)
        world = self.club.unifi.world
        self._shelf = copy.deepcopy(world, {id(world.lock): threading.RLock()})

    def rewind(self, *, is_new: bool = False) -> None:
        """Go back to the eve; `is_new`: with no file of the program's, as on a new machine."""
        assert self._shelf is not None
        self.club.unifi.faults.clear()
        self.club.unifi.world = copy.deepcopy(
            self._shelf, {id(self._shelf.lock): threading.RLock()}
        )
        self.disk.ask("lay out", eve=str(self.directory / "eve"), bare=is_new)
        self.flag.unlink(missing_ok=True)
        self.club.forget()

    def uninterrupted(self, *, is_new: bool = False) -> tuple[Ended, object]:
        """Run the cycle with nothing in its way; return how it went and the end state."""
        self.rewind(is_new=is_new)
        ran = self.disk.run("run", "--once")
        assert ran.code == 0, ran.said
        return ran, self.club.end_state()

    def strike(
        self,
        acts: Mapping[int, str],
        end: object,
        *,
        is_new: bool = False,
        from_the_start: bool = False,
        kind: str = "",
    ) -> Ended:
        """Run the cycle while the disk becomes full, and hold it to the promises."""
        self.rewind(is_new=is_new)
        copied = self.directory / "copied.db"
        witness = Witness(self.club, copied)
        self.disk.copy_journal(copied)
        self.club.unifi.faults.add(
            Hook(lambda _: self.disk.copy_journal(copied)),
            where=lambda one: one.method != "GET",
            times=None,
        )
        witness.watch()
        witness.forget()
        ran = self.disk.run("run", "--once", acts=acts, from_the_start=from_the_start)
        self._said(ran, end)
        if "kill" not in acts.values():
            self.told[f"{'fails, and says why' if ran.code else 'ends well'}"] += 1
        else:
            self.told["dies"] += 1
        self._while_full(end)
        self.disk.copy_journal(copied)
        if self.club.writes():
            witness.check(is_whole=False, was_lied_to=False)
        self.club.unifi.faults.clear()
        self.heals(end)
        self.cases[kind] += 1
        return ran

    def _said(self, ran: Ended, end: object) -> None:
        """The exit code is right, and the file and what settles it are named."""
        assert "Traceback" not in ran.said, ran.said
        if ran.code < 0:
            return
        assert ran.code in (0, 2), (ran.code, ran.said)
        is_done = self.club.end_state() == end
        assert is_done or ran.code == 2, "P10: a clean end, and the doors are not as they should be"
        if ran.code == 2:
            assert any(f"/{name}" in ran.said for name in NAMED), ran.said
            assert any(one in ran.said for one in REMEDIES), ran.said
            assert "fault of door-sync itself" not in ran.said, ran.said
            self._flagged(ran, is_done=is_done)

    def _flagged(self, ran: Ended, *, is_done: bool) -> None:
        """The flag says it too; where it has no room either, the program's own words say so."""
        if self.flag.exists():
            text = self.flag.read_text()
            assert text.startswith("door-sync needs a person."), text
            assert any(f"/{name}" in text for name in NAMED), text
        else:
            assert "alert.flag" in ran.said, ran.said
            assert self.flag_too or not self.disk.is_own, "the flag is on another disk"
            text = ran.said
        if not is_done:
            assert NOT_HAPPENING in text, text
            assert CUT_OFF_BY_HAND in text, text

    def _while_full(self, end: object) -> None:
        """As long as there is no room, each cycle says so and writes nothing unrecorded."""
        if "ballast" not in self.disk.names():
            return
        self._said(self.disk.run("run", "--once"), end)
        status = self.disk.run("status")
        assert "Traceback" not in status.said
        assert status.code in (0, 2), status.said

    def heals(self, end: object) -> None:
        """With room, one cycle comes to the same end, and the record is sound."""
        club, disk = self.club, self.disk
        disk.ask("make room")
        left = disk.names()
        assert not [name for name in left if name.startswith(".") and name != ".env"], left
        ran = disk.run("run", "--once")
        assert ran.code == 0, ran.said
        assert club.end_state() == end
        ids = [user.employee_number for user in club.unifi.world.users if user.employee_number]
        assert len(ids) == len(set(ids)), "a user is there twice"
        verified = disk.run("history", "verify")
        assert verified.code == 0, verified.said
        assert "has no line yet" not in verified.said
        for line in disk.there("audit.jsonl").read_text().splitlines():
            json.loads(line)
        json.loads(disk.there("state.json").read_text())
        assert not self.flag.exists(), self.flag.read_text()
        club.forget()
        assert disk.run("run", "--once").code == 0
        assert club.writes() == 0, "P8"


@contextmanager
def story_on(directory: Path, *, is_own: bool, flag_too: bool = False) -> Iterator[Story]:
    """Yield a site on the eve, on a disk of its own or under a limit."""
    (directory / "run").mkdir()
    with (
        stamina.set_testing(True, attempts=3, cap=True),
        open_club() as club,
        disk(directory / "site", is_own=is_own) as its_disk,
    ):
        story = Story(club, its_disk, directory, flag_too)
        story.begin()
        yield story


def print_told(config: pytest.Config, title: str, story: Story) -> None:
    """Print at the end of a thorough run what was counted."""
    if not THOROUGH:
        return
    tell(config, f"\n{title}")
    for kind, count in sorted(story.cases.items()):
        tell(config, f"  {count:6}  {kind}")
    outcomes = ", ".join(f"{count} {what}" for what, count in sorted(story.told.items()))
    tell(config, f"  {story.cases.total():6}  in all: {outcomes}")
