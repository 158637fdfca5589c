"""Kill whole cycles at every commit of the journal and at every write to the controller (P9, P13).

The cycle has everything: each kind of step, a plan that waits for a person, an approval in force,
an alert that begins and one that is over, the audit line. Wherever it dies, the journal opens and
verifies and tells where; the next cycle comes to the same end; each alert is told, at most twice.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from door_sync.journal.history import PastCycle, PastStep
from door_sync.journal.sqlite import SqliteJournal
from door_sync.simulators.faults import Fault, Hook, html_error
from tests.cli.conftest import Site
from tests.club import Club
from tests.e2e.forks import Ended, Forks, forks
from tests.mailing import add_mail_keys, by_mail, mail_server, subjects
from tests.notify.conftest import MailServer

COMMITS = 52
"""How often the story's cycle commits to its journal; a test holds this number to the truth."""

WRITES = 19
"""How many writes its controller is sent; so with this number."""

BEGUN = "Memberships ended but are still called active"
OVER = "Resolved: cards are blocked"
HELD, BLOCKED = "Changes wait for a person's word", "Cards are blocked"
"""What stands on the eve, told already."""


@dataclass
class Story:
    """The site on the eve of its great cycle, and what runs its commands."""

    site: Site
    server: MailServer
    forks: Forks

    def run(self, *words: str, number: int = 0, when: str = "") -> Ended:
        """Run a command of door-sync."""
        return self.forks.run(*self.site.where(), *words, number=number, when=when)


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with (
        pytest.MonkeyPatch.context() as patched,
        mail_server(tmp_path_factory.mktemp("mail"), patched) as server,
    ):
        yield server


