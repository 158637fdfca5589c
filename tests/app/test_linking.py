"""Links that go wrong: whose failure it is, what is on record, and when it stops."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from door_sync.app.adopting import Confirmed
from door_sync.app.linking import Adopted, Fate, Records, link
from door_sync.core.controller import UserId
from door_sync.core.people import ContactId
from door_sync.journal.history import PastStep
from door_sync.journal.lock import Patience, SiteLock
from door_sync.journal.sqlite import SqliteJournal
from door_sync.ports import LockHeld
from door_sync.simulators.faults import Hook, Reset, html_error
from door_sync.simulators.unifi.trouble import business_error
from door_sync.unifi.executor import SILENT_LIMIT
from tests.club import Club


@pytest.fixture
def pairs(club: Club) -> list[Confirmed]:
    """Seven members, and users of the same names, confirmed; by user id, as they are linked."""
    made = []
    for number in range(7):
        contact = ContactId(club.join(1001 + number, first=f"M{number}"))
        user = club.unifi.world.add_user(f"M{number}", "Ber").id
        made.append(Confirmed(UserId(user), contact))
    return sorted(made, key=lambda one: one.user_id)


def records(tmp_path: Path, club: Club) -> Records:
    """Where it is written down."""
    patience = Patience(0, club.clock, lambda: None)
    return Records(tmp_path / "history.db", tmp_path / "audit.jsonl", "olga", patience)


def linked(club: Club, wanted: Sequence[Confirmed], tmp_path: Path) -> Adopted:
    """Link them over real connections."""
    with club.parts() as parts:
        return link(parts, wanted, (), records(tmp_path, club))


def steps(tmp_path: Path, club: Club, done: Adopted) -> list[PastStep]:
    """The writes on record."""
    with SqliteJournal.open_read_only(tmp_path / "history.db", club.clock) as journal:
        return [*journal.steps(done.cycle_id)]


def fates(done: Adopted) -> list[Fate]:
    """What became of each, by user id."""
    return [result.fate for result in done.results]


def test_a_write_without_an_answer_that_was_carried_out_is_settled_by_reading_back(
    club: Club, pairs: list[Confirmed], tmp_path: Path
) -> None:
    club.unifi.faults.add(Reset(after=True), method="PUT", times=None)
    done = linked(club, pairs[:1], tmp_path)
    assert fates(done) == [Fate.LINKED]
    [step] = steps(tmp_path, club, done)
    assert (step.kind, step.outcome, step.detail) == ("link-user", "done", "read back")


def test_a_write_without_an_answer_that_was_not_carried_out_is_a_failure(
    club: Club, pairs: list[Confirmed], tmp_path: Path
) -> None:
    club.unifi.faults.add(Reset(), method="PUT", times=None)
    done = linked(club, pairs[:1], tmp_path)
    assert (fates(done), done.exit_code) == ([Fate.FAILED], 3)
    [step] = steps(tmp_path, club, done)
    assert step.outcome == "uncertain"


def test_what_cannot_be_read_back_is_not_proven_and_the_others_go_on(
    club: Club, pairs: list[Confirmed], tmp_path: Path
) -> None:
    silence, first = html_error(503), pairs[0].user_id
    armed: list[bool] = []

    def fall_silent(_: object) -> None:
        if not armed:
            club.unifi.faults.add(silence, method="GET", path=f"/users/{first}", times=None)
        armed.append(True)

    club.unifi.faults.add(Hook(fall_silent, after=True), method="PUT", times=None)
    done = linked(club, pairs[:2], tmp_path)
    assert fates(done) == [Fate.UNPROVEN, Fate.LINKED]
    assert [step.outcome for step in steps(tmp_path, club, done)] == ["unproven", "done"]


def test_a_controller_that_answers_for_nobody_any_more_is_not_asked_for_ever(
    club: Club, pairs: list[Confirmed], tmp_path: Path
) -> None:
    for one in pairs:
        club.unifi.faults.add(
            html_error(503), method="GET", path=f"/users/{one.user_id}", times=None
        )
    club.forget()
    done = linked(club, pairs, tmp_path)
    assert fates(done) == [Fate.FAILED] * SILENT_LIMIT + [Fate.NOT_TRIED] * 2
    assert done.exit_code == 2
    assert club.writes() == 0


def test_a_key_that_lost_its_right_ends_it_and_the_rest_is_not_tried(
    club: Club, pairs: list[Confirmed], tmp_path: Path
) -> None:
    club.unifi.faults.add(business_error("CODE_UNAUTHORIZED"), method="PUT", times=None)
    done = linked(club, pairs[:2], tmp_path)
    assert fates(done) == [Fate.FAILED, Fate.NOT_TRIED]
    assert done.exit_code == 2
    assert [step.outcome for step in steps(tmp_path, club, done)] == ["failed"]


def test_a_user_that_goes_away_before_its_turn_is_refused(
    club: Club, pairs: list[Confirmed], tmp_path: Path
) -> None:
    user_id = pairs[1].user_id

    def go_away(_: object) -> None:
        if user_id in club.unifi.world.users:
            club.unifi.world.delete_user(user_id)

    club.unifi.faults.add(Hook(go_away), method="PUT")
    done = linked(club, pairs[:2], tmp_path)
    assert fates(done) == [Fate.LINKED, Fate.REFUSED]
    assert len(steps(tmp_path, club, done)) == 1


def test_an_audit_file_that_cannot_be_written_is_told_and_undoes_nothing(
    club: Club, pairs: list[Confirmed], tmp_path: Path
) -> None:
    (tmp_path / "audit.jsonl").mkdir()
    done = linked(club, pairs[:1], tmp_path)
    assert fates(done) == [Fate.LINKED]
    assert "it is a directory" in done.troubles[0]


def test_it_waits_its_turn_behind_a_cycle(
    club: Club, pairs: list[Confirmed], tmp_path: Path
) -> None:
    club.forget()
    where = records(tmp_path, club)
    with SiteLock(where.journal, where.patience), pytest.raises(LockHeld):
        linked(club, pairs[:1], tmp_path)
    assert club.writes() == 0


def test_with_nobody_to_link_nothing_is_recorded(
    club: Club, pairs: list[Confirmed], tmp_path: Path
) -> None:
    gone = Confirmed(UserId("gone"), pairs[0].contact_id)
    assert fates(linked(club, [gone], tmp_path)) == [Fate.REFUSED]
    assert not (tmp_path / "history.db").exists()
