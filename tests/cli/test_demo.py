"""The demo tells its chapters, holds cards to doors, and notices when a chapter is not so."""

import logging
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from door_sync.app.bootstrap import plan_site, run_site
from door_sync.app.report import CycleReport
from door_sync.cli.demo import site as site_module
from door_sync.cli.demo.narrator import Narrator, cut_short
from door_sync.cli.demo.site import Site
from door_sync.cli.demo.story import CHAPTERS
from door_sync.cli.demo.telling import tell_all
from door_sync.cli.entry import root
from door_sync.settings import Settings, load_settings
from door_sync.simulators.demo_club import ADMINISTRATOR, FACILITY, PEOPLE
from tests.cli.conftest import PATIENCE_SECONDS, environment

NO_DOOR = "opens the front door: no, the workshop: no"
FRONT_DOOR = "opens the front door: yes, the workshop: no"
BOTH_DOORS = "opens the front door: yes, the workshop: yes"
NOTHING_TO_DO = "Nothing to do: the controller matches the membership list."


@dataclass(frozen=True)
class Told:
    """What the demo printed and how it ended."""

    code: int
    text: str

    def chapter(self, number: int) -> str:
        """Return one chapter, in the order told; what stands behind the last is number -1."""
        return re.split(r"\n\n[^\n]+\n-{10,}\n", self.text)[number]

    def doors(self, number: int) -> list[str]:
        """Return what the doors say in a chapter, in order."""
        return re.findall(r"^  (\w+'s card \d+ opens .*)$", self.chapter(number), re.MULTILINE)

    def broken(self) -> list[int]:
        """Return the chapters that the end calls not as told."""
        return [int(n) for n in re.findall(r"^  (\d+)\. .*: NOT as told$", self.text, re.MULTILINE)]


@contextmanager
def logging_kept() -> Iterator[None]:
    """Take back what the command does to the log of this process."""
    log = logging.getLogger()
    before = [*log.handlers]
    yield
    log.handlers[:] = before


def demo(*words: str) -> Told:
    with logging_kept():
        # Through the whole program, as a user does: a command run alone keeps its help option.
        result = CliRunner(env={"COLUMNS": "100"}).invoke(
            root, ["demo", *words], standalone_mode=False, catch_exceptions=False
        )
    assert isinstance(result.return_value, int)
    assert result.stderr == ""
    return Told(result.return_value, result.stdout)


def chapters(*numbers: int, keep: Path | None = None) -> Told:
    """Tell some of the chapters only."""
    told = click.Command(
        "told",
        callback=lambda: tell_all(keep, pauses=False, chapters=[CHAPTERS[n - 1] for n in numbers]),
    )
    result = CliRunner(env={"COLUMNS": "100"}).invoke(
        told, standalone_mode=False, catch_exceptions=False
    )
    assert isinstance(result.return_value, int)
    return Told(result.return_value, result.stdout)


@pytest.fixture(scope="module")
def told() -> Told:
    """The demo, told once."""
    return demo()


def test_every_chapter_comes_out_as_told(told: Told) -> None:
    assert told.code == 0
    assert "NOT" not in told.text
    assert told.chapter(-1).count(": as told") == len(CHAPTERS) == 10
    [checked] = re.findall(r"checked (\d+) things on the way; all came out", told.chapter(-1))
    assert int(checked) > 100


def test_the_end_says_where_the_real_thing_begins(told: Told) -> None:
    assert 'README.md under "Going live"' in told.chapter(-1)


def test_it_says_that_people_and_cards_are_made_up(told: Told) -> None:
    assert "Everybody here is invented, and so is every card." in told.text


def test_nothing_but_text_is_printed_where_there_is_no_terminal(told: Told) -> None:
    assert "\x1b" not in told.text
    assert max(map(len, told.text.splitlines())) <= 100