@pytest.fixture(scope="module")
def forking(mails: MailServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forks(tmp_path_factory.mktemp("forks")) as opened:
        yield opened


def eve(club: Club, directory: Path, server: MailServer) -> Site:
    """Return the site of an empty club, whose guards let few changes pass."""
    club.reset()
    server.mails.clear()
    site = Site(club, directory)
    site.configure(
        safety__baseline_floor=0,
        safety__small_site_max=2,
        safety__mass_policy_pct=0.1,
        **by_mail(server),
    )
    add_mail_keys(site)
    return site


def begin(story: Story) -> None:
    """Bring the club to the eve of its cycle."""
    club = story.site.club
    crm, world = club.civicrm.world, club.unifi.world
    leaver = club.join(1001)
    changers = [club.join(1002 + number) for number in range(3)]
    heir = club.join(1005)
    renamed = club.join(1006, first="Renamed")
    stale = club.join(1007)
    back = club.join(1012, first="Back")
    crm.trash(back)
    club.join(1020)
    club.add_user("", cards=[1020])
    assert story.run("run", "--once").code == 0

    crm.restore_contact(back)
    club.add_user(str(back), cards=[1011], policies=[club.gold], status="DEACTIVATED")
    club.add_user("", cards=[1013], status="DEACTIVATED")
    for contact in changers:  # too many for one cycle, and nobody approves them
        club.retier(contact, "Silver")
    for card in (1013, 2001):  # too many, too
        club.join(card)
    assert story.run("run", "--once", "--json").code == 1
    [waiting] = status(story)["holds"]
    approved = story.run("approve", waiting["digest"], "--only", "grant", "--only", "restore")
    assert approved.code == 0, approved.said

    club.lapse(leaver)
    crm.set_card(heir, "1001")
    crm.set_name(renamed, first_name="Newname")
    crm.set_end_date(club.memberships[stale][0], date.today() - timedelta(days=60))  # noqa: DTZ011 - the simulated site has no zone either
    [returned] = [one for one in world.cards if one.alias == "sync-01020"]
    world.free(returned.token)
    club.forget()
    assert sorted(subjects(story.server)) == [BLOCKED, HELD]


def status(story: Story) -> Any:
    """Return what `status` says."""
    ran = story.run("status", "--json")
    assert ran.code == 0, ran.said
    return json.loads(ran.said)


@pytest.fixture
def story(club: Club, mails: MailServer, forking: Forks, tmp_path: Path) -> Iterator[Story]:
    """The eve of the cycle."""
    story = Story(eve(club, tmp_path, mails), mails, forking)
    begin(story)
    yield story
    club.unifi.faults.clear()


@pytest.fixture(scope="module")
def uninterrupted(
    running_club: Club,
    mails: MailServer,
    forking: Forks,
    tmp_path_factory: pytest.TempPathFactory,
) -> object:
    """The club's end state when nothing comes in between."""
    directory = tmp_path_factory.mktemp("uninterrupted")
    story = Story(eve(running_club, directory, mails), mails, forking)
    begin(story)
    ran = story.run("run", "--once", "--json")
    assert ran.code == 1, ran.said
    assert (ran.commits, running_club.writes()) == (COMMITS, WRITES)
    steps = {one["step"] for one in json.loads(ran.said)["steps"]}
    assert len(steps) == 9, f"the story lacks a kind of step, it has {steps}"
    assert sorted(subjects(mails)) == sorted([BLOCKED, HELD, OVER, BEGUN])
    assert status(story)["approvals"]
    return running_club.end_state()


def tells_the_truth(story: Story) -> Any:
    """Look at what a dead process left behind; return what `status` says."""
    verified = story.run("history", "verify")
    assert verified.code == 0, verified.said
    told = status(story)
    [approval] = told["approvals"]
    assert approval["classes"] == ["grant", "restore"], "a crash does not spend it"
    [waiting] = told["holds"]
    assert waiting["approvable"] is True
    if told["is_at"] is not None:
        assert f"for contact {told['is_at']['contact']} " in story.run("status").said
    return told


def heals(story: Story, uninterrupted: object) -> None:
    """The next cycle comes to the same end, and says what was not said yet."""
    club = story.site.club
    ran = story.run("run", "--once")
    assert ran.code == 1, ran.said
    assert club.end_state() == uninterrupted
    ids = [user.employee_number for user in club.unifi.world.users if user.employee_number]
    assert len(ids) == len(set(ids))
    told = Counter(subjects(story.server))
    assert told.keys() == {BLOCKED, HELD, OVER, BEGUN}
    assert (told[BLOCKED], told[HELD]) == (1, 1)
    assert max(told.values()) <= 2, "decision 0017"
    club.forget()
    ran = story.run("run", "--once")
    assert ran.code == 1, ran.said
    assert club.writes() == 0
    assert Counter(subjects(story.server)) == told
    assert status(story)["approvals"] == [], "it has done its work"
    verified = story.run("history", "verify")
    assert verified.code == 0, verified.said
    assert "has no line yet" not in verified.said


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, COMMITS + 1))
def test_a_kill_at_any_commit_of_the_journal(
    story: Story, uninterrupted: object, number: int, when: str
) -> None:
    assert story.run("run", "--once", number=number, when=when).was_killed
    told = tells_the_truth(story)
    cycle, last = last_step(story)
    assert (told["running"] is None) is (cycle.event is not None)
    if cycle.event is None:
        assert told["running"]["cycle"] == cycle.cycle_id
        is_open = last is not None and last.outcome is None
        assert (told["is_at"] is not None) is is_open
    heals(story, uninterrupted)


def last_step(story: Story) -> tuple[PastCycle, PastStep | None]:
    """Return the last cycle on record, and the last write in it."""
    with SqliteJournal.open_read_only(story.site.journal, story.site.club.clock) as journal:
        [cycle, *_] = journal.cycles()
        steps = journal.steps(cycle.cycle_id)
    return cycle, steps[-1] if steps else None


@pytest.mark.parametrize("fate", ["not carried out", "carried out", "answered"])
@pytest.mark.parametrize("number", range(1, WRITES + 1))
def test_a_kill_at_any_write_to_the_controller(
    story: Story, uninterrupted: object, number: int, fate: str
) -> None:
    """`status` names the step that the process died in, and the contact."""
    faults = story.site.club.unifi.faults

    def arm(fault: Fault) -> None:
        faults.add(fault, where=lambda request: request.method != "GET", first=number)

    arm(Hook(story.forks.kill, after=fate == "answered"))
    if fate == "not carried out":
        arm(html_error(503))
    ran = story.run("run", "--once")
    assert ran.was_killed
    faults.clear()
    told = tells_the_truth(story)
    cycle, last = last_step(story)
    assert last is not None
    assert cycle.event is None
    assert last.outcome is None
    assert told["running"]["cycle"] == cycle.cycle_id
    assert told["is_at"] == {
        "contact": last.contact_id,
        "step": last.kind,
        "class": last.change,
    }
    heals(story, uninterrupted)
