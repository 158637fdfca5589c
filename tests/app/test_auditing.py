"""The lines that earlier cycles lack are written by the next, from what the journal has (§7)."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from door_sync.app.auditing import (
    CAUGHT_UP,
    AuditFiles,
    audit_command,
    audit_fault,
    audit_report,
)
from door_sync.app.report import CycleReport
from door_sync.core.people import ContactId
from door_sync.core.tags import digest
from door_sync.journal.audit import Applied, AuditedChange, AuditedCycle
from door_sync.journal.store import Store
from door_sync.ports import JournalError, StepRecord
from tests.journal.chained import AuditedSite

IN_A_WRITE = (
    "the process died in a write: deactivate-user of contact 7 (revoke); it may have been carried "
    "out or not"
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[AuditedSite]:
    made = AuditedSite(tmp_path)
    with closing(made.store):
        yield made


def lines(site: AuditedSite) -> list[dict[str, Any]]:
    return [json.loads(line) for line in site.lines()]


def test_a_cycle_that_ended_without_its_line_gets_it_from_the_next(site: AuditedSite) -> None:
    late = site.ended(failed=True)
    site.cycle()
    first, _ = lines(site)
    assert first["cycle"] == late.cycle_id
    assert first["event"] == "crashed"
    assert first["exception"] == {"class": "DoorSyncError", "message": "the counts do not add up"}
    assert first["ts"] < first["late"]
    assert site.findings() == []


@pytest.mark.parametrize(
    ("outcomes", "became", "message"),
    [
        ([], None, "the process died before it wrote anything"),
        (
            ["done"],
            "done",
            "the process died after deactivate-user of contact 7 (revoke), between two writes",
        ),
        (
            [None],
            "unknown",
            IN_A_WRITE,
        ),
        (
            ["refused"],
            "failed",
            "the process died after deactivate-user of contact 7 (revoke), between two writes",
        ),
    ],
)
def test_one_that_died_says_in_which_step(
    site: AuditedSite, outcomes: list[str | None], became: str | None, message: str
) -> None:
    record = site.begin()
    for outcome in outcomes:
        site.write(record, 7, outcome)
    site.cycle()
    first, _ = lines(site)
    assert (first["cycle"], first["event"]) == (record.cycle_id, "crashed")
    assert first["exception"] == {"class": "Interrupted", "message": message}
    assert first["changes"] == (
        [] if became is None else [{"contact": 7, "class": "revoke", "outcome": became}]
    )
    assert first["summary"]["deactivated"] == int(became == "done")
    assert site.findings() == []


@pytest.mark.parametrize(
    ("event", "shown", "more"),
    [
        ("applied", "applied", {}),
        ("partial", "applied", {}),
        ("halted", "halted", {"reason": "why"}),
        ("crashed", "crashed", {"exception": {"class": "why", "message": "why"}}),
        ("failed", "crashed", {"exception": {"class": "DoorSyncError", "message": "why"}}),
    ],
)
def test_every_ending_has_its_word(
    site: AuditedSite, event: str, shown: str, more: dict[str, object]
) -> None:
    record = site.begin()
    record.end(event, "ab" * 6, {"added": 3, "other": "text"}, "why")
    site.cycle()
    first, _ = lines(site)
    assert (first["event"], first["digest"]) == (shown, "ab" * 6)
    assert {key: first[key] for key in ("reason", "exception") if key in first} == more
    assert first["summary"]["added"] == 3
    assert site.findings() == []


def test_a_leaver_whose_card_stayed_is_cut_off_all_the_same(site: AuditedSite) -> None:
    """P5: what counts is the last word on each kind of write, and the clean-up does not."""
    record = site.begin()
    for kind, outcome in (
        ("free-card", "refused"),
        ("deactivate-user", "uncertain"),
        ("deactivate-user", "done"),
    ):
        step = StepRecord(ContactId(7), kind, "revoke", "", digest(bytes(32), "t", kind))
        record.outcome(record.intend(step), outcome)
    record.end("applied", "", {})
    site.cycle()
    assert lines(site)[0]["changes"] == [{"contact": 7, "class": "revoke", "outcome": "done"}]


def test_the_oldest_come_first_and_no_more_than_some_in_one_cycle(site: AuditedSite) -> None:
    names = [site.ended().cycle_id for _ in range(CAUGHT_UP + 5)]
    own = site.cycle()
    assert [one["cycle"] for one in lines(site)] == [*names[:CAUGHT_UP], own]
    assert len(site.notes()) == 5
    last = site.cycle()
    assert [one["cycle"] for one in lines(site)][-6:] == [*names[CAUGHT_UP:], last]
    assert (site.findings(), site.notes()) == ([], [])


def test_a_dry_run_makes_up_for_nothing(site: AuditedSite) -> None:
    """P7."""
    site.ended()
    site.dry_run()
    assert [one["dry_run"] for one in lines(site)] == [True]


def test_a_line_that_is_there_already_is_recognised(site: AuditedSite) -> None:
    """The process died between the line and recording its hash, and dry runs came after it."""
    name = site.cycle()
    with site.store.writing() as connection:
        connection.execute("UPDATE cycles SET audit = NULL, audit_number = NULL")
    site.dry_run()
    assert any("its process died just after writing the line" in one for one in site.notes())
    site.cycle()
    assert [one["cycle"] for one in lines(site)].count(name) == 1
    assert (site.findings(), site.notes()) == ([], [])


def test_if_logrotate_took_it_away_meanwhile_it_stands_there_twice(site: AuditedSite) -> None:
    site.cycle()
    name = site.cycle()
    with site.store.writing() as connection:
        connection.execute(
            "UPDATE cycles SET audit = NULL, audit_number = NULL WHERE id = ?", (name,)
        )
    site.rotate()
    site.cycle()
    assert site.findings() == []
    assert [one.split(": ", 2)[1] for one in site.notes()] == [
        f"stands there twice for cycle {name}"
    ]


def test_a_command_that_still_runs_is_waited_for_and_one_that_ended_is_told(
    site: AuditedSite,
) -> None:
    running, ended = site.command(), site.command()
    site.write(ended, 7)
    ended.end("applied", "", {"deactivated": 1})
    site.cycle()
    first, _ = lines(site)
    assert (first["cycle"], first["command"]) == (ended.cycle_id, "revoke")
    running.end("applied", "", {})
    site.cycle()
    assert [one["cycle"] for one in lines(site)].count(running.cycle_id) == 1
    assert site.findings() == []


def test_a_command_may_write_its_line_itself(site: AuditedSite) -> None:
    cycle = site.begin()
    record = site.command()
    site.write(record, 7)
    record.end("applied", "", {"deactivated": 1})
    line = AuditedCycle(
        at=site.clock.now(),
        cycle_id=record.cycle_id,
        ending=Applied(),
        changes=[AuditedChange(ContactId(7), "revoke", "done")],
        command="revoke",
    )
    audit_command(line, site.files)
    assert "late" not in lines(site)[0]
    site.rotate()
    report = CycleReport(site.clock.now(), dry_run=False, key=b"", cycle_id=cycle.cycle_id)
    cycle.end("applied", "", {})
    audit_report(report, site.files, site.clock.now())
    site.rotate()
    site.cycle()
    assert (site.findings(), site.notes()) == ([], [])


def test_a_command_whose_line_a_cycle_wrote_meanwhile_does_not_write_it_twice(
    site: AuditedSite,
) -> None:
    record = site.command()
    site.write(record, 7)
    record.end("applied", "", {"deactivated": 1})
    site.cycle()
    line = AuditedCycle(
        at=site.clock.now(), cycle_id=record.cycle_id, ending=Applied(), command="revoke"
    )
    audit_command(line, site.files)
    assert [one["cycle"] for one in lines(site)].count(record.cycle_id) == 1
    assert (site.findings(), site.notes()) == ([], [])


def test_a_fault_of_the_program_has_the_line_of_its_cycle(site: AuditedSite) -> None:
    record = site.begin()
    record.end("crashed", "", {}, "LookupError")
    audit_fault(LookupError("Zaphodine"), site.files, site.clock.now())
    [line] = lines(site)
    assert line["cycle"] == record.cycle_id
    assert line["exception"] == {"class": "LookupError", "message": "LookupError"}


@pytest.mark.parametrize("has_journal", [True, False])
def test_a_fault_without_a_record_has_a_line_of_its_own(
    site: AuditedSite, has_journal: bool
) -> None:
    files = site.files if has_journal else AuditFiles(site.audit, None)
    audit_fault(LookupError("Zaphodine"), files, site.clock.now())
    [line] = lines(site)
    assert (line["cycle"], line["event"]) == ("", "crashed")
    assert any("could not begin" in one for one in site.notes())
    assert site.findings() == []


def test_a_journal_that_refuses_the_hash_does_not_keep_the_line_away(
    site: AuditedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.ended()
    report = site.ended()
    with monkeypatch.context() as patched:
        patched.setattr(Store, "writing", _refused)
        with pytest.raises(JournalError):
            audit_report(report, site.files, site.clock.now())
    assert [one["cycle"] for one in lines(site)][-1] == report.cycle_id
    site.cycle()
    assert (site.findings(), site.notes()) == ([], [])


def test_a_journal_that_opens_for_reading_alone_still_tells_where_the_chain_ended(
    site: AuditedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.cycle()
    site.rotate()
    report = site.ended()
    with monkeypatch.context() as patched:
        patched.setattr(Store, "open", _refused)
        with pytest.raises(JournalError):
            audit_report(report, site.files, site.clock.now())
    site.cycle()
    assert (site.findings(), site.notes()) == ([], [])


def test_without_any_journal_the_line_is_written_all_the_same(site: AuditedSite) -> None:
    files = AuditFiles(site.audit, site.audit.with_name("none.db"))
    report = CycleReport(site.clock.now(), dry_run=False, key=b"", error=JournalError("none"))
    audit_report(report, files, site.clock.now())
    assert [one["event"] for one in lines(site)] == ["crashed"]
    assert not site.audit.with_name("none.db").exists()


def _refused(*_: object) -> None:
    raise JournalError("refused")