def test_the_first_sync_lets_the_members_in_and_the_second_has_nothing_to_do(told: Told) -> None:
    chapter = told.chapter(1)
    assert "A live cycle would write: 36 people gain access." in chapter
    assert "… and 34 more like these" in chapter
    assert "36 open the front door and 18 of them the workshop too" in chapter.replace("\n", " ")
    assert NOTHING_TO_DO in chapter
    assert chapter.count("exit code 0, no write sent") == 2, "the plan and the second sync"
    assert told.doors(1) == [
        f"Ada's card 1017 {NO_DOOR}  (the card is not known)",
        f"Ada's card 1017 {BOTH_DOORS}",
        f"Chidi's card 1003 {FRONT_DOOR}",
        f"Rūta's card 1040 {NO_DOOR}  (the card is not known)",
    ]


def test_a_card_goes_from_a_leaver_to_a_new_member_in_one_cycle(told: Told) -> None:
    chapter = told.chapter(2)
    assert chapter.count("$ door-sync run --once") == 1
    assert "contact 101 lost access: no active membership" in chapter
    assert "contact 144 gained access: joined tier Friend" in chapter
    assert told.doors(2) == [f"Ada's card 1017 {BOTH_DOORS}", f"Ottoline's card 1017 {FRONT_DOOR}"]


def test_a_card_of_somebody_disabled_is_reclaimed(told: Told) -> None:
    assert re.search(r"was taken back from user [0-9a-f-]{36}", told.chapter(3))
    assert told.doors(3) == [
        f"Rosa's card 1900 {NO_DOOR}  (the holder is deactivated)",
        f"Rosa's card 1900 {BOTH_DOORS}",
    ]


def test_an_administrators_card_is_not_taken_and_the_report_says_who_holds_it(told: Told) -> None:
    chapter = " ".join(told.chapter(4).replace("\n  |", " ").split())
    [holder] = re.findall(r"is blocked; an active user holds it \(user ([0-9a-f-]{36}),", chapter)
    assert f"User {holder[:8]}… is Olga." in chapter
    assert told.doors(4) == [
        f"Olga's card 1990 {BOTH_DOORS}",
        f"Yusuf's card 1909 {NO_DOOR}  (the card is not known)",
        f"Olga's card 1990 {BOTH_DOORS}",
        f"Yusuf's card 1909 {BOTH_DOORS}",
    ]


def test_two_members_swap_cards_in_one_cycle(told: Told) -> None:
    chapter = told.chapter(5)
    verbs = re.findall(r"\d\. contact \d+ \(.*?\): (take|bind) card", chapter)
    assert verbs == ["take", "take", "bind", "bind"]
    assert chapter.count("$ door-sync run --once") == 1
    assert told.doors(5) == [
        f"Bilal's card 1002 {BOTH_DOORS}",
        f"Chidi's card 1003 {FRONT_DOOR}",
        f"Bilal's card 1003 {BOTH_DOORS}",
        f"Chidi's card 1002 {FRONT_DOOR}",
    ]


def test_an_error_page_writes_nothing(told: Told) -> None:
    chapter = told.chapter(6)
    assert "Stopped: nothing was written." in chapter
    assert "(exit code 2, no write sent)" in chapter
    assert NOTHING_TO_DO in chapter, "once the database is back"
    assert told.doors(6) == [
        f"Bilal's card 1003 {BOTH_DOORS}",
        f"Ottoline's card 1017 {FRONT_DOOR}",
    ]


def test_the_loss_of_a_third_of_the_members_is_held(told: Told) -> None:
    chapter = told.chapter(7)
    assert "Guard 'mass deactivation': 14 of 38 active people" in chapter
    assert "(exit code 1, no write sent)" in chapter
    assert NOTHING_TO_DO in chapter, "once they are back"
    assert told.doors(7) == [f"Jiro's card 1010 {BOTH_DOORS}", f"Wanjiru's card 1024 {BOTH_DOORS}"]


def test_what_a_person_approves_is_done_and_nothing_more(told: Told) -> None:
    chapter = told.chapter(8)
    assert "In it: 7 people lose access." in chapter
    assert "Done: 7 people lost access." in chapter
    assert all(NO_DOOR in line for line in told.doors(8))


