"""The page on privacy tells of every file that door-sync writes, and for how long it is kept."""

import re

from door_sync.journal.chain import FILE_MODE as AUDIT_MODE
from door_sync.journal.state import FILE_MODE as STATE_MODE
from door_sync.journal.store import FILE_MODE as JOURNAL_MODE
from door_sync.notify.flag import FILE_MODE as FLAG_MODE
from door_sync.settings.model import Ops
from tests.docs.pages import ROOT, page, section, table

KEPT = table(section(page("privacy.md"), "What is kept, how long, and who can read it"), "file")
ROWS = {row[1].strip("`"): row for row in KEPT}


def test_each_file_that_a_setting_names_has_a_row() -> None:
    files = {f"ops.{name}" for name in Ops.model_fields if not name.startswith("keep_")}
    assert files <= ROWS.keys()


def test_the_days_are_those_of_the_settings() -> None:
    kept = ROWS["ops.history_db"][3]
    told = re.findall(r"`ops\.(\w+)` \((\d+)\)", kept)
    assert {name for name, _ in told} == {n for n in Ops.model_fields if n.startswith("keep_")}
    for name, days in told:
        assert Ops.model_fields[name].default == int(days)


def test_the_months_of_the_audit_file_are_those_of_the_shipped_rule() -> None:
    [count] = re.findall(r"(?m)^ *rotate (\d+)$", (ROOT / "packaging/logrotate").read_text())
    assert f"{count} months" in ROWS["ops.audit_jsonl"][3]
    assert int(count) * 28 <= Ops().keep_changes_days <= int(count) * 31


def test_who_can_read_a_file_is_what_its_mode_says() -> None:
    modes = {
        "history_db": JOURNAL_MODE,
        "audit_jsonl": AUDIT_MODE,
        "state_json": STATE_MODE,
        "alert_flag": FLAG_MODE,
    }
    for name, mode in modes.items():
        assert f"(0{mode:o})" in ROWS[f"ops.{name}"][4]
