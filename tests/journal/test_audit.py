"""The audit file: one JSON line per cycle (§7)."""

import json
import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from door_sync.core.people import ContactId
from door_sync.files import OpsFileError
from door_sync.journal.audit import (
    Applied,
    AuditCounts,
    AuditedChange,
    AuditedCycle,
    Crashed,
    Halted,
    audit_content,
    audit_line,
)
from door_sync.journal.chain import chained_file
from door_sync.ports import SourceDistrusted

AT = datetime(2025, 3, 10, 8, 15, tzinfo=UTC)


def cycle(
    ending: Applied | Halted | Crashed, *changes: AuditedChange, at: datetime = AT
) -> AuditedCycle:
    return AuditedCycle(at, "20250310T081500Z-00c0ffee", ending, changes=changes)


def append_cycle(path: Path, one: AuditedCycle) -> None:
    with chained_file(path) as file:
        file.append(audit_content(one), "")


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    return tmp_path / "log" / "audit.jsonl"


def lines(audit: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in audit.read_text(encoding="ascii").splitlines()]


def test_an_applied_cycle_has_the_keys_that_earlier_readers_know_and_the_new_ones() -> None:
    applied = AuditedCycle(
        at=AT,
        cycle_id="20250310T081500Z-00c0ffee",
        ending=Applied(),
        digest="0123456789ab",
        counts=AuditCounts(
            added=1, updated_credential=2, updated_policy=3, deactivated=4, unmapped=5
        ),
        changes=(AuditedChange(ContactId(42), "grant", "done"),),
    )
    assert audit_content(applied) == {
        "ts": "2025-03-10T08:15:00.000000+00:00",
        "event": "applied",
        "dry_run": False,
        "summary": {
            "added": 1,
            "updated_credential": 2,
            "updated_policy": 3,
            "deactivated": 4,
            "unmapped": 5,
        },
        "cycle": "20250310T081500Z-00c0ffee",
        "digest": "0123456789ab",
        "changes": [{"contact": 42, "class": "grant", "outcome": "done"}],
    }


def test_a_partly_failed_cycle_is_applied_and_every_outcome_stands_there() -> None:
    """P6: the others went on, and who failed is on record."""
    line = json.loads(
        audit_line(
            cycle(
                Applied(),
                AuditedChange(ContactId(42), "grant", "done"),
                AuditedChange(ContactId(43), "revoke", "refused"),
            )
        )
    )
    assert line["event"] == "applied"
    assert [(one["contact"], one["outcome"]) for one in line["changes"]] == [
        (42, "done"),
        (43, "refused"),
    ]


def test_a_halted_cycle_says_why() -> None:
    line = json.loads(audit_line(cycle(Halted("40 % would be deactivated, 15 % are allowed"))))
    assert line["event"] == "halted"
    assert line["reason"] == "40 % would be deactivated, 15 % are allowed"
    assert "exception" not in line


def test_a_crash_of_the_programs_own_kind_tells_its_message() -> None:
    line = json.loads(audit_line(cycle(Crashed(SourceDistrusted("counts moved twice")))))
    assert line["event"] == "crashed"
    assert line["exception"] == {"class": "SourceDistrusted", "message": "counts moved twice"}
    assert "reason" not in line


def test_a_foreign_exception_is_named_by_its_class_alone() -> None:
    """P12: nobody knows what a KeyError carries; it may be somebody's address."""
    written = audit_line(cycle(Crashed(KeyError("ada@example.org"))))
    assert json.loads(written)["exception"] == {"class": "KeyError", "message": "KeyError"}
    assert "ada" not in written


def test_times_are_written_in_utc() -> None:
    in_rome = AT.astimezone(timezone(timedelta(hours=1)))
    assert audit_line(cycle(Applied(), at=in_rome)) == audit_line(cycle(Applied()))


def test_a_dry_run_is_marked() -> None:
    dry = AuditedCycle(AT, "20250310T081500Z-00c0ffee", Applied(), dry_run=True)
    assert json.loads(audit_line(dry))["dry_run"] is True


def test_lines_are_appended_in_order_and_the_directory_is_made(audit: Path) -> None:
    append_cycle(audit, cycle(Applied()))
    append_cycle(audit, cycle(Halted("empty source")))
    assert [one["event"] for one in lines(audit)] == ["applied", "halted"]
    assert stat.S_IMODE(audit.parent.stat().st_mode) == 0o750
    assert stat.S_IMODE(audit.stat().st_mode) == 0o640


@given(st.text())
def test_a_reason_of_any_text_stays_on_one_ascii_line(reason: str) -> None:
    written = audit_line(cycle(Halted(reason)))
    assert written.isascii()
    assert len(written.splitlines()) == 1
    assert json.loads(written)["reason"] == reason


def test_an_unwritable_audit_file_is_the_callers_to_judge(tmp_path: Path) -> None:
    with pytest.raises(OpsFileError, match="it is a directory") as caught:
        append_cycle(tmp_path, cycle(Applied()))
    assert caught.value.path == tmp_path