def test_somebody_is_cut_off_while_civicrm_is_down_and_stays_so(told: Told) -> None:
    assert [FRONT_DOOR in line for line in told.doors(9)] == [True, False, False, True]
    assert NOTHING_TO_DO in told.chapter(9)


def test_what_a_live_cycle_prints_names_nobody(told: Told) -> None:
    """Names stand in the story and in plans, never in what `run` prints (§7)."""
    runs = re.findall(r"\$ door-sync run --once\n((?:  \|.*\n)+)", told.text)
    assert len(runs) > 8
    for person in PEOPLE:
        assert not any(person.last in run for run in runs)


# A demo that cannot fail shows nothing: each of these breaks the program, or the world, once.


def a_run_that_writes_nothing(settings: Settings) -> CycleReport:
    return plan_site(settings)


def a_run_without_guards(settings: Settings) -> CycleReport:
    safety = settings.safety.model_copy(update={"mass_deactivate_pct": 1.0, "min_read_pct": 0.0})
    return run_site(
        Settings(
            cadence_seconds=settings.cadence_seconds,
            civicrm=settings.civicrm,
            unifi=settings.unifi,
            safety=safety,
            tier_mapping=settings.tier_mapping,
            alert=settings.alert,
            ops=settings.ops,
            daemon=settings.daemon,
            secrets=settings.secrets,
        )
    )


def test_a_program_that_does_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_module, "run_site", a_run_that_writes_nothing)
    told = demo()
    assert told.code == 2
    assert {1, 2, 3, 4, 5} <= set(told.broken())
    [count] = re.findall(r"^(\d+) of \d+ things checked", told.chapter(-1), re.MULTILINE)
    assert told.text.count("NOT AS TOLD: ") == int(count)
    assert "Please report it" in told.chapter(-1)


def test_a_program_without_guards_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_module, "run_site", a_run_without_guards)
    told = chapters(1, 7)
    assert told.code == 2
    assert told.broken() == [2], "the second of these two"
    assert "NOT AS TOLD: no write reached the controller" in told.chapter(2)
    assert "NOT AS TOLD: every card opens what it opened before" in told.chapter(2)


def test_a_plan_that_writes_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_module, "plan_site", run_site)
    told = chapters(1)
    assert told.code == 2
    assert "NOT AS TOLD: a plan writes nothing" in told.chapter(1)


def test_an_administrator_who_lost_her_card_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Site.run

    def run(site: Site) -> CycleReport:
        report = honest(site)
        for card in site.unifi.world.cards:
            if card.number == (FACILITY << 16) | (ADMINISTRATOR.card or 0):
                site.unifi.world.free(card.token)
        return report

    monkeypatch.setattr(Site, "run", run)
    told = chapters(4)
    assert told.code == 2
    assert told.broken() == [1], "the only one of these"
    assert "NOT AS TOLD: Olga's card 1990 opens the front door" in told.chapter(1)
    assert f"Olga's card 1990 {NO_DOOR}  (the card belongs to nobody)" in told.doors(1)


# Files


def test_the_demo_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert chapters(1).code == 0
    assert list(tmp_path.iterdir()) == []


def test_keep_leaves_the_files_of_a_site_behind(tmp_path: Path) -> None:
    told = demo("--keep", str(tmp_path / "new"))
    assert told.code == 0
    assert f"The files of this site are in {tmp_path / 'new'}" in told.text.replace("\n", " ")
    loaded = load_settings(tmp_path / "new" / "config.toml", tmp_path / "new" / ".env", {})
    assert loaded.warnings == ()
    assert loaded.settings.ops.history_db.exists()
    assert len((tmp_path / "new" / "audit.jsonl").read_text().splitlines()) > 8


