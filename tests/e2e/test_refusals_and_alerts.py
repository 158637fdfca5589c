"""Everything that door-sync refuses to work with, through the command line, over days (P2, P14).

Each trouble lasts four cycles and more than a day: nothing is written, one mail says that it began
and one reminds, the flag stands. Then it is mended: one mail says so, and the doors follow. No
cycle knows more of the one before it than the site's files do, as when a timer starts them.
"""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from door_sync.app.bootstrap import run_site
from door_sync.app.remembering import AlertMemory
from door_sync.settings import load_settings
from tests.cli.conftest import PATIENCE_SECONDS, Site, environment
from tests.club import Club
from tests.e2e.journal_troubles import JOURNAL_TROUBLES, closed_files
from tests.e2e.troubles import JOURNAL, SOURCE, TROUBLES, USERS, Begins, Trouble
from tests.mailing import add_mail_keys, bodies, by_mail, mail_server, subjects
from tests.notify.conftest import MailServer

FIRST_CARD = 1001
LEAVER, JOINER = FIRST_CARD, 3001
"""The cards of who has just lapsed and of who has just joined."""


def fill(club: Club) -> None:
    """Let the club have its members for years, one who has just lapsed and one who has joined."""
    world = club.unifi.world
    for number in range(USERS - 1):
        contact = club.join(FIRST_CARD + number)
        user = world.add_user(
            "Mem", "Ber", employee_number=str(contact), policy_ids=[club.gold], status="ACTIVE"
        )
        club.add_card(FIRST_CARD + number, holder=user.id)
    assert len(world.users) == USERS


@dataclass
class Story:
    """A site that mails its alerts, with work to do: somebody lapsed, somebody joined."""

    site: Site
    server: MailServer

    def opens(self) -> list[bool]:
        """Say of each member's card whether it opens the door."""
        return [self.site.club.opens(FIRST_CARD + number) for number in range(USERS - 1)]

    def by_timer(self) -> tuple[int, str]:
        """Run a cycle that knows the site's files alone; return its exit code and report."""
        ran = self.site.run("run", "--once")
        assert "Traceback" not in ran.out + ran.err
        return ran.code, ran.out

    def by_service(self) -> Callable[[], tuple[int, str]]:
        """Return what runs cycle after cycle of one process."""
        memory = AlertMemory()
        settings = load_settings(self.site.config, self.site.env_file, {}).settings

        def run() -> tuple[int, str]:
            report = run_site(settings, clock=self.site.club.clock, alerts=memory)
            return report.ending.value, report.reason()

        return run


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """Take back what a command did to the process's logging."""
    root, own = logging.getLogger(), logging.getLogger("door_sync")
    handlers, levels = [*root.handlers], (root.level, own.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    own.setLevel(levels[1])
    structlog.reset_defaults()


@pytest.fixture
def story(
    club: Club,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    logging_as_before: None,
) -> Iterator[Story]:
    """The site, after a cycle that ended well; it goes by the club's clock."""
    monkeypatch.setattr("door_sync.app.bootstrap.SystemClock", lambda: club.clock)
    site = Site(club, tmp_path, capsys)
    with mail_server(tmp_path, monkeypatch) as server:
        site.configure(
            safety__baseline_floor=10,
            safety__small_site_max=3,
            ops__history_db=str(tmp_path / "record" / "history.db"),
            **by_mail(server),
        )
        site.journal = tmp_path / "record" / "history.db"

        add_mail_keys(site)
        fill(club)
        site.settle()
        club.lapse(next(iter(club.memberships)))
        club.join(JOINER)
        club.forget()
        yield Story(site, server)
    club.unifi.faults.clear()
    club.civicrm.faults.clear()
    club.civicrm.switches.narrowed_to = None


def lasts_and_is_mended(
    story: Story, trouble: Trouble, cycle: Callable[[], tuple[int, str]]
) -> None:
    """Let a trouble last over a day, then mend it; hold every cycle to what was promised."""
    site, club = story.site, story.site.club
    flag, begun = site.flag, trouble.title
    title = begun if begun == SOURCE else begun[0].lower() + begun[1:]
    reminder, over = f"Reminder: {title}", f"Resolved: {title}"
    doors = story.opens()
    assert all(doors)
    with trouble.begins(site):
        for number in range(1, 5):
            if number == 3:
                club.clock.ahead = timedelta(hours=25)
            code, said = cycle()
            assert code == trouble.code, said
            assert club.writes() == 0
            assert trouble.words in flag.read_text()
            expected = [begun] * (number >= trouble.patience) + [reminder] * (number >= 3)
            assert subjects(story.server) == expected
        assert story.opens() == doors, "the doors are as they were"
        assert not club.opens(JOINER)
    assert trouble.words in bodies(story.server)[0]
    for _ in range(2):
        code, said = cycle()
        assert code == 0, said
        assert not flag.exists()
        assert subjects(story.server) == [begun, reminder, over]
        assert story.opens() == [False, *doors[1:]]
        assert club.opens(JOINER)
    assert club.writes() > 0
    club.forget()
    assert cycle()[0] == 0
    assert club.writes() == 0


@pytest.mark.parametrize("name", TROUBLES)
def test_it_is_refused_told_once_and_resolved_once(story: Story, name: str) -> None:
    lasts_and_is_mended(story, TROUBLES[name], story.by_timer)


@pytest.mark.parametrize(
    "name",
    [
        "HTML in 200",
        "a controller that hangs up",
        "all memberships gone",
        *(name for name in TROUBLES if name.startswith("journal ")),
    ],
)
def test_it_is_told_no_more_often_by_a_service(story: Story, name: str) -> None:
    lasts_and_is_mended(story, TROUBLES[name], story.by_service())


class TestInProcessesOfTheirOwn:
    """A timer starts each cycle; the flag alone remembers what was told (decision 0017)."""

    DRIVER = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)
os.execv(sys.executable, [sys.executable, "-m", "door_sync", *sys.argv[1:]])
"""
    """A file's mode keeps this program out even where the tests run as root."""

    def cycle(self, story: Story) -> int:
        """Run a cycle as a timer does; return its exit code."""
        return subprocess.run(
            [sys.executable, "-c", self.DRIVER, *story.site.where(), "run", "--once"],
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_SECONDS,
            check=False,
        ).returncode

    @pytest.mark.parametrize(
        ("begins", "words"),
        [
            (closed_files, "may not do that"),
            *(
                JOURNAL_TROUBLES[name]
                for name in ("corrupt", "of a newer version", "with a directory in its place")
            ),
        ],
        ids=["closed files", "corrupt", "newer version", "directory"],
    )
    def test_one_mail_says_that_it_began_and_one_that_it_is_over(
        self, story: Story, begins: Begins, words: str
    ) -> None:
        site = story.site
        with begins(site):
            for _ in range(3):
                assert self.cycle(story) == 2
                assert words in site.flag.read_text()
                assert subjects(story.server) == [JOURNAL]
            assert site.club.writes() == 0
            assert all(story.opens())
        for _ in range(2):
            assert self.cycle(story) == 0
            assert not site.flag.exists()
            assert subjects(story.server) == [JOURNAL, f"Resolved: n{JOURNAL[1:]}"]
        assert story.opens() == [False] + [True] * (USERS - 2)