def test_keep_takes_an_empty_directory_and_no_other(tmp_path: Path) -> None:
    kept = tmp_path / "mine"
    kept.write_text("mine")
    for taken in (tmp_path, kept):
        with pytest.raises(click.UsageError, match="new or empty"):
            demo("--keep", str(taken))
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
    kept.unlink()
    assert chapters(1, keep=tmp_path).code == 0
    assert (tmp_path / "config.toml").exists()


def _without_coverage() -> dict[str, str]:
    """Return the environment of a process that nobody measures: a signal that comes while the
    measuring holds its lock would let the process wait for itself."""
    return {name: value for name, value in environment().items() if not name.startswith("COVERAGE")}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_demo_that_is_cut_short_leaves_nothing_behind(
    number: signal.Signals, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "door_sync", "demo"],
        env={**_without_coverage(), "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "$ door-sync plan" in line:
                break
        assert list(tmp_path.iterdir()), "the files are there while it goes on"
        process.send_signal(number)
        try:
            _, err = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.kill()  # else leaving the block would wait for it for ever
    assert process.returncode == 130
    assert err.strip().startswith("Interrupted.")
    assert list(tmp_path.iterdir()) == []


# How it looks


def narrated(tell: Callable[[Narrator], None], *, colour: bool = True, **variables: str) -> str:
    """Return what a narrator prints, with the colours that a terminal would get."""
    runner = CliRunner(env={"NO_COLOR": None, "COLUMNS": "60", **variables})
    shown = click.Command("shown", callback=lambda: tell(Narrator(pauses=True)))
    return runner.invoke(shown, color=colour, catch_exceptions=False).stdout


def a_bit_of_everything(narrator: Narrator) -> None:
    narrator.heading("A heading")
    narrator.item("Ada's card 1017 opens the front door: yes, the workshop: no")
    narrator.output("plan", "One line\n\n  - two", "exit code 0")
    narrator.complaint("the sky is green")
    narrator.pause()


def test_a_terminal_gets_colours_and_no_color_takes_them_away() -> None:
    coloured = narrated(a_bit_of_everything)
    assert "\x1b[32myes\x1b[0m" in coloured
    assert "\x1b[31mno\x1b[0m" in coloured
    assert "\x1b" not in narrated(a_bit_of_everything, NO_COLOR="1")
    assert "\x1b" not in narrated(a_bit_of_everything, colour=False)


def test_the_programs_own_output_stands_behind_a_bar() -> None:
    assert narrated(a_bit_of_everything, colour=False).endswith(
        "\n"
        "  | $ door-sync plan\n"
        "  | One line\n"
        "  |\n"
        "  |   - two\n"
        "    (exit code 0)\n"
        "  NOT AS TOLD: the sky is green\n"
    )


@pytest.mark.parametrize(("columns", "widest"), [("60", 60), ("5", 40), ("300", 100)])
def test_lines_fit_the_terminal_within_reason(columns: str, widest: int) -> None:
    words = "a b c d e f g h i j k l m n o p q r s t u v w x y z " * 8

    def tell(narrator: Narrator) -> None:
        narrator.say(words)
        narrator.item(words)
        narrator.output("plan", f"  - {words}", "exit code 0")

    lines = narrated(tell, COLUMNS=columns).splitlines()
    longest = max(len(click.unstyle(line)) for line in lines)
    assert widest - 4 <= longest <= widest


def test_many_lines_that_do_the_same_are_cut_short_and_nothing_else() -> None:
    grants = [f"  - contact {n} gains access: joined tier {n % 2}" for n in range(10, 15)]
    losses = [f"  - contact {n} loses access: trashed" for n in range(10, 14)]
    steps = [f"{n:4}. contact 1{n:02} (Ada B.): bind card #{n}" for n in range(98, 104)]
    other = ["Plan 123456:", "", "  - contact 7: its card was taken back"]
    assert list(cut_short([*grants, *losses, *other, *steps])) == [
        *grants[:2],
        "    … and 3 more like these",
        *losses,
        *other,
        *steps[:2],
        "      … and 4 more like these",
    ]
